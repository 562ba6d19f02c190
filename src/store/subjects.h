// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/history.h"

/* Who the sums are about. A subject has a number that is never given twice; its texts stand in the file, here is what is
 * needed each second: a keyed hash of what tells it from others, whose it is, and when it was seen. The number of
 * subjects is bounded by kind, the longest unseen of who has the most leave, a program with its peers and losses. */

#define STORE_HASH_KEY 16
#define STORE_PROGRAMS_MAX 30000
#define STORE_PEERS_MAX 18000
#define STORE_LOSSES_MAX 2000
#define STORE_SUBJECTS_MAX (STORE_PROGRAMS_MAX + STORE_PEERS_MAX + STORE_LOSSES_MAX)
#define STORE_SUBJECTS_NEW_MAX 2000    /* a second; more are "other" */
#define STORE_SUBJECTS_NEW_OF_ONE 1000 /* of one owner */
#define STORE_SUBJECTS_OWNERS 64       /* told apart by a hash */

/* Numbers below are no subject's: "other" of each kind has the kind's own. */
#define STORE_ID_FIRST 16

struct store_subject {
	uint64_t id;
	uint64_t hash[2];
	uint64_t program; /* of a peer or loss: its program's number; 0: nobody's */
	uint64_t kin;     /* of a program in a container without a name: what all its like have; 0: none */
	uint32_t first_seen, last_seen; /* seconds since the epoch */
	uint32_t uid;
	uint32_t attributes; /* of what may become known: a checksum */
	uint32_t passing;    /* of what may be another each time */
	uint32_t round;      /* the second of this run in which it was seen last, counted; 0: none */
	uint32_t told;       /* the same, in which its texts were written */
	uint8_t kind;
};

struct store_subjects {
	uint8_t key[STORE_HASH_KEY];
	struct store_subject *list;
	size_t n, cap;
	uint32_t *by_hash, *by_id, *by_kin; /* position + 1; of kin: the first of them */
	size_t n_index;
	size_t n_kind[_WEIR_HISTORY_KIND_MAX];
	size_t max_kind[_WEIR_HISTORY_KIND_MAX];
	uint64_t next_id;
	struct weir_buf unsaved; /* number, length, body of each: for the file */
	uint64_t *gone;          /* left; for the file */
	size_t n_gone, cap_gone;
	uint32_t round; /* seconds of this run, counted: clocks are set back */
	unsigned n_new, n_new_of[STORE_SUBJECTS_OWNERS]; /* in this second: of all, and by owner */
	bool full[_WEIR_HISTORY_KIND_MAX];               /* nobody can leave in this second */
};

/* --- who is who: store/subject_key.c, pure ------------------------------------------------------- */

/* A unit that is another one the next time the same is started: a login's scope, a window's, a container's. */
bool store_unit_passes(const char *unit);
void store_subject_hash_program(const uint8_t key[STORE_HASH_KEY], const struct weir_history_program *p, uint64_t ret[2]);
/* What a program has in common with those that differ in nothing but which container without a name they are in: each
 * start makes another one. 0: it is in none. */
uint64_t store_subject_hash_kin(const uint8_t key[STORE_HASH_KEY], const struct weir_history_program *p);
/* Of a peer or a loss of the program with that hash; NULL: nobody's. */
void store_subject_hash(const uint8_t key[STORE_HASH_KEY], const struct weir_history_sample *t, const uint64_t program[2],
			uint64_t ret[2]);

/* --- those that are known ------------------------------------------------------------------------ */

void store_subjects_init(struct store_subjects *s, const uint8_t key[STORE_HASH_KEY]);
void store_subjects_done(struct store_subjects *s);

/* When the first of those that are known was seen first, in seconds since the epoch; 0: nobody was. */
uint32_t store_subjects_began(const struct store_subjects *s);

/* NULL: not known. Valid until the next subject is added. */
struct store_subject *store_subjects_by_id(const struct store_subjects *s, uint64_t id);

/* The subject of a sample, made when it is new, and of its program (peer, loss), whose numbers go to *ret_id and
 * *ret_program: those of "other" when there is no room. *ret_new: it is a program that was not known, nor kin of it. */
void store_subjects_of(struct store_subjects *s, const struct weir_history_sample *sample, uint32_t now, uint64_t *ret_id,
		       uint64_t *ret_program, bool *ret_new);

/* A second begins: new ones may come again. */
void store_subjects_second(struct store_subjects *s);

/* What is in the file: adds one that was read there. -EBADMSG: it does not hold together. -ENOMEM. */
int store_subjects_load(struct store_subjects *s, uint64_t id, const void *body, size_t len);

/* Reads a body's texts, borrowed from it: program texts of a program; the peer's or loss's of the others, whose
 * .program is left alone. *ret_program may be NULL. */
int store_subject_decode(uint64_t id, const void *body, size_t len, struct weir_history_sample *ret,
			 struct store_subject *ret_known);

/* The times that subjects were seen last, as a block, and back. */
void store_subjects_seen_encode(const struct store_subjects *s, struct weir_buf *out);
int store_subjects_seen_decode(struct store_subjects *s, const void *bytes, size_t len);

/* The file has what was unsaved and gone. */
void store_subjects_saved(struct store_subjects *s);

/* The order of two uint64_t, numbers of subjects or times, for qsort() and bsearch(). */
int store_compare_numbers(const void *x, const void *y);
