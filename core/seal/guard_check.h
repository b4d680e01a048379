/* Whether a store may be continued with the guard that it has now. */
#ifndef TF_SEAL_GUARD_CHECK_H
#define TF_SEAL_GUARD_CHECK_H

#include "../error.h"

struct tf_vault;

/* Why this start differs from an ordinary one. */
struct tf_guard_start {
	bool lost;   /* a person said that the guard is lost */
	bool renews; /* the log gets a new origin */
	bool away;   /* the store is not where it was written last */
};

/*
 * Compare the guard with the database, before the first entry of this process.
 * The options of the last ledger.opened name the guard that must be there and
 * fit, also if STORE/config names another file now, which must fit, too.  Only if
 * the recorded guard cannot be found may a person say that it is lost.  On TF_OK
 * v->guard_seen has the text of the guard of the config; it is empty if there is
 * none.
 * Errors: TF_TAMPER the guard is missing, ahead of the database, does not fit
 * it, or is of another log; TF_USAGE it is in the store, belongs to the store
 * that this one was copied from, or is not lost; TF_IO and its sharper forms.
 */
TF_MUST_USE enum tf_code tf_guard_check(struct tf_vault *v,
    const struct tf_guard_start *how, struct tf_error *err);

/* Make a guard that is not there, with the present head.  Durable on TF_OK.  Before
 * the entry that names it, and after nothing else refuses this start. */
TF_MUST_USE enum tf_code tf_guard_make(struct tf_vault *v,
    struct tf_error *err);

#endif
