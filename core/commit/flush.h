/* Making live files durable. */
#ifndef TF_COMMIT_FLUSH_H
#define TF_COMMIT_FLUSH_H

#include "../vault.h"

struct tf_live;

/* Start making the present content of l durable; done (may be NULL) hears of
 * it, perhaps at once, perhaps from the committer's thread.  No lock is held. */
void tf_flush(struct tf_live *l, tf_done done, void *arg);

#endif
