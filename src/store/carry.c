// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/siphash.h"
#include "store/store_private.h"

/* Records that bring a fresh state to the same totals. Counters change each second, scattered over
 * their table; so a second's records are appended to a log, and the log is taken over into the
 * table now and then, each key once. */

#define LOG_ROWS 120
#define LOG_BYTES (512u << 10)
#define WAIT_BYTES (1u << 20)
#define RECORDS_MAX 65536
#define FEATURE_MAX 64
#define FEATURES_MAX 64
#define ANEW 65536 /* as type: all records of the feature before are void */
#define PLACE_LOG 0x83
#define PLACE_RECORD 0x84

struct carry_record {
	const char *feature;
	uint32_t type;
	const void *key, *bytes;
	size_t key_len, len;
};

static void write_record(struct weir_buf *b, const struct carry_record *x)
{
	store_write_text(b, x->feature, FEATURE_MAX);
	store_write_number(b, x->type);
	if (x->type == ANEW)
		return;
	store_write_number(b, x->key_len);
	weir_buf_add(b, x->key, x->key_len);
	store_write_number(b, x->len);
	weir_buf_add(b, x->bytes, x->len);
}

static bool read_record(struct store_reader *r, struct carry_record *ret)
{
	uint64_t n;

	if (r->at >= r->end)
		return false;
	*ret = (struct carry_record){ .feature = store_read_text(r, FEATURE_MAX) };
	n = store_read_number(r);
	if (n > ANEW)
		r->bad = true;
	ret->type = (uint32_t)n;
	if (r->bad || ret->type == ANEW)
		return !r->bad;
	n = store_read_number(r);
	if (n > WEIR_CARRY_KEY_MAX)
		r->bad = true;
	ret->key_len = n;
	ret->key = store_read_bytes(r, r->bad ? 0 : n);
	n = store_read_number(r);
	if (n > WEIR_CARRY_BYTES_MAX)
		r->bad = true;
	ret->len = n;
	ret->bytes = store_read_bytes(r, r->bad ? 0 : n);
	return !r->bad;
}

static struct store_reader reader_of(const struct weir_buf *b)
{
	const uint8_t *data = b->data ? (const uint8_t *)b->data : (const uint8_t *)"";

	return (struct store_reader){ .at = data, .end = data + b->len };
}

/* --- which records are the last of their key ------------------------------------------------- */

struct carry_last {
	uint64_t hash[2];
	uint32_t ordinal; /* + 1 */
};

struct carry_lasts {
	struct carry_last *slots;
	size_t n_slots;
	struct {
		char name[FEATURE_MAX + 1];
		uint32_t ordinal; /* + 1, of the last one that began it anew */
	} anew[FEATURES_MAX];
	unsigned n_anew;
};

static void hash_of(const struct weir_store *s, const struct carry_record *x, uint64_t ret[2])
{
	uint8_t bytes[FEATURE_MAX + 1 + sizeof(x->type) + WEIR_CARRY_KEY_MAX];
	size_t len = strlen(x->feature) + 1;

	memcpy(bytes, x->feature, len);
	memcpy(bytes + len, &x->type, sizeof(x->type));
	len += sizeof(x->type);
	memcpy(bytes + len, x->key, x->key_len);
	store_siphash(s->subjects.key, bytes, len + x->key_len, ret);
}

static struct carry_last *slot_of(const struct carry_lasts *l, const uint64_t hash[2])
{
	size_t i = (size_t)hash[0] & (l->n_slots - 1);

	while (l->slots[i].ordinal &&
	       (l->slots[i].hash[0] != hash[0] || l->slots[i].hash[1] != hash[1]))
		i = (i + 1) & (l->n_slots - 1);
	return &l->slots[i];
}

static uint32_t *anew_of(struct carry_lasts *l, const char *feature, bool add)
{
	for (unsigned i = 0; i < l->n_anew; i++)
		if (strcmp(l->anew[i].name, feature) == 0)
			return &l->anew[i].ordinal;
	if (!add || l->n_anew == FEATURES_MAX)
		return NULL;
	memcpy(l->anew[l->n_anew].name, feature, strlen(feature) + 1);
	return &l->anew[l->n_anew++].ordinal;
}

