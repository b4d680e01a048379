/*
 * Time stamps of RFC 3161 over the checkpoint of a log.  Only this file calls
 * the functions TS_*, X509_* and PKCS7_* of OpenSSL.
 *
 * The stamped bytes are a checkpoint note with exactly one signature line, that
 * of the log: the text, an empty line, the line, all with their line ends.  So
 *     openssl ts -verify -data NOTE -in TOKEN -untrusted CHAIN -CAfile CA
 * works with these bytes as the file NOTE.  A token is a whole TimeStampResp in
 * DER, as an authority answers it.
 *
 * All functions are safe from many threads at once.
 */
#ifndef TF_BASE_TIMESTAMP_H
#define TF_BASE_TIMESTAMP_H

#include <stddef.h>

#include "../error.h"
#include "../types.h"

struct tf_buf;

#define TF_STAMP_TOKEN_MAX ((size_t)1 << 16) /* bytes accepted */
#define TF_STAMP_CHAIN_MAX ((size_t)1 << 16) /* bytes of PEM accepted */
#define TF_STAMP_CERTS_MAX 32		     /* certificates of one stamp */

/*
 * Append the request (TimeStampReq, DER) for a time stamp over the note to out.
 * The request asks for the certificate of the authority.  Its nonce follows from
 * the note: nobody has to keep a request in order to check the answer, and each
 * checkpoint has another nonce.  TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_stamp_request(struct tf_str note,
    struct tf_buf *out, struct tf_error *err);

/* The nonce of that request, as a number with its highest byte first. */
#define TF_STAMP_NONCE_LEN 8
void tf_stamp_nonce(struct tf_str note, uint8_t out[TF_STAMP_NONCE_LEN]);

/*
 * The digest that a granted response claims to stamp: which checkpoint it may be
 * about.  Nothing else is checked.  Errors: TF_INVALID no response; TF_DENIED
 * it was not granted; TF_TAMPER not over SHA-256; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_stamp_imprint(struct tf_str token,
    struct tf_hash *out, struct tf_error *err);

struct tf_stamp_check {
	struct tf_str note;  /* the stamped bytes */
	struct tf_str token; /* DER */
	struct tf_str
	    chain; /* certificates in PEM that are not trusted, or none */
	/* Certificates in PEM that the verifier trusts; p NULL: none.  They never
	 * come from the token or from whoever sent it. */
	struct tf_str trusted;
	bool answer; /* require the nonce of tf_stamp_request */
	/* The stamp is about to be recorded: require that each certificate at
	 * hand was valid at its time, also one that leads nowhere. */
	bool recording;
};

struct tf_stamp {
	struct tf_time at;    /* the time that the authority states */
	uint64_t accuracy_ns; /* and its accuracy, 0 if it states none */
	struct tf_time ends;  /* when its certificate expires */
	char authority[128];  /* subject of its certificate; safe to print */
	/* The certificates go up to one that signs itself. */
	bool whole_chain;
};

/*
 * Check a time stamp: the token is exactly one granted response, with no byte
 * behind it; it stamps SHA-256 of the note; exactly one certificate signed it,
 * whose only and critical purpose is time stamping; and each certificate up to
 * the topmost was valid at the time of the stamp, and good for its purpose.  An
 * authority that has expired since is no fault.  Revocation is not checked.
 *
 * With trusted, the topmost certificate must be one of them.  Without, TF_OK
 * says only that the stamp is sound in itself: anybody can make such a stamp.
 *
 * If pem is not NULL, all certificates are appended to it as PEM, the one of the
 * authority first, then the others upwards, each once.
 *
 * Errors: TF_INVALID the bytes are no response or no certificates, or too long;
 * TF_DENIED the authority did not grant the stamp; TF_TAMPER any other fault;
 * TF_FOREIGN no fault, but no trusted certificate is above that of the
 * authority; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_stamp_check(const struct tf_stamp_check *c,
    struct tf_stamp *out, struct tf_buf *pem, struct tf_error *err);

/*
 * Compare the time of a stamp with two readings of the host's clock: *from, when
 * the stamped entries existed, and *to, when the stamp was received; NULL: not
 * known.  The result is 0 if the stamp lies between them; -N: it is N seconds
 * before from; N: it is N seconds after to.
 *
 * Tolerated are the accuracy that the authority states, of which at most one
 * hour counts, and TF_STAMP_TOLERANCE_S.  The latter covers what nobody records:
 * authorities round to seconds and rarely state an accuracy (ETSI EN 319 421
 * demands 1 s), a leap second may be spread over a day, and the kernel counts a
 * clock as synchronised up to an error of 16 s.  A clock that differs by more
 * was wrong, whatever it recorded about itself.
 */
#define TF_STAMP_TOLERANCE_S 60
int64_t tf_stamp_differs(const struct tf_stamp *s, const struct tf_time *from,
    const struct tf_time *to);

/* Check certificates that a verifier trusts: TF_INVALID unless the text is one
 * or more certificates in PEM; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_stamp_check_trusted(struct tf_str pem,
    struct tf_error *err);

#endif
