// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* The sockets that the gate serves, opened by the keeper while it has the rights. Each error comes with one line
 * (what, where, why, the cure) in *ret_error, which the caller frees; *ret_status is the exit status it means. */

/* "127.0.0.1:9474", "[::1]:0" or "none" (*ret_fd is -1 then). Anything but loopback is refused. *ret_name is
 * the address that was bound, with the real port; the caller frees it. */
int weir_listen_tcp(const char *text, int *ret_fd, char **ret_name, int *ret_status, char **ret_error);

/* Makes the folder (0755) and the socket (0666: who asks is checked per connection). A socket that a dead daemon
 * left is replaced; one that answers is somebody's. */
int weir_listen_unix(const char *path, int *ret_fd, int *ret_status, char **ret_error);

/* The secret for changes over TCP: state/token, made at first (0600, in a folder of 0700). */
int weir_token_load(const char *state, char **ret_token, int *ret_status, char **ret_error);
