/* What trailctl attest and trailctl run share: claims and publication. */
#ifndef TRAILCTL_PUBLISH_H
#define TRAILCTL_PUBLISH_H

#include "claims.h"
#include "evidence.h"
#include "recorder.h"

/* Copy the files to the draft, and add them to e.  TF_INTERRUPTED. */
TF_MUST_USE enum tf_code publish_copy(struct recorder *r,
    const struct sources *s, struct evidence *e, struct tf_error *err);

/* Set the claims of the draft. */
TF_MUST_USE enum tf_code publish_claims(struct recorder *r,
    const struct claims *c, struct tf_error *err);

/*
 * Compare with a sealed attestation: *same becomes true if it has exactly these
 * files and claims.
 */
TF_MUST_USE enum tf_code publish_compare(struct recorder *r, const char *name,
    struct evidence *e, const struct claims *c, bool *same,
    struct tf_error *err);

/*
 * The name r->name is taken by an attestation in that state.  *already becomes
 * true if it has the same files and claims; otherwise TF_EXISTS and a reason.
 */
TF_MUST_USE enum tf_code publish_taken(struct recorder *r, const char *state,
    struct evidence *e, const struct claims *c, bool *already,
    struct tf_error *err);

/*
 * Publish the draft as r->name or, with again, as its next version; *name is
 * the name then, for the caller to free.  *already: the same was recorded
 * before, and the draft was dropped.
 */
TF_MUST_USE enum tf_code publish_draft(struct recorder *r, bool again,
    struct evidence *e, const struct claims *c, char **name, bool *already,
    struct tf_error *err);

/* Would a draft be accepted under that name?  TF_DENIED, TF_BADNAME. */
TF_MUST_USE enum tf_code publish_check(struct recorder *r, const char *name,
    struct tf_error *err);

/* The name of the newest version of r->name, for the caller to free, and its
 * state; NULL if there is none. */
TF_MUST_USE enum tf_code publish_newest(struct recorder *r, char **name,
    char state[16], struct tf_error *err);

/* The name that the next report of r->name has, for the caller to free. */
TF_MUST_USE enum tf_code publish_next(struct recorder *r, char **name,
    struct tf_error *err);

#endif
