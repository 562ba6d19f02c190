// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "core/config.h"

WEIR_DEFINE_CLEANUP(struct weir_config, weir_config_free)

/* A feature with a key of each type that the daemon's own keys do not have. */
static const struct weir_hook_set sets[] = { { .name = "fine" }, { .name = "coarse" }, {} };

static const struct weir_key keys[] = {
	{ .name = "rings", .type = WEIR_KEY_COUNT, .min = 1, .max = 64, .otherwise = "4", .help = "Rings." },
	{ .name = "quiet", .type = WEIR_KEY_BOOL, .otherwise = "false", .live = true, .help = "Says less." },
	{ .name = "label", .type = WEIR_KEY_TEXT, .help = "A label." },
	{},
};

static const struct weir_feature demo = { .name = "demo", .hook_sets = sets, .keys = keys };
static const struct weir_feature plain = { .name = "plain", .hook_sets = sets };
static const struct weir_feature *const features[] = { &demo, &plain, NULL };

static struct weir_config *config_new(void)
{
	struct weir_config *c = NULL;

	assert_int_equal(weir_config_new(features, &c), 0);
	return c;
}

/* --- what is taken ----------------------------------------------------------------------------- */

static void taken(void **state)
{
	static const struct {
		const char *what, *file, *key, *value;
	} rows[] = {
		{ "nothing at all leaves the defaults", "", "listen", "127.0.0.1:9474" },
		{ "only a comment", "# nothing yet\n", "log_level", "info" },
		{ "an empty document", "---\n", "log_level", "info" },
		{ "a key", "listen: 127.0.0.1:80\n", "listen", "127.0.0.1:80" },
		{ "no listening", "listen: none\n", "listen", "none" },
		{ "IPv6", "listen: '[::1]:9474'\n", "listen", "[::1]:9474" },
		{ "a name for loopback", "listen: localhost:1\n", "listen", "localhost:1" },
		{ "double quotes", "socket: \"/run/a b.sock\"\n", "socket", "/run/a b.sock" },
		{ "braces instead of lines", "{state: /var/lib/x, log_level: debug}", "state", "/var/lib/x" },
		{ "no end of line at the end", "log_level: error", "log_level", "error" },
		{ "a byte order mark", "\xef\xbb\xbflog_level: error\n", "log_level", "error" },
		{ "the ends of lines of another system", "log_level: error\r\nlisten: none\r\n", "listen", "none" },
		{ "a hook set", "hooks:\n  demo: coarse\n", "hooks.demo", "coarse" },
		{ "a feature's number", "demo:\n  rings: 64\n", "demo.rings", "64" },
		{ "a feature's switch", "demo: {quiet: true}", "demo.quiet", "true" },
		{ "a text that reads like a switch", "demo: {label: yes}", "demo.label", "yes" },
		{ "a text of several lines is joined", "demo:\n  label: a\n    b\n", "demo.label", "a b" },
		{ "letters of all languages", "demo: {label: \"\xe6\xb5\x8b\"}", "demo.label", "\xe6\xb5\x8b" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(weir_config_freep) struct weir_config *c = config_new();
		_cleanup_free_ char *error = NULL;

		if (weir_config_parse(c, "f", rows[i].file, strlen(rows[i].file), &error) != 0)
			fail_msg("%s: %s", rows[i].what, error ? error : "");
		if (strcmp(weir_config_text(c, rows[i].key), rows[i].value) != 0)
			fail_msg("%s: %s", rows[i].what, weir_config_text(c, rows[i].key));
	}
}

static void typed(void **state)
{
	static const char text[] = "demo:\n  rings: 7\n  quiet: true\nhooks: {plain: fine, demo: coarse}\n";
	_cleanup_(weir_config_freep) struct weir_config *c = config_new();
	_cleanup_(weir_buf_done) struct weir_buf hooks = {};
	char *error = NULL;

	(void)state;
	weir_config_hooks(c, &hooks);
	assert_int_equal(hooks.len, 0);
	assert_int_equal(weir_config_number(c, "demo.rings"), 4);
	assert_false(weir_config_given(c, "demo.rings"));
	assert_int_equal(weir_config_parse(c, "f", text, strlen(text), &error), 0);
	assert_int_equal(weir_config_number(c, "demo.rings"), 7);
	assert_true(weir_config_true(c, "demo.quiet"));
	assert_true(weir_config_given(c, "demo.rings"));
	assert_false(weir_config_given(c, "listen"));
	assert_null(weir_config_text(c, "demo.label"));
	assert_null(weir_config_text(c, "no.such.key"));
	weir_config_hooks(c, &hooks);
	assert_string_equal(hooks.data, "demo:coarse,plain:fine");
}

/* --- what is rejected -------------------------------------------------------------------------- */

struct bad {
	const char *what, *file, *line;
	size_t len; /* 0: up to the NUL */
};

#define BYTES(literal) literal, .len = sizeof(literal) - 1

static const struct bad bads[] = {
	{ "a key that is misspelt", "lisen: none\n", "f:1:1: unknown key \"lisen\": did you mean listen?" },
	{ "a key that is like no other", "log_level: info\nbandwidth: 3\n",
	  "f:2:1: unknown key \"bandwidth\": weir help daemon lists them" },
	{ "a misspelt key of a feature", "demo:\n  ring: 3\n",
	  "f:2:3: unknown key \"ring\" in demo: did you mean rings?" },
	{ "a feature that does not exist", "hooks: {demi: fine}",
	  "f:1:9: unknown key \"demi\" in hooks: did you mean demo?" },
	{ "a misspelt group", "hook:\n  demo: fine\n", "f:1:1: unknown key \"hook\": did you mean hooks?" },
	{ "the merge key", "<<: {listen: none}", "f:1:1: unknown key \"<<\": weir help daemon lists them" },
	{ "a key that would colour the terminal", "\"\\e[31m\": 1",
	  "f:1:1: unknown key \"\\x1b[31m\": weir help daemon lists them" },
	{ "a key with a NUL in it", "\"listen\\0\": none", "f:1:1: the key has a NUL in it: take it out" },
	{ "a key twice", "listen: none\nstate: /a\nlisten: none\n",
	  "f:3:1: listen stands here again, first on line 1: take one away" },
	{ "a key twice in a group", "demo:\n  rings: 1\n  rings: 1\n",
	  "f:3:3: rings stands here again, first on line 2: take one away" },
	{ "a group twice", "demo: {rings: 1}\ndemo: {quiet: true}\n",
	  "f:2:1: demo stands here again, first on line 1: take one away" },
	{ "a key without a value", "listen:\nstate: /a\n",
	  "f:1:8: listen has no value: give it one, or take the line away" },
	{ "null", "listen: ~\n", "f:1:9: listen has no value: give it one, or take the line away" },
	{ "an empty text", "socket: ''\n", "f:1:9: socket has no value: give it one, or take the line away" },
	{ "a list for a text", "socket: [/a]\n", "f:1:9: socket takes a path from the root, not a list" },
	{ "keys for a text", "socket:\n  path: /a\n",
	  "f:2:3: socket takes a path from the root, not keys of its own" },
	{ "a text for a group", "hooks: demo\n", "f:1:8: hooks takes keys of its own, such as demo" },
	{ "nothing for a group", "hooks:\n", "f:1:7: hooks takes keys of its own, such as demo" },
	{ "a path from nowhere", "state: lib/weir\n",
	  "f:1:8: state takes a path from the root, not \"lib/weir\"" },
	{ "a value that is misspelt", "log_level: debg\n",
	  "f:1:12: log_level takes error, warning, info or debug, not \"debg\": did you mean debug?" },
	{ "a hook set that is not there", "hooks: {demo: kprobe}\n",
	  "f:1:15: hooks.demo takes fine or coarse, not \"kprobe\"" },
	{ "a text for a number", "demo: {rings: many}\n",
	  "f:1:15: demo.rings takes a whole number from 1 to 64, not \"many\"" },
	{ "a number in quotes", "demo: {rings: '7'}\n",
	  "f:1:15: demo.rings takes a whole number from 1 to 64, not \"7\" in quotes: take them away" },
	{ "a number in octal", "demo: {rings: 010}\n",
	  "f:1:15: demo.rings takes a whole number from 1 to 64, not \"010\": a number that starts with 0 is octal "
	  "to some: write it without" },
	{ "a number in hexadecimal", "demo: {rings: 0x10}\n",
	  "f:1:15: demo.rings takes a whole number from 1 to 64, not \"0x10\"" },
	{ "a number that is too small", "demo: {rings: 0}\n",
	  "f:1:15: demo.rings takes a whole number from 1 to 64, not \"0\"" },
	{ "a negative number", "demo: {rings: -1}\n",
	  "f:1:15: demo.rings takes a whole number from 1 to 64, not \"-1\"" },
	{ "a number beyond 64 bits", "demo: {rings: 18446744073709551617}\n",
	  "f:1:15: demo.rings takes a whole number from 1 to 64, not \"18446744073709551617\"" },
	{ "a fraction", "demo: {rings: 1.5}\n",
	  "f:1:15: demo.rings takes a whole number from 1 to 64, not \"1.5\"" },
	{ "yes for true", "demo: {quiet: yes}\n", "f:1:15: demo.quiet takes true or false, not \"yes\"" },
	{ "a switch in quotes", "demo: {quiet: 'true'}\n",
	  "f:1:15: demo.quiet takes true or false, not \"true\" in quotes: take them away" },
	{ "an address without a port", "listen: 127.0.0.1\n",
	  "f:1:9: listen takes ADDR:PORT such as 127.0.0.1:9474 or [::1]:9474, or none, not \"127.0.0.1\"" },
	{ "a port in octal", "listen: 127.0.0.1:010\n",
	  "f:1:9: listen takes ADDR:PORT such as 127.0.0.1:9474 or [::1]:9474, or none, not \"127.0.0.1:010\": a "
	  "number that starts with 0 is octal to some: write it without" },
	{ "an address in octal", "listen: 127.0.0.010:80\n",
	  "f:1:9: listen takes ADDR:PORT such as 127.0.0.1:9474 or [::1]:9474, or none, not \"127.0.0.010:80\": a "
	  "number that starts with 0 is octal to some: write it without" },
	{ "a port that is too large", "listen: 127.0.0.1:65536\n",
	  "f:1:9: listen takes ADDR:PORT such as 127.0.0.1:9474 or [::1]:9474, or none, not \"127.0.0.1:65536\"" },
	{ "IPv6 without brackets", "listen: ::1:9474\n",
	  "f:1:9: listen takes ADDR:PORT such as 127.0.0.1:9474 or [::1]:9474, or none, not \"::1:9474\"" },
	{ "a name that would have to be looked up", "listen: example.org:80\n",
	  "f:1:9: listen takes ADDR:PORT such as 127.0.0.1:9474 or [::1]:9474, or none, not \"example.org:80\"" },
	{ "a value with a NUL in it", "socket: \"/a\\0b\"\n",
	  "f:1:9: socket has a control character in it: take it out" },
	{ "a value of two lines", "socket: \"/a\\nb\"\n", "f:1:9: socket has a control character in it: take it out" },
	{ "an anchor on a value", "listen: &a none\n",
	  "f:1:9: anchors (&name) are not taken: write the value itself" },
	{ "an anchor on a group", "demo: &a {rings: 1}\n",
	  "f:1:7: anchors (&name) are not taken: write the value itself" },
	{ "an anchor on the whole", "&a listen: none\n",
	  "f:1:1: anchors (&name) are not taken: write the value itself" },
	{ "an alias", "listen: *a\n", "f:1:9: aliases (*name) are not taken: write the value itself" },
	{ "an alias bomb",
	  "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n",
	  "f:1:1: unknown key \"a\": weir help daemon lists them" },
	{ "an alias bomb behind a good key", "listen: &a [*a, *a]\n",
	  "f:1:9: anchors (&name) are not taken: write the value itself" },
	{ "a tag", "listen: !!str none\n", "f:1:9: tags (!name) are not taken: write the value alone" },
	{ "a tag of a program's own", "--- !weir {listen: none}\n",
	  "f:1:5: tags (!name) are not taken: write the value alone" },
	{ "a list as the whole", "- listen: none\n",
	  "f:1:1: keys are expected here, not a list: write KEY: VALUE" },
	{ "a text as the whole", "listen\n", "f:1:1: keys are expected here, not a text: write KEY: VALUE" },
	{ "a list as a key", "? [a]\n: b\n", "f:1:3: a key is a word, not a list: write it as KEY: VALUE" },
	{ "a second document", "listen: none\n---\nlisten: none\n",
	  "f:2:1: a second document begins here: keep to one" },
	{ "a tab for indentation", "demo:\n\trings: 1\n",
	  "f:2:1: this is not YAML: found character that cannot start any token while scanning for the next token: "
	  "write it as KEY: VALUE" },
	{ "a bracket that is not closed", "demo: {rings: 1\n",
	  "f:2:1: this is not YAML: did not find expected ',' or '}' while parsing a flow mapping: write it as "
	  "KEY: VALUE" },
	{ "a NUL byte", BYTES("listen: none\n\0\n"), .line = "f:2:1: there is a NUL byte here: save it as text" },
	{ "UTF-16", BYTES("\xff\xfel\0"), .line = "f:1:1: byte 0xff is not UTF-8: save the file as UTF-8" },
	{ "Latin-1", "# f\xfcr\nlisten: none\n", "f:1:4: byte 0xfc is not UTF-8: save the file as UTF-8" },
	{ "a bad byte behind letters of several bytes", "# \xe6\xb5\x8b\xe6\xb5\x8b \x80\n",
	  "f:1:6: byte 0x80 is not UTF-8: save the file as UTF-8" },
};

static void rejected(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bads); i++) {
		_cleanup_(weir_config_freep) struct weir_config *c = config_new();
		const char *file = bads[i].file;
		_cleanup_free_ char *error = NULL;
		int r;

	(void)state;
		r = weir_config_parse(c, "f", file, bads[i].len ? bads[i].len : strlen(file), &error);
		if (r != -EINVAL)
			fail_msg("%s: %d", bads[i].what, r);
		if (strcmp(error, bads[i].line) != 0)
			fail_msg("%s:\n  %s\n  %s", bads[i].what, error, bads[i].line);
		for (unsigned k = 0; weir_config_setting(c, k); k++)
			assert_false(weir_config_given(c, weir_config_setting(c, k)->name));
	}
}

