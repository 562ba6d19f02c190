// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/units.h"
#include "store/batch.h"
#include "store/store_private.h"

#define GAP_SECONDS 5	  /* fewer are no event */
#define JUMP_SECONDS 3600 /* a clock that jumps further is not believed at once */

/* --- the beginning and the end --------------------------------------------------------------- */

static void when_text(uint64_t time, char ret[WEIR_TIMESTAMP_TEXT])
{
	weir_timestamp_format(time * STORE_NS, ret);
	if (strlen(ret) > 19)
		snprintf(ret + 19, 2, "Z"); /* to the second */
}

/* Runs that lie ahead were a clock's mistake. */
static void run_begin(struct weir_store *s, uint64_t time)
{
	while (s->n_runs && s->runs[s->n_runs - 1].from >= time)
		s->n_runs--;
	if (s->n_runs && s->runs[s->n_runs - 1].to > time)
		s->runs[s->n_runs - 1].to = time;
	if (s->n_runs == STORE_RUNS_MAX) {
		memmove(s->runs, s->runs + 1, (s->n_runs - 1) * sizeof(*s->runs));
		s->n_runs--;
	}
	s->runs[s->n_runs++] = (struct store_span){ .from = time, .to = time };
	s->runs_changed = true;
}

void store_run_begin(struct weir_store *s)
{
	uint64_t now = s->options.real_ns / STORE_NS;
	bool refused = store_beside_marked(s);
	char text[160], when[WEIR_TIMESTAMP_TEXT];

	s->began = true;
	if (s->newest && !s->numbers[STORE_N_CLEAN]) {
		when_text(s->newest, when);
		if (refused)
			snprintf(text, sizeof(text),
				 "weir ended while history could not be written: what it had seen after %s is missing",
				 when);
		else
			snprintf(text, sizeof(text),
				 "weir ended without a word after %s: at most one second of what it had "
				 "seen is missing",
				 when);
		store_note(s, WEIR_HISTORY_KILLED, s->options.real_ns, NULL, WEIR_UID_HOST, text);
	}
	store_note(s, WEIR_HISTORY_STARTED, s->options.real_ns, NULL, WEIR_UID_HOST,
		   "weir started");
	s->numbers[STORE_N_CLEAN] = 0;
	s->numbers_changed = true;
	s->calm = s->newest && now > s->newest + JUMP_SECONDS ? 0 : STORE_CALM_COMMITS;
	run_begin(s, now);
}

static void sink_sample(struct weir_history_sink *sink, const struct weir_history_sample *t);
static void sink_event(struct weir_history_sink *sink, const struct weir_history_event *e);

static int set_up(struct weir_store *s, const struct weir_store_options *o)
{
	static const uint8_t no_key[STORE_HASH_KEY];

	s->options = *o;
	s->options.folder = NULL;
	if (!s->options.limit_bytes)
		s->options.limit_bytes = WEIR_STORE_SIZE_DEFAULT;
	if (s->options.limit_bytes < WEIR_STORE_SIZE_MIN)
		s->options.limit_bytes = WEIR_STORE_SIZE_MIN;
	if (!s->options.answer_ms)
		s->options.answer_ms = 2000;
	s->sink = (struct weir_history_sink){ .sample = sink_sample, .event = sink_event };
	store_subjects_init(&s->subjects, no_key);
	s->runs = calloc(STORE_RUNS_MAX, sizeof(*s->runs));
	if (!s->runs)
		return -ENOMEM;
	if (!o->folder)
		return 0;
	s->folder = strdup(o->folder);
	if (!s->folder || asprintf(&s->path, "%s/%s", o->folder, WEIR_STORE_FILE) < 0) {
		s->path = NULL;
		return -ENOMEM;
	}
	return 0;
}

int weir_store_open(const struct weir_store_options *o, struct weir_store **ret)
{
	struct weir_store *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	tzset();
	store_day_of(0);
	r = set_up(s, o);
	s->now = o->real_ns / STORE_NS;
	if (r == 0)
		r = store_file_open(s);
	if (r == -ENOMEM) {
		weir_store_close(s);
		return r;
	}
	if (r == 0)
		store_run_begin(s);
	else
		store_failed(s, r);
	if (r == 0)
		store_write_waiting(s);
	*ret = s;
	return 0;
}

