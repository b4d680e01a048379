/*
 * Objects: bytes named by their digest, stored once.  An object of up to
 * TF_INLINE_MAX bytes lies in the database, a longer one in a read-only file
 * objects/ab/<62 hex>.  I2: an object is durable before the entry that names it
 * is committed.
 */
#ifndef TF_STORE_OBJECTS_H
#define TF_STORE_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_buf;
struct tf_db;

#define TF_INLINE_MAX 65536 /* bytes; longer objects are files */

struct tf_object_row {
	uint64_t size;
	struct tf_hash sha256;
	bool is_inline;
};

/* Write inline bytes to object row id.  Unsealed bytes are replaced; a sealed
 * row refuses. */
TF_MUST_USE enum tf_code tf_object_put(struct tf_db *db, uint64_t id,
    const struct tf_hash *h, const void *body, size_t n, struct tf_error *err);
/* Make object row id refer to the file of digest h in objects/. */
TF_MUST_USE enum tf_code tf_object_put_file(struct tf_db *db, uint64_t id,
    const struct tf_hash *h, uint64_t size, struct tf_error *err);
/* Delete the unsealed object row id. */
TF_MUST_USE enum tf_code tf_object_drop(struct tf_db *db, uint64_t id,
    struct tf_error *err);
/* Read object row id and append its inline bytes to body, unless NULL.
 * TF_NOTFOUND if there is no such row. */
TF_MUST_USE enum tf_code tf_object_get(struct tf_db *db, uint64_t id,
    struct tf_object_row *out, struct tf_buf *body, struct tf_error *err);
/* Find the sealed object of digest h: *id becomes its row, or TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_object_find(struct tf_db *db,
    const struct tf_hash *h, uint64_t *id, struct tf_error *err);
/* Call fn for every row of digest whose object row is missing or has another
 * digest, until it fails. */
typedef enum tf_code (*tf_digest_fn)(void *arg, uint64_t object,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_object_misnamed(struct tf_db *db, tf_digest_fn fn,
    void *arg, struct tf_error *err);
/* Call fn for every sealed object whose bytes are in a file, until it fails. */
typedef enum tf_code (*tf_object_fn)(void *arg, const struct tf_hash *h,
    uint64_t size, struct tf_error *err);
TF_MUST_USE enum tf_code tf_object_files(struct tf_db *db, tf_object_fn fn,
    void *arg, struct tf_error *err);
/* Seal object row id: from now on digest h always refers to it. */
TF_MUST_USE enum tf_code tf_object_seal(struct tf_db *db,
    const struct tf_hash *h, uint64_t id, struct tf_error *err);

/* The directories of objects/ that this process has synced, so that their names
 * survive power loss.  Starts as {0}; safe from many threads at once. */
struct tf_object_dirs {
	_Atomic uint64_t durable[4]; /* a bit for each of 256 */
};

/*
 * Make the file tmp in directory tmpfd the object of digest h.  The caller has
 * synced its data.  On TF_OK the object and its name survive power loss; tmp
 * stays, and the caller removes it after the entry is committed.  An object
 * that exists already with the same size is success, because the caller has
 * checked its bytes; with another size it is TF_TAMPER.  On any failure tmp
 * stays too, and no entry may name h.
 */
TF_MUST_USE enum tf_code tf_object_link(int objectsfd,
    struct tf_object_dirs *dirs, int tmpfd, const char *tmp,
    const struct tf_hash *h, uint64_t size, struct tf_error *err);
/* Remove the object file of digest h, which nothing names. */
TF_MUST_USE enum tf_code tf_object_unlink(int objectsfd,
    const struct tf_hash *h, struct tf_error *err);
/* The inode number of the object file of digest h; 0 if there is none. */
TF_MUST_USE enum tf_code tf_object_inode(int objectsfd, const struct tf_hash *h,
    uint64_t *ino, struct tf_error *err);
/* Set *yes if the object file of digest h is there with that size. */
TF_MUST_USE enum tf_code tf_object_present(int objectsfd,
    const struct tf_hash *h, uint64_t size, bool *yes, struct tf_error *err);
/*
 * Rename the object file of digest h, whose bytes do not match, so that a new
 * file can take its place; the damaged one is kept for examination.  On TF_OK
 * its new name is in name and is durable.  TF_NOTFOUND if the file does not
 * have inode number ino any more.  One thread at a time.
 */
#define TF_OBJECT_ASIDE 88 /* "ab/<62 hex>.damaged.N" and NUL */
TF_MUST_USE enum tf_code tf_object_put_aside(int objectsfd,
    const struct tf_hash *h, uint64_t ino, char name[TF_OBJECT_ASIDE],
    struct tf_error *err);
/* Open the object file of digest h for reading.  TF_TAMPER if it is missing or
 * not a regular file. */
TF_MUST_USE enum tf_code tf_object_open(int objectsfd, const struct tf_hash *h,
    int *fd, struct tf_error *err);

#endif
