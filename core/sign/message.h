/*
 * The messages between a vault and its signer, as trailfs-format(5) describes
 * them: a length of four bytes, the most significant first, and that many bytes.
 * A request begins with the line of its verb, an answer with the line "ok" or with
 * the word of an error and a line that explains it; then come the fields, each a
 * line.
 */
#ifndef TF_SIGN_MESSAGE_H
#define TF_SIGN_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"
#include "signer_i.h"

#define TF_SIGN_LENGTH 4	       /* bytes of the length */
#define TF_SIGN_MESSAGE_MAX (4u << 20) /* bytes after it */

enum tf_sign_verb {
	TF_SIGN_KEYS,	    /* version; the public keys */
	TF_SIGN_LAST,	    /* origin; size and root signed last */
	TF_SIGN_NEWEST,	    /* origin; the note signed last */
	TF_SIGN_PREPARE,    /* origin, size, root; a ticket */
	TF_SIGN_CHECKPOINT, /* origin, size, root, ticket, from, proof; a note */
	TF_SIGN_STATEMENT,  /* bytes to the end; a signature */
	TF_SIGN_ROTATE,	    /* log or attester, origin, number of the entry; the
			     * new public key, and two signatures of the log's */
	TF_SIGN_ADOPT,	    /* two public keys, keep or retire */
	TF_SIGN_FENCE,	    /* nothing; what the signer has given up */
	TF_SIGN_VERBS
};

#define TF_SIGN_VERSION 1

/* What a request says; the strings point into its bytes. */
struct tf_sign_message {
	enum tf_sign_verb verb;
	struct tf_checkpoint *c; /* the caller's, for c of request */
	struct tf_sign_request request;
	struct tf_str bytes;
	/* ROTATE: the origin is that of c. */
	bool log;
	uint64_t seq;
	/* ADOPT */
	struct tf_signer_keys keys;
	bool retire;
};

/* Append a request whole, with its length.  Of m only the fields of its verb
 * are read. */
void tf_sign_put_request(struct tf_buf *out, const struct tf_sign_message *m);
/* Parse the n bytes after a length.  The caller has set m->c.  TF_INVALID: they
 * are no request. */
TF_MUST_USE enum tf_code tf_sign_take_request(struct tf_sign_message *m,
    const void *p, size_t n, struct tf_error *err);

/*
 * Append an answer whole, with its length: for a code other than TF_OK the error
 * err, else fields, which may be empty and whose lines end with a line feed.
 */
void tf_sign_put_answer(struct tf_buf *out, enum tf_code code,
    const struct tf_error *err, struct tf_str fields);
/* Parse the n bytes after a length: returns the code that the signer gave, with
 * its text in err, or TF_OK and the fields. */
TF_MUST_USE enum tf_code tf_sign_take_answer(const void *p, size_t n,
    struct tf_str *fields, struct tf_error *err);

/* Append the line of a public key, and take one. */
void tf_sign_put_key(struct tf_buf *out, const struct tf_pubkey *k);
bool tf_sign_take_key(struct tf_str *rest, struct tf_pubkey *out);

/* Take the next line of rest, without its line feed. */
bool tf_sign_take_line(struct tf_str *rest, struct tf_str *line);

#endif
