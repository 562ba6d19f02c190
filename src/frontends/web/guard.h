// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a request must look like before anything is done for it. Pure functions of its texts. */

#define WEB_HOST_TEXT 64

/* The names under which the TCP listener may be spoken to: a page of another name that resolves to
 * this address (DNS rebinding) is turned away. */
struct web_hosts {
	char listen[WEB_HOST_TEXT]; /* "127.0.0.1", "[::1]": the host that --listen named */
	uint16_t port;
};

/* listen is "ADDR:PORT"; port is the one that is really bound. */
void web_hosts_init(struct web_hosts *h, const char *listen, uint16_t port);

/* Whether a Host header may reach the TCP listener. */
bool web_guard_host(const struct web_hosts *h, const char *host);

/* Whether text is a host name or address with an optional port, nothing else. */
bool web_guard_host_syntax(const char *host);

/* Whether a host with an optional port is this machine's loopback by name. */
bool web_guard_host_is_loopback(const char *host);

/* Whether an Origin header names the http origin of host, where host may reach us. */
bool web_guard_origin(const char *origin, const char *host);

/* The path and query as the client sent them, before any decoding. NULL when good, else one
 * sentence: no control character or NUL in any disguise, no "..", no % in the path. */
const char *web_guard_uri(const char *raw);

/* Whether text is a header field's name, and whether text may be a header field's value. */
bool web_guard_header_name(const char *name, size_t len);
bool web_guard_header_value(const char *value, size_t len);

/* Compares without telling by its time how much was right. */
bool web_guard_token(const char *given, const char *token);
