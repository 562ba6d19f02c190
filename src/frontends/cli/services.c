// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/cli/services.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

#define SERVICES "/etc/services"
#define BYTES_MAX (1u << 20)
#define LINE_MAX_BYTES 256

static int by_port(const void *a, const void *b)
{
	const struct cli_service *x = a, *y = b;

	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return x->udp - y->udp;
}

static bool is_name(const char *s)
{
	for (; *s; s++)
		if (!isascii((unsigned char)*s) || (!isalnum((unsigned char)*s) && !strchr("-_+.", *s)))
			return false;
	return true;
}

static bool parse_line(const char *line, size_t len, struct cli_service *ret)
{
	char text[LINE_MAX_BYTES], protocol[8];
	unsigned port;

	if (len >= sizeof(text))
		return false;
	memcpy(text, line, len);
	text[len] = 0;
	text[strcspn(text, "#")] = 0;
	if (sscanf(text, "%31s %5u/%7s", ret->name, &port, protocol) != 3 || port > UINT16_MAX || !is_name(ret->name))
		return false;
	/* What filled its room may have been longer. */
	if (strlen(ret->name) == sizeof(ret->name) - 1)
		return false;
	ret->port = (uint16_t)port;
	ret->udp = !strcmp(protocol, "udp");
	return ret->udp || !strcmp(protocol, "tcp");
}

static bool has(const struct cli_service *list, size_t n, const struct cli_service *s)
{
	for (size_t i = 0; i < n; i++)
		if (by_port(&list[i], s) == 0)
			return true;
	return false;
}

size_t cli_services_parse(const char *text, size_t len, struct cli_service ret[CLI_SERVICES_MAX])
{
	const char *at = text, *end = text + len;
	size_t n = 0;

	while (at < end && n < CLI_SERVICES_MAX) {
		const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;

		if (parse_line(at, (size_t)(stop - at), &ret[n]) && !has(ret, n, &ret[n]))
			n++;
		at = newline ? newline + 1 : end;
	}
	qsort(ret, n, sizeof(*ret), by_port);
	return n;
}

static size_t read_services(struct cli_service *ret)
{
	_cleanup_close_ int fd = open(SERVICES, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *text = malloc(BYTES_MAX);
	size_t len = 0;
	ssize_t n = 1;

	while (fd >= 0 && text && n > 0 && len < BYTES_MAX) {
		n = read(fd, text + len, BYTES_MAX - len);
		len += n > 0 ? (size_t)n : 0;
	}
	return text ? cli_services_parse(text, len, ret) : 0;
}

const char *cli_service_name(uint64_t port, const char *transport)
{
	static struct cli_service services[CLI_SERVICES_MAX];
	static size_t n;
	static bool known;
	struct cli_service key = { .port = (uint16_t)port };
	const struct cli_service *found;

	if (!transport || !port || port > UINT16_MAX)
		return NULL;
	key.udp = !strcmp(transport, "udp");
	if (!key.udp && strcmp(transport, "tcp") != 0 && strcmp(transport, "mptcp") != 0)
		return NULL;
	if (!known)
		n = read_services(services);
	known = true;
	found = bsearch(&key, services, n, sizeof(key), by_port);
	return found ? found->name : NULL;
}
