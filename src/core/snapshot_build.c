// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "core/snapshot_image.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Names of users, units and containers repeat from row to row: what was put into the heap lately is found again by
 * its hash, one place each. A miss only costs heap. */
#define RECENT_BITS 12

struct builder_recent {
	uint64_t hash;
	uint64_t offset;
	uint64_t len;
};

struct weir_builder {
	int error;
	unsigned n_tables;
	const struct weir_table *defs[WEIR_IMAGE_TABLES_MAX];
	struct weir_image_table tables[WEIR_IMAGE_TABLES_MAX];
	struct weir_buf rows, heap;
	const struct weir_table *def; /* of the table started last */
	size_t row;		      /* offset of the row started last, in rows */
	bool has_row;
	const struct weir_run *run; /* who is asked, while it is being filled */
	struct builder_recent recent[1 << RECENT_BITS];
};

static void builder_empty(struct weir_builder *b)
{
	weir_buf_reset(&b->rows);
	weir_buf_reset(&b->heap);
	memset(b->recent, 0, sizeof(b->recent));
	b->n_tables = 0;
	b->def = NULL;
	b->has_row = false;
	/* The empty text, and the NUL in front. */
	weir_buf_char(&b->heap, '\0');
	b->error = b->heap.error;
}

struct weir_builder *weir_builder_new(void)
{
	struct weir_builder *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	builder_empty(b);
	return b->error ? weir_builder_free(b) : b;
}

struct weir_builder *weir_builder_free(struct weir_builder *b)
{
	if (!b)
		return NULL;
	weir_buf_done(&b->rows);
	weir_buf_done(&b->heap);
	free(b);
	return NULL;
}

void weir_builder_set_run(struct weir_builder *b, const struct weir_run *run)
{
	b->run = run;
}

const struct weir_run *weir_builder_run(const struct weir_builder *b)
{
	return b->run;
}

static void builder_fail(struct weir_builder *b, int error)
{
	if (!b->error)
		b->error = error;
	b->has_row = false;
}

void weir_builder_table(struct weir_builder *b, const struct weir_table *def)
{
	struct weir_image_table *t;

	assert(def->n_fields <= WEIR_FIELDS_MAX);
	assert(strlen(def->name) < WEIR_IMAGE_NAME);
	b->def = def;
	b->has_row = false;
	if (b->error)
		return;
	for (unsigned i = 0; i < b->n_tables; i++) {
		if (strcmp(b->tables[i].name, def->name) == 0) {
			builder_fail(b, -EEXIST);
			return;
		}
	}
	if (b->n_tables == WEIR_IMAGE_TABLES_MAX) {
		builder_fail(b, -E2BIG);
		return;
	}
	b->defs[b->n_tables] = def;
	t = &b->tables[b->n_tables++];
	*t = (struct weir_image_table){ .n_fields = def->n_fields, .rows_offset = b->rows.len };
	memcpy(t->name, def->name, strlen(def->name));
}

static uint64_t all_null(unsigned n_fields)
{
	return n_fields == 64 ? UINT64_MAX : (1ull << n_fields) - 1;
}

void weir_builder_row(struct weir_builder *b, uid_t owner_uid, uint64_t changed)
{
	size_t stride;
	struct weir_image_row *row;

	assert(b->def);
	if (b->error)
		return;
	stride = weir_image_stride(b->def->n_fields);
	row = (struct weir_image_row *)weir_buf_room(&b->rows, stride);
	if (!row) {
		builder_fail(b, b->rows.error);
		return;
	}
	row->uid = owner_uid;
	row->reserved = 0;
	row->changed = changed;
	row->nulls = all_null(b->def->n_fields);
	memset(row->cells, 0, stride - sizeof(*row));
	b->row = b->rows.len;
	b->rows.len += stride;
	b->has_row = true;
	b->tables[b->n_tables - 1].n_rows++;
}

/* Sets a cell and marks it as not null. */
static void builder_cell(struct weir_builder *b, unsigned field, enum weir_type type, uint64_t value)
{
	struct weir_image_row *row;

	assert(b->def && field < b->def->n_fields);
	assert(b->def->fields[field].type == type);
	(void)type;
	if (!b->has_row) {
		assert(b->error);
		return;
	}
	row = (struct weir_image_row *)(b->rows.data + b->row);
	row->nulls &= ~(1ull << field);
	row->cells[field] = value;
}

