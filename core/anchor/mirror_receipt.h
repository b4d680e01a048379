/*
 * The receipt of a mirror: the head of the log with the mirror's cosignature
 * (C2SP tlog-cosignature).
 */
#ifndef TF_ANCHOR_MIRROR_RECEIPT_H
#define TF_ANCHOR_MIRROR_RECEIPT_H

#include "../ledger/checkpoint.h"
#include "../mirror.h"
#include "mirror_frames.h"

struct tf_db;

/* The name of a mirror that nobody has named: "HOST/DIR", without characters
 * that a name may not have. */
void tf_mirror_default_name(const char *dir, char out[TF_ORIGIN_MAX + 1]);

/*
 * At the receiver: load keys/mirror.key of the store dirfd, or make it with
 * this name, and keys/mirror.vkey with it.  A key keeps its name.  The caller
 * frees *key with tf_key_free, also after a failure.  TF_USAGE: name is no key
 * name.
 */
TF_MUST_USE enum tf_code tf_mirror_key(int dirfd, const char *name,
    struct tf_key **key, struct tf_vkey *vkey, struct tf_error *err);
/* Append note, which the log has signed, and the cosignature of now to out. */
TF_MUST_USE enum tf_code tf_mirror_sign(const struct tf_key *key,
    const struct tf_vkey *vkey, struct tf_str note, struct tf_buf *out,
    struct tf_error *err);

/*
 * At the source: check that the receipt is about exactly the offered head, is
 * signed by the log, and is cosigned by the key out->key, and take its note over
 * to out.  TF_TAMPER.
 */
TF_MUST_USE enum tf_code tf_mirror_check_receipt(const struct tf_mirror_msg *m,
    const struct tf_vkey *log, const struct tf_checkpoint *offer,
    struct tf_mirrored *out, struct tf_error *err);
/* Set m->recorded, see mirror.h. */
TF_MUST_USE enum tf_code tf_mirror_is_recorded(struct tf_db *db,
    struct tf_mirrored *m, struct tf_error *err);

#endif