static void nothing_of_a_bad_file_is_taken(void **state)
{
	static const char good[] = "listen: none\n", bad[] = "listen: 127.0.0.1:1\nstate: /b\nrubbish: 1\n";
	_cleanup_(weir_config_freep) struct weir_config *c = config_new();
	_cleanup_free_ char *error = NULL;

	(void)state;
	assert_int_equal(weir_config_parse(c, "f", good, strlen(good), &error), 0);
	assert_int_equal(weir_config_parse(c, "f", bad, strlen(bad), &error), -EINVAL);
	assert_string_equal(weir_config_text(c, "listen"), "none");
	assert_false(weir_config_given(c, "state"));
}

/* open and close repeated n times around nothing. */
static char *nested(const char *open, const char *close, unsigned n)
{
	struct weir_buf b = {};

	weir_buf_str(&b, "listen: ");
	for (unsigned i = 0; i < n; i++)
		weir_buf_str(&b, open);
	for (unsigned i = 0; i < n; i++)
		weir_buf_str(&b, close);
	assert_int_equal(b.error, 0);
	return b.data;
}

static void depth_ends_at_the_first_step(void **state)
{
	static const struct {
		const char *open, *close, *kind;
	} rows[] = { { "[", "]", "a list" }, { "{a: ", "}", "keys of its own" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(weir_config_freep) struct weir_config *c = config_new();
		_cleanup_free_ char *text = nested(rows[i].open, rows[i].close, 100000);
		_cleanup_free_ char *error = NULL;

		assert_int_equal(weir_config_parse(c, "f", text, strlen(text), &error), -EINVAL);
		assert_non_null(strstr(error, "f:1:9: listen takes "));
		assert_non_null(strstr(error, rows[i].kind));
	}
}

static void long_values_and_files(void **state)
{
	_cleanup_(weir_config_freep) struct weir_config *c = config_new();
	size_t size = WEIR_CONFIG_BYTES_MAX + 1;
	_cleanup_free_ char *text = malloc(size + 1);
	char *error = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '#', size);
	text[size] = 0;
	assert_int_equal(weir_config_parse(c, "f", text, size, &error), -EINVAL);
	assert_string_equal(error, "f:1:1: the file has more than 1048576 bytes: make it shorter");
	free(error);
	assert_int_equal(weir_config_parse(c, "f", text, size - 1, &error), 0);
	memcpy(text, "socket: /", 9);
	text[9 + WEIR_CONFIG_VALUE_MAX] = '\n';
	assert_int_equal(weir_config_parse(c, "f", text, 9 + WEIR_CONFIG_VALUE_MAX, &error), -EINVAL);
	assert_string_equal(error, "f:1:9: socket has 4097 bytes: at most 4096 are taken");
	free(error);
}