struct weir_store *weir_store_close(struct weir_store *s)
{
	if (!s)
		return NULL;
	store_file_close(s);
	store_wait_free(s);
	store_notes_free(s);
	for (unsigned c = 0; c < _STORE_COLUMN_MAX; c++)
		store_sums_done(&s->second[c]);
	store_subjects_done(&s->subjects);
	weir_buf_done(&s->carry);
	free(s->runs);
	free(s->folder);
	free(s->path);
	free(s);
	return NULL;
}

/* --- a second -------------------------------------------------------------------------------- */

/* Ticks are a second apart, but not to the nanosecond: two in one second, the later of them late in
 * it, are two seconds. */
static uint64_t second_of(const struct weir_store *s, uint64_t real_ns)
{
	uint64_t time = real_ns / STORE_NS;

	return time == s->now && s->commits && real_ns % STORE_NS >= STORE_NS / 2 &&
			       s->newest <= time
		       ? time + 1
		       : time;
}

static void look_at_clock(struct weir_store *s, uint64_t time)
{
	char text[200], length[WEIR_UNITS_TEXT], when[WEIR_TIMESTAMP_TEXT];

	if (!s->began)
		return;
	if (time > s->now + GAP_SECONDS) {
		when_text(s->now, when);
		snprintf(text, sizeof(text),
			 "nothing is known of %s after %s: the machine slept, the clock was set, "
			 "or weir was stopped",
			 weir_units_duration((time - s->now) * STORE_NS, length), when);
		store_note(s, WEIR_HISTORY_GAP, time * STORE_NS, NULL, WEIR_UID_HOST, text);
		run_begin(s, time);
	} else if (time + 1 < s->now) {
		when_text(s->now, when);
		snprintf(text, sizeof(text),
			 "the clock was set back by %s from %s: what came after is added to what "
			 "is known of that time",
			 weir_units_duration((s->now - time) * STORE_NS, length), when);
		if (s->clock_said != time / 60)
			store_note(s, WEIR_HISTORY_CLOCK, time * STORE_NS, NULL, WEIR_UID_HOST, text);
		s->clock_said = time / 60;
		run_begin(s, time);
	}
	if (time > s->now + JUMP_SECONDS)
		s->calm = 0;
	else if (s->calm < STORE_CALM_COMMITS)
		s->calm++;
}

struct weir_history_sink *weir_store_begin(struct weir_store *s, uint64_t real_ns)
{
	uint64_t time = second_of(s, real_ns);

	s->second_ns = real_ns;
	store_subjects_second(&s->subjects);
	look_at_clock(s, time);
	s->now = time;
	if (s->n_runs && s->runs[s->n_runs - 1].to < time + 1 &&
	    s->runs[s->n_runs - 1].from <= time)
		s->runs[s->n_runs - 1].to = time + 1;
	return &s->sink;
}

static void add_to(struct store_sums *sums, uint64_t id, const struct store_entry *e)
{
	struct store_entry *to = store_sums_at(sums, id);

	if (to)
		store_entry_add_same_second(to, e);
}

/* The host's sums are those of all programs, and of all losses. */
static void add_sums(struct weir_store *s, const struct weir_history_sample *t, uint64_t id,
		     uint64_t program)
{
	struct store_entry e = {
		.tx = t->tx_bytes,
		.rx = t->rx_bytes,
		.tx_max = t->tx_bytes,
		.rx_max = t->rx_bytes,
		.connections = t->connections,
		.retransmits = t->retransmits,
	};

	if (t->kind == WEIR_HISTORY_LOSS)
		e = (struct store_entry){ .packets = t->packets };
	if (!e.tx && !e.rx && !e.connections && !e.retransmits && !e.packets)
		return;
	add_to(&s->second[STORE_COLUMN(t->kind)], id, &e);
	if (t->kind == WEIR_HISTORY_LOSS && program)
		add_to(&s->second[STORE_PROGRAMS], program, &e);
	if (t->kind != WEIR_HISTORY_PEER)
		add_to(&s->second[STORE_TOTALS], 0, &e);
}

