// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "frontends/cli/ask.h"
#include "frontends/cli/client.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/output.h"
#include "frontends/cli/played.h"
#include "frontends/cli/private_daemon.h"
#include "frontends/cli/style.h"
#include "frontends/cli/top.h"
#include "frontends/cli/url.h"
#include "frontends/tui/tui.h"
#include "frontends/words/words.h"

/* The interactive view is a frontend of its own, which knows no daemon and no command line: it gets
 * both here. */

bool cli_top_is_live(const struct cli_command *c)
{
	const char *term = getenv("TERM");

	return cli_top_output_of(c, false) == CLI_TOP_IN_PLACE && !CLI_GIVEN(c, COUNT) &&
	       isatty(STDIN_FILENO) == 1 && term && *term && strcmp(term, "dumb") != 0;
}

bool cli_top_key(unsigned i, const char **ret_keys, const char **ret_does)
{
	*ret_keys = tui_key_helps[i].keys;
	/* The manual is English, whatever the terminal speaks. */
	*ret_does = weir_word_in(WEIR_LANGUAGE_EN, tui_key_helps[i].does);
	return *ret_keys != NULL;
}

/* --- the way to the daemon ------------------------------------------------------------------- */

static void add_number(struct weir_buf *url, const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, v);
	cli_url_parameter(url, name, text);
}

static void add_fields(struct weir_buf *url, const char *name, const struct weir_table *table,
		       uint64_t bits)
{
	struct cli_columns columns = {};
	struct weir_buf names = {};

	for (unsigned i = 0; i < table->n_fields; i++)
		if (bits & 1ull << i)
			columns.field[columns.n++] = i;
	cli_columns_names(table, &columns, &names);
	cli_url_parameter(url, name, names.data);
	if (names.error && !url->error)
		url->error = names.error;
	weir_buf_done(&names);
}

static int live_ask(void *user, unsigned slot, const struct tui_question *q)
{
	struct weir_buf url = {};
	int r;

	if (!q->table) {
		weir_buf_str(&url, "/metrics");
	} else {
		weir_buf_printf(&url, "/api/v1/%s", q->table->name);
		cli_url_parameter(&url, "filter", *q->filter ? q->filter : NULL);
		cli_url_parameter(&url, "sort", *q->sort ? q->sort : NULL);
		cli_url_parameter(&url, "from", *q->from ? q->from : NULL);
		cli_url_parameter(&url, "to", *q->to ? q->to : NULL);
		if (q->offset)
			add_number(&url, "offset", q->offset);
		if (q->limit != UINT64_MAX)
			add_number(&url, "limit", q->limit);
		if (q->fields)
			add_fields(&url, "fields", q->table, q->fields);
		if (q->sums)
			add_fields(&url, "sums", q->table, q->sums);
	}
	r = url.error ? url.error : cli_asker_ask(user, slot, url.data);
	weir_buf_done(&url);
	return r;
}

static bool live_take(void *user, unsigned *ret_slot, const char **ret_text, size_t *ret_len,
		      const char **ret_error)
{
	int result;

	if (!cli_asker_take(user, ret_slot, &result, ret_text, ret_len, ret_error))
		return false;
	if (result < 0) {
		*ret_text = NULL;
		if (!*ret_error)
			*ret_error = strerror(-result);
	}
	return true;
}

static int live_wait(void *user, uint64_t until_mono_ns, const int *fds, unsigned n_fds)
{
	return cli_asker_wait(user, until_mono_ns, fds, n_fds);
}

/* --- standard error -------------------------------------------------------------------------- */

/* What a private daemon has to say would stand in the middle of the screen. It is kept, and said
 * when the screen is as it was. */
struct kept_errors {
	int before, kept; /* -1: it goes where it went */
};

static void keep_errors(struct kept_errors *k)
{
	*k = (struct kept_errors){ .before = -1, .kept = memfd_create("weir-top", MFD_CLOEXEC) };
	if (k->kept < 0)
		return;
	k->before = dup(STDERR_FILENO);
	if (k->before < 0 || dup2(k->kept, STDERR_FILENO) < 0) {
		close(k->kept);
		k->kept = -1;
	}
}

#define KEPT_MAX (64 << 10)

static void say_errors(struct kept_errors *k)
{
	char piece[4096];
	off_t at = 0;
	ssize_t n;

	if (k->kept < 0)
		return;
	(void)dup2(k->before, STDERR_FILENO);
	while (at < KEPT_MAX && (n = pread(k->kept, piece, sizeof(piece), at)) > 0) {
		if (write(STDERR_FILENO, piece, (size_t)n) < 0)
			break;
		at += n;
	}
	close(k->kept);
	close(k->before);
}

/* --- the view -------------------------------------------------------------------------------- */

static uint64_t chosen_fields(const struct cli_columns *columns)
{
	uint64_t bits = 0;

	for (unsigned i = 0; columns->chosen && i < columns->n; i++)
		bits |= 1ull << columns->field[i];
	return bits;
}

