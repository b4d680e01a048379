/*
 * Opens and closes the search index: see search_rows.h.
 *
 * Facts are a B-tree sorted by kind, value and item, so that the newest item of
 * a value is one step away and two facts can be intersected by seeking.  Paths
 * are in an FTS5 table of trigrams without content: only the ledger keeps the
 * paths themselves.  The journal is WAL with synchronous=NORMAL: a power cut
 * may lose the last rows but never damages the file.  The one connection locks
 * the file for itself, so SQLite maps no memory that others could truncate: the
 * file may be removed or damaged under a running daemon.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "search_i.h"

#define FORM 6 /* of the tables, the kinds of facts and the words */
#define BUSY_MS 10000
#define CACHE "PRAGMA cache_size=-8192;"

static const char tables[] =
    "CREATE TABLE mark(k TEXT PRIMARY KEY, v ANY NOT NULL) STRICT;"
    "CREATE TABLE fact(kind INTEGER NOT NULL, value BLOB NOT NULL,"
    " item INTEGER NOT NULL, PRIMARY KEY(kind, value, item))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE word(item INTEGER PRIMARY KEY, word TEXT NOT NULL) STRICT;"
    "CREATE INDEX word_item ON word(word, item);"
    "CREATE TABLE due(item INTEGER PRIMARY KEY, id INTEGER NOT NULL) STRICT;"
    "CREATE VIRTUAL TABLE path USING fts5(text, content='', columnsize=0,"
    " tokenize='trigram case_sensitive 1');";

enum tf_code
tf_search_exec(struct tf_search_db *s, const char *sql, struct tf_error *err)
{
	if (sqlite3_exec(s->db.sq, sql, NULL, NULL, NULL) != SQLITE_OK)
		return tf_sql_fail(&s->db, "search index", err);
	return TF_OK;
}

/* TF_OK if the tables are of this form and of the ledger with this mark. */
static enum tf_code
check_mark(struct tf_search_db *s, const char *mark, struct tf_error *err)
{
	static const char sql[] =
	    "SELECT 1 FROM mark WHERE k = 'ledger' AND v = ?1"
	    " AND (SELECT v FROM mark WHERE k = 'form') = ?2";
	sqlite3_stmt *st = tf_sql(&s->db, err, sql, "ti", mark, (int64_t)FORM);
	enum tf_code rc = tf_sql_row(&s->db, st, "search index", err);

	if (rc == TF_OK)
		(void)sqlite3_reset(st);
	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_TAMPER, "the search index is of another store") :
	    rc;
}

static enum tf_code
make_tables(struct tf_search_db *s, const char *mark, struct tf_error *err)
{
	enum tf_code rc;

	if ((rc = tf_search_exec(s, "BEGIN IMMEDIATE", err)) != TF_OK ||
	    (rc = tf_search_exec(s, tables, err)) != TF_OK ||
	    (rc = tf_sql_run(&s->db,
		 tf_sql(&s->db, err, "INSERT INTO mark VALUES('ledger', ?1)",
		     "t", mark),
		 "search index", err)) != TF_OK ||
	    (rc = tf_sql_run(&s->db,
		 tf_sql(&s->db, err, "INSERT INTO mark VALUES('form', ?1)", "i",
		     (int64_t)FORM),
		 "search index", err)) != TF_OK)
		return rc;
	return tf_search_exec(s, "COMMIT", err);
}

static enum tf_code
connect(const char *path, int flags, struct tf_search_db **out,
    struct tf_error *err)
{
	struct tf_search_db *s = calloc(1, sizeof(*s));
	enum tf_code rc = TF_OK;

	if (s == NULL)
		return tf_nomem(err);
	s->next = -1;
	if (sqlite3_open_v2(path, &s->db.sq, flags | SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK)
		rc = tf_sql_fail(&s->db, "search index", err);
	if (rc == TF_OK) {
		(void)sqlite3_busy_timeout(s->db.sq, BUSY_MS);
		(void)sqlite3_extended_result_codes(s->db.sq, 1);
		rc = tf_search_exec(s,
		    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
		    "PRAGMA mmap_size=0;" CACHE,
		    err);
	}
	if (rc != TF_OK) {
		tf_search_close(s);
		return rc;
	}
	*out = s;
	return TF_OK;
}

void
tf_search_remove(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char name[4200];

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name); /* mostly not there */
	}
}

