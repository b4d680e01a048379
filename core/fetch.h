/*
 * A copy of an organisation, for auditors: a directory with one mirror per origin,
 * made from the ledger and the blobs alone (core/org.h).  Each is a store, for
 * everything that reads one.
 *
 * Promises:
 *  F1  A copy has the entries byte for byte, and only such whose tree has the root
 *      of a checkpoint that the key of their log signed.  Entries after the newest
 *      checkpoint wait.
 *  F2  A copy only grows, and knows by itself how far it is: a run that was killed
 *      is continued by the next one.
 *  F3  What does not fit is named; what fits before it stays, and the other origins
 *      go on.  An organisation that shows less than before, or another history, does
 *      not fit.
 *  F4  Nothing is written to the organisation.
 *  F5  What the organisation has signed is compared: its newest checkpoint continues
 *	the one that was seen before, the entries of the ledger have its root, and each
 *	copy has the entries of its origin that are below it.
 *
 * Each copy that has new entries gets its search index (find.h), if that can be made.
 *
 * Memory and open files do not grow with the number of origins, but for their names;
 * one copy is open at a time.  An origin without new entries costs no replay; one
 * with new entries reads the entries of its copy once.
 */
#ifndef TF_FETCH_H
#define TF_FETCH_H

#include "error.h"
#include "types.h"

struct tf_fetched {
	const char *origin;
	const char *vkey; /* as the organisation names it */
	const char *dir;  /* the copy: a name in the directory of all */
	bool made;	  /* in this run: nobody has compared its key yet */
	uint64_t before, entries; /* of the copy, then and now */
	uint64_t waiting;	  /* entries after the newest checkpoint */
	uint64_t objects, bytes;  /* that came */
};

/* What the organisation has signed. */
struct tf_fetch_order {
	const char
	    *origin; /* of the organisation; NULL: nobody signs this ledger */
	const char *vkey;      /* that signed; "": none has yet */
	bool given;	       /* it is by vkey_of() that this key counts */
	uint64_t before, size; /* entries of the checkpoint, then and now */
	uint64_t entries;      /* of the ledger */
};

struct tf_fetch {
	const char *ledger, *blobs; /* URIs */
	const char *dir;	    /* made if it is absent */
	/* This origin alone; NULL: all.  Then nothing is compared with what the
	 * organisation has signed, which is about all. */
	const char *only;
	/* No bytes of evidence: the copies become sparse.  Without this a sparse
	 * copy becomes whole. */
	bool names;
	/* Unless names: a sparse copy stays so, and a new one is. */
	bool as_is;
	/* Called for each origin when it is done; why is NULL if all fitted.
	 * The codes are those of the copy and of the engines: TF_TAMPER what does
	 * not fit, TF_LOCKED the copy is mounted, ... */
	void (*done)(void *arg, const struct tf_fetched *f,
	    const struct tf_error *why);
	/* The key of the organisation, if the caller has it, or NULL: see
	 * tf_log_keys_parse.  Without it the key in entry 0 counts, and must stay
	 * the same.  May be NULL, as the next two. */
	const char *(*vkey_of)(void *arg, const char *origin);
	/* Called for each origin whose copy has the entries that are signed: so
	 * many. */
	void (*signed_of)(void *arg, const char *origin, uint64_t entries);
	/* Called once, after that: why is NULL if all fitted.  TF_TAMPER: the
	 * ledger was altered, set back or forked, or is of another organisation;
	 * TF_INVALID: the key that was given is none. */
	void (*order)(void *arg, const struct tf_fetch_order *o,
	    const struct tf_error *why);
	/* So many entries of all; and the bytes of objects that came. */
	void (*progress)(void *arg, uint64_t entries, uint64_t of,
	    uint64_t bytes);
	/* True: end soon; what is not committed is fetched again. */
	bool (*stop)(void *arg);
	void *arg;
};

/*
 * Fetch what is new of every origin.  TF_OK: every origin was tried.
 * Errors, with which the run ends: TF_NOTFOUND it has no such origin as o->only; TF_LOCKED another process fetches into the
 * directory; TF_FOREIGN it has other things; TF_INTERRUPTED; what ends all: TF_IO
 * of the engines or the disk, TF_NOSPACE, TF_ACCESS, TF_NOMEM; and those of opening
 * the engines.
 */
TF_MUST_USE enum tf_code tf_fetch(const struct tf_fetch *f,
    struct tf_error *err);

#endif