/* Who says what to list gets that; who does not, the answer to what one wants to know first. */
static bool says_what(const struct cli_top *t, const struct cli_command *c)
{
	return CLI_GIVEN(c, FLOWS) || CLI_GIVEN(c, SORT) || CLI_GIVEN(c, COLUMNS) || CLI_GIVEN(c, LIMIT) ||
	       t->request.filter.len;
}

static void fill_options(const struct cli_top *t, const struct cli_command *c, bool recording,
			 struct tui_options *o)
{
	struct cli_style style;

	cli_style_init(&style, c);
	*o = (struct tui_options){
		.color = style.color,
		.ascii = CLI_GIVEN(c, ASCII),
		.start = {
			.tab = says_what(t, c) ? NULL : "now",
			.mouse = !CLI_GIVEN(c, NO_MOUSE),
			.table = t->request.table->name,
			.filter = t->request.filter.len ? t->request.filter.data : NULL,
			.sort = t->request.sort,
			.columns = chosen_fields(&t->request.columns),
			.limit = t->request.limit,
			.interval_ns = cli_top_interval_ns(c),
			.recording = recording,
			.look = { .exact = style.exact, .numeric = CLI_GIVEN(c, NUMERIC) },
		},
	};
}

/* Whether the daemon shows everything, as far as that can be told here: to root and the group weir.
 */
static bool sees_all(void)
{
	const struct group *weir = geteuid() ? getgrnam("weir") : NULL;
	gid_t groups[256];
	int n;

	if (geteuid() == 0 || (weir && getegid() == weir->gr_gid))
		return true;
	n = weir ? getgroups(ARRAY_SIZE(groups), groups) : 0;
	for (int i = 0; i < n; i++)
		if (groups[i] == weir->gr_gid)
			return true;
	return false;
}

static int view_daemon(struct tui_options *options, struct cli_source *source)
{
	_cleanup_(cli_asker_freep) struct cli_asker *asker = NULL;
	struct tui_link link = { .ask = live_ask, .take = live_take, .wait = live_wait };
	int r = cli_asker_new(cli_source_socket(source), _TUI_SLOT_MAX, &asker);

	if (r < 0) {
		tui_leave();
		return r;
	}
	options->start.own_only = !sees_all();
	link.user = asker;
	return tui_run(options, &link);
}

/* Returns the exit status; *ret_error: of the view. */
static int view_recording(const struct cli_top *t, const struct cli_command *c, int *ret_error)
{
	_cleanup_(cli_played_freep) struct cli_played *played = NULL;
	struct tui_link link = { .ask = cli_played_ask,
				 .take = cli_played_take,
				 .wait = cli_played_wait };
	double speed = cli_value_seconds(c, CLI_OPTION_SPEED, 1);
	struct tui_options options;
	int r = cli_played_open(c->words[0], speed, &played);

	if (r != CLI_OK)
		return r;
	weir_words_init();
	fill_options(t, c, true, &options);
	link.user = played;
	*ret_error = tui_run(&options, &link);
	return cli_played_status(played);
}

/* Loading programs into the kernel takes a moment: the screen is there before, and says so. */
static bool will_start_daemon(const struct cli_command *c)
{
	bool named;
	int r = cli_client_probe(cli_socket_path(c, &named));

	return (r == -ENOENT || r == -ECONNREFUSED) && (!named || CLI_GIVEN(c, HOOKS)) &&
	       cli_may_load();
}

/* Returns the exit status; *ret_error: of the view. */
static int view_live(const struct cli_top *t, const struct cli_command *c,
		     int (*open)(const struct cli_command *c, struct cli_source **ret),
		     int *ret_error)
{
	_cleanup_(cli_source_freep) struct cli_source *source = NULL;
	struct tui_options options;
	struct kept_errors kept;
	int r = CLI_OK;

	keep_errors(&kept);
	weir_words_init();
	fill_options(t, c, false, &options);
	if (will_start_daemon(c))
		*ret_error = tui_wait_for(&options, weir_word(WORD_SAY_STARTING));
	if (*ret_error == 0)
		r = open(c, &source);
	if (*ret_error == 0 && r == CLI_OK)
		*ret_error = view_daemon(&options, source);
	else
		tui_leave();
	source = cli_source_free(source);
	say_errors(&kept);
	return r;
}

int cli_top_live(const struct cli_top *t, const struct cli_command *c,
		 int (*open)(const struct cli_command *c, struct cli_source **ret))
{
	bool recording = !strcmp(c->object->name, "replay");
	int e = 0, r;

	r = recording ? view_recording(t, c, &e) : view_live(t, c, open, &e);
	if (r != CLI_OK)
		return r;
	if (e == -EINTR)
		return cli_interrupt_status();
	if (e == -ENODEV)
		return cli_fail(
			CLI_FAILED,
			"this terminal's kind (TERM=%s) is not known here: set TERM to another, "
			"such as xterm, or use weir top -b",
			getenv("TERM") ? getenv("TERM") : "");
	return e < 0 ? cli_fail_error(e, NULL) : CLI_OK;
}
