/*
 * The entries that seal a directory: attestation.sealed with its signed
 * statement, workflow.sealed and trail.sealed.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/mutant.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/existing.h"
#include "../commit/node_ids.h"
#include "../commit/touched.h"
#include "../commit/txn_path.h"
#include "../commit/withhold.h"
#include "../ledger/claim_content.h"
#include "../ledger/claims.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/name.h"
#include "../ledger/statement.h"
#include "../node/children.h"
#include "../node/closed.h"
#include "../node/evidence.h"
#include "../node/key_state.h"
#include "../node/paths.h"
#include "../node/quota.h"
#include "../node/vault_i.h"
#include "../node/workflow_template.h"
#include "../sign/sign.h"
#include "../store/claims.h"
#include "../store/closings.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "evaluate.h"
#include "seal.h"
#include "seal_entries.h"
#include "seal_prepare.h"

/* --- the statement ----------------------------------------------------------- */

struct signed_statement {
	struct tf_statement_ref ref;
	struct tf_buf payload, keyid, sig;
};

static void
signed_free(struct signed_statement *s)
{
	tf_buf_free(&s->payload);
	tf_buf_free(&s->keyid);
	tf_buf_free(&s->sig);
}

/* The payload digest of the version before, from the entry of its seal. */
static enum tf_code
previous_payload(struct tf_db *db, uint64_t wf, const char *name,
    struct tf_statement *s, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_node_row before;
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_version_before(db, wf, name, &before, err);

	if (rc != TF_OK || before.attr.id == 0)
		return rc;
	rc = tf_entries_get(db, before.seal, &body, NULL, err);
	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, err);
	if (rc == TF_OK) {
		s->has_previous = true;
		s->previous = d.e.statement.payload;
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

/* Split "trail/workflow/attestation". */
static void
split_path(struct tf_str path, struct tf_statement *s)
{
	const char *a = memchr(path.p, '/', path.n);
	const char *end = path.p + path.n, *b;

	b = memchr(a + 1, '/', (size_t)(end - a - 1));
	s->trail = (struct tf_str){ path.p, (size_t)(a - path.p) };
	s->workflow = (struct tf_str){ a + 1, (size_t)(b - a - 1) };
	s->attestation.p = b + 1;
	s->attestation.n = tf_name_version(b + 1, (size_t)(end - b - 1),
	    &s->version);
}

/* Sign the payload of out.  The key is taken before the signature: if it is still
 * in force when the seal is appended, it signed. */
static enum tf_code
sign_payload(struct tf_vault *v, struct signed_statement *out,
    struct tf_error *err)
{
	const struct tf_pubkey *key = tf_attester_key(v);
	char keyid[TF_KEYID_LEN + 1];
	uint8_t sig[TF_SIG_LEN];
	struct tf_buf pae = { 0 };
	enum tf_code rc;

	tf_dsse_pae(out->payload.p, out->payload.n, &pae);
	rc = pae.failed ?
	    tf_nomem(err) :
	    tf_signer_statement(v->signer, pae.p, pae.n, sig, err);
	if (rc == TF_OK) {
		tf_sha256(out->payload.p, out->payload.n, &out->ref.payload);
		tf_sha256(pae.p, pae.n, &out->ref.pae);
		out->ref.size = out->payload.n;
		tf_dsse_keyid(key, keyid);
		out->keyid.n = out->sig.n = 0;
		tf_buf_str(&out->keyid, keyid);
		tf_base64(&out->sig, sig, sizeof(sig));
		out->ref.keyid = (struct tf_str){ out->keyid.p, out->keyid.n };
		out->ref.sig = (struct tf_str){ out->sig.p, out->sig.n };
		if (out->keyid.failed || out->sig.failed)
			rc = tf_nomem(err);
	}
	tf_buf_free(&pae);
	return rc;
}

/* Keep the statement as an object; control files show it. */
static enum tf_code
keep_payload(struct tf_txn *t, const struct signed_statement *s,
    struct tf_error *err)
{
	bool known, right;
	uint64_t id;
	enum tf_code rc = tf_existing_find(t, &s->ref.payload, s->payload.n, 0,
	    &id, &known, &right, err);

	if (rc != TF_OK || right)
		return rc;
	/* A statement is found by its digest.  If a damaged object has this
	 * one, nobody could read ours: fail.  The next try has another time
	 * and so another digest. */
	if (known)
		return tf_fail(err, TF_TAMPER,
		    "object %llu has the digest of a new statement and other "
		    "bytes: run trailctl verify",
		    (unsigned long long)id);
	if ((rc = tf_txn_new_id(t, &id, err)) != TF_OK ||
	    (rc = tf_object_put(tf_txn_write(t), id, &s->ref.payload,
		 s->payload.p, s->payload.n, err)) != TF_OK)
		return rc;
	return tf_object_seal(t->db, &s->ref.payload, id, err);
}

/* --- the sealing entries -------------------------------------------------------- */

static enum tf_code
mark_sealed(struct tf_txn *t, uint64_t id, struct tf_error *err)
{
	enum tf_code rc = tf_nodes_set_seal(t->db, id, t->size - 1, t->at, err);

	t->open_att = 0;
	if (rc == TF_OK)
		rc = tf_closed_sealed(t, id, err);
	return rc == TF_OK ? tf_txn_changed(t, id, err) : rc;
}

struct tf_attested_list {
	struct tf_buf path;
	struct tf_evidence ev;
	/* The statement points into these. */
	struct tf_claim_row claims;
	struct tf_buf apart; /* the claims, without texts that stand apart */
	struct tf_withhold texts;
	struct tf_evaluated evaluated;
	struct tf_statement s;
	struct signed_statement signed_;
};

void
tf_seal_list_free(struct tf_attested_list *l)
{
	if (l == NULL)
		return;
	signed_free(&l->signed_);
	tf_claim_row_free(&l->claims);
	tf_buf_free(&l->apart);
	tf_withhold_free(&l->texts);
	tf_evaluated_free(&l->evaluated);
	tf_evidence_free(&l->ev);
	tf_buf_free(&l->path);
	free(l);
}

static enum tf_code
fill_statement(struct tf_vault *v, struct tf_db *db, const struct tf_seal_by *c,
    const struct tf_node_row *att, struct tf_attested_list *l,
    struct tf_error *err)
{
	struct tf_statement *s = &l->s;

	split_path((struct tf_str){ l->path.p, l->path.n }, s);
	s->origin = tf_str_of(v->origin);
	s->host = tf_str_of(v->host);
	s->actor = tf_str_of(c->actor);
	s->cause = tf_str_of(c->r->cause);
	s->imported = tf_str_of(c->r->imported);
	if (l->claims.claims.n > 0) {
		s->claims = tf_buf_bytes(l->apart.n > 0 ? &l->apart :
							  &l->claims.claims);
		s->claimants = tf_buf_bytes(&l->claims.uids);
	}
	if (l->evaluated.field.n > 0)
		s->evaluated = tf_buf_bytes(&l->evaluated.field);
	s->files = l->ev.f;
	s->has_written = l->ev.n > 0;
	s->first_written = l->ev.first;
	s->last_written = l->ev.last;
	s->sealed_at = tf_clock_now();
	return previous_payload(db, att->attr.parent, att->name, s, err);
}

/* Are the bytes of the user data those that the claims name? */
static enum tf_code
check_user_data(struct tf_vault *v, struct tf_db *db,
    const struct tf_attested_list *l, struct tf_error *err)
{
	const struct tf_claim_row *row = &l->claims;
	struct tf_content c;
	bool has, right;
	enum tf_code rc = tf_claims_user_data(tf_buf_bytes(&row->claims), &c,
	    &has, err);

	if (rc != TF_OK)
		return rc;
	right = has == (row->object != 0);
	if (has && right)
		rc = tf_existing_is_right(v, db, row->object, &c.sha256, c.size,
		    &right, err);
	if (rc != TF_OK || right)
		return rc;
	return tf_fail(err, TF_TAMPER,
	    "the user data of %.*s were altered in the database: claim them "
	    "again",
	    (int)l->path.n, l->path.p);
}

/* Judge the attestation of l, unless judged is not NULL: then nothing is read,
 * and *judged is set if that would have been done. */
static enum tf_code
evaluate(struct tf_vault *v, struct tf_db *db, const struct tf_node_row *att,
    const struct tf_definition_row *template, const struct tf_seal_file *files,
    size_t n, struct tf_attested_list *l, bool *judged, struct tf_error *err)
{
	enum tf_code rc;

	if (judged == NULL) {
		rc = tf_seal_evaluate(v, db, att, template, &l->claims, &l->ev,
		    files, n, &l->evaluated, err);
		/* A short file can have a long report: no other request has
		 * taken the space for it. */
		return rc == TF_OK && l->evaluated.report.n > 0 ?
		    tf_space_take(v, att->attr.uid, l->evaluated.report.n, 0,
			err) :
		    rc;
	}
	rc = tf_seal_is_evaluated(v, db, att, template, &l->claims, judged,
	    err);
	return rc == TF_OK && *judged ?
	    tf_fail(err, TF_BUSY, "its evidence is judged first") :
	    rc;
}

/* Put the texts of the claims apart, if the trail wants that. */
static enum tf_code
withhold_claims(struct tf_vault *v, uint64_t trail, struct tf_attested_list *l,
    struct tf_error *err)
{
	enum tf_code rc;

	if (l->claims.claims.n == 0 || !tf_wished(v, trail, TF_WISH_TEXTS))
		return TF_OK;
	rc = tf_withhold_value(&l->texts, "claims",
	    tf_buf_bytes(&l->claims.claims), &l->apart, err);
	if (rc == TF_OK && l->apart.n > TF_CLAIMS_MAX)
		rc = tf_fail(err, TF_TOOBIG,
		    "the claims of %.*s have too many texts to keep them "
		    "apart: remove some, or mount with texts=clear",
		    (int)l->path.n, l->path.p);
	return rc;
}

/* Fill in the statement of l, which has the path. */
static enum tf_code
fill_list(struct tf_vault *v, struct tf_db *db, const struct tf_seal_by *c,
    const struct tf_node_row *att, const struct tf_seal_file *files, size_t n,
    struct tf_attested_list *l, bool *judged, struct tf_error *err)
{
	struct tf_definition_row template;
	enum tf_code rc;

	if (l->path.failed)
		return tf_nomem(err);
	rc = n > 0 ?
	    tf_evidence_prepared(files, n, l->path.n + 1, &l->ev, err) :
	    tf_evidence_list(db, att->attr.id, &l->ev, err);
	if (rc != TF_OK ||
	    (rc = tf_sums(l->ev.f, l->ev.n, &l->s.evidence, err)) != TF_OK ||
	    (rc = tf_claims_get(db, att->attr.id, &l->claims, err)) != TF_OK ||
	    (rc = check_user_data(v, db, l, err)) != TF_OK ||
	    (rc = tf_workflow_template(db, att->attr.parent, &template, err)) !=
		TF_OK)
		return rc;
	/* What is imported has its verdict from the system it came from. */
	if (c->r->imported == NULL &&
	    (rc = evaluate(v, db, att, &template, files, n, l, judged, err)) !=
		TF_OK)
		return rc;
	if ((rc = withhold_claims(v, template.node, l, err)) != TF_OK)
		return rc;
	l->s.has_template = template.version > 0;
	l->s.template_version = template.version;
	if ((rc = fill_statement(v, db, c, att, l, err)) != TF_OK)
		return rc;
	rc = tf_statement_encode(&l->s, &l->signed_.payload, err);
	return rc == TF_OK ? sign_payload(v, &l->signed_, err) : rc;
}

enum tf_code
tf_seal_list(struct tf_vault *v, struct tf_db *db, const struct tf_seal_by *c,
    const struct tf_node_row *att, const struct tf_seal_file *files, size_t n,
    struct tf_attested_list **out, struct tf_error *err)
{
	struct tf_attested_list *l = calloc(1, sizeof(*l));
	enum tf_code rc;

	if (l == NULL)
		return tf_nomem(err);
	rc = tf_path_of(v, db, att->attr.id, &l->path, err);
	if (rc == TF_OK)
		rc = fill_list(v, db, c, att, files, n, l, NULL, err);
	if (rc == TF_INVALID)
		rc = tf_fail(err, TF_TAMPER,
		    "the claims in the database are damaged");
	if (rc == TF_OK)
		*out = l;
	else
		tf_seal_list_free(l);
	return rc;
}

/* Keep the user data of the claims as an object: no row names it any more. */
static enum tf_code
keep_claims(struct tf_txn *t, const struct tf_attested_list *l,
    struct tf_error *err)
{
	struct tf_content c;
	uint64_t object;
	bool has;
	enum tf_code rc;

	if (l->claims.claims.n == 0)
		return TF_OK;
	rc = tf_claims_user_data(l->s.claims, &c, &has, err);
	if (rc == TF_OK && has)
		rc = tf_existing_keep(t, &c.sha256, NULL, c.size,
		    l->claims.object, &object, err);
	return rc == TF_OK ?
	    tf_claims_delete(tf_txn_write(t), l->claims.id, err) :
	    rc;
}

/* Keep the evaluation report as an object. */
static enum tf_code
keep_report(struct tf_txn *t, const struct tf_attested_list *l,
    struct tf_error *err)
{
	const struct tf_evaluated *e = &l->evaluated;
	uint64_t object;

	return e->field.n == 0 ? TF_OK :
				 tf_existing_keep(t, &e->sha256, e->report.p,
				     e->report.n, 0, &object, err);
}

/*
 * Lists are made before their transaction, and the key of the attester may be
 * replaced in between: what an old key signed counts only in entries before that.
 * Only this thread replaces it.
 */
static enum tf_code
sign_by_key_in_force(struct tf_vault *v, struct tf_attested_list *l,
    struct tf_error *err)
{
	char keyid[TF_KEYID_LEN + 1];

	tf_dsse_keyid(tf_attester_key(v), keyid);
	return tf_str_same(l->signed_.ref.keyid, tf_str_of(keyid)) ||
		TF_IS_MUTANT(TF_OLD_ATTESTER) ?
	    TF_OK :
	    sign_payload(v, &l->signed_, err);
}

static enum tf_code
append_sealed(struct tf_txn *t, const struct tf_seal_by *c,
    const struct tf_node_row *att, struct tf_attested_list *l,
    struct tf_error *err)
{
	struct tf_entry e = { .type = TF_ATTESTATION_SEALED,
		.actor = tf_str_of(c->actor),
		.cause = tf_str_of(c->r->cause),
		.path = { l->path.p, l->path.n },
		.has_evidence = true,
		.evidence_count = l->s.evidence.count,
		.evidence_bytes = l->s.evidence.bytes,
		.evidence_sums = l->s.evidence.sums,
		.claims = l->s.claims,
		.claimants = l->s.claimants,
		.evaluated = l->s.evaluated,
		.imported = l->s.imported };
	enum tf_code rc = sign_by_key_in_force(t->v, l, err);

	e.statement = l->signed_.ref;
	if (rc == TF_OK)
		rc = keep_payload(t, &l->signed_, err);
	if (rc == TF_OK)
		rc = tf_withhold_keep(t, &l->texts, err);
	if (rc == TF_OK)
		rc = keep_claims(t, l, err);
	if (rc == TF_OK)
		rc = keep_report(t, l, err);

	if (rc != TF_OK)
		return rc;
	t->not_before = l->s.sealed_at;
	if ((rc = tf_txn_append(t, &e, NULL, err)) == TF_OK)
		rc = mark_sealed(t, att->attr.id, err);
	return rc;
}

enum tf_code
tf_seal_attestation(struct tf_txn *t, const struct tf_seal_by *c,
    const struct tf_node_row *att, struct tf_attested_list *list, bool *judged,
    struct tf_error *err)
{
	struct tf_attested_list *mine;
	enum tf_code rc;

	if (list != NULL)
		return append_sealed(t, c, att, list, err);
	if ((mine = calloc(1, sizeof(*mine))) == NULL)
		return tf_nomem(err);
	if ((rc = tf_child_path(t, att->attr.parent, att->name, &mine->path,
		 err)) == TF_OK &&
	    (rc = fill_list(t->v, t->db, c, att, NULL, 0, mine, judged, err)) ==
		TF_OK)
		rc = append_sealed(t, c, att, mine, err);
	tf_seal_list_free(mine);
	return rc;
}

static enum tf_code
child_leaf(struct tf_db *db, uint64_t seq, struct tf_hash *out,
    struct tf_error *err)
{
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_entries_get(db, seq, &body, NULL, err);

	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "entry %llu is missing",
		    (unsigned long long)seq);
	if (rc == TF_OK)
		tf_entry_leaf(body.p, body.n, out);
	tf_buf_free(&body);
	return rc;
}

