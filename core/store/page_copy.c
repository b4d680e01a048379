/*
 * Copies of a database by its pages: see page_copy.h.
 *
 * SQLite's backup interface reads the pages of one snapshot, while other
 * connections write.  Its target is a database in a VFS of our own, whose file
 * is a `struct sink`: it takes each page that SQLite writes, compares it with that
 * of the earlier copy, and keeps those that differ.
 *
 * SQLite writes some numbers of its own into the first page of its target: the
 * change counter, the schema cookie and the version that wrote it.  A first page
 * that differs only there is the same.
 *
 * The format of the log: https://www.sqlite.org/fileformat2.html#walformat
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "page_copy.h"
#include "sql.h"

#define PAGE_MAX 65536	     /* bytes of the longest page of SQLite */
#define LOG_MAGIC 0x377f0683 /* checksums of big-endian words */
#define LOG_VERSION 3007000
#define LOG_HEADER 32
#define FRAME_HEADER 24
#define CACHE_PAGES "64" /* that the target holds before it writes them */

/* The bytes that SQLite locks; a connection to a database in WAL mode has a read
 * lock on them for as long as it lives. */
#define LOCK_FIRST 0x40000000
#define LOCK_BYTES 512

/* --- checksums of the log --------------------------------------------------- */

struct sum {
	uint32_t a, b;
};

/* n is a multiple of 8. */
static void
add_sum(struct sum *s, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		s->a += (uint32_t)tf_get_be32(p + i) + s->b;
		s->b += (uint32_t)tf_get_be32(p + i + 4) + s->a;
	}
}

/* --- the file that SQLite writes to ---------------------------------------- */

struct sink {
	sqlite3_vfs vfs, *below;
	int old, out;
	struct tf_page_copy *done;
	struct tf_error err;
	uint64_t size;	     /* of the target, bytes */
	uint64_t at;	     /* where out goes on */
	size_t page;	     /* bytes of a page; 0: not known yet */
	uint8_t *first;	     /* the first page, which SQLite reads again */
	uint8_t *held, *was; /* the newest frame; the page of the old copy */
	bool holds;
	uint8_t salts[8];
	struct sum sum;
};

/* What SQLite has of it. */
struct sink_file {
	sqlite3_file file; /* first */
	struct sink *sink;
};

static struct sink *
sink_of(sqlite3_file *f)
{
	return ((struct sink_file *)(void *)f)->sink;
}

