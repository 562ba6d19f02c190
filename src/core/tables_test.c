// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/table_fixture.h"
#include "core/tables.h"

static void features_come_before_the_cores_own(void **state)
{
	(void)state;
	assert_ptr_equal(weir_table_at(0), &fixture_table);
	assert_ptr_equal(weir_table_at(1), &weir_table_doctor);
	assert_ptr_equal(weir_table_find("fixture"), &fixture_table);
	assert_ptr_equal(weir_table_find("audit"), &weir_table_audit);
	assert_null(weir_table_find(""));
	assert_null(weir_table_find("audit "));
	assert_null(weir_table_at(1000));
	assert_null(weir_table_at(UINT32_MAX));
}

/* What the frontends rely on, for each table there is. */
static void each_declaration_is_sound(void **state)
{
	const struct weir_table *t;
	unsigned n = 0;

	(void)state;
	for (; (t = weir_table_at(n)); n++) {
		assert_ptr_equal(weir_table_find(t->name), t); /* no two of one name */
		assert_non_null(t->summary);
		assert_true(t->n_fields > 0 && t->n_fields <= WEIR_FIELDS_MAX);
		assert_true(t->sort_field == WEIR_SORT_NONE || t->sort_field < t->n_fields);
		for (unsigned i = 0; i < t->n_fields; i++) {
			const struct weir_field *f = &t->fields[i];

			if (!f->name || !f->title || !f->help || f->type >= _WEIR_TYPE_MAX || f->unit >= _WEIR_UNIT_MAX)
				fail_msg("%s: field %u is not whole", t->name, i);
			for (unsigned k = 0; k < i; k++)
				assert_string_not_equal(t->fields[k].name, f->name);
			if (f->flags & WEIR_FIELD_LABEL)
				assert_int_equal(f->type, WEIR_TYPE_TEXT);
			if (f->metric)
				assert_true(f->type == WEIR_TYPE_UINT || f->type == WEIR_TYPE_INT);
			if (f->metric && f->flags & WEIR_FIELD_COUNTER)
				assert_string_equal(f->metric + strlen(f->metric) - 6, "_total");
		}
	}
	assert_int_equal(n, 21);
}

static void everybody_may_read_what_describes_the_host(void **state)
{
	(void)state;
	assert_true(weir_table_doctor.host_wide);
	assert_true(weir_table_hooks.host_wide);
	assert_false(weir_table_audit.host_wide);
	assert_false(weir_table_maps.host_wide);
	assert_true(weir_table_maps.internal && weir_table_self.internal && weir_table_self_cost.internal);
	assert_true(weir_table_self_losses.internal && weir_table_features_info.internal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features_come_before_the_cores_own),
		cmocka_unit_test(each_declaration_is_sound),
		cmocka_unit_test(everybody_may_read_what_describes_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
