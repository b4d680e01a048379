/*
 * C2SP tlog-cosignature v1, Ed25519: the statement of a cosigner (a witness, a
 * mirror) that at a time this checkpoint was the largest of its log that the
 * cosigner had seen, and extends all that it had seen before.  Keys of cosigners
 * are in note.h (tf_cosign_vkey_parse, tf_cosign_vkey_make, tf_vkey_text).  All
 * functions are pure and safe from many threads at once.
 *
 * The signed message does not name the cosigner: each name needs a key of its
 * own.
 */
#ifndef TF_LEDGER_COSIGN_H
#define TF_LEDGER_COSIGN_H

#include "note.h"

/*
 * Append the cosignature line of key, under this name, for the body of a
 * checkpoint; it ends in LF.  time is in POSIX seconds.  On failure the contents
 * of out must not be used.  Errors: TF_INVALID (name no key name, or time over
 * 2^63-1), TF_NOMEM, those of tf_key_sign.
 */
TF_MUST_USE enum tf_code tf_cosign_line(const struct tf_key *key,
    const char *name, uint64_t time, struct tf_str body, struct tf_buf *out,
    struct tf_error *err);

/*
 * Check the cosignature of k in a checkpoint; *time becomes its newest time.
 * The signature of the log is not checked here: see tf_checkpoint_check.
 *   TF_NOTFOUND  no line is signed by k
 *   TF_TAMPER    a line of k is wrong
 *   TF_INVALID   the note or its checkpoint is malformed, or k is not the key
 *                of a cosigner
 *   TF_NOMEM     a signature could not be checked for lack of memory
 */
TF_MUST_USE enum tf_code tf_cosign_check(const struct tf_vkey *k,
    const char *note, size_t n, uint64_t *time, struct tf_error *err);

#endif
