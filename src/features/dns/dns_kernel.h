// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/feature.h"
#include "features/dns/dns_abi.h"

/* The edge to the kernel: loading and attaching (keeper), reading the ring and /etc/hosts (engine). */

struct dns_kernel;
struct dns_reader;
struct bpf_program;
struct dns_kept;

extern const struct weir_hook_set dns_hook_sets[];

/* As weir_feature.load and .unload. */
int dns_kernel_load(struct weir_attach *attach, struct weir_probe *probe, const char *forced_set, void **ret_kernel);
void dns_kernel_unload(void *kernel);
void dns_kernel_leave(void *kernel); /* as weir_feature.leave */

/* The program that every packet pays for, NULL without it. Borrowed. */
struct bpf_program *dns_kernel_program(const struct dns_kernel *k);
/* Of the ring, and what the kernel half counts; -1 and NULL without a kernel half. */
int dns_kernel_ring(const struct dns_kernel *k);
const struct dns_control *dns_kernel_control(const struct dns_kernel *k);
struct dns_kept *dns_kernel_kept(const struct dns_kernel *k); /* in the keeper's memory */

/* hosts: path of the file, borrowed for ever. */
int dns_reader_new(struct dns_kernel *k, const char *hosts, struct dns_reader **ret);
struct dns_reader *dns_reader_free(struct dns_reader *r); /* accepts NULL, returns NULL */
int dns_reader_fd(const struct dns_reader *r);
/* As weir_feature.drain and .collect. */
int dns_reader_drain(struct dns_reader *r, struct weir_sink *sink);
int dns_reader_collect(struct dns_reader *r, struct weir_sink *sink);
