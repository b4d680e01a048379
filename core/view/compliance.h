/* The judgement of a workflow. */
#ifndef TF_VIEW_COMPLIANCE_H
#define TF_VIEW_COMPLIANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ledger/status.h"

struct tf_entry;
struct tf_view;

/* What the judge hears of an attestation, and where its entries are. */
struct tf_att {
	uint64_t id, begun, seal, override; /* the last two: or TF_NO_SEQ */
};

struct tf_judgement {
	struct tf_att *a;      /* by node id */
	struct tf_reported *r; /* r[i] is of a[i] */
	size_t n, cap;
	struct tf_buf strings; /* what r and status point into */
	struct tf_status status;
};

/* A name's counts in a judgement. */
struct tf_tally {
	size_t lacking, spoiled; /* missing; not compliant */
	size_t open;		 /* with a version that is not sealed */
};

void tf_judgement_free(struct tf_judgement *f);

/* All attestations of a workflow, judged.  *out is {0} before; free it in
 * either case. */
TF_MUST_USE enum tf_code tf_judgement_read(struct tf_view *w, uint64_t workflow,
    struct tf_judgement *out, struct tf_error *err);

/* The last override of the seal of attestation id, or TF_NO_SEQ. */
TF_MUST_USE enum tf_code tf_override_of(struct tf_view *w, uint64_t id,
    uint64_t seal, uint64_t *seq, struct tf_error *err);

/* Does attestation.sealed say that it is not compliant? */
TF_MUST_USE enum tf_code tf_denied(const struct tf_entry *seal, bool *denied,
    struct tf_error *err);

struct tf_tally tf_judgement_tally(const struct tf_judgement *f);

#endif
