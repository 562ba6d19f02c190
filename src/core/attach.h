// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/snapshot.h"

/* The register of everything that weir has in the kernel: programs, links, maps. What is in it is shown by
 * `weir hooks` and undone in reverse order; nothing is pinned, so the end of the keeper, however it comes, is the
 * end of all of it. */

struct weir_attach;
struct bpf_object;
struct bpf_program;
struct bpf_link;

struct weir_attach *weir_attach_new(void); /* NULL when memory runs out */
/* Detaches in reverse order. Accepts NULL, returns NULL. */
struct weir_attach *weir_attach_free(struct weir_attach *a);

/* Makes the maps of a loaded object known, before its programs are added. By their descriptors: looking a map up by
 * its id would take CAP_SYS_ADMIN. */
int weir_attach_maps(struct weir_attach *a, const struct bpf_object *object);

/* Registers an attached program and takes its link over (the link may be NULL: loaded, attached on demand).
 * hook is what a user would look for ("tp_btf/sock_send_length"), bpftrace a line that shows the same; both
 * are borrowed for ever. What the program is made of is read from the kernel here, while the rights are there. */
int weir_attach_add(struct weir_attach *a, const char *feature, const struct bpf_program *program,
		    struct bpf_link *link, const char *hook, const char *bpftrace);

/* Appends the places where the feature's programs hang, each once: what stands behind the slash of its hooks, and
 * for iterators and cgroups the whole. */
void weir_attach_places(const struct weir_attach *a, const char *feature, struct weir_buf *out);

/* Detaches the feature's programs that were added last, down to n of them. */
unsigned weir_attach_count(const struct weir_attach *a);
void weir_attach_undo(struct weir_attach *a, unsigned down_to);

/* How full a map is; the feature that reads the map says so. */
void weir_attach_entries(struct weir_attach *a, const char *map, uint64_t entries);

/* The tables "hooks" and "maps". Reads the programs' run counters. */
void weir_attach_snapshot(const struct weir_attach *a, struct weir_builder *b, uint64_t number);

/* Has the kernel time its BPF programs while the descriptor is open (BPF_ENABLE_STATS; needs CAP_SYS_ADMIN). */
int weir_attach_measure(int *ret_fd);
