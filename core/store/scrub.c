/*
 * Overwriting what deletion leaves behind: see scrub.h.
 *
 * SQLite overwrites deleted rows and free pages of the database itself
 * (secure_delete; clean_pages.c does the rest).  Its write-ahead log is written from the beginning again and
 * again, and behind the newest frames are those of earlier rounds.  Each round
 * has two numbers of its own (salts) in the header of the file and in its frames,
 * which distinguish old frames from new ones.
 *
 * tf_db_scrub() first moves all frames into the database, and then commits a
 * row, which begins a new round.  Then it holds the lock of a writer, so that no
 * frame is added, and writes zeros from the first old frame to the end.  A crash
 * in the middle changes nothing: SQLite never reads these bytes.
 *
 * SQLite itself would shorten the log at the beginning of a round, and delete it
 * when the last connection is closed, and so free blocks with pages in them.
 * connection.c switches both off: tf_db_shorten_log() and tf_log_end() overwrite
 * what goes.
 *
 * A file is overwritten before it is deleted, because the blocks of a deleted
 * file keep their bytes.  It is neither shortened nor deleted before the zeros
 * are durable.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "meta.h"
#include "scrub.h"
#include "sql.h"
#include "transaction.h"

#define PIECE 65536 /* bytes that are written at once */

/* The format of the log: https://www.sqlite.org/fileformat2.html#walformat */
#define WAL_HEADER 32
#define WAL_FRAME_HEADER 24
#define WAL_SALTS 16	  /* offset in the header */
#define WAL_PAGE_SIZE 8	  /* offset in the header */
#define WAL_FRAME_SALTS 8 /* offset in the header of a frame */

/* Write zeros from off to end. */
static enum tf_code
write_zeros(int fd, uint64_t off, uint64_t end, struct tf_error *err)
{
	static const char zeros[PIECE];
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && off < end) {
		size_t n = end - off < PIECE ? (size_t)(end - off) : PIECE;

		rc = tf_file_pwrite(fd, zeros, n, off, err);
		off += n;
	}
	return rc == TF_OK ? tf_file_sync(fd, err) : rc;
}

/* Set *off to the first frame that is not of the present round. */
static enum tf_code
find_old(int fd, uint64_t *off, struct tf_error *err)
{
	uint8_t head[WAL_HEADER], frame[WAL_FRAME_HEADER];
	uint64_t page;
	size_t got;
	enum tf_code rc = tf_file_pread(fd, head, sizeof(head), 0, &got, err);

	*off = 0;
	if (rc != TF_OK || got < sizeof(head))
		return rc;
	page = tf_get_be32(head + WAL_PAGE_SIZE);
	for (*off = WAL_HEADER;; *off += WAL_FRAME_HEADER + page) {
		rc = tf_file_pread(fd, frame, sizeof(frame), *off, &got, err);
		if (rc != TF_OK || got < sizeof(frame) ||
		    memcmp(frame + WAL_FRAME_SALTS, head + WAL_SALTS, 8) != 0)
			return rc;
	}
}