static int lasts_init(struct carry_lasts *l, const struct weir_store *s,
		      const struct weir_buf *records)
{
	struct store_reader r = reader_of(records);
	uint32_t n = 0;
	struct carry_record x;

	*l = (struct carry_lasts){ .n_slots = 64 };
	while (read_record(&r, &x))
		n++;
	while (l->n_slots < 2 * (size_t)n)
		l->n_slots *= 2;
	l->slots = calloc(l->n_slots, sizeof(*l->slots));
	if (!l->slots)
		return -ENOMEM;
	r = reader_of(records);
	for (uint32_t i = 0; read_record(&r, &x); i++) {
		uint64_t hash[2];
		struct carry_last *slot;
		uint32_t *anew;

		if (x.type == ANEW) {
			anew = anew_of(l, x.feature, true);
			if (anew)
				*anew = i + 1;
			continue;
		}
		hash_of(s, &x, hash);
		slot = slot_of(l, hash);
		*slot = (struct carry_last){ .hash = { hash[0], hash[1] }, .ordinal = i + 1 };
	}
	return 0;
}

static bool is_last(struct carry_lasts *l, const struct weir_store *s, const struct carry_record *x,
		    uint32_t i)
{
	const uint32_t *anew = anew_of(l, x->feature, false);
	uint64_t hash[2];

	if (x->type == ANEW)
		return !anew || *anew == i + 1;
	if (anew && *anew > i + 1)
		return false;
	hash_of(s, x, hash);
	return slot_of(l, hash)->ordinal == i + 1;
}

void store_carry_compact(struct weir_store *s, struct weir_buf *records)
{
	struct store_reader r = reader_of(records);
	struct weir_buf kept = { 0 };
	struct carry_lasts l;
	struct carry_record x;

	if (lasts_init(&l, s, records) < 0)
		return;
	for (uint32_t i = 0; read_record(&r, &x); i++)
		if (is_last(&l, s, &x, i))
			write_record(&kept, &x);
	free(l.slots);
	if (kept.error) {
		weir_buf_done(&kept);
		return;
	}
	weir_buf_done(records);
	*records = kept;
}

/* --- putting --------------------------------------------------------------------------------- */

static void put(struct weir_store *s, const struct carry_record *x)
{
	if (strlen(x->feature) > FEATURE_MAX || x->key_len > WEIR_CARRY_KEY_MAX ||
	    x->len > WEIR_CARRY_BYTES_MAX)
		return;
	if (s->carry.len > WAIT_BYTES)
		store_carry_compact(s, &s->carry);
	if (s->carry.len <= 2 * WAIT_BYTES)
		write_record(&s->carry, x);
	else
		s->carry_dropped = true;
	if (s->carry.error) {
		weir_buf_done(&s->carry);
		s->carry_dropped = true;
	}
}

void weir_store_carry_put(struct weir_store *s, const char *feature, uint16_t type, const void *key,
			  size_t key_len, const void *bytes, size_t len)
{
	put(s, &(struct carry_record){ .feature = feature,
				       .type = type,
				       .key = key,
				       .key_len = key_len,
				       .bytes = bytes,
				       .len = len });
}

void weir_store_carry_anew(struct weir_store *s, const char *feature)
{
	put(s, &(struct carry_record){ .feature = feature, .type = ANEW });
}

int store_carry_log(struct weir_store *s)
{
	struct weir_buf block = { 0 };
	sqlite3_stmt *q;
	int r;

	if (!s->carry.len)
		return 0;
	weir_buf_add(&block, s->carry.data, s->carry.len);
	store_write_checksum(&block, 0, (struct store_place){ .level = PLACE_LOG });
	r = block.error;
	if (r == 0)
		r = store_sql_get(s, STORE_SQL_CARRY_LOG_PUT, &q);
	if (r == 0) {
		sqlite3_bind_blob64(q, 1, block.data, block.len, SQLITE_STATIC);
		r = store_sql_step(s, q);
	}
	s->carry_log_rows++;
	s->carry_log_bytes += block.len;
	weir_buf_done(&block);
	return r;
}

