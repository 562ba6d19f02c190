// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What a control group's path tells about who runs in it. */

struct weir_identity {
	char unit[128];         /* systemd unit: the deepest .service or .scope */
	char container_id[72];  /* as the runtime shows it in full: 64 hex digits, or a machine's or LXC's name */
	char pod[64];           /* Kubernetes pod's uid */
	uint32_t user;          /* whose session or service manager it runs under, if .has_user */
	bool has_user;
};

/* Fields that the path does not tell are empty. Pure; any bytes are allowed in path. Knows the layouts of
 * systemd, docker, podman (libpod), containerd, cri-o, nspawn and lxc, with the systemd and the cgroupfs driver. */
void weir_identity_parse(const char *path, struct weir_identity *ret);
