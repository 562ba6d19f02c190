// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "core/probe.h"
#include "features/containers/containers.h"

/* Where the runtimes keep what they know, by their own defaults. */

enum containers_layout {
	CONTAINERS_LAYOUT_DOCKER,     /* ID/config.v2.json */
	CONTAINERS_LAYOUT_CONTAINERD, /* NAMESPACE/ID/config.json */
	CONTAINERS_LAYOUT_STORAGE,    /* containers.json, ID/userdata/config.json */
	CONTAINERS_LAYOUT_BUNDLES,    /* ID/userdata/config.json */
	_CONTAINERS_LAYOUT_MAX,
};

/* Opens the places that are there, a user's own first: those below the home of uid, unless it is 0, and the system's.
 * Each .tag is its layout. Nothing of them is read but the user database. Returns how many. */
unsigned containers_places_open(const char *root, uint32_t uid, struct weir_help_folder ret[WEIR_HELP_FOLDERS_MAX]);

/* Connects to docker's socket if there is one and no folder of its own is where it usually is. The descriptor, or -1. */
int containers_places_docker(const char *root);

/* The line for doctor: which runtimes' state is there, and whether it can be read. */
void containers_places_note(const char *root, struct weir_probe *probe);
