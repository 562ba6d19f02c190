// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/traffic/traffic_abi.h"

#include "features/traffic/traffic.skel.h"

#include "features/traffic/traffic_kept.h"

/* Shared by traffic_kernel.c and traffic_reader.c only. */
struct traffic_kernel {
	struct traffic_bpf *bpf;
	unsigned set;			       /* enum traffic_set */
	struct weir_attach *attach;	       /* borrowed */
	struct traffic_kept *kept;	       /* shared by the keeper's children */
	struct bpf_link *seed, *sweep, *names; /* owned by attach */
};

/* Hangs every program that was loaded on its hook and registers it with k->attach. On failure some
 * may be attached. */
int traffic_kernel_attach(struct traffic_kernel *k, struct weir_probe *probe, int cgroup_fd,
			  const char **ret_failed);
