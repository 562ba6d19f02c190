// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/feature.h"
#include "features/drops/drops_abi.h"

/* The edge to the kernel: loading and attaching (keeper), reading sums, samples, owners and counters (engine). */

struct drops_kernel;
struct drops_reader;
struct drops_state;
struct drops_kept;
struct bpf_program;

extern const struct weir_hook_set drops_hook_sets[];

/* As weir_feature.load and .unload. */
int drops_kernel_load(struct weir_attach *attach, struct weir_probe *probe, const char *forced_set, void **ret_kernel);
void drops_kernel_unload(void *kernel);
void drops_kernel_leave(void *kernel); /* as weir_feature.leave */

/* The program that every lost packet runs through. Borrowed. */
struct bpf_program *drops_kernel_program(const struct drops_kernel *k);
int drops_kernel_sums(const struct drops_kernel *k);
int drops_kernel_crowds(const struct drops_kernel *k);
int drops_kernel_plain(const struct drops_kernel *k);
int drops_kernel_places(const struct drops_kernel *k);
int drops_kernel_devices(const struct drops_kernel *k);
int drops_kernel_ring(const struct drops_kernel *k);
int drops_kernel_wanted(const struct drops_kernel *k);
int drops_kernel_owners(const struct drops_kernel *k); /* link of the iterator */
/* Runs of the program that the kernel left out since it was at work already; 0 where it does not tell. */
uint64_t drops_missed(const struct bpf_program *program);
/* 0, or -EOPNOTSUPP with why lost packets cannot be seen here and the cure, which may become NULL. */
int drops_possible(const struct weir_probe *p, const char **ret_reason, const char **ret_cure);
struct drops_control *drops_kernel_control(const struct drops_kernel *k);
struct weir_attach *drops_kernel_attach(const struct drops_kernel *k);
struct drops_kept *drops_kernel_kept(const struct drops_kernel *k); /* in the keeper's memory */
/* What the running kernel's types call its reasons. Borrowed. */
const struct drops_reason *drops_kernel_reasons(const struct drops_kernel *k, unsigned *ret_n);

/* Reads names and numbers of all enumerations that may stand for a reason: the kernel's own and its modules'.
 * *ret (freed by the caller) may be NULL with *ret_n 0 where the kernel has none. */
int drops_reasons_read(const struct btf *kernel, struct drops_reason **ret, unsigned *ret_n);

int drops_reader_new(struct drops_kernel *k, struct drops_reader **ret);
struct drops_reader *drops_reader_free(struct drops_reader *r); /* accepts NULL, returns NULL */
int drops_reader_fd(const struct drops_reader *r);
/* Whether a reader before this one had the counters of the daemon before. */
bool drops_reader_carried_in(const struct drops_reader *r);
/* As weir_feature.drain and .collect. */
int drops_reader_drain(struct drops_reader *r, struct weir_sink *sink);
int drops_reader_collect(struct drops_reader *r, const struct drops_state *s, struct weir_sink *sink);
