// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The page's files, compiled in: no path of the file system can be asked for. The table is written
 * by tools/embed-assets at build time. */

struct web_asset {
	const char *path; /* "/app.js"; NULL ends the table */
	const char *type;
	const char *etag; /* of the content, without quotes */
	const unsigned char *gzip;
	size_t gzip_len;
	size_t len;	/* once inflated */
	bool immutable; /* its name changes with its content */
};

extern const struct web_asset web_assets[];

/* "/" is the index. NULL: no such file. */
const struct web_asset *web_asset_find(const char *path);

/* For clients that do not take gzip: inflates into *ret (len bytes, caller frees). -ENOMEM, or
 * -EBADMSG for a table that does not hold together. */
int web_asset_inflate(const struct web_asset *a, char **ret);

/* Whether a request's Accept-Encoding (may be NULL) takes gzip. */
bool web_asset_takes_gzip(const char *accept_encoding);

/* Whether a request's If-None-Match (may be NULL) names this file's ETag, in any encoding. */
bool web_asset_matches(const struct web_asset *a, const char *if_none_match);
