/*
 * Claims.  Those about a trail or workflow are an entry at once.  Those about
 * an attestation are a row of table claim until the seal: the row is durable
 * when the call returns, and whether the attestation is a draft or not, the
 * row belongs to its id, so that a rename keeps it.
 *
 * A seal reads the claims before its transaction.  No claim comes between the
 * two: that about a draft attestation holds its claim as pending node, that
 * about another one is in the list of claiming.h.
 *
 * The committer may run a transaction twice, so upper_run() and
 * attestation_run() begin by clearing what they counted.  Nobody holds
 * vault.mu while the committer works: a claim of the node, or the list of
 * claiming.h, keeps the attestation in place meanwhile.  A crash before the
 * COMMIT leaves the claims as they were; after it, they are in the row
 * (attestation) or in the entry (trail, workflow).
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/existing.h"
#include "../commit/flush.h"
#include "../commit/node_ids.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../commit/withhold.h"
#include "../definition.h"
#include "../ledger/claim_content.h"
#include "../ledger/claims.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/claiming.h"
#include "../node/clear_text.h"
#include "../node/idle.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/refusal.h"
#include "../node/user_data.h"
#include "../node/vault_i.h"
#include "../store/claims.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "claim.h"
#include "define.h"
#include "namespace.h"

enum tf_code
tf_definition_claim(enum tf_kind kind, struct tf_buf *claims, const char *key,
    const void *value, size_t n, struct tf_error *err)
{
	const struct tf_str old = { claims->p, claims->n };
	struct tf_buf made = { 0 };
	enum tf_code rc;

	if (!tf_claims_has_key(kind, key))
		return tf_fail(err, TF_UNSUPPORTED, "there is no claim %s",
		    key);
	rc = tf_claims_change(old, key, value, n, TF_CLAIMS_ANY, &made, err);
	if (rc != TF_OK) {
		tf_buf_free(&made);
		return rc;
	}
	tf_buf_free(claims);
	*claims = made;
	return TF_OK;
}

/* --- one change ------------------------------------------------------------ */

struct change {
	uint64_t id;
	const char *key;
	const void *value; /* NULL: remove the claim */
	size_t n;
	enum tf_claims_rule rule;
	struct tf_content content; /* of user data */
	uint32_t uid;
	const char *actor;
	uint64_t trail;
	struct tf_pending *draft; /* claimed, or NULL */
	bool saved;		  /* the draft's row was written */
	uint64_t taken;		  /* bytes of user data that are charged */
	uint64_t dropped;	  /* those that the transaction replaced */
};

static bool
is_user_data(const struct change *c)
{
	return strcmp(c->key, TF_CLAIM_USER_DATA) == 0;
}

/*
 * The claims hold only digest and size of user data; its bytes are an object.
 */
static enum tf_code
make_claims(const struct change *c, const struct tf_buf *old,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_str s = { old->p, old->n };

	return is_user_data(c) ?
	    tf_claims_set_user_data(s, c->value == NULL ? NULL : &c->content,
		c->rule, out, err) :
	    tf_claims_change(s, c->key, c->value, c->n, c->rule, out, err);
}

/* The texts of claims that will stand apart from their entry must fit, too: a
 * digest may be longer than a text. */
static enum tf_code
check_apart(struct tf_vault *v, const struct change *c,
    const struct tf_buf *claims, struct tf_error *err)
{
	struct tf_withhold unused = { 0 };
	struct tf_buf apart = { 0 };
	enum tf_code rc;

	if (claims->n == 0 || !tf_wished(v, c->trail, TF_WISH_TEXTS))
		return TF_OK;
	rc = tf_withhold_value(&unused, "claims", tf_buf_bytes(claims), &apart,
	    err);
	if (rc == TF_OK && apart.n > TF_CLAIMS_MAX)
		rc = tf_fail(err, TF_NOSPACE,
		    "the claims together have at most %d bytes, with 79 for "
		    "each text that can be redacted",
		    TF_CLAIMS_MAX);
	tf_buf_free(&apart);
	tf_withhold_free(&unused);
	return rc;
}

/* Equal claims need neither an entry nor a write. */
static bool
same(const struct tf_buf *a, const struct tf_buf *b)
{
	return tf_str_same((struct tf_str){ a->p, a->n },
	    (struct tf_str){ b->p, b->n });
}

/* --- trails and workflows -------------------------------------------------- */

/*
 * The bytes, the entry and the row are in one transaction: no entry names
 * bytes that are not there (I2).
 */
static enum tf_code
append_claims(struct tf_txn *t, struct change *c, struct tf_claim_row *row,
    struct tf_error *err)
{
	struct tf_entry e = { .type = TF_CLAIMS_SET,
		.actor = tf_str_of(c->actor) };
	uint64_t object;
	enum tf_code rc = TF_OK;

