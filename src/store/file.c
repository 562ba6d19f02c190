// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store_private.h"

/* The file itself: made, opened, looked at, and set aside when it does not hold together. One
 * process has it open at a time, so that the index of the -wal lies in memory and not in a file
 * that others could cut short. */

#define PAGE 4096
#define RUN_UNSAVED 120 /* seconds: twice as long as runs go unsaved */
#define PLACE_STATE 0x82

/* Rows of the table state. */
enum state_row {
	STATE_NUMBERS = 1,
	STATE_SEEN,
	STATE_KEY,
	STATE_RUNS,
};

static const char schema[] = "CREATE TABLE state(id INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE subject(id INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s1(time INTEGER PRIMARY KEY,totals BLOB,programs "
			     "BLOB,peers BLOB,losses BLOB);"
			     "CREATE TABLE s10_totals(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s10_programs(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s10_peers(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s10_losses(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s60_totals(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s60_programs(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s60_peers(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s60_losses(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s3600_totals(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s3600_programs(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s3600_peers(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE s3600_losses(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE use_days(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE use_months(time INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE event(id INTEGER PRIMARY KEY,time INTEGER,kind "
			     "INTEGER,uid INTEGER,program TEXT,summary TEXT,many INTEGER);"
			     "CREATE INDEX event_time ON event(time);"
			     "CREATE TABLE carry_log(id INTEGER PRIMARY KEY,body BLOB);"
			     "CREATE TABLE carry(feature TEXT,type INTEGER,key BLOB,body "
			     "BLOB,PRIMARY KEY(feature,type,key)) WITHOUT ROWID;";

static int run(struct weir_store *s, const char *sql)
{
	int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	int r = store_sql_error(rc);

	if (r < 0)
		snprintf(s->reason, sizeof(s->reason), "%s", sqlite3_errmsg(s->db));
	return r;
}

/* A number that SQLite itself has about the file. */
static int pragma(struct weir_store *s, const char *sql, int64_t *ret)
{
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

	if (rc == SQLITE_OK) {
		rc = sqlite3_step(q);
		if (rc == SQLITE_ROW)
			*ret = sqlite3_column_int64(q, 0);
	}
	if (rc != SQLITE_ROW && rc != SQLITE_DONE && rc != SQLITE_OK)
		snprintf(s->reason, sizeof(s->reason), "%s", sqlite3_errmsg(s->db));
	sqlite3_finalize(q);
	return store_sql_error(rc);
}

static uint64_t wal_bytes(const struct weir_store *s)
{
	uint64_t bytes = s->options.limit_bytes / 16;

	return bytes < 1u << 20 ? 1u << 20 : bytes > 8u << 20 ? 8u << 20 : bytes;
}

/* How SQLite is to work: little memory, no file but the two, nothing out of the file that could
 * run. */
static int set_up(struct weir_store *s)
{
	char sql[256];
	int64_t pages = 0;
	int r;

	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, 32 << 20);
	sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_busy_timeout(s->db, 100);
	r = run(s, "PRAGMA locking_mode=EXCLUSIVE;PRAGMA mmap_size=0;PRAGMA "
		   "temp_store=MEMORY;PRAGMA cache_size=-2048;"
		   "PRAGMA cell_size_check=ON;");
	/* Said once, when it is made: SQLite would write it each time, and a full disk is to be read. */
	if (r == 0)
		r = pragma(s, "PRAGMA page_count", &pages);
	if (r == 0 && !pages)
		r = run(s, "PRAGMA auto_vacuum=INCREMENTAL;");
	if (r == 0 && s->path)
		r = run(s, "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;");
	if (r < 0)
		return r;
	s->max_pages = (s->options.limit_bytes - wal_bytes(s)) / PAGE;
	snprintf(sql, sizeof(sql), "PRAGMA journal_size_limit=%llu;PRAGMA wal_autocheckpoint=%llu;",
		 (unsigned long long)wal_bytes(s), (unsigned long long)(wal_bytes(s) / PAGE / 2));
	return run(s, sql);
}

