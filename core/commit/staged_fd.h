/* The descriptor of a staged file: lent, put down, taken back. */
#ifndef TF_COMMIT_STAGED_FD_H
#define TF_COMMIT_STAGED_FD_H

struct tf_pending;

struct tf_pending;

/* A descriptor for l is about to be opened: count it, and take back another if
 * need be, which may wait for the disk.  l->io is held, mu is not. */
void tf_descriptor_take(struct tf_pending *l);

/* Close l->fd, if it is open: all that it holds was synced. */
void tf_content_close(struct tf_pending *l);

/* Close l->fd, which is opened again when l is written.  What it holds is on
 * stable storage then, or l has failed.  Waits for the hasher. */
void tf_content_put_down(struct tf_pending *l);

#endif
