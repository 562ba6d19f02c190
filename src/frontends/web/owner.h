// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/query.h"

/* Who stands behind a connection, as the kernel says. */

struct mnl_socket;

struct web_owner {
	struct mnl_socket *diag; /* NULL: none, nobody on TCP is known */
	uint32_t sequence;
	gid_t group; /* of that group, its members see everything */
	bool have_group;
	uid_t *members;
	size_t n_members;
};

/* Opens what the questions need and reads the user database; called before rights are given up.
 * Works without sock_diag too (*ret_error says why not); -ENOMEM. */
int web_owner_open(struct web_owner *o, int *ret_error);
void web_owner_close(struct web_owner *o);

/* The process that connected to a Unix socket. -errno when the kernel does not tell. */
int web_owner_of_unix(const struct web_owner *o, int fd, struct weir_viewer *ret);

/* The owner of the other end of a TCP connection, when that end is on this host and in this network
 * namespace. -ENOENT: it is not, or it is closed already. */
int web_owner_of_tcp(struct web_owner *o, int fd, struct weir_viewer *ret);
