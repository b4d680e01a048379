/* The calls of a signer, and the proof that it wants to see. */
#include <stdio.h>
#include <string.h>

#include "../ledger/checkpoint.h"
#include "signer_i.h"

#define PROOF_TRIES 3 /* while another process signs with the same keys */

void
tf_signer_close(struct tf_signer *s)
{
	if (s != NULL)
		s->ops->close(s);
}

const struct tf_signer_keys *
tf_signer_keys(const struct tf_signer *s)
{
	return &s->keys;
}

enum tf_code
tf_signer_rotate(struct tf_signer *s, struct tf_signer_new_key *k,
    struct tf_error *err)
{
	return s->ops->rotate(s, k, err);
}

enum tf_code
tf_signer_adopt(struct tf_signer *s, const struct tf_signer_keys *keys,
    bool retire, struct tf_error *err)
{
	return s->ops->adopt(s, keys, retire, err);
}

enum tf_code
tf_signer_newest(struct tf_signer *s, const char *origin, struct tf_buf *note,
    struct tf_error *err)
{
	return s->ops->newest(s, origin, note, err);
}

enum tf_code
tf_signer_prepare(struct tf_signer *s, const struct tf_checkpoint *c,
    struct tf_ticket *ticket, struct tf_error *err)
{
	return s->ops->prepare(s, c, ticket, err);
}

/* Without a proof the signer itself says why it does not sign. */
static enum tf_code
make_proof(struct tf_sign_request *r, tf_tile_get get, void *arg,
    struct tf_error *err)
{
	r->proof.n = 0;
	if (r->from == 0 || r->from >= r->c->size)
		return TF_OK;
	return tf_merkle_consistency(r->from, r->c->size, get, arg, &r->proof,
	    err);
}

/* The size of the tree that s signed last.  Nobody else signs with these keys
 * meanwhile but for a short time, so it is mostly that of the newest note. */
static enum tf_code
find_last(struct tf_signer *s, const char *origin, uint64_t *size,
    struct tf_error *err)
{
	struct tf_signed last;
	enum tf_code rc;

	*size = s->size;
	if (s->size > 0 && strcmp(s->origin, origin) == 0)
		return TF_OK;
	rc = s->ops->last(s, origin, &last, err);
	*size = last.size;
	return rc;
}

enum tf_code
tf_signer_checkpoint(struct tf_signer *s, const struct tf_checkpoint *c,
    const struct tf_ticket *ticket, tf_tile_get get, void *arg,
    struct tf_buf *note, struct tf_error *err)
{
	struct tf_sign_request r = { .c = c, .ticket = *ticket };
	const size_t start = note->n;
	enum tf_code rc = TF_BUSY;

	for (int i = 0; i < PROOF_TRIES && rc == TF_BUSY; i++) {
		note->n = start;
		rc = find_last(s, c->origin, &r.from, err);
		if (rc == TF_OK)
			rc = make_proof(&r, get, arg, err);
		if (rc == TF_OK)
			rc = s->ops->checkpoint(s, &r, note, err);
		s->size = 0;
	}
	if (rc == TF_OK) {
		(void)snprintf(s->origin, sizeof(s->origin), "%s", c->origin);
		s->size = c->size;
	}
	return rc;
}

enum tf_code
tf_signer_statement(struct tf_signer *s, const void *pae, size_t n,
    uint8_t sig[TF_SIG_LEN], struct tf_error *err)
{
	return s->ops->statement(s, pae, n, sig, err);
}
