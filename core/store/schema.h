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
 * Version 5 adds the table anchor.  TF_DB_WRITE converts an earlier store to
 * version 5; the reading modes accept all.
 */
#define TF_DB_VERSION 6
#define TF_DB_DEFINITIONS 3 /* the first version with definition and claim */
#define TF_DB_ANCHORS 5	    /* the first version with anchor */

/* Create the tables and triggers of TF_DB_VERSION in an empty database, in one
 * transaction.  After a failure the file is of no use. */
TF_MUST_USE enum tf_code tf_schema_create(struct tf_db *db,
    struct tf_error *err);
/* Find the version of a database and store it in db->version.  TF_FOREIGN: it is
 * no database of trailfs; TF_NEWER: a later version made it; TF_TAMPER: its
 * tables or triggers differ from those of its version. */
TF_MUST_USE enum tf_code tf_schema_recognise(struct tf_db *db,
    struct tf_error *err);
/* Convert a database of any earlier version to TF_DB_VERSION in one
 * transaction.  On failure nothing changed. */
TF_MUST_USE enum tf_code tf_schema_upgrade(struct tf_db *db,
    struct tf_error *err);

#endif
