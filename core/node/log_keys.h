/* The rotations of the log's key that a database knows. */
#ifndef TF_NODE_LOG_KEYS_H
#define TF_NODE_LOG_KEYS_H

#include <stdint.h>

#include "../error.h"

struct tf_db;
struct tf_log_keys;

/* Remember that entry seq rotates the log's key, in the transaction of db. */
TF_MUST_USE enum tf_code tf_log_keys_record(struct tf_db *db, uint64_t seq,
    struct tf_error *err);

/* Learn the rotations that were remembered.  Errors: those of the database. */
TF_MUST_USE enum tf_code tf_log_keys_load(struct tf_db *db,
    struct tf_log_keys *k, struct tf_error *err);

#endif
