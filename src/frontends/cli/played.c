// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/played.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "core/document.h"
#include "core/query.h"
#include "core/replay.h"
#include "frontends/cli/interrupt.h"
#include "frontends/cli/output.h"
#include "frontends/words/words.h"

#define WAIT_FDS 8
#define SECOND_NS 1000000000ull

struct played_answer {
	struct weir_buf text;
	char *error;
	bool over, failed;
};

struct cli_played {
	char *path;
	struct weir_replay *replay;
	double speed;
	struct weir_snapshot *now, *next; /* next is shown when its time comes */
	uint64_t next_mono_ns;
	char *damage;
	struct played_answer answers[_TUI_SLOT_MAX];
};

/* --- playing --------------------------------------------------------------------------------- */

/* Reads the snapshot after the one that is shown, and when it is due. */
static void look_ahead(struct cli_played *p)
{
	uint64_t from, to;

	p->next = NULL;
	if (p->damage || weir_replay_next(p->replay, &p->next, &p->damage) <= 0) {
		p->next = NULL;
		return;
	}
	from = p->now ? weir_snapshot_head(p->now)->mono_ns : 0;
	to = weir_snapshot_head(p->next)->mono_ns;
	p->next_mono_ns = weir_mono_ns();
	if (from && to > from && p->speed > 0)
		p->next_mono_ns += (uint64_t)((double)(to - from) / p->speed);
}

static void play(struct cli_played *p)
{
	while (p->next && weir_mono_ns() >= p->next_mono_ns && !cli_interrupted()) {
		weir_snapshot_unref(p->now);
		p->now = p->next;
		look_ahead(p);
	}
}

int cli_played_open(const char *path, double speed, struct cli_played **ret)
{
	_cleanup_(cli_played_freep) struct cli_played *p = calloc(1, sizeof(*p));
	_cleanup_free_ char *why = NULL;
	int r;

	if (!p)
		return cli_fail_error(-ENOMEM, NULL);
	p->speed = speed;
	p->path = strdup(path);
	r = p->path ? cli_interrupt_init() : -ENOMEM;
	if (r < 0)
		return cli_fail_error(r, NULL);
	r = weir_replay_open(path, &p->replay, &why);
	if (r < 0)
		return why ? cli_fail(CLI_FAILED, "%s", why)
			   : cli_fail(CLI_FAILED, "cannot read the recording %s: %s", path,
				      strerror(-r));
	look_ahead(p);
	play(p);
	if (!p->now && p->damage)
		return cli_fail(CLI_FAILED, "%s: %s", path, p->damage);
	if (!p->now)
		return cli_fail(CLI_FAILED, "%s holds no whole second yet", path);
	*ret = TAKE_PTR(p);
	return CLI_OK;
}

struct cli_played *cli_played_free(struct cli_played *p)
{
	if (!p)
		return NULL;
	for (unsigned i = 0; i < _TUI_SLOT_MAX; i++) {
		weir_buf_done(&p->answers[i].text);
		free(p->answers[i].error);
	}
	weir_snapshot_unref(p->now);
	weir_snapshot_unref(p->next);
	weir_replay_free(p->replay);
	free(p->damage);
	free(p->path);
	free(p);
	return NULL;
}

int cli_played_status(const struct cli_played *p)
{
	return p->damage ? cli_fail(CLI_FAILED, "%s: %s", p->path, p->damage) : CLI_OK;
}

/* --- answers --------------------------------------------------------------------------------- */

static int answer(const struct cli_played *p, const struct tui_question *q, struct played_answer *a)
{
	struct weir_filter *filter = NULL;
	struct weir_query query;
	int r = 0;

	weir_query_init(&query, q->table);
	query.viewer.sees_all = true; /* whoever can read the file */
	if (*q->filter)
		r = weir_filter_parse(q->table, q->filter, &filter, &a->error);
	if (r == 0 && *q->sort)
		r = weir_query_sort(&query, q->table, q->sort, &a->error);
	query.filter = filter;
	query.offset = q->offset;
	query.sums = q->sums;
	if (q->limit != UINT64_MAX)
		query.limit = q->limit;
	if (q->fields)
		query.fields = q->fields;
	if (r == 0)
		r = weir_document_json(&a->text, p->now, q->table, &query, WEIR_JSON_COMPACT);
	weir_filter_free(filter);
	return r;
}

int cli_played_ask(void *user, unsigned slot, const struct tui_question *q)
{
	struct cli_played *p = user;
	struct played_answer *a = &p->answers[slot];

	weir_buf_reset(&a->text);
	free(a->error);
	a->error = NULL;
	a->over = true;
	/* What weir itself used then was not recorded, nor what was before. */
	if (q->table && q->table->past)
		a->error = strdup(weir_word(WORD_SAY_RECORDING_PAST));
	a->failed = !q->table || q->table->past || answer(p, q, a) < 0;
	return 0;
}

bool cli_played_take(void *user, unsigned *ret_slot, const char **ret_text, size_t *ret_len,
		     const char **ret_error)
{
	struct cli_played *p = user;

	for (unsigned i = 0; i < _TUI_SLOT_MAX; i++) {
		struct played_answer *a = &p->answers[i];

		if (!a->over)
			continue;
		a->over = false;
		*ret_slot = i;
		*ret_text = a->failed ? NULL : a->text.data;
		*ret_len = a->text.len;
		*ret_error = a->error ? a->error : "memory ran out";
		return true;
	}
	return false;
}

int cli_played_wait(void *user, uint64_t until_mono_ns, const int *fds, unsigned n_fds)
{
	struct cli_played *p = user;
	struct pollfd wait[WAIT_FDS];
	struct timespec left = {};
	uint64_t now = weir_mono_ns();
	unsigned n = 0;

	for (unsigned i = 0; i < n_fds && n < WAIT_FDS - 1; i++)
		wait[n++] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
	wait[n++] = (struct pollfd){ .fd = cli_interrupt_fd(), .events = POLLIN };
	for (unsigned i = 0; i < _TUI_SLOT_MAX; i++)
		if (p->answers[i].over)
			until_mono_ns = 0;
	if (p->next && p->next_mono_ns < until_mono_ns)
		until_mono_ns = p->next_mono_ns;
	if (until_mono_ns > now)
		left = (struct timespec){ .tv_sec = (time_t)((until_mono_ns - now) / SECOND_NS),
					  .tv_nsec = (long)((until_mono_ns - now) % SECOND_NS) };
	if (ppoll(wait, n, &left, NULL) < 0 && errno != EINTR)
		return -errno;
	play(p);
	return cli_interrupted() ? -EINTR : 0;
}