	if (row->claims.n > 0)
		e.claims = (struct tf_str){ row->claims.p, row->claims.n };
	if (is_user_data(c) && c->value != NULL)
		rc = tf_existing_keep(t, &c->content.sha256, c->value, c->n, 0,
		    &object, err);
	if (rc != TF_OK ||
	    (rc = tf_txn_path(t, c->id, &e.path, err)) != TF_OK ||
	    (rc = tf_txn_append(t, &e, NULL, err)) != TF_OK)
		return rc;
	row->entry = t->size - 1;
	if (is_user_data(c) && c->value != NULL)
		t->said += c->n;
	return tf_claims_put(tf_txn_write(t), row, err);
}

/* The row gets the claims as the entry has them.  A text that stands apart
 * already keeps its object, so that it can be removed from all entries at
 * once. */
static enum tf_code
change_row(struct tf_txn *t, const struct change *c, struct tf_claim_row *row,
    struct tf_error *err)
{
	struct tf_withhold texts = { 0 };
	struct tf_buf made = { 0 }, apart = { 0 };
	enum tf_code rc = make_claims(c, &row->claims, &made, err);

	if (rc == TF_OK && made.n > 0 &&
	    tf_wished(t->v, c->trail, TF_WISH_TEXTS))
		rc = tf_withhold_value(&texts, "claims", tf_buf_bytes(&made),
		    &apart, err);
	if (rc == TF_OK)
		rc = tf_withhold_keep(t, &texts, err);
	if (rc == TF_OK) {
		tf_buf_free(&row->claims);
		row->claims = apart.n > 0 ? apart : made;
		if (apart.n > 0)
			tf_buf_free(&made);
		made = apart = (struct tf_buf){ 0 };
	}
	tf_buf_free(&apart);
	tf_buf_free(&made);
	tf_withhold_free(&texts);
	return rc;
}

/*
 * The old claims are read in the transaction, because the commits decide which
 * of two changes comes first.  They are compared with their texts.
 */
static enum tf_code
upper_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct change *c = arg;
	struct tf_claim_row row = { 0 };
	struct tf_buf made = { 0 }, old = { 0 };
	enum tf_code rc = tf_txn_must_be_open(t, c->id, err);

	if (rc == TF_OK)
		rc = tf_claims_get(t->db, c->id, &row, err);
	if (rc == TF_OK)
		rc = tf_clear_value(t->db, "claims", tf_buf_bytes(&row.claims),
		    TF_CLEAR_KEEP, &old, err);
	if (rc == TF_OK)
		rc = make_claims(c, &old, &made, err);
	if (rc == TF_OK && !same(&made, &old)) {
		rc = check_apart(t->v, c, &made, err);
		if (rc == TF_OK)
			rc = change_row(t, c, &row, err);
		if (rc == TF_OK)
			rc = append_claims(t, c, &row, err);
	}
	tf_buf_free(&made);
	tf_buf_free(&old);
	tf_claim_row_free(&row);
	return rc;
}

/* --- attestations ---------------------------------------------------------- */

/* Keep the bytes of user data in a row that no digest names until the seal. */
static enum tf_code
keep_user_data(struct tf_txn *t, struct change *c, struct tf_claim_row *row,
    struct tf_error *err)
{
	struct tf_object_row old = { .size = 0 };
	enum tf_code rc = TF_OK;

	if (!is_user_data(c))
		return TF_OK;
	if (row->object != 0)
		rc = tf_object_get(t->db, row->object, &old, NULL, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	c->dropped = old.size;
	if (c->value == NULL) {
		rc = row->object == 0 ?
		    TF_OK :
		    tf_object_drop(tf_txn_write(t), row->object, err);
		row->object = 0;
	} else {
		rc = row->object != 0 ? TF_OK :
					tf_txn_new_id(t, &row->object, err);
		if (rc == TF_OK)
			rc = tf_object_put(tf_txn_write(t), row->object,
			    &c->content.sha256, c->value, c->n, err);
	}
	if (rc == TF_OK)
		t->said += (c->value != NULL ? c->n : 0) - old.size;
	return rc;
}

/* Write the row with the claims made and the uids; without claims there is
 * none. */
static enum tf_code
write_row(struct tf_txn *t, struct change *c, struct tf_claim_row *row,
    struct tf_buf *made, struct tf_buf *uids, struct tf_error *err)
{
	enum tf_code rc = keep_user_data(t, c, row, err);

