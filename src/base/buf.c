// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 256

void weir_buf_done(struct weir_buf *b)
{
	free(b->data);
	*b = (struct weir_buf){ 0 };
}

void weir_buf_reset(struct weir_buf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->data)
		b->data[0] = '\0';
}

static int buf_grow(struct weir_buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST;
	char *data;

	while (cap < need) {
		if (cap > SIZE_MAX / 2)
			return -ENOMEM;
		cap *= 2;
	}
	data = realloc(b->data, cap);
	if (!data)
		return -ENOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

char *weir_buf_room(struct weir_buf *b, size_t n)
{
	if (b->error)
		return NULL;
	if (n >= SIZE_MAX - b->len) {
		b->error = -ENOMEM;
		return NULL;
	}
	/* One more than asked for: the NUL behind what will be written. */
	if (b->len + n + 1 > b->cap) {
		b->error = buf_grow(b, b->len + n + 1);
		if (b->error)
			return NULL;
		b->data[b->len] = '\0';
	}
	return b->data + b->len;
}

void weir_buf_add(struct weir_buf *b, const void *bytes, size_t n)
{
	char *to = weir_buf_room(b, n);

	if (!to)
		return;
	if (n) /* bytes may be NULL then */
		memcpy(to, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void weir_buf_str(struct weir_buf *b, const char *s)
{
	weir_buf_add(b, s, strlen(s));
}

void weir_buf_char(struct weir_buf *b, char c)
{
	weir_buf_add(b, &c, 1);
}

void weir_buf_spaces(struct weir_buf *b, size_t n)
{
	while (n--)
		weir_buf_char(b, ' ');
}

void weir_buf_uint(struct weir_buf *b, uint64_t v)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char digits[20];
	size_t at = sizeof(digits);

	for (; v >= 10; v /= 100) {
		at -= 2;
		memcpy(digits + at, pairs + v % 100 * 2, 2);
	}
	/* What is left is one digit, or nothing when the pairs came out even. */
	if (v || at == sizeof(digits))
		digits[--at] = (char)('0' + v);
	weir_buf_add(b, digits + at, sizeof(digits) - at);
}

void weir_buf_vprintf(struct weir_buf *b, const char *fmt, va_list ap)
{
	char *to = weir_buf_room(b, 0);
	va_list again;
	int n;

	if (!to)
		return;
	va_copy(again, ap);
	n = vsnprintf(to, b->cap - b->len, fmt, ap);
	if (n >= 0 && (size_t)n >= b->cap - b->len) {
		/* It did not fit: now its length is known. */
		to = weir_buf_room(b, (size_t)n);
		if (to)
			n = vsnprintf(to, (size_t)n + 1, fmt, again);
	}
	va_end(again);
	if (n < 0 && !b->error)
		b->error = -ENOMEM;
	if (b->error) {
		if (b->data)
			b->data[b->len] = '\0';
		return;
	}
	b->len += (size_t)n;
}

void weir_buf_printf(struct weir_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	weir_buf_vprintf(b, fmt, ap);
	va_end(ap);
}

int weir_buf_error(struct weir_buf *b, int error, char **ret)
{
	*ret = NULL;
	if (b->error) {
		weir_buf_done(b);
		return -ENOMEM;
	}
	*ret = b->data;
	*b = (struct weir_buf){ 0 };
	return error;
}

int weir_fail(char **ret, int error, const char *fmt, ...)
{
	struct weir_buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	weir_buf_vprintf(&b, fmt, ap);
	va_end(ap);
	return weir_buf_error(&b, error, ret);
}
