/*
 * Reads what attestation.json is made of: see attestation_read.h.
 *
 * A draft attestation exists before its first entry, so each part may be
 * absent.  A template decides about an attestation together with others: the
 * judgement in *a may have those.
 */
#include "attestation_read.h"

#include <pthread.h>

#include "../node/paths.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "readable.h"

void
tf_attested_free(struct tf_attested *a)
{
	tf_buf_free(&a->path);
	tf_loaded_entry_free(&a->begun);
	tf_loaded_entry_free(&a->seal);
	tf_loaded_entry_free(&a->override);
	tf_claimed_free(&a->claimed);
	tf_evidence_free(&a->ev);
	tf_damage_free(&a->damage);
}

static enum tf_code
read_judgement(struct tf_view *w, const struct tf_node_row *row,
    struct tf_attested *a, struct tf_error *err)
{
	enum tf_code rc = tf_judgement_of_attestation(w, row, &a->f, &a->at,
	    err);

	return rc == TF_OK ? tf_loaded_entry_try(w, a->f->a[a->at].override,
				 &a->override, &a->damage, err) :
			     rc;
}

enum tf_code
tf_attested_entries(struct tf_view *w, uint64_t id, struct tf_attested *a,
    struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_error why = { 0 };
	enum tf_code rc = tf_nodes_get(w->db, id, &row, err);

	if (rc == TF_NOTFOUND) /* a draft attestation */
		return TF_OK;
	if (rc == TF_OK)
		rc = tf_loaded_entry_try(w, row.entry, &a->begun, &a->damage,
		    err);
	if (rc == TF_OK)
		rc = tf_loaded_entry_try(w, row.seal, &a->seal, &a->damage,
		    err);
	if (rc == TF_OK && a->seal.is &&
	    tf_evaluated_read(a->seal.d.e.evaluated, &a->evaluated, &why) !=
		TF_OK)
		rc = tf_damage_note(w, &a->damage, row.seal, &why, err);
	return rc == TF_OK ? read_judgement(w, &row, a, err) : rc;
}

enum tf_code
tf_attested_read(struct tf_view *w, uint64_t id, struct tf_attested *a,
    struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_error why = { 0 };
	enum tf_code rc;

	if (w->ledger_only) {
		rc = tf_view_row(w, id, TF_KIND_ATTESTATION, &row, err);
		a->attr = row.attr;
	} else {
		rc = tf_attr_unlocked(w->v, w->db, id, &a->attr, err);
	}
	if (rc == TF_OK && a->attr.kind != TF_KIND_ATTESTATION)
		rc = tf_fail(err, TF_NOTFOUND, "not an attestation");
	if (rc == TF_OK)
		rc = tf_path_of(w->v, w->db, id, &a->path, err);
	if (rc == TF_OK && a->path.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = tf_attested_entries(w, id, a, err);
	if (rc == TF_OK && !a->seal.damaged &&
	    tf_claimed_read(w, id, &a->claimed, &why) != TF_OK)
		rc = tf_damage_note(w, &a->damage, TF_NO_SEQ, &why, err);
	a->ev.skips_damaged = !w->ledger_only;
	return rc == TF_OK ? tf_readable_evidence(w, id, &a->ev, err) : rc;
}
