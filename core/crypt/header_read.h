/*
 * Parses the header of an age file (C2SP age, "Header").  A header that is
 * accepted has no other spelling.  Pure, safe with any bytes and from many
 * threads at once.
 */
#ifndef TF_CRYPT_HEADER_READ_H
#define TF_CRYPT_HEADER_READ_H

#include "../buffer.h"
#include "format.h"

struct tf_stanza {
	struct tf_str args;	/* separated by single spaces, in the header */
	size_t n_args;		/* at least one */
	size_t body_at, body_n; /* in bodies */
};

/* The parts of a header, whose bytes stay the caller's.  {0} is empty. */
struct tf_header {
	struct tf_stanza *stanza;
	size_t n; /* stanzas, at least one */
	struct tf_buf bodies;
	size_t mac_of; /* the MAC is over that many bytes */
	uint8_t mac[TF_AGE_MAC_LEN];
};

/*
 * The bytes of the header at the beginning of the n bytes at p, with its last
 * line end: 0 if its last line is not there yet.
 */
size_t tf_header_end(const char *p, size_t n);

/*
 * Parse the n bytes of a header.  Stanzas of the types X25519,
 * mlkem768x25519 and scrypt have the number and length of arguments and the
 * body that their type needs, and an scrypt stanza is the only one.  The caller
 * calls tf_header_free in any case.  Errors: TF_INVALID it is malformed;
 * TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_header_parse(const char *p, size_t n,
    struct tf_header *out, struct tf_error *err);
/* Free the parts and make it empty. */
void tf_header_free(struct tf_header *h);

/* Argument number i of s, from 0; i is less than n_args. */
struct tf_str tf_stanza_arg(const struct tf_stanza *s, size_t i);
/* Whether s is of this type: whether its first argument is this word. */
bool tf_stanza_is(const struct tf_stanza *s, const char *type);
/* Decode argument number i, base64 without padding, to exactly n bytes; n is at
 * most TF_HYBRID_ENC_LEN.  False: it is something else. */
bool tf_stanza_bytes(const struct tf_stanza *s, size_t i, uint8_t *out,
    size_t n);
/* The work factor of an scrypt stanza: its base-two logarithm, or 0 if its text
 * is not a decimal number from 1 to 99. */
unsigned tf_stanza_log_n(const struct tf_stanza *s);

#endif
