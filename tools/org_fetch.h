/* trailctl org fetch: a copy of an organisation for auditors (core/fetch.h). */
#ifndef TRAILCTL_ORG_FETCH_H
#define TRAILCTL_ORG_FETCH_H

#include <stdbool.h>

/* Fetch, and print a line for each origin that has something new or does not fit.
 * vkey: of the organisation, or NULL.  Returns the exit status. */
int org_fetch(const char *ledger, const char *blobs, const char *dir,
    const char *vkey, bool json, bool quiet);

#endif
