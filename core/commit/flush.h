/* Making pending files durable. */
#ifndef TF_COMMIT_FLUSH_H
#define TF_COMMIT_FLUSH_H

#include "../vault.h"

struct tf_pending;
struct tf_txn;
struct tf_vault;

/* Start making the present content of l durable; done (may be NULL) hears of
 * it, perhaps at once, perhaps from the committer's thread.  No lock is held.
 *  */
void tf_flush(struct tf_pending *l, tf_done done, void *arg);

/* Put the row of l (and of its unsaved directories) into stage. */
TF_MUST_USE enum tf_code tf_stage_save(struct tf_txn *t, struct tf_pending *l,
    struct tf_error *err);

/* That is committed now; mu is held. */
void tf_stage_saved(struct tf_vault *v, struct tf_pending *l);

#endif
