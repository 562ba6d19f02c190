// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tables.h"

#include <string.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "core/history.h"

static const struct weir_table *const core_tables[] = {
	&weir_table_doctor,
	&weir_table_findings,
	&weir_table_hooks,
	&weir_table_audit,
	&weir_table_maps,
	&weir_table_self,
	&weir_table_self_losses,
	&weir_table_self_cost,
	&weir_table_self_history,
	&weir_table_features_info,
	&weir_table_history,
	&weir_table_history_rates,
	&weir_table_history_peers,
	&weir_table_history_losses,
	&weir_table_history_days,
	&weir_table_history_months,
	&weir_table_history_events,
	&weir_table_history_changes,
	&weir_table_history_store,
	&weir_table_history_subjects,
};

const struct weir_table *weir_table_at(unsigned i)
{
	for (const struct weir_feature *const *f = weir_features; *f; f++)
		for (const struct weir_table *const *t = (*f)->tables; t && *t; t++)
			if (i-- == 0)
				return *t;
	return i < ARRAY_SIZE(core_tables) ? core_tables[i] : NULL;
}

const struct weir_table *weir_table_find(const char *name)
{
	const struct weir_table *t;

	for (unsigned i = 0; (t = weir_table_at(i)); i++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

static const char *const unit_names[] = {
	[WEIR_UNIT_NONE] = "none",
	[WEIR_UNIT_BYTES] = "bytes",
	[WEIR_UNIT_BYTES_PER_SECOND] = "bytes_per_second",
	[WEIR_UNIT_COUNT] = "count",
	[WEIR_UNIT_MICROSECONDS] = "microseconds",
	[WEIR_UNIT_NANOSECONDS] = "nanoseconds",
	[WEIR_UNIT_SEGMENTS] = "segments",
};
_Static_assert(ARRAY_SIZE(unit_names) == _WEIR_UNIT_MAX, "each unit has its name");

const char *weir_unit_name(enum weir_unit unit)
{
	return unit_names[unit];
}
