// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <time.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "store/bucket.h"
#include "store/cover.h"
#include "store/store.h"
#include "store/subjects.h"

/* What the store's own sources share. Times are seconds since the epoch where not named otherwise. */

#define STORE_APPLICATION 0x77656972 /* "weir" */
#define STORE_VERSION 1
#define STORE_NS 1000000000ull
#define STORE_CALM_COMMITS 600 /* what a clock that jumped says is believed after so many seconds */

/* What stands in one step of time: the host's sums and those of each kind. */
enum store_column {
	STORE_TOTALS, /* one entry, number 0 */
	STORE_PROGRAMS,
	STORE_PEERS,
	STORE_LOSSES,
	_STORE_COLUMN_MAX,
};

/* Subjects of a kind are in the column behind its number. */
#define STORE_COLUMN(kind) ((enum store_column)((kind) + 1))

enum store_use {
	STORE_DAYS,
	STORE_MONTHS,
	_STORE_USE_MAX,
};

/* Kept in the file, as one block. Only added to at the end: what an older file lacks is 0. */
enum store_number {
	STORE_N_KEPT, /* by level: see struct store_reach */
	STORE_N_ROLLED = STORE_N_KEPT + _STORE_LEVEL_MAX,
	STORE_N_ROWS = STORE_N_ROLLED + _STORE_LEVEL_MAX, /* steps of each level, but the finest */
	STORE_N_USE = STORE_N_ROWS + _STORE_LEVEL_MAX,    /* days and months have all before this */
	STORE_N_LOST_SECONDS,
	STORE_N_CLEAN,   /* the last run has ended well */
	STORE_N_NEXT_ID, /* no subject has this number or a larger one */
	STORE_N_CARRIED, /* carry records before this line of the log are in their table */
	_STORE_NUMBER_MAX,
};

#define STORE_LEVEL_SUBJECTS 200 /* of a kind, in one step of a rolled level */
#define STORE_KEPT_EVENTS (400ull * 86400)

extern const uint64_t store_level_kept[_STORE_LEVEL_MAX]; /* seconds */

/* Times in which it ran. */
struct store_span {
	uint64_t from, to;
};

#define STORE_RUNS_MAX 4096

/* Seconds that wait for the disk. */
struct store_wait {
	uint64_t time, seconds;
	struct store_sums sums[_STORE_COLUMN_MAX];
};

#define STORE_WAITS_MAX 32

/* An event that waits. */
struct store_note {
	uint64_t real_ns;
	enum weir_history_event_kind kind;
	uint32_t uid;
	uint32_t many; /* 0, or how many it stands for */
	char *program; /* NULL: none */
	char *summary;
};

#define STORE_NOTES_MAX 256

/* How much of what a user can make happen at will was told lately, by owner. */
struct store_teller {
	uint32_t uid;
	uint64_t seen;    /* the second that it was asked for last */
	uint64_t granted; /* up to when it got what it may tell */
	uint64_t rest;    /* when it was told last how many more there were */
	unsigned may;     /* so many more, one by one */
	unsigned untold;
};

#define STORE_TELLERS_MAX 64

#define STORE_SQL_MAX 112

struct weir_store {
	struct weir_store_options options;
	char *folder, *path; /* NULL: in memory */
	sqlite3 *db;
	sqlite3_stmt *sql[STORE_SQL_MAX];
	uint64_t max_pages;

	uint64_t numbers[_STORE_NUMBER_MAX];
	bool numbers_changed;
	struct store_subjects subjects;
	struct store_span *runs;
	size_t n_runs;
	bool runs_changed;

	/* This second. */
	struct weir_history_sink sink;
	uint64_t second_ns;
	struct store_sums second[_STORE_COLUMN_MAX];
	struct store_teller tellers[STORE_TELLERS_MAX];
	unsigned n_tellers;
	bool began;

	/* What waits: for this commit, or since the disk refused. */
	struct store_wait waits[STORE_WAITS_MAX];
	unsigned n_waits;
	struct store_note notes[STORE_NOTES_MAX];
	unsigned n_notes;
	uint64_t notes_lost;
	uint64_t lost_now; /* seconds that were summed; the file is told with them */
	struct weir_buf carry; /* records, as store/carry.c has them */
	uint64_t carry_lost;
	bool carry_dropped; /* some found no room, or were unreadable: counted with the next that is written */
	bool carry_void;    /* the file that had them was set aside: counted with the next that is made */

