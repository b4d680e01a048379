/*
 * What people said, in a store: definitions, claims, user data and evaluation
 * reports, against the entries (I5).  The source is a tf_audit_store.
 */
#ifndef TF_AUDIT_STORE_SAID_H
#define TF_AUDIT_STORE_SAID_H

#include "../error.h"

struct tf_audit;
struct tf_entry;
struct tf_replay_dir;
struct tf_replay_effect;

/* The callback said of struct tf_source. */
TF_MUST_USE enum tf_code tf_audit_store_said(struct tf_audit *a,
    const struct tf_entry *e, const struct tf_replay_effect *x,
    struct tf_error *err);

/* The callback texts of struct tf_source. */
TF_MUST_USE enum tf_code tf_audit_store_texts(struct tf_audit *a,
    const struct tf_entry *e, struct tf_error *err);

/* After the last entry: compare the claims about a directory. */
TF_MUST_USE enum tf_code tf_audit_store_claims(struct tf_audit *a,
    const struct tf_replay_dir *d, struct tf_error *err);
/* After the last entry: check the claims that no entry has yet. */
TF_MUST_USE enum tf_code tf_audit_store_unsealed(struct tf_audit *a,
    struct tf_error *err);
/* After the last entry: find rows of definitions that no entry made. */
TF_MUST_USE enum tf_code tf_audit_store_definitions(struct tf_audit *a,
    struct tf_error *err);

#endif