	if (rc != TF_OK)
		return rc;
	/* The row must find its draft after a crash. */
	if (c->draft != NULL && !c->draft->saved) {
		(void)tf_txn_write(t);
		if ((rc = tf_stage_save(t, c->draft, err)) != TF_OK)
			return rc;
		c->saved = true;
	}
	if (made->n == 0)
		return tf_claims_delete(tf_txn_write(t), c->id, err);
	tf_buf_free(&row->claims);
	row->claims = *made;
	*made = (struct tf_buf){ 0 };
	tf_buf_free(&row->uids);
	row->uids = *uids;
	*uids = (struct tf_buf){ 0 };
	return tf_claims_put(tf_txn_write(t), row, err);
}

/*
 * The row also has the uids of all who claimed something, so a second user who
 * repeats a claim changes the row, too.
 */
static enum tf_code
attestation_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct change *c = arg;
	struct tf_claim_row row = { 0 };
	struct tf_buf made = { 0 }, uids = { 0 };
	enum tf_code rc = TF_OK;

	c->saved = false; /* the committer may run this twice */
	c->dropped = 0;
	if (c->draft == NULL)
		rc = tf_txn_must_be_open(t, c->id, err);
	if (rc == TF_OK)
		rc = tf_claims_get(t->db, c->id, &row, err);
	if (rc == TF_OK)
		rc = make_claims(c, &row.claims, &made, err);
	if (rc == TF_OK)
		rc = check_apart(t->v, c, &made, err);
	if (rc == TF_OK)
		rc = tf_claimants_add((struct tf_str){ row.uids.p, row.uids.n },
		    c->uid, &uids, err);
	/* User data are written even if they are equal: the bytes of the row
	 * may be damaged. */
	if (rc == TF_OK &&
	    (!same(&made, &row.claims) || !same(&uids, &row.uids) ||
		(is_user_data(c) && c->value != NULL)))
		rc = write_row(t, c, &row, &made, &uids, err);
	tf_buf_free(&made);
	tf_buf_free(&uids);
	tf_claim_row_free(&row);
	return rc;
}

/* Others may seal, remove or rename the attestation again.  mu is held. */
static void
end_claim(struct tf_vault *v, struct change *c)
{
	if (c->draft == NULL)
		tf_claiming_end(v, c->id);
	else
		tf_pending_unclaim(v, c->draft);
}

static enum tf_code
trail_of(struct tf_vault *v, struct tf_db *db, uint64_t wf, uint64_t *trail,
    struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_attr_of(v, db, wf, &a, err);

	if (rc == TF_OK)
		*trail = a.parent;
	return rc;
}

/* Begin a change of attestation id: nobody seals, removes or renames it until
 * end_change().  mu is held. */
static enum tf_code
begin_change(struct tf_vault *v, struct tf_db *db, struct change *c,
    const struct tf_actor *who, struct tf_place *p, struct tf_error *err)
{
	struct tf_pending *l;
	enum tf_code rc = tf_may_add(v, db, c->id, who, true, p, err);

	if (rc == TF_READONLY && p->parent.state == TF_STATE_SEALED)
		return tf_sealed_refusal(TF_REQ_SETMETA, err);
	if (rc != TF_OK)
		return rc;
	rc = trail_of(v, db, p->wf, &c->trail, err);
	if (rc != TF_OK)
		return rc;
	l = tf_pending_get(&v->pending, c->id);
	if (l == NULL)
		rc = tf_claiming_begin(v, c->id, p->wf, err);
	else if (!tf_pending_claim(v, l))
		return tf_fail(err, TF_NOTFOUND, "it is gone");
	c->draft = l;
	if (rc != TF_OK || !is_user_data(c) || c->value == NULL)
		return rc;
	rc = tf_user_data_take(v, c->id, p->wf, p->att.uid, c->n, err);
	if (rc == TF_OK)
		c->taken = c->n;
	else
		end_claim(v, c);
	return rc;
}

/*
 * End the change, also one that failed.  The row of a draft is current only
 * after a COMMIT.  mu is held.
 */
static void
end_change(struct tf_vault *v, struct change *c, enum tf_code rc)
{
	tf_idle_touch(v, c->id);
	tf_user_data_give(v, c->id, rc == TF_OK ? c->dropped : c->taken);
	if (rc == TF_OK && c->saved)
		tf_stage_saved(v, c->draft);
	end_claim(v, c);
}

/*
 * The claim lasts until the commit has ended, and mu is free while the
 * committer works: other calls go on meanwhile.
 */
