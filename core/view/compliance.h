/* The judgement of a workflow: see ledger/status.h and trailfs(7). */
#ifndef TF_VIEW_COMPLIANCE_H
#define TF_VIEW_COMPLIANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ledger/status.h"
#include "damage.h"
#include "view.h"

struct tf_node_row;
struct tf_view_template;

/* An attestation of the workflow and the seqs of its entries. */
struct tf_att {
	uint64_t id, begun;
	uint64_t seal, override; /* or TF_NO_SEQ */
};

/* An entry about the workflow that creates and seals nothing: an override of
 * the seal target, or claims about the workflow itself (target TF_NO_SEQ). */
struct tf_update {
	uint64_t seq, target;
	struct tf_time at;
	bool compliant;
};

struct tf_judgement {
	struct tf_loaded_entry begun; /* of the workflow */
	/* By which it is judged: NULL if the trail had none when it began. */
	const struct tf_view_template *template;
	struct tf_att *a;      /* by node id */
	struct tf_reported *r; /* r[i] belongs to a[i] */
	size_t n, cap;
	struct tf_update *updates; /* in the order of the ledger */
	size_t n_updates;
	struct tf_time now;
	struct tf_time modified; /* the newest change of the workflow */
	struct tf_buf strings;	 /* memory of the strings of r and status */
	struct tf_damage damage; /* what could not be read */
	bool damaged;		 /* part of it is about the workflow itself */
	struct tf_status status;
};

/* Free what f owns and set it to {0}. */
void tf_judgement_free(struct tf_judgement *f);

/* Read and judge all attestations of a workflow in the ledger, at the time of
 * the view.  *out is {0} before the call; the caller frees it, also on failure.
 * An entry, the template or claims that are missing, malformed or altered are in
 * out->damage, and the judgement is then DAMAGED.  In a view for a package they
 * are TF_TAMPER.  Other errors: TF_NOMEM; those of the database. */
TF_MUST_USE enum tf_code tf_judgement_read(struct tf_view *w,
    const struct tf_node_row *workflow, struct tf_judgement *out,
    struct tf_error *err);

/* Judge what was read; sealed_only: attestations without a seal do not count.
 * The strings of *out belong to f; free it with tf_status_free.  Errors:
 * TF_NOMEM. */
TF_MUST_USE enum tf_code tf_judgement_judge(const struct tf_judgement *f,
    bool sealed_only, struct tf_status *out, struct tf_error *err);

/* The judgement of a workflow, which belongs to the view: the view keeps those
 * of the last workflows that were asked for, so *out is valid until the next
 * call for another workflow.  Errors: as tf_judgement_read, and TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_judgement_of(struct tf_view *w, uint64_t workflow,
    const struct tf_judgement **out, struct tf_error *err);
/* The judgement of attestation `row` as that of its workflow would say it.  Only
 * what can change it is read, unless something is damaged: of the attestations
 * in *out, no other may be judged as its workflow would.  *at becomes its index
 * in *out, which is valid until the next call.  TF_TAMPER: its workflow does not
 * have it; else as above. */
TF_MUST_USE enum tf_code tf_judgement_of_attestation(struct tf_view *w,
    const struct tf_node_row *row, const struct tf_judgement **out, size_t *at,
    struct tf_error *err);
void tf_judged_free(struct tf_judged *kept);

#endif