	uint64_t now;      /* the second told last */
	uint64_t newest;   /* the newest second that was put */
	uint64_t s1_rows;
	uint64_t calm;     /* commits since the clock last jumped forward: nothing ages before there are some */
	uint64_t aged, swept, seen_saved, runs_saved; /* when these were done last */
	uint64_t clock_said;
	uint64_t carry_log_rows, carry_log_bytes;

	int error;         /* why it cannot be written; 0: it can */
	char reason[256];
	time_t retry_mono; /* when it is tried again */
	bool pressed; /* the file is nearly full */
	bool marked; /* that sums wait, beside the file */
	bool damaged_said;
	uint64_t commits, damaged_steps;

	/* The question that is answered now. */
	struct timespec deadline;
	bool asked;
};

/* --- statements: store/sql.c ----------------------------------------------------------------- */

enum store_sql {
	STORE_SQL_BEGIN,
	STORE_SQL_COMMIT,
	STORE_SQL_ROLLBACK,
	STORE_SQL_S1_PUT,
	STORE_SQL_S1_ALL,
	STORE_SQL_S1_DELETE,
	STORE_SQL_S1_NEXT, /* the first row at or after a time */
	STORE_SQL_SUBJECT_ALL,
	STORE_SQL_SUBJECT_GET,
	STORE_SQL_SUBJECT_PUT,
	STORE_SQL_SUBJECT_DELETE,
	STORE_SQL_STATE_GET,
	STORE_SQL_STATE_PUT,
	STORE_SQL_EVENT_PUT,
	STORE_SQL_EVENT_SPAN,
	STORE_SQL_EVENT_AGE,
	STORE_SQL_EVENT_TRIM,
	STORE_SQL_EVENT_STATS,
	STORE_SQL_EVENT_COUNT,
	STORE_SQL_CARRY_LOG_PUT,
	STORE_SQL_CARRY_LOG_ALL,
	STORE_SQL_CARRY_LOG_COUNT,
	STORE_SQL_CARRY_LOG_CLEAR,
	STORE_SQL_CARRY_PUT,
	STORE_SQL_CARRY_DELETE,
	STORE_SQL_CARRY_ANEW,
	STORE_SQL_CARRY_OF,
	STORE_SQL_CARRY_ALL,
	STORE_SQL_CARRY_COUNT,
	STORE_SQL_PAGES,
	STORE_SQL_FREE_PAGES,
	STORE_SQL_VACUUM,
	STORE_SQL_USE_READ,					   /* + enum store_use */
	STORE_SQL_USE_PUT = STORE_SQL_USE_READ + _STORE_USE_MAX,
	STORE_SQL_USE_DELETE = STORE_SQL_USE_PUT + _STORE_USE_MAX,
	STORE_SQL_USE_STATS = STORE_SQL_USE_DELETE + _STORE_USE_MAX,
	STORE_SQL_READ = STORE_SQL_USE_STATS + _STORE_USE_MAX,	   /* + level * columns + column */
	STORE_SQL_PUT = STORE_SQL_READ + _STORE_LEVEL_MAX * _STORE_COLUMN_MAX,
	STORE_SQL_DELETE = STORE_SQL_PUT + _STORE_LEVEL_MAX * _STORE_COLUMN_MAX,
	STORE_SQL_EDGE = STORE_SQL_DELETE + _STORE_LEVEL_MAX * _STORE_COLUMN_MAX, /* + level: oldest and newest */
	STORE_SQL_NEXT = STORE_SQL_EDGE + _STORE_LEVEL_MAX,                       /* + level: the first at or after */
	_STORE_SQL_MAX = STORE_SQL_NEXT + _STORE_LEVEL_MAX,
};
_Static_assert((unsigned)_STORE_SQL_MAX <= STORE_SQL_MAX, "room for all statements");

