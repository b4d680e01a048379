/*
 * Forwarding: the entries and objects of a store go to the ledger and the blobs of
 * an organisation, which engines keep (core/org/engine.h).
 *
 * Promises:
 *  W1  Entries go byte for byte, in the order of the store: none is lost, doubled or
 *      exchanged, wherever either side is killed.  The cursor is the ledger's own: it
 *      says which entry of this origin comes next.
 *  W2  An entry goes after the objects that it names are durable there.  Only an
 *      object that a redaction deleted may be absent.
 *  W3  Nothing is sent to a ledger whose history of this origin is another one.
 */
#ifndef TF_FORWARD_H
#define TF_FORWARD_H

#include "error.h"
#include "types.h"

struct tf_forwarded {
	uint64_t
	    entries;   /* the organisation has so many entries of this store */
	uint64_t of;   /* the store has so many */
	uint64_t sent; /* entries that this run has sent, */
	uint64_t objects; /* with so many objects */
	uint64_t bytes;	  /* of so many bytes */
	uint64_t absent;  /* objects that were redacted before */
	/* Why STORE/forwarded could not be written; "": it was. */
	char unwritten[160];
};

struct tf_forward {
	const char *store;	    /* its directory; it may be mounted */
	const char *ledger, *blobs; /* URIs */
	bool once;		    /* end when all is sent */
	/* Called after each batch, and with why before each pause that follows a
	 * failure. */
	void (*report)(void *arg, const struct tf_forwarded *now,
	    const struct tf_error *why);
	/* True: end after the step of now. */
	bool (*stop)(void *arg);
	void *arg;
};

/*
 * Forward until all is sent (once), or until stop.  Of the store only the file
 * `forwarded` is written, which status, metrics and trailctl doctor show.  Failures
 * that may pass are tried again, after pauses that grow to a minute; with once only
 * for some seconds.
 * Errors, all final: those of opening the store; TF_DENIED the origin is not
 * enrolled, or revoked, or the URI of the blobs asks for locks and these do not
 * hold; TF_TAMPER the organisation has another history of this origin, or the store
 * lacks an object; TF_INVALID, TF_UNSUPPORTED a wrong URI;
 * TF_ACCESS; and with once TF_IO, TF_BUSY, TF_NOSPACE, TF_INDOUBT.
 */
TF_MUST_USE enum tf_code tf_forward(const struct tf_forward *o,
    struct tf_forwarded *out, struct tf_error *err);

#endif
