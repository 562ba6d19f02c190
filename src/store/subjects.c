// SPDX-License-Identifier: GPL-2.0-or-later
#include "store/subjects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "store/bucket.h"
#include "store/sample.h"

#define UNSAVED_MAX (1u << 20)
#define PLACE_SUBJECT 0x80
#define PLACE_SEEN 0x81

void store_subjects_init(struct store_subjects *s, const uint8_t key[STORE_HASH_KEY])
{
	*s = (struct store_subjects){
		.max_kind = { STORE_PROGRAMS_MAX, STORE_PEERS_MAX, STORE_LOSSES_MAX },
		.next_id = STORE_ID_FIRST,
	};
	memcpy(s->key, key, STORE_HASH_KEY);
}

void store_subjects_done(struct store_subjects *s)
{
	free(s->list);
	free(s->by_hash);
	free(s->by_id);
	free(s->by_kin);
	free(s->gone);
	weir_buf_done(&s->unsaved);
	*s = (struct store_subjects){ 0 };
}

/* --- finding --------------------------------------------------------------------------------- */

static size_t id_slot(const struct store_subjects *s, uint64_t id)
{
	return (size_t)(id * 0x9e3779b97f4a7c15 >> 32) & (s->n_index - 1);
}

uint32_t store_subjects_began(const struct store_subjects *s)
{
	uint32_t began = 0;

	for (size_t i = 0; i < s->n; i++)
		if (!began || s->list[i].first_seen < began)
			began = s->list[i].first_seen;
	return began;
}

struct store_subject *store_subjects_by_id(const struct store_subjects *s, uint64_t id)
{
	if (!s->n || id < STORE_ID_FIRST)
		return NULL;
	for (size_t i = id_slot(s, id); s->by_id[i]; i = (i + 1) & (s->n_index - 1))
		if (s->list[s->by_id[i] - 1].id == id)
			return &s->list[s->by_id[i] - 1];
	return NULL;
}

static struct store_subject *by_hash(const struct store_subjects *s, const uint64_t hash[2])
{
	if (!s->n)
		return NULL;
	for (size_t i = (size_t)hash[0] & (s->n_index - 1); s->by_hash[i];
	     i = (i + 1) & (s->n_index - 1)) {
		struct store_subject *x = &s->list[s->by_hash[i] - 1];

		if (x->hash[0] == hash[0] && x->hash[1] == hash[1])
			return x;
	}
	return NULL;
}

static size_t kin_slot(const struct store_subjects *s, uint64_t kin)
{
	size_t i = (size_t)kin & (s->n_index - 1);

	while (s->by_kin[i] && s->list[s->by_kin[i] - 1].kin != kin)
		i = (i + 1) & (s->n_index - 1);
	return i;
}

static bool has_kin(const struct store_subjects *s, uint64_t kin)
{
	return kin && s->n && s->by_kin[kin_slot(s, kin)];
}

static void index_put(struct store_subjects *s, size_t at)
{
	size_t i = (size_t)s->list[at].hash[0] & (s->n_index - 1);

	while (s->by_hash[i])
		i = (i + 1) & (s->n_index - 1);
	s->by_hash[i] = (uint32_t)at + 1;
	i = id_slot(s, s->list[at].id);
	while (s->by_id[i])
		i = (i + 1) & (s->n_index - 1);
	s->by_id[i] = (uint32_t)at + 1;
	if (s->list[at].kin && !has_kin(s, s->list[at].kin))
		s->by_kin[kin_slot(s, s->list[at].kin)] = (uint32_t)at + 1;
}

static void index_again(struct store_subjects *s)
{
	memset(s->by_hash, 0, s->n_index * sizeof(*s->by_hash));
	memset(s->by_id, 0, s->n_index * sizeof(*s->by_id));
	memset(s->by_kin, 0, s->n_index * sizeof(*s->by_kin));
	for (size_t i = 0; i < s->n; i++)
		index_put(s, i);
}

