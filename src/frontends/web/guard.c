// SPDX-License-Identifier: GPL-2.0-or-later
#include "frontends/web/guard.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- hosts -------------------------------------------------------------------------------- */

/* The length of the host in "host", "host:port", "[v6]:port". */
static size_t host_len(const char *text)
{
	if (*text == '[') {
		const char *end = strchr(text, ']');
		return end ? (size_t)(end - text) + 1 : 0;
	}
	return strcspn(text, ":");
}

void web_hosts_init(struct web_hosts *h, const char *listen, uint16_t port)
{
	*h = (struct web_hosts){ .port = port };
	if (!listen)
		return;
	size_t len = host_len(listen);
	if (len < sizeof(h->listen))
		memcpy(h->listen, listen, len);
}

/* An empty port, and none, mean 80. */
static bool parse_port(const char *text, uint16_t *ret)
{
	if (*text == '\0') {
		*ret = 80;
		return true;
	}
	if (*text++ != ':')
		return false;
	size_t digits = strspn(text, "0123456789");
	if (digits == 0 || digits > 5 || text[digits] != '\0')
		return false;
	unsigned long port = strtoul(text, NULL, 10);
	*ret = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX;
}

static bool host_is(const char *host, size_t len, const char *name)
{
	return len == strlen(name) && strncasecmp(host, name, len) == 0;
}

static bool is_loopback_name(const char *host, size_t len)
{
	return host_is(host, len, "localhost") || host_is(host, len, "127.0.0.1") ||
	       host_is(host, len, "[::1]");
}

bool web_guard_host_syntax(const char *host)
{
	uint16_t port;
	size_t len = host_len(host);

	if (len == 0 || len > 253 || !parse_port(host + len, &port))
		return false;
	bool v6 = host[0] == '[';
	if (v6 && len < 4)
		return false;
	for (size_t i = v6; i < len - v6; i++) {
		unsigned char c = (unsigned char)host[i];
		if (v6 ? !isxdigit(c) && c != ':' && c != '.' : !isalnum(c) && !strchr("-._", c))
			return false;
	}
	return true;
}

bool web_guard_host_is_loopback(const char *host)
{
	return web_guard_host_syntax(host) && is_loopback_name(host, host_len(host));
}

bool web_guard_host(const struct web_hosts *h, const char *host)
{
	uint16_t port;
	size_t len = host_len(host);

	if (!web_guard_host_syntax(host) || !parse_port(host + len, &port) || port != h->port)
		return false;
	return is_loopback_name(host, len) || (h->listen[0] && host_is(host, len, h->listen));
}

bool web_guard_origin(const char *origin, const char *host)
{
	static const char scheme[] = "http://";

	if (strncasecmp(origin, scheme, sizeof(scheme) - 1) != 0)
		return false; /* "null" of a sandboxed frame or a file, https, extensions */
	return strcasecmp(origin + sizeof(scheme) - 1, host) == 0;
}

/* --- address and headers ------------------------------------------------------------------ */

static bool escapes_control(const char *at)
{
	return at[0] == '%' && isxdigit((unsigned char)at[1]) && isxdigit((unsigned char)at[2]) &&
	       (strchr("01", at[1]) || (at[1] == '7' && strchr("fF", at[2])));
}

const char *web_guard_uri(const char *raw)
{
	if (raw[0] != '/')
		return "the address must begin with a slash";
	size_t path = strcspn(raw, "?");
	for (const char *at = raw; *at; at++) {
		unsigned char c = (unsigned char)*at;
		if (c < 0x20 || c == 0x7f)
			return "the address holds a control character";
		/* A tab or a line break in a filter is white space there; NUL and the rest mean
		 * harm. */
		if (escapes_control(at) && strncmp(at, "%09", 3) != 0 &&
		    strncasecmp(at, "%0a", 3) != 0 && strncasecmp(at, "%0d", 3) != 0)
			return "the address holds an escaped control character";
	}
	for (size_t i = 0; i < path; i++) {
		unsigned char c = (unsigned char)raw[i];
		if (!isalnum(c) && !strchr("/._-~", c))
			return "the path holds a character that no path here has";
		if (c == '.' && raw[i + 1] == '.')
			return "the path leads upwards";
	}
	return NULL;
}

bool web_guard_header_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) &&
		    (name[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", name[i])))
			return false;
	return len > 0;
}

bool web_guard_header_value(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

bool web_guard_token(const char *given, const char *token)
{
	if (!given || !token || !*token)
		return false;
	size_t given_len = strlen(given), len = strlen(token);
	volatile size_t differs = given_len ^ len;
	/* The time depends on the secret's length alone. */
	for (size_t i = 0; i < len; i++)
		differs |= (size_t)(unsigned char)token[i] ^
			   (size_t)(unsigned char)given[given_len ? i % given_len : 0];
	return differs == 0;
}
