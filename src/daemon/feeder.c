// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/feeder.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/feature.h"
#include "store/batch.h"

#define CARRIED_MS 2000  /* the store opens its file in some milliseconds; a damaged one takes longer */
#define PATIENCE_MS 2000
#define ASK_AGAIN_TICKS 10
#define MESSAGES_PER_TURN 64

void weir_feeder_begin(struct weir_feeder *f, int sock, struct weir_self *self)
{
	*f = (struct weir_feeder){ .sock = -1, .wanted = sock >= 0, .run_id = weir_mono_ns() ^ (uint64_t)getpid() << 48,
				   .self = self };
	if (f->wanted)
		weir_feeder_connect(f, sock);
}

static void drop_first(struct weir_feeder *f)
{
	weir_closep(&f->waiting[0].fd);
	f->waiting_bytes -= f->waiting[0].size;
	f->n_waiting--;
	memmove(&f->waiting[0], &f->waiting[1], f->n_waiting * sizeof(f->waiting[0]));
}

void weir_feeder_end(struct weir_feeder *f)
{
	weir_closep(&f->sock);
	while (f->n_waiting)
		drop_first(f);
	f->batch = weir_batch_free(f->batch);
}

static void send_waiting(struct weir_feeder *f)
{
	for (unsigned i = 0; i < f->n_waiting && f->sock >= 0 && !f->waiting_again; i++) {
		struct weir_feeder_batch *b = &f->waiting[i];
		struct weir_message m = { .type = WEIR_MESSAGE_BATCH, .size = b->size, .serial = b->serial,
				  .count = f->run_id };

		if (b->sent)
			continue;
		if (weir_message_send(f->sock, &m, b->fd) < 0)
			return; /* it is sent with the next one, or to the store that comes */
		b->sent = true;
	}
}

static void ask_carried(struct weir_feeder *f)
{
	const struct weir_message m = { .type = WEIR_MESSAGE_CARRY };

	f->asked_ticks = 0;
	if (f->sock >= 0)
		weir_message_send(f->sock, &m, -1); /* one that is lost is sent again */
}

void weir_feeder_connect(struct weir_feeder *f, int sock)
{
	weir_closep(&f->sock);
	f->sock = sock;
	f->wanted = true;
	f->carry_all = true;
	f->carry_lost = 0;
	/* What this store has already it says first, before anything is sent again: WEIR_MESSAGE_TAKEN. */
	f->waiting_again = true;
	if (f->asks_carried && !f->self_carried)
		ask_carried(f);
}

/* --- what comes back --------------------------------------------------------------------------- */

static void on_taken(struct weir_feeder *f, const struct weir_message *m, const void *payload)
{
	const struct weir_store_state *state = payload;

	if (m->size != sizeof(*state))
		return;
	if (f->state.reason[0] && !state->reason[0])
		f->asked_ticks = ASK_AGAIN_TICKS; /* what could not be read may be there now */
	memcpy(&f->state, state, sizeof(f->state));
	f->state.reason[sizeof(f->state.reason) - 1] = 0;
	f->has_state = true;
	if (f->state.carry_lost != f->carry_lost)
		f->carry_all = true; /* records of features that tell changes alone */
	f->carry_lost = f->state.carry_lost;
	if (m->count == f->run_id)
		while (f->n_waiting && f->waiting[0].serial <= m->serial)
			drop_first(f);
	for (unsigned i = 0; f->waiting_again && i < f->n_waiting; i++)
		f->waiting[i].sent = false; /* to this one */
	f->waiting_again = false;
	send_waiting(f);
}

struct feeding {
	struct weir_feeder *f;
	weir_feeder_feed feed;
	void *ctx;
	bool fed; /* the features have theirs */
};

static void take_self(struct weir_feeder *f, uint16_t type, const void *bytes, size_t len)
{
	struct weir_self_carried c;

	if (type != WEIR_CARRY_SELF || len != sizeof(c) || f->self_carried)
		return;
	memcpy(&c, bytes, sizeof(c));
	weir_self_carried(f->self, &c);
	f->self_carried = true;
}

static void visit_carry(void *ctx, const char *feature, uint16_t type, const void *key, size_t key_len, const void *bytes,
			size_t len)
{
	const struct feeding *to = ctx;

	(void)key;
	(void)key_len;
	if (!strcmp(feature, WEIR_CARRY_OWN)) {
		take_self(to->f, type, bytes, len);
		return;
	}
	if (!to->fed)
		to->feed(to->ctx, feature, type, bytes, len);
}

static int take_carried(struct weir_run *run, int fd, size_t size, const struct feeding *to)
{
	const struct weir_batch_visitor visitor = { .ctx = (void *)to, .carry = visit_carry };
	_cleanup_free_ void *block = NULL;
	int r;

	if (size > WEIR_BATCH_MAX)
		return -EBADMSG;
	block = malloc(size ? size : 1);
	if (!block)
		return -ENOMEM;
	r = weir_memory_read(fd, block, size);
	if (r == 0)
		r = weir_batch_decode(block, size, NULL, &visitor);
	if (r < 0)
		return r;
	to->f->self_carried = true; /* or there was none */
	weir_run_carried_end(run);
	return 0;
}

