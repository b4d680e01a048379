/*
 * Placeholders: when they are sealed, and the mark in the row of one that is
 * being written.  For the first two functions the caller holds mu.
 */
#ifndef TF_SEAL_PLACEHOLDER_H
#define TF_SEAL_PLACEHOLDER_H

#include "../base/clock.h"

struct tf_pending;
struct tf_vault;

#define TF_MARK_NS TF_SECOND /* from the first write until the row is marked */

/* The last handle for writing of l is gone: the sealer seals l after the time
 * of the option placeholder. */
void tf_placeholder_rest(struct tf_pending *l);

/* l is about to be written and its row promises no byte: let the sealer mark
 * the row after TF_MARK_NS, unless a flush comes first. */
void tf_mark_later(struct tf_pending *l);

/* Mark the row of l now, durably.  A failure is reported to the operator, and
 * the next write marks the row.  No lock is held; waits for a claim on l. */
void tf_mark_now(struct tf_vault *v, struct tf_pending *l);

#endif
