/* trailctl org fetch: a copy of an organisation for auditors (core/fetch.h). */
#ifndef TRAILCTL_ORG_FETCH_H
#define TRAILCTL_ORG_FETCH_H

#include <stdbool.h>
#include <stdint.h>

struct org_fetch {
	const char *ledger, *blobs, *dir;
	const char *vkey; /* of the organisation, or NULL */
	bool names;	  /* no bytes of evidence */
	/* Again and again, until the copy of this origin has so many entries, or
	 * for wait_s seconds; of NULL: once. */
	const char *of;
	uint64_t until, wait_s;
	bool follow;   /* go on until a signal comes: core/follow.h */
	uint64_t size; /* of the cache, when following; bytes */
	bool json, quiet;
};

/* Fetch, and print a line for each origin that has something new or does not fit.
 * Returns the exit status. */
int org_fetch(const struct org_fetch *ask);

#endif
