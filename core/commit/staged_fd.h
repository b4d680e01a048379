/* The descriptor of a staged file, within the budget of descriptors.h. */
#ifndef TF_COMMIT_STAGED_FD_H
#define TF_COMMIT_STAGED_FD_H

struct tf_pending;

struct tf_pending;

/* Count a descriptor that is about to be opened for l.  If the budget is used
 * up, the oldest descriptor is reclaimed, which may wait for the disk.  l->io
 * is held, mu is not. */
void tf_descriptor_take(struct tf_pending *l);

/* Close l->fd, if it is open.  Its bytes are synced already.  l->io is held. */
void tf_content_close(struct tf_pending *l);

/* Sync and close l->fd, which the next write opens again.  Afterwards its bytes
 * are on stable storage, or l is marked as failed.  Waits for the hasher.
 * l->io is held. */
void tf_content_put_down(struct tf_pending *l);

#endif
