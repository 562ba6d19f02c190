// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <linux/capability.h>

#include "base/cleanup.h"
#include "core/feature.h"
#include "core/probe_ability.h"
#include "features/drops/drops_reasons.h"
#include "frontends/words/said.h"
#include "frontends/words/words.h"

/* What the program itself holds is said in Chinese, whatever the sources look like. */

static int chinese(void **state)
{
	(void)state;
	weir_words_set(WEIR_LANGUAGE_ZH);
	return 0;
}

static unsigned untold;

static void expect_said(const char *text, const char *must_hold)
{
	char buf[WEIR_SAID_ROOM];
	const char *got = text ? weir_said(text, buf, sizeof(buf)) : NULL;

	if (!text || (got != text && (!must_hold || strstr(got, must_hold))))
		return;
	fprintf(stderr, "not in Chinese: %s\n", text);
	untold++;
}

/* A headline says nothing but the owner in Latin letters that the English has not. */
static void expect_headline(const struct drops_meaning *m, const char *owner, const char *said_as)
{
	char headline[256], summary[512], buf[WEIR_SAID_ROOM];

	assert_true(drops_headline(m, owner, headline, sizeof(headline)) > 0);
	expect_said(headline, strstr(m->headline, DROPS_OWNER_MARK) ? said_as : NULL);
	snprintf(summary, sizeof(summary), "12 packets a second lost on eth0: %s", headline);
	expect_said(summary, "eth0 ");
	assert_null(strstr(weir_said(summary, buf, sizeof(buf)), "the program"));
}

static void every_meaning_is_said(void **state)
{
	const struct drops_meaning *m;

	(void)state;
	untold = 0;
	for (size_t i = 0; (m = drops_meaning_at(i)); i++) {
		expect_said(m->sentence, NULL);
		expect_said(m->advice, NULL);
		if (!m->headline)
			continue;
		expect_headline(m, "nginx", "nginx ");
		expect_headline(m, NULL, "该程序");
		expect_headline(m, "evil: lost on x", "evil: lost on x ");
	}
	assert_int_equal(untold, 0);
}

/* Where a value of the sentence is not said, its English would stay in it. */
static void expect_whole(const char *text, const char *part)
{
	char buf[WEIR_SAID_ROOM];

	expect_said(text, NULL);
	if (text && strstr(weir_said(text, buf, sizeof(buf)), part)) {
		fprintf(stderr, "half in Chinese: %s\n", text);
		untold++;
	}
}

static void every_reason_of_an_ability_is_said(void **state)
{
	static const int errors[] = { -EINVAL, -ENOENT, -EPERM, -ENOSYS, -ENOMEM };
	static const struct weir_rights rights[] = {
		{},
		{ .capabilities = ~0ull },
		{ .capabilities = ~0ull, .user_namespace = true },
		{ .capabilities = ~0ull, .seccomp = true },
		{ .capabilities = ~0ull, .lockdown = "integrity" },
		{ .capabilities = ~0ull, .memlock_counts = true, .memlock_bytes = 65536 },
	};

	(void)state;
	untold = 0;
	for (unsigned a = 0; a < _WEIR_ABILITY_MAX; a++) {
		const char *what = weir_ability_help(a);
		struct weir_why why;

		/* The kernel's own word for it may be the Chinese one. */
		if (a == WEIR_ABILITY_KPROBE)
			what = "kprobes";
		for (size_t e = 0; e < ARRAY_SIZE(errors); e++) {
			weir_ability_explain(a, errors[e], &why);
			expect_whole(why.reason, what);
			expect_said(*why.cure ? why.cure : NULL, NULL);
			for (size_t r = 0; r < ARRAY_SIZE(rights); r++) {
				if (!weir_rights_explain(&rights[r], errors[e], WEIR_RIGHT(CAP_BPF),
							 what, &why))
					continue;
				expect_whole(why.reason, what);
				expect_said(*why.cure ? why.cure : NULL, NULL);
			}
		}
	}
	assert_int_equal(untold, 0);
}

static void every_set_of_hooks_is_said(void **state)
{
	(void)state;
	untold = 0;
	for (unsigned i = 0; weir_features[i]; i++)
		for (const struct weir_hook_set *s = weir_features[i]->hook_sets; s && s->name; s++)
			expect_said(s->serves, NULL);
	assert_int_equal(untold, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_meaning_is_said, chinese),
		cmocka_unit_test_setup(every_reason_of_an_ability_is_said, chinese),
		cmocka_unit_test_setup(every_set_of_hooks_is_said, chinese),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
