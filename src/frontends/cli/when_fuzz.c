// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <string.h>

#include "base/cleanup.h"
#include "frontends/cli/when.h"

/* Any text gives a time that is not in the future, or one line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint64_t now = 1795356167ull * 1000000000;
	_cleanup_free_ char *text = strndup((const char *)data, size);
	uint64_t first = 0, second = 0, seconds = 0;
	char buf[CLI_WHEN_TEXT];

	if (!text)
		return 0;
	for (int zone = 0; zone < 2; zone++) {
		_cleanup_free_ char *why = NULL, *why_until = NULL, *why_step = NULL;

		setenv("TZ", zone ? "Europe/Berlin" : "UTC", 1);
		if (cli_when_parse("--since", text, now, CLI_WHEN_SINCE, &first, &why) == 0) {
			if (first > now || why)
				__builtin_trap();
			/* Where both are there, the span is not turned round. */
			if (cli_when_parse("--until", text, now, CLI_WHEN_UNTIL, &second, &why_until) == 0 && second < first)
				__builtin_trap();
			if (!*cli_when_short(first, now, buf) || !*cli_when_full(first, buf))
				__builtin_trap();
		} else if (!why || strchr(why, '\n')) {
			__builtin_trap();
		}
		if (cli_when_step("--step", text, &seconds, &why_step) == 0 && (!seconds || !*cli_when_span(seconds, buf)))
			__builtin_trap();
	}
	return 0;
}
