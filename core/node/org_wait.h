/*
 * Waiting for the organisation (durability=org): who has closed a file, or asked
 * for a seal, is answered when the organisation has all entries that the ledger had
 * then.
 *
 * Promises:
 *  O1  TF_OK is answered only after the forwarder, which is trusted
 *      (store/forward_link.h), has said on the present connection that the
 *      organisation has so many entries of this log.
 *  O2  Whoever waits holds nothing: no lock, no claim, no thread of the caller.
 *      One thread of the vault has the list and calls back.
 *  O3  Nobody waits for ever: after org_timeout the answer is TF_TIMEDOUT, and when
 *      the vault stops TF_INTERRUPTED.  The entries stay and are forwarded later.
 */
#ifndef TF_NODE_ORG_WAIT_H
#define TF_NODE_ORG_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_histogram;
struct tf_vault;

/* For the status. */
struct tf_org_state {
	bool connected; /* to a forwarder */
	uint64_t waiting, timeouts;
	uint64_t oldest_ns; /* how long the first of those that wait does */
	const struct tf_histogram *answered; /* how long others waited */
	char why[200]; /* why the last one waited in vain; "": none did since */
};

/* Start the thread of a vault with durability=org, and nothing for another one.
 * TF_NOMEM, TF_IO. */
TF_MUST_USE enum tf_code tf_org_wait_start(struct tf_vault *v,
    struct tf_error *err);
/* Answer all that wait, and from now on all that come, with TF_INTERRUPTED.  May be
 * called twice. */
void tf_org_wait_end(struct tf_vault *v);
/* After tf_org_wait_end(). */
void tf_org_wait_free(struct tf_vault *v);

/* False: the vault has another durability. */
bool tf_org_wait_state(struct tf_vault *v, struct tf_org_state *out);

#endif
