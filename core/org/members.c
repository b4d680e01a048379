/* What is known of the members of an organisation: see members.h. */
#include "members.h"

#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../ledger/entry_read.h"

const char *
tf_finding_text(enum tf_finding f)
{
	static const char *const text[TF_FINDINGS] = {
		[TF_FOUND_NOTHING] = "is right",
		[TF_FOUND_NO_ENTRY] = "is no entry",
		[TF_FOUND_OTHER_ENTRY] =
		    "has another origin or number than the ledger says",
		[TF_FOUND_GAP] = "does not follow the one before it",
		[TF_FOUND_NO_SIGNATURE] =
		    "has a checkpoint that its key has not signed",
		[TF_FOUND_OTHER_ROOT] =
		    "has a checkpoint of other entries than those before it",
		[TF_FOUND_OWN] = "breaks a rule of such entries",
	};

	switch (f) {
	case TF_FOUND_NOT_ENROLLED:
		return tf_standing_text(TF_STANDING_NOT_ENROLLED);
	case TF_FOUND_REVOKED:
		return tf_standing_text(TF_STANDING_REVOKED);
	case TF_FOUND_OTHER_KEY:
		return tf_standing_text(TF_STANDING_OTHER_KEY);
	default:
		return text[f];
	}
}

void
tf_org_members_free(struct tf_org_members *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->member[i].origin);
		tf_log_keys_free(&m->member[i].keys);
	}
	free(m->member);
	*m = (struct tf_org_members){ 0 };
}

enum tf_code
tf_org_members_add(struct tf_org_members *m, struct tf_str origin,
    struct tf_str vkey, struct tf_error *err)
{
	struct tf_org_member *x;
	enum tf_code rc;

	if (!tf_array_room(&m->member, m->n, &m->cap, sizeof(*m->member)))
		return tf_nomem(err);
	x = &m->member[m->n];
	*x = (struct tf_org_member){ .n = origin.n };
	rc = tf_vkey_parse(vkey.p, vkey.n, &x->vkey, err);
	if (rc != TF_OK)
		return rc;
	if ((x->origin = strndup(origin.p, origin.n)) == NULL)
		return tf_nomem(err);
	m->n++;
	return TF_OK;
}

static int
by_origin(const void *key, const void *item)
{
	const struct tf_org_member *m = item;

	return tf_str_cmp(*(const struct tf_str *)key,
	    (struct tf_str){ m->origin, m->n });
}

struct tf_org_member *
tf_org_members_find(const struct tf_org_members *m, struct tf_str origin)
{
	size_t i = tf_array_place(m->member, m->n, sizeof(*m->member), &origin,
	    by_origin);

	return i < m->n && by_origin(&origin, &m->member[i]) == 0 ?
	    &m->member[i] :
	    NULL;
}

/* The first finding about a member is enough. */
static void
found(struct tf_org_member *m, uint64_t number, enum tf_finding f)
{
	if (m->finding != TF_FOUND_NOTHING)
		return;
	m->finding = f;
	m->at = number;
}

/* May the member append now, by the entries of the organisation? */
static void
check_standing(struct tf_org_member *m, const struct tf_org_said *said,
    const struct tf_leaf *leaf, const struct tf_entry *e)
{
	static const enum tf_finding of[TF_STANDING_FAULTS] = {
		[TF_STANDING_NOT_ENROLLED] = TF_FOUND_NOT_ENROLLED,
		[TF_STANDING_REVOKED] = TF_FOUND_REVOKED,
		[TF_STANDING_OTHER_KEY] = TF_FOUND_OTHER_KEY,
	};
	enum tf_standing_fault f = tf_standing_entry(&m->standing, e, said);

	if (f != TF_STANDING_RIGHT)
		found(m, leaf->number, of[f]);
}

