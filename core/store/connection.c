/*
 * Connections and transactions.
 *
 * I4: the journal is WAL with synchronous=FULL.  With NORMAL a power cut may
 * lose the last commits after their checkpoint was shown.
 *
 * A connection is opened in the order: settings that must hold before any SQL
 * of the file runs (trusted_schema, defensive), then the check of the schema,
 * then what only a writer needs.  A database that somebody altered can so
 * neither run code of its own nor be taken for ours.  Readers cannot write, by
 * query_only and, on a still store, because SQLite opens no file for writing.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "../base/mutant.h"
#include "../json.h"
#include "connection.h"
#include "schema.h"
#include "scrub.h"
#include "sql.h"
#include "vfs.h"

#define BUSY_MS 10000

#define BUSY_WRITER_MS 3000 /* then the committer retries: see commit.c */

#define PAGE 4096	      /* bytes of a page, for rough sizes of the log */
#define CHECKPOINT_PAGES 1000 /* in the log, then they go to the database */

/* Of a database that exists. */
static bool
is_writer(enum tf_db_mode mode)
{
	return mode == TF_DB_WRITE || mode == TF_DB_UPGRADE;
}

/*
 * recursive_triggers: without it REPLACE would delete rows past the triggers
 * that keep I1.  cell_size_check: damage of a page is found when it is read.
 */
static enum tf_code
settings(struct tf_db *db, struct tf_error *err)
{
	static const char common[] = "PRAGMA recursive_triggers=ON;"
				     "PRAGMA trusted_schema=OFF;"
				     "PRAGMA cell_size_check=ON;"
				     "PRAGMA temp_store=MEMORY;"
				     "PRAGMA mmap_size=0;"
				     "PRAGMA synchronous=FULL;";

	(void)sqlite3_busy_timeout(db->sq,
	    is_writer(db->mode) ? BUSY_WRITER_MS : BUSY_MS);
	(void)sqlite3_extended_result_codes(db->sq, 1);
	if (sqlite3_db_config(db->sq, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL) !=
	    SQLITE_OK)
		return tf_sql_fail(db, "defensive", err);
	if (tf_sql_exec(db, common, "settings", err) != TF_OK)
		return err != NULL ? err->code : TF_IO;
	if (TF_IS_MUTANT(TF_SYNC_NORMAL) || TF_IS_MUTANT(TF_SYNC_OFF))
		(void)sqlite3_exec(db->sq,
		    TF_IS_MUTANT(TF_SYNC_OFF) ? "PRAGMA synchronous=OFF" :
						"PRAGMA synchronous=NORMAL",
		    NULL, NULL, NULL);
	return TF_OK;
}

/* After a commit: what SQLite does by itself (wal_autocheckpoint), and count. */
static int
after_commit(void *arg, sqlite3 *sq, const char *name, int pages)
{
	struct tf_db *db = arg;

	db->log_now = (int64_t)pages * PAGE;
	if (db->log_now > db->log_most)
		db->log_most = db->log_now;
	if (pages >= CHECKPOINT_PAGES)
		(void)sqlite3_wal_checkpoint(sq, name);
	return SQLITE_OK;
}

/* SQLite neither deletes nor shortens the log, because it would not overwrite
 * it: see scrub.c. */
static void
keep_log(struct tf_db *db)
{
	char name[PATH_MAX];
	struct stat st;
	int keep = 1;

	(void)snprintf(name, sizeof(name), "%s-wal",
	    sqlite3_db_filename(db->sq, "main"));
	if (stat(name, &st) == 0)
		db->log_most = st.st_size;
	(void)sqlite3_file_control(db->sq, "main", SQLITE_FCNTL_PERSIST_WAL,
	    &keep);
	(void)sqlite3_wal_hook(db->sq, after_commit, db);
	db->keeps_log = true;
}

/*
 * The journal mode comes last: setting it writes to the file, and no foreign
 * database may be changed.
 */
