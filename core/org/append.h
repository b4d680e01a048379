/*
 * Append to a ledger until the outcome is known.  Engines do not repeat an append
 * by themselves (E5); this is the one place that does.
 */
#ifndef TF_ORG_APPEND_H
#define TF_ORG_APPEND_H

#include "engine.h"

/* How to wait before the next attempt. */
struct tf_patience {
	/* Wait for ms milliseconds; why is the error of the last attempt.  False:
	 * there is to be no other attempt. */
	bool (*pause)(void *arg, unsigned ms, const struct tf_error *why);
	void *arg;
};
#define TF_PAUSE_FIRST_MS 100  /* doubled with each failure */
#define TF_PAUSE_MOST_MS 60000 /* but never longer */

/*
 * Append b.  After TF_INDOUBT, TF_BUSY and TF_IO the same batch is given again,
 * as often as p allows.  What append returns otherwise is final and returned.
 * When p ends the attempts: TF_INDOUBT if one of them may have appended, else the
 * code of the last one.  TF_USAGE: the batch breaks a limit of engine.h.
 */
TF_MUST_USE enum tf_code tf_org_append(struct tf_ledger *l,
    const struct tf_batch *b, const struct tf_patience *p,
    struct tf_appended *out, struct tf_error *err);

/* The pause that follows one of ms (0: the first one). */
unsigned tf_pause_after(unsigned ms);

#endif
