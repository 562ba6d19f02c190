// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "core/snapshot_image.h"
#include "core/tables.h"

struct weir_snapshot {
	unsigned refs;
	bool mapped; /* or from malloc */
	uint8_t *block;
	size_t size;
	const struct weir_table *defs[WEIR_IMAGE_TABLES_MAX];
};

static const struct weir_image_head *image_head(const struct weir_snapshot *s)
{
	return (const struct weir_image_head *)s->block;
}

static const struct weir_image_table *image_tables(const struct weir_snapshot *s)
{
	return (const struct weir_image_table *)(s->block + sizeof(struct weir_image_head));
}

static const struct weir_image_row *image_row(const struct weir_rows *r, size_t row)
{
	assert(row < r->n);
	return (const struct weir_image_row *)(r->base + row * r->stride);
}

static struct weir_snapshot *snapshot_new(void *block, size_t size, bool mapped)
{
	struct weir_snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->refs = 1;
	s->block = block;
	s->size = size;
	s->mapped = mapped;
	return s;
}

int weir_snapshot_adopt(void *block, size_t size, const struct weir_table *const *defs, struct weir_snapshot **ret)
{
	struct weir_snapshot *s = snapshot_new(block, size, false);

	if (!s)
		return -ENOMEM;
	memcpy(s->defs, defs, image_head(s)->n_tables * sizeof(defs[0]));
	*ret = s;
	return 0;
}

struct weir_snapshot *weir_snapshot_ref(struct weir_snapshot *s)
{
	assert(s->refs);
	s->refs++;
	return s;
}

struct weir_snapshot *weir_snapshot_unref(struct weir_snapshot *s)
{
	if (!s)
		return NULL;
	assert(s->refs);
	if (--s->refs)
		return NULL;
	if (s->mapped)
		munmap(s->block, s->size);
	else
		free(s->block);
	free(s);
	return NULL;
}

static bool range_inside(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

static bool check_head(const struct weir_snapshot *s)
{
	const struct weir_image_head *h = image_head(s);

	return h->magic == WEIR_IMAGE_MAGIC && h->version == WEIR_IMAGE_VERSION && h->size == s->size &&
	       h->n_tables <= WEIR_IMAGE_TABLES_MAX &&
	       range_inside(sizeof(*h), h->n_tables * sizeof(struct weir_image_table), s->size) &&
	       h->heap_size > 0 && range_inside(h->heap_offset, h->heap_size, s->size) &&
	       s->block[h->heap_offset + h->heap_size - 1] == '\0' &&
	       memchr(h->head.host, '\0', sizeof(h->head.host));
}

/* Those of these cells that are not null lie inside the heap, len bytes each. Text ends in it because the heap's last byte
 * is NUL. */
static bool check_cells(const struct weir_image_row *row, uint64_t fields, uint64_t len, uint64_t heap_size)
{
	for (uint64_t left = fields & ~row->nulls; left; left &= left - 1)
		if (!range_inside(row->cells[__builtin_ctzll(left)], len, heap_size))
			return false;
	return true;
}

static uint64_t fields_of(const struct weir_table *def, enum weir_type type)
{
	uint64_t fields = 0;

	for (unsigned i = 0; i < def->n_fields; i++)
		if (def->fields[i].type == type)
			fields |= 1ull << i;
	return fields;
}

/* Row by row, so that each is read once. */
static bool check_rows(const struct weir_snapshot *s, const struct weir_rows *r)
{
	uint64_t texts = fields_of(r->def, WEIR_TYPE_TEXT), addresses = fields_of(r->def, WEIR_TYPE_ADDRESS);
	uint64_t heap_size = image_head(s)->heap_size;

	for (size_t i = 0; i < r->n; i++) {
		const struct weir_image_row *row = image_row(r, i);

		if (!check_cells(row, texts, 1, heap_size) || !check_cells(row, addresses, sizeof(struct weir_addr), heap_size))
			return false;
	}
	return true;
}

static bool check_table(const struct weir_snapshot *s, const struct weir_image_table *t,
			const struct weir_table *def)
{
	size_t stride = weir_image_stride(def->n_fields);
	struct weir_rows r = { .def = def, .n = t->n_rows, .stride = stride };

	if (t->n_fields != def->n_fields || t->rows_offset % 8 || t->n_rows > UINT32_MAX ||
	    !range_inside(t->rows_offset, t->n_rows * stride, s->size))
		return false;
	r.base = s->block + t->rows_offset;
	return check_rows(s, &r);
}

static int snapshot_check(struct weir_snapshot *s)
{
	const struct weir_image_table *tables = image_tables(s);

	if (!check_head(s))
		return -EBADMSG;
	for (unsigned i = 0; i < image_head(s)->n_tables; i++) {
		if (!memchr(tables[i].name, '\0', sizeof(tables[i].name)))
			return -EBADMSG;
		s->defs[i] = weir_table_find(tables[i].name);
		if (!s->defs[i] || !check_table(s, &tables[i], s->defs[i]))
			return -EBADMSG;
		for (unsigned k = 0; k < i; k++)
			if (s->defs[k] == s->defs[i])
				return -EBADMSG;
	}
	return 0;
}

int weir_snapshot_map(int fd, struct weir_snapshot **ret)
{
	const int needed = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;
	struct weir_snapshot *s;
	struct stat st;
	void *block;
	int seals, r;

	/* Unsealed it could change after the check, or shrink under a reader. */
	seals = fcntl(fd, F_GET_SEALS);
	if (seals < 0 || (seals & needed) != needed)
		return -EBADMSG;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < (off_t)sizeof(struct weir_image_head))
		return -EBADMSG;
	/* Private, because Linux before 6.7 refuses any shared mapping of a write-sealed file. */
	block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (block == MAP_FAILED)
		return -errno;
	s = snapshot_new(block, (size_t)st.st_size, true);
	if (!s) {
		munmap(block, (size_t)st.st_size);
		return -ENOMEM;
	}
	r = snapshot_check(s);
	if (r < 0) {
		weir_snapshot_unref(s);
		return r;
	}
	*ret = s;
	return 0;
}