/* --- files ------------------------------------------------------------------------------------- */

struct folder {
	char top[32], file[64], more[64];
};

static void put(const char *folder, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fputs(text, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

static int folder_setup(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	*state = f;
	snprintf(f->top, sizeof(f->top), "/tmp/weir-config-XXXXXX");
	if (!mkdtemp(f->top))
		return -1;
	snprintf(f->file, sizeof(f->file), "%s/weir.yaml", f->top);
	snprintf(f->more, sizeof(f->more), "%s/conf.d", f->top);
	return mkdir(f->more, 0755);
}

static int folder_teardown(void **state)
{
	static const char *const names[] = { "conf.d/10-a.yaml", "conf.d/20-b.yaml", "conf.d/.c.yaml", "conf.d/d.txt",
					     "conf.d/pipe.yaml", "conf.d", "weir.yaml", "pipe" };
	struct folder *f = *state;
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->top, names[i]);
		(void)remove(path);
	}
	(void)rmdir(f->top);
	free(f);
	return 0;
}

static void absent_files_are_fine(void **state)
{
	_cleanup_(weir_config_freep) struct weir_config *c = config_new();
	struct folder *f = *state;
	char *error = NULL;

	assert_int_equal(weir_config_load_from(c, f->file, false, "/nonexistent/conf.d", &error), 0);
	assert_string_equal(weir_config_files(c), "");
	assert_string_equal(weir_config_text(c, "listen"), "127.0.0.1:9474");
}

