// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/config_private.h"

int weir_config_new(const struct weir_feature *const *features, struct weir_config **ret)
{
	struct weir_config *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->features = features;
	r = weir_config_declare(c);
	if (r < 0) {
		weir_config_free(c);
		return r;
	}
	*ret = c;
	return 0;
}

struct weir_config *weir_config_free(struct weir_config *c)
{
	if (!c)
		return NULL;
	for (unsigned i = 0; c->values && i < c->n; i++)
		free(c->values[i].text);
	free(c->values);
	free(c->settings);
	free(c->choices);
	free(c->file);
	free(c->more);
	weir_buf_done(&c->files);
	free(c);
	return NULL;
}

WEIR_DEFINE_CLEANUP(struct weir_config, weir_config_free)

/* --- what it says ------------------------------------------------------------------------------ */

/* Index by "listen" or "hooks.traffic". A name that no declaration has is the program's mistake: nothing is given. */
static int find(const struct weir_config *c, const char *name)
{
	for (unsigned i = 0; i < c->n; i++)
		if (!strcmp(c->settings[i].name, name))
			return (int)i;
	return -ENOENT;
}

bool weir_config_given(const struct weir_config *c, const char *name)
{
	int i = find(c, name);

	return i >= 0 && c->values[i].text;
}

static const char *value_at(const struct weir_config *c, unsigned i)
{
	return c->values[i].text ? c->values[i].text : c->settings[i].key.otherwise;
}

const char *weir_config_text(const struct weir_config *c, const char *name)
{
	int i = find(c, name);

	return i < 0 ? NULL : value_at(c, (unsigned)i);
}

uint64_t weir_config_number(const struct weir_config *c, const char *name)
{
	const char *text = weir_config_text(c, name);

	uint64_t v;

	return text && weir_key_size(text, &v) ? v : 0;
}

bool weir_config_true(const struct weir_config *c, const char *name)
{
	const char *text = weir_config_text(c, name);

	return text && !strcmp(text, "true");
}

void weir_config_hooks(const struct weir_config *c, struct weir_buf *out)
{
	for (unsigned i = 0; i < c->n; i++) {
		const struct weir_setting *s = &c->settings[i];

		if (s->group && !strcmp(s->group, "hooks") && c->values[i].text)
			weir_buf_printf(out, "%s%s:%s", out->len ? "," : "", s->key.name, c->values[i].text);
	}
}

void weir_config_decide(struct weir_config *c, const char *name)
{
	for (unsigned i = 0; i < c->n; i++) {
		const struct weir_setting *s = &c->settings[i];

		if (!strcmp(s->name, name) || (s->group && !strcmp(s->group, name)))
			c->values[i].decided = true;
	}
}

const struct weir_setting *weir_config_setting(const struct weir_config *c, unsigned i)
{
	return i < c->n ? &c->settings[i] : NULL;
}

const char *weir_config_files(const struct weir_config *c)
{
	return c->files.data ? c->files.data : "";
}

/* --- what differs ------------------------------------------------------------------------------ */

static bool differs(const struct weir_config *before, const struct weir_config *now, unsigned i)
{
	const char *a = value_at(before, i), *b = value_at(now, i);

	return !now->values[i].decided && (a && b ? strcmp(a, b) != 0 : a != b);
}

void weir_config_changes(const struct weir_config *began, const struct weir_config *last,
			 const struct weir_config *now, struct weir_buf *out)
{
	const char *between = "";

	for (unsigned i = 0; i < now->n; i++) {
		if (!now->settings[i].key.live || !differs(last, now, i))
			continue;
		weir_buf_printf(out, "%s%s is now %s", between, now->settings[i].name,
				value_at(now, i) ? value_at(now, i) : "not set");
		between = ", ";
	}
	between = out->len ? "; after a restart: " : "after a restart: ";
	for (unsigned i = 0; i < now->n; i++) {
		if (now->settings[i].key.live || !differs(began, now, i))
			continue;
		weir_buf_printf(out, "%s%s", between, now->settings[i].name);
		between = ", ";
	}
}

/* --- files ------------------------------------------------------------------------------------- */

