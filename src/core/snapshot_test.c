// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/snapshot.h"
#include "core/snapshot_image.h"
#include "core/table_fixture.h"
#include "core/tables.h"

static const struct weir_snapshot_head head = {
	.number = 7, .mono_ns = 11, .real_ns = 1769860799123456789ull, .lost_events = 3, .host = "weirhost",
};

static struct weir_builder *builder;

static int make_builder(void **state)
{
	(void)state;
	builder = weir_builder_new();
	return !builder;
}

static int free_builder(void **state)
{
	(void)state;
	builder = weir_builder_free(builder);
	return builder != NULL;
}

static void add_rows(unsigned n)
{
	weir_builder_table(builder, &fixture_table);
	for (unsigned i = 0; i < n; i++) {
		struct weir_addr a = { .bytes = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i }, .family = AF_INET };
		char name[32];

		snprintf(name, sizeof(name), "worker-%u", i % 5);
		weir_builder_row(builder, 1000 + i, i);
		weir_builder_uint(builder, FIXTURE_PID, i);
		weir_builder_text(builder, FIXTURE_COMM, name);
		weir_builder_text_n(builder, FIXTURE_EXE, "/usr/bin/x and more", 10);
		weir_builder_int(builder, FIXTURE_DELTA, -(int64_t)i);
		weir_builder_bool(builder, FIXTURE_LIVE, i & 1);
		weir_builder_time(builder, FIXTURE_SEEN, i * 1000ull);
		weir_builder_address(builder, FIXTURE_PEER, &a);
		weir_builder_uint(builder, FIXTURE_BYTES, UINT64_MAX - i);
	}
}

static void check_rows(const struct weir_snapshot *s, unsigned n)
{
	struct weir_rows r;

	assert_int_equal(weir_snapshot_rows(s, &fixture_table, &r), 0);
	assert_int_equal(r.n, n);
	assert_ptr_equal(r.def, &fixture_table);
	for (unsigned i = 0; i < n; i++) {
		struct weir_addr a;
		char name[32];

		snprintf(name, sizeof(name), "worker-%u", i % 5);
		assert_int_equal(weir_row_uid(&r, i), 1000 + i);
		assert_int_equal(weir_row_changed(&r, i), i);
		assert_int_equal(weir_cell_uint(&r, i, FIXTURE_PID), i);
		assert_string_equal(weir_cell_text(&r, i, FIXTURE_COMM), name);
		assert_string_equal(weir_cell_text(&r, i, FIXTURE_EXE), "/usr/bin/x");
		assert_true((int64_t)weir_cell_uint(&r, i, FIXTURE_DELTA) == -(int64_t)i);
		assert_int_equal(weir_cell_uint(&r, i, FIXTURE_LIVE), i & 1);
		assert_int_equal(weir_cell_uint(&r, i, FIXTURE_SEEN), i * 1000);
		assert_int_equal(weir_cell_uint(&r, i, FIXTURE_BYTES), UINT64_MAX - i);
		weir_cell_address(&r, i, FIXTURE_PEER, &a);
		assert_int_equal(a.family, AF_INET);
		assert_int_equal(a.bytes[0], 10);
		assert_int_equal(a.bytes[3], (uint8_t)i);
		assert_false(weir_cell_null(&r, i, FIXTURE_PID));
		assert_true(weir_cell_null(&r, i, FIXTURE_NOTE));
		assert_null(weir_cell_text(&r, i, FIXTURE_NOTE));
		assert_int_equal(weir_cell_uint(&r, i, FIXTURE_UDP_TX), 0);
		assert_int_equal(weir_row_nulls(&r, i) >> FIXTURE_UDP_TX & 1, 1);
	}
}

static void what_was_built_is_read(void **state)
{
	struct weir_snapshot *s;

	(void)state;
	add_rows(300);
	assert_int_equal(weir_builder_finish(builder, &head, &s), 0);
	check_rows(s, 300);
	assert_memory_equal(weir_snapshot_head(s), &head, sizeof(head));
	assert_ptr_equal(weir_snapshot_ref(s), s);
	assert_null(weir_snapshot_unref(s));
	check_rows(s, 300);
	assert_null(weir_snapshot_unref(s));
	assert_null(weir_snapshot_unref(NULL));
}

