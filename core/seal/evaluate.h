/*
 * The judgement of an attestation at its seal: by JUnit reports, or by a type
 * that its trail defines.  It reads evidence, so it is made before the
 * transaction wherever possible.
 *
 * An attestation is judged by the type that was claimed, or without a claim by
 * that of its slot in the template.  "junit" is built in; "custom:NAME", and
 * NAME if the trail defines it, mean the newest version of NAME.  A seal never
 * fails because of content: what cannot be judged is not compliant.
 */
#ifndef TF_SEAL_EVALUATE_H
#define TF_SEAL_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"

struct tf_attr;
struct tf_claim_row;
struct tf_db;
struct tf_definition_row;
struct tf_evidence;
struct tf_node_row;
struct tf_seal_file;
struct tf_vault;

/* A judgement.  {0} is none; tf_evaluated_free makes it so. */
struct tf_evaluated {
	struct tf_buf field;  /* `evaluated` of the entry; n 0: not judged */
	struct tf_buf report; /* its bytes */
	struct tf_hash sha256;
};
void tf_evaluated_free(struct tf_evaluated *e);

/*
 * Judge attestation att by the template of its workflow, with the claims of
 * *claims and the evidence of *ev.  The bytes are those of sealed evidence, or
 * of files[0..n) (prepared).  Errors: TF_NOMEM, TF_TOOMANY, TF_INTERRUPTED,
 * those of the database.
 */
TF_MUST_USE enum tf_code tf_seal_evaluate(struct tf_vault *v, struct tf_db *db,
    const struct tf_node_row *att, const struct tf_definition_row *template,
    const struct tf_claim_row *claims, const struct tf_evidence *ev,
    const struct tf_seal_file *files, size_t n, struct tf_evaluated *out,
    struct tf_error *err);

/* Set *yes if tf_seal_evaluate() would judge att.  Reads no evidence. */
TF_MUST_USE enum tf_code tf_seal_is_evaluated(struct tf_vault *v,
    struct tf_db *db, const struct tf_node_row *att,
    const struct tf_definition_row *template, const struct tf_claim_row *claims,
    bool *yes, struct tf_error *err);

/* Set *yes if directory dir is an open attestation that will be judged, or a
 * workflow with one. */
TF_MUST_USE enum tf_code tf_seal_will_evaluate(struct tf_vault *v,
    struct tf_db *db, const struct tf_attr *dir, bool *yes,
    struct tf_error *err);

#endif
