// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sys/types.h>

/* Giving power up. A role calls weir_sandbox_drop() and then its own list, as the last thing before
 * it looks at input. There is no way back. */

/* Who the roles without rights run as: user "weir" where it exists, "nobody" otherwise. Reads the
 * user database, so it is called before the drop. Always succeeds. */
void weir_sandbox_identity(uid_t *ret_uid, gid_t *ret_gid);

/* Becomes that user without any capability, group or way to gain rights again; not dumpable; killed
 * when the parent dies. Without root the user stays as it is and the rest is done all the same.
 * -ESRCH: the parent is gone already; otherwise the error of the call that failed: the caller must
 * not go on then. */
int weir_sandbox_drop(uid_t uid, gid_t gid);

/* Leaves only the system calls that the gate needs: no file, no new socket, no process. Landlock
 * closes the file system a second time. *ret_missing is NULL, or one sentence about what this
 * kernel lacks; the rest holds. An error means that the filter could not be built or was refused.
 */
int weir_sandbox_gate(const char **ret_missing);

/* The engine's: bpf(2) on what it holds, files only for reading, no new socket, no process. As
 * above. */
int weir_sandbox_engine(const char **ret_missing);