/* The error is in the sink; SQLite gets only a number. */
static int
failed(enum tf_code rc)
{
	return rc == TF_OK ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

static bool
is_same(struct sink *s, const uint8_t *p, size_t got, uint64_t off)
{
	if (got < s->page)
		return false;
	if (off != 0)
		return memcmp(p, s->was, s->page) == 0;
	return memcmp(p, s->was, 24) == 0 &&
	    memcmp(p + 28, s->was + 28, 12) == 0 &&
	    memcmp(p + 44, s->was + 44, 48) == 0 &&
	    memcmp(p + 100, s->was + 100, s->page - 100) == 0;
}

static enum tf_code
begin_log(struct sink *s)
{
	uint8_t head[LOG_HEADER] = { 0 };
	enum tf_code rc = tf_random(s->salts, sizeof(s->salts), &s->err);

	if (rc != TF_OK)
		return rc;
	tf_put_be32(head, LOG_MAGIC);
	tf_put_be32(head + 4, LOG_VERSION);
	tf_put_be32(head + 8, (uint32_t)s->page);
	memcpy(head + 16, s->salts, sizeof(s->salts));
	add_sum(&s->sum, head, 24);
	tf_put_be32(head + 24, s->sum.a);
	tf_put_be32(head + 28, s->sum.b);
	s->at = sizeof(head);
	return tf_file_pwrite(s->out, head, sizeof(head), 0, &s->err);
}

/* Write the frame that is held.  pages: those of the database, in the last frame
 * of the log; 0 in all others. */
static enum tf_code
write_frame(struct sink *s, uint32_t pages)
{
	uint8_t *h = s->held;
	const size_t n = FRAME_HEADER + s->page;
	enum tf_code rc;

	tf_put_be32(h + 4, pages);
	memcpy(h + 8, s->salts, sizeof(s->salts));
	add_sum(&s->sum, h, 8);
	add_sum(&s->sum, h + FRAME_HEADER, s->page);
	tf_put_be32(h + 16, s->sum.a);
	tf_put_be32(h + 20, s->sum.b);
	rc = tf_file_pwrite(s->out, h, n, s->at, &s->err);
	s->at += n;
	s->holds = false;
	return rc;
}

/* The last frame ends the transaction, so each is held until the next one. */
static enum tf_code
take_page(struct sink *s, const uint8_t *p, uint64_t off)
{
	size_t got = 0;
	enum tf_code rc = TF_OK;

	if (s->old < 0) {
		s->done->changed++;
		return tf_file_pwrite(s->out, p, s->page, off, &s->err);
	}
	rc = tf_file_pread(s->old, s->was, s->page, off, &got, &s->err);
	if (rc != TF_OK || is_same(s, p, got, off))
		return rc;
	rc = s->at == 0 ? begin_log(s) : TF_OK;
	if (rc == TF_OK && s->holds)
		rc = write_frame(s, 0);
	tf_put_be32(s->held, (uint32_t)(off / s->page + 1));
	memcpy(s->held + FRAME_HEADER, p, s->page);
	s->holds = true;
	s->done->changed++;
	return rc;
}

static enum tf_code
know_page_size(struct sink *s, size_t n)
{
	s->page = n;
	s->first = calloc(1, n);
	s->was = malloc(n);
	s->held = malloc(FRAME_HEADER + n);
	return s->first == NULL || s->was == NULL || s->held == NULL ?
	    tf_nomem(&s->err) :
	    TF_OK;
}

/* The first page waits until the end: SQLite writes it more than once. */
static int
sink_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	struct sink *s = sink_of(f);
	enum tf_code rc = s->page == 0 ? know_page_size(s, (size_t)n) : TF_OK;

	if (rc == TF_OK && ((size_t)n != s->page || off % n != 0))
		rc = tf_fail(&s->err, TF_IO, "a page of %d bytes at %lld", n,
		    (long long)off);
	if (rc != TF_OK)
		return failed(rc);
	if ((uint64_t)off + (uint64_t)n > s->size)
		s->size = (uint64_t)off + (uint64_t)n;
	if (off != 0)
		return failed(take_page(s, p, (uint64_t)off));
	memcpy(s->first, p, s->page);
	return SQLITE_OK;
}

/* Nothing but the first page is read again. */
static int
sink_read(sqlite3_file *f, void *p, int n, sqlite3_int64 off)
{
	struct sink *s = sink_of(f);

	memset(p, 0, (size_t)n);
	if (s->first == NULL)
		return SQLITE_IOERR_SHORT_READ;
	if ((uint64_t)off + (uint64_t)n > s->page)
		return SQLITE_IOERR_READ;
	memcpy(p, s->first + off, (size_t)n);
	return SQLITE_OK;
}

static int
sink_size(sqlite3_file *f, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)sink_of(f)->size;
	return SQLITE_OK;
}

static int
sink_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct sink *s = sink_of(f);

	if ((uint64_t)size < s->size)
		s->size = (uint64_t)size;
	return SQLITE_OK;
}

/* The descriptors are those of the caller. */
static int
sink_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int
sink_sync(sqlite3_file *f, int how)
{
	(void)f;
	(void)how;
	return SQLITE_OK;
}

static int
sink_lock(sqlite3_file *f, int level)
{
	(void)f;
	(void)level;
	return SQLITE_OK;
}

static int
sink_reserved(sqlite3_file *f, int *yes)
{
	(void)f;
	*yes = 0;
	return SQLITE_OK;
}

