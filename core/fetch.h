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

struct tf_fetch {
	const char *ledger, *blobs; /* URIs */
	const char *dir;	    /* made if it is absent */
	const char *only;	    /* this origin alone; NULL: all */
	/* Called for each origin when it is done; why is NULL if all fitted.
	 * The codes are those of the copy and of the engines: TF_TAMPER what does
	 * not fit, TF_LOCKED the copy is mounted, ... */
	void (*done)(void *arg, const struct tf_fetched *f,
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