static int grow(struct store_subjects *s)
{
	size_t cap = s->cap ? 2 * s->cap : 256;
	struct store_subject *list = realloc(s->list, cap * sizeof(*list));
	uint32_t *hashes, *ids, *kin;

	if (!list)
		return -ENOMEM;
	s->list = list;
	hashes = malloc(2 * cap * sizeof(*hashes));
	ids = malloc(2 * cap * sizeof(*ids));
	kin = malloc(2 * cap * sizeof(*kin));
	if (!hashes || !ids || !kin) {
		free(hashes);
		free(ids);
		free(kin);
		return -ENOMEM;
	}
	free(s->by_hash);
	free(s->by_id);
	free(s->by_kin);
	s->by_hash = hashes;
	s->by_id = ids;
	s->by_kin = kin;
	s->n_index = 2 * cap;
	s->cap = cap;
	index_again(s);
	return 0;
}

static struct store_subject *append(struct store_subjects *s, const struct store_subject *x)
{
	if (s->n == s->cap && grow(s) < 0)
		return NULL;
	s->list[s->n] = *x;
	index_put(s, s->n);
	s->n_kind[x->kind]++;
	return &s->list[s->n++];
}

/* --- leaving --------------------------------------------------------------------------------- */

int store_compare_numbers(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

/* When it was seen: by the seconds of this run, which no clock sets back, then by the time. */
static uint64_t seen_at(const struct store_subject *x)
{
	return (uint64_t)x->round << 32 | x->last_seen;
}

/* The owner who has the most of a kind, and how many. */
static size_t heaviest(const struct store_subjects *s, unsigned kind, uint64_t *room, uint32_t *ret)
{
	size_t n = 0, most = 0;

	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].kind == kind)
			room[n++] = s->list[i].uid;
	qsort(room, n, sizeof(*room), store_compare_numbers);
	for (size_t i = 0, from = 0; i < n; i++) {
		if (room[i] != room[from])
			from = i;
		if (i - from + 1 > most) {
			most = i - from + 1;
			*ret = (uint32_t)room[i];
		}
	}
	return most;
}

/* The time up to which those of a kind and owner must have been seen last to be among the *want longest unseen. */
static bool leave_before(const struct store_subjects *s, unsigned kind, size_t *want, uint32_t *ret_uid, uint64_t *ret)
{
	_cleanup_free_ uint64_t *room = malloc((s->n_kind[kind] ? s->n_kind[kind] : 1) * sizeof(*room));
	size_t n = 0, most;

	if (!room)
		return false;
	most = heaviest(s, kind, room, ret_uid);
	if (!most)
		return false;
	if (*want > most)
		*want = most;
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].kind == kind && s->list[i].uid == *ret_uid)
			room[n++] = seen_at(&s->list[i]);
	qsort(room, n, sizeof(*room), store_compare_numbers);
	*ret = room[*want - 1];
	return true;
}

static bool gone_room(struct store_subjects *s)
{
	size_t cap = s->cap_gone ? 2 * s->cap_gone : 256;
	uint64_t *gone;

	if (s->n_gone < s->cap_gone)
		return true;
	/* The file has not taken any for long: they stay in it, unknown, until it is read again. */
	if (s->n_gone >= STORE_SUBJECTS_MAX)
		return false;
	gone = realloc(s->gone, cap * sizeof(*gone));
	if (!gone)
		return false;
	s->gone = gone;
	s->cap_gone = cap;
	return true;
}

static void drop(struct store_subjects *s, const struct store_subject *x)
{
	if (gone_room(s))
		s->gone[s->n_gone++] = x->id;
	s->n_kind[x->kind]--;
}