static void a_later_file_counts(void **state)
{
	_cleanup_(weir_config_freep) struct weir_config *c = config_new();
	struct folder *f = *state;
	char expected[256], *error = NULL;

	put(f->top, "weir.yaml", "listen: 127.0.0.1:1\nstate: /main\npins: /main\n");
	put(f->more, "20-b.yaml", "listen: 127.0.0.1:3\n");
	put(f->more, "10-a.yaml", "listen: 127.0.0.1:2\nstate: /a\n");
	put(f->more, ".c.yaml", "rubbish");
	put(f->more, "d.txt", "rubbish");
	assert_int_equal(weir_config_load_from(c, f->file, true, f->more, &error), 0);
	assert_string_equal(weir_config_text(c, "listen"), "127.0.0.1:3");
	assert_string_equal(weir_config_text(c, "state"), "/a");
	assert_string_equal(weir_config_text(c, "pins"), "/main");
	snprintf(expected, sizeof(expected), "%s %s/10-a.yaml %s/20-b.yaml", f->file, f->more, f->more);
	assert_string_equal(weir_config_files(c), expected);
}

static void a_bad_file_says_which_and_changes_nothing(void **state)
{
	_cleanup_(weir_config_freep) struct weir_config *c = config_new();
	_cleanup_free_ char *error = NULL;
	struct folder *f = *state;
	char expected[256];

	put(f->top, "weir.yaml", "listen: 127.0.0.1:1\n");
	put(f->more, "20-b.yaml", "state: /b\nlisten: [\n");
	assert_int_equal(weir_config_load_from(c, f->file, true, f->more, &error), -EINVAL);
	snprintf(expected, sizeof(expected), "%s/20-b.yaml:2:9: listen takes ", f->more);
	assert_memory_equal(error, expected, strlen(expected));
	assert_false(weir_config_given(c, "listen"));
	assert_string_equal(weir_config_files(c), "");
}

