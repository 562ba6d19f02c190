// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "base/buf.h"
#include "core/query.h"
#include "core/snapshot.h"

#define WEIR_PROMETHEUS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends every field that declares .metric, of all tables, in Prometheus' text format: a pure
 * function of the snapshot and of who asks (only rows that this viewer may see are counted). One
 * family stands together, with HELP and TYPE once; samples are in the order of their labels, and
 * rows that read the same once bad UTF-8 and control characters are replaced are merged, so that no
 * name can make the whole scrape invalid or reach a terminal. Null cells give no sample. -ENOMEM.
 */
int weir_prometheus_render(struct weir_buf *out, const struct weir_snapshot *s,
			   const struct weir_viewer *viewer);
