// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/url.h"

#include <stdbool.h>
#include <string.h>

/* Not isalnum(): the locale has no say in a URL. */
static bool unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("-._~", c));
}

void cli_url_escape(struct weir_buf *out, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = *text;

		if (unreserved(*text)) {
			weir_buf_char(out, *text);
			continue;
		}
		weir_buf_char(out, '%');
		weir_buf_char(out, digits[c >> 4]);
		weir_buf_char(out, digits[c & 15]);
	}
}

void cli_url_parameter(struct weir_buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	weir_buf_char(out, out->data && strchr(out->data, '?') ? '&' : '?');
	weir_buf_str(out, name);
	weir_buf_char(out, '=');
	cli_url_escape(out, value);
}
