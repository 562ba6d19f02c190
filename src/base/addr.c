// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static unsigned addr_bits(uint8_t family)
{
	return family == AF_INET ? 32 : 128;
}

static char *put_byte(char *to, uint8_t v)
{
	if (v >= 100)
		*to++ = (char)('0' + v / 100);
	if (v >= 10)
		*to++ = (char)('0' + v / 10 % 10);
	*to++ = (char)('0' + v % 10);
	return to;
}

/* A document can hold ten thousand of them: inet_ntop() goes through sprintf(). */
static const char *addr_format_ipv4(const struct weir_addr *a, char buf[WEIR_ADDR_TEXT])
{
	char *to = buf;

	for (unsigned i = 0; i < 4; i++) {
		to = put_byte(to, a->bytes[i]);
		*to++ = '.';
	}
	to[-1] = '\0';
	return buf;
}

const char *weir_addr_format(const struct weir_addr *a, char buf[WEIR_ADDR_TEXT])
{
	if (a->family == AF_INET)
		return addr_format_ipv4(a, buf);
	if (a->family != AF_INET6 || !inet_ntop(AF_INET6, a->bytes, buf, WEIR_ADDR_TEXT))
		memcpy(buf, "-", 2);
	return buf;
}

int weir_addr_parse(const char *text, struct weir_addr *ret)
{
	struct weir_addr a = { .family = AF_INET };

	if (inet_pton(AF_INET, text, a.bytes) != 1) {
		a = (struct weir_addr){ .family = AF_INET6 };
		if (inet_pton(AF_INET6, text, a.bytes) != 1)
			return -EINVAL;
	}
	*ret = a;
	return 0;
}

/* "0" to "128", digits only and without a leading zero, which some would read as octal. */
static int prefix_parse_bits(const char *text, unsigned max, uint8_t *ret)
{
	unsigned bits = 0;

	if (!*text || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		bits = bits * 10 + (unsigned)(*text - '0');
		if (bits > max)
			return -EINVAL;
	}
	*ret = (uint8_t)bits;
	return 0;
}

static bool addr_host_bits_clear(const struct weir_addr *a, unsigned bits)
{
	for (unsigned i = bits; i < addr_bits(a->family); i++)
		if (a->bytes[i / 8] & (0x80 >> i % 8))
			return false;
	return true;
}

/* Host bits stay as they are written. */
static int prefix_read(const char *text, struct weir_prefix *ret)
{
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	char addr[WEIR_ADDR_TEXT];
	struct weir_prefix p;
	int r;

	if (len >= sizeof(addr))
		return -EINVAL;
	memcpy(addr, text, len);
	addr[len] = '\0';
	r = weir_addr_parse(addr, &p.addr);
	if (r < 0)
		return r;

	p.bits = (uint8_t)addr_bits(p.addr.family);
	if (slash) {
		r = prefix_parse_bits(slash + 1, addr_bits(p.addr.family), &p.bits);
		if (r < 0)
			return r;
	}
	*ret = p;
	return 0;
}

int weir_prefix_parse(const char *text, struct weir_prefix *ret)
{
	struct weir_prefix p;
	int r = prefix_read(text, &p);

	if (r < 0)
		return r;
	if (!addr_host_bits_clear(&p.addr, p.bits))
		return -EINVAL;
	*ret = p;
	return 0;
}

int weir_prefix_around(const char *text, struct weir_prefix *ret)
{
	struct weir_prefix p;
	int r = prefix_read(text, &p);

	if (r < 0)
		return r;
	for (unsigned i = p.bits; i < addr_bits(p.addr.family); i++)
		p.addr.bytes[i / 8] &= (uint8_t)~(0x80 >> i % 8);
	*ret = p;
	return 0;
}

bool weir_prefix_match(const struct weir_prefix *p, const struct weir_addr *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *bytes = a->bytes;
	unsigned whole = p->bits / 8, rest = p->bits % 8;

	if (p->addr.family != a->family) {
		if (p->addr.family != AF_INET || a->family != AF_INET6 ||
		    memcmp(bytes, mapped, sizeof(mapped)) != 0)
			return false;
		bytes += sizeof(mapped);
	}
	if (memcmp(p->addr.bytes, bytes, whole) != 0)
		return false;
	if (!rest)
		return true;
	return ((p->addr.bytes[whole] ^ bytes[whole]) & (0xff00 >> rest) & 0xff) == 0;
}
