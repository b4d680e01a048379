/* Where a node is: its attributes, its path, and what is above it. */
#ifndef TF_NODE_PATHS_H
#define TF_NODE_PATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "../ledger/policy.h"

struct tf_buf;
struct tf_db;
struct tf_place;
struct tf_vault;

/* Where is directory id?  mu is held. */
TF_MUST_USE enum tf_code tf_place_of(struct tf_vault *v, struct tf_db *db,
    uint64_t id, struct tf_place *out, struct tf_error *err);

/* Attributes of id, live or committed.  mu is held. */
TF_MUST_USE enum tf_code tf_attr_of(struct tf_vault *v, struct tf_db *db,
    uint64_t id, struct tf_attr *out, struct tf_error *err);

/* The path of id ("." for the root) with db's view; mu is not held. */
TF_MUST_USE enum tf_code tf_path_of(struct tf_vault *v, struct tf_db *db,
    uint64_t id, struct tf_buf *out, struct tf_error *err);

/* A directory below an attestation has the access of that. */
TF_MUST_USE enum tf_code tf_follow_attestation(struct tf_vault *v,
    struct tf_db *db, struct tf_attr *a, struct tf_error *err);

struct tf_subject tf_directory_subject(const struct tf_attr *a, bool has_entry);

#endif
