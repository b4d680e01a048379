/*
 * The signer of this process: it holds the secret keys itself, and all rules of
 * a signer are here.  A signer in a process of its own uses it, too (serve.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/cipher.h"
#include "../base/mutant.h"
#include "../ledger/checkpoint.h"
#include "../ledger/name.h"
#include "signer_i.h"

#define TICKET_KEY "trailfs signer ticket v1"
#define DSSE "DSSEv1 "

struct local {
	struct tf_signer s;
	struct tf_key *log, *attester;
	uint8_t ticket_key[TF_HKDF_LEN];
	struct tf_signer_state state;
};

static void
close_local(struct tf_signer *s)
{
	struct local *l = (struct local *)s;

	tf_key_free(l->log);
	tf_key_free(l->attester);
	tf_wipe(l->ticket_key, sizeof(l->ticket_key));
	tf_signer_state_close(&l->state);
	free(l);
}

/* --- the rules -------------------------------------------------------------- */

static enum tf_code
well_formed(const struct tf_checkpoint *c, struct tf_error *err)
{
	if (!tf_origin_ok(c->origin, strnlen(c->origin, sizeof(c->origin))) ||
	    c->size == 0 || c->size > INT64_MAX)
		return tf_fail(err, TF_INVALID,
		    "checkpoint: bad origin or size");
	return TF_OK;
}

/* May a tree of this size and root follow what was signed? */
static enum tf_code
may_follow(const struct tf_checkpoint *c, const struct tf_signed *last,
    struct tf_error *err)
{
	if (last->is_closed)
		return tf_fail(err, TF_TAMPER,
		    "the signer does not sign for %.60s any more, since it "
		    "signed for a later origin",
		    c->origin);
	if (c->size < last->size)
		return tf_fail(err, TF_TAMPER,
		    "the signer signed %llu entries, and refuses to go back to "
		    "%llu",
		    (unsigned long long)last->size,
		    (unsigned long long)c->size);
	if (c->size == last->size &&
	    memcmp(&c->root, &last->root, sizeof(c->root)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "the signer refuses to sign two trees of %llu entries",
		    (unsigned long long)c->size);
	return TF_OK;
}

static enum tf_code
make_ticket(struct local *l, const struct tf_checkpoint *c,
    struct tf_ticket *out, struct tf_error *err)
{
	char text[TF_ORIGIN_MAX + 100], hex[65];
	struct tf_hash h;
	enum tf_code rc;
	int n;

	tf_hex(c->root.b, sizeof(c->root.b), hex);
	n = snprintf(text, sizeof(text), "%s\n%llu\n%s\n", c->origin,
	    (unsigned long long)c->size, hex);
	rc = tf_hmac(l->ticket_key, sizeof(l->ticket_key), text, (size_t)n, &h,
	    err);
	if (rc == TF_OK)
		memcpy(out->b, h.b, sizeof(out->b));
	return rc;
}

static enum tf_code
check_ticket(struct local *l, const struct tf_sign_request *r,
    struct tf_error *err)
{
	struct tf_ticket want;
	enum tf_code rc = make_ticket(l, r->c, &want, err);

	if (rc != TF_OK || TF_IS_MUTANT(TF_SIGN_WITHOUT_TICKET) ||
	    tf_same_secret(want.b, r->ticket.b, sizeof(want.b)))
		return rc;
	return tf_fail(err, TF_TAMPER,
	    "the ticket of %llu entries is not one of this signer",
	    (unsigned long long)r->c->size);
}

static enum tf_code
check_proof(const struct tf_sign_request *r, const struct tf_signed *last,
    struct tf_error *err)
{
	if (last->size == 0 || r->c->size == last->size ||
	    tf_merkle_check_consistency(last->size, r->c->size, &last->root,
		&r->c->root, r->proof.h, r->proof.n) == TF_OK)
		return TF_OK;
	return tf_fail(err, TF_TAMPER,
	    "%llu entries are not proven to continue the %llu that the signer "
	    "signed",
	    (unsigned long long)r->c->size, (unsigned long long)last->size);
}

/* --- the calls -------------------------------------------------------------- */

static enum tf_code
last_signed(struct tf_signer *s, const char *origin, struct tf_signed *out,
    struct tf_error *err)
{
	struct local *l = (struct local *)s;
	enum tf_code rc = tf_signer_state_lock(&l->state, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_signer_state_find(&l->state, origin, out, err);
	tf_signer_state_unlock(&l->state);
	return rc;
}

static enum tf_code
newest(struct tf_signer *s, const char *origin, struct tf_buf *note,
    struct tf_error *err)
{
	struct tf_checkpoint c = { .size = 0 };
	struct tf_signed last;
	enum tf_code rc = last_signed(s, origin, &last, err);

