/* Helpers of the tests of encryption. */
#ifndef TESTS_UNIT_AGE_H
#define TESTS_UNIT_AGE_H

#include "../../core/age.h"
#include "../../core/crypt/age_write.h"

/* Both are from the specification, "The X25519 recipient type". */
#define AGE_RECIPIENT \
	"age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"
#define AGE_IDENTITY                                                             \
	"AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4E" \
	"GAEX"

/* The list in the text of a recipients file. */
struct tf_recipients age_recipients(const char *text);

/* Byte number i of every text that the tests encrypt. */
uint8_t age_byte(uint64_t i);
/* Whether the n bytes at p are those from byte number `from` on. */
bool age_same(const uint8_t *p, size_t n, uint64_t from);

/* Encrypt n bytes of text to r, given in pieces, to out. */
void age_encrypt(const struct tf_recipients *r, uint64_t n, size_t piece,
    struct tf_buf *out);
/* The same with a passphrase and the work factor 2^log_n. */
void age_encrypt_passphrase(const char *phrase, uint64_t n, unsigned log_n,
    struct tf_buf *out);
/* The bytes of the payload of an encrypted file, with its nonce. */
size_t age_payload(const struct tf_buf *file);

/* Add the identities of a file with this text. */
enum tf_code age_add(struct tf_identities *ids, const char *text,
    struct tf_error *err);
/* The identities of a file with this text, which the caller frees. */
struct tf_identities *age_identities(const char *text);
/*
 * Open the n bytes of a file to its end.  *released becomes the bytes of text
 * that were given out; the call fails the test unless they are those of
 * age_byte().
 */
enum tf_code age_open(const struct tf_identities *ids, const void *p, size_t n,
    uint64_t *released, struct tf_error *err);

/* Whether age(1) is installed; else print that the test is skipped. */
bool age_there(const char *test);
/* Fail unless age(1) decrypts the file to n bytes of text. */
void age_decrypts(const struct tf_buf *file, uint64_t n);
/* The same with a passphrase, given on a terminal. */
void age_decrypts_passphrase(const struct tf_buf *file, const char *phrase,
    uint64_t n);
/* Encrypt n bytes, any number, to r and through a pipe to age(1), which must give
 * the same text; and the other way round, from age(1) to ids. */
void age_decrypts_stream(const struct tf_recipients *r, uint64_t n);
void age_encrypts_stream(const struct tf_identities *ids, uint64_t n);
/* Let age(1) encrypt n bytes of text to AGE_RECIPIENT, and append the file to
 * out. */
void age_encrypts(uint64_t n, struct tf_buf *out);

#endif
