// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "frontends/words/said.h"
#include "frontends/words/words.h"

/* A sentence with whatever a program calls itself, and less room than it may take: what comes back
 * ends inside it. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = size ? data[0] : 0;
	char *text = malloc(size + 1), *buf = malloc(room ? room : 1);
	const char *got;

	if (!text || !buf)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	weir_words_set(WEIR_LANGUAGE_ZH);
	got = weir_said(size ? text + 1 : text, buf, room);
	if (got == buf && !memchr(buf, '\0', room))
		abort();
	free(text);
	free(buf);
	return 0;
}
