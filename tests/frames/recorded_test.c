// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/tui/fixture.h"

#include <stdio.h>
#include <time.h>

#include "core/replay.h"
#include "core/run.h"
#include "frontends/tui/golden.h"
#include "frontends/words/words.h"
#include "store/store.h"

#define LOSSES_SECONDS 3
#define NAMES_SECONDS 4

/* Tabs as recordings have them. What features tell of the past goes through the store, and the answers are its own; what
 * a daemon says of its machine, which no recording has, was kept as documents. */

static struct fixture f;
static struct weir_store *store;

static struct weir_snapshot *parse(const struct weir_table *table, const char *text)
{
	struct weir_snapshot *s = NULL;
	char *error = NULL;

	assert_non_null(text);
	if (weir_document_parse(text, strlen(text), table, &s, &error) < 0)
		fail_msg("%s: %s", table->name, error);
	return s;
}

static struct weir_snapshot *of_machine(const struct weir_table *table)
{
	_cleanup_free_ char *text = NULL;
	char path[512];

	snprintf(path, sizeof(path), "%s/machine.%s.json", WEIR_TESTDATA, table->name);
	text = golden_read(path);
	return parse(table, text);
}

/* How large the file is differs from one library to the next. */
static struct weir_snapshot *without_file(const struct weir_table *table, struct weir_snapshot *s)
{
	_cleanup_(weir_buf_done) struct weir_buf text = {};
	struct weir_filter *filter = NULL;
	struct weir_query q;
	char *error = NULL;

	weir_query_init(&q, table);
	q.viewer.sees_all = true;
	assert_int_equal(weir_filter_parse(table, "not level:file", &filter, &error), 0);
	q.filter = filter;
	assert_int_equal(weir_document_json(&text, s, table, &q, WEIR_JSON_COMPACT), 0);
	weir_filter_free(filter);
	weir_snapshot_unref(s);
	return parse(table, text.data);
}

static int from_store(struct fixture *x, const struct tui_question *asked, struct weir_history_span *span,
		      struct weir_snapshot **ret, char **ret_error)
{
	struct weir_history_question q = { .from_ns = span->from_ns, .to_ns = span->to_ns, .viewer = { .sees_all = true } };
	struct weir_builder *b;

	snprintf(q.table, sizeof(q.table), "%s", asked->table->name);
	snprintf(q.filter, sizeof(q.filter), "%s", asked->filter);
	b = weir_builder_new();
	assert_int_equal(weir_store_answer(store, &q, b, span, ret_error), 0);
	assert_int_equal(weir_builder_finish(b, weir_snapshot_head(x->snapshot), ret), 0);
	weir_builder_free(b);
	if (strcmp(asked->table->name, "history_store") == 0)
		*ret = without_file(asked->table, *ret);
	return 0;
}

/* As a daemon has it that saw what was recorded. */
static int from_daemon(struct fixture *x, const struct tui_question *asked, struct weir_history_span *span,
		       struct weir_snapshot **ret, char **ret_error)
{
	if (asked->table->past)
		return from_store(x, asked, span, ret, ret_error);
	if (strcmp(asked->table->name, "doctor") == 0 || strcmp(asked->table->name, "hooks") == 0)
		*ret = of_machine(asked->table);
	return 0;
}

/* As `weir top` has it when it plays a file by itself. */
static int without_past(struct fixture *x, const struct tui_question *asked, struct weir_history_span *span,
			struct weir_snapshot **ret, char **ret_error)
{
	(void)x;
	(void)span;
	(void)ret;
	if (!asked->table->past)
		return 0;
	*ret_error = strdup(weir_word(WORD_SAY_RECORDING_PAST));
	return -1;
}

static void tell(struct weir_replay *replay)
{
	struct weir_snapshot_head head = {};
	struct weir_history_sink *sink;

	weir_replay_head(replay, &head);
	if (!store)
		assert_int_equal(weir_store_open(&(struct weir_store_options){ .real_ns = head.real_ns }, &store), 0);
	sink = weir_store_begin(store, head.real_ns);
	sink->run = weir_replay_run(replay);
	weir_run_history(weir_replay_run(replay), sink);
	assert_int_equal(weir_store_commit(store), 0);
}

