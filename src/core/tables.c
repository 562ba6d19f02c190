// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/tables.h"

#include <string.h>

#include "base/cleanup.h"
#include "core/feature.h"

static const struct weir_table *const core_tables[] = {
	&weir_table_doctor, &weir_table_hooks,	     &weir_table_audit,	    &weir_table_maps,
	&weir_table_self,   &weir_table_self_losses, &weir_table_self_cost, &weir_table_features_info,
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
