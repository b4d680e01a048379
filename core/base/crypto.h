/*
 * SHA-256, Ed25519 (RFC 8032) and random bytes.  Only this file, cipher.c,
 * hybrid.c, timestamp.c and token.c call OpenSSL.
 * A private key on disk is a PEM file with PKCS#8 and mode 0400.  Every copy of
 * a secret in memory is wiped before it is freed.
 */
#ifndef TF_BASE_CRYPTO_H
#define TF_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_hash;

/* SHA-256 (FIPS 180-4) of n bytes. */
void tf_sha256(const void *p, size_t n, struct tf_hash *out);
/* SHA-256 of a one-byte prefix, a and b: leaves and nodes of RFC 6962 2.1. */
void tf_sha256_prefixed(uint8_t prefix, const void *a, size_t an, const void *b,
    size_t bn, struct tf_hash *out);

/* An incremental digest, for one thread at a time.  new returns NULL if memory
 * runs out. */
struct tf_sha256;
struct tf_sha256 *tf_sha256_new(void);
void tf_sha256_free(struct tf_sha256 *h);
void tf_sha256_reset(struct tf_sha256 *h);
void tf_sha256_add(struct tf_sha256 *h, const void *p, size_t n);
/* The digest of the bytes added so far; more may be added afterwards. */
void tf_sha256_peek(const struct tf_sha256 *h, struct tf_hash *out);
/* The digest of the bytes added so far and of n more, which are not added. */
void tf_sha256_peek_with(const struct tf_sha256 *h, const void *p, size_t n,
    struct tf_hash *out);

#define TF_PUBKEY_LEN 32
#define TF_SIG_LEN 64
struct tf_pubkey {
	uint8_t b[TF_PUBKEY_LEN];
};

/* A private key.  Safe from many threads at once. */
struct tf_key;
/* Wipe and free k; does nothing for NULL. */
void tf_key_free(struct tf_key *k);
/* Make a key from random bytes.  On TF_OK free *out with tf_key_free.
 * TF_NOMEM. */
TF_MUST_USE enum tf_code tf_key_generate(struct tf_key **out,
    struct tf_error *err);
/* From a 32-byte RFC 8032 seed: for published test vectors. */
TF_MUST_USE enum tf_code tf_key_from_seed(const uint8_t seed[32],
    struct tf_key **out, struct tf_error *err);
/*
 * Read a secret, at most max bytes, from the file name below dirfd.  The caller
 * wipes p.
 * Errors, which say what to do: TF_FOREIGN the file is a symlink, has more than
 * one link, belongs to neither the process nor root nor the owner of dirfd, or
 * gives group or others any mode bit; TF_NOTFOUND; TF_ACCESS; TF_IO.
 */
TF_MUST_USE enum tf_code tf_secret_read(int dirfd, const char *name, void *p,
    size_t max, size_t *got, struct tf_error *err);
/*
 * Read a private key from the PEM file name below dirfd; or the file names a key
 * in a token (token.h).  On TF_OK free *out with tf_key_free.
 * Errors: those of tf_secret_read; TF_INVALID it is not an Ed25519 key;
 * TF_ACCESS the key of a token cannot be used; TF_NOMEM the key could not be
 * parsed.
 */
TF_MUST_USE enum tf_code tf_key_load(int dirfd, const char *name,
    struct tf_key **out, struct tf_error *err);
/* Write k to a new PEM file of mode 0400.  On TF_OK it survives power loss.
 * TF_EXISTS if the name exists. */
TF_MUST_USE enum tf_code tf_key_save(const struct tf_key *k, int dirfd,
    const char *name, struct tf_error *err);
/* Is k in a token? tf_key_save() then fails. */
bool tf_key_in_token(const struct tf_key *k);
/* The public key of k. */
void tf_key_public(const struct tf_key *k, struct tf_pubkey *out);
/* Sign n bytes with Ed25519 (RFC 8032 5.1.6): the same bytes and key always
 * give the same signature.  TF_IO if it could not be made. */
TF_MUST_USE enum tf_code tf_key_sign(const struct tf_key *k, const void *msg,
    size_t n, uint8_t sig[TF_SIG_LEN], struct tf_error *err);
/* A secret of 32 bytes that follows from k and the words of info (HKDF, RFC
 * 5869).  The caller wipes it.  Errors: TF_NOMEM; of a key in a token also
 * TF_UNSUPPORTED, its signatures are not those of RFC 8032, and TF_IO. */
TF_MUST_USE enum tf_code tf_key_derive(const struct tf_key *k, const char *info,
    uint8_t out[32], struct tf_error *err);
/* TF_OK if sig is pub's signature of msg, TF_TAMPER if it is not, TF_NOMEM if
 * the signature could not be checked. */
TF_MUST_USE enum tf_code tf_key_verify(const struct tf_pubkey *pub,
    const void *msg, size_t n, const uint8_t sig[TF_SIG_LEN]);

/* The key as DER SubjectPublicKeyInfo (RFC 8410); the same, appended as PEM. */
#define TF_SPKI_LEN 44
void tf_pubkey_spki(const struct tf_pubkey *pub, uint8_t out[TF_SPKI_LEN]);
void tf_pubkey_pem(const struct tf_pubkey *pub, struct tf_buf *out);

/* From now on private keys of this process are in memory that is never written to
 * swap, and wiped when it is freed; call it before there are any.  False: a limit of
 * locked memory (RLIMIT_MEMLOCK) below 64 KiB leaves them as they are. */
bool tf_crypto_lock_secrets(void);

/* Fill p with n bytes that nobody can predict (getrandom(2)).  TF_IO. */
TF_MUST_USE enum tf_code tf_random(void *p, size_t n, struct tf_error *err);

/* Whether libcrypto ran out of memory in this thread since the last call of
 * tf_crypto_note_memory: its functions do not always say so. */
void tf_crypto_note_memory(void);
bool tf_crypto_lacks_memory(void);

/* The version of the loaded library, such as "3.0.17". */
const char *tf_crypto_version(void);

/* SHA-256 of the whole file fd, from offset 0; *size becomes its bytes. */
TF_MUST_USE enum tf_code tf_hash_fd(int fd, struct tf_hash *out, uint64_t *size,
    struct tf_error *err);

#endif
