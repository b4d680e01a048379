/*
 * The signer of a vault: the only place that uses its secret keys.  Key `log`
 * signs checkpoints, key `attester` signs statements.
 *
 * A signer is used by one thread at a time, but for tf_signer_keys() and
 * tf_signer_statement(), which are safe from many.
 */
#ifndef TF_SIGN_SIGN_H
#define TF_SIGN_SIGN_H

#include <stddef.h>

#include "../base/crypto.h"
#include "../error.h"

struct tf_buf;
struct tf_checkpoint;
struct tf_signer;

/* The public halves of the keys in force. */
struct tf_signer_keys {
	struct tf_pubkey log, attester;
};

/*
 * The signer of this process: it reads the files log.pem and attester.pem of the
 * key directory keysfd, which stays the caller's.  On TF_OK close *out with
 * tf_signer_close().
 * Errors: those of tf_key_load; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_signer_local(int keysfd, struct tf_signer **out,
    struct tf_error *err);

/* Wipe the keys and free s; does nothing for NULL. */
void tf_signer_close(struct tf_signer *s);

/* Valid until s is closed. */
const struct tf_signer_keys *tf_signer_keys(const struct tf_signer *s);

/*
 * Sign c with the log's key and append the whole signed note to note.  On
 * failure the contents of note must not be used.
 * Errors: those of tf_checkpoint_sign.
 */
TF_MUST_USE enum tf_code tf_signer_checkpoint(struct tf_signer *s,
    const struct tf_checkpoint *c, struct tf_buf *note, struct tf_error *err);

/* Sign the n bytes of pae, a statement in the encoding of DSSE, with the
 * attester's key.  Errors: those of tf_key_sign. */
TF_MUST_USE enum tf_code tf_signer_statement(struct tf_signer *s,
    const void *pae, size_t n, uint8_t sig[TF_SIG_LEN], struct tf_error *err);

#endif
