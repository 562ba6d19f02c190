// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Running out of memory is an error to be returned, not the end: an element whose hh.tbl is NULL was not added. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "core/lookup.h"
#include "features/containers/containers.h"

/* What the engine knows of containers: built from records and from the processes that other features meet. */

#define CONTAINERS_MAX 32768
#define CONTAINERS_KEPT_NS (15ull * 1000000000ull)  /* since a row last showed one of its processes */
#define CONTAINERS_LIVES_NS (45ull * 1000000000ull) /* since one of its processes was last known to live */
#define CONTAINERS_AGAIN_NS (30ull * 1000000000ull) /* names change: a known one is looked at again */
#define CONTAINERS_PERIOD_NS (50ull * 1000000ull)  /* questions are asked no more often */
#define CONTAINERS_USERS_REST 9       /* times what answering took: what users can make the helper work on is little */
#define CONTAINERS_USERS_REST_NS (30ull * 1000000000ull) /* without an answer */
#define CONTAINERS_NEVER UINT64_MAX

struct containers_container {
	UT_hash_handle hh;
	char id[CONTAINERS_ID];
	uint32_t uid; /* in whose session it runs; 0: nobody's in particular */
	enum containers_runtime runtime;
	struct weir_container_name shown; /* .version 0: not known */
	char *texts;                      /* what .shown points into */
	uint64_t first_mono_ns, lives_mono_ns, shown_mono_ns;
	uint64_t ask_mono_ns; /* when to ask next; CONTAINERS_NEVER: when it is met again */
	unsigned tries;       /* without an answer that names it */
	bool asked;           /* at least once, or answered */
	bool dirty;
	uint64_t changed;
};

struct containers_state {
	struct containers_container *all;
	uint64_t version;
	uint64_t due_mono_ns;   /* nothing is to be asked before */
	uint64_t asked_mono_ns;
	bool asked_user, answered; /* the last request was about a user's own; something of it was answered */
	uint64_t users_mono_ns;    /* users' own are not asked for before */
	uint64_t aged_mono_ns;
	uint64_t real_minus_mono_ns;
	bool asks; /* names are wanted, and there is somebody to ask */
	bool news;
};

struct containers_state *containers_state_new(void);
struct containers_state *containers_state_free(struct containers_state *s); /* accepts NULL, returns NULL */

/* Each is as core/feature.h says of the function of that name. */
void containers_process_seen(void *state, uint64_t mono_ns, const struct weir_process_seen *p);
int containers_apply(void *state, uint64_t mono_ns, const void *event);
void containers_tick(void *state, uint64_t mono_ns, uint64_t real_ns);
void containers_snapshot(void *state, struct weir_builder *b, uint64_t number);
const struct weir_container_name *containers_container(void *state, const char *id);
size_t containers_ask(void *state, uint64_t mono_ns, void *ret_request, size_t room);