static int fail(char **ret_error, const char *path, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(char **ret_error, const char *path, const char *fmt, ...)
{
	struct weir_buf b = {};
	va_list ap;

	weir_text_escape_terminal(&b, path, WEIR_TEXT_UNLIMITED);
	weir_buf_str(&b, ": ");
	va_start(ap, fmt);
	weir_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return weir_buf_error(&b, -EINVAL, ret_error);
}

/* Reads to the end, one byte more than is allowed at most, so that the parser sees what is too long. */
static int read_all(int fd, const char *path, struct weir_buf *out, char **ret_error)
{
	while (out->len <= WEIR_CONFIG_BYTES_MAX) {
		size_t want = WEIR_CONFIG_BYTES_MAX + 1 - out->len;
		char *room = weir_buf_room(out, want < 65536 ? want : 65536);
		ssize_t n;

		if (!room)
			return -ENOMEM;
		n = read(fd, room, want < 65536 ? want : 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(ret_error, path, "cannot be read: %s", strerror(errno));
		if (n == 0)
			return 0;
		out->len += (size_t)n;
	}
	return 0;
}

/* Who can write it decides what a daemon with root's rights does. */
static int check_file(int fd, const char *path, char **ret_error)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fail(ret_error, path, "cannot be read: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail(ret_error, path, "is not a file: name a text file in YAML");
	if (st.st_size > WEIR_CONFIG_BYTES_MAX)
		return fail(ret_error, path, "has more than %u bytes: make it shorter", WEIR_CONFIG_BYTES_MAX);
	if (st.st_mode & S_IWOTH)
		return fail(ret_error, path, "can be written by everybody: run chmod o-w on it");
	return 0;
}

static int read_file(struct weir_config *c, const char *path, bool required, char **ret_error)
{
	/* Without O_NONBLOCK the opening of a pipe would wait for who writes into it. */
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_cleanup_(weir_buf_done) struct weir_buf text = {};
	int r;

	if (fd < 0 && errno == ENOENT && !required)
		return 0;
	if (fd < 0)
		return fail(ret_error, path, "cannot be read: %s%s", strerror(errno),
			    errno == ENOENT ? ": name a file that is there" : "");
	r = check_file(fd, path, ret_error);
	if (r == 0)
		r = read_all(fd, path, &text, ret_error);
	if (r == 0)
		r = weir_config_parse(c, path, text.data ? text.data : "", text.len, ret_error);
	if (r < 0)
		return r;
	weir_buf_printf(&c->files, "%s%s", c->files.len ? " " : "", path);
	return c->files.error;
}

/* --- conf.d ------------------------------------------------------------------------------------ */

struct names {
	char *name[WEIR_CONFIG_FILES_MAX];
	unsigned n;
};

static void names_done(struct names *names)
{
	for (unsigned i = 0; i < names->n; i++)
		free(names->name[i]);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_yaml(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > strlen(".yaml") && !strcmp(name + n - strlen(".yaml"), ".yaml");
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int list_folder(const char *folder, struct names *ret, char **ret_error)
{
	_cleanup_(closedirp) DIR *d = opendir(folder);
	struct dirent *entry;

	if (!d && errno == ENOENT)
		return 0;
	if (!d)
		return fail(ret_error, folder, "cannot be read: %s", strerror(errno));
	while ((entry = readdir(d))) {
		if (!is_yaml(entry->d_name))
			continue;
		if (ret->n == ARRAY_SIZE(ret->name))
			return fail(ret_error, folder, "holds more than %u files: join some", WEIR_CONFIG_FILES_MAX);
		ret->name[ret->n] = strdup(entry->d_name);
		if (!ret->name[ret->n])
			return -ENOMEM;
		ret->n++;
	}
	qsort(ret->name, ret->n, sizeof(ret->name[0]), by_name);
	return 0;
}

static int read_folder(struct weir_config *c, const char *folder, char **ret_error)
{
	_cleanup_(names_done) struct names names = {};
	int r = list_folder(folder, &names, ret_error);

	for (unsigned i = 0; r == 0 && i < names.n; i++) {
		_cleanup_(weir_buf_done) struct weir_buf path = {};

		weir_buf_printf(&path, "%s/%s", folder, names.name[i]);
		r = path.error ? path.error : read_file(c, path.data, true, ret_error);
	}
	return r;
}

/* --- the whole --------------------------------------------------------------------------------- */

/* Gives c what next holds. */
static void swap(struct weir_config *c, struct weir_config *next)
{
	struct weir_config old = *c;

	*c = *next;
	*next = old;
}

int weir_config_load_from(struct weir_config *c, const char *file, bool required, const char *more, char **ret_error)
{
	_cleanup_(weir_config_freep) struct weir_config *next = NULL;
	int r = weir_config_new(c->features, &next);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < c->n; i++)
		next->values[i].decided = c->values[i].decided;
	next->file = strdup(file);
	next->more = more ? strdup(more) : NULL;
	next->required = required;
	if (!next->file || (more && !next->more))
		return -ENOMEM;
	r = read_file(next, file, required, ret_error);
	if (r == 0 && more)
		r = read_folder(next, more, ret_error);
	if (r == 0)
		swap(c, next);
	return r;
}

int weir_config_load(struct weir_config *c, const char *file, char **ret_error)
{
	if (file)
		return weir_config_load_from(c, file, true, NULL, ret_error);
	return weir_config_load_from(c, WEIR_DEFAULT_CONFIG, false, WEIR_DEFAULT_CONFIG_MORE, ret_error);
}

int weir_config_reload(const struct weir_config *c, struct weir_config **ret, char **ret_error)
{
	_cleanup_(weir_config_freep) struct weir_config *next = NULL;
	int r = weir_config_new(c->features, &next);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < c->n; i++)
		next->values[i].decided = c->values[i].decided;
	if (c->file)
		r = weir_config_load_from(next, c->file, c->required, c->more, ret_error);
	if (r == 0)
		*ret = TAKE_PTR(next);
	return r;
}
