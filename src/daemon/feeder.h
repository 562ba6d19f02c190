// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/run.h"
#include "core/self.h"
#include "daemon/ipc.h"

/* The engine's side of the store: a batch a second, and the counters of the daemon before. A batch stays here until the
 * store says that it has it, so that one that died, or is slow, misses nothing; when too many wait, the features are not
 * asked, and what they have to tell is told at once later. */

#define WEIR_FEEDER_WAITING 64                 /* batches */
#define WEIR_FEEDER_WAITING_BYTES (16u << 20)  /* of all of them together */

struct weir_feeder_batch {
	uint64_t serial;
	uint32_t size;
	int fd;
	bool sent; /* to the store that is there now */
};

struct weir_batch;

struct weir_feeder {
	int sock;               /* to the store; -1: there is none now */
	bool wanted;            /* history is kept at all */
	uint64_t run_id, serial;
	struct weir_batch *batch;
	struct weir_feeder_batch waiting[WEIR_FEEDER_WAITING]; /* oldest first */
	unsigned n_waiting;
	size_t waiting_bytes;
	bool waiting_again;     /* a new store has not said yet what it has */
	bool carry_all;         /* the store may lack what it was told before */
	uint64_t carry_lost;    /* as the store that is there said last */
	bool asks_carried;      /* for the counters of the daemon before */
	unsigned asked_ticks;   /* since it asked last */
	struct weir_store_state state;
	bool has_state;
	struct weir_self *self; /* whose counters are carried, too; borrowed */
	bool self_carried;      /* it has those of the daemon before */
};

/* In each batch, before all else: which it is. */
#define WEIR_CARRY_OWN "weir"
#define WEIR_CARRY_SERIAL 1
#define WEIR_CARRY_SELF 2 /* struct weir_self_carried */
struct weir_carry_serial {
	uint64_t run_id, serial;
};

/* Where a record of the daemon before goes. */
typedef void (*weir_feeder_feed)(void *ctx, const char *feature, uint16_t type, const void *bytes, size_t len);

/* sock -1: history is not kept. Takes the descriptor over. */
void weir_feeder_begin(struct weir_feeder *f, int sock, struct weir_self *self);
void weir_feeder_end(struct weir_feeder *f);

/* A new store is there, and is asked for what the one before did not give. Takes the descriptor over. */
void weir_feeder_connect(struct weir_feeder *f, int sock);

/* Asks for the counters of the daemon before and waits for them, but not for long: without them things go on, it is asked
 * again now and then, and they are added when they come. Until then the features carry nothing, so that what the store has is
 * not replaced by less. */
void weir_feeder_wait_carried(struct weir_feeder *f, struct weir_run *run, weir_feeder_feed feed, void *ctx);

/* A second is over. patient: it waits for a store that is behind, as a recording that is played does. */
void weir_feeder_tick(struct weir_feeder *f, struct weir_run *run, uint64_t real_ns, bool patient);

/* What the store says. False: it is gone; the descriptor is closed. */
bool weir_feeder_read(struct weir_feeder *f, struct weir_run *run, weir_feeder_feed feed, void *ctx);