static int
sink_control(sqlite3_file *f, int op, void *arg)
{
	(void)f;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static int
sink_sector(sqlite3_file *f)
{
	(void)f;
	return 4096;
}

static int
sink_traits(sqlite3_file *f)
{
	(void)f;
	return 0;
}

/* --- the VFS of one copy ---------------------------------------------------- */

static const sqlite3_io_methods methods = { .iVersion = 1,
	.xClose = sink_close,
	.xRead = sink_read,
	.xWrite = sink_write,
	.xTruncate = sink_truncate,
	.xSync = sink_sync,
	.xFileSize = sink_size,
	.xLock = sink_lock,
	.xUnlock = sink_lock,
	.xCheckReservedLock = sink_reserved,
	.xFileControl = sink_control,
	.xSectorSize = sink_sector,
	.xDeviceCharacteristics = sink_traits };

/* The target has no journal, so there is no other file. */
static int
vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
	(void)name;
	f->pMethods = NULL;
	if ((flags & SQLITE_OPEN_MAIN_DB) == 0)
		return SQLITE_CANTOPEN;
	((struct sink_file *)(void *)f)->sink = v->pAppData;
	f->pMethods = &methods;
	if (out != NULL)
		*out = flags;
	return SQLITE_OK;
}

static int
vfs_delete(sqlite3_vfs *v, const char *name, int sync)
{
	(void)v;
	(void)name;
	(void)sync;
	return SQLITE_OK;
}

static int
vfs_access(sqlite3_vfs *v, const char *name, int how, int *yes)
{
	(void)v;
	(void)name;
	(void)how;
	*yes = 0;
	return SQLITE_OK;
}

static int
vfs_full_name(sqlite3_vfs *v, const char *name, int room, char *out)
{
	(void)v;
	(void)snprintf(out, (size_t)room, "%s", name);
	return SQLITE_OK;
}

/* --- the copy ---------------------------------------------------------------- */

static enum tf_code
copy_failed(struct sink *s, sqlite3 *to, struct tf_error *err)
{
	return s->err.code != TF_OK ?
	    tf_fail_as(err, &s->err) :
	    tf_fail(err,
		sqlite3_errcode(to) == SQLITE_NOMEM ? TF_NOMEM :
		    sqlite3_errcode(to) == SQLITE_CORRUPT ||
			sqlite3_errcode(to) == SQLITE_NOTADB ?
						      TF_TAMPER :
						      TF_IO,
		"copy the database: %s", sqlite3_errmsg(to));
}

/* Let SQLite write all pages to the sink. */
static enum tf_code
run_copy(struct sink *s, struct tf_db *db, struct tf_error *err)
{
	sqlite3_backup *b = NULL;
	sqlite3 *to = NULL;
	enum tf_code rc = TF_OK;
	int step;

	if (sqlite3_open_v2("copy", &to,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
		    SQLITE_OPEN_NOMUTEX,
		s->vfs.zName) != SQLITE_OK ||
	    sqlite3_exec(to,
		"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
		"PRAGMA cache_size=" CACHE_PAGES,
		NULL, NULL, NULL) != SQLITE_OK ||
	    (b = sqlite3_backup_init(to, "main", db->sq, "main")) == NULL) {
		rc = copy_failed(s, to, err);
		goto out;
	}
	step = sqlite3_backup_step(b, -1);
	if (sqlite3_backup_finish(b) != SQLITE_OK || step != SQLITE_DONE)
		rc = copy_failed(s, to, err);
out:
	(void)sqlite3_close(to);
	return rc;
}

/* The first page comes last; then the end of the log. */
static enum tf_code
finish_copy(struct sink *s, struct tf_error *err)
{
	enum tf_code rc;

	if (s->page == 0)
		return tf_fail(err, TF_TAMPER, "the database is empty");
	s->done->pages = s->size / s->page;
	rc = take_page(s, s->first, 0);
	if (rc == TF_OK && s->holds)
		rc = write_frame(s, (uint32_t)s->done->pages);
	if (rc == TF_OK)
		rc = tf_file_sync(s->out, &s->err);
	s->done->bytes = s->old < 0 ? s->size : s->at;
	return rc == TF_OK ? rc : tf_fail_as(err, &s->err);
}

