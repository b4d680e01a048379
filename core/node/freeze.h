/* A file that nobody writes any more freezes. */
#ifndef TF_NODE_FREEZE_H
#define TF_NODE_FREEZE_H

struct tf_live;

struct tf_live;
#define TF_SETTLE_MAX_S 60

/* Freeze, or let settling start anew: mu is held, nobody writes any more. */
void tf_live_freeze(struct tf_live *l);

#endif