void weir_builder_uint(struct weir_builder *b, unsigned field, uint64_t value)
{
	builder_cell(b, field, WEIR_TYPE_UINT, value);
}

void weir_builder_int(struct weir_builder *b, unsigned field, int64_t value)
{
	builder_cell(b, field, WEIR_TYPE_INT, (uint64_t)value);
}

void weir_builder_bool(struct weir_builder *b, unsigned field, bool value)
{
	builder_cell(b, field, WEIR_TYPE_BOOL, value);
}

void weir_builder_time(struct weir_builder *b, unsigned field, uint64_t real_ns)
{
	builder_cell(b, field, WEIR_TYPE_TIME, real_ns);
}

/* Up to eight bytes as a number, by loads of fixed size: the middle may be read twice. */
static uint64_t load_tail(const char *bytes, size_t len)
{
	uint32_t low, high;

	if (len >= 4) {
		memcpy(&low, bytes, 4);
		memcpy(&high, bytes + len - 4, 4);
		return low | (uint64_t)high << 32;
	}
	if (!len)
		return 0;
	return (uint8_t)bytes[0] | (uint32_t)(uint8_t)bytes[len / 2] << 8 | (uint32_t)(uint8_t)bytes[len - 1] << 16;
}

/* Eight bytes at a time, multiplied and folded. Whoever makes texts collide makes the heap larger, no more. */
static uint64_t recent_hash(const char *bytes, size_t len)
{
	uint64_t h = len * 0x9e3779b97f4a7c15ull, word;

	for (; len > 8; bytes += 8, len -= 8) {
		memcpy(&word, bytes, 8);
		h = (h ^ word) * 0xff51afd7ed558ccdull;
		h ^= h >> 32;
	}
	h = (h ^ load_tail(bytes, len)) * 0xc4ceb9fe1a85ec53ull;
	return h ^ h >> 29;
}

/* Puts bytes and a NUL into the heap. */
static void heap_add(struct weir_builder *b, const char *bytes, size_t len, uint64_t *ret_offset)
{
	char *to = weir_buf_room(&b->heap, len + 1);

	*ret_offset = b->heap.len;
	if (!to) {
		builder_fail(b, b->heap.error);
		return;
	}
	memcpy(to, bytes, len);
	to[len] = '\0';
	b->heap.len += len + 1;
}

static void builder_text(struct weir_builder *b, unsigned field, const char *text, size_t len)
{
	uint64_t hash = recent_hash(text, len), offset;
	struct builder_recent *r = &b->recent[hash >> (64 - RECENT_BITS)];

	if (b->error)
		return;
	if (r->offset && r->hash == hash && r->len == len && memcmp(b->heap.data + r->offset, text, len) == 0) {
		builder_cell(b, field, WEIR_TYPE_TEXT, r->offset);
		return;
	}
	heap_add(b, text, len, &offset);
	if (!b->error)
		*r = (struct builder_recent){ .hash = hash, .offset = offset, .len = len };
	builder_cell(b, field, WEIR_TYPE_TEXT, offset);
}

void weir_builder_text(struct weir_builder *b, unsigned field, const char *text)
{
	if (text)
		builder_text(b, field, text, strlen(text));
}

void weir_builder_text_n(struct weir_builder *b, unsigned field, const char *text, size_t len)
{
	if (text)
		builder_text(b, field, text, strnlen(text, len));
}

/* Where the row before has the same address in the heap; 0: it has not. */
static uint64_t address_before(const struct weir_builder *b, unsigned field, const struct weir_addr *a)
{
	const struct weir_image_row *before;
	size_t stride = weir_image_stride(b->def->n_fields);

	if (b->tables[b->n_tables - 1].n_rows < 2)
		return 0;
	before = (const struct weir_image_row *)(b->rows.data + b->row - stride);
	if (before->nulls >> field & 1 || memcmp(b->heap.data + before->cells[field], a, sizeof(*a)) != 0)
		return 0;
	return before->cells[field];
}

