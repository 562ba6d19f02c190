// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "core/tables.h"
#include "frontends/words/words_private.h"

static void environment(const char *weir, const char *all, const char *messages, const char *lang)
{
	const char *const names[] = { "WEIR_LANG", "LC_ALL", "LC_MESSAGES", "LANG" };
	const char *const values[] = { weir, all, messages, lang };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (values[i])
			setenv(names[i], values[i], 1);
		else
			unsetenv(names[i]);
	weir_words_init();
}

static void the_language_is_what_the_environment_says_first(void **state)
{
	static const struct {
		const char *weir, *all, *messages, *lang;
		enum weir_language want;
	} rows[] = {
		{ NULL, NULL, NULL, NULL, WEIR_LANGUAGE_EN },
		{ NULL, NULL, NULL, "zh_CN.UTF-8", WEIR_LANGUAGE_ZH },
		{ NULL, NULL, "zh_TW.UTF-8", "C", WEIR_LANGUAGE_ZH },
		{ NULL, "C.UTF-8", "zh_CN.UTF-8", "zh_CN.UTF-8", WEIR_LANGUAGE_EN },
		{ NULL, "", "", "zh_CN.UTF-8", WEIR_LANGUAGE_ZH },
		{ "en", "zh_CN.UTF-8", NULL, NULL, WEIR_LANGUAGE_EN },
		{ "zh", "C", NULL, NULL, WEIR_LANGUAGE_ZH },
		{ "of nobody", "C", NULL, "zh_CN.UTF-8", WEIR_LANGUAGE_EN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		environment(rows[i].weir, rows[i].all, rows[i].messages, rows[i].lang);
		assert_int_equal(weir_words_language(), rows[i].want);
	}
	weir_words_set(WEIR_LANGUAGE_EN);
}

static void expect_processes(const char *n, const char *want)
{
	_cleanup_(weir_buf_done) struct weir_buf b = {};

	weir_say_head_processes(&b, n);
	assert_int_equal(b.error, 0);
	assert_string_equal(b.data, want);
}

static void a_phrase_is_filled_in(void **state)
{
	(void)state;
	expect_processes("1", "; 1 process");
	expect_processes("12", "; 12 processes");
	expect_processes("{0}", "; {0} processes");
	weir_words_set(WEIR_LANGUAGE_ZH);
	expect_processes("1", "\uff1b1 \u4e2a\u8fdb\u7a0b");
	assert_string_equal(weir_word(WORD_TAB_NOW), "\u6b64\u523b");
	assert_string_equal(weir_word_in(WEIR_LANGUAGE_EN, WORD_TAB_NOW), "Now");
	weir_words_set(WEIR_LANGUAGE_EN);
}

/* Chinese beside each declaration that people see, and the same English. */
static void titles_and_help_are_those_of_the_declarations(void **state)
{
	unsigned known = 0;

	(void)state;
	for (unsigned i = 0; i + 1 < weir_words_n_fields; i++)
		assert_true(strcmp(weir_words_fields[i].name, weir_words_fields[i + 1].name) < 0);
	for (unsigned t = 0; weir_table_at(t); t++) {
		const struct weir_table *table = weir_table_at(t);

		for (unsigned k = 0; !table->internal && k < table->n_fields; k++) {
			const struct weir_field *declared = &table->fields[k];
			const struct weir_words_field *f;
			char name[160];

			snprintf(name, sizeof(name), "%s.%s", table->name, declared->name);
			for (f = weir_words_fields; f->name && strcmp(f->name, name) != 0; f++)
				;
			if (!f->name)
				fail_msg("%s has no Chinese: src/frontends/words/fields.tsv", name);
			known++;
			assert_string_equal(declared->title, f->title[WEIR_LANGUAGE_EN]);
			assert_string_equal(declared->help, f->help[WEIR_LANGUAGE_EN]);
			weir_words_set(WEIR_LANGUAGE_ZH);
			assert_string_equal(weir_word_title(table, k), f->title[WEIR_LANGUAGE_ZH]);
			assert_string_equal(weir_word_help(table, k), f->help[WEIR_LANGUAGE_ZH]);
			weir_words_set(WEIR_LANGUAGE_EN);
		}
	}
	assert_int_equal(known, weir_words_n_fields);
}

static void every_text_can_be_shown(void **state)
{
	(void)state;
	weir_text_init();
	for (unsigned i = WORD_NONE + 1; i < _WEIR_WORD_MAX; i++)
		for (unsigned l = 0; l < _WEIR_LANGUAGE_MAX; l++) {
			_cleanup_(weir_buf_done) struct weir_buf b = {};

			weir_text_escape_terminal(&b, weir_words_texts[i][l], WEIR_TEXT_UNLIMITED);
			assert_string_equal(b.data, weir_words_texts[i][l]);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_language_is_what_the_environment_says_first),
		cmocka_unit_test(a_phrase_is_filled_in),
		cmocka_unit_test(titles_and_help_are_those_of_the_declarations),
		cmocka_unit_test(every_text_can_be_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
