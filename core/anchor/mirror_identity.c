/* Who the mirror is: see mirror_identity.h. */
#include "mirror_identity.h"

#include <string.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../ledger/entry_read.h"
#include "../node/load_entry.h"
#include "../store/anchors.h"

#define DOMAIN "trailfs mirror head v2\n"

static enum tf_code
put_signed(struct tf_buf *out, const struct tf_hash *challenge,
    struct tf_str log, const struct tf_mirror_msg *m, struct tf_error *err)
{
	tf_buf_str(out, DOMAIN);
	tf_base64(out, challenge->b, sizeof(challenge->b));
	tf_buf_printf(out, "\n%.*s\n%.*s\n%llu\n", (int)log.n, log.p,
	    (int)m->key.n, m->key.p, (unsigned long long)m->size);
	tf_base64(out, m->hash.b, sizeof(m->hash.b));
	tf_buf_str(out, "\n");
	tf_buf_add(out, m->note.p, m->note.n);
	return tf_buf_end(out, err);
}

enum tf_code
tf_mirror_prove(const struct tf_key *key, const struct tf_hash *challenge,
    struct tf_str log, struct tf_mirror_msg *m, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = put_signed(&b, challenge, log, m, err);

	if (rc == TF_OK)
		rc = tf_key_sign(key, b.p, b.n, m->signature, err);
	tf_buf_free(&b);
	return rc;
}

/* --- at the source ---------------------------------------------------------- */

/* The last receipt of a mirror of this name, whatever key it has. */
struct last {
	struct tf_db *db;
	const char *name;
	uint64_t seq, size;
	bool any, same; /* same: it is of the key that the mirror has */
	struct tf_str key;
};

static enum tf_code
take_last(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct last *l = arg;
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	enum tf_code rc = TF_OK;

	if (strcmp(r->kind, TF_ANCHOR_MIRROR) != 0 ||
	    strcmp(r->name, l->name) != 0)
		return TF_OK;
	rc = tf_load_entry(l->db, r->seq, &body, &d, err);
	l->any = true;
	l->seq = r->seq;
	l->size = r->size;
	l->same = rc == TF_OK && tf_str_same(d.e.anchor_key, l->key);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

static enum tf_code
check_signature(const struct tf_mirror_asked *asked,
    const struct tf_mirror_msg *m, const struct tf_vkey *key,
    struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = put_signed(&b, &asked->challenge, asked->log, m, err);

	if (rc == TF_OK &&
	    (rc = tf_key_verify(&key->pub, b.p, b.n, m->signature)) ==
		TF_TAMPER)
		rc = tf_fail(err, rc,
		    "the mirror %.60s has not the key that it shows: nothing "
		    "was sent",
		    key->name);
	else if (rc == TF_NOMEM)
		rc = tf_nomem(err);
	tf_buf_free(&b);
	return rc;
}

/* The failure is that of the mirror that was expected. */
static enum tf_code
another_answered(const struct tf_mirror_asked *asked, struct tf_mirrored *out,
    struct tf_error *err)
{
	struct tf_vkey key;
	enum tf_code rc = tf_cosign_vkey_parse(asked->expected,
	    strlen(asked->expected), &key, err);

	if (rc != TF_OK)
		return rc;
	(void)tf_fail(err, TF_TAMPER,
	    "%.60s answered with another key than --mirror-key: nothing was "
	    "sent",
	    out->name);
	memcpy(out->name, key.name, sizeof(out->name));
	return TF_TAMPER;
}

/* Compare the mirror with what is known of it. */
static enum tf_code
check_known(struct tf_db *db, const struct tf_mirror_asked *asked,
    const struct tf_mirror_msg *m, struct tf_mirrored *out,
    struct tf_error *err)
{
	struct last l = { .db = db, .name = out->name, .key = m->key };
	enum tf_code rc = TF_OK;

	if (asked->expected != NULL &&
	    !tf_str_same(m->key, tf_str_of(asked->expected)))
		return another_answered(asked, out, err);
	rc = tf_anchors_newest(db, take_last, &l, err);
	if (rc != TF_OK)
		return rc;
	if (l.any && !l.same && asked->expected == NULL)
		return tf_fail(err, TF_TAMPER,
		    "the mirror %.50s has another key than in its receipt, "
		    "entry %llu: nothing was sent",
		    out->name, (unsigned long long)l.seq);
	if (l.any && l.same && l.size > m->size)
		out->promised = l.size;
	return TF_OK;
}

enum tf_code
tf_mirror_identify(struct tf_db *db, const struct tf_mirror_asked *asked,
    const struct tf_mirror_msg *m, struct tf_mirrored *out,
    struct tf_error *err)
{
	struct tf_vkey key;
	enum tf_code rc = tf_cosign_vkey_parse(m->key.p, m->key.n, &key, err);

	if (rc != TF_OK)
		return rc == TF_NOMEM ?
		    rc :
		    tf_fail(err, TF_TAMPER, "the mirror shows no key");
	memcpy(out->name, key.name, sizeof(out->name));
	out->before = m->size;
	tf_buf_add(&out->key, m->key.p, m->key.n);
	tf_buf_add(&out->head, m->note.p, m->note.n);
	if ((rc = tf_buf_end(&out->key, err)) != TF_OK ||
	    (rc = tf_buf_end(&out->head, err)) != TF_OK ||
	    (rc = check_signature(asked, m, &key, err)) != TF_OK)
		return rc;
	return check_known(db, asked, m, out, err);
}
