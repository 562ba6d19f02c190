// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct weir_probe;

/* The three ways to see bytes; a hook belongs to some of them. */
enum traffic_set {
	TRAFFIC_SET_SOCK = 1 << 0,
	TRAFFIC_SET_FENTRY = 1 << 1,
	TRAFFIC_SET_KPROBE = 1 << 2,
};

enum traffic_hook_kind {
	TRAFFIC_HOOK_TRACEPOINT,
	TRAFFIC_HOOK_FUNCTION, /* fentry, fexit, kprobe, kretprobe */
	TRAFFIC_HOOK_CGROUP,
	TRAFFIC_HOOK_SOCKETS,
	TRAFFIC_HOOK_ITERATOR,
};

/* What it means when the kernel lacks what a hook hangs on. */
enum traffic_hook_weight {
	TRAFFIC_HOOK_REQUIRED, /* the set is not possible */
	TRAFFIC_HOOK_EXTRA,    /* .loss is what weir cannot tell then */
	TRAFFIC_HOOK_QUIET, /* nothing: other kernels do without it, or what it serves is not there
			     */
};

struct traffic_hook {
	const char *program;
	const char *hook;     /* "fexit/tcp_sendmsg" */
	const char *bpftrace; /* a line that shows the same to who wants to check, or NULL */
	unsigned sets;	      /* enum traffic_set */
	enum traffic_hook_kind kind;
	enum traffic_hook_weight weight;
	const char *loss;
};

/* In the order in which they are attached: ends first, so that nothing that is counted ends unseen;
 * then the sums; begins last, so that no connection whose begin was seen moves a byte that is not
 * counted. */
extern const struct traffic_hook traffic_hooks[];
extern const size_t n_traffic_hooks;

/* What the hook hangs on: the text behind the slash. */
const char *traffic_hook_target(const struct traffic_hook *h);

/* Whether this kernel has it, as far as its types tell; cgroups: a cgroup2 hierarchy is mounted. */
bool traffic_hook_there(const struct traffic_hook *h, const struct weir_probe *p, bool cgroups);
