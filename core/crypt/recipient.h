/*
 * Recipients of encrypted files: public keys as age writes them, age1... and
 * age1pq1... (C2SP age, "The X25519 recipient type", "The MLKEM768-X25519 hybrid
 * post-quantum recipient type"), and files that list them.
 *
 * A recipient has exactly one accepted text: Bech32 in lower case.  No message
 * of an error repeats a line, as a wrong line may hold a secret key.  The
 * functions are pure and safe from many threads at once.
 */
#ifndef TF_CRYPT_RECIPIENT_H
#define TF_CRYPT_RECIPIENT_H

#include "../buffer.h"
#include "format.h"

#define TF_RECIPIENTS_BYTES_MAX ((size_t)64 * 1024) /* of a file */
#define TF_RECIPIENTS_MAX 256			    /* in a file */

struct tf_recipient {
	bool hybrid; /* post-quantum: MLKEM768-X25519 */
	/* Of an X25519 recipient the first TF_X25519_LEN bytes; the others are
	 * zero. */
	uint8_t key[TF_HYBRID_KEY_LEN];
};

/* A list in the order of the texts (as by LC_ALL=C sort), without equal ones,
 * all of one kind.  {0} is empty. */
struct tf_recipients {
	struct tf_recipient *v;
	size_t n;
};

/*
 * Parse one recipient.
 * Errors: TF_INVALID it is none, it is an identity (a secret key), or no file
 * could be encrypted to it; TF_UNSUPPORTED a recipient of another kind, or
 * age1pq1... with a libcrypto before 3.5; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_recipient_parse(struct tf_str text,
    struct tf_recipient *out, struct tf_error *err);

/* Append the text of r, without a line end. */
void tf_recipient_text(const struct tf_recipient *r, struct tf_buf *out);

/*
 * Parse the n bytes of a recipients file: one recipient per line, blank lines,
 * and comments, which are lines that begin with "#".  Lines end with LF or CR
 * LF.  On TF_OK *out has 1 to TF_RECIPIENTS_MAX recipients, and the caller
 * frees it with tf_recipients_free; else *out is empty.
 * Errors, with the number of the line: those of tf_recipient_parse; TF_INVALID
 * the same recipient twice, an identity in a comment, both kinds in one file, or
 * none at all;
 * TF_TOOBIG more than the two limits above.
 */
TF_MUST_USE enum tf_code tf_recipients_parse(const char *text, size_t n,
    struct tf_recipients *out, struct tf_error *err);
/* Free the list and make it empty. */
void tf_recipients_free(struct tf_recipients *r);

/* Append the canonical text: the recipients in their order, one per line. */
void tf_recipients_text(const struct tf_recipients *r, struct tf_buf *out);

#endif
