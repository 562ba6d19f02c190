// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/field.h"

/* The one declaration of every number that this feature shows. */

enum drops_field {
	DROP_REASON,
	DROP_CLASS,
	DROP_PACKETS_PER_SECOND,
	DROP_PACKETS,
	DROP_BYTES,
	DROP_LOCATION,
	DROP_LAYER,
	DROP_DEVICE,
	DROP_PID,
	DROP_START_TIME_NS,
	DROP_COMM,
	DROP_UID,
	DROP_UNIT,
	DROP_CONTAINER_ID,
	DROP_CONTAINER_NAME,
	DROP_POD_NAME,
	DROP_POD_NAMESPACE,
	DROP_NETNS,
	DROP_SOURCE,
	DROP_PORT,
	DROP_CPU,
	DROP_MEANING,
	DROP_ADVICE,
	DROP_SAMPLE,
	DROP_STACK,
	DROP_KERNEL_REASON,
	DROP_OVERLAPS,
	DROP_FIRST_SEEN,
	DROP_LAST_SEEN,
	_DROP_FIELD_MAX,
};

enum drops_group_field {
	DROPS_GROUP_REASON,
	DROPS_GROUP_LAYER,
	DROPS_GROUP_DEVICE,
	DROPS_GROUP_PACKETS,
	_DROPS_GROUP_FIELD_MAX,
};

enum drops_own_field {
	DROPS_OWN_WHAT,
	DROPS_OWN_TOTAL,
	_DROPS_OWN_FIELD_MAX,
};

extern const struct weir_table drops_table;
extern const struct weir_table drops_table_groups;
extern const struct weir_table drops_table_own;
