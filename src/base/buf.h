// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* A growing byte buffer. Zero-initialise it. Once memory ran out, .error stays -ENOMEM, appends do nothing
 * and the caller checks once at the end. data is NUL-terminated whenever it is not NULL (not counted in len). */
struct weir_buf {
	char *data;
	size_t len, cap;
	int error;
};

void weir_buf_done(struct weir_buf *b);  /* frees, leaves it ready for use */
void weir_buf_reset(struct weir_buf *b); /* empties, keeps the memory, clears the error */
void weir_buf_add(struct weir_buf *b, const void *bytes, size_t n);
void weir_buf_str(struct weir_buf *b, const char *s);
void weir_buf_char(struct weir_buf *b, char c);
void weir_buf_spaces(struct weir_buf *b, size_t n);
void weir_buf_uint(struct weir_buf *b, uint64_t v); /* decimal */
void weir_buf_printf(struct weir_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void weir_buf_vprintf(struct weir_buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Hands the text over as what is said of an error: in *ret, which the caller frees; the buffer is empty afterwards. Returns
 * error; -ENOMEM when memory ran out, *ret is NULL then. */
int weir_buf_error(struct weir_buf *b, int error, char **ret);

/* The same in one: what is said of an error, put together. */
int weir_fail(char **ret, int error, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Makes room for n more bytes; NULL when memory ran out. The caller writes there and adds to len. */
char *weir_buf_room(struct weir_buf *b, size_t n);