enum tf_code
tf_pages_copy(struct tf_db *db, int old, int out, struct tf_page_copy *done,
    struct tf_error *err)
{
	struct sink s = { .old = old, .out = out, .done = done };
	char name[48];
	enum tf_code rc;

	memset(done, 0, sizeof(*done));
	if ((s.below = sqlite3_vfs_find(NULL)) == NULL)
		return tf_fail(err, TF_IO, "SQLite has no VFS");
	/* Each copy has a VFS of its own, so that two may run at once. */
	(void)snprintf(name, sizeof(name), "trailfs-copy-%p", (void *)&s);
	s.vfs = *s.below;
	s.vfs.pNext = NULL;
	s.vfs.zName = name;
	s.vfs.szOsFile = (int)sizeof(struct sink_file);
	s.vfs.pAppData = &s;
	s.vfs.xOpen = vfs_open;
	s.vfs.xDelete = vfs_delete;
	s.vfs.xAccess = vfs_access;
	s.vfs.xFullPathname = vfs_full_name;
	if (sqlite3_vfs_register(&s.vfs, 0) != SQLITE_OK)
		return tf_nomem(err);
	if ((rc = run_copy(&s, db, err)) == TF_OK)
		rc = finish_copy(&s, err);
	(void)sqlite3_vfs_unregister(&s.vfs);
	free(s.first);
	free(s.held);
	free(s.was);
	return rc;
}

/* --- moving the pages of a log into the database ----------------------------- */

struct log {
	int fd, to; /* of the log; of the database, or -1 to check only */
	size_t page;
	uint64_t frames;
	uint32_t pages; /* of the database, by the last frame */
	struct sum sum;
	uint8_t head[LOG_HEADER];
};

static enum tf_code
damaged(struct tf_error *err)
{
	return tf_fail(err, TF_TAMPER,
	    "the pages that a backup has left are damaged: remove "
	    "ledger.db-wal from the backup, and make it again");
}

/* *frames becomes 0 if the file is empty. */
static enum tf_code
read_header(struct log *l, struct tf_error *err)
{
	struct stat st;
	size_t got;
	enum tf_code rc = tf_file_pread(l->fd, l->head, sizeof(l->head), 0,
	    &got, err);

	l->frames = 0;
	l->sum = (struct sum){ 0, 0 };
	if (rc != TF_OK || got == 0)
		return rc;
	l->page = tf_get_be32(l->head + 8);
	add_sum(&l->sum, l->head, 24);
	if (got < sizeof(l->head) || tf_get_be32(l->head) != LOG_MAGIC ||
	    l->page < 512 || l->page > PAGE_MAX ||
	    l->sum.a != tf_get_be32(l->head + 24) ||
	    l->sum.b != tf_get_be32(l->head + 28))
		return damaged(err);
	if (fstat(l->fd, &st) < 0)
		return tf_fail(err, TF_IO, "stat the pages of a backup");
	l->frames = ((uint64_t)st.st_size - LOG_HEADER) /
	    (FRAME_HEADER + l->page);
	return TF_OK;
}

/* Check frame p, and write its page. */
static enum tf_code
one_frame(struct log *l, const uint8_t *p, struct tf_error *err)
{
	const uint32_t number = (uint32_t)tf_get_be32(p);

	add_sum(&l->sum, p, 8);
	add_sum(&l->sum, p + FRAME_HEADER, l->page);
	if (number == 0 || memcmp(p + 8, l->head + 16, 8) != 0 ||
	    l->sum.a != tf_get_be32(p + 16) || l->sum.b != tf_get_be32(p + 20))
		return damaged(err);
	l->pages = (uint32_t)tf_get_be32(p + 4);
	return l->to < 0 ? TF_OK :
			   tf_file_pwrite(l->to, p + FRAME_HEADER, l->page,
			       (uint64_t)(number - 1) * l->page, err);
}