/* Open the file as its writer.  TF_TAMPER: it must be made anew. */
static enum tf_code
open_file(const char *path, const char *mark, struct tf_search_db **out,
    struct tf_error *err)
{
	struct tf_search_db *s = NULL;
	struct stat st;
	enum tf_code rc;
	bool made;
	int fd;

	/* SQLite would make a file that others can read. */
	made = tf_file_new(AT_FDCWD, path, O_RDWR | O_EXCL, &fd, NULL) == TF_OK;
	if (made)
		(void)close(fd); /* empty */
	rc = connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW, &s,
	    err);
	if (rc == TF_OK)
		rc = tf_search_exec(s,
		    "PRAGMA locking_mode=EXCLUSIVE;"
		    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
		    "PRAGMA wal_autocheckpoint=4000;",
		    err);
	if (rc == TF_OK)
		rc = made ? make_tables(s, mark, err) :
			    check_mark(s, mark, err);
	if (rc == TF_OK && stat(path, &st) == 0) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
	}
	if (rc != TF_OK) {
		tf_search_close(s);
		return rc;
	}
	*out = s;
	return TF_OK;
}

static bool
is_damage(enum tf_code rc)
{
	return rc == TF_TAMPER || rc == TF_FOREIGN || rc == TF_IO;
}

static enum tf_code
open_write(const char *path, const char *mark, struct tf_search_db **out,
    struct tf_error *err)
{
	enum tf_code rc = open_file(path, mark, out, err);

	if (!is_damage(rc))
		return rc;
	tf_search_remove(path);
	return open_file(path, mark, out, err);
}

/* True if the file is whole without a write-ahead log. */
static bool
is_closed(const char *path)
{
	struct stat st;
	char wal[4200];

	(void)snprintf(wal, sizeof(wal), "%s-wal", path);
	return stat(wal, &st) < 0 || st.st_size == 0;
}

/* Open a file that nobody writes.  SQLite makes no file beside it. */
static enum tf_code
open_still(const char *path, const char *mark, struct tf_search_db **out,
    struct tf_error *err)
{
	struct tf_search_db *s = NULL;
	struct tf_buf uri = { 0 };
	enum tf_code rc;

	if (!is_closed(path))
		return tf_fail(err, TF_LOCKED, "the search index is in use");
	tf_buf_str(&uri, "file:");
	for (const char *c = path; *c != '\0'; c++)
		if (*c == '%' || *c == '?' || *c == '#')
			tf_buf_printf(&uri, "%%%02X", (unsigned char)*c);
		else
			tf_buf_add(&uri, c, 1);
	tf_buf_str(&uri, "?immutable=1");
	tf_buf_add(&uri, "", 1);
	rc = uri.failed ?
	    tf_nomem(err) :
	    connect(uri.p, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, &s, err);
	tf_buf_free(&uri);
	if (rc == TF_OK)
		rc = check_mark(s, mark, err);
	if (rc != TF_OK) {
		tf_search_close(s);
		return rc;
	}
	*out = s;
	return TF_OK;
}

/* Copy the tables of file path to s.  False: s may hold anything now. */
static bool
copy_from(struct tf_search_db *s, const char *path, const char *mark)
{
	struct tf_search_db *from = NULL;
	sqlite3_backup *b = NULL;
	bool done = false;

	if (open_still(path, mark, &from, NULL) == TF_OK)
		b = sqlite3_backup_init(s->db.sq, "main", from->db.sq, "main");
	if (b != NULL) {
		done = sqlite3_backup_step(b, -1) == SQLITE_DONE;
		done = sqlite3_backup_finish(b) == SQLITE_OK && done;
	}
	tf_search_close(from);
	return done;
}

static enum tf_code
open_copy(const char *path, const char *mark, struct tf_search_db **out,
    struct tf_error *err)
{
	static const char off[] = "PRAGMA journal_mode=MEMORY;"
				  "PRAGMA synchronous=OFF;";
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	struct tf_search_db *s = NULL;
	enum tf_code rc = connect("", flags, &s, err);

