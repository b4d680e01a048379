/*
 * A file that failed gives up its name: its content is not what its writer
 * sent, so it becomes a draft with another name, and an evidence.interrupted
 * entry records that.  core/node/pending.h has the steps.  Failures are
 * reported to the operator; the next start tries again.
 */
#ifndef TF_SEAL_INTERRUPT_H
#define TF_SEAL_INTERRUPT_H

#include "../error.h"

struct tf_db;
struct tf_pending;

/* Rename l at once, so that its name is free.  The entry is still owed
 * (l->interruption).  No lock is held; waits for a claim on l. */
void tf_pending_step_aside(struct tf_pending *l);

/* The same and then the entry.  Hashes what survived, which may take long.
 * Afterwards l is a draft, or has failed for good.  No lock is held. */
void tf_pending_interrupt(struct tf_pending *l);

/* Give l the name of a draft that is free below its parent; the old name goes
 * to l->meant.  Only in memory.  The caller holds mu, and l is claimed or
 * nobody else has it yet. */
enum tf_code tf_pending_become_draft(struct tf_pending *l, struct tf_db *db,
    struct tf_error *err);

#endif