static enum tf_code
each_frame(struct log *l, struct tf_error *err)
{
	uint8_t *p;
	size_t n, got;
	enum tf_code rc = read_header(l, err);

	if (rc != TF_OK || l->frames == 0)
		return rc;
	n = FRAME_HEADER + l->page;
	if ((p = malloc(n)) == NULL)
		return tf_nomem(err);
	for (uint64_t i = 0; rc == TF_OK && i < l->frames; i++) {
		rc = tf_file_pread(l->fd, p, n, LOG_HEADER + i * n, &got, err);
		if (rc == TF_OK)
			rc = got < n ? damaged(err) : one_frame(l, p, err);
	}
	free(p);
	return rc == TF_OK && l->pages == 0 ? damaged(err) : rc;
}

/* What lock(2) of SQLite's readers would refuse. */
static enum tf_code
lock_database(int fd, struct tf_error *err)
{
	struct flock l = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = LOCK_FIRST,
		.l_len = LOCK_BYTES };

	if (fcntl(fd, F_SETLK, &l) == 0)
		return TF_OK;
	return errno == EACCES || errno == EAGAIN ?
	    tf_fail(err, TF_LOCKED,
		"another program reads the backup: try again when it is done") :
	    tf_fail(err, TF_IO, "lock the database of the backup");
}

/* The index of an earlier log must go before a reader finds the new log. */
static enum tf_code
put_log(int dirfd, const char *log, const char *beside, const char *index,
    struct tf_error *err)
{
	if (unlinkat(dirfd, index, 0) < 0 && errno != ENOENT)
		return tf_fail(err, TF_IO, "remove %s", index);
	if (log == NULL)
		return TF_OK;
	if (renameat(dirfd, log, dirfd, beside) < 0)
		return tf_fail(err, TF_IO, "rename %s", log);
	return tf_file_sync_dir(dirfd, ".", err);
}

/* fd of the log is open; the database gets locked. */
static enum tf_code
move_pages(struct log *l, int dirfd, const char *name, const char *log,
    struct tf_error *err)
{
	char beside[NAME_MAX], index[NAME_MAX];
	enum tf_code rc = each_frame(l, err); /* checks it */

	if (rc != TF_OK || l->frames == 0)
		return rc;
	(void)snprintf(beside, sizeof(beside), "%s-wal", name);
	(void)snprintf(index, sizeof(index), "%s-shm", name);
	if ((rc = tf_file_open(dirfd, name, O_RDWR, &l->to, err)) != TF_OK)
		return rc;
	if ((rc = lock_database(l->to, err)) == TF_OK &&
	    (rc = put_log(dirfd, log, beside, index, err)) == TF_OK &&
	    (rc = each_frame(l, err)) == TF_OK &&
	    ftruncate(l->to, (off_t)((uint64_t)l->pages * l->page)) < 0)
		rc = tf_fail(err, TF_IO, "set the size of %s", name);
	if (rc == TF_OK)
		rc = tf_file_sync(l->to, err);
	if (rc == TF_OK)
		rc = tf_file_wipe(dirfd, beside, err);
	(void)close(l->to); /* synced; the lock ends here */
	return rc;
}

enum tf_code
tf_pages_apply(int dirfd, const char *name, const char *log,
    struct tf_error *err)
{
	struct log l = { .to = -1 };
	char beside[NAME_MAX];
	enum tf_code rc;

	(void)snprintf(beside, sizeof(beside), "%s-wal", name);
	rc = tf_file_open(dirfd, log != NULL ? log : beside, O_RDONLY, &l.fd,
	    err);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	rc = move_pages(&l, dirfd, name, log, err);
	(void)close(l.fd); /* it was read */
	return rc;
}