/* Open the log; no log: TF_OK, and *fd is -1. */
static enum tf_code
open_log(struct tf_db *db, int *fd, struct tf_error *err)
{
	char name[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%s-wal",
	    sqlite3_db_filename(db->sq, "main"));
	*fd = open(name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	return *fd >= 0 || errno == ENOENT ?
	    TF_OK :
	    tf_fail(err, TF_IO, "open %s", name);
}

/* Overwrite the old frames; the caller is in a transaction.  Give the blocks of
 * a log that is longer than TF_LOG_MAX back. */
static enum tf_code
scrub_log(struct tf_db *db, struct tf_error *err)
{
	struct stat st;
	uint64_t off;
	enum tf_code rc;
	int fd;

	if ((rc = open_log(db, &fd, err)) != TF_OK || fd < 0)
		return rc;
	rc = find_old(fd, &off, err);
	if (rc == TF_OK && fstat(fd, &st) < 0)
		rc = tf_fail(err, TF_IO, "stat the write-ahead log");
	if (rc == TF_OK)
		rc = write_zeros(fd, off, (uint64_t)st.st_size, err);
	if (rc == TF_OK && st.st_size > TF_LOG_MAX && off < TF_LOG_MAX &&
	    ftruncate(fd, TF_LOG_MAX) < 0)
		rc = tf_fail(err, TF_IO, "truncate the write-ahead log");
	(void)close(fd); /* it is synced */
	return rc;
}

/* The salts of the present round; zeros if there is no log. */
static enum tf_code
read_salts(struct tf_db *db, uint8_t out[8], struct tf_error *err)
{
	size_t got;
	enum tf_code rc;
	int fd;

	memset(out, 0, 8);
	if ((rc = open_log(db, &fd, err)) != TF_OK || fd < 0)
		return rc;
	rc = tf_file_pread(fd, out, 8, WAL_SALTS, &got, err);
	(void)close(fd); /* nothing was written */
	return rc;
}

/*
 * Begin a new round by a commit, if no reader needs the frames of the present
 * one; *is: so it was.  The value must be a new one: SQLite writes no page that
 * would not change.
 */
static enum tf_code
begin_round(struct tf_db *db, bool *is, struct tf_error *err)
{
	uint8_t before[8], after[8] = { 0 };
	uint64_t n = 0;
	int64_t busy = 1;
	enum tf_code rc = read_salts(db, before, err);

	*is = false;
	if (rc == TF_OK)
		rc = tf_sql_one_int(db, "PRAGMA wal_checkpoint(RESTART)", &busy,
		    err);
	if (rc != TF_OK || busy != 0)
		return rc;
	rc = tf_meta_get_int(db, "scrubbed", &n, err);
	if (rc == TF_OK || rc == TF_NOTFOUND)
		rc = tf_meta_set_int(db, "scrubbed", n + 1, err);
	if (rc == TF_OK)
		rc = read_salts(db, after, err);
	*is = rc == TF_OK && memcmp(before, after, sizeof(after)) != 0;
	return rc;
}

enum tf_code
tf_db_scrub(struct tf_db *db, struct tf_error *err)
{
	bool is = false;
	enum tf_code rc = TF_OK;

	/* A log without a whole frame keeps its salts at the first commit. */
	for (int i = 0; rc == TF_OK && !is && i < 2; i++)
		rc = begin_round(db, &is, err);
	if (rc == TF_OK && !is)
		rc = tf_fail(err, TF_LOCKED,
		    "a reader needs old pages of the database");
	if (rc == TF_OK)
		rc = tf_db_begin(db, err);
	if (rc != TF_OK)
		return rc;
	rc = scrub_log(db, err);
	tf_db_rollback(db);
	return rc;
}

enum tf_code
tf_db_shorten_log(struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc;

	if (db->log_most <= TF_LOG_MAX || db->log_now >= TF_LOG_MAX)
		return TF_OK;
	if ((rc = tf_db_begin(db, err)) != TF_OK)
		return rc;
	rc = scrub_log(db, err);
	tf_db_rollback(db);
	db->log_most = db->log_now;
	return rc;
}

/* A database that was only read stays as it is. */
static bool
is_empty(struct tf_db *db)
{
	struct stat st;
	bool is;
	int fd;

	if (open_log(db, &fd, NULL) != TF_OK)
		return false;
	is = fd < 0 || (fstat(fd, &st) == 0 && st.st_size == 0);
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	return is;
}

/*
 * The blocks of a deleted log are free, and their bytes would stay: evidence
 * that somebody redacts later would be among them.  On any failure the log stays
 * for the next start; while a reader is there it stays anyway.
 */
void
tf_log_end(struct tf_db *db)
{
	int keep = 0;

	if (!db->keeps_log || !sqlite3_get_autocommit(db->sq))
		return;
	(void)sqlite3_busy_timeout(db->sq, 0);
	if (!is_empty(db) && tf_db_scrub(db, NULL) != TF_OK)
		return;
	/* A log that stays is shortened to nothing: it has only zeros. */
	if (db->keeps_files)
		(void)sqlite3_exec(db->sq, "PRAGMA journal_size_limit=0", NULL,
		    NULL, NULL);
	else
		(void)sqlite3_file_control(db->sq, "main",
		    SQLITE_FCNTL_PERSIST_WAL, &keep);
}

enum tf_code
tf_object_erase(struct tf_db *db, uint64_t id, struct tf_error *err)
{
	enum tf_code rc = tf_sql_run(db,
	    tf_sql(db, err, "UPDATE object SET body = NULL WHERE id = ?1", "u",
		id),
	    "erase object", err);

	return rc == TF_OK ?
	    tf_sql_run(db,
		tf_sql(db, err,
		    "DELETE FROM digest WHERE object = ?1 AND sha256 ="
		    " (SELECT sha256 FROM object WHERE id = ?1)",
		    "u", id),
		"forget digest", err) :
	    rc;
}

/* "ab/<62 hex>", and the same with the ending of hidden files. */
static void
names_of(const struct tf_hash *h, char name[67], char hidden[80])
{
	char hex[65];

	tf_hex(h->b, sizeof(h->b), hex);
	(void)snprintf(name, 67, "%.2s/%s", hex, hex + 2);
	(void)snprintf(hidden, 80, "%s" TF_OBJECT_HIDDEN, name);
}

enum tf_code
tf_object_hide(int objectsfd, const struct tf_hash *h, bool *is,
    struct tf_error *err)
{
	char name[67], hidden[80];
	struct stat st;

	names_of(h, name, hidden);
	*is = true;
	if (renameat(objectsfd, name, objectsfd, hidden) == 0)
		return TF_OK;
	if (errno != ENOENT)
		return tf_fail(err, TF_IO, "hide object %s", name);
	*is = fstatat(objectsfd, hidden, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return *is || errno == ENOENT ?
	    TF_OK :
	    tf_fail(err, TF_IO, "stat object %s", hidden);
}

/* Owner's write permission is needed where trailfs does not run as root. */
static enum tf_code
overwrite(int objectsfd, const char *name, struct tf_error *err)
{
	struct stat st;
	enum tf_code rc;
	int fd;

	if (fchmodat(objectsfd, name, 0600, 0) < 0)
		return tf_fail(err, TF_IO, "chmod object %s", name);
	fd = openat(objectsfd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		rc = tf_fail(err, TF_IO, "open object %s", name);
	else
		rc = write_zeros(fd, 0, (uint64_t)st.st_size, err);
	/* Who still has it open for reading gets no zeros for its bytes. */
	if (rc == TF_OK && ftruncate(fd, 0) < 0)
		rc = tf_fail(err, TF_IO, "truncate object %s", name);
	if (fd >= 0)
		(void)close(fd); /* it is synced */
	return rc;
}

/* Overwrite and delete one file, if it is a regular one. */
static enum tf_code
erase_one(int objectsfd, const char *name, struct tf_error *err)
{
	struct stat st;
	enum tf_code rc;

	if (fstatat(objectsfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return TF_OK;
	if ((rc = overwrite(objectsfd, name, err)) != TF_OK)
		return rc;
	return unlinkat(objectsfd, name, 0) == 0 ?
	    TF_OK :
	    tf_fail(err, TF_IO, "delete object %s", name);
}

/* A damaged object was put aside under its name and ".damaged": most of its
 * bytes may be right. */
static enum tf_code
erase_damaged(int objectsfd, const char *name, struct tf_error *err)
{
	char dir[3], full[NAME_MAX + 4], begin[80];
	size_t n = (size_t)snprintf(begin, sizeof(begin), "%s.damaged",
	    name + 3);
	struct dirent *e;
	enum tf_code rc = TF_OK;
	DIR *d;
	int fd;

	(void)snprintf(dir, sizeof(dir), "%.2s", name);
	fd = openat(objectsfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return TF_OK;
	if ((d = fd < 0 ? NULL : fdopendir(fd)) == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return tf_fail(err, TF_IO, "read objects/%s", dir);
	}
	while (rc == TF_OK && (e = readdir(d)) != NULL) {
		(void)snprintf(full, sizeof(full), "%s/%s", dir, e->d_name);
		if (strncmp(e->d_name, begin, n) == 0)
			rc = erase_one(objectsfd, full, err);
	}
	(void)closedir(d);
	return rc;
}

enum tf_code
tf_object_erase_file(int objectsfd, const struct tf_hash *h,
    struct tf_error *err)
{
	char name[67], hidden[80], dir[3];
	struct stat st;
	enum tf_code rc;

	names_of(h, name, hidden);
	if ((rc = erase_damaged(objectsfd, name, err)) != TF_OK)
		return rc;
	if (fstatat(objectsfd, hidden, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ?
		    TF_OK :
		    tf_fail(err, TF_IO, "stat object %s", hidden);
	if ((rc = overwrite(objectsfd, hidden, err)) != TF_OK)
		return rc;
	if (unlinkat(objectsfd, hidden, 0) < 0)
		return tf_fail(err, TF_IO, "delete object %s", hidden);
	(void)snprintf(dir, sizeof(dir), "%.2s", hidden);
	return tf_file_sync_dir(objectsfd, dir, err);
}