/* So many seconds of it, in this tab. */
static void play(const char *file, unsigned seconds, const char *tab, unsigned columns, unsigned rows, bool served)
{
	struct weir_replay *replay = NULL;
	char path[512], *error = NULL;

	golden_open(&f, "processes", columns, rows, false);
	f.app.recording = !served;
	f.rows_of = served ? from_daemon : without_past;
	snprintf(path, sizeof(path), "%s/%s", WEIR_TESTDATA, file);
	assert_int_equal(weir_replay_open(path, &replay, &error), 0);
	fixture_draw(&f);
	f.now_ns += FIXTURE_SECOND / 10;
	assert_true(tui_app_switch_to(&f.app, tab, f.now_ns));
	fixture_round(&f);
	fixture_draw(&f);
	for (unsigned i = 0; i < seconds; i++) {
		struct weir_snapshot *s = NULL;

		assert_int_equal(weir_replay_next(replay, &s, &error), 1);
		tell(replay);
		fixture_tick(&f, s);
	}
	/* A round in which all is asked for. */
	f.app.ask_again = f.app.past.ask = true;
	fixture_round(&f);
	fixture_draw(&f);
	weir_replay_free(replay);
}

static void end(void)
{
	fixture_close(&f);
	store = weir_store_close(store);
}

static const struct {
	unsigned columns, rows;
} sizes[] = { { 80, 24 }, { 120, 40 }, { 200, 60 } };

static void frames(const char *file, unsigned seconds, const char *tab)
{
	char text[64];

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		play(file, seconds, tab, sizes[i].columns, sizes[i].rows, true);
		snprintf(text, sizeof(text), "recorded-%s-%ux%u", tab, sizes[i].columns, sizes[i].rows);
		golden_expect(&f.grid, text);
		end();
	}
}

/* To the last second with traffic, or with losses: rates are of that second. */
static void now(void **state)
{
	(void)state;
	frames("cases.events", 3, "now");
}

static void what_is_lost(void **state)
{
	(void)state;
	frames("losses.events", LOSSES_SECONDS, "drops");
	play("losses.events", LOSSES_SECONDS, "now", 120, 40, true);
	golden_expect(&f.grid, "recorded-now-losses-120x40");
	end();
}

static void the_past(void **state)
{
	(void)state;
	frames("cases.events", 5, "history");
}

static void a_file_alone_has_no_past(void **state)
{
	(void)state;
	play("cases.events", 3, "history", 80, 24, false);
	golden_expect(&f.grid, "recorded-history-alone-80x24");
	end();
}

static void what_the_machine_allows(void **state)
{
	(void)state;
	frames("cases.events", 3, "doctor");
}

/* Of the tables that have a tab by their name alone one size stands for all. */
static void the_other_tabs(void **state)
{
	static const struct {
		const char *file, *tab;
		unsigned seconds;
	} tabs[] = {
		{ "names.events", "names", NAMES_SECONDS },
		{ "names.events", "flows", NAMES_SECONDS },
		{ "cases.events", "containers", 3 },
		{ "cases.events", "hooks", 3 },
		{ "cases.events", "audit", 3 },
		{ "losses.events", "findings", LOSSES_SECONDS },
	};
	char name[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(tabs); i++) {
		play(tabs[i].file, tabs[i].seconds, tabs[i].tab, 120, 40, true);
		snprintf(name, sizeof(name), "recorded-%s-120x40", tabs[i].tab);
		golden_expect(&f.grid, name);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(now),
		cmocka_unit_test(what_is_lost),
		cmocka_unit_test(the_past),
		cmocka_unit_test(a_file_alone_has_no_past),
		cmocka_unit_test(what_the_machine_allows),
		cmocka_unit_test(the_other_tabs),
	};

	setenv("TZ", "UTC0", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
