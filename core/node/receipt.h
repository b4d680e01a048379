/* Whether another receipt would say anything new. */
#ifndef TF_NODE_RECEIPT_H
#define TF_NODE_RECEIPT_H

#include "../error.h"

struct tf_db;
struct tf_entry;

/*
 * Set *yes if e, an anchor.added, is less than an hour old, and all entries after
 * its tree are receipts, openings and closings.  A receipt is an entry too: without
 * this rule an idle log would grow by its own receipts for ever.  Errors: those of
 * the database.
 */
TF_MUST_USE enum tf_code tf_receipt_is_current(struct tf_db *db,
    const struct tf_entry *e, bool *yes, struct tf_error *err);

#endif