bool weir_feeder_read(struct weir_feeder *f, struct weir_run *run, weir_feeder_feed feed, void *ctx)
{
	char payload[WEIR_PAYLOAD_MAX + 1] __attribute__((aligned(8)));

	for (unsigned i = 0; i < MESSAGES_PER_TURN && f->sock >= 0; i++) {
		_cleanup_close_ int fd = -1;
		struct weir_message m;
		int r = weir_message_receive_with(f->sock, &m, payload, &fd);

		if (r == -EBADMSG)
			continue;
		if (r < 0)
			weir_closep(&f->sock);
		if (r <= 0)
			break;
		if (m.type == WEIR_MESSAGE_TAKEN)
			on_taken(f, &m, payload);
		if (m.type == WEIR_MESSAGE_CARRIED) {
			const struct feeding to = { f, feed, ctx, weir_run_carried_in(run) };

			r = take_carried(run, fd, m.size, &to);
			if (r < 0)
				weir_warning("counters of the daemon before could not be read: %s", strerror(-r));
			else if (!to.fed)
				f->carry_all = true;
		}
	}
	return f->sock >= 0;
}

static bool wait_for_store(const struct weir_feeder *f, uint64_t until_ns)
{
	struct pollfd p = { .fd = f->sock, .events = POLLIN };
	uint64_t now = weir_mono_ns();

	return f->sock >= 0 && now < until_ns && poll(&p, 1, (int)((until_ns - now + 999999) / 1000000)) > 0;
}

/* The store could not read them, or ended before it said so. */
static void ask_again(struct weir_feeder *f)
{
	if (f->asks_carried && !f->self_carried && ++f->asked_ticks >= ASK_AGAIN_TICKS)
		ask_carried(f);
}

void weir_feeder_wait_carried(struct weir_feeder *f, struct weir_run *run, weir_feeder_feed feed, void *ctx)
{
	uint64_t until_ns = weir_mono_ns() + CARRIED_MS * 1000000ull;

	f->asks_carried = true;
	if (f->sock < 0)
		return;
	ask_carried(f);
	while (!f->self_carried && wait_for_store(f, until_ns))
		weir_feeder_read(f, run, feed, ctx);
	if (!weir_run_carried_in(run) && (f->sock < 0 || weir_mono_ns() >= until_ns)) /* else this process is to end */
		weir_warning("history has not answered yet: counters begin at 0, and what was before is added when it comes");
}

/* --- a second ---------------------------------------------------------------------------------- */

static struct weir_carry_sink *carry_to(void *ctx, const char *feature)
{
	return weir_batch_carry(ctx, feature);
}

/* In the same transaction as the batch, so that the store knows for certain which it has; first, so that it always finds
 * room. */
static void put_serial(struct weir_feeder *f)
{
	struct weir_carry_sink *sink = weir_batch_carry(f->batch, WEIR_CARRY_OWN);
	const struct weir_carry_serial serial = { f->run_id, f->serial + 1 };

	sink->put(sink, WEIR_CARRY_SERIAL, "", 0, &serial, sizeof(serial));
}

static void put_own(struct weir_feeder *f, uint64_t lost_events)
{
	struct weir_self_carried self;
	struct weir_carry_sink *sink = weir_batch_carry(f->batch, WEIR_CARRY_OWN);

	if (!f->self_carried)
		return;
	weir_self_carry(f->self, lost_events, &self);
	sink->put(sink, WEIR_CARRY_SELF, "", 0, &self, sizeof(self));
}

static bool has_room(const struct weir_feeder *f)
{
	return f->n_waiting < WEIR_FEEDER_WAITING && f->waiting_bytes < WEIR_FEEDER_WAITING_BYTES;
}

static void put_batch(struct weir_feeder *f)
{
	const void *block;
	size_t len;
	int fd;

	block = weir_batch_end(f->batch, &len);
	fd = block ? weir_memory_make("weir-batch", block, len) : -ENOMEM;
	if (fd < 0) {
		weir_warning("a second of history is lost: %s", strerror(-fd));
		f->carry_all = true;
		return;
	}
	f->waiting[f->n_waiting++] = (struct weir_feeder_batch){ .serial = ++f->serial, .size = (uint32_t)len, .fd = fd };
	f->waiting_bytes += len;
}

void weir_feeder_tick(struct weir_feeder *f, struct weir_run *run, uint64_t real_ns, bool patient)
{
	uint64_t until_ns = weir_mono_ns() + PATIENCE_MS * 1000000ull;

	if (!f->wanted)
		return;
	ask_again(f);
	while (patient && !has_room(f) && wait_for_store(f, until_ns))
		weir_feeder_read(f, run, NULL, NULL);
	if (!has_room(f))
		return; /* what moved is told later, in one */
	if (!f->batch)
		f->batch = weir_batch_new(WEIR_BATCH_MAX);
	if (!f->batch)
		return;
	weir_batch_begin(f->batch, real_ns);
	put_serial(f);
	weir_run_history(run, weir_batch_sink(f->batch));
	weir_run_carry(run, carry_to, f->batch, f->carry_all);
	f->carry_all = false;
	put_own(f, weir_run_lost(run));
	f->carry_all = weir_batch_left_out(f->batch) > 0;
	put_batch(f);
	send_waiting(f);
}
