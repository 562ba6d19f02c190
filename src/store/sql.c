// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/store_private.h"

/* Every statement there is. Names of tables are put in from the lists below; values are always
 * bound. */

static const char *const fixed[STORE_SQL_USE_READ] = {
	[STORE_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[STORE_SQL_COMMIT] = "COMMIT",
	[STORE_SQL_ROLLBACK] = "ROLLBACK",
	[STORE_SQL_S1_PUT] = "INSERT OR REPLACE INTO s1(time,totals,programs,peers,losses) "
			     "VALUES(?1,?2,?3,?4,?5)",
	[STORE_SQL_S1_ALL] = "SELECT time,totals,programs,peers,losses FROM s1 WHERE time>=?1 AND "
			     "time<?2 ORDER BY time",
	[STORE_SQL_S1_DELETE] = "DELETE FROM s1 WHERE time<?1",
	[STORE_SQL_S1_NEXT] = "SELECT time FROM s1 WHERE time>=?1 ORDER BY time LIMIT 1",
	[STORE_SQL_SUBJECT_ALL] = "SELECT id,body FROM subject ORDER BY id",
	[STORE_SQL_SUBJECT_GET] = "SELECT body FROM subject WHERE id=?1",
	[STORE_SQL_SUBJECT_PUT] = "INSERT OR REPLACE INTO subject(id,body) VALUES(?1,?2)",
	[STORE_SQL_SUBJECT_DELETE] = "DELETE FROM subject WHERE id=?1",
	[STORE_SQL_STATE_GET] = "SELECT body FROM state WHERE id=?1",
	[STORE_SQL_STATE_PUT] = "INSERT OR REPLACE INTO state(id,body) VALUES(?1,?2)",
	[STORE_SQL_EVENT_PUT] =
		"INSERT INTO event(time,kind,uid,program,summary,many) VALUES(?1,?2,?3,?4,?5,?6)",
	[STORE_SQL_EVENT_SPAN] =
		"SELECT time,kind,uid,program,summary,many FROM event WHERE time>=?1 AND time<?2"
		" AND (?4 OR uid=?5 OR (uid=?6 AND kind BETWEEN ?7 AND ?8))"
		" ORDER BY time DESC,id DESC LIMIT ?3",
	[STORE_SQL_EVENT_AGE] = "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE time<?1 "
				"ORDER BY time LIMIT ?2)",
	[STORE_SQL_EVENT_TRIM] =
		"DELETE FROM event WHERE id IN (SELECT id FROM event WHERE uid=(SELECT uid FROM event GROUP BY uid"
		" ORDER BY count(*) DESC LIMIT 1) ORDER BY id LIMIT ?1)",
	[STORE_SQL_EVENT_STATS] =
		"SELECT (SELECT min(time) FROM event),(SELECT max(time) FROM event),"
		"(SELECT count(*) FROM event)",
	[STORE_SQL_EVENT_COUNT] = "SELECT count(*) FROM event",
	[STORE_SQL_CARRY_LOG_PUT] = "INSERT INTO carry_log(body) VALUES(?1)",
	[STORE_SQL_CARRY_LOG_ALL] = "SELECT id,body FROM carry_log ORDER BY id",
	[STORE_SQL_CARRY_LOG_COUNT] = "SELECT count(*) FROM carry_log",
	[STORE_SQL_CARRY_LOG_CLEAR] = "DELETE FROM carry_log",
	[STORE_SQL_CARRY_PUT] =
		"INSERT OR REPLACE INTO carry(feature,type,key,body) VALUES(?1,?2,?3,?4)",
	[STORE_SQL_CARRY_DELETE] = "DELETE FROM carry WHERE feature=?1 AND type=?2 AND key=?3",
	[STORE_SQL_CARRY_ANEW] = "DELETE FROM carry WHERE feature=?1",
	[STORE_SQL_CARRY_OF] =
		"SELECT feature,type,key,body FROM carry WHERE feature=?1 ORDER BY type,key",
	[STORE_SQL_CARRY_ALL] = "SELECT feature,type,key,body FROM carry ORDER BY feature,type,key",
	[STORE_SQL_CARRY_COUNT] = "SELECT count(*) FROM carry",
	[STORE_SQL_PAGES] = "PRAGMA page_count",
	[STORE_SQL_FREE_PAGES] = "PRAGMA freelist_count",
	[STORE_SQL_VACUUM] = "PRAGMA incremental_vacuum(64)",
};

static const char *const use_tables[_STORE_USE_MAX] = { "use_days", "use_months" };
static const char *const level_names[_STORE_LEVEL_MAX] = { "s1", "s10", "s60", "s3600" };
static const char *const column_names[_STORE_COLUMN_MAX] = { "totals", "programs", "peers",
							     "losses" };

/* The finest level is one table with a row a second; the others have one for each column. */
static void table_of(unsigned level, unsigned column, char ret[32])
{
	if (level == STORE_LEVEL_1S)
		snprintf(ret, 32, "s1");
	else
		snprintf(ret, 32, "%s_%s", level_names[level], column_names[column]);
}

static void of_level(unsigned which, char *text, size_t room)
{
	unsigned at = (which - STORE_SQL_READ) % (_STORE_LEVEL_MAX * _STORE_COLUMN_MAX);
	unsigned level = at / _STORE_COLUMN_MAX, column = at % _STORE_COLUMN_MAX;
	const char *body = level == STORE_LEVEL_1S ? column_names[column] : "body";
	char table[32];

	table_of(level, column, table);
	if (which < STORE_SQL_PUT)
		snprintf(text, room,
			 "SELECT time,%s FROM %s WHERE time>=?1 AND time<?2 ORDER BY time", body,
			 table);
	else if (which < STORE_SQL_DELETE)
		snprintf(text, room, "INSERT OR REPLACE INTO %s(time,%s) VALUES(?1,?2)", table,
			 body);
	else
		snprintf(text, room, "DELETE FROM %s WHERE time<?1", table);
}

static void text_of(unsigned which, char *text, size_t room)
{
	char table[32];

	if (which < STORE_SQL_USE_READ) {
		snprintf(text, room, "%s", fixed[which]);
	} else if (which < STORE_SQL_USE_PUT) {
		snprintf(text, room, "SELECT body FROM %s WHERE time=?1",
			 use_tables[which - STORE_SQL_USE_READ]);
	} else if (which < STORE_SQL_USE_DELETE) {
		snprintf(text, room, "INSERT OR REPLACE INTO %s(time,body) VALUES(?1,?2)",
			 use_tables[which - STORE_SQL_USE_PUT]);
	} else if (which < STORE_SQL_USE_STATS) {
		snprintf(text, room, "DELETE FROM %s WHERE time<?1",
			 use_tables[which - STORE_SQL_USE_DELETE]);
	} else if (which < STORE_SQL_READ) {
		snprintf(text, room, "SELECT min(time),max(time),count(*) FROM %s",
			 use_tables[which - STORE_SQL_USE_STATS]);
	} else if (which < STORE_SQL_EDGE) {
		of_level(which, text, room);
	} else if (which < STORE_SQL_NEXT) {
		table_of(which - STORE_SQL_EDGE, STORE_TOTALS, table);
		snprintf(text, room, "SELECT (SELECT min(time) FROM %s),(SELECT max(time) FROM %s)",
			 table, table);
	} else {
		table_of(which - STORE_SQL_NEXT, STORE_TOTALS, table);
		snprintf(text, room, "SELECT time FROM %s WHERE time>=?1 ORDER BY time LIMIT 1",
			 table);
	}
}

int store_sql_error(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_INTERRUPT:
		return -ETIMEDOUT;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_IOERR:
		return rc == SQLITE_IOERR_CORRUPTFS ? -EUCLEAN : -EIO;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_FORMAT:
	case SQLITE_ERROR: /* tables are not what was made */
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

static int failed(struct weir_store *s, int rc)
{
	int r = store_sql_error(rc);

	if (r < 0 && r != -ETIMEDOUT)
		snprintf(s->reason, sizeof(s->reason), "%s", sqlite3_errmsg(s->db));
	return r;
}

int store_sql_get(struct weir_store *s, unsigned which, sqlite3_stmt **ret)
{
	char text[320];

	if (!s->db)
		return -EIO;
	if (!s->sql[which]) {
		int rc;

		text_of(which, text, sizeof(text));
		rc = sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &s->sql[which],
					NULL);
		if (rc != SQLITE_OK)
			return failed(s, rc);
	}
	sqlite3_reset(s->sql[which]);
	sqlite3_clear_bindings(s->sql[which]);
	*ret = s->sql[which];
	return 0;
}

int store_sql_step(struct weir_store *s, sqlite3_stmt *q)
{
	int rc = sqlite3_step(q);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		rc = failed(s, rc);
	else
		rc = 0;
	sqlite3_reset(q);
	return rc;
}

static int start(struct weir_store *s, unsigned which, unsigned n, const uint64_t *values,
		 sqlite3_stmt **ret)
{
	int r = store_sql_get(s, which, ret);

	for (unsigned i = 0; r == 0 && i < n; i++)
		r = failed(s, sqlite3_bind_int64(*ret, (int)i + 1, (sqlite3_int64)values[i]));
	return r;
}

int store_sql_run(struct weir_store *s, unsigned which, unsigned n, uint64_t a, uint64_t b,
		  uint64_t c)
{
	const uint64_t values[3] = { a, b, c };
	sqlite3_stmt *q;
	int r = start(s, which, n, values, &q);

	while (r == 0 && (r = store_sql_step(s, q)) > 0)
		r = 0;
	/* That a transaction cannot begin or end says nothing of the tables. */
	if (r == -EUCLEAN && which <= STORE_SQL_ROLLBACK &&
	    (sqlite3_errcode(s->db) & 0xff) == SQLITE_ERROR)
		r = -EIO;
	return r;
}

int store_sql_number(struct weir_store *s, unsigned which, unsigned n, uint64_t a, uint64_t b,
		     uint64_t *ret)
{
	const uint64_t values[3] = { a, b };
	sqlite3_stmt *q;
	int r = start(s, which, n, values, &q);

	if (r < 0)
		return r;
	r = store_sql_step(s, q);
	if (r > 0 && sqlite3_column_type(q, 0) == SQLITE_INTEGER && sqlite3_column_int64(q, 0) >= 0)
		*ret = (uint64_t)sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return r < 0 ? r : 0;
}

int store_sql_put_block(struct weir_store *s, unsigned which, uint64_t id,
			const struct weir_buf *block)
{
	sqlite3_stmt *q;
	int r;

	if (block->error)
		return block->error;
	if (!block->len)
		return 0;
	r = start(s, which, 1, &id, &q);
	if (r == 0)
		r = failed(s, sqlite3_bind_blob64(q, 2, block->data, block->len, SQLITE_STATIC));
	return r < 0 ? r : store_sql_step(s, q);
}

void store_sql_done(struct weir_store *s)
{
	for (unsigned i = 0; i < STORE_SQL_MAX; i++) {
		sqlite3_finalize(s->sql[i]);
		s->sql[i] = NULL;
	}
}
