/*
 * What bounds a small file: the same requests answered by a file system that
 * keeps nothing, and the same rows put into a database without a file system.
 *
 * usage: limits null MOUNTPOINT                        until it is unmounted
 *        limits database FILE COUNT SIZE GROUP         GROUP rows a commit
 */
#include <errno.h>
#include <fuse_lowlevel.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- a file system that keeps nothing ----------------------------------------- */

/* Even numbers are directories.  No name is stored, so every lookup fails. */
static atomic_ulong next_id = 2;

static void
fill_stat(fuse_ino_t ino, struct stat *st)
{
	bool dir = ino == FUSE_ROOT_ID || ino % 2 == 0;

	memset(st, 0, sizeof(*st));
	st->st_ino = ino;
	st->st_mode = dir ? S_IFDIR | 0777 : S_IFREG | 0644;
	st->st_nlink = dir ? 2 : 1;
}

/* As in trailfs the kernel caches the attributes of directories for a second. */
static double
attr_timeout_s(fuse_ino_t ino)
{
	return ino == FUSE_ROOT_ID || ino % 2 == 0 ? 1 : 0;
}

static void
fill_entry(bool dir, struct fuse_entry_param *e)
{
	memset(e, 0, sizeof(*e));
	e->ino = (atomic_fetch_add(&next_id, 1) * 2) | (dir ? 0 : 1);
	e->generation = 1;
	fill_stat(e->ino, &e->attr);
	e->attr_timeout = 1; /* as in trailfs: until it is written */
	e->entry_timeout = dir ? 86400 : 0;
}

static void
null_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent;
	(void)name;
	fuse_reply_err(req, ENOENT);
}

static void
null_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct fuse_entry_param e;

	(void)parent;
	(void)name;
	(void)mode;
	fill_entry(true, &e);
	fuse_reply_entry(req, &e);
}

static void
null_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_file_info *fi)
{
	struct fuse_entry_param e;

	(void)parent;
	(void)name;
	(void)mode;
	fill_entry(false, &e);
	fuse_reply_create(req, &e, fi);
}

static void
null_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct stat st;

	(void)fi;
	fill_stat(ino, &st);
	fuse_reply_attr(req, &st, attr_timeout_s(ino));
}

static void
null_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	(void)ino;
	(void)name;
	(void)size;
	fuse_reply_err(req, ENODATA);
}

static void
null_write(fuse_req_t req, fuse_ino_t ino, const char *p, size_t n, off_t off,
    struct fuse_file_info *fi)
{
	(void)ino;
	(void)p;
	(void)off;
	(void)fi;
	fuse_reply_write(req, n);
}

static void
null_close(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	(void)fi;
	fuse_reply_err(req, 0);
}

static const struct fuse_lowlevel_ops null_ops = {
	.lookup = null_lookup,
	.mkdir = null_mkdir,
	.create = null_create,
	.getattr = null_getattr,
	.getxattr = null_getxattr,
	.write = null_write,
	.flush = null_close,
	.release = null_close,
};

static int
serve(char *program, const char *mountpoint)
{
	char *argv[] = { program, "-o", "default_permissions,fsname=null",
		NULL };
	struct fuse_args args = FUSE_ARGS_INIT(3, argv);
	struct fuse_session *se;
	int rc = 1;

	se = fuse_session_new(&args, &null_ops, sizeof(null_ops), NULL);
	if (se == NULL)
		return 1;
	/* One thread: it never waits for anything but the kernel. */
	if (fuse_session_mount(se, mountpoint) == 0) {
		rc = fuse_session_loop(se) != 0;
		fuse_session_unmount(se);
	}
	fuse_session_destroy(se);
	fuse_opt_free_args(&args);
	return rc;
}

/* --- a database without a file system ------------------------------------- */

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
must(sqlite3 *db, int rc)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE)
		return;
	fprintf(stderr, "limits: %s\n", sqlite3_errmsg(db));
	exit(1);
}

static int
fill(char **a)
{
	long count = atol(a[1]), group = atol(a[3]);
	size_t size = (size_t)atol(a[2]);
	char *body = malloc(size + 1);
	sqlite3_stmt *put;
	sqlite3 *db;
	double t;

	if (body == NULL || group < 1 || sqlite3_open(a[0], &db) != SQLITE_OK)
		return 1;
	must(db,
	    sqlite3_exec(db,
		"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
		"CREATE TABLE f(id INTEGER PRIMARY KEY, name TEXT, body BLOB)",
		NULL, NULL, NULL));
	must(db,
	    sqlite3_prepare_v2(db, "INSERT INTO f VALUES(?1, hex(?1), ?2)", -1,
		&put, NULL));
	for (size_t i = 0; i < size; i++)
		body[i] = (char)random();
	t = now();
	for (long i = 0; i < count; i++) {
		if (i % group == 0)
			must(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
		must(db, sqlite3_bind_int64(put, 1, i));
		must(db,
		    sqlite3_bind_blob(put, 2, body, (int)size, SQLITE_STATIC));
		must(db, sqlite3_step(put));
		must(db, sqlite3_reset(put));
		if (i % group == group - 1 || i == count - 1)
			must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	}
	printf("{\"seconds\": %.6f}\n", now() - t);
	(void)sqlite3_finalize(put);
	free(body);
	return sqlite3_close(db) != SQLITE_OK;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "null") == 0)
		return serve(argv[0], argv[2]);
	if (argc == 6 && strcmp(argv[1], "database") == 0)
		return fill(argv + 2);
	fputs("usage: see the top of limits.c\n", stderr);
	return 2;
}
