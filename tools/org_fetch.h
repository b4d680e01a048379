/* trailctl org fetch: a copy of an organisation for auditors (core/fetch.h). */
#ifndef TRAILCTL_ORG_FETCH_H
#define TRAILCTL_ORG_FETCH_H

#include <stdbool.h>

struct org_fetch {
	const char *ledger, *blobs, *dir;
	const char *vkey; /* of the organisation, or NULL */
	bool names;	  /* no bytes of evidence */
	bool json, quiet;
};

/* Fetch, and print a line for each origin that has something new or does not fit.
 * Returns the exit status. */
int org_fetch(const struct org_fetch *ask);

#endif
