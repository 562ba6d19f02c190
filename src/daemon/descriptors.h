// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>

/* Closes every descriptor but these (-1: none), so that nothing that was inherited by accident goes on. Sorts them. */
void weir_keep_only(int *fds, size_t n);