static enum tf_code
prepare_mode(struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc;

	if ((rc = settings(db, err)) != TF_OK)
		return rc;
	if (db->mode == TF_DB_CREATE &&
	    (rc = tf_schema_create(db, err)) != TF_OK)
		return rc;
	if (db->mode != TF_DB_CREATE)
		rc = tf_schema_recognise(db, err);
	if (rc != TF_FOREIGN &&
	    (db->mode == TF_DB_CREATE || is_writer(db->mode)))
		keep_log(db);
	if (rc != TF_OK)
		return rc;
	if (db->mode == TF_DB_WRITE &&
	    (rc = tf_schema_writable(db, err)) != TF_OK)
		return rc;
	if (db->mode == TF_DB_READ || db->mode == TF_DB_STILL)
		return tf_sql_exec(db, "PRAGMA query_only=ON", "query_only",
		    err);
	return tf_sql_exec(db,
	    /* Deleted bytes are overwritten, also by SQLites that do not do so
	     * by default: see scrub.c. */
	    "PRAGMA secure_delete=ON;"
	    "PRAGMA journal_mode=WAL;"
	    /* KiB, allocated on demand.  Dirty pages that exceed the cache
	     * are written twice. */
	    "PRAGMA cache_size=-16384;"
	    "PRAGMA journal_size_limit=-1;",
	    "journal mode", err);
}

/*
 * Append the URI under which SQLite creates no file beside the database.
 * Commits in the write-ahead log must be read too.  SQLite can read a log
 * without writing an index only if the index file exists; it then rebuilds the
 * index in memory and ignores that of the file.
 */
static enum tf_code
still_name(const char *path, struct tf_buf *out, struct tf_error *err)
{
	char beside[PATH_MAX];
	struct stat st;
	bool log;

	(void)snprintf(beside, sizeof(beside), "%s-wal", path);
	log = stat(beside, &st) == 0 && st.st_size > 0;
	(void)snprintf(beside, sizeof(beside), "%s-shm", path);
	if (log && access(beside, F_OK) != 0)
		return tf_fail(err, TF_READONLY,
		    "the last run did not end cleanly: mount the store "
		    "writable once");
	tf_buf_str(out, "file:");
	for (; *path != '\0'; path++)
		if (strchr("%?#", *path) != NULL)
			tf_buf_printf(out, "%%%02X", *path);
		else
			tf_buf_add(out, path, 1);
	tf_buf_str(out, log ? "?readonly_shm=1" : "?immutable=1");
	tf_buf_add(out, "", 1);
	return tf_buf_end(out, err);
}

/* Check that the database and SQLite's files beside it are regular files: a
 * FIFO would block SQLite for ever.  The database itself may be reached by a
 * symbolic link, the other files may not. */
static enum tf_code
check_files(const char *path, struct tf_error *err)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char name[PATH_MAX];
	struct stat st;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		if ((i == 0 ? stat(name, &st) : lstat(name, &st)) == 0 &&
		    !S_ISREG(st.st_mode))
			return tf_fail(err, TF_FOREIGN,
			    "%s is not a plain file", name);
	}
	return TF_OK;
}

/*
 * Only EROFS: a missing right is not a still store, since another process may
 * write it.
 */
static bool
is_read_only_medium(const char *path)
{
	return access(path, W_OK) != 0 && errno == EROFS;
}

/* Create the file with mode 0600.  SQLite would create it with 0644, and it
 * gives its log and index the mode and the owner of the database.  SQLite takes
 * an empty file for a new database. */
static enum tf_code
create_file(const char *path, struct tf_error *err)
{
	int fd;
	enum tf_code rc = tf_file_new(AT_FDCWD, path, O_WRONLY | O_EXCL, &fd,
	    err);

	if (rc == TF_OK)
		(void)close(fd); /* nothing is written yet */
	return rc;
}

enum tf_code
tf_db_open(const char *path, enum tf_db_mode mode, struct tf_db **out,
    struct tf_error *err)
{
	int flags = SQLITE_OPEN_NOMUTEX |
	    (mode == TF_DB_CREATE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE :
		    is_writer(mode) ? SQLITE_OPEN_READWRITE :
				      SQLITE_OPEN_READONLY);
	struct tf_buf name = { 0 };
	struct tf_db *db;
	enum tf_code rc;

