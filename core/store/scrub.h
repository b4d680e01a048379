/*
 * Overwriting what deletion leaves behind: old pages in the write-ahead log, and
 * object files.
 */
#ifndef TF_STORE_SCRUB_H
#define TF_STORE_SCRUB_H

#include "../error.h"
#include "../types.h"

struct tf_db;

/*
 * Write all committed pages to the database, and zeros over the part of the
 * write-ahead log that is not in use any more, so that no page of an earlier
 * transaction is left in it.  db is a connection for writing without a
 * transaction.  TF_LOCKED: a reader still needs old pages.
 */
TF_MUST_USE enum tf_code tf_db_scrub(struct tf_db *db, struct tf_error *err);

/*
 * After a commit of db: if the log has been longer than TF_LOG_MAX and is used
 * from its beginning again, overwrite what is not in use, and shorten it.
 * Mostly this does nothing.
 */
TF_MUST_USE enum tf_code tf_db_shorten_log(struct tf_db *db,
    struct tf_error *err);

/* Before db is closed: scrub the log and let SQLite delete it.  If that fails
 * the log stays. */
void tf_log_end(struct tf_db *db);

#define TF_LOG_MAX 67108864 /* bytes of the log while it is not in use */

/* Delete the bytes of object row id, and forget its digest.  The triggers refuse
 * unless its evidence is redacted. */
TF_MUST_USE enum tf_code tf_object_erase(struct tf_db *db, uint64_t id,
    struct tf_error *err);

/*
 * The file of the object with digest h.  hide renames it, so that no new
 * evidence takes it for its own; *is: it exists, under this name or the other
 * one.  erase overwrites it in place, makes that durable, and deletes it, and all
 * damaged ones that were put aside; a file that is gone is success, and so both
 * may be repeated after a crash.
 */
TF_MUST_USE enum tf_code tf_object_hide(int objectsfd, const struct tf_hash *h,
    bool *is, struct tf_error *err);
TF_MUST_USE enum tf_code tf_object_erase_file(int objectsfd,
    const struct tf_hash *h, struct tf_error *err);
/* True if name is that of a file that tf_object_hide renamed. */
#define TF_OBJECT_HIDDEN ".redacted"

#endif
