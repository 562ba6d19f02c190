// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/history.h"

/* The history file: seconds go in, questions come out. One store is used by one thread of one process; no call takes
 * longer than some milliseconds, but for answers, which have a deadline. Nothing here logs: what ought to be said is an
 * event in the file and a call of report().
 *
 * Written once a second, in one transaction. Whenever the process dies, the file opens with all seconds that were
 * committed before. */

struct weir_store;

#define WEIR_STORE_FILE "history.db"
#define WEIR_STORE_SIZE_DEFAULT (256ull << 20)
#define WEIR_STORE_SIZE_MIN (4ull << 20) /* less is taken as this */

struct weir_store_options {
	/* Holds WEIR_STORE_FILE, with its -wal, and what was set aside; exists. NULL: in memory alone. */
	const char *folder;
	uint64_t limit_bytes; /* of the file and its -wal together; 0: WEIR_STORE_SIZE_DEFAULT */
	uint64_t real_ns;     /* now: when this run begins */
	unsigned answer_ms;   /* a question takes at most this; 0: 2000 */
	/* Each event of the kinds killed, damaged, disk, clock and gap, when it is made: for the log. May be called by any
	 * function below. May be NULL. */
	void (*report)(void *ctx, const struct weir_history_event *e);
	void *ctx;
};

/* Opens or makes the file. One that is damaged is set aside as history.db.damaged-TIME (the newest two are kept), one that
 * is no file of weir's, or of a newer version, as history.db.foreign-TIME (all are kept), and a new one is begun; that is
 * reported and no error. A file that cannot be opened or made now (no room, no right) is no error either: the store
 * works, keeps sums in memory and tries again; weir_store_status() has the reason. -ENOMEM alone is left. Reads the time
 * zone, so that days can be told once no other file can be opened; SQLite needs the folder for reading and writing. No
 * other process can read the file meanwhile. */
int weir_store_open(const struct weir_store_options *o, struct weir_store **ret);

/* Closes without a mark, as if killed, but for what is committed. Accepts NULL, returns NULL. */
struct weir_store *weir_store_close(struct weir_store *s);

/* Writes what waits, and the mark of a clean end with the event "stopped". The store is then only good for closing.
 * -errno when it could not be written; the next start will then say "killed". */
int weir_store_end(struct weir_store *s, uint64_t real_ns);

/* Tries to write what waits in memory (after errors) and takes over what the -wal holds. -errno: it still waits. */
int weir_store_flush(struct weir_store *s);

/* --- one second ------------------------------------------------------------------------------ */

/* Takes a block made by store/batch.h, and commits it. To be called each second, also with an empty block: then only that
 * weir ran is written, once a minute; what is due is rolled up and deleted, and seconds that are not told are a gap.
 * -EBADMSG: malformed, nothing of it was taken. Otherwise 0, also when the disk refuses: then the sums wait in memory,
 * bounded, and are written later (weir_store_status). */
int weir_store_append(struct weir_store *s, const void *batch, size_t len);

/* The same without a block: begin, put samples and events into the sink and carry records, commit. The sink is the store's own. */
struct weir_history_sink *weir_store_begin(struct weir_store *s, uint64_t real_ns);
void weir_store_carry_put(struct weir_store *s, const char *feature, uint16_t type, const void *key, size_t key_len,
			  const void *bytes, size_t len);
/* What the feature had put before is over. */
void weir_store_carry_anew(struct weir_store *s, const char *feature);
/* n samples of a kind that no longer had room of their own: their sum goes to "other". */
void weir_store_other(struct weir_store *s, const struct weir_history_sample *sum, uint64_t n);
int weir_store_commit(struct weir_store *s);

/* Adds one event outside of a second, e.g. from the keeper. 0, or -errno when it waits in memory. */
int weir_store_event(struct weir_store *s, const struct weir_history_event *e);

/* --- carry ----------------------------------------------------------------------------------- */

/* Visits the records that were put for a feature, each key once, as it was put last, ordered by type and key. Borrowed
 * for the call; visit() must not call the store. feature NULL: of all features, grouped. -errno: it could not be read. */
typedef void (*weir_store_carry_visit)(void *ctx, const char *feature, uint16_t type, const void *key, size_t key_len,
				       const void *bytes, size_t len);
int weir_store_carry_get(struct weir_store *s, const char *feature, weir_store_carry_visit visit, void *ctx);

/* --- questions ------------------------------------------------------------------------------- */

/* Starts the table that is asked for in the builder and fills it; the caller finishes the builder. Rows carry the uid of
 * their owner; what a viewer who does not see all may read nevertheless (sums over his own, events of nobody's) carries
 * his. -EINVAL: the question makes no sense, one line in *ret_error (caller frees); -ENOENT: no such table;
 * -ETIMEDOUT: it took longer than answer_ms; -EIO: the file could not be read. The builder may then hold
 * some of the rows and is to be thrown away. */
struct weir_builder;
int weir_store_answer(struct weir_store *s, const struct weir_history_question *q, struct weir_builder *b,
		      struct weir_history_span *ret_span, char **ret_error);

/* --- how it is ------------------------------------------------------------------------------- */

struct weir_store_status {
	uint64_t bytes, limit_bytes; /* of the file and its -wal */
	uint64_t lost_seconds;       /* seconds whose sums were written late and merged, ever */
	uint64_t waiting_seconds;    /* in memory, not written yet */
	uint64_t subjects;           /* known programs, peers and losses */
	uint64_t commits;            /* transactions of this run */
	uint64_t damaged_steps;      /* steps left out of answers of this run since their sum did not fit */
	/* Times that carried records were lost in this run: a file was begun anew, or records found no room while the disk
	 * refused (counted once it takes them again). Who carries is to put all of them again when this has grown. */
	uint64_t carry_lost;
	const char *reason;          /* why it cannot be written now; NULL: it can. Borrowed until the next call */
};

/* Fills it in; never fails. */
void weir_store_status(const struct weir_store *s, struct weir_store_status *ret);
