/*
 * Objects: bytes by digest, each kept once.  Short ones lie in the database,
 * long ones as read-only files objects/ab/<62 hex>.  I2: an object is durable
 * before the entry that names it is committed.
 */
#ifndef TF_STORE_OBJECTS_H
#define TF_STORE_OBJECTS_H

#include "../json.h"
#include "schema.h"

#define TF_INLINE_MAX 65536 /* bytes; longer objects are files */

struct tf_object_row {
	uint64_t size;
	struct tf_hash sha256;
	bool is_inline;
};

/* Write the inline bytes numbered id, replacing what it held unless sealed. */
TF_MUST_USE enum tf_code tf_object_put(struct tf_db *db, uint64_t id,
    const struct tf_hash *h, const void *body, size_t n, struct tf_error *err);
/* Number id stands for a file of objects/. */
TF_MUST_USE enum tf_code tf_object_put_file(struct tf_db *db, uint64_t id,
    const struct tf_hash *h, uint64_t size, struct tf_error *err);
/* Forget unsealed bytes. */
TF_MUST_USE enum tf_code tf_object_drop(struct tf_db *db, uint64_t id,
    struct tf_error *err);
/* Row of id; inline bytes onto body, if not NULL.  TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_object_get(struct tf_db *db, uint64_t id,
    struct tf_object_row *out, struct tf_buf *body, struct tf_error *err);
/* The sealed object of this digest: TF_OK and its number, or TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_object_find(struct tf_db *db,
    const struct tf_hash *h, uint64_t *id, struct tf_error *err);
/* Every digest whose object is not one of that digest, or is not there. */
typedef enum tf_code (*tf_digest_fn)(void *arg, uint64_t object,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_object_misnamed(struct tf_db *db, tf_digest_fn fn,
    void *arg, struct tf_error *err);
/* Seal: from now on the digest means number id, for ever. */
TF_MUST_USE enum tf_code tf_object_seal(struct tf_db *db,
    const struct tf_hash *h, uint64_t id, struct tf_error *err);

/* The directories in objects/ whose names this process made durable, or found
 * durable.  Zero at first; safe from many threads at once. */
struct tf_object_dirs {
	_Atomic uint64_t durable[4]; /* a bit for each of 256 */
};

/*
 * Make the file tmp of directory tmpfd, whose data is synced, the object of
 * this digest.  On TF_OK the object and its name survive power loss; tmp stays
 * and is the caller's to remove after its entry is committed.  An object
 * already present is success when its size is right: the caller has looked at
 * its bytes.  TF_TAMPER when it is not.
 */
TF_MUST_USE enum tf_code tf_object_link(int objectsfd,
    struct tf_object_dirs *dirs, int tmpfd, const char *tmp,
    const struct tf_hash *h, uint64_t size, struct tf_error *err);
/* The inode number of what has the name that a digest gives; 0: nothing. */
TF_MUST_USE enum tf_code tf_object_inode(int objectsfd, const struct tf_hash *h,
    uint64_t *ino, struct tf_error *err);
/*
 * That inode is not what the digest says: give it another name, which goes to
 * name.  TF_NOTFOUND: something else is there now, or nothing.  One thread at a
 * time.
 */
#define TF_OBJECT_ASIDE 88 /* "ab/<62 hex>.damaged.N" and NUL */
TF_MUST_USE enum tf_code tf_object_put_aside(int objectsfd,
    const struct tf_hash *h, uint64_t ino, char name[TF_OBJECT_ASIDE],
    struct tf_error *err);
/* Open the file of a digest for reading.  TF_TAMPER when it is missing. */
TF_MUST_USE enum tf_code tf_object_open(int objectsfd, const struct tf_hash *h,
    int *fd, struct tf_error *err);

#endif