/* --- taking over ----------------------------------------------------------------------------- */

static int read_log(struct weir_store *s, struct weir_buf *records)
{
	sqlite3_stmt *q;
	int r = store_sql_get(s, STORE_SQL_CARRY_LOG_ALL, &q);

	if (r < 0)
		return r;
	while ((r = store_sql_step(s, q)) > 0) {
		const void *body = sqlite3_column_blob(q, 1);
		size_t len = (size_t)sqlite3_column_bytes(q, 1);

		if (store_check(body, len, (struct store_place){ .level = PLACE_LOG }, &len) < 0) {
			s->damaged_steps++;
			s->carry_dropped = true;
		} else {
			weir_buf_add(records, body, len);
		}
	}
	return r < 0 ? r : records->error;
}

static int put_record(struct weir_store *s, const struct carry_record *x, uint64_t *count)
{
	struct weir_buf block = { 0 };
	sqlite3_stmt *q;
	int r;

	/* A key that is there already may change; which it is, is not worth a look. */
	if (x->len && *count >= RECORDS_MAX)
		return 0;
	r = store_sql_get(s,
			  x->type == ANEW ? STORE_SQL_CARRY_ANEW
			  : x->len	  ? STORE_SQL_CARRY_PUT
					  : STORE_SQL_CARRY_DELETE,
			  &q);
	if (r < 0)
		return r;
	sqlite3_bind_text(q, 1, x->feature, -1, SQLITE_STATIC);
	if (x->type != ANEW) {
		sqlite3_bind_int(q, 2, (int)x->type);
		sqlite3_bind_blob64(q, 3, x->key_len ? x->key : "", x->key_len, SQLITE_STATIC);
	}
	if (x->type != ANEW && x->len) {
		weir_buf_add(&block, x->bytes, x->len);
		store_write_checksum(
			&block, 0, (struct store_place){ .level = PLACE_RECORD, .time = x->type });
		if (block.error)
			return block.error;
		sqlite3_bind_blob64(q, 4, block.data, block.len, SQLITE_STATIC);
	}
	r = store_sql_step(s, q);
	weir_buf_done(&block);
	return r;
}

int store_carry_settle(struct weir_store *s)
{
	struct weir_buf records = { 0 };
	struct carry_lasts l = { 0 };
	struct store_reader reader;
	struct carry_record x;
	uint64_t count = 0;
	int r;

	if (s->carry_log_rows < LOG_ROWS && s->carry_log_bytes < LOG_BYTES)
		return 0;
	r = read_log(s, &records);
	if (r == 0)
		r = store_sql_number(s, STORE_SQL_CARRY_COUNT, 0, 0, 0, &count);
	if (r == 0)
		r = lasts_init(&l, s, &records);
	reader = reader_of(&records);
	for (uint32_t i = 0; r == 0 && read_record(&reader, &x); i++)
		if (is_last(&l, s, &x, i))
			r = put_record(s, &x, &count);
	if (r == 0)
		r = store_sql_run(s, STORE_SQL_CARRY_LOG_CLEAR, 0, 0, 0, 0);
	if (r == 0)
		s->carry_log_rows = s->carry_log_bytes = 0;
	free(l.slots);
	weir_buf_done(&records);
	return r;
}

/* --- reading --------------------------------------------------------------------------------- */

/* The log over the table, without a write: a disk that refuses keeps nobody from reading. */
struct carry_merge {
	struct weir_store *s;
	struct weir_buf records; /* of the log, and what waits for it */
	struct carry_lasts lasts;
	struct carry_record *news; /* of those the last of each key, sorted */
	size_t n, at;
	const char *feature; /* NULL: of all */
	weir_store_carry_visit visit;
	void *ctx;
};

static int compare_records(const void *x, const void *y)
{
	const struct carry_record *a = x, *b = y;
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int r = strcmp(a->feature, b->feature);

	if (r == 0)
		r = a->type < b->type ? -1 : a->type > b->type;
	if (r == 0 && len)
		r = memcmp(a->key, b->key, len);
	return r ? r : a->key_len < b->key_len ? -1 : a->key_len > b->key_len;
}