static void cells_are_read_by_name(void **state)
{
	struct weir_snapshot *s;
	struct weir_rows r;

	(void)state;
	add_rows(2);
	assert_int_equal(weir_builder_finish(builder, &head, &s), 0);
	assert_int_equal(weir_snapshot_rows(s, &fixture_table, &r), 0);
	assert_int_equal(weir_table_field(&fixture_table, "tx_bytes"), FIXTURE_BYTES);
	assert_int_equal(weir_table_field(&fixture_table, "byte"), -ENOENT);
	assert_int_equal(weir_table_keys(&fixture_table), 1 << FIXTURE_PID);
	assert_true(weir_row_has(&r, 1, "pid"));
	assert_int_equal(weir_row_number(&r, 1, "pid"), 1);
	assert_string_equal(weir_row_text(&r, 1, "comm"), "worker-1");
	assert_true(weir_row_is(&r, 1, "comm", "worker-1"));
	assert_false(weir_row_is(&r, 1, "comm", "worker-12"));
	assert_false(weir_row_is(&r, 1, "by_transport.note", "")); /* null is no text */
	assert_false(weir_row_is(&r, 1, "byte", ""));              /* and there is no such field */
	/* null */
	assert_false(weir_row_has(&r, 1, "by_transport.note"));
	assert_null(weir_row_text(&r, 1, "by_transport.note"));
	/* no such field */
	assert_false(weir_row_has(&r, 1, "byte"));
	assert_int_equal(weir_row_number(&r, 1, "byte"), 0);
	assert_null(weir_row_text(&r, 1, "byte"));
	weir_snapshot_unref(s);
}

static void another_process_reads_the_same(void **state)
{
	_cleanup_close_ int fd = -1;
	struct weir_snapshot *s;
	size_t size = 0;

	(void)state;
	add_rows(300);
	assert_int_equal(weir_builder_finish_fd(builder, &head, &fd, &size), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), size);
	assert_int_equal(weir_snapshot_map(fd, &s), 0);
	check_rows(s, 300);
	assert_string_equal(weir_snapshot_head(s)->host, "weirhost");
	weir_snapshot_unref(s);
}

static void the_descriptor_is_sealed(void **state)
{
	_cleanup_close_ int fd = -1;
	size_t size;

	(void)state;
	add_rows(1);
	assert_int_equal(weir_builder_finish_fd(builder, &head, &fd, &size), 0);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, (off_t)size + 1), -1);
	assert_ptr_equal(mmap(NULL, size, PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
}

static void a_builder_can_be_used_again(void **state)
{
	(void)state;
	for (unsigned n = 0; n < 5; n++) {
		struct weir_snapshot *s;

		add_rows(n * 10);
		weir_builder_table(builder, &weir_table_maps);
		weir_builder_row(builder, WEIR_UID_HOST, 0);
		weir_builder_text(builder, MAPS_MAP, "sockets");
		assert_int_equal(weir_builder_finish(builder, &head, &s), 0);
		check_rows(s, n * 10);
		weir_snapshot_unref(s);
	}
}

static void tables_stand_side_by_side(void **state)
{
	struct weir_snapshot *s;
	struct weir_rows r = { .n = 99 };

	(void)state;
	weir_builder_table(builder, &weir_table_maps);
	weir_builder_row(builder, WEIR_UID_HOST, 0);
	weir_builder_text(builder, MAPS_MAP, "a");
	add_rows(3);
	weir_builder_table(builder, &weir_table_self); /* no rows */
	assert_int_equal(weir_builder_finish(builder, &head, &s), 0);
	check_rows(s, 3);
	assert_int_equal(weir_snapshot_rows(s, &weir_table_doctor, &r), -ENOENT);
	assert_int_equal(r.n, 99);
	assert_int_equal(weir_snapshot_rows(s, &weir_table_self, &r), 0);
	assert_int_equal(r.n, 0);
	assert_int_equal(weir_snapshot_rows(s, &weir_table_maps, &r), 0);
	assert_int_equal(r.n, 1);
	assert_string_equal(weir_cell_text(&r, 0, MAPS_MAP), "a");
	weir_snapshot_unref(s);
}

static void a_snapshot_may_be_empty(void **state)
{
	_cleanup_close_ int fd = -1;
	struct weir_snapshot *s;
	size_t size;

	(void)state;
	assert_int_equal(weir_builder_finish_fd(builder, &head, &fd, &size), 0);
	assert_int_equal(weir_snapshot_map(fd, &s), 0);
	weir_snapshot_unref(s);
}

static void a_table_twice_is_an_error_and_the_builder_goes_on(void **state)
{
	struct weir_snapshot *s = NULL;

	(void)state;
	add_rows(2);
	add_rows(2);
	assert_int_equal(weir_builder_finish(builder, &head, &s), -EEXIST);
	assert_null(s);
	add_rows(2);
	assert_int_equal(weir_builder_finish(builder, &head, &s), 0);
	check_rows(s, 2);
	weir_snapshot_unref(s);
}

static void texts_of_any_length_and_none(void **state)
{
	struct weir_addr none = { .family = 0 };
	struct weir_snapshot *s;
	struct weir_rows r;
	char text[200];

	(void)state;
	weir_builder_table(builder, &fixture_table);
	weir_builder_row(builder, 0, 0);
	weir_builder_text(builder, FIXTURE_COMM, NULL);
	weir_builder_text_n(builder, FIXTURE_EXE, "a\0b", 3);
	weir_builder_text(builder, FIXTURE_NOTE, "");
	weir_builder_address(builder, FIXTURE_PEER, &none);
	for (size_t len = 0; len < sizeof(text); len++) {
		memset(text, 'a' + (int)(len % 3), len);
		text[len] = '\0';
		weir_builder_row(builder, 0, 0);
		weir_builder_text(builder, FIXTURE_COMM, text);
	}
	assert_int_equal(weir_builder_finish(builder, &head, &s), 0);
	assert_int_equal(weir_snapshot_rows(s, &fixture_table, &r), 0);
	assert_null(weir_cell_text(&r, 0, FIXTURE_COMM));
	assert_string_equal(weir_cell_text(&r, 0, FIXTURE_EXE), "a");
	assert_string_equal(weir_cell_text(&r, 0, FIXTURE_NOTE), "");
	assert_true(weir_cell_null(&r, 0, FIXTURE_PEER));
	for (size_t len = 0; len < sizeof(text); len++) {
		const char *t = weir_cell_text(&r, len + 1, FIXTURE_COMM);

		assert_int_equal(strlen(t), len);
		assert_true(!len || t[0] == 'a' + (int)(len % 3));
	}
	weir_snapshot_unref(s);
}

static void equal_texts_stand_in_the_heap_once(void **state)
{
	struct weir_snapshot *s;
	struct weir_rows r;

	(void)state;
	add_rows(100);
	assert_int_equal(weir_builder_finish(builder, &head, &s), 0);
	assert_int_equal(weir_snapshot_rows(s, &fixture_table, &r), 0);
	assert_ptr_equal(weir_cell_text(&r, 3, FIXTURE_COMM), weir_cell_text(&r, 98, FIXTURE_COMM));
	weir_snapshot_unref(s);
}

/* --- damaged blocks ------------------------------------------------------------------------ */

static int sealed(const void *bytes, size_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW), 0);
	return fd;
}

