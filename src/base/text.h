// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Text from outside: UTF-8 decoding, and showing a hostile name so that it stays inert. */

#define WEIR_TEXT_BAD UINT32_MAX /* not a character: a byte that is not part of valid UTF-8 */

/* Decodes the character at s, which has len > 0 bytes. Returns how many bytes it takes (1 to 4). A byte that does
 * not belong to valid UTF-8 (overlong, surrogate, beyond U+10FFFF, cut off) takes 1 and gives WEIR_TEXT_BAD. */
size_t weir_text_utf8_next(const char *s, size_t len, uint32_t *ret);

bool weir_text_utf8_valid(const char *s, size_t len);

/* Whether a character changes what surrounds it instead of showing itself: control characters (C0, DEL, C1),
 * line and paragraph separators, bidirectional overrides and isolates, invisible format characters. */
bool weir_text_is_control(uint32_t character);

/* Loads the C library's table of characters. The functions below do it when it was not done; a process that gives
 * up opening files calls this before, or sees all but ASCII escaped. weir_log_init() does. */
void weir_text_init(void);

#define WEIR_TEXT_UNLIMITED SIZE_MAX

/* Appends s for a terminal. Control characters and bytes that are not UTF-8 read \x1b, other characters that are
 * not printable \u{202e}; at most three combining marks stay on one character. What is wider than max_columns is
 * cut and ends in an ellipsis. */
void weir_text_escape_terminal(struct weir_buf *b, const char *s, size_t max_columns);

/* The columns that s takes once escaped as above. */
size_t weir_text_columns(const char *s);

#define WEIR_TEXT_DISTANCE_FAR 48

/* How many letters are wrong: insertions, deletions, replacements and neighbours that changed places (optimal string
 * alignment). A text of more than WEIR_TEXT_DISTANCE_FAR bytes resembles nothing and is that far. */
unsigned weir_text_distance(const char *a, const char *b);
