/* The database of the engine `dir:` (dir.h): its schema, opened and made. */
#ifndef TF_ORG_DIR_DB_H
#define TF_ORG_DIR_DB_H

#include "../error.h"

struct tf_db;

/* Make the database PATH/org.db, and the directory PATH if it is absent.
 * TF_EXISTS: there is one.  TF_FOREIGN: there is another database. */
TF_MUST_USE enum tf_code tf_dir_db_create(const char *path,
    struct tf_error *err);
/* Open it.  On TF_OK close *out with tf_dir_db_close.  TF_NOTFOUND, TF_FOREIGN,
 * TF_NEWER. */
TF_MUST_USE enum tf_code tf_dir_db_open(const char *path, bool writes,
    struct tf_db **out, struct tf_error *err);
/* NULL: does nothing. */
void tf_dir_db_close(struct tf_db *db);

#endif
