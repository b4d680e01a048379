/*
 * How SQLite reads and writes files: see vfs.h.
 *
 * Each file of SQLite is followed in memory by a union own.  A file whose functions
 * are not those that this file knows is left to SQLite, which is always right, too.
 */
#include <pthread.h>
#include <sqlite3.h>

#include "clean_pages.h"
#include "lock_cache.h"
#include "log_buffer.h"
#include "vfs.h"

/* SQLite's functions for one kind of file, and those with ours among them. */
struct kind {
	const sqlite3_io_methods *plain; /* NULL until the first such file */
	sqlite3_io_methods ours;
};

union own {
	struct tf_log_buffer log;   /* of a write-ahead log */
	struct tf_lock_cache locks; /* of a database */
};

static struct kind database, log_file;
static sqlite3_vfs vfs, *below;
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

static union own *
own_of(sqlite3_file *f)
{
	return (union own *)((char *)f + vfs.szOsFile - sizeof(union own));
}

/* --- the database -------------------------------------------------------- */

static int
write_page(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	return tf_clean_write(f, database.plain, p, n, off);
}

static int
lock_index(sqlite3_file *f, int place, int n, int flags)
{
	return tf_lock_cache_lock(&own_of(f)->locks, place, n, flags);
}

static int
unmap_index(sqlite3_file *f, int deletes)
{
	return tf_lock_cache_unmap(&own_of(f)->locks, deletes);
}

static int
close_database(sqlite3_file *f)
{
	tf_lock_cache_end(&own_of(f)->locks);
	return database.plain->xClose(f);
}

void
tf_vfs_keep_locks(sqlite3_file *f)
{
	if (f->pMethods == &database.ours)
		tf_lock_cache_keep(&own_of(f)->locks);
}

/* --- the write-ahead log ------------------------------------------------- */

static int
log_flush(sqlite3_file *f)
{
	return tf_log_buffer_flush(&own_of(f)->log, f, log_file.plain);
}

static int
log_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	return tf_log_buffer_write(&own_of(f)->log, f, log_file.plain, p, n,
	    off);
}

static int
log_read(sqlite3_file *f, void *p, int n, sqlite3_int64 off)
{
	int rc = log_flush(f);

	return rc == SQLITE_OK ? log_file.plain->xRead(f, p, n, off) : rc;
}

static int
log_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = log_flush(f);

	return rc == SQLITE_OK ? log_file.plain->xTruncate(f, size) : rc;
}

static int
log_sync(sqlite3_file *f, int flags)
{
	int rc = log_flush(f);

	return rc == SQLITE_OK ? log_file.plain->xSync(f, flags) : rc;
}

static int
log_size(sqlite3_file *f, sqlite3_int64 *size)
{
	int rc = log_flush(f);

	return rc == SQLITE_OK ? log_file.plain->xFileSize(f, size) : rc;
}

static int
log_close(sqlite3_file *f)
{
	tf_log_buffer_free(&own_of(f)->log);
	return log_file.plain->xClose(f);
}

/* --- opening ------------------------------------------------------------- */

static void
set_ours(const struct kind *k, sqlite3_io_methods *m)
{
	if (k == &database) {
		m->xWrite = write_page;
		m->xShmLock = lock_index;
		m->xShmUnmap = unmap_index;
		m->xClose = close_database;
		return;
	}
	m->xWrite = log_write;
	m->xRead = log_read;
	m->xTruncate = log_truncate;
	m->xSync = log_sync;
	m->xFileSize = log_size;
	m->xClose = log_close;
}

static int
open_file(sqlite3_vfs *self, const char *name, sqlite3_file *f, int flags,
    int *out)
{
	struct kind *k = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? &database :
	    (flags & SQLITE_OPEN_WAL) != 0		    ? &log_file :
							      NULL;
	int rc = below->xOpen(self, name, f, flags, out);

	if (rc != SQLITE_OK || k == NULL)
		return rc;
	pthread_mutex_lock(&mu);
	if (k->plain == NULL) {
		k->plain = f->pMethods;
		k->ours = *k->plain;
		set_ours(k, &k->ours);
	}
	if (f->pMethods == k->plain) {
		f->pMethods = &k->ours;
		if (k == &database)
			tf_lock_cache_begin(&own_of(f)->locks, f, k->plain,
			    name);
		else
			own_of(f)->log = (struct tf_log_buffer){ 0 };
	}
	pthread_mutex_unlock(&mu);
	return rc;
}

const char *
tf_vfs(void)
{
	const char *name = "trailfs";
	size_t align = _Alignof(union own);

	pthread_mutex_lock(&mu);
	/* Before all else: SQLite counts its memory under one mutex, for which
	 * all threads would wait at each allocation. */
	if (below == NULL)
		(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	if (below == NULL && (below = sqlite3_vfs_find(NULL)) != NULL) {
		vfs = *below;
		vfs.pNext = NULL;
		vfs.zName = name;
		vfs.xOpen = open_file;
		vfs.szOsFile = (int)((((size_t)below->szOsFile + align - 1) /
					 align * align) +
		    sizeof(union own));
		if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
			below = NULL;
	}
	name = below == NULL ? NULL : name;
	pthread_mutex_unlock(&mu);
	return name;
}
