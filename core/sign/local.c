/* The signer of this process: it holds the secret keys itself. */
#include <stdlib.h>

#include "../ledger/checkpoint.h"
#include "signer_i.h"

struct local {
	struct tf_signer s;
	struct tf_key *log, *attester;
};

static void
close_local(struct tf_signer *s)
{
	struct local *l = (struct local *)s;

	tf_key_free(l->log);
	tf_key_free(l->attester);
	free(l);
}

static enum tf_code
sign_checkpoint(struct tf_signer *s, const struct tf_checkpoint *c,
    struct tf_buf *note, struct tf_error *err)
{
	return tf_checkpoint_sign(c, ((struct local *)s)->log, note, err);
}

static enum tf_code
sign_statement(struct tf_signer *s, const void *pae, size_t n,
    uint8_t sig[TF_SIG_LEN], struct tf_error *err)
{
	return tf_key_sign(((struct local *)s)->attester, pae, n, sig, err);
}

static const struct tf_signer_ops local_ops = {
	.close = close_local,
	.checkpoint = sign_checkpoint,
	.statement = sign_statement,
};

enum tf_code
tf_signer_local(int keysfd, struct tf_signer **out, struct tf_error *err)
{
	struct local *l = calloc(1, sizeof(*l));
	enum tf_code rc;

	if (l == NULL)
		return tf_nomem(err);
	l->s.ops = &local_ops;
	if ((rc = tf_key_load(keysfd, "log.pem", &l->log, err)) != TF_OK ||
	    (rc = tf_key_load(keysfd, "attester.pem", &l->attester, err)) !=
		TF_OK) {
		close_local(&l->s);
		return rc;
	}
	tf_key_public(l->log, &l->s.keys.log);
	tf_key_public(l->attester, &l->s.keys.attester);
	*out = &l->s;
	return TF_OK;
}
