// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "features/traffic/traffic_abi.h"

#include "features/traffic/traffic.skel.h"

/* Shared by traffic_kernel.c and traffic_reader.c only. */
struct traffic_kernel {
	struct traffic_bpf *bpf;
	struct weir_attach *attach;              /* borrowed */
	struct bpf_link *seed, *sweep, *names;   /* owned by attach */
};