/* Reads every cell of every table, so that a sanitizer or a fault finds a bad offset. */
static uint64_t read_all(const struct weir_snapshot *s)
{
	const struct weir_table *def;
	uint64_t sum = strlen(weir_snapshot_head(s)->host);
	struct weir_rows r;

	for (unsigned t = 0; (def = weir_table_at(t)); t++) {
		if (weir_snapshot_rows(s, def, &r) < 0)
			continue;
		for (size_t row = 0; row < r.n; row++) {
			for (unsigned f = 0; f < def->n_fields; f++) {
				struct weir_addr a;

				sum += weir_cell_uint(&r, row, f);
				if (def->fields[f].type == WEIR_TYPE_TEXT && weir_cell_text(&r, row, f))
					sum += strlen(weir_cell_text(&r, row, f));
				if (def->fields[f].type == WEIR_TYPE_ADDRESS) {
					weir_cell_address(&r, row, f, &a);
					sum += a.bytes[15] + a.family;
				}
			}
		}
	}
	return sum;
}

static size_t make_image(uint8_t *image, size_t max)
{
	_cleanup_close_ int fd = -1;
	size_t size;

	add_rows(2);
	weir_builder_table(builder, &weir_table_hooks);
	weir_builder_row(builder, WEIR_UID_HOST, 1);
	weir_builder_text(builder, HOOKS_PROGRAM, "send");
	assert_int_equal(weir_builder_finish_fd(builder, &head, &fd, &size), 0);
	assert_true(size <= max);
	assert_int_equal(pread(fd, image, size, 0), size);
	return size;
}