static enum tf_code
change_attestation(struct tf_vault *v, struct change *c,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_place p = { .wf = 0 };
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	rc = begin_change(v, db, c, who, &p, err);
	pthread_mutex_unlock(&v->mu);
	tf_reader_done(v, db);
	if (rc != TF_OK)
		return rc;
	rc = tf_commit_wait(v->commit, attestation_run, c, err);
	pthread_mutex_lock(&v->mu);
	end_change(v, c, rc);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* --- at the start ---------------------------------------------------------- */

struct load {
	struct tf_vault *v;
	struct tf_db *db;
};

/* Charge the user data of an attestation to its owner. */
static enum tf_code
load_row(void *arg, const struct tf_claim_row *r, struct tf_error *err)
{
	struct load *x = arg;
	struct tf_object_row o = { .size = 0 };
	struct tf_attr a;
	enum tf_code rc;

	if (r->object == 0)
		return TF_OK;
	rc = tf_object_get(x->db, r->object, &o, NULL, err);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc; /* damage, seen later */
	pthread_mutex_lock(&x->v->mu);
	rc = tf_attr_of(x->v, x->db, r->id, &a, err);
	if (rc == TF_OK)
		rc = tf_user_data_charge(x->v, r->id, a.parent, a.uid, o.size,
		    err);
	pthread_mutex_unlock(&x->v->mu);
	return rc == TF_NOTFOUND ? TF_OK : rc; /* its draft is gone */
}

enum tf_code
tf_claims_load(struct tf_vault *v, struct tf_error *err)
{
	struct load x = { .v = v };
	enum tf_code rc = tf_reader_db(v, &x.db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_claims_each(x.db, load_row, &x, err);
	tf_reader_done(v, x.db);
	return rc;
}

/* --- from outside ---------------------------------------------------------- */

/*
 * Refuse what needs no transaction, and reserve the space.  What another
 * change can make untrue is asked again in the transaction.
 */
static enum tf_code
check_change(struct tf_vault *v, const struct change *c,
    const struct tf_actor *who, struct tf_attr *a, struct tf_error *err)
{
	enum tf_code rc;

	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (rc = tf_vault_getattr(v, c->id, a, err)) != TF_OK)
		return rc;
	if (!tf_claims_has_key(a->kind, c->key))
		return tf_fail(err, TF_UNSUPPORTED,
		    "nothing is claimed here as %.60s", c->key);
	if (is_user_data(c) && c->value != NULL && c->n == 0)
		return tf_fail(err, TF_INVALID, "user-data needs a value");
	if (is_user_data(c) && c->n > TF_USER_DATA_MAX)
		return tf_fail(err, TF_TOOBIG, "user-data has at most %d bytes",
		    TF_USER_DATA_MAX);
	if ((rc = tf_may_say(v, a, who, err)) != TF_OK || c->value == NULL)
		return rc;
	return is_user_data(c) ?
	    tf_space_say(v, who->uid, c->n, err) :
	    tf_space_take(v, who->uid, TF_FILE_COST + c->n, 0, err);
}

enum tf_code
tf_vault_claim(struct tf_vault *v, uint64_t id, const char *key,
    const void *value, size_t n, int flags, const struct tf_actor *who,
    struct tf_error *err)
{
	struct change c = { .id = id,
		.key = key,
		.value = value,
		.n = n,
		.rule = (flags & XATTR_CREATE) != 0 ? TF_CLAIMS_CREATE :
		    (flags & XATTR_REPLACE) != 0    ? TF_CLAIMS_REPLACE :
						      TF_CLAIMS_ANY,
		.content.size = n,
		.uid = who->uid };
	char *actor = NULL;
	struct tf_attr a;
	enum tf_code rc = check_change(v, &c, who, &a, err);

	if (rc != TF_OK)
		return rc;
	tf_vault_learn(v, who->uid, who->gid);
	if ((rc = tf_actor_text(who, &actor, err)) != TF_OK)
		return rc;
	c.actor = actor;
	c.trail = a.kind == TF_KIND_TRAIL ? id : a.parent;
	if (is_user_data(&c) && value != NULL)
		tf_sha256(value, n, &c.content.sha256);
	rc = a.kind == TF_KIND_ATTESTATION ?
	    change_attestation(v, &c, who, err) :
	    tf_commit_wait(v->commit, upper_run, &c, err);
	free(actor);
	return rc;
}

enum tf_code
tf_vault_user_data(struct tf_vault *v, uint64_t id, const void *bytes, size_t n,
    const struct tf_actor *who, struct tf_error *err)
{
	enum tf_code rc = tf_vault_claim(v, id, TF_CLAIM_USER_DATA,
	    n == 0 ? NULL : bytes, n, 0, who, err);

	/* There may be nothing to remove. */
	return n == 0 && rc == TF_NODATA ? TF_OK : rc;
}
