// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/field.h"

/* All tables: those of the features, then the core's own (doctor, hooks, audit, ...). */

const struct weir_table *weir_table_find(const char *name); /* NULL: no such table */
const struct weir_table *weir_table_at(unsigned i);         /* NULL past the last */

extern const struct weir_table weir_table_doctor;   /* core/probe.c */
extern const struct weir_table weir_table_hooks;    /* core/attach.c */
extern const struct weir_table weir_table_maps;     /* core/attach.c, internal */
extern const struct weir_table weir_table_audit;    /* core/audit.c */
extern const struct weir_table weir_table_self;     /* core/self.c, internal: build, CPU, memory, losses */