static void expect_refused(const char *path, const char *reason)
{
	_cleanup_(weir_config_freep) struct weir_config *c = config_new();
	_cleanup_free_ char *error = NULL;
	char expected[256];

	assert_int_equal(weir_config_load(c, path, &error), -EINVAL);
	snprintf(expected, sizeof(expected), "%s: %s", path, reason);
	assert_string_equal(error, expected);
}

static void files_that_are_not_read(void **state)
{
	struct folder *f = *state;
	char path[128];

	expect_refused(f->file, "cannot be read: No such file or directory: name a file that is there");
	expect_refused(f->more, "is not a file: name a text file in YAML");
	expect_refused("/dev/zero", "is not a file: name a text file in YAML");
	snprintf(path, sizeof(path), "%s/pipe", f->top);
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused(path, "is not a file: name a text file in YAML"); /* and does not wait for a writer */
	put(f->top, "weir.yaml", "listen: none\n");
	assert_int_equal(chmod(f->file, 0646), 0);
	expect_refused(f->file, "can be written by everybody: run chmod o-w on it");
	assert_int_equal(chmod(f->file, 0644), 0);
	assert_int_equal(truncate(f->file, 1ll << 30), 0);
	expect_refused(f->file, "has more than 1048576 bytes: make it shorter");
	if (geteuid() == 0)
		return;
	put(f->top, "weir.yaml", "listen: none\n");
	assert_int_equal(chmod(f->file, 0), 0);
	expect_refused(f->file, "cannot be read: Permission denied");
}

