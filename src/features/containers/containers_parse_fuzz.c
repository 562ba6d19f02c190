// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "features/containers/containers_parse.h"

/* The first byte chooses whose file it is. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(const struct containers_name *n)
{
	if (!memchr(n->name, 0, sizeof(n->name)) || !memchr(n->image, 0, sizeof(n->image)) ||
	    !memchr(n->pod_name, 0, sizeof(n->pod_name)) ||
	    !memchr(n->pod_namespace, 0, sizeof(n->pod_namespace)) || n->runtime >= _CONTAINERS_RUNTIME_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct containers_name names[2] = { { .id = "a" }, { .id = "b" } };
	const char *text = (const char *)data + 1;

	if (size < 1)
		return 0;
	switch (data[0] % 3) {
	case 0:
		containers_parse_docker(text, size - 1, &names[0]);
		break;
	case 1:
		containers_parse_oci(text, size - 1, &names[0]);
		break;
	case 2:
		containers_parse_storage(text, size - 1, names, 2);
		break;
	}
	hold(&names[0]);
	hold(&names[1]);
	return 0;
}
