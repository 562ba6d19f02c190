// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <arpa/inet.h>
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* For tests: messages from readable pieces. */

struct wire {
	uint8_t bytes[4096];
	size_t len;
	unsigned answers;
};

enum { WIRE_A = 1, WIRE_CNAME = 5, WIRE_PTR = 12, WIRE_AAAA = 28, WIRE_HTTPS = 65 };

#define WIRE_QUESTION "\xc0\x0c" /* the pointer to the question's name */

static inline void wire_add(struct wire *w, const void *bytes, size_t n)
{
	assert(w->len + n <= sizeof(w->bytes));
	memcpy(w->bytes + w->len, bytes, n);
	w->len += n;
}

static inline void wire_16(struct wire *w, unsigned v)
{
	wire_add(w, (uint8_t[]){ (uint8_t)(v >> 8), (uint8_t)v }, 2);
}

static inline void wire_name(struct wire *w, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");

		wire_add(w, (uint8_t[]){ (uint8_t)n }, 1);
		wire_add(w, name, n);
		name += n + (name[n] == '.');
	}
	wire_add(w, "", 1);
}

/* An answer without an error, to a question of this type; its records follow. */
static inline void wire_begin(struct wire *w, const char *name, unsigned type)
{
	memset(w, 0, sizeof(*w));
	wire_16(w, 4711);
	wire_16(w, 0x8180);
	wire_16(w, 1);
	wire_16(w, 0);
	wire_16(w, 0);
	wire_16(w, 0);
	wire_name(w, name);
	wire_16(w, type);
	wire_16(w, 1);
}

/* owner NULL: the question's name, by a pointer. */
static inline void wire_record(struct wire *w, const char *owner, unsigned type, unsigned ttl_s, const void *data,
			       size_t len)
{
	if (owner)
		wire_name(w, owner);
	else
		wire_add(w, WIRE_QUESTION, 2);
	wire_16(w, type);
	wire_16(w, 1);
	wire_16(w, ttl_s >> 16);
	wire_16(w, ttl_s & 0xffff);
	wire_16(w, (unsigned)len);
	wire_add(w, data, len);
	w->answers++;
	w->bytes[6] = (uint8_t)(w->answers >> 8);
	w->bytes[7] = (uint8_t)w->answers;
}

static inline void wire_address(struct wire *w, const char *owner, const char *address, unsigned ttl_s)
{
	uint8_t data[16];
	int family = strchr(address, ':') ? AF_INET6 : AF_INET, r = inet_pton(family, address, data);

	assert(r == 1);
	(void)r;
	wire_record(w, owner, family == AF_INET ? WIRE_A : WIRE_AAAA, ttl_s, data, family == AF_INET ? 4 : 16);
}

static inline void wire_alias(struct wire *w, const char *owner, const char *target)
{
	struct wire data = {};

	wire_name(&data, target);
	wire_record(w, owner, WIRE_CNAME, 60, data.bytes, data.len);
}