	if (rc != TF_OK)
		return rc;
	if (last.size == 0)
		return tf_fail(err, TF_NOTFOUND,
		    "the signer signed nothing for %.60s", origin);
	(void)snprintf(c.origin, sizeof(c.origin), "%s", origin);
	c.size = last.size;
	c.root = last.root;
	return tf_checkpoint_sign(&c, ((struct local *)s)->log, note, err);
}

static enum tf_code
prepare(struct tf_signer *s, const struct tf_checkpoint *c,
    struct tf_ticket *ticket, struct tf_error *err)
{
	struct tf_signed last;
	enum tf_code rc;

	if ((rc = well_formed(c, err)) != TF_OK ||
	    (rc = last_signed(s, c->origin, &last, err)) != TF_OK ||
	    (rc = may_follow(c, &last, err)) != TF_OK)
		return rc;
	return make_ticket((struct local *)s, c, ticket, err);
}

/* Remember first: a signature that is given out is never forgotten. */
static enum tf_code
remember_and_sign(struct local *l, const struct tf_sign_request *r,
    const struct tf_signed *last, struct tf_buf *note, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (r->c->size != last->size)
		rc = tf_signer_state_set(&l->state, r->c->origin, last,
		    r->c->size, &r->c->root, err);
	return rc == TF_OK ? tf_checkpoint_sign(r->c, l->log, note, err) : rc;
}

static enum tf_code
sign_checkpoint(struct tf_signer *s, const struct tf_sign_request *r,
    struct tf_buf *note, struct tf_error *err)
{
	struct local *l = (struct local *)s;
	struct tf_signed last;
	enum tf_code rc;

	if ((rc = well_formed(r->c, err)) != TF_OK ||
	    (rc = check_ticket(l, r, err)) != TF_OK ||
	    (rc = tf_signer_state_lock(&l->state, err)) != TF_OK)
		return rc;
	rc = tf_signer_state_find(&l->state, r->c->origin, &last, err);
	if (rc == TF_OK)
		rc = may_follow(r->c, &last, err);
	if (rc == TF_OK && r->from != last.size)
		rc = tf_fail(err, TF_BUSY, "the proof begins elsewhere");
	if (rc == TF_OK)
		rc = check_proof(r, &last, err);
	if (rc == TF_OK)
		rc = remember_and_sign(l, r, &last, note, err);
	tf_signer_state_unlock(&l->state);
	return rc;
}

static enum tf_code
sign_statement(struct tf_signer *s, const void *pae, size_t n,
    uint8_t sig[TF_SIG_LEN], struct tf_error *err)
{
	if (n < strlen(DSSE) || memcmp(pae, DSSE, strlen(DSSE)) != 0)
		return tf_fail(err, TF_INVALID,
		    "the attester's key signs statements only");
	return tf_key_sign(((struct local *)s)->attester, pae, n, sig, err);
}

static const struct tf_signer_ops local_ops = {
	.close = close_local,
	.last = last_signed,
	.newest = newest,
	.prepare = prepare,
	.checkpoint = sign_checkpoint,
	.statement = sign_statement,
};

/* --- opening ---------------------------------------------------------------- */

enum tf_code
tf_signer_local(int keysfd, struct tf_signer **out, struct tf_error *err)
{
	struct local *l = calloc(1, sizeof(*l));
	enum tf_code rc;

	if (l == NULL)
		return tf_nomem(err);
	l->s.ops = &local_ops;
	l->state.fd = -1;
	if ((rc = tf_key_load(keysfd, "log.pem", &l->log, err)) != TF_OK ||
	    (rc = tf_key_load(keysfd, "attester.pem", &l->attester, err)) !=
		TF_OK ||
	    (rc = tf_key_derive(l->log, TICKET_KEY, l->ticket_key, err)) !=
		TF_OK ||
	    (rc = tf_signer_state_open(&l->state, keysfd, TF_SIGNER_STATE,
		 err)) != TF_OK) {
		close_local(&l->s);
		return rc;
	}
	tf_key_public(l->log, &l->s.keys.log);
	tf_key_public(l->attester, &l->s.keys.attester);
	*out = &l->s;
	return TF_OK;
}