static void every_flipped_byte_is_refused_or_harmless(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x08, 0x80, 0xff };
	unsigned refused = 0, taken = 0;
	uint8_t image[8192];
	size_t size = make_image(image, sizeof(image));

	(void)state;
	for (size_t at = 0; at < size; at++) {
		for (size_t i = 0; i < ARRAY_SIZE(flips); i++) {
			_cleanup_close_ int fd = -1;
			struct weir_snapshot *s = NULL;
			int r;

			image[at] ^= flips[i];
			fd = sealed(image, size);
			image[at] ^= flips[i];
			r = weir_snapshot_map(fd, &s);
			assert_true(r == 0 || r == -EBADMSG);
			if (r == 0)
				assert_true(read_all(s) != 1); /* the sum is used, so all is read */
			taken += r == 0;
			refused += r != 0;
			weir_snapshot_unref(s);
		}
	}
	assert_true(refused > 200 && taken > 200); /* the loop did both */
}

static void every_truncation_is_refused(void **state)
{
	uint8_t image[8192];
	size_t size = make_image(image, sizeof(image));

	(void)state;
	for (size_t len = 0; len < size; len++) {
		_cleanup_close_ int fd = sealed(image, len);
		struct weir_snapshot *s = NULL;

		assert_int_equal(weir_snapshot_map(fd, &s), -EBADMSG);
		assert_null(s);
	}
}

static void changed_words_are_refused(void **state)
{
	static const struct {
		const char *what;
		size_t offset; /* of a 64-bit word in the block */
		uint64_t value;
	} rows[] = {
		{ "more rows than 64 bits of offset", sizeof(struct weir_image_head) +
		  offsetof(struct weir_image_table, n_rows), UINT64_MAX },
		{ "so many rows that their size overflows to a small one", sizeof(struct weir_image_head) +
		  offsetof(struct weir_image_table, n_rows), 1ull << 61 },
		{ "rows past the end", sizeof(struct weir_image_head) +
		  offsetof(struct weir_image_table, rows_offset), 1 << 20 },
		{ "rows before the beginning", sizeof(struct weir_image_head) +
		  offsetof(struct weir_image_table, rows_offset), UINT64_MAX - 7 },
		{ "rows at an odd place", sizeof(struct weir_image_head) +
		  offsetof(struct weir_image_table, rows_offset), 337 },
		{ "a field more", sizeof(struct weir_image_head) +
		  offsetof(struct weir_image_table, n_fields), _FIXTURE_FIELD_MAX + 1 },
		{ "a heap past the end", offsetof(struct weir_image_head, heap_offset), 1 << 20 },
		{ "a heap that wraps", offsetof(struct weir_image_head, heap_size), UINT64_MAX },
		{ "no heap", offsetof(struct weir_image_head, heap_size), 0 },
		{ "a table of another name", sizeof(struct weir_image_head), 0x6e6f6e65 },
		{ "another magic", 0, 1 },
		{ "another size", offsetof(struct weir_image_head, size), 8 },
	};
	uint8_t image[8192], copy[8192];
	size_t size = make_image(image, sizeof(image));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_close_ int fd = -1;
		struct weir_snapshot *s = NULL;

		memcpy(copy, image, size);
		memcpy(copy + rows[i].offset, &rows[i].value, sizeof(rows[i].value));
		fd = sealed(copy, size);
		if (weir_snapshot_map(fd, &s) != -EBADMSG)
			fail_msg("%s was taken", rows[i].what);
	}
}

static void what_is_not_sealed_is_refused(void **state)
{
	uint8_t image[8192];
	size_t size = make_image(image, sizeof(image));
	struct weir_snapshot *s = NULL;
	_cleanup_close_ int open_fd = memfd_create("image", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	_cleanup_close_ int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(write(open_fd, image, size), size);
	assert_int_equal(weir_snapshot_map(open_fd, &s), -EBADMSG);
	assert_int_equal(fcntl(open_fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_equal(weir_snapshot_map(open_fd, &s), -EBADMSG);
	assert_int_equal(weir_snapshot_map(null, &s), -EBADMSG);
	assert_int_equal(weir_snapshot_map(-1, &s), -EBADMSG);
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_built_is_read, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(cells_are_read_by_name, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(another_process_reads_the_same, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(the_descriptor_is_sealed, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(a_builder_can_be_used_again, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(tables_stand_side_by_side, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(a_snapshot_may_be_empty, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(a_table_twice_is_an_error_and_the_builder_goes_on, make_builder,
						free_builder),
		cmocka_unit_test_setup_teardown(texts_of_any_length_and_none, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(equal_texts_stand_in_the_heap_once, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(every_flipped_byte_is_refused_or_harmless, make_builder,
						free_builder),
		cmocka_unit_test_setup_teardown(every_truncation_is_refused, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(changed_words_are_refused, make_builder, free_builder),
		cmocka_unit_test_setup_teardown(what_is_not_sealed_is_refused, make_builder, free_builder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
