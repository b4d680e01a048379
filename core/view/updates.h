/* Entries about a workflow that create and seal nothing. */
#ifndef TF_VIEW_UPDATES_H
#define TF_VIEW_UPDATES_H

#include <stdint.h>

#include "reports.h"
#include "unindexed.h"

/* Read the updates of the workflow that are among these entries: once, before
 * its attestations. */
TF_MUST_USE enum tf_code tf_reading_updates(struct tf_reading *x,
    struct tf_seqs *seqs, struct tf_error *err);
/* The last override of the seal target, or NULL. */
const struct tf_update *tf_reading_override(const struct tf_reading *x,
    uint64_t target);

#endif
