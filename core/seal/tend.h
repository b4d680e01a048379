/*
 * What a file needs that nobody writes: to be flushed, to be compared with what
 * was promised of it after a crash, to be saved as a draft when it failed. 
 * What takes long is done in the background (background.h).
 */
#ifndef TF_SEAL_TEND_H
#define TF_SEAL_TEND_H

#include "../error.h"

struct tf_pending;

/* Do that now if it is little, else soon.  No lock is held. */
void tf_pending_tend(struct tf_pending *l);
/* Soon in any case; mu is held. */
void tf_pending_tend_later(struct tf_pending *l);
/*
 * l->unchecked: compare the bytes with the digest, which takes long; no lock is
 * held.  TF_INTERRUPTED: not known yet.  TF_TAMPER: they are others, and l has
 * failed.
 */
TF_MUST_USE enum tf_code tf_pending_check(struct tf_pending *l,
    struct tf_error *err);

#endif