struct leaves {
	struct tf_db *db;
	struct tf_summer *sums;
	bool seals; /* look for the seal; else for the beginning */
};

static enum tf_code
add_leaf(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct leaves *x = arg;
	struct tf_subject_file f = { .name = { r->name, r->name_len } };
	enum tf_code rc = child_leaf(x->db, x->seals ? r->seal : r->entry,
	    &f.sha256, err);

	return rc == TF_OK ? tf_summer_add(x->sums, &f, err) : rc;
}

/* Compute the sums over the leaves of all children of dir.  None is kept: there
 * may be a million of them. */
static enum tf_code
sum_leaves(struct tf_db *db, const struct tf_node_row *dir, struct tf_sums *out,
    struct tf_error *err)
{
	struct leaves x = { .db = db,
		.sums = tf_summer_new(),
		.seals = dir->attr.kind == TF_KIND_WORKFLOW };
	enum tf_code rc = x.sums == NULL ?
	    tf_nomem(err) :
	    tf_each_child_by_name(db, dir->attr.id, add_leaf, &x, err);

	if (rc == TF_OK)
		return tf_summer_end(x.sums, out, err);
	tf_summer_free(x.sums);
	return rc;
}

/* Append workflow.sealed or trail.sealed. */
enum tf_code
tf_seal_parent(struct tf_txn *t, const struct tf_seal_by *c,
    const struct tf_node_row *dir, struct tf_error *err)
{
	struct tf_entry e = { .type = dir->attr.kind == TF_KIND_WORKFLOW ?
		    TF_WORKFLOW_SEALED :
		    TF_TRAIL_SEALED,
		.actor = tf_str_of(c->actor),
		.cause = tf_str_of(c->r->cause),
		.has_children = true };
	struct tf_buf path = { 0 };
	struct tf_sums sums;
	enum tf_code rc;

	if ((rc = tf_child_path(t, dir->attr.parent, dir->name, &path, err)) !=
		TF_OK ||
	    (rc = sum_leaves(t->db, dir, &sums, err)) != TF_OK)
		goto out;
	e.path = (struct tf_str){ path.p, path.n };
	e.children_count = sums.count;
	e.children_sums = sums.sums;
	if ((rc = tf_txn_append(t, &e, NULL, err)) == TF_OK)
		rc = mark_sealed(t, dir->attr.id, err);
out:
	tf_buf_free(&path);
	return rc;
}

enum tf_code
tf_closed_sealed(struct tf_txn *t, uint64_t id, struct tf_error *err)
{
	bool closed;

	pthread_mutex_lock(&t->v->mu);
	closed = tf_is_closed(t->v, id);
	pthread_mutex_unlock(&t->v->mu);
	return closed ? tf_closings_delete(t->db, id, err) : TF_OK;
}

enum tf_code
tf_evidence_prepared(const struct tf_seal_file *files, size_t n, size_t above,
    struct tf_evidence *e, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < n; i++) {
		struct tf_attr a = files[i].l->attr;
		size_t at = e->names.n;

		a.size = files[i].content.size;
		tf_buf_add(&e->names, files[i].path.p + above,
		    files[i].path.n - above);
		rc = tf_evidence_add(e, &files[i].content.sha256, &a, TF_NO_SEQ,
		    at, err);
	}
	tf_evidence_sort(e);
	return rc;
}
