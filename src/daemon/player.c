// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/player.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "core/replay.h"

struct weir_player {
	struct weir_replay *replay;
	double speed;
	uint64_t began_ns, first_ns; /* now, and in the recording */
	bool begun, ended;
};

int weir_player_open(const char *path, double speed, struct weir_player **ret)
{
	_cleanup_free_ char *error = NULL;
	struct weir_player *p = calloc(1, sizeof(*p));
	int r;

	if (!p)
		return -ENOMEM;
	p->speed = speed;
	r = weir_replay_open(path, &p->replay, &error);
	if (r < 0) {
		if (error)
			weir_error("%s", error);
		free(p);
		return r;
	}
	*ret = p;
	return 0;
}

struct weir_player *weir_player_free(struct weir_player *p)
{
	if (!p)
		return NULL;
	weir_replay_free(p->replay);
	free(p);
	return NULL;
}

struct weir_run *weir_player_state(struct weir_player *p)
{
	return weir_replay_run(p->replay);
}

static bool is_due(struct weir_player *p, uint64_t record_ns, uint64_t now_ns)
{
	if (!p->begun) {
		p->begun = true;
		p->began_ns = now_ns;
		p->first_ns = record_ns;
	}
	if (p->speed <= 0)
		return true;
	return (double)(record_ns - p->first_ns) <= (double)(now_ns - p->began_ns) * p->speed;
}

bool weir_player_run(struct weir_player *p, uint64_t now_mono_ns, void (*on_tick)(void *ctx), void *ctx)
{
	_cleanup_free_ char *error = NULL;
	bool ticked = false;
	uint64_t at;
	int r;

	while (!p->ended) {
		bool tick = false;

		r = weir_replay_peek(p->replay, &at, &error);
		if (r > 0 && !is_due(p, at, now_mono_ns))
			break;
		if (r > 0)
			r = weir_replay_step(p->replay, &tick, &error);
		if (r < 0 && error)
			weir_warning("the recording ends early: %s", error);
		if (r <= 0)
			p->ended = true;
		if (tick)
			on_tick(ctx);
		ticked |= tick;
	}
	return ticked;
}

bool weir_player_has_ended(const struct weir_player *p)
{
	return p->ended;
}

void weir_player_head(const struct weir_player *p, struct weir_snapshot_head *head)
{
	weir_replay_head(p->replay, head);
}
