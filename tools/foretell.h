/* The verdict that the seal of a draft will give, before it is published. */
#ifndef TRAILCTL_FORETELL_H
#define TRAILCTL_FORETELL_H

#include "claims.h"
#include "evidence.h"
#include "recorder.h"

struct foretold {
	bool compliant;
	struct tf_buf evaluated; /* as in attestation.json; empty: not judged */
};

/*
 * Judge the files e of the draft and its claims c as the seal of attestation
 * `name` will: by the same rules and the same code. What the template says about
 * deadlines and order is not judged. The caller frees out->evaluated in any
 * case. Sorts e. Errors: TF_ACCESS the caller may not read the template; those
 * of reading the draft.
 */
TF_MUST_USE enum tf_code foretell(struct recorder *r, const char *name,
    struct evidence *e, const struct claims *c, struct foretold *out,
    struct tf_error *err);

/* The evidence was not judged because the trail does not define its type. */
bool foretold_has_no_type(const struct foretold *f);

#endif
