/*
 * The database of a store: one SQLite file, its schema, its connections.
 * A connection belongs to one thread at a time.  Nothing outside core/store
 * sees SQL.
 */
#ifndef TF_STORE_SCHEMA_H
#define TF_STORE_SCHEMA_H

#include "../error.h"
#include "../types.h"

#define TF_DB_NAME "ledger.db"
/*
 * Version 1: 0.1.0.  Version 2 adds table closing and lets the reading bits and
 * the group of evidence change.  TF_DB_WRITE makes a version 1 store version 2;
 * for reading both do.
 */
#define TF_DB_VERSION 2

struct tf_db;

enum tf_db_mode {
	TF_DB_CREATE, /* a new file; TF_EXISTS when it is there */
	TF_DB_WRITE,  /* the one writer */
	TF_DB_READ,   /* beside a writer perhaps; changes nothing in it */
	TF_DB_STILL,  /* nobody writes meanwhile: makes no file either */
};

/*
 * Open path.  TF_NOTFOUND; TF_FOREIGN when it is not a trailfs database;
 * TF_NEWER when a later version made it; TF_TAMPER when tables or triggers are
 * not as this version makes them.  On a medium that cannot be written, READ is
 * STILL; TF_READONLY when that cannot show all that was committed.
 */
TF_MUST_USE enum tf_code tf_db_open(const char *path, enum tf_db_mode mode,
    struct tf_db **out, struct tf_error *err);
/* Writer: also empties the write-ahead log into the file.  NULL is nothing. */
void tf_db_close(struct tf_db *db);

/* A write transaction.  commit returns when it survives power loss; after an
 * error of commit or of any call in it, rollback. */
TF_MUST_USE enum tf_code tf_db_begin(struct tf_db *db, struct tf_error *err);
TF_MUST_USE enum tf_code tf_db_commit(struct tf_db *db, struct tf_error *err);
void tf_db_rollback(struct tf_db *db);

/* One snapshot for several reads of a read connection; end with rollback. */
TF_MUST_USE enum tf_code tf_db_snapshot(struct tf_db *db, struct tf_error *err);

/* Small facts by key.  get: TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_meta_set_text(struct tf_db *db, const char *key,
    const char *value, struct tf_error *err);
TF_MUST_USE enum tf_code tf_meta_get_text(struct tf_db *db, const char *key,
    char *out, size_t size, struct tf_error *err);
TF_MUST_USE enum tf_code tf_meta_set_int(struct tf_db *db, const char *key,
    uint64_t value, struct tf_error *err);
TF_MUST_USE enum tf_code tf_meta_get_int(struct tf_db *db, const char *key,
    uint64_t *out, struct tf_error *err);

/* SQLite's own integrity check; TF_TAMPER with its first complaint. */
TF_MUST_USE enum tf_code tf_db_check(struct tf_db *db, struct tf_error *err);

const char *tf_db_version(void);

#endif
