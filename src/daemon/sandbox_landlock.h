// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Takes the whole file system away from this process, and the network and other processes' sockets
 * and signals where the kernel's Landlock covers them. Needs no_new_privs. -EOPNOTSUPP: this kernel
 * has no Landlock or it is switched off. */
int weir_landlock_nothing(void);

/* As above, but what is below these folders (descriptors, O_PATH will do) may be read. */
int weir_landlock_folders(const int *fds, unsigned n);

/* As above, but in this folder files may be made, read, written and removed. */
int weir_landlock_keep(int folder_fd);
