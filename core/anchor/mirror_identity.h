/*
 * Who the mirror is, shown before the source sends anything.  The receiver signs
 * the source's challenge and its own head with the key of its receipts; the
 * source knows that key from the caller, or else from the last receipt of that
 * name in its ledger (trust on first use).
 *
 * The signed bytes are text, one item per line: "trailfs mirror head v2", the
 * challenge in base64, the log's vkey, the mirror's vkey, the number of entries,
 * their root in base64, and then the note of the head, which may be empty.  No
 * cosignature and no checkpoint begins like that.
 */
#ifndef TF_ANCHOR_MIRROR_IDENTITY_H
#define TF_ANCHOR_MIRROR_IDENTITY_H

#include "../base/crypto.h"
#include "../ledger/note.h"
#include "../mirror.h"
#include "mirror_frames.h"

struct tf_db;

/* At the receiver: set m->signature; m is the HEAD with all other fields, and log
 * the key text of HELLO. */
TF_MUST_USE enum tf_code tf_mirror_prove(const struct tf_key *key,
    const struct tf_hash *challenge, struct tf_str log, struct tf_mirror_msg *m,
    struct tf_error *err);

struct tf_mirror_asked {
	struct tf_hash challenge;
	struct tf_str log;    /* the log's vkey text, as in HELLO */
	const char *expected; /* the mirror's vkey text, or NULL */
};

/*
 * At the source: check the HEAD m, and set name, key, head and promised of out,
 * which is {0} before.  db has the receipts.  TF_TAMPER: another key than the
 * expected one or that of its last receipt, or it cannot sign with it; name, key
 * and head are set then too, if the key has a form; name is that of the expected
 * key, if there is one.
 */
TF_MUST_USE enum tf_code tf_mirror_identify(struct tf_db *db,
    const struct tf_mirror_asked *asked, const struct tf_mirror_msg *m,
    struct tf_mirrored *out, struct tf_error *err);

#endif
