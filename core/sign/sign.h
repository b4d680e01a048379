/*
 * The signer of a vault: the only place that uses its secret keys.  Key `log`
 * signs checkpoints, key `attester` signs statements.
 *
 * A checkpoint is signed after its entries are durable, because nothing can take
 * a signature back: a crash between signature and commit would leave one for a
 * tree that does not exist.
 *
 *  tf_signer_prepare()     in the transaction: a ticket, kept with the entries
 *  COMMIT
 *  tf_signer_checkpoint()  the ticket, and a proof of consistency with the tree
 *                          that the signer signed last
 *
 * The ticket is a keyed digest of origin, size and root.  After a crash it shows
 * that the running vault, and nobody who changed the database at rest, made this
 * tree.
 *
 * A signer never signs two trees of one origin that are not consistent: not two
 * roots for one size, not a smaller tree after a larger one, and no tree of an
 * origin after it has signed one of a later origin.  The same tree again gives the
 * same note.
 *
 * tf_signer_keys() and tf_signer_statement() are safe from many threads, each of
 * the other functions from one at a time.
 */
#ifndef TF_SIGN_SIGN_H
#define TF_SIGN_SIGN_H

#include <stddef.h>

#include "../base/crypto.h"
#include "../error.h"
#include "../ledger/merkle.h"

struct tf_buf;
struct tf_checkpoint;
struct tf_signer;

/* The public halves of the keys in force. */
struct tf_signer_keys {
	struct tf_pubkey log, attester;
};

#define TF_TICKET_LEN 32
struct tf_ticket {
	uint8_t b[TF_TICKET_LEN];
};

/*
 * The signer of this process: it reads the files log.pem and attester.pem of the
 * key directory keysfd, which stays the caller's, and keeps its memory there
 * (state.h).  On TF_OK close *out with tf_signer_close().
 * Errors: those of tf_key_load and of tf_signer_state_open; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_signer_local(int keysfd, struct tf_signer **out,
    struct tf_error *err);

/* Wipe the keys and free s; does nothing for NULL. */
void tf_signer_close(struct tf_signer *s);

/* Valid until s is closed. */
const struct tf_signer_keys *tf_signer_keys(const struct tf_signer *s);

/*
 * Rotation of a key.  The ledger decides: the key that its entry key.rotated names
 * is in force, whatever a crash left in the key directory.
 *
 *  tf_signer_rotate()  in the transaction of the entry: the new key, durable
 *                      beside the old one, and for the log both signatures
 *  COMMIT
 *  tf_signer_adopt()   the new key signs; the old key of the log signs, too, until
 *                      it is retired
 */
struct tf_signer_new_key {
	bool log; /* false: of the attester */
	const char *origin;
	uint64_t seq; /* of the entry */
	/* The answer. */
	struct tf_pubkey pub;
	uint8_t old_sig[TF_SIG_LEN], new_sig[TF_SIG_LEN]; /* of the log */
};
/* The same key again until it is adopted.  Errors: those of tf_key_generate,
 * tf_key_save and tf_key_sign; TF_ACCESS the key is in a token and nobody has named
 * the next one, or that one cannot be used. */
TF_MUST_USE enum tf_code tf_signer_rotate(struct tf_signer *s,
    struct tf_signer_new_key *k, struct tf_error *err);
/*
 * Use these keys from now on, which are in force by the ledger.  The key that one
 * of them replaces is wiped, but for that of the log, unless retire is set.  If no
 * key changes, all that is to be wiped is wiped on TF_OK.
 * Errors: TF_NOTFOUND s has no such key; TF_IO, which is also for a key that cannot
 * be wiped if no key changes; those of tf_key_load.
 */
TF_MUST_USE enum tf_code tf_signer_adopt(struct tf_signer *s,
    const struct tf_signer_keys *keys, bool retire, struct tf_error *err);

/*
 * Append the note of the newest tree that s signed for origin.
 * Errors: TF_NOTFOUND it signed none; TF_TAMPER its memory is damaged; TF_IO;
 * TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_signer_newest(struct tf_signer *s,
    const char *origin, struct tf_buf *note, struct tf_error *err);

/*
 * Make the ticket of c, whose entries are not committed yet.
 * Errors: TF_TAMPER s will not sign c; TF_INVALID origin or size are malformed;
 * TF_IO; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_signer_prepare(struct tf_signer *s,
    const struct tf_checkpoint *c, struct tf_ticket *ticket,
    struct tf_error *err);

/*
 * Sign c, whose entries are durable, and append the whole signed note to note.
 * get reads the tiles of c's tree, for the proof of consistency.  On failure the
 * contents of note must not be used.
 * Errors: TF_TAMPER the ticket is not that of c, or s will not sign c, for the
 * reasons above; those of get; TF_INVALID; TF_IO; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_signer_checkpoint(struct tf_signer *s,
    const struct tf_checkpoint *c, const struct tf_ticket *ticket,
    tf_tile_get get, void *arg, struct tf_buf *note, struct tf_error *err);

/* Sign the n bytes of pae, a statement in the encoding of DSSE, with the
 * attester's key.  Errors: TF_INVALID it is none; those of tf_key_sign. */
TF_MUST_USE enum tf_code tf_signer_statement(struct tf_signer *s,
    const void *pae, size_t n, uint8_t sig[TF_SIG_LEN], struct tf_error *err);

#endif
