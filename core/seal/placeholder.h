/* Placeholders: when they are due, and marking those that are written.  mu is
 * held for the first two. */
#ifndef TF_SEAL_PLACEHOLDER_H
#define TF_SEAL_PLACEHOLDER_H

#include "../base/clock.h"

struct tf_pending;
struct tf_vault;

#define TF_MARK_NS TF_SECOND /* a written placeholder's row says so by then */

/* Nobody has it open for writing any more: its time begins. */
void tf_placeholder_rest(struct tf_pending *l);

/* l is about to be written and its row promises no byte: the sealer marks the
 * row within TF_MARK_NS, unless a flush comes first. */
void tf_mark_later(struct tf_pending *l);

/* Mark it now. */
void tf_mark_now(struct tf_vault *v, struct tf_pending *l);

#endif
