/* The log's public key in the forms of the control files (see vault.h). */
#include "../base/crypto.h"
#include "../ledger/checkpoint.h"
#include "../vault.h"
#include "key_state.h"
#include "vault_i.h"

enum tf_code
tf_vault_vkey(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	tf_vkey_text(tf_log_key(v), out);
	tf_buf_add(out, "\n", 1);
	return tf_buf_end(out, err);
}

enum tf_code
tf_vault_pem(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	tf_pubkey_pem(&tf_log_key(v)->pub, out);
	return tf_buf_end(out, err);
}
