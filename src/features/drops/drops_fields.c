// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/drops/drops_fields.h"

#include "core/declare.h"
#include "core/snapshot.h"
#include "features/drops/drops_state.h"

/* clang-format off */

static const struct weir_field fields[] = {
	FIELD(DROP_REASON, "reason", "REASON", TEXT, NONE, KEY | COLUMN,
	      "Why: the kernel's own word, or in lower case what the kernel only counts; where it says NOT_SPECIFIED and the "
	      "place tells, the word of newer kernels.", .filter = "reason"),
	FIELD(DROP_CLASS, "class", "CLASS", TEXT, NONE, COLUMN,
	      "expected (nothing is wrong), tune (a limit, or a program that is too slow), attack (a hostile or broken sender) "
	      "or bug; empty when weir does not know the reason.", .words = "expected tune attack bug"),
	FIELD(DROP_PACKETS_PER_SECOND, "packets_per_second", "PER SECOND", UINT, COUNT, COLUMN, "Lost in the last second."),
	FIELD(DROP_PACKETS, "packets", "PACKETS", UINT, COUNT, COLUMN, "Lost since weir looks."),
	FIELD(DROP_BYTES, "bytes", "BYTES", UINT, BYTES, 0, "What they held; counters of the kernel do not tell."),
	FIELD(DROP_LOCATION, "location", "PLACE", TEXT, NONE, KEY | COLUMN, "Where in the kernel's code the packet was freed."),
	FIELD(DROP_LAYER, "layer", "LAYER", TEXT, NONE, COLUMN, "device, queue, link, filter, ip, transport, socket or other.",
	      .words = "device queue link filter ip transport socket other"),
	FIELD(DROP_DEVICE, "device", "DEVICE", TEXT, NONE, KEY | COLUMN, "The interface; \"if3\" when only its number is known.",
	      .filter = "device"),
	FIELD(DROP_PID, "pid", "PID", UINT, NONE, KEY | COLUMN, "The process whose socket it was for or from."),
	FIELD(DROP_START_TIME_NS, "start_time_ns", "START", UINT, NANOSECONDS, KEY,
	      "When that process started, since boot: tells a reused pid from the one before."),
	FIELD(DROP_COMM, "comm", "COMMAND", TEXT, NONE, COLUMN, "That process's name.", .filter = "process"),
	FIELD(DROP_UID, "uid", "UID", UINT, NONE, 0, "That process's user id.", .max = UINT32_MAX),
	FIELD(DROP_UNIT, "unit", "UNIT", TEXT, NONE, 0, "That process's systemd unit.", .filter = "unit"),
	FIELD(DROP_CONTAINER_ID, "container_id", "CONTAINER", TEXT, NONE, 0, "That process's container.", .filter = "container",
	      .named_by = "container_name"),
	FIELD(DROP_CONTAINER_NAME, "container_name", "CONTAINER NAME", TEXT, NONE, 0, "That container's name.",
	      .filter = "container"),
	FIELD(DROP_POD_NAME, "pod_name", "POD", TEXT, NONE, 0, "That process's pod.", .filter = "pod"),
	FIELD(DROP_POD_NAMESPACE, "pod_namespace", "NAMESPACE", TEXT, NONE, 0, "The pod's namespace."),
	FIELD(DROP_NETNS, "netns", "NETNS", UINT, NONE, KEY, "Inode of the network namespace.", .max = UINT32_MAX),
	FIELD(DROP_SOURCE, "source", "SOURCE", TEXT, NONE, KEY,
	      "packet (each was seen as the kernel freed it), or whose counter it is: socket, device or cpu.",
	      .words = "packet socket device cpu"),
	FIELD(DROP_PORT, "port", "PORT", UINT, NONE, KEY, "A listening socket's port.", .max = UINT16_MAX),
	FIELD(DROP_CPU, "cpu", "CPU", UINT, NONE, KEY, "A processor's counter: which."),
	FIELD(DROP_MEANING, "meaning", "MEANING", TEXT, NONE, 0, "Why it is lost and whether it matters, in a sentence."),
	FIELD(DROP_ADVICE, "advice", "WHAT TO DO", TEXT, NONE, 0, "What to do."),
	FIELD(DROP_SAMPLE, "sample", "SAMPLE", TEXT, NONE, 0, "The packet that was looked at last."),
	FIELD(DROP_STACK, "stack", "STACK", TEXT, NONE, 0, "How the kernel came to that place then, innermost first."),
	FIELD(DROP_KERNEL_REASON, "kernel_reason", "KERNEL REASON", TEXT, NONE, KEY,
	      "What the kernel itself said, where reason says more."),
	FIELD(DROP_OVERLAPS, "overlaps", "OVERLAPS", BOOL, NONE, 0,
	      "Other rows may have the same packets, or it counts no packets: sums leave it out."),
	FIELD(DROP_FIRST_SEEN, "first_seen", "FIRST SEEN", TIME, NONE, 0, "When the first was lost, to the second."),
	FIELD(DROP_LAST_SEEN, "last_seen", "LAST SEEN", TIME, NONE, 0, "When the last was lost, to the second."),
};
_Static_assert(ARRAY_SIZE(fields) == _DROP_FIELD_MAX, "each index has its declaration");
_Static_assert(_DROP_FIELD_MAX <= WEIR_FIELDS_MAX, "one bit each");

static const struct weir_field group_fields[] = {
	FIELD(DROPS_GROUP_REASON, "reason", "REASON", TEXT, NONE, KEY | LABEL, "Why."),
	FIELD(DROPS_GROUP_LAYER, "layer", "LAYER", TEXT, NONE, KEY | LABEL, "Where in the stack."),
	FIELD(DROPS_GROUP_DEVICE, "device", "DEVICE", TEXT, NONE, KEY | LABEL, "The interface; empty when it has none."),
	FIELD(DROPS_GROUP_PACKETS, "packets", "PACKETS", UINT, COUNT, COUNTER, "Packets lost.",
	      .metric = "weir_dropped_packets_total"),
};
_Static_assert(ARRAY_SIZE(group_fields) == _DROPS_GROUP_FIELD_MAX, "each index has its declaration");

static const struct weir_field own_fields[] = {
	FIELD(DROPS_OWN_WHAT, "what", "WHAT", TEXT, NONE, KEY | LABEL,
	      "samples: not taken; crowded: packets that are told apart by reason and place alone; unkeyed: not even that; "
	      "missed: freed while weir looked at another on the same processor, and not counted."),
	FIELD(DROPS_OWN_TOTAL, "total", "TOTAL", UINT, COUNT, COUNTER, "What weir could not tell of lost packets.",
	      .metric = "weir_drops_not_told_total"),
};
_Static_assert(ARRAY_SIZE(own_fields) == _DROPS_OWN_FIELD_MAX, "each index has its declaration");
/* clang-format on */

#define TABLE(list) .fields = (list), .n_fields = ARRAY_SIZE(list)

const struct weir_table drops_table = {
	.name = "drops",
	.summary = "Lost packets, most now first: why, where, whose, and what to do.",
	TABLE(fields),
	.sort_field = WEIR_SORT_NONE,
};

const struct weir_table drops_table_groups = {
	.name = "drops_groups",
	.summary = "Sums of lost packets, for metrics.",
	TABLE(group_fields),
	.sort_field = DROPS_GROUP_PACKETS,
	.internal = true,
};

const struct weir_table drops_table_own = {
	.name = "drops_own",
	.summary = "What weir could not tell of lost packets, for metrics.",
	TABLE(own_fields),
	.sort_field = WEIR_SORT_NONE,
	.internal = true,
};