static int set_limit(struct weir_store *s)
{
	int64_t pages = 0;
	char sql[64];
	int r = pragma(s, "PRAGMA page_count", &pages);

	if (r < 0)
		return r;
	/* SQLite does not take a limit below what there is: more is deleted first (store/age.c). */
	snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%llu",
		 (unsigned long long)((uint64_t)pages > s->max_pages ? (uint64_t)pages : s->max_pages));
	return run(s, sql);
}

/* Numbers of ours, another's, or none yet. */
static int look(struct weir_store *s, int64_t *ret_tables, int64_t *ret_application,
		int64_t *ret_version)
{
	int r = pragma(s, "SELECT count(*) FROM sqlite_schema", ret_tables);

	if (r == 0)
		r = pragma(s, "PRAGMA application_id", ret_application);
	if (r == 0)
		r = pragma(s, "PRAGMA user_version", ret_version);
	return r;
}

/* What was added to the format and stands in no older one's way: a file that lacks it gets it. That an event stands for
 * many was said by its sentence alone. */
static int complete(struct weir_store *s)
{
	int64_t there = 0;
	char sql[256];
	int r = pragma(s, "SELECT count(*) FROM pragma_table_info('event') WHERE name='many'", &there);

	if (r < 0 || there)
		return r;
	snprintf(sql, sizeof(sql),
		 "UPDATE event SET many=CAST(substr(summary,5) AS INTEGER)"
		 " WHERE kind=%d AND program IS NULL AND summary GLOB 'and [0-9]* more programs were seen *'",
		 WEIR_HISTORY_FIRST_SEEN);
	r = run(s, "BEGIN IMMEDIATE");
	if (r == 0)
		r = run(s, "ALTER TABLE event ADD COLUMN many INTEGER");
	if (r == 0)
		r = run(s, sql);
	if (r == 0)
		r = run(s, "COMMIT");
	if (r < 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

static int make(struct weir_store *s)
{
	uint8_t key[STORE_HASH_KEY];
	struct weir_buf block = { 0 };
	char sql[128];
	int r;

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return -EIO;
	snprintf(sql, sizeof(sql), "PRAGMA application_id=%d;PRAGMA user_version=%d;",
		 STORE_APPLICATION, STORE_VERSION);
	r = run(s, "BEGIN IMMEDIATE");
	if (r == 0)
		r = run(s, schema);
	if (r == 0)
		r = run(s, sql);
	weir_buf_add(&block, key, sizeof(key));
	store_write_checksum(&block, 0,
			     (struct store_place){ .level = PLACE_STATE, .time = STATE_KEY });
	if (r == 0)
		r = store_sql_put_block(s, STORE_SQL_STATE_PUT, STATE_KEY, &block);
	if (r == 0)
		r = run(s, "COMMIT");
	if (r < 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	weir_buf_done(&block);
	return r;
}

/* --- what is kept beside the sums ------------------------------------------------------------ */

typedef int (*state_read)(struct weir_store *s, const void *bytes, size_t len);

static int state_get(struct weir_store *s, enum state_row row, state_read read)
{
	sqlite3_stmt *q;
	int r = store_sql_get(s, STORE_SQL_STATE_GET, &q);

	if (r < 0)
		return r;
	sqlite3_bind_int(q, 1, row);
	r = store_sql_step(s, q);
	if (r > 0) {
		size_t len = (size_t)sqlite3_column_bytes(q, 0);

		r = read(s, sqlite3_column_blob(q, 0), len);
		sqlite3_reset(q);
		return r == -EBADMSG ? -EUCLEAN : r;
	}
	return r < 0 ? r : -ENOENT;
}

static struct store_place place_of(enum state_row row)
{
	return (struct store_place){ .level = PLACE_STATE, .time = row };
}

static int read_key(struct weir_store *s, const void *bytes, size_t len)
{
	if (store_check(bytes, len, place_of(STATE_KEY), &len) < 0 || len != STORE_HASH_KEY)
		return -EBADMSG;
	if (s->subjects.n && memcmp(s->subjects.key, bytes, STORE_HASH_KEY) == 0)
		return 0;
	/* Another file than the one that was open before: what is known of subjects is void. */
	if (s->subjects.n)
		store_wait_forget(s);
	store_subjects_done(&s->subjects);
	store_subjects_init(&s->subjects, bytes);
	return 0;
}

static int read_numbers(struct weir_store *s, const void *bytes, size_t len)
{
	struct store_reader r;

	if (store_check(bytes, len, place_of(STATE_NUMBERS), &len) < 0)
		return -EBADMSG;
	r = (struct store_reader){ .at = bytes, .end = (const uint8_t *)bytes + len };
	memset(s->numbers, 0, sizeof(s->numbers));
	for (unsigned i = 0; i < _STORE_NUMBER_MAX && r.at < r.end; i++)
		s->numbers[i] = store_read_number(&r);
	return r.bad ? -EBADMSG : 0;
}

static int read_seen(struct weir_store *s, const void *bytes, size_t len)
{
	return store_subjects_seen_decode(&s->subjects, bytes, len);
}

static int read_runs(struct weir_store *s, const void *bytes, size_t len)
{
	struct store_reader r;
	uint64_t n, at = 0;

	if (store_check(bytes, len, place_of(STATE_RUNS), &len) < 0)
		return -EBADMSG;
	r = (struct store_reader){ .at = bytes, .end = (const uint8_t *)bytes + len };
	n = store_read_number(&r);
	s->n_runs = 0;
	for (uint64_t i = 0; i < n && i < STORE_RUNS_MAX && !r.bad; i++) {
		uint64_t from = at + store_read_number(&r);

		at = from + store_read_number(&r);
		s->runs[s->n_runs++] = (struct store_span){ .from = from, .to = at };
	}
	return r.bad ? -EBADMSG : 0;
}

static int put(struct weir_store *s, enum state_row row, struct weir_buf *block)
{
	int r;

	store_write_checksum(block, 0, place_of(row));
	r = store_sql_put_block(s, STORE_SQL_STATE_PUT, row, block);
	weir_buf_done(block);
	return r;
}

int store_file_save_numbers(struct weir_store *s)
{
	struct weir_buf block = { 0 };

	/* Given in advance, so that not each new subject writes here. */
	if (s->numbers[STORE_N_NEXT_ID] < s->subjects.next_id) {
		s->numbers[STORE_N_NEXT_ID] = s->subjects.next_id + 1024;
		s->numbers_changed = true;
	}
	if (!s->numbers_changed)
		return 0;
	for (unsigned i = 0; i < _STORE_NUMBER_MAX; i++)
		store_write_number(&block, s->numbers[i]);
	return put(s, STATE_NUMBERS, &block);
}

int store_file_save_seen(struct weir_store *s)
{
	struct weir_buf block = { 0 };
	int r;

	store_subjects_seen_encode(&s->subjects, &block);
	r = store_sql_put_block(s, STORE_SQL_STATE_PUT, STATE_SEEN, &block);
	weir_buf_done(&block);
	return r;
}

int store_file_save_runs(struct weir_store *s)
{
	struct weir_buf block = { 0 };
	uint64_t at = 0;

	store_write_number(&block, s->n_runs);
	for (size_t i = 0; i < s->n_runs; i++) {
		store_write_number(&block, s->runs[i].from - at);
		store_write_number(&block, s->runs[i].to - s->runs[i].from);
		at = s->runs[i].to;
	}
	return put(s, STATE_RUNS, &block);
}

/* --- loading --------------------------------------------------------------------------------- */

static int load_subjects(struct weir_store *s)
{
	sqlite3_stmt *q;
	int r = store_sql_get(s, STORE_SQL_SUBJECT_ALL, &q);

	if (r < 0)
		return r;
	while ((r = store_sql_step(s, q)) > 0) {
		uint64_t id = (uint64_t)sqlite3_column_int64(q, 0);
		int e;

		if (store_subjects_by_id(&s->subjects, id))
			continue;
		e = store_subjects_load(&s->subjects, id, sqlite3_column_blob(q, 1),
					(size_t)sqlite3_column_bytes(q, 1));
		if (e == -ENOMEM) {
			sqlite3_reset(q);
			return e;
		}
		/* What is unreadable has become "other". */
		if (e < 0)
			s->damaged_steps++;
	}
	s->subjects.n_gone = 0; /* those that left before are back, if the file was open before */
	if (s->subjects.next_id < s->numbers[STORE_N_NEXT_ID])
		s->subjects.next_id = s->numbers[STORE_N_NEXT_ID];
	return r;
}

/* The last hour tells who was seen since the times were saved. */
static int load_last_seen(struct weir_store *s)
{
	sqlite3_stmt *q;
	int r = store_sql_get(s, STORE_SQL_S1_ALL, &q);

	if (r < 0)
		return r;
	sqlite3_bind_int64(q, 1, 0);
	sqlite3_bind_int64(q, 2, INT64_MAX);
	s->s1_rows = 0;
	while ((r = store_sql_step(s, q)) > 0) {
		uint64_t time = (uint64_t)sqlite3_column_int64(q, 0);

		s->s1_rows++;
		if (time > s->newest)
			s->newest = time;
		for (unsigned c = STORE_PROGRAMS; c < _STORE_COLUMN_MAX; c++) {
			const void *body = sqlite3_column_blob(q, (int)c + 1);
			size_t len = (size_t)sqlite3_column_bytes(q, (int)c + 1);
			struct store_bucket b;
			struct store_entry e;

			if (!body || store_bucket_open(&b, body, len,
						       (struct store_place){ .kind = (uint8_t)c,
									     .time = time }) < 0)
				continue;
			while (store_bucket_next(&b, &e)) {
				struct store_subject *x = store_subjects_by_id(&s->subjects, e.id);

				if (x && x->last_seen < time)
					x->last_seen = (uint32_t)time;
			}
		}
	}
	return r;
}

static int load(struct weir_store *s)
{
	uint64_t newest = 0;
	int r = state_get(s, STATE_KEY, read_key);

	if (r == -ENOENT)
		return -EUCLEAN;
	if (r == 0)
		r = state_get(s, STATE_NUMBERS, read_numbers);
	if (r == 0 || r == -ENOENT)
		r = load_subjects(s);
	if (r == 0)
		r = state_get(s, STATE_SEEN, read_seen);
	if (r == 0 || r == -ENOENT)
		r = state_get(s, STATE_RUNS, read_runs);
	if (r == 0 || r == -ENOENT)
		r = load_last_seen(s);
	if (r == 0)
		r = store_sql_number(s, STORE_SQL_CARRY_LOG_COUNT, 0, 0, 0, &s->carry_log_rows);
	for (unsigned l = STORE_LEVEL_10S; r == 0 && l < _STORE_LEVEL_MAX; l++)
		newest = s->numbers[STORE_N_ROLLED + l] > newest ? s->numbers[STORE_N_ROLLED + l]
								 : newest;
	if (newest && s->newest < newest - 1)
		s->newest = newest - 1;
	/* What was not saved of a run is not much. */
	if (s->n_runs && s->runs[s->n_runs - 1].to < s->newest + 1 &&
	    s->newest < s->runs[s->n_runs - 1].to + RUN_UNSAVED)
		s->runs[s->n_runs - 1].to = s->newest + 1;
	return r;
}

/* --- opening --------------------------------------------------------------------------------- */

/* Only who runs weir may read it, whatever the umask says. Its -wal follows it. */
static int make_private(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -EINVAL;
	else if (st.st_mode & 077 && fchmod(fd, 0600) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int open_db(struct weir_store *s)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_EXRESCODE;
	int64_t tables = 0, application = 0, version = 0;
	int rc, r;

	if (s->path) {
		r = make_private(s->path);
		if (r < 0) {
			snprintf(s->reason, sizeof(s->reason), "%s: %s", s->path, strerror(-r));
			return r == -EUCLEAN ? -EIO : r;
		}
	}
	rc = sqlite3_open_v2(s->path ? s->path : ":memory:", &s->db, flags, NULL);
	if (rc != SQLITE_OK) {
		snprintf(s->reason, sizeof(s->reason), "%s",
			 s->db ? sqlite3_errmsg(s->db) : "no memory");
		return store_sql_error(rc);
	}
	r = set_up(s);
	if (r == 0)
		r = look(s, &tables, &application, &version);
	if (r < 0)
		return r;
	if (tables == 0) {
		r = make(s);
		if (r == 0) {
			s->carry_lost += s->began || s->carry_void;
			s->carry_void = false;
		}
	} else if (application != STORE_APPLICATION || version != STORE_VERSION)
		r = application == STORE_APPLICATION && version > STORE_VERSION ? -EPROTONOSUPPORT
										: -EMEDIUMTYPE;
	else
		r = complete(s);
	if (r == 0)
		r = set_limit(s); /* of a file that has all that it needs */
	return r == 0 ? load(s) : r;
}

void store_file_close(struct weir_store *s)
{
	store_sql_done(s);
	sqlite3_close(s->db);
	s->db = NULL;
}

int store_file_open(struct weir_store *s)
{
	int r;

	s->reason[0] = '\0';
	r = open_db(s);
	if (r == -EUCLEAN || r == -EPROTONOSUPPORT || r == -EMEDIUMTYPE) {
		if (r == -EPROTONOSUPPORT)
			snprintf(s->reason, sizeof(s->reason), "a newer weir wrote it");
		else if (r == -EMEDIUMTYPE)
			snprintf(s->reason, sizeof(s->reason), "it is no history of weir's");
		r = store_file_set_aside(s, r != -EUCLEAN);
	} else if (r < 0) {
		store_file_close(s);
	}
	return r;
}

uint64_t store_file_bytes(const struct weir_store *s)
{
	uint64_t bytes = 0;
	char name[4096];
	struct stat st;

	if (!s->path) {
		sqlite3_int64 used = sqlite3_memory_used();

		return used > 0 ? (uint64_t)used : 0;
	}
	if (stat(s->path, &st) == 0)
		bytes += (uint64_t)st.st_size;
	if ((size_t)snprintf(name, sizeof(name), "%s-wal", s->path) < sizeof(name) &&
	    stat(name, &st) == 0)
		bytes += (uint64_t)st.st_size;
	return bytes;
}

/* --- setting aside --------------------------------------------------------------------------- */

int store_file_set_aside(struct weir_store *s, bool foreign)
{
	char name[128] = "", why[128], summary[512];
	int r = 0;

	snprintf(why, sizeof(why), "%.100s", s->reason);
	store_file_close(s);
	if (s->path)
		r = store_beside_move(s, foreign, name, sizeof(name));
	if (r < 0) {
		snprintf(s->reason, sizeof(s->reason),
			 "it is damaged (%s), and cannot be set aside: %s", why, strerror(-r));
		return r;
	}
	s->carry_void = true;
	store_wait_forget(s);
	store_subjects_done(&s->subjects);
	memset(s->numbers, 0, sizeof(s->numbers));
	s->numbers_changed = true;
	s->newest = s->s1_rows = s->carry_log_rows = s->carry_log_bytes = 0;
	s->n_runs = 0;
	s->reason[0] = '\0';
	r = open_db(s);
	if (r < 0) {
		store_file_close(s);
		return r == -EUCLEAN || r == -EMEDIUMTYPE || r == -EPROTONOSUPPORT ? -EIO : r;
	}
	if (s->began)
		s->runs[s->n_runs++] = (struct store_span){ .from = s->now, .to = s->now };
	snprintf(summary, sizeof(summary),
		 "the history could not be read (%s): it was set aside as %s, a new one begins",
		 why, name[0] ? name : "nothing");
	store_note(s, WEIR_HISTORY_DAMAGED, s->now * STORE_NS, NULL, WEIR_UID_HOST, summary);
	return 0;
}
