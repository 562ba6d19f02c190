// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store_private.h"

/* What waits for the file: the second that is about to be committed and, when the disk refuses,
 * those before it. Their number is bounded: then neighbours are summed, and the seconds that can no
 * longer be told apart are counted. */

#define SECOND_SUBJECTS 2000 /* of a kind */
#define SMALL_LIMIT (64ull << 20)
#define WAIT_SUBJECTS 500 /* once it has waited */
#define SUMMARY_MAX 512
#define PROGRAM_MAX 64

static void wait_done(struct store_wait *w)
{
	for (unsigned c = 0; c < _STORE_COLUMN_MAX; c++)
		store_sums_done(&w->sums[c]);
}

void store_wait_free(struct weir_store *s)
{
	for (unsigned i = 0; i < s->n_waits; i++)
		wait_done(&s->waits[i]);
	s->n_waits = 0;
}

static int cap(struct store_wait *w, size_t max)
{
	int r = 0;

	for (unsigned c = STORE_PROGRAMS; r == 0 && c < _STORE_COLUMN_MAX; c++)
		r = store_sums_cap(&w->sums[c], max, c - STORE_PROGRAMS);
	return r;
}

/* Takes the later one into the earlier one. */
static void merge(struct weir_store *s, struct store_wait *to, struct store_wait *from)
{
	s->lost_now += (to->seconds == 1) + (from->seconds == 1);
	to->seconds += from->seconds;
	for (unsigned c = 0; c < _STORE_COLUMN_MAX; c++)
		store_sums_add(&to->sums[c], &from->sums[c], store_entry_add);
	cap(to, WAIT_SUBJECTS);
	wait_done(from);
}

/* Neighbours become one, so each stands for twice as long. */
static void make_room(struct weir_store *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i + 1 < s->n_waits; i += 2) {
		merge(s, &s->waits[i], &s->waits[i + 1]);
		if (n != i)
			s->waits[n] = s->waits[i];
		n++;
	}
	if (s->n_waits % 2) {
		s->waits[n] = s->waits[s->n_waits - 1];
		n++;
	}
	s->n_waits = n;
}

int store_wait_second(struct weir_store *s, uint64_t time)
{
	size_t max = s->options.limit_bytes < SMALL_LIMIT ? SECOND_SUBJECTS / 10 : SECOND_SUBJECTS;
	struct store_wait *w;
	size_t n = 0;

	for (unsigned c = 0; c < _STORE_COLUMN_MAX; c++)
		n += s->second[c].n;
	if (!n)
		return 0;
	if (s->n_waits == STORE_WAITS_MAX)
		make_room(s);
	w = &s->waits[s->n_waits++];
	*w = (struct store_wait){ .time = time, .seconds = 1 };
	for (unsigned c = 0; c < _STORE_COLUMN_MAX; c++)
		w->sums[c] = s->second[c];
	memset(s->second, 0, sizeof(s->second));
	return cap(w, max);
}

void store_wait_forget(struct weir_store *s)
{
	for (unsigned i = 0; i < s->n_waits; i++)
		for (unsigned c = STORE_PROGRAMS; c < _STORE_COLUMN_MAX; c++)
			store_sums_cap(&s->waits[i].sums[c], 0, c - STORE_PROGRAMS);
}

/* --- events ---------------------------------------------------------------------------------- */

static bool is_said(enum weir_history_event_kind kind)
{
	return kind == WEIR_HISTORY_KILLED || kind == WEIR_HISTORY_DAMAGED ||
	       kind == WEIR_HISTORY_DISK || kind == WEIR_HISTORY_CLOCK || kind == WEIR_HISTORY_GAP;
}