/* Peers and losses of programs that left have nobody to belong to. */
static void drop_orphans(struct store_subjects *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct store_subject x = s->list[i];

		if (x.kind != WEIR_HISTORY_PROGRAM && x.program &&
		    !store_subjects_by_id(s, x.program))
			s->list[i].id = 0;
	}
	for (size_t i = 0; i < s->n; i++) {
		if (!s->list[i].id)
			s->n_kind[s->list[i].kind]--;
		else
			s->list[n++] = s->list[i];
	}
	s->n = n;
	index_again(s);
}

/* The file is told of orphans too. */
static void mark_orphans(struct store_subjects *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->list[i].kind != WEIR_HISTORY_PROGRAM && s->list[i].program &&
		    !store_subjects_by_id(s, s->list[i].program) && gone_room(s))
			s->gone[s->n_gone++] = s->list[i].id;
}

/* Makes room for one of a kind: a 64th of them leaves at once, unless seen in this very second; of who has the most, so
 * that nobody can make others nameless. */
static bool make_room(struct store_subjects *s, unsigned kind)
{
	size_t n = 0, want = s->max_kind[kind] / 64 + 1, left = 0;
	uint64_t before = 0;
	uint32_t uid = 0;

	if (s->full[kind] || !leave_before(s, kind, &want, &uid, &before))
		return false;
	for (size_t i = 0; i < s->n; i++) {
		struct store_subject *x = &s->list[i];

		if (left < want && x->kind == kind && x->uid == uid && seen_at(x) <= before && x->round != s->round) {
			drop(s, x);
			left++;
		} else {
			s->list[n++] = *x;
		}
	}
	/* Looking costs some milliseconds: once a second is enough. */
	s->full[kind] = !left;
	if (!left)
		return false;
	s->n = n;
	index_again(s);
	if (kind == WEIR_HISTORY_PROGRAM) {
		mark_orphans(s);
		drop_orphans(s);
	}
	return true;
}

/* --- texts ----------------------------------------------------------------------------------- */

static void write_body(struct weir_buf *b, const struct store_subject *x,
		       const struct weir_history_sample *t)
{
	size_t from = b->len;

	store_write_number(b, x->kind);
	store_write_number(b, x->program);
	store_write_number(b, x->uid);
	store_write_number(b, x->first_seen);
	weir_buf_add(b, x->hash, sizeof(x->hash));
	if (x->kind == WEIR_HISTORY_PROGRAM)
		store_write_program(b, &t->program);
	else
		store_write_own(b, t);
	store_write_checksum(b, from,
			     (struct store_place){ .level = PLACE_SUBJECT, .time = x->id });
}

int store_subject_decode(uint64_t id, const void *body, size_t len, struct weir_history_sample *ret,
			 struct store_subject *ret_known)
{
	struct store_subject x = { .id = id };
	struct weir_history_sample t = { 0 };
	struct store_reader r;
	const uint8_t *hash;

	if (store_check(body, len, (struct store_place){ .level = PLACE_SUBJECT, .time = id },
			&len) < 0)
		return -EBADMSG;
	r = (struct store_reader){ .at = body, .end = (const uint8_t *)body + len };
	x.kind = (uint8_t)store_read_number(&r);
	x.program = store_read_number(&r);
	x.uid = (uint32_t)store_read_number(&r);
	x.first_seen = x.last_seen = (uint32_t)store_read_number(&r);
	hash = store_read_bytes(&r, sizeof(x.hash));
	if (!hash || x.kind >= _WEIR_HISTORY_KIND_MAX)
		return -EBADMSG;
	memcpy(x.hash, hash, sizeof(x.hash));
	t.kind = (enum weir_history_kind)x.kind;
	t.program.uid = x.uid;
	if (t.kind == WEIR_HISTORY_PROGRAM)
		store_read_program(&r, &t.program);
	else
		store_read_own(&r, &t);
	if (r.bad)
		return -EBADMSG;
	if (ret)
		*ret = t;
	if (ret_known)
		*ret_known = x;
	return 0;
}

