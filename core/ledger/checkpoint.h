/*
 * Write, sign, parse and check a C2SP tlog-checkpoint (v1.0.0) in a C2SP
 * signed-note (v1.0.0).  Make and parse verifier keys ("vkeys") too.  All
 * functions are pure and safe from many threads at once.
 */
#ifndef TF_LEDGER_CHECKPOINT_H
#define TF_LEDGER_CHECKPOINT_H

#include "../base/crypto.h"
#include "../error.h"
#include "../json.h"
#include "../types.h"

#define TF_ORIGIN_MAX 128
#define TF_NOTE_MAX 65536     /* bytes accepted */
#define TF_NOTE_LINES_MAX 100 /* signature lines accepted */

struct tf_vkey {
	char name[TF_ORIGIN_MAX + 1];
	uint8_t id[4];
	struct tf_pubkey pub;
};

/* Fill k: name, public key and the key ID that follows from both. */
void tf_vkey_make(struct tf_vkey *k, const char *name,
    const struct tf_pubkey *pub);
/* Append the text of k to out: NAME+HEXID+base64(0x01 || key), no line end. */
void tf_vkey_text(const struct tf_vkey *k, struct tf_buf *out);
/*
 * Parse one vkey without a line end.  TF_INVALID: the form is wrong, the ID
 * does not fit name and key, or the key is not of type Ed25519.
 */
TF_MUST_USE enum tf_code tf_vkey_parse(const char *s, size_t n,
    struct tf_vkey *out, struct tf_error *err);

struct tf_checkpoint {
	char origin[TF_ORIGIN_MAX + 1];
	uint64_t size;
	struct tf_hash root;
};

/*
 * Sign c with key and append the whole signed note to out.  On failure the
 * contents of out must not be used.  Errors: TF_INVALID (bad origin, or size
 * over 2^63-1), TF_NOMEM, those of tf_key_sign.
 */
TF_MUST_USE enum tf_code tf_checkpoint_sign(const struct tf_checkpoint *c,
    const struct tf_key *key, struct tf_buf *out, struct tf_error *err);

/*
 * Parse a note and check its signature with the known key k.  Signature lines
 * of other keys are ignored.  Errors:
 *   TF_TAMPER   a signature of k is wrong, or no line is signed by k
 *   TF_INVALID  the note or the checkpoint is malformed: CRLF, leading zeros,
 *               extension lines, bad base64, trailing bytes, size over 2^63-1
 *   TF_FOREIGN  the origin is not the name of k
 *   TF_NOMEM    a signature could not be checked for lack of memory
 */
TF_MUST_USE enum tf_code tf_checkpoint_check(const char *note, size_t n,
    const struct tf_vkey *k, struct tf_checkpoint *out, struct tf_error *err);

#endif