/* Addresses differ from row to row more often than not, so they are not looked up among the recent texts. */
void weir_builder_address(struct weir_builder *b, unsigned field, const struct weir_addr *a)
{
	uint64_t offset;

	if (!a || !a->family || b->error)
		return;
	assert(b->def && field < b->def->n_fields && b->def->fields[field].type == WEIR_TYPE_ADDRESS);
	offset = address_before(b, field, a);
	if (!offset)
		heap_add(b, (const char *)a, sizeof(*a), &offset);
	builder_cell(b, field, WEIR_TYPE_ADDRESS, offset);
}

/* The parts of the block, in order. */
struct image_parts {
	struct weir_image_head head;
	struct weir_image_table tables[WEIR_IMAGE_TABLES_MAX];
	struct iovec iov[4];
};

static void builder_parts(struct weir_builder *b, const struct weir_snapshot_head *head, struct image_parts *p)
{
	size_t list = b->n_tables * sizeof(p->tables[0]);
	size_t rows = sizeof(p->head) + list;

	p->head = (struct weir_image_head){
		.magic = WEIR_IMAGE_MAGIC,
		.version = WEIR_IMAGE_VERSION,
		.n_tables = b->n_tables,
		.size = rows + b->rows.len + b->heap.len,
		.heap_offset = rows + b->rows.len,
		.heap_size = b->heap.len,
		.head = *head,
	};
	p->head.head.host[WEIR_HOST_TEXT - 1] = '\0';
	memcpy(p->tables, b->tables, list);
	for (unsigned i = 0; i < b->n_tables; i++)
		p->tables[i].rows_offset += rows;
	p->iov[0] = (struct iovec){ &p->head, sizeof(p->head) };
	p->iov[1] = (struct iovec){ p->tables, list };
	p->iov[2] = (struct iovec){ b->rows.data, b->rows.len };
	p->iov[3] = (struct iovec){ b->heap.data, b->heap.len };
}

static int parts_to_block(const struct image_parts *p, const struct weir_table *const *defs,
			  struct weir_snapshot **ret)
{
	_cleanup_free_ char *block = malloc(p->head.size);
	char *to = block;
	int r;

	if (!block)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(p->iov); i++) {
		if (p->iov[i].iov_len)
			memcpy(to, p->iov[i].iov_base, p->iov[i].iov_len);
		to += p->iov[i].iov_len;
	}
	r = weir_snapshot_adopt(block, p->head.size, defs, ret);
	if (r < 0)
		return r;
	block = NULL;
	return 0;
}

int weir_builder_finish(struct weir_builder *b, const struct weir_snapshot_head *head, struct weir_snapshot **ret)
{
	struct image_parts p;
	int r = b->error;

	if (!r) {
		builder_parts(b, head, &p);
		r = parts_to_block(&p, b->defs, ret);
	}
	builder_empty(b);
	return r;
}

static int parts_write(struct image_parts *p, int fd)
{
	struct iovec *iov = p->iov;
	int n = ARRAY_SIZE(p->iov);

	while (n) {
		ssize_t done = writev(fd, iov, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		for (; n && (size_t)done >= iov->iov_len; iov++, n--)
			done -= (ssize_t)iov->iov_len;
		if (n) {
			iov->iov_base = (char *)iov->iov_base + done;
			iov->iov_len -= (size_t)done;
		}
	}
	return 0;
}

static int parts_to_memfd(struct image_parts *p)
{
	_cleanup_close_ int fd = -1;
	int r;

	fd = memfd_create("weir-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) /* before Linux 6.3 */
		fd = memfd_create("weir-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = parts_write(p, fd);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return -errno;
	return TAKE_FD(fd);
}

int weir_builder_finish_fd(struct weir_builder *b, const struct weir_snapshot_head *head, int *ret_fd,
			   size_t *ret_size)
{
	struct image_parts p;
	int r = b->error;

	if (!r) {
		builder_parts(b, head, &p);
		r = parts_to_memfd(&p);
		if (r >= 0) {
			*ret_fd = r;
			*ret_size = p.head.size;
			r = 0;
		}
	}
	builder_empty(b);
	return r;
}
