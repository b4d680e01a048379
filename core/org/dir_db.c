/*
 * The database of the engine `dir:`: see dir_db.h.
 *
 * Several processes write it.  E1: the journal is WAL with synchronous=FULL.
 * Triggers keep what was appended, also from mistakes of this program.
 */
#include "dir_db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "../store/sql.h"

#define APPLICATION 0x74666f72 /* "tfor" */
#define VERSION 2
#define BUSY_MS 10000

static const char schema[] =
    "CREATE TABLE member(id INTEGER PRIMARY KEY, origin BLOB NOT NULL UNIQUE,"
    " vkey TEXT NOT NULL, next INTEGER NOT NULL, revoked INTEGER NOT NULL,"
    " organiser INTEGER NOT NULL)"
    " STRICT;"
    /* seq: the index; dense from 0. */
    "CREATE TABLE leaf(seq INTEGER PRIMARY KEY,"
    " member INTEGER NOT NULL REFERENCES member, number INTEGER NOT NULL,"
    " body BLOB NOT NULL, UNIQUE(member, number)) STRICT;"
    "CREATE TABLE note(member INTEGER NOT NULL REFERENCES member,"
    " size INTEGER NOT NULL, note BLOB NOT NULL, PRIMARY KEY(member, size))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE located(member INTEGER NOT NULL REFERENCES member,"
    " object BLOB NOT NULL, bundle BLOB NOT NULL, off INTEGER NOT NULL,"
    " len INTEGER NOT NULL, PRIMARY KEY(member, object))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE checkpoint(id INTEGER PRIMARY KEY CHECK(id = 0),"
    " size INTEGER NOT NULL, note BLOB NOT NULL) STRICT;"
    "CREATE TABLE refusal(id INTEGER PRIMARY KEY,"
    " member INTEGER NOT NULL REFERENCES member, number INTEGER NOT NULL,"
    " given BLOB NOT NULL, there BLOB, at_s INTEGER NOT NULL,"
    " at_ns INTEGER NOT NULL, UNIQUE(member, number, given)) STRICT;"
    "CREATE TRIGGER leaf_kept BEFORE UPDATE ON leaf BEGIN"
    " SELECT RAISE(ABORT, 'an entry never changes'); END;"
    "CREATE TRIGGER leaf_stays BEFORE DELETE ON leaf BEGIN"
    " SELECT RAISE(ABORT, 'an entry never goes'); END;"
    "CREATE TRIGGER member_stays BEFORE DELETE ON member BEGIN"
    " SELECT RAISE(ABORT, 'a member never goes'); END;"
    "CREATE TRIGGER member_grows BEFORE UPDATE OF next, origin, vkey ON member"
    " WHEN new.next < old.next OR new.origin <> old.origin"
    " OR new.vkey <> old.vkey BEGIN"
    " SELECT RAISE(ABORT, 'a member only grows'); END;";

/* Version 2: what a revoked member gives is recorded, once for each revocation. */
static const char more[] =
    "ALTER TABLE member ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE refusal ADD COLUMN revoked INTEGER NOT NULL DEFAULT 0;"
    "PRAGMA user_version=2;";

static enum tf_code
connect(const char *name, bool writes, struct tf_db **out, struct tf_error *err)
{
	struct tf_db *db = calloc(1, sizeof(*db));
	struct stat st;
	enum tf_code rc;

	if (db == NULL)
		return tf_nomem(err);
	/* A FIFO would block SQLite for ever. */
	if (stat(name, &st) < 0)
		rc = tf_fail(err, tf_code_of_open(errno), "%s: %s%s", name,
		    strerror(errno),
		    errno == EACCES ? ": an organisation in dir: is for its "
				      "owner and root" :
				      "");
	else if (!S_ISREG(st.st_mode))
		rc = tf_fail(err, TF_FOREIGN, "%s is not a plain file", name);
	else if (sqlite3_open_v2(name, &db->sq,
		     SQLITE_OPEN_NOMUTEX |
			 (writes ? SQLITE_OPEN_READWRITE :
				   SQLITE_OPEN_READONLY),
		     NULL) != SQLITE_OK)
		rc = tf_sql_fail(db, name, err);
	else {
		(void)sqlite3_busy_timeout(db->sq, BUSY_MS);
		(void)sqlite3_extended_result_codes(db->sq, 1);
		(void)sqlite3_db_config(db->sq, SQLITE_DBCONFIG_DEFENSIVE, 1,
		    NULL);
		rc = tf_sql_exec(db,
		    "PRAGMA recursive_triggers=ON;"
		    "PRAGMA trusted_schema=OFF;"
		    "PRAGMA foreign_keys=ON;"
		    "PRAGMA cell_size_check=ON;"
		    "PRAGMA mmap_size=0;"
		    "PRAGMA synchronous=FULL;",
		    name, err);
	}
	if (rc != TF_OK) {
		tf_dir_db_close(db);
		return rc;
	}
	*out = db;
	return TF_OK;
}

void
tf_dir_db_close(struct tf_db *db)
{
	if (db == NULL)
		return;
	tf_sql_close(db);
	free(db);
}

static enum tf_code
file_name(const char *path, char name[PATH_MAX], struct tf_error *err)
{
	if (*path == '\0')
		return tf_fail(err, TF_INVALID, "dir: needs a path behind it");
	if ((size_t)snprintf(name, PATH_MAX, "%s/org.db", path) >= PATH_MAX)
		return tf_fail(err, TF_NAMETOOLONG, "%.100s is too long", path);
	return TF_OK;
}

