/*
 * C2SP tlog-checkpoint (v1.0.0) in a C2SP signed-note (v1.0.0): written,
 * signed, parsed, checked.  Key strings ("vkeys") too.
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

/* Key ID and text of a vkey: name+hex id+base64(0x01 || key). */
void tf_vkey_make(struct tf_vkey *k, const char *name,
    const struct tf_pubkey *pub);
void tf_vkey_text(const struct tf_vkey *k, struct tf_buf *out);
/* One vkey, no line end; TF_INVALID (form, id that does not fit, other type) */
TF_MUST_USE enum tf_code tf_vkey_parse(const char *s, size_t n,
    struct tf_vkey *out, struct tf_error *err);

struct tf_checkpoint {
	char origin[TF_ORIGIN_MAX + 1];
	uint64_t size;
	struct tf_hash root;
};

/* The whole signed note, onto out. */
TF_MUST_USE enum tf_code tf_checkpoint_sign(const struct tf_checkpoint *c,
    const struct tf_key *key, struct tf_buf *out, struct tf_error *err);

/*
 * Parse a note and check it against one known key.  A line of an unknown key
 * is ignored; a line of k that fails, or none of k, is TF_TAMPER; a note or
 * checkpoint that is malformed (CRLF, leading zeros, extension lines, bad
 * base64, trailing bytes, size over 2^63-1) TF_INVALID; an origin other than
 * k's name TF_FOREIGN; no memory to tell, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_checkpoint_check(const char *note, size_t n,
    const struct tf_vkey *k, struct tf_checkpoint *out, struct tf_error *err);

#endif
