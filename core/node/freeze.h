/* A file that nobody writes any more freezes. */
#ifndef TF_NODE_FREEZE_H
#define TF_NODE_FREEZE_H

struct tf_pending;

struct tf_pending;
#define TF_SETTLE_MAX_S 60

/* Freeze, or let settling start anew: mu is held, nobody writes any more. */
void tf_pending_freeze(struct tf_pending *l);

#endif
