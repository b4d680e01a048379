/*
 * Primitives of encryption: X25519 (RFC 7748), HKDF and HMAC with SHA-256 (RFC
 * 5869, RFC 2104), ChaCha20-Poly1305 (RFC 8439) and scrypt (RFC 7914).  Only
 * cipher.c, crypto.c and hybrid.c call OpenSSL.  Every copy of a secret that
 * these functions make is wiped before it is freed.
 *
 * Safe from many threads at once; a struct tf_aead belongs to one thread.  Each
 * function that may fail gives TF_NOMEM if memory runs out, and TF_NOMEM is
 * never given for a wrong key or altered bytes.
 */
#ifndef TF_BASE_CIPHER_H
#define TF_BASE_CIPHER_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_hash;

/* Overwrite n bytes so that the compiler cannot leave it out.  p may be NULL if
 * n is 0. */
void tf_wipe(void *p, size_t n);
/* Whether n bytes are equal, in a time that does not depend on the bytes. */
bool tf_same_secret(const void *a, const void *b, size_t n);

#define TF_X25519_LEN 32
/*
 * out = X25519(secret, point) (RFC 7748 section 5).
 * Errors: TF_INVALID the result is zero, because point has a low order.
 */
TF_MUST_USE enum tf_code tf_x25519(const uint8_t secret[TF_X25519_LEN],
    const uint8_t point[TF_X25519_LEN], uint8_t out[TF_X25519_LEN],
    struct tf_error *err);
/* The public key of secret: X25519 of it and the base point. */
TF_MUST_USE enum tf_code tf_x25519_public(const uint8_t secret[TF_X25519_LEN],
    uint8_t out[TF_X25519_LEN], struct tf_error *err);

/* HMAC-SHA-256 (RFC 2104) of the n bytes of msg. */
TF_MUST_USE enum tf_code tf_hmac(const void *key, size_t key_n, const void *msg,
    size_t n, struct tf_hash *out, struct tf_error *err);

#define TF_HKDF_LEN 32
/* HKDF-SHA-256 (RFC 5869) of a secret: extract with salt, expand with info to
 * 32 bytes.  salt may be empty. */
TF_MUST_USE enum tf_code tf_hkdf(const void *secret, size_t n, const void *salt,
    size_t salt_n, const char *info, uint8_t out[TF_HKDF_LEN],
    struct tf_error *err);

/* scrypt (RFC 7914) with N = 2^log_n, r = 8 and p = 1 to 32 bytes.  It needs
 * 2^(log_n + 10) bytes of memory; log_n is 1 to 30. */
TF_MUST_USE enum tf_code tf_scrypt(const char *passphrase, size_t n,
    const void *salt, size_t salt_n, unsigned log_n, uint8_t out[32],
    struct tf_error *err);

#define TF_AEAD_KEY_LEN 32
#define TF_AEAD_NONCE_LEN 12
#define TF_AEAD_TAG_LEN 16

/* ChaCha20-Poly1305 under one key.  Free *out with tf_aead_free, which wipes
 * the key and does nothing for NULL. */
struct tf_aead;
TF_MUST_USE enum tf_code tf_aead_new(const uint8_t key[TF_AEAD_KEY_LEN],
    struct tf_aead **out, struct tf_error *err);
void tf_aead_free(struct tf_aead *a);
/* Use another key from now on. */
TF_MUST_USE enum tf_code tf_aead_set_key(struct tf_aead *a,
    const uint8_t key[TF_AEAD_KEY_LEN], struct tf_error *err);
/*
 * Encrypt n bytes, at most 1 GiB, to n bytes and a tag at out, which must not
 * overlap them.  The caller never uses a nonce twice under one key.  The aad_n
 * bytes of aad are authenticated too; aad may be NULL if aad_n is 0.
 */
TF_MUST_USE enum tf_code tf_aead_seal(struct tf_aead *a,
    const uint8_t nonce[TF_AEAD_NONCE_LEN], const void *aad, size_t aad_n,
    const void *plain, size_t n, uint8_t *out, struct tf_error *err);
/*
 * Decrypt n bytes, the last 16 of which are the tag, to n - 16 bytes at out.
 * On failure those bytes of out are wiped.
 * Errors: TF_TAMPER key, nonce, aad or bytes are not those of tf_aead_seal, or
 * n is less than 16.
 */
TF_MUST_USE enum tf_code tf_aead_open(struct tf_aead *a,
    const uint8_t nonce[TF_AEAD_NONCE_LEN], const void *aad, size_t aad_n,
    const uint8_t *sealed, size_t n, void *out, struct tf_error *err);

#endif
