// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Files in folders that somebody else writes. Paths are relative, have no ".." and are walked part by part: a symbolic
 * link anywhere on the way is refused, and so is whatever is not a regular file or a folder. */

/* Opens a folder with O_PATH. The descriptor, or -errno. */
int containers_folder_open(int folder, const char *path);

/* Appends the file's bytes. -EFBIG for more than max, -EINVAL for anything but a regular file. */
int containers_file_read(int folder, const char *path, size_t max, struct weir_buf *ret);

/* Whether there is a folder of that name. */
bool containers_folder_has(int folder, const char *name);
