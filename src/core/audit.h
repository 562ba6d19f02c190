// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdint.h>

#include "core/feature.h"
#include "core/snapshot.h"

/* The lines of `weir audit`: what each way of counting says, and the named gaps between them. */

void weir_audit_snapshot(struct weir_builder *b, uint64_t number, const struct weir_audit_entry *lines,
			 unsigned n_lines);