	if (mode == TF_DB_CREATE && access(path, F_OK) == 0)
		return tf_fail(err, TF_EXISTS, "%s exists", path);
	if (mode != TF_DB_CREATE && access(path, F_OK) != 0)
		return tf_fail(err, tf_code_of_open(errno), "%s: %s", path,
		    tf_code_of_open(errno) == TF_NOTFOUND ? "no database" :
							    strerror(errno));
	if ((rc = check_files(path, err)) != TF_OK)
		return rc;
	if (mode == TF_DB_CREATE && (rc = create_file(path, err)) != TF_OK)
		return rc;
	if (mode == TF_DB_READ && is_read_only_medium(path))
		mode = TF_DB_STILL;
	if ((db = calloc(1, sizeof(*db))) == NULL)
		return tf_nomem(err);
	db->mode = mode;
	if (mode == TF_DB_STILL) {
		if ((rc = still_name(path, &name, err)) != TF_OK)
			goto fail;
		path = name.p;
		flags |= SQLITE_OPEN_URI;
	}
	if (sqlite3_open_v2(path, &db->sq, flags,
		mode != TF_DB_STILL ? tf_vfs() : NULL) != SQLITE_OK) {
		rc = tf_sql_fail(db, "open database", err);
		goto fail;
	}
	if ((rc = prepare_mode(db, err)) != TF_OK)
		goto fail;
	tf_buf_free(&name);
	*out = db;
	return TF_OK;
fail:
	tf_buf_free(&name);
	tf_db_close(db);
	return rc;
}

void
tf_db_keep_files(struct tf_db *db)
{
	db->keeps_files = true;
}

bool
tf_db_has_files(const char *path)
{
	static const char *const ends[] = { "-wal", "-shm" };
	char name[PATH_MAX];
	bool yes = true;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		yes = yes && access(name, R_OK) == 0;
	}
	return yes;
}

void
tf_db_keep_locks(struct tf_db *db)
{
	sqlite3_file *f = NULL;

	if (sqlite3_file_control(db->sq, "main", SQLITE_FCNTL_FILE_POINTER,
		&f) == SQLITE_OK &&
	    f != NULL)
		tf_vfs_keep_locks(f);
}

void
tf_sql_close(struct tf_db *db)
{
	for (int i = 0; i < TF_DB_STATEMENTS; i++)
		(void)sqlite3_finalize(db->cache[i].st);
	(void)sqlite3_close(db->sq);
}

void
tf_db_leave(struct tf_db *db)
{
	tf_sql_close(db);
	free(db);
}

void
tf_db_close(struct tf_db *db)
{
	if (db == NULL)
		return;
	tf_log_end(db);
	tf_db_leave(db);
}

/* True if a line of the integrity check reports a page that could not be read:
 * such a line ends in an I/O error such as "error code=266". */
static bool
not_read(const char *text)
{
	static const char code[] = "error code=";
	const char *p = strstr(text, code);
	long n = p == NULL ? 0 : strtol(p + strlen(code), NULL, 10);

	return (n & 0xff) == SQLITE_IOERR || (n & 0xff) == SQLITE_NOMEM;
}

enum tf_code
tf_db_check(struct tf_db *db, struct tf_error *err)
{
	sqlite3_stmt *st = tf_sql(db, err, "PRAGMA integrity_check(1)", "");
	enum tf_code rc = tf_sql_row(db, st, "integrity check", err);
	const char *text;

	if (rc != TF_OK)
		return rc;
	text = (const char *)sqlite3_column_text(st, 0);
	if (text == NULL)
		rc = tf_nomem(err);
	else if (strcmp(text, "ok") != 0)
		rc = tf_fail(err, not_read(text) ? TF_IO : TF_TAMPER,
		    "database: %s", text);
	(void)sqlite3_reset(st);
	return rc;
}

void
tf_db_format(const struct tf_db *db, char out[16])
{
	(void)snprintf(out, 16, "%d", db->version);
}

const char *
tf_db_version(void)
{
	return sqlite3_libversion();
}
