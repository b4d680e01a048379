/* A file whose content is not what was sent gives up its name. */
#ifndef TF_SEAL_INTERRUPT_H
#define TF_SEAL_INTERRUPT_H

#include "../error.h"

struct tf_db;
struct tf_pending;

/* The content of l is given up and it becomes a draft under another name, so
 * that its name is free: at once, the entry follows (l->interruption). */
void tf_pending_step_aside(struct tf_pending *l);

/* The same with the entry; it hashes what there is, which takes long. */
void tf_pending_interrupt(struct tf_pending *l);

/* l, which failed or was left by a crash, takes the name of a draft.  mu is
 * held. */
enum tf_code tf_pending_become_draft(struct tf_pending *l, struct tf_db *db,
    struct tf_error *err);

#endif
