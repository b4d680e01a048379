/*
 * The locks of readers in the index of the write-ahead log, kept between
 * transactions.
 *
 * SQLite takes and gives back a lock of the system for each transaction.  A
 * connection that keeps locks does not give back a shared lock of a reader: the next
 * transaction finds it.  For other processes, this is a reader in the middle of a
 * transaction, which is always allowed to be there.  Whoever in this process needs
 * the place for itself, such as a checkpoint, takes the kept locks away first.
 *
 * Only a process that alone writes a store may keep locks in it: kept by another one,
 * they would hold up the checkpoints of the writer.
 */
#ifndef TF_STORE_LOCK_CACHE_H
#define TF_STORE_LOCK_CACHE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* One per open database.  Guarded by a lock of lock_cache.c after the first call. */
struct tf_lock_cache {
	sqlite3_file *f;
	const sqlite3_io_methods *plain; /* the functions of SQLite for f */
	dev_t dev;			 /* of the file; 0: not known */
	ino_t ino;
	bool keeps;	/* set by tf_lock_cache_keep */
	unsigned kept;	/* places whose shared lock SQLite has given back */
	unsigned alone; /* places that SQLite has locked for itself */
	struct tf_lock_cache *next, **at; /* of all in this process */
};

/* Begin and end with the file.  name: of the database. */
void tf_lock_cache_begin(struct tf_lock_cache *c, sqlite3_file *f,
    const sqlite3_io_methods *plain, const char *name);
void tf_lock_cache_end(struct tf_lock_cache *c);

/* From now on keep locks. */
void tf_lock_cache_keep(struct tf_lock_cache *c);

/* SQLite's calls xShmLock and xShmUnmap. */
int tf_lock_cache_lock(struct tf_lock_cache *c, int place, int n, int flags);
int tf_lock_cache_unmap(struct tf_lock_cache *c, int deletes);

#endif
