/* The signer of a vault: calls of whichever implementation it is. */
#include "signer_i.h"

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
tf_signer_checkpoint(struct tf_signer *s, const struct tf_checkpoint *c,
    struct tf_buf *note, struct tf_error *err)
{
	return s->ops->checkpoint(s, c, note, err);
}

enum tf_code
tf_signer_statement(struct tf_signer *s, const void *pae, size_t n,
    uint8_t sig[TF_SIG_LEN], struct tf_error *err)
{
	return s->ops->statement(s, pae, n, sig, err);
}