	if (rc == TF_OK && !copy_from(s, path, mark)) {
		tf_search_close(s);
		s = NULL;
		rc = connect("", flags, &s, err);
		if (rc == TF_OK)
			rc = make_tables(s, mark, err);
	}
	if (rc == TF_OK)
		rc = tf_search_exec(s, off, err);
	if (rc != TF_OK) {
		tf_search_close(s);
		return rc;
	}
	*out = s;
	return TF_OK;
}

/* --- the next file of an index that is only replaced ------------------------------ */

static void
name_next(const char *path, char out[4200])
{
	(void)snprintf(out, 4200, "%.*s" TF_SEARCH_NEXT_NAME,
	    (int)(strlen(path) - strlen(TF_SEARCH_NAME)), path);
}

/* Make and lock the file, which a killed process may have left. */
static enum tf_code
lock_next(const char *name, int *fd, struct tf_error *err)
{
	struct stat mine, there;
	enum tf_code rc = tf_file_open(AT_FDCWD, name, O_RDWR | O_CREAT, fd,
	    err);

	if (rc != TF_OK)
		return rc;
	/* Who had the lock may have given the file its final name. */
	if (flock(*fd, LOCK_EX | LOCK_NB) < 0 || fstat(*fd, &mine) < 0 ||
	    stat(name, &there) < 0 || mine.st_ino != there.st_ino ||
	    mine.st_dev != there.st_dev)
		rc = tf_fail(err, TF_LOCKED,
		    "another process makes the search index");
	else if (ftruncate(*fd, 0) < 0)
		rc = tf_fail(err, TF_IO, "empty %s", name);
	if (rc != TF_OK)
		(void)close(*fd);
	return rc;
}

/* No journal: what a crash leaves is never used. */
static enum tf_code
open_next(const char *path, const char *mark, struct tf_search_db **out,
    struct tf_error *err)
{
	static const char off[] = "PRAGMA locking_mode=EXCLUSIVE;"
				  "PRAGMA journal_mode=OFF;"
				  "PRAGMA synchronous=OFF;";
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW;
	struct tf_search_db *s = NULL;
	char name[4200];
	int fd;
	enum tf_code rc;

	name_next(path, name);
	if ((rc = lock_next(name, &fd, err)) != TF_OK)
		return rc;
	rc = connect(name, flags, &s, err);
	if (rc == TF_OK && !copy_from(s, path, mark)) {
		tf_search_close(s);
		s = NULL;
		rc = ftruncate(fd, 0) < 0 ?
		    tf_fail(err, TF_IO, "empty %s", name) :
		    connect(name, flags, &s, err);
		if (rc == TF_OK)
			rc = tf_search_exec(s, off, err);
		if (rc == TF_OK)
			rc = make_tables(s, mark, err);
	}
	if (rc == TF_OK)
		rc = tf_search_exec(s, off, err);
	if (rc != TF_OK) {
		tf_search_close(s);
		(void)close(fd);
		return rc;
	}
	s->next = fd;
	*out = s;
	return TF_OK;
}

enum tf_code
tf_search_replace(struct tf_search_db *s, const char *path,
    struct tf_error *err)
{
	const int fd = s->next;
	char name[4200];
	enum tf_code rc;

	name_next(path, name);
	s->next = -1;
	tf_search_close(s);
	rc = tf_file_sync(fd, err);
	if (rc == TF_OK && rename(name, path) < 0)
		rc = tf_fail(err, TF_IO, "rename %s", name);
	(void)close(fd); /* the lock ends */
	return rc;
}

enum tf_code
tf_search_open(const char *path, enum tf_search_mode mode, const char *mark,
    struct tf_search_db **out, struct tf_error *err)
{
	switch (mode) {
	case TF_SEARCH_WRITE:
		return open_write(path, mark, out, err);
	case TF_SEARCH_STILL:
		return open_still(path, mark, out, err);
	case TF_SEARCH_NEXT:
		return open_next(path, mark, out, err);
	default:
		return open_copy(path, mark, out, err);
	}
}

void
tf_search_close(struct tf_search_db *s)
{
	if (s == NULL)
		return;
	tf_buf_free(&s->paths);
	tf_sql_close(&s->db);
	if (s->next >= 0)
		(void)close(s->next); /* what is in it is never used */
	free(s);
}

bool
tf_search_is_at(const struct tf_search_db *s, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == s->dev &&
	    st.st_ino == s->ino;
}
