// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

/* One daemon has one folder of state. Makes the folder (0700) and takes it: the descriptor holds it until it is closed,
 * however the daemon ends. On failure *ret_error is one line (what, where, why, the cure) that the caller frees, and
 * *ret_status the exit status it means. */
int weir_state_lock(const char *state, int *ret_fd, int *ret_status, char **ret_error);

/* Makes the folder of that name in it (0700), gives it and the files in it to the user who is to keep something there, and
 * returns its path, which the caller frees. Errors: -errno, e.g. when it is no folder. */
int weir_state_folder(const char *state, const char *name, uid_t uid, gid_t gid, char **ret_path);
