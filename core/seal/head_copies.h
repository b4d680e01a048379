/*
 * Copies of the newest checkpoint outside of the database: STORE/checkpoint
 * and, where a guard is set, a file on another disk.  A database that is
 * behind a copy was rolled back (I3).
 */
#ifndef TF_SEAL_HEAD_COPIES_H
#define TF_SEAL_HEAD_COPIES_H

#include "../base/clock.h"
#include "../json.h"

struct tf_vault;
struct tf_vkey;

#define TF_HEAD_NS TF_SECOND /* between two writes of STORE/checkpoint */

/* How to go on under a new origin. */
struct tf_recovery {
	const char *origin; /* the caller's wish, or NULL: the next number */
	/* The store was made from the entries of a log with this key, and has new
	 * keys of its own.  NULL: an old copy of a store was put back. */
	const struct tf_vkey *restored;
	/* With restored: the note of a newer head, whose last entries are lost;
	 * or NULL. */
	const struct tf_buf *lost;
	/* The field of ledger.opened; the caller frees it. */
	struct tf_buf previous;
};

/* Write STORE/checkpoint, durable on TF_OK, and hand the head to the thread of
 * the guard, if there is one.  For the sealer's thread, and for opening and closing; mu is not held.
 * Errors: TF_IO and its sharper forms. */
TF_MUST_USE enum tf_code tf_vault_keep_head(struct tf_vault *v,
    struct tf_error *err);

/*
 * Give the vault, in memory, a new origin, and fill r->previous for the entry
 * that records it.  TF_USAGE when tf_head_compare() finds nothing wrong and the
 * store neither is a copy nor has other keys (copied), or when r->origin is the old origin or none.
 * Before there are other callers.
 */
TF_MUST_USE enum tf_code tf_head_renew(struct tf_vault *v, bool copied,
    struct tf_recovery *r, struct tf_error *err);

/* The same for a store that was restored from a log with another key, which
 * stands in v->vkey until then. */
TF_MUST_USE enum tf_code tf_head_restored(struct tf_vault *v,
    struct tf_recovery *r, struct tf_error *err);

#endif
