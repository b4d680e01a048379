/* The descriptor of a staged file, within the budget of descriptors.h. */
#ifndef TF_COMMIT_STAGED_FD_H
#define TF_COMMIT_STAGED_FD_H

#include "../error.h"

struct tf_pending;

/* Count a descriptor that is about to be opened for l.  If the budget is used
 * up, the oldest descriptor is reclaimed, which may wait for the disk.  l->io
 * is held, mu is not. */
void tf_descriptor_take(struct tf_pending *l);

/* Write what is in memory only to the staged file, before it is synced. */
TF_MUST_USE enum tf_code tf_content_settle(struct tf_pending *l,
    struct tf_error *err);
/* Sync l->fd, which is open, after tf_content_settle. */
TF_MUST_USE enum tf_code tf_content_sync(struct tf_pending *l,
    struct tf_error *err);

/* Close l->fd, if it is open.  Its bytes are synced already.  l->io is held. */
void tf_content_close(struct tf_pending *l);

/* Sync and close l->fd, which the next write opens again.  Afterwards its bytes
 * are on stable storage, or l is marked as failed.  Waits for the hasher.
 * l->io is held. */
void tf_content_put_down(struct tf_pending *l);

#endif
