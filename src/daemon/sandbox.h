// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* Giving power up. A role calls weir_sandbox_drop() and then its own list, as the last thing before
 * it looks at input. There is no way back. */

/* Who the roles without rights run as: user "weir" where it exists, "nobody" otherwise. Reads the
 * user database, so it is called before the drop. Always succeeds. */
void weir_sandbox_identity(uid_t *ret_uid, gid_t *ret_gid);

/* Whether this process, as root, has no right to become another user, as in a container with few
 * capabilities: the roles then stay root's without a single capability. One sentence and the cure.
 */
bool weir_sandbox_lacks(const char **ret_reason, const char **ret_cure);

/* Whether the roles become another user than the one they are started by. */
bool weir_sandbox_becomes_other(void);

/* Becomes that user without any capability, group or way to gain rights again; not dumpable; killed
 * when the parent dies. Without root, or where root has no right to change (weir_sandbox_lacks()),
 * the user stays as it is and the rest is done all the same. -ESRCH: the parent is gone already;
 * otherwise the error of the call that failed: the caller must not go on then. */
int weir_sandbox_drop(uid_t uid, gid_t gid);

/* The same, but for CAP_BPF: kernels before 5.19 let nobody without it read maps, open or not. */
int weir_sandbox_drop_to_maps(uid_t uid, gid_t gid);

/* Leaves only the system calls that the gate needs: no file, no new socket, no process. Landlock
 * closes the file system a second time. *ret_missing is NULL, or one sentence about what this
 * kernel lacks; the rest holds. An error means that the filter could not be built or was refused.
 */
int weir_sandbox_gate(const char **ret_missing);

/* For who writes captured packets to a file that is open: as the gate's, without connections. As above. */
int weir_sandbox_capture(const char **ret_missing);

/* The engine's: bpf(2) on what it holds, files only for reading, no new socket, no process. As
 * above. */
int weir_sandbox_engine(const char **ret_missing);

/* For a one-shot helper: becomes "nobody" with CAP_DAC_READ_SEARCH alone, the right to read any file; if it was not given
 * that, it stays the user that it is, without any. Otherwise as weir_sandbox_drop(). */
int weir_sandbox_drop_to_reading(void);

/* A helper's list: files only for reading, what is open already, and memory. As above. */
int weir_sandbox_helper(const char **ret_missing);

/* For who keeps history: where that is allowed the folder becomes the root of what it sees, and *folder "/". Called before
 * the drop. NULL: it keeps nothing, and nothing is done. *ret_lacks: the right for want of which *folder is as it was. */
int weir_sandbox_enter(const char **folder, const char **ret_lacks);

/* The store's: files in its folder (NULL: none at all), what is open already, and memory. No new socket, no process. As
 * above. */
int weir_sandbox_store(const char *folder, const char **ret_missing);