/* Is it ours?  An empty database is none yet: *empty. */
static enum tf_code
recognise(struct tf_db *db, const char *name, bool *empty, struct tf_error *err)
{
	int64_t id, version, tables;
	enum tf_code rc;

	if ((rc = tf_sql_one_int(db, "PRAGMA application_id", &id, err)) !=
		TF_OK ||
	    (rc = tf_sql_one_int(db, "PRAGMA user_version", &version, err)) !=
		TF_OK ||
	    (rc = tf_sql_one_int(db, "SELECT count(*) FROM sqlite_schema",
		 &tables, err)) != TF_OK)
		return rc;
	*empty = id == 0 && version == 0 && tables == 0;
	if (*empty)
		return TF_OK;
	if (id != APPLICATION)
		return tf_fail(err, TF_FOREIGN,
		    "%s is not the ledger of an organisation", name);
	if (version > VERSION)
		return tf_fail(err, TF_NEWER,
		    "%s: a later version of trailfs made it", name);
	return TF_OK;
}

/* Two may make it at once: one of them finds it made. */
static enum tf_code
make_schema(struct tf_db *db, const char *name, struct tf_error *err)
{
	char numbers[96];
	bool empty;
	enum tf_code rc;

	if ((rc = recognise(db, name, &empty, err)) == TF_OK && empty)
		rc = tf_sql_exec(db, "PRAGMA journal_mode=WAL", name, err);
	if (rc == TF_OK)
		rc = tf_sql_exec(db, "BEGIN IMMEDIATE", name, err);
	if (rc != TF_OK)
		return rc;
	(void)snprintf(numbers, sizeof(numbers), "PRAGMA application_id=%d",
	    APPLICATION);
	if ((rc = recognise(db, name, &empty, err)) == TF_OK && !empty)
		rc = tf_fail(err, TF_EXISTS, "%s exists", name);
	if (rc == TF_OK && (rc = tf_sql_exec(db, schema, name, err)) == TF_OK &&
	    (rc = tf_sql_exec(db, more, name, err)) == TF_OK &&
	    (rc = tf_sql_exec(db, numbers, name, err)) == TF_OK)
		rc = tf_sql_exec(db, "COMMIT", name, err);
	if (rc != TF_OK)
		(void)sqlite3_exec(db->sq, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

enum tf_code
tf_dir_db_create(const char *path, struct tf_error *err)
{
	char name[PATH_MAX];
	struct tf_db *db = NULL;
	enum tf_code rc = file_name(path, name, err);
	int fd = -1, dirfd = -1;

	if (rc == TF_OK)
		rc = tf_file_mkdir(AT_FDCWD, path, err);
	if (rc == TF_EXISTS)
		rc = TF_OK;
	/* Mode 0600: SQLite would make it readable by all. */
	if (rc == TF_OK)
		rc = tf_file_new(AT_FDCWD, name, O_WRONLY | O_EXCL, &fd, err);
	if (rc == TF_EXISTS)
		rc = TF_OK;
	if (fd >= 0)
		(void)close(fd); /* nothing is written */
	if (rc == TF_OK)
		rc = connect(name, true, &db, err);
	if (rc == TF_OK)
		rc = make_schema(db, name, err);
	tf_dir_db_close(db);
	if (rc != TF_OK)
		return rc;
	if ((dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return tf_fail(err, TF_IO, "open %s", path);
	rc = tf_file_sync_dir(dirfd, ".", err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(dirfd, "..", err);
	(void)close(dirfd); /* only read */
	return rc;
}

/* Two may do it at once: one of them finds it done. */
static enum tf_code
upgrade(struct tf_db *db, const char *name, struct tf_error *err)
{
	int64_t version;
	enum tf_code rc = tf_sql_one_int(db, "PRAGMA user_version", &version,
	    err);

	if (rc != TF_OK || version == VERSION)
		return rc;
	if ((rc = tf_sql_exec(db, "BEGIN IMMEDIATE", name, err)) != TF_OK)
		return rc;
	rc = tf_sql_one_int(db, "PRAGMA user_version", &version, err);
	if (rc == TF_OK && version < VERSION)
		rc = tf_sql_exec(db, more, name, err);
	if (rc == TF_OK)
		rc = tf_sql_exec(db, "COMMIT", name, err);
	if (rc != TF_OK)
		(void)sqlite3_exec(db->sq, "ROLLBACK", NULL, NULL, NULL);
	return rc;
}

enum tf_code
tf_dir_db_open(const char *path, bool writes, struct tf_db **out,
    struct tf_error *err)
{
	char name[PATH_MAX];
	struct tf_db *db;
	bool empty;
	enum tf_code rc = file_name(path, name, err);

	if (rc == TF_OK && access(name, F_OK) < 0 && errno == ENOENT) {
		errno = 0; /* it says less */
		rc = tf_fail(err, TF_NOTFOUND,
		    "%s has no ledger of an organisation: trailctl org init "
		    "makes one",
		    path);
	}
	if (rc == TF_OK)
		rc = connect(name, writes, &db, err);
	if (rc != TF_OK)
		return rc;
	rc = recognise(db, name, &empty, err);
	if (rc == TF_OK && empty)
		rc = tf_fail(err, TF_NOTFOUND, "%s: it was not made yet", name);
	if (rc == TF_OK && writes)
		rc = upgrade(db, name, err);
	if (rc != TF_OK) {
		tf_dir_db_close(db);
		return rc;
	}
	*out = db;
	return TF_OK;
}