static void first_seen(struct weir_store *s, const struct weir_history_program *p)
{
	char text[320];

	if (!store_may_tell(s, p->uid))
		return;
	snprintf(text, sizeof(text), "%.64s%s%.160s%s was seen for the first time", p->comm,
		 p->exe && *p->exe ? " (" : "", p->exe && *p->exe ? p->exe : "",
		 p->exe && *p->exe ? ")" : "");
	store_note(s, WEIR_HISTORY_FIRST_SEEN, s->second_ns, p->comm, p->uid, text);
}

static void sink_sample(struct weir_history_sink *sink, const struct weir_history_sample *t)
{
	struct weir_store *s =
		(struct weir_store *)((char *)sink - offsetof(struct weir_store, sink));
	uint64_t id, program;
	bool is_new;

	if (t->kind >= _WEIR_HISTORY_KIND_MAX)
		return;
	store_subjects_of(&s->subjects, t, (uint32_t)s->now, &id, &program, &is_new);
	if (is_new)
		first_seen(s, &t->program);
	add_sums(s, t, id, program);
}

static void sink_event(struct weir_history_sink *sink, const struct weir_history_event *e)
{
	struct weir_store *s =
		(struct weir_store *)((char *)sink - offsetof(struct weir_store, sink));

	if (e->kind < _WEIR_HISTORY_EVENT_MAX && (e->kind != WEIR_HISTORY_LISTENING || store_may_tell(s, e->uid)))
		store_note(s, e->kind, e->real_ns ? e->real_ns : s->second_ns, e->program, e->uid,
			   e->summary);
}

void weir_store_other(struct weir_store *s, const struct weir_history_sample *sum, uint64_t n)
{
	if (sum->kind < _WEIR_HISTORY_KIND_MAX && n)
		add_sums(s, sum, sum->kind, 0);
}

/* --- blocks ---------------------------------------------------------------------------------- */

static void take_begin(void *ctx, uint64_t real_ns)
{
	weir_store_begin(ctx, real_ns);
}

static void take_sample(void *ctx, const struct weir_history_sample *t)
{
	struct weir_store *s = ctx;

	sink_sample(&s->sink, t);
}

static void take_other(void *ctx, const struct weir_history_sample *sum, uint64_t n)
{
	weir_store_other(ctx, sum, n);
}

static void take_event(void *ctx, const struct weir_history_event *e)
{
	struct weir_store *s = ctx;

	sink_event(&s->sink, e);
}

static void take_carry(void *ctx, const char *feature, uint16_t type, const void *key,
		       size_t key_len, const void *bytes, size_t len)
{
	weir_store_carry_put(ctx, feature, type, key, key_len, bytes, len);
}

static void take_anew(void *ctx, const char *feature)
{
	weir_store_carry_anew(ctx, feature);
}

int weir_store_append(struct weir_store *s, const void *batch, size_t len)
{
	const struct weir_batch_visitor v = {
		.ctx = s,
		.begin = take_begin,
		.sample = take_sample,
		.other = take_other,
		.event = take_event,
		.carry = take_carry,
		.carry_anew = take_anew,
	};
	int r = weir_batch_decode(batch, len, NULL, &v);

	return r < 0 ? r : weir_store_commit(s);
}

void weir_store_status(const struct weir_store *s, struct weir_store_status *ret)
{
	*ret = (struct weir_store_status){
		.bytes = store_file_bytes(s),
		.limit_bytes = s->options.limit_bytes,
		.lost_seconds = s->numbers[STORE_N_LOST_SECONDS] + s->lost_now,
		.subjects = s->subjects.n,
		.commits = s->commits,
		.damaged_steps = s->damaged_steps,
		.carry_lost = s->carry_lost,
		.reason = s->error ? s->reason : NULL,
	};
	for (unsigned i = 0; i < s->n_waits; i++)
		ret->waiting_seconds += s->waits[i].seconds;
}