/* Puts it with those that the file has to be told of. */
static bool save_later(struct store_subjects *s, const struct store_subject *x,
		       const struct weir_history_sample *t)
{
	size_t head = s->unsaved.len;
	uint32_t len = 0;

	if (s->unsaved.len > UNSAVED_MAX)
		return false;
	weir_buf_add(&s->unsaved, &x->id, sizeof(x->id));
	weir_buf_add(&s->unsaved, &len, sizeof(len));
	write_body(&s->unsaved, x, t);
	if (s->unsaved.error) {
		weir_buf_done(&s->unsaved);
		return false;
	}
	len = (uint32_t)(s->unsaved.len - head - sizeof(x->id) - sizeof(len));
	memcpy(s->unsaved.data + head + sizeof(x->id), &len, sizeof(len));
	return true;
}

void store_subjects_saved(struct store_subjects *s)
{
	weir_buf_reset(&s->unsaved);
	s->n_gone = 0;
}

/* --- samples --------------------------------------------------------------------------------- */

#define PASSING_SECONDS 60 /* what changes from sample to sample is not written each time */

/* What of a program may become known later. 0: nothing is known. */
static uint32_t attributes_of(const struct weir_history_program *p)
{
	const char *const texts[] = { p->user, p->container_name, p->pod_name, p->pod_namespace };
	uLong c = crc32(0, NULL, 0);
	bool any = false;

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *t = texts[i] ? texts[i] : "";

		any = any || *t;
		c = crc32(c, (const Bytef *)t, (uInt)strlen(t) + 1);
	}
	return any ? (uint32_t)c | 1 : 0;
}

/* What is told of it though it may be another each time: which scope it ran in, which container of that name. */
static uint32_t passing_of(const struct weir_history_program *p)
{
	const char *const texts[] = { p->unit, p->container_id };
	uLong c = crc32(0, NULL, 0);

	for (unsigned i = 0; i < ARRAY_SIZE(texts); i++)
		c = crc32(c, (const Bytef *)(texts[i] ? texts[i] : ""), (uInt)(texts[i] ? strlen(texts[i]) : 0) + 1);
	return (uint32_t)c;
}

static void seen(const struct store_subjects *s, struct store_subject *x, uint32_t now)
{
	x->round = s->round;
	if (x->last_seen < now)
		x->last_seen = now;
}

static struct store_subject *make(struct store_subjects *s, const struct weir_history_sample *t,
				  struct store_subject *x, uint32_t now)
{
	struct store_subject *made;

	unsigned *of_owner = &s->n_new_of[x->uid * 0x9e3779b9u >> 26];

	if (s->n_new >= STORE_SUBJECTS_NEW_MAX || *of_owner >= STORE_SUBJECTS_NEW_OF_ONE)
		return NULL;
	if (s->n_kind[x->kind] >= s->max_kind[x->kind] && !make_room(s, x->kind))
		return NULL;
	x->id = s->next_id;
	x->first_seen = x->last_seen = now;
	x->round = x->told = s->round;
	if (!save_later(s, x, t))
		return NULL;
	made = append(s, x);
	if (!made)
		return NULL;
	s->next_id++;
	s->n_new++;
	(*of_owner)++;
	return made;
}

static struct store_subject *program_of(struct store_subjects *s,
					const struct weir_history_sample *t, uint32_t now,
					bool *ret_new)
{
	struct store_subject x = { .kind = WEIR_HISTORY_PROGRAM, .uid = t->program.uid }, *found;
	uint32_t attributes = attributes_of(&t->program), passing;
	bool kin;

	store_subject_hash_program(s->key, &t->program, x.hash);
	found = by_hash(s, x.hash);
	if (!found) {
		x.attributes = attributes;
		x.passing = passing_of(&t->program);
		x.kin = store_subject_hash_kin(s->key, &t->program);
		kin = has_kin(s, x.kin);
		found = make(s, t, &x, now);
		*ret_new = found && !kin;
		return found;
	}
	seen(s, found, now);
	passing = passing_of(&t->program);
	if (((attributes && attributes != found->attributes) ||
	     (passing != found->passing && s->round - found->told >= PASSING_SECONDS)) &&
	    save_later(s, found, t)) {
		found->attributes = attributes ? attributes : found->attributes;
		found->passing = passing;
		found->told = s->round;
	}
	return found;
}

