/*
 * Tending files that nobody has open for writing.  One that has changed since
 * its last flush is flushed; one that was found after a crash is compared with
 * its digest; one that failed becomes a draft.  Long files are tended in the
 * background (background.h).
 */
#ifndef TF_SEAL_TEND_H
#define TF_SEAL_TEND_H

#include "../error.h"

struct tf_pending;

/* Tend l now if it is short, else in the background.  The caller has a
 * reference and holds no lock. */
void tf_pending_tend(struct tf_pending *l);
/* Tend l in the background.  The caller holds mu. */
void tf_pending_tend_later(struct tf_pending *l);
/*
 * Compare the bytes of l, which is unchecked, with the digest of its row.
 * Takes long; no lock is held.  TF_OK: they match.  TF_TAMPER: they do not,
 * and l has failed.  TF_INTERRUPTED and TF_TOOMANY: it could not be decided;
 * try again.
 */
TF_MUST_USE enum tf_code tf_pending_check(struct tf_pending *l,
    struct tf_error *err);

#endif
