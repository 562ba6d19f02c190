// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>

#include "features/containers/containers.h"

/* What runtimes write about a container, as JSON. All of it is hostile: whoever may start a container chooses names,
 * labels and annotations, and a user's own runtime writes whole files. Pure, and fuzzed.
 *
 * Each fills texts and .runtime of what is found and leaves .id alone. */

/* docker's config.v2.json, or its answer to GET /containers/ID/json: Name, Config.Image, Config.Labels. -EBADMSG when it
 * is no such thing. */
int containers_parse_docker(const char *text, size_t len, struct containers_name *ret);

/* The OCI configuration of a container (config.json in its bundle), of which the annotations count: those of containerd's
 * and cri-o's Kubernetes interface, and nerdctl's. A text that ret has already is kept, unless the annotations say it for
 * Kubernetes. 1 when any was found, 0 when none, -EBADMSG when it is no such thing. */
int containers_parse_oci(const char *text, size_t len, struct containers_name *ret);

/* containers.json of containers/storage, the list that podman and cri-o keep: fills those of the n whose .runtime is not
 * known yet and whose id is in it. Returns how many, or -EBADMSG. */
int containers_parse_storage(const char *text, size_t len, struct containers_name *names, size_t n);
