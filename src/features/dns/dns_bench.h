// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/bench.h"

/* As weir_feature.bench: what a packet that is not DNS pays for the hook. */
int dns_bench(struct weir_bench *b);
