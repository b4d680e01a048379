/*
 * Write, sign, parse and check a C2SP tlog-checkpoint (v1.0.0) in a signed note
 * (note.h).  All functions are pure and safe from many threads at once.
 */
#ifndef TF_LEDGER_CHECKPOINT_H
#define TF_LEDGER_CHECKPOINT_H

#include "../json.h"
#include "../types.h"
#include "note.h"

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
 * Parse a note without checking any signature; *parts become its parts.
 * TF_INVALID as below.
 */
TF_MUST_USE enum tf_code tf_checkpoint_parse(const char *note, size_t n,
    struct tf_note *parts, struct tf_checkpoint *out, struct tf_error *err);

/*
 * Parse a note and check its signature with the known key k.  Signature lines
 * of other keys are ignored.  Errors:
 *   TF_TAMPER   a signature of k is wrong, or no line is signed by k
 *   TF_INVALID  the note or the checkpoint is malformed: CRLF, leading zeros,
 *               extension lines, bad base64, trailing bytes, size over 2^63-1;
 *               or k is not the key of a log
 *   TF_FOREIGN  the origin is not the name of k
 *   TF_NOMEM    a signature could not be checked for lack of memory
 */
TF_MUST_USE enum tf_code tf_checkpoint_check(const char *note, size_t n,
    const struct tf_vkey *k, struct tf_checkpoint *out, struct tf_error *err);

#endif
