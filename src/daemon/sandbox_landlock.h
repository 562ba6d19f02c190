// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

/* Takes the whole file system away from this process, and the network and other processes' sockets
 * and signals where the kernel's Landlock covers them. Needs no_new_privs. -EOPNOTSUPP: this kernel
 * has no Landlock or it is switched off. */
int weir_landlock_nothing(void);
