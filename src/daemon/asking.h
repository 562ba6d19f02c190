// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

#include "core/run.h"

/* The engine's side of the one-shot helpers: one request is out at a time. */

struct weir_asking {
	int fd;              /* where the answer comes from, or -1 */
	bool waits;          /* a request is out */
	unsigned feature;    /* whose it is */
	unsigned first;      /* who is asked first the next time */
	unsigned records;    /* taken so far */
	uint64_t asked_ns;
};

/* Takes a record of the answer; source is the feature's (core/record.h). */
typedef void (*weir_asking_feed)(void *ctx, uint16_t source, uint16_t type, const void *bytes, size_t len);

/* Lets the features ask, if nothing is out or what was asked is not answered any more. keeper_sock goes to the keeper. */
void weir_asking_try(struct weir_asking *a, const struct weir_run *run, int keeper_sock, uint64_t now_ns);

/* Takes the descriptor over that the answer to a feature's request will come from. */
void weir_asking_begin(struct weir_asking *a, uint64_t feature, int fd);

/* Reads what has come. False: the answer is complete, or no answer at all, and its descriptor closed. */
bool weir_asking_read(struct weir_asking *a, weir_asking_feed feed, void *ctx);

/* Forgets the request that is out. */
void weir_asking_end(struct weir_asking *a);
