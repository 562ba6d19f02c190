// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/declare.h"
#include "features/containers/containers.h"

static const struct weir_field fields[] = {
	FIELD(CONTAINER_ID, "container_id", "CONTAINER", TEXT, NONE, KEY | COLUMN,
	      "Id of the container, as the control group's path has it.", .filter = "container"),
	FIELD(CONTAINER_NAME, "container_name", "NAME", TEXT, NONE, COLUMN, "Its name, as the runtime lists it.",
	      .filter = "container"),
	FIELD(CONTAINER_IMAGE, "image", "IMAGE", TEXT, NONE, COLUMN, "The image that it was made from."),
	FIELD(CONTAINER_POD_NAME, "pod_name", "POD", TEXT, NONE, COLUMN, "The Kubernetes pod that it belongs to.",
	      .filter = "pod"),
	FIELD(CONTAINER_POD_NAMESPACE, "pod_namespace", "NAMESPACE", TEXT, NONE, COLUMN, "The pod's namespace."),
	FIELD(CONTAINER_RUNTIME, "runtime", "RUNTIME", TEXT, NONE, COLUMN,
	      "Whose state tells so: docker, podman, containerd or cri-o; null when none knows the id."),
	FIELD(CONTAINER_FIRST_SEEN, "first_seen", "FIRST SEEN", TIME, NONE, 0, "When one of its processes first used a socket."),
	FIELD(CONTAINER_LAST_SEEN, "last_seen", "LAST SEEN", TIME, NONE, 0,
	      "When one of its processes was last known to live."),
};
_Static_assert(ARRAY_SIZE(fields) == _CONTAINER_FIELD_MAX, "each index has its declaration");

const struct weir_table containers_table = {
	.name = "containers",
	.summary = "Containers whose processes use sockets, by their names.",
	.fields = fields,
	.n_fields = ARRAY_SIZE(fields),
	.sort_field = CONTAINER_FIRST_SEEN,
};

const struct weir_key containers_keys[] = {
	{ .name = "names", .type = WEIR_KEY_BOOL, .otherwise = "true",
	  .help = "Look the names of containers up in their runtimes' state." },
	{ .name = "root", .type = WEIR_KEY_PATH, .otherwise = "/",
	  .help = "Where the host's root is, for a weir that runs in a container itself." },
	{},
};
