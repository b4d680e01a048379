/*
 * The schema of the database of a store.  db is a connection that nobody else
 * uses.  Errors beside those named: those of SQLite (sql.h).
 */
#ifndef TF_STORE_SCHEMA_H
#define TF_STORE_SCHEMA_H

#include "../error.h"

struct tf_db;

/*
 * Version 1 is that of trailfs 0.1.0.  Version 2 adds table closing and lets
 * read bits and group of sealed evidence change.  Version 3 adds the tables
 * definition and claim.  Version 4 lets the bytes of redacted objects go.
 * Version 5 adds the table anchor.  Version 6 lets texts go too.  The reading modes
 * accept all; a writer needs the newest, which `trailctl upgrade` makes.
 *
 * How a later version can change the database is written in user_version, so that
 * programs that do not know the change do the right thing (like the features of
 * ext4):
 *	bits 0-7	the version, as above: a program that knows a lower one only
 *			does not open the database
 *	bits 8-15	features that readers may ignore: a program that does not
 *			know one opens the database for reading only
 *	bits 16-23	features that all may ignore
 * A program that finds features it does not know looks only whether its own tables
 * and triggers are there.  It takes no trigger and no view more if it writes.
 */
#define TF_DB_VERSION 6
/* The same tables in a sparse store (tf_db_is_sparse): a program of an earlier
 * version would call it damaged, and so does not open it. */
#define TF_DB_SPARSE 7
#define TF_DB_DEFINITIONS 3 /* the first version with definition and claim */
#define TF_DB_ANCHORS 5	    /* the first version with anchor */

/* The bits of user_version. */
#define TF_DB_VERSION_BITS 0xff
#define TF_DB_RO_SHIFT 8
#define TF_DB_COMPATIBLE_SHIFT 16
#define TF_DB_FEATURE_BITS 0xff
/* The features that this version knows. */
#define TF_DB_RO_KNOWN 0u
#define TF_DB_COMPATIBLE_KNOWN 0u

/* Create the tables and triggers of TF_DB_VERSION in an empty database, in one
 * transaction.  After a failure the file is of no use. */
TF_MUST_USE enum tf_code tf_schema_create(struct tf_db *db,
    struct tf_error *err);
/* Find the version of a database and store it in db->version.  TF_FOREIGN: it is
 * no database of trailfs; TF_NEWER: a later version made it; TF_TAMPER: its
 * tables or triggers differ from those of its version. */
TF_MUST_USE enum tf_code tf_schema_recognise(struct tf_db *db,
    struct tf_error *err);
/* May this program write the database?  TF_OLDER: it is of an earlier version;
 * TF_NEWER: it has features that a writer must know. */
TF_MUST_USE enum tf_code tf_schema_writable(const struct tf_db *db,
    struct tf_error *err);
/* Convert a database of any earlier version to TF_DB_VERSION in one
 * transaction, which is committed if unchanged, called before and after, says
 * TF_OK both times.  On failure nothing changed. */
typedef enum tf_code (*tf_schema_check)(void *arg, struct tf_db *db,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_schema_upgrade(struct tf_db *db,
    tf_schema_check unchanged, void *arg, struct tf_error *err);

#endif
