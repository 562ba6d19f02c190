// SPDX-License-Identifier: GPL-2.0-or-later
#include "features/dns/dns_hosts.h"

#include <stdbool.h>
#include <string.h>

#include "features/dns/dns_message.h"

/* Copies the next word of the line into word, in lower case; false when there is none or it does not fit. */
static bool next_word(const char **at, const char *end, char *word, size_t room)
{
	size_t n = 0;

	while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r'))
		++*at;
	for (; *at < end && **at != ' ' && **at != '\t' && **at != '\r' && **at != '#'; ++*at) {
		char c = **at;

		if (n + 1 >= room || !c)
			return false;
		word[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	word[n] = 0;
	return n > 0;
}

static bool is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

	return n > 0 && !s[n];
}

static bool parse_line(const char *line, const char *end, struct weir_addr *addr, char name[DNS_NAME_TEXT])
{
	char address[WEIR_ADDR_TEXT];

	return next_word(&line, end, address, sizeof(address)) && weir_addr_parse(address, addr) == 0 &&
	       next_word(&line, end, name, DNS_NAME_TEXT) && is_name(name);
}

unsigned dns_hosts_parse(const char *text, size_t len, void (*take)(void *ctx, const struct weir_addr *a, const char *name),
			 void *ctx)
{
	const char *at = text, *end = text + len;
	char name[DNS_NAME_TEXT];
	struct weir_addr addr;
	unsigned n = 0;

	while (at < end && n < DNS_HOSTS_LINES_MAX) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;

		if (parse_line(at, stop, &addr, name)) {
			take(ctx, &addr, name);
			n++;
		}
		at = newline ? newline + 1 : end;
	}
	return n;
}