/* An entry of the organisation itself. */
static enum tf_code
check_own(struct tf_org_members *all, struct tf_org_member *own,
    const struct tf_leaf *leaf, struct tf_error *err)
{
	struct tf_org_member *about;
	const char *broken = NULL;
	struct tf_org_entry o;
	enum tf_code rc = tf_org_entry_decode(&o, leaf->bytes.p, leaf->bytes.n,
	    err);

	if (rc == TF_OK)
		rc = tf_org_said_take(&all->said, &o, leaf->bytes, leaf->index,
		    &broken);
	if (rc == TF_OK && broken == NULL && o.member.n > 0) {
		about = tf_org_members_find(all, tf_buf_bytes(&o.member));
		/* The list lacks it, or has it with another key. */
		if (about == NULL ||
		    (o.type != TF_ORG_REFUSED &&
			memcmp(&about->vkey.pub, &o.key.pub,
			    sizeof(o.key.pub)) != 0))
			broken = "";
		else
			broken = tf_standing_own(&about->standing, &o,
			    &all->said);
	}
	if (rc == TF_INVALID || (rc == TF_OK && broken != NULL))
		found(own, leaf->number, TF_FOUND_OWN);
	tf_org_entry_free(&o);
	return rc == TF_INVALID || rc == TF_NEWER ? TF_OK : rc;
}

/*
 * Is the entry one of this member, with the number that the ledger has?  A vault that
 * was restored goes on with the entries of the vault before it, which have other
 * origins; its own begin with a ledger.opened that says so.
 */
static bool
is_of(struct tf_org_member *m, const struct tf_leaf *leaf,
    const struct tf_entry *e)
{
	const bool own = tf_str_same(e->origin, leaf->origin), was = m->begun;

	m->begun = was || own;
	if (e->seq != leaf->number)
		return false;
	if (!own || was)
		return own || !was;
	return leaf->number == 0 ||
	    (e->type == TF_LEDGER_OPENED && e->previous.n > 0);
}

/* Does the entry say what the ledger says of it? */
static enum tf_code
check_entry(struct tf_org_member *m, const struct tf_org_said *said,
    const struct tf_leaf *leaf, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc = tf_entry_decode(&d, leaf->bytes.p, leaf->bytes.n,
	    err);

	if (said != NULL && (rc == TF_OK || rc == TF_INVALID))
		check_standing(m, said, leaf, &d.e);
	if (rc == TF_INVALID)
		found(m, leaf->number, TF_FOUND_NO_ENTRY);
	else if (rc == TF_OK && !is_of(m, leaf, &d.e))
		found(m, leaf->number, TF_FOUND_OTHER_ENTRY);
	if (rc == TF_OK)
		rc = tf_log_keys_learn(&m->keys, leaf->bytes.p, leaf->bytes.n,
		    err);
	tf_entry_decoded_free(&d);
	return rc == TF_INVALID ? TF_OK : rc;
}

static enum tf_code
check_note(struct tf_org_member *m, const struct tf_leaf *leaf,
    struct tf_error *err)
{
	struct tf_checkpoint c;
	struct tf_hash root;
	enum tf_code rc;

	if (leaf->note.p == NULL)
		return TF_OK;
	rc = tf_log_keys_check(&m->keys, &m->vkey, leaf->note.p, leaf->note.n,
	    &c, NULL, err);
	if (rc == TF_NOMEM)
		return rc;
	tf_peaks_root(&m->tree, &root);
	if (rc != TF_OK)
		found(m, leaf->number, TF_FOUND_NO_SIGNATURE);
	else if (!m->begun)
		found(m, leaf->number, TF_FOUND_OTHER_ENTRY);
	else if (c.size != m->tree.size ||
	    memcmp(c.root.b, root.b, sizeof(root.b)) != 0)
		found(m, leaf->number, TF_FOUND_OTHER_ROOT);
	else if (m->finding == TF_FOUND_NOTHING)
		m->verified = m->tree.size;
	return TF_OK;
}

enum tf_code
tf_org_members_take(struct tf_org_members *all, struct tf_str own,
    const struct tf_leaf *leaf, const struct tf_hash *hash,
    struct tf_error *err)
{
	struct tf_org_member *m = tf_org_members_find(all, leaf->origin);
	bool is_own = tf_str_same(leaf->origin, own);
	enum tf_code rc = TF_OK;

	if (m == NULL)
		return tf_fail(err, TF_TAMPER,
		    "entry %llu of the ledger is of no member",
		    (unsigned long long)leaf->index);
	if (leaf->number != m->tree.size)
		found(m, leaf->number, TF_FOUND_GAP);
	tf_peaks_add(&m->tree, hash);
	if (is_own)
		rc = check_own(all, m, leaf, err);
	if (rc == TF_OK)
		rc = check_entry(m, is_own ? NULL : &all->said, leaf, err);
	return rc == TF_OK ? check_note(m, leaf, err) : rc;
}
