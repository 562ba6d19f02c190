// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontends/web/assets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One text as each part of a request's head. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct web_hosts hosts;
	char *text = malloc(size + 1), origin[512];

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	web_hosts_init(&hosts, text, 9474);
	/* What is let through must have the form that later code relies on. */
	if (web_guard_host(&hosts, text) && !web_guard_host_syntax(text))
		__builtin_trap();
	if (!web_guard_uri(text) && (text[0] != '/' || strstr(text, "%00")))
		__builtin_trap();
	if (web_guard_token(text, "secret") != (strcmp(text, "secret") == 0))
		__builtin_trap();
	snprintf(origin, sizeof(origin), "http://%s", text);
	if (strlen(text) < 256 && !web_guard_origin(origin, text))
		__builtin_trap();
	web_guard_header_name(text, size);
	web_guard_header_value(text, size);
	web_asset_takes_gzip(text);
	web_asset_matches(&web_assets[0], text);
	free(text);
	return 0;
}