/* SQLite's result as -errno: -EUCLEAN: what the file holds does not hold together; 0: fine. */
int store_sql_error(int rc);
/* The statement, prepared once, reset and without values. */
int store_sql_get(struct weir_store *s, unsigned which, sqlite3_stmt **ret);
/* One step: 1: a row, 0: none is left, else -errno, and the reason is kept. */
int store_sql_step(struct weir_store *s, sqlite3_stmt *q);
/* Runs a statement without rows, with up to three whole numbers. */
int store_sql_run(struct weir_store *s, unsigned which, unsigned n, uint64_t a, uint64_t b, uint64_t c);
/* The first column of the first row; no row, or NULL there: 0 and *ret untouched. */
int store_sql_number(struct weir_store *s, unsigned which, unsigned n, uint64_t a, uint64_t b, uint64_t *ret);
/* A block by one or two whole numbers: state, use, level. An empty one deletes nothing and writes nothing. */
int store_sql_put_block(struct weir_store *s, unsigned which, uint64_t id, const struct weir_buf *block);
/* Ends what is prepared. */
void store_sql_done(struct weir_store *s);

/* --- the file: store/file.c ------------------------------------------------------------------ */

/* Opens or makes it and loads what is needed of it; sets a damaged one aside. */
int store_file_open(struct weir_store *s);
void store_file_close(struct weir_store *s);
/* After -EUCLEAN: sets the file aside and begins a new one. foreign: it is whole, but not ours; it is kept for ever. */
int store_file_set_aside(struct weir_store *s, bool foreign);
int store_file_save_numbers(struct weir_store *s);
int store_file_save_seen(struct weir_store *s);
int store_file_save_runs(struct weir_store *s);
/* Bytes of the file and its -wal. */
uint64_t store_file_bytes(const struct weir_store *s);

/* --- beside the file: store/beside.c --------------------------------------------------------- */

/* Remembers over the end of the process that sums wait, or that none do. */
void store_beside_mark(struct weir_store *s, bool waits);
/* Whether an earlier process had sums that waited when it ended. */
bool store_beside_marked(struct weir_store *s);
/* Moves the file and what belongs to it out of the way, all or nothing; *ret_name is what it is called then. Of damaged ones
 * the newest are kept. */
int store_beside_move(const struct weir_store *s, bool foreign, char *ret_name, size_t room);

/* --- transactions: store/commit.c ------------------------------------------------------------ */

/* The file is open for the first time in this run: store/store.c. */
void store_run_begin(struct weir_store *s);
/* Writes what waits, if anything does. */
int store_write_waiting(struct weir_store *s);
/* The disk refused, or the file could not be used: says so, once, and has it tried again later. */
void store_failed(struct weir_store *s, int error);

/* --- what waits: store/wait.c ---------------------------------------------------------------- */

/* What an event says that stands for many. */
#define STORE_MANY_TEXT 96
void store_many_text(uint64_t n, char text[STORE_MANY_TEXT]);

/* Adds an event to those that wait, and reports the kinds that are to be logged. */
void store_note(struct weir_store *s, enum weir_history_event_kind kind, uint64_t real_ns, const char *program, uint32_t uid,
		const char *summary);
void store_notes_free(struct weir_store *s);
/* Whether one more event of this owner may be told; if not, it is counted. */
bool store_may_tell(struct weir_store *s, uint32_t uid);
/* Says how many were counted: of those who may tell again, or of all. */
void store_tell_rest(struct weir_store *s, bool all);
/* Moves the second to what waits. */
int store_wait_second(struct weir_store *s, uint64_t time);
void store_wait_free(struct weir_store *s);
/* Sums of subjects that the file does not know any more. */
void store_wait_forget(struct weir_store *s);

/* --- levels: store/levels.c ------------------------------------------------------------------ */

struct store_reach store_reach_of(const struct weir_store *s);
/* Puts sums at their second: at the finest level, and at those that are rolled up past it already. */
int store_levels_put(struct weir_store *s, const struct store_wait *w);
/* Adds a column of a span of one level to sums. -ETIMEDOUT while a question is answered. */
int store_levels_read(struct weir_store *s, enum store_level level, enum store_column column, uint64_t from, uint64_t to,
		      struct store_sums *sums);
/* The same, each step by itself. */
typedef int (*store_step_visit)(void *ctx, uint64_t time, struct store_bucket *b);
int store_levels_visit(struct weir_store *s, enum store_level level, enum store_column column, uint64_t from, uint64_t to,
		       store_step_visit visit, void *ctx);