static void expect_changes(struct folder *f, const struct weir_config *before, const char *text, const char *line)
{
	_cleanup_(weir_config_freep) struct weir_config *now = NULL;
	_cleanup_(weir_buf_done) struct weir_buf out = {};
	char *error = NULL;

	put(f->top, "weir.yaml", text);
	assert_int_equal(weir_config_reload(before, &now, &error), 0);
	weir_config_changes(before, before, now, &out);
	assert_string_equal(out.data ? out.data : "", line);
}

static void reading_again(void **state)
{
	_cleanup_(weir_config_freep) struct weir_config *c = config_new();
	struct weir_config *now = NULL;
	_cleanup_free_ char *error = NULL;
	struct folder *f = *state;

	put(f->top, "weir.yaml", "listen: 127.0.0.1:1\n");
	weir_config_decide(c, "socket"); /* by --socket */
	weir_config_decide(c, "hooks");
	assert_int_equal(weir_config_load(c, f->file, &error), 0);
	expect_changes(f, c, "listen: 127.0.0.1:1\n", "");
	expect_changes(f, c, "listen: 127.0.0.1:1\nsocket: /b\nhooks: {demo: fine}\n", "");
	expect_changes(f, c, "", "after a restart: listen");
	expect_changes(f, c, "listen: 127.0.0.1:1\nlog_level: debug\n", "log_level is now debug");
	expect_changes(f, c, "state: /b\ndemo: {quiet: true, label: x}\n",
		       "demo.quiet is now true; after a restart: listen, state, demo.label");
	put(f->top, "weir.yaml", "listen:\n");
	assert_int_equal(weir_config_reload(c, &now, &error), -EINVAL);
	assert_null(now);
	assert_string_equal(weir_config_text(c, "listen"), "127.0.0.1:1");
}

static void each_key_has_its_help(void **state)
{
	_cleanup_(weir_config_freep) struct weir_config *c = NULL;
	const struct weir_setting *s;

	(void)state;
	assert_int_equal(weir_config_new(weir_features, &c), 0);
	for (unsigned i = 0; (s = weir_config_setting(c, i)); i++) {
		_cleanup_(weir_buf_done) struct weir_buf takes = {};

		weir_key_takes(&s->key, &takes);
		assert_true(takes.len > 0);
		assert_non_null(s->key.help);
		assert_int_equal(s->key.help[strlen(s->key.help) - 1], '.');
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(weir_config_setting(c, j)->name, s->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken),
		cmocka_unit_test(typed),
		cmocka_unit_test(rejected),
		cmocka_unit_test(nothing_of_a_bad_file_is_taken),
		cmocka_unit_test(depth_ends_at_the_first_step),
		cmocka_unit_test(long_values_and_files),
		cmocka_unit_test_setup_teardown(absent_files_are_fine, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(a_later_file_counts, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(a_bad_file_says_which_and_changes_nothing, folder_setup,
						folder_teardown),
		cmocka_unit_test_setup_teardown(files_that_are_not_read, folder_setup, folder_teardown),
		cmocka_unit_test_setup_teardown(reading_again, folder_setup, folder_teardown),
		cmocka_unit_test(each_key_has_its_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
