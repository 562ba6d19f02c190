// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"

static void decoding(void **state)
{
	static const struct {
		const char *what, *bytes;
		size_t len, taken;
		uint32_t character;
	} rows[] = {
		{ "ASCII", "a", 1, 1, 'a' },
		{ "NUL is a character", "\0", 1, 1, 0 },
		{ "first of two bytes", "\xc2\x80", 2, 2, 0x80 },
		{ "last of two bytes", "\xdf\xbf", 2, 2, 0x7ff },
		{ "first of three bytes", "\xe0\xa0\x80", 3, 3, 0x800 },
		{ "last of three bytes", "\xef\xbf\xbf", 3, 3, 0xffff },
		{ "first of four bytes", "\xf0\x90\x80\x80", 4, 4, 0x10000 },
		{ "the last character there is", "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff },
		{ "beyond the last character", "\xf4\x90\x80\x80", 4, 1, WEIR_TEXT_BAD },
		{ "overlong of two bytes", "\xc1\xbf", 2, 1, WEIR_TEXT_BAD },
		{ "overlong of three bytes", "\xe0\x9f\xbf", 3, 1, WEIR_TEXT_BAD },
		{ "overlong of four bytes", "\xf0\x8f\xbf\xbf", 4, 1, WEIR_TEXT_BAD },
		{ "first surrogate", "\xed\xa0\x80", 3, 1, WEIR_TEXT_BAD },
		{ "last surrogate", "\xed\xbf\xbf", 3, 1, WEIR_TEXT_BAD },
		{ "just before the surrogates", "\xed\x9f\xbf", 3, 3, 0xd7ff },
		{ "a lone continuation byte", "\x80", 1, 1, WEIR_TEXT_BAD },
		{ "cut off after one byte", "\xe6\xb5\x8b", 1, 1, WEIR_TEXT_BAD },
		{ "cut off after two bytes", "\xe6\xb5\x8b", 2, 1, WEIR_TEXT_BAD },
		{ "a letter where a continuation must be", "\xe6" "ab", 3, 1, WEIR_TEXT_BAD },
		{ "a byte that UTF-8 does not know", "\xff", 1, 1, WEIR_TEXT_BAD },
		{ "five bytes, as UTF-8 once had", "\xf8\x88\x80\x80\x80", 5, 1, WEIR_TEXT_BAD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t c = 0;

		if (weir_text_utf8_next(rows[i].bytes, rows[i].len, &c) != rows[i].taken || c != rows[i].character)
			fail_msg("%s: got %#x", rows[i].what, c);
		assert_int_equal(weir_text_utf8_valid(rows[i].bytes, rows[i].taken), c != WEIR_TEXT_BAD);
	}
	assert_true(weir_text_utf8_valid("", 0));
	assert_false(weir_text_utf8_valid("abc\xff", 4));
}

static void each_character_survives(void **state)
{
	(void)state;
	for (uint32_t c = 0x80; c <= 0x10ffff; c++) {
		char s[4];
		size_t n = 0;
		uint32_t back;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		if (c < 0x800) {
			s[n++] = (char)(0xc0 | c >> 6);
		} else if (c < 0x10000) {
			s[n++] = (char)(0xe0 | c >> 12);
			s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		} else {
			s[n++] = (char)(0xf0 | c >> 18);
			s[n++] = (char)(0x80 | (c >> 12 & 0x3f));
			s[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		}
		s[n++] = (char)(0x80 | (c & 0x3f));
		if (weir_text_utf8_next(s, n, &back) != n || back != c)
			fail_msg("U+%04X came back as %#x", c, back);
	}
}

static void names_on_a_terminal(void **state)
{
	static const struct {
		const char *what, *text;
		size_t columns;
		const char *shown;
	} rows[] = {
		{ "plain", "nginx", 99, "nginx" },
		{ "it just fits", "nginx", 5, "nginx" },
		{ "one too long", "nginx", 4, "ngi\u2026" },
		{ "one column", "nginx", 1, "\u2026" },
		{ "one column for one character", "n", 1, "n" },
		{ "no column", "nginx", 0, "" },
		{ "empty", "", 5, "" },
		{ "escape sequence", "\x1b[31mred", 99, "\\x1b[31mred" },
		{ "title sequence", "\x1b]0;owned\x07", 99, "\\x1b]0;owned\\x07" },
		{ "newline forges no line", "a\n<3>b\r", 99, "a\\x0a<3>b\\x0d" },
		{ "DEL", "a\x7f", 99, "a\\x7f" },
		{ "C1 as UTF-8", "\xc2\x9b" "2J", 99, "\\u{9b}2J" },
		{ "C1 as a byte", "\x9b" "2J", 99, "\\x9b2J" },
		{ "right-to-left override", "a\xe2\x80\xae" "b", 99, "a\\u{202e}b" },
		{ "isolates", "\xe2\x81\xa6\xe2\x81\xa9", 99, "\\u{2066}\\u{2069}" },
		{ "line separator", "\xe2\x80\xa8", 99, "\\u{2028}" },
		{ "zero-width space", "a\xe2\x80\x8b" "b", 99, "a\\u{200b}b" },
		{ "byte order mark", "\xef\xbb\xbf", 99, "\\u{feff}" },
		{ "invalid bytes", "a\xff" "b\xc0\xaf", 99, "a\\xffb\\xc0\\xaf" },
		{ "systemd's own backslashes stay", "a\\x2db", 99, "a\\x2db" },
		{ "wide characters count two", "\u6d4b\u8bd5", 4, "\u6d4b\u8bd5" },
		{ "half a wide character is none", "\u6d4b\u8bd5", 3, "\u6d4b\u2026" },
		{ "nor is there room for it beside the ellipsis", "\u6d4b\u8bd5", 2, "\u2026" },
		{ "an escape is cut as a whole", "ab\x1b" "cd", 5, "ab\u2026" },
		{ "combining marks take no column", "e\u0301x", 2, "e\u0301x" },
		{ "a mark without a base", "\u0301x", 99, "\\u{301}x" },
		{ "a tower of marks", "e\u0301\u0301\u0301\u0301", 99, "e\u0301\u0301\u0301\\u{301}" },
		{ "marks on an escape", "\x1b\u0301", 99, "\\x1b\\u{301}" },
		{ "a character nobody assigned", "\xf0\x9f\xbf\xbf", 99, "\\u{1ffff}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct weir_buf b = { 0 };

		weir_buf_str(&b, "|");
		weir_text_escape_terminal(&b, rows[i].text, rows[i].columns);
		if (strcmp(b.data + 1, rows[i].shown) != 0)
			fail_msg("%s: %s", rows[i].what, b.data + 1);
		if (rows[i].columns == 99)
			assert_int_equal(weir_text_columns(rows[i].text), weir_text_columns(b.data + 1));
		else
			assert_true(weir_text_columns(b.data + 1) <= rows[i].columns);
		weir_buf_done(&b);
	}
}

/* Whatever is shown is plain, and showing it again changes nothing. */
static void any_bytes_come_out_inert(void **state)
{
	struct weir_buf b = { 0 };
	uint64_t seed = 42;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		char text[24] = { 0 };
		size_t columns;

		for (size_t i = 0; i < sizeof(text) - 1; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			text[i] = (char)(seed >> 56 | 1);
		}
		columns = seed >> 40 & 31;
		weir_buf_reset(&b);
		weir_text_escape_terminal(&b, text, columns);
		if (columns)
			assert_true(weir_text_utf8_valid(b.data, b.len));
		assert_true(!b.len || weir_text_columns(b.data) <= columns);
		for (size_t i = 0; i < b.len;) {
			uint32_t c;

			i += weir_text_utf8_next(b.data + i, b.len - i, &c);
			assert_false(weir_text_is_control(c));
		}
	}
	weir_buf_done(&b);
}

static void distances(void **state)
{
	static const struct {
		const char *what, *a, *b;
		unsigned steps;
	} rows[] = {
		{ "the same", "listen", "listen", 0 },
		{ "both empty", "", "", 0 },
		{ "one empty", "", "abc", 3 },
		{ "a letter missing", "lisen", "listen", 1 },
		{ "a letter too many", "listten", "listen", 1 },
		{ "another letter", "lixten", "listen", 1 },
		{ "neighbours that changed places", "lisetn", "listen", 1 },
		{ "nothing alike", "abc", "xyz", 3 },
		{ "too long to resemble anything", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a",
		  WEIR_TEXT_DISTANCE_FAR },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(weir_text_distance(rows[i].a, rows[i].b), rows[i].steps);
		assert_int_equal(weir_text_distance(rows[i].b, rows[i].a), rows[i].steps);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoding),
		cmocka_unit_test(each_character_survives),
		cmocka_unit_test(names_on_a_terminal),
		cmocka_unit_test(any_bytes_come_out_inert),
		cmocka_unit_test(distances),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
