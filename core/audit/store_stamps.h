/* The time stamps of a store under audit.  The source is a tf_audit_store. */
#ifndef TF_AUDIT_STORE_STAMPS_H
#define TF_AUDIT_STORE_STAMPS_H

#include "../error.h"

struct tf_audit;
struct tf_audit_store;
struct tf_entry;

/* Judge the time stamp that e records, if it is one.  Objects that are missing or
 * altered are left to other checks.  Errors: those of the database. */
TF_MUST_USE enum tf_code tf_audit_store_stamp(struct tf_audit *a,
    const struct tf_entry *e, struct tf_error *err);

/* Before the first entry: read what STORE/config requires.  Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_audit_store_stamps_begin(struct tf_audit_store *s,
    struct tf_error *err);

/* After the last entry: the verdict about time stamps.  If STORE/config requires
 * them, late stamps (store/config_file.h) are a finding; those of the authorities
 * of the caller count, or else of those that the config names. */
void tf_audit_store_stamps_end(struct tf_audit *a);

#endif