/* One step of rolling up, if one is due. 1: did some; 0: nothing is due. */
int store_levels_roll(struct weir_store *s);

/* --- days and months: store/use.c ------------------------------------------------------------ */

uint32_t store_day_of(uint64_t time);                    /* 20261122, local */
/* Sets the members of the span that tell of the zone: the day of this moment, and its offset. */
void store_day_at(uint64_t time, struct weir_history_span *span);
uint32_t store_use_of(enum store_use use, uint32_t day); /* 20261122 or 202611 */
/* One step of taking seconds over, if one is due, or there are any and it is urgent. As store_levels_roll(). */
int store_use_roll(struct weir_store *s, bool urgent);
/* Adds sums to a day and its month. */
int store_use_add(struct weir_store *s, uint32_t day, const struct store_sums *sums);
int store_use_read(struct weir_store *s, enum store_use use, uint32_t when, struct store_sums *sums);

/* --- ageing: store/age.c --------------------------------------------------------------------- */

/* Deletes some of what is too old or too much. */
int store_age(struct weir_store *s);

/* --- carry: store/carry.c -------------------------------------------------------------------- */

/* Writes the records that wait to the log. */
int store_carry_log(struct weir_store *s);
/* Takes the log over into the table, if it is long. */
int store_carry_settle(struct weir_store *s);
/* Drops what later records make void. */
void store_carry_compact(struct weir_store *s, struct weir_buf *records);

/* --- answers: store/answer*.c ------------------------------------------------------------------- */

struct store_asked {
	struct weir_store *s;
	const struct weir_history_question *q;
	struct weir_builder *b;
	struct store_reach reach;
	uint64_t from, to;          /* seconds */
	struct weir_history_span *span;
	char **error;
	bool unknown; /* sums that may be the viewer's in part were left out: nobody knows whose they are */
};

#define STORE_ROWS_MAX 10000 /* of one answer; the rest is "other" */

bool store_asked_late(const struct weir_store *s);
/* Whether the viewer may read what is of that owner. */
bool store_asked_sees(const struct store_asked *a, uint32_t uid);
/* The owner that a row gets which the viewer may read, whoever it is of. */
uid_t store_asked_owner(const struct store_asked *a);
/* The events of a span that the viewer may read, the newest first: his, and what the store says of itself. newest: no more
 * than an answer has rows. */
int store_asked_events(const struct store_asked *a, uint64_t from_ns, uint64_t to_ns, bool newest, sqlite3_stmt **ret);
/* How many the event stands for that the statement has: 0: itself. */
uint32_t store_event_many(sqlite3_stmt *q);
/* Adds an entry of a column to what the viewer may see: its subject's, "other" of one that is not known, or nothing. */
int store_asked_keep(struct store_asked *a, enum store_column column, const struct store_entry *e, struct store_sums *ret);
/* Sums of a column over [from, to), of subjects that are known and that the viewer may see; the others are "other", or
 * left out. */
int store_asked_sums(struct store_asked *a, enum store_column column, uint64_t *from, uint64_t *to, struct store_sums *ret);
/* A subject's texts. -ENOENT: not known. They live until the next call with the same text. */
struct store_text {
	uint64_t id;
	struct weir_buf body;
	struct weir_history_sample sample;
};
int store_text_get(struct weir_store *s, struct store_text *t, uint64_t id);
void store_text_done(struct store_text *t);

/* The subjects that a filter chooses: their numbers, sorted. */
struct store_chosen {
	bool all;      /* there is no filter */
	unsigned kind; /* WEIR_HISTORY_*: whose words it has */
	uint64_t *ids;
	size_t n;
};
int store_choose(struct store_asked *a, bool every_kind, struct store_chosen ret[_WEIR_HISTORY_KIND_MAX]);
bool store_chosen_has(const struct store_chosen *c, uint64_t id);
void store_chosen_done(struct store_chosen *c);

int store_answer_programs(struct store_asked *a);
int store_answer_peers(struct store_asked *a);
int store_answer_losses(struct store_asked *a);
int store_answer_rates(struct store_asked *a);
int store_answer_use(struct store_asked *a, enum store_use use);
int store_answer_events(struct store_asked *a);
int store_answer_changes(struct store_asked *a);
int store_answer_store(struct store_asked *a);
