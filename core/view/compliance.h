/* The judgement of a workflow: see ledger/status.h and trailfs(7). */
#ifndef TF_VIEW_COMPLIANCE_H
#define TF_VIEW_COMPLIANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ledger/status.h"

struct tf_entry;
struct tf_view;

/* An attestation of the workflow and the seqs of its entries. */
struct tf_att {
	uint64_t id, begun;
	uint64_t seal, override; /* or TF_NO_SEQ */
};

struct tf_judgement {
	struct tf_att *a;      /* by node id */
	struct tf_reported *r; /* r[i] belongs to a[i] */
	size_t n, cap;
	struct tf_buf strings; /* memory of the strings of r and status */
	struct tf_status status;
};

/* Counts of attestation names in a judgement. */
struct tf_tally {
	size_t lacking, spoiled; /* missing; not compliant */
	size_t open;		 /* with an unsealed version */
};

void tf_judgement_free(struct tf_judgement *f);

/* Read and judge all attestations of a workflow.  *out is {0} before the call;
 * the caller frees it, also on failure. */
TF_MUST_USE enum tf_code tf_judgement_read(struct tf_view *w, uint64_t workflow,
    struct tf_judgement *out, struct tf_error *err);

/* Judge what was read.  The strings of *out belong to f; free it with
 * tf_status_free. */
TF_MUST_USE enum tf_code tf_judgement_judge(const struct tf_judgement *f,
    bool sealed_only, struct tf_status *out, struct tf_error *err);

/* *seq becomes that of the last override of the seal of attestation id, or
 * TF_NO_SEQ. */
TF_MUST_USE enum tf_code tf_override_of(struct tf_view *w, uint64_t id,
    uint64_t seal, uint64_t *seq, struct tf_error *err);

/* *denied becomes true if the entry attestation.sealed claims that the
 * attestation is not compliant. */
TF_MUST_USE enum tf_code tf_denied(const struct tf_entry *seal, bool *denied,
    struct tf_error *err);

/* Count the names of f. */
struct tf_tally tf_judgement_tally(const struct tf_judgement *f);

#endif
