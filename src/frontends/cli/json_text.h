// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* What -J and --ndjson do to a document that a daemon sent: its text is laid out differently, and
 * nothing in it is read and written again, so numbers and unknown members stay as they are. The
 * text is JSON without white space outside strings or with it; -EBADMSG for text whose brackets and
 * strings do not match. */

int cli_json_indent(struct weir_buf *out, const char *text, size_t len);

/* Appends each element of the document's "rows", one per line. With stamp, the document's "time"
 * and "snapshot" stand in front of each row's members, for streams in which several snapshots
 * follow each other. */
int cli_json_rows(struct weir_buf *out, const char *text, size_t len, bool stamp);