void store_subjects_of(struct store_subjects *s, const struct weir_history_sample *t, uint32_t now,
		       uint64_t *ret_id, uint64_t *ret_program, bool *ret_new)
{
	struct store_subject x = { .kind = (uint8_t)t->kind, .uid = WEIR_UID_HOST },
			     *program = NULL, *found;
	bool owned = t->program.comm && *t->program.comm;

	*ret_new = false;
	*ret_id = t->kind;
	*ret_program = 0;
	if (owned)
		program = program_of(s, t, now, ret_new);
	if (program)
		*ret_program = program->id;
	if (t->kind == WEIR_HISTORY_PROGRAM && program)
		*ret_id = program->id;
	if (t->kind == WEIR_HISTORY_PROGRAM || (owned && !program))
		return;

	store_subject_hash(s->key, t, program ? program->hash : NULL, x.hash);
	found = by_hash(s, x.hash);
	if (found) {
		seen(s, found, now);
		*ret_id = found->id;
		return;
	}
	if (program) {
		x.program = program->id;
		x.uid = program->uid;
	}
	found = make(s, t, &x, now);
	if (found)
		*ret_id = found->id;
}

void store_subjects_second(struct store_subjects *s)
{
	s->n_new = 0;
	memset(s->n_new_of, 0, sizeof(s->n_new_of));
	memset(s->full, 0, sizeof(s->full));
	s->round++;
}

/* --- the file -------------------------------------------------------------------------------- */

int store_subjects_load(struct store_subjects *s, uint64_t id, const void *body, size_t len)
{
	struct weir_history_sample t;
	struct store_subject x;
	int r = store_subject_decode(id, body, len, &t, &x);

	if (r < 0)
		return r;
	if (id < STORE_ID_FIRST || by_hash(s, x.hash) || s->n >= STORE_SUBJECTS_MAX)
		return -EBADMSG;
	if (x.kind == WEIR_HISTORY_PROGRAM) {
		x.attributes = attributes_of(&t.program);
		x.passing = passing_of(&t.program);
		x.kin = store_subject_hash_kin(s->key, &t.program);
	}
	if (id >= s->next_id)
		s->next_id = id + 1;
	return append(s, &x) ? 0 : -ENOMEM;
}

void store_subjects_seen_encode(const struct store_subjects *s, struct weir_buf *out)
{
	size_t from = out->len;

	store_write_number(out, s->n);
	for (size_t i = 0; i < s->n; i++) {
		store_write_number(out, s->list[i].id);
		store_write_number(out, s->list[i].last_seen - s->list[i].first_seen);
	}
	store_write_checksum(out, from, (struct store_place){ .level = PLACE_SEEN });
}

int store_subjects_seen_decode(struct store_subjects *s, const void *bytes, size_t len)
{
	struct store_reader r;
	uint64_t n;

	if (store_check(bytes, len, (struct store_place){ .level = PLACE_SEEN }, &len) < 0)
		return -EBADMSG;
	r = (struct store_reader){ .at = bytes, .end = (const uint8_t *)bytes + len };
	n = store_read_number(&r);
	for (uint64_t i = 0; i < n && !r.bad; i++) {
		struct store_subject *x = store_subjects_by_id(s, store_read_number(&r));
		uint64_t after = store_read_number(&r);

		if (x && !r.bad && after <= UINT32_MAX - x->first_seen &&
		    x->last_seen < x->first_seen + after)
			x->last_seen = x->first_seen + (uint32_t)after;
	}
	return r.bad ? -EBADMSG : 0;
}