const struct weir_snapshot_head *weir_snapshot_head(const struct weir_snapshot *s)
{
	return &image_head(s)->head;
}

int weir_snapshot_rows(const struct weir_snapshot *s, const struct weir_table *def, struct weir_rows *ret)
{
	const struct weir_image_table *tables = image_tables(s);

	for (unsigned i = 0; i < image_head(s)->n_tables; i++) {
		if (s->defs[i] != def)
			continue;
		*ret = (struct weir_rows){
			.def = def,
			.n = tables[i].n_rows,
			.stride = weir_image_stride(def->n_fields),
			.base = s->block + tables[i].rows_offset,
			.heap = s->block + image_head(s)->heap_offset,
		};
		return 0;
	}
	return -ENOENT;
}

uid_t weir_row_uid(const struct weir_rows *r, size_t row)
{
	return image_row(r, row)->uid;
}

uint64_t weir_row_changed(const struct weir_rows *r, size_t row)
{
	return image_row(r, row)->changed;
}

uint64_t weir_row_nulls(const struct weir_rows *r, size_t row)
{
	return image_row(r, row)->nulls;
}

bool weir_cell_null(const struct weir_rows *r, size_t row, unsigned field)
{
	assert(field < r->def->n_fields);
	return image_row(r, row)->nulls >> field & 1;
}

uint64_t weir_cell_uint(const struct weir_rows *r, size_t row, unsigned field)
{
	assert(field < r->def->n_fields);
	return weir_cell_null(r, row, field) ? 0 : image_row(r, row)->cells[field];
}

const char *weir_cell_text(const struct weir_rows *r, size_t row, unsigned field)
{
	assert(field < r->def->n_fields && r->def->fields[field].type == WEIR_TYPE_TEXT);
	if (weir_cell_null(r, row, field))
		return NULL;
	return (const char *)r->heap + image_row(r, row)->cells[field];
}

void weir_cell_address(const struct weir_rows *r, size_t row, unsigned field, struct weir_addr *ret)
{
	assert(field < r->def->n_fields && r->def->fields[field].type == WEIR_TYPE_ADDRESS);
	*ret = (struct weir_addr){ 0 };
	if (weir_cell_null(r, row, field))
		return;
	memcpy(ret, r->heap + image_row(r, row)->cells[field], sizeof(*ret));
	if (ret->family != AF_INET && ret->family != AF_INET6)
		*ret = (struct weir_addr){ 0 };
}

int weir_table_field(const struct weir_table *table, const char *name)
{
	for (unsigned i = 0; i < table->n_fields; i++)
		if (strcmp(table->fields[i].name, name) == 0)
			return (int)i;
	return -ENOENT;
}

uint64_t weir_table_keys(const struct weir_table *table)
{
	uint64_t keys = 0;

	for (unsigned i = 0; i < table->n_fields; i++)
		if (table->fields[i].flags & WEIR_FIELD_KEY)
			keys |= 1ull << i;
	return keys;
}

bool weir_row_has(const struct weir_rows *r, size_t row, const char *name)
{
	int field = weir_table_field(r->def, name);

	return field >= 0 && !weir_cell_null(r, row, (unsigned)field);
}

uint64_t weir_row_number(const struct weir_rows *r, size_t row, const char *name)
{
	int field = weir_table_field(r->def, name);

	return field >= 0 ? weir_cell_uint(r, row, (unsigned)field) : 0;
}

const char *weir_row_text(const struct weir_rows *r, size_t row, const char *name)
{
	int field = weir_table_field(r->def, name);

	return field >= 0 ? weir_cell_text(r, row, (unsigned)field) : NULL;
}

bool weir_row_is(const struct weir_rows *r, size_t row, const char *name, const char *text)
{
	const char *have = weir_row_text(r, row, name);

	return have && strcmp(have, text) == 0;
}