static int merge_init(struct carry_merge *m)
{
	struct store_reader reader;
	struct carry_record x;
	int r = read_log(m->s, &m->records);

	if (r == 0 && m->s->carry.len)
		weir_buf_add(&m->records, m->s->carry.data, m->s->carry.len);
	if (r == 0)
		r = m->records.error;
	if (r == 0)
		r = lasts_init(&m->lasts, m->s, &m->records);
	if (r < 0)
		return r;
	m->news = calloc(m->lasts.n_slots, sizeof(*m->news));
	if (!m->news)
		return -ENOMEM;
	reader = reader_of(&m->records);
	for (uint32_t i = 0; read_record(&reader, &x); i++)
		if (x.type != ANEW && is_last(&m->lasts, m->s, &x, i) &&
		    (!m->feature || strcmp(m->feature, x.feature) == 0))
			m->news[m->n++] = x;
	qsort(m->news, m->n, sizeof(*m->news), compare_records);
	return 0;
}

static void merge_done(struct carry_merge *m)
{
	weir_buf_done(&m->records);
	free(m->lasts.slots);
	free(m->news);
}

static void merge_visit(struct carry_merge *m, const struct carry_record *x)
{
	m->visit(m->ctx, x->feature, (uint16_t)x->type, x->key_len ? x->key : "", x->key_len, x->bytes, x->len);
}

/* The news before a record of the table; NULL: all that are left. One without bytes says that the key is gone. */
static void merge_news(struct carry_merge *m, const struct carry_record *before)
{
	for (; m->at < m->n && (!before || compare_records(&m->news[m->at], before) < 0); m->at++)
		if (m->news[m->at].len)
			merge_visit(m, &m->news[m->at]);
}

static void merge_row(struct carry_merge *m, sqlite3_stmt *q)
{
	struct carry_record x = {
		.feature = (const char *)sqlite3_column_text(q, 0),
		.type = (uint16_t)sqlite3_column_int(q, 1),
		.key = sqlite3_column_blob(q, 2),
		.bytes = sqlite3_column_blob(q, 3),
		.key_len = (size_t)sqlite3_column_bytes(q, 2),
		.len = (size_t)sqlite3_column_bytes(q, 3),
	};
	const struct store_place place = { .level = PLACE_RECORD, .time = x.type };

	if (!x.feature || strlen(x.feature) > FEATURE_MAX || x.key_len > WEIR_CARRY_KEY_MAX ||
	    store_check(x.bytes, x.len, place, &x.len) < 0) {
		m->s->damaged_steps++;
		return;
	}
	merge_news(m, &x);
	if (anew_of(&m->lasts, x.feature, false) ||
	    (m->at < m->n && compare_records(&m->news[m->at], &x) == 0))
		return;
	merge_visit(m, &x);
}

static int merge(struct carry_merge *m)
{
	sqlite3_stmt *q;
	int r = store_sql_get(m->s, m->feature ? STORE_SQL_CARRY_OF : STORE_SQL_CARRY_ALL, &q);

	if (r < 0)
		return r;
	if (m->feature)
		sqlite3_bind_text(q, 1, m->feature, -1, SQLITE_STATIC);
	while ((r = store_sql_step(m->s, q)) > 0)
		merge_row(m, q);
	if (r == 0)
		merge_news(m, NULL);
	return r;
}

int weir_store_carry_get(struct weir_store *s, const char *feature, weir_store_carry_visit visit,
			 void *ctx)
{
	struct carry_merge m = { .s = s, .feature = feature, .visit = visit, .ctx = ctx };
	int r;

	/* What waits is read from where it waits, if it has to. */
	if (s->error || !s->db)
		(void)weir_store_flush(s);
	if (!s->db)
		return s->error < 0 ? s->error : -EIO;
	r = merge_init(&m);
	if (r == 0)
		r = merge(&m);
	merge_done(&m);
	/* Begun anew, it has none. */
	return r == -EUCLEAN ? store_file_set_aside(s, false) : r;
}
