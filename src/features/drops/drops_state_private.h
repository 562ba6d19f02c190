// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/drops/drops_state.h"

/* Shared by the state's own files. Those that return an int: 0, or -ENOMEM with the state whole. */

/* drops_known.c. What is known stays. */
const char *drops_reason_name(const struct drops_state *s, uint32_t number); /* NULL: not known */
int drops_name_put(struct drops_state *s, const struct drops_reason *r);
int drops_place_put(struct drops_state *s, uint64_t address, const char *symbol);
int drops_device_put(struct drops_state *s, uint32_t netns, uint32_t ifindex, const char *name);
/* "udp_recvmsg+0xf8/0x3c0 [module]" without the size. */
void drops_tidy_symbol(const char *from, char *ret, size_t room);

/* drops_state.c */
struct drops_row *drops_row_get(struct drops_state *s, const struct drops_row_key *key, uint64_t mono_ns);
void drops_row_process(struct drops_row *r, uint32_t uid, const char *comm, const struct weir_identity *id);
void drops_row_grow(struct drops_row *r, uint64_t packets, uint64_t bytes, uint64_t mono_ns);

/* By a whole key. NULL: no memory, or too many. */
struct drops_group *drops_group_get(struct drops_state *s, const char *key, size_t key_len);
/* Until the place has its name it may turn out to be no loss. */
bool drops_row_waits(const struct drops_state *s, const struct drops_row *r, uint64_t mono_ns);

/* drops_carry.c */
int drops_apply_carried(struct drops_state *s, const struct drops_carried *c);

/* drops_counted.c */
int drops_apply_counter(struct drops_state *s, uint64_t mono_ns, const struct drops_counter *c);
