// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/assets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/cleanup.h"

#define GZIP_WINDOW (15 + 16) /* the largest window, with a gzip head */

const struct web_asset *web_asset_find(const char *path)
{
	if (strcmp(path, "/") == 0)
		path = "/index.html";
	for (const struct web_asset *a = web_assets; a->path; a++)
		if (strcmp(a->path, path) == 0)
			return a;
	return NULL;
}

int web_asset_inflate(const struct web_asset *a, char **ret)
{
	_cleanup_free_ char *plain = malloc(a->len ? a->len : 1);
	z_stream z = {
		.next_in = (unsigned char *)a->gzip,
		.avail_in = (unsigned)a->gzip_len,
		.next_out = (unsigned char *)plain,
		.avail_out = (unsigned)a->len,
	};

	if (!plain || inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return -ENOMEM;
	int r = inflate(&z, Z_FINISH);
	bool whole = r == Z_STREAM_END && z.total_out == a->len;
	inflateEnd(&z);
	if (!whole)
		return -EBADMSG;
	*ret = TAKE_PTR(plain);
	return 0;
}

/* "gzip;q=0" refuses it; any other weight takes it. */
static bool weight_is_zero(const char *params, size_t len)
{
	const char *end = params + len;
	const char *q = memchr(params, 'q', len);

	if (!q || q + 1 >= end || q[1] != '=')
		return false;
	for (q += 2; q < end && *q != ' ' && *q != ';'; q++)
		if (*q != '0' && *q != '.')
			return false;
	return true;
}

bool web_asset_takes_gzip(const char *accept_encoding)
{
	const char *at = accept_encoding;

	while (at && *at) {
		at += strspn(at, ", \t");
		size_t len = strcspn(at, ",");
		size_t name = strcspn(at, ",; \t");
		if (name == 4 && strncasecmp(at, "gzip", 4) == 0)
			return !weight_is_zero(at + name, len - name);
		at += len;
	}
	return false;
}

bool web_asset_matches(const struct web_asset *a, const char *if_none_match)
{
	size_t len = strlen(a->etag);

	if (!if_none_match)
		return false;
	if (strcmp(if_none_match, "*") == 0)
		return true;
	/* W/"etag", "etag-gz": the quote in front makes it a whole word. */
	for (const char *at = if_none_match; (at = strchr(at, '"')); at++) {
		if (strncmp(at + 1, a->etag, len) != 0)
			continue;
		const char *rest = at + 1 + len;
		if (*rest == '"' || strncmp(rest, "-gz\"", 4) == 0)
			return true;
	}
	return false;
}