/* many: 0, or as many as it stands for. */
static void note(struct weir_store *s, const struct weir_history_event *e, uint32_t many)
{
	bool named = e->program && *e->program;
	struct store_note *n;

	if (s->n_notes == STORE_NOTES_MAX) {
		s->notes_lost += many ? many : 1;
		return;
	}
	n = &s->notes[s->n_notes];
	*n = (struct store_note){ .real_ns = e->real_ns, .kind = e->kind, .uid = e->uid, .many = many };
	n->summary = strndup(e->summary ? e->summary : "", SUMMARY_MAX);
	n->program = named ? strndup(e->program, PROGRAM_MAX) : NULL;
	if (!n->summary || (named && !n->program)) {
		free(n->summary);
		free(n->program);
		s->notes_lost += many ? many : 1;
		return;
	}
	s->n_notes++;
}

void store_note(struct weir_store *s, enum weir_history_event_kind kind, uint64_t real_ns,
		const char *program, uint32_t uid, const char *summary)
{
	struct weir_history_event e = {
		.real_ns = real_ns, .kind = kind, .program = program, .uid = uid, .summary = summary
	};

	if (!e.real_ns)
		e.real_ns = s->now * STORE_NS;
	if (s->options.report && is_said(kind))
		s->options.report(s->options.ctx, &e);
	note(s, &e, 0);
}

void store_notes_free(struct weir_store *s)
{
	for (unsigned i = 0; i < s->n_notes; i++) {
		free(s->notes[i].program);
		free(s->notes[i].summary);
	}
	s->n_notes = 0;
}

/* --- who tells how much ---------------------------------------------------------------------- */

/* A few are told one by one; a flood is told as one event a minute that says how many, or the events of a week would be
 * those of its last hour. */
#define TOLD_BURST 64
#define TOLD_EVERY 10 /* seconds: one more */
#define TOLD_REST 60  /* seconds */

void store_many_text(uint64_t n, char text[STORE_MANY_TEXT])
{
	if (n == 1)
		snprintf(text, STORE_MANY_TEXT, "and 1 more program was seen for the first time, or began to listen");
	else
		snprintf(text, STORE_MANY_TEXT, "and %llu more programs were seen for the first time, or began to listen",
			 (unsigned long long)n);
}

static void tell_untold(struct weir_store *s, struct store_teller *t)
{
	char text[STORE_MANY_TEXT];
	const struct weir_history_event e = {
		.real_ns = s->now * STORE_NS, .kind = WEIR_HISTORY_FIRST_SEEN, .uid = t->uid, .summary = text
	};

	if (!t->untold)
		return;
	store_many_text(t->untold, text);
	note(s, &e, t->untold);
	t->untold = 0;
	t->rest = s->now;
}

static struct store_teller *teller_of(struct weir_store *s, uint32_t uid)
{
	struct store_teller *t = NULL;

	for (unsigned i = 0; i < s->n_tellers; i++) {
		if (s->tellers[i].uid == uid)
			return &s->tellers[i];
		if (!t || s->tellers[i].seen < t->seen)
			t = &s->tellers[i];
	}
	if (s->n_tellers < STORE_TELLERS_MAX)
		t = &s->tellers[s->n_tellers++];
	else
		tell_untold(s, t);
	*t = (struct store_teller){ .uid = uid, .granted = s->now, .may = TOLD_BURST };
	return t;
}

/* Clocks are set back: then it begins anew. */
static uint64_t since(const struct weir_store *s, uint64_t *when)
{
	if (*when > s->now)
		*when = s->now;
	return s->now - *when;
}

static void grant(const struct weir_store *s, struct store_teller *t)
{
	uint64_t more = since(s, &t->granted) / TOLD_EVERY;

	t->granted += more * TOLD_EVERY;
	t->may = more < TOLD_BURST - t->may ? t->may + (unsigned)more : TOLD_BURST;
	t->seen = s->now;
}

bool store_may_tell(struct weir_store *s, uint32_t uid)
{
	struct store_teller *t = teller_of(s, uid);

	grant(s, t);
	if (!t->may) {
		t->untold++;
		return false;
	}
	t->may--;
	return true;
}

void store_tell_rest(struct weir_store *s, bool all)
{
	for (unsigned i = 0; i < s->n_tellers; i++) {
		struct store_teller *t = &s->tellers[i];

		if (t->untold && (all || !t->rest || since(s, &t->rest) >= TOLD_REST))
			tell_untold(s, t);
	}
}
