/*
 * The only caller of OpenSSL: SHA-256, Ed25519 (RFC 8032), random bytes.
 * Keys on disk are PEM PKCS#8, mode 0400.  Secrets are wiped here.
 */
#ifndef TF_BASE_CRYPTO_H
#define TF_BASE_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_hash;

void tf_sha256(const void *p, size_t n, struct tf_hash *out);
/* SHA-256 of a one-byte prefix and two runs: RFC 6962 leaves and nodes. */
void tf_sha256_prefixed(uint8_t prefix, const void *a, size_t an, const void *b,
    size_t bn, struct tf_hash *out);

/* A digest in progress.  NULL from new: no memory. */
struct tf_sha256;
struct tf_sha256 *tf_sha256_new(void);
void tf_sha256_free(struct tf_sha256 *h);
void tf_sha256_reset(struct tf_sha256 *h);
void tf_sha256_add(struct tf_sha256 *h, const void *p, size_t n);
/* The digest of what was added so far; more may be added afterwards. */
void tf_sha256_peek(const struct tf_sha256 *h, struct tf_hash *out);

#define TF_PUBKEY_LEN 32
#define TF_SIG_LEN 64
struct tf_pubkey {
	uint8_t b[TF_PUBKEY_LEN];
};

/* A private key.  Safe from many threads at once. */
struct tf_key;
void tf_key_free(struct tf_key *k);
TF_MUST_USE enum tf_code tf_key_generate(struct tf_key **out,
    struct tf_error *err);
/* From a 32-byte RFC 8032 seed: for published test vectors. */
TF_MUST_USE enum tf_code tf_key_from_seed(const uint8_t seed[32],
    struct tf_key **out, struct tf_error *err);
/*
 * Read a PEM file below dirfd.  Refuses a symlink, more than one link, an
 * owner that is neither the process nor root, and any mode bit for group or
 * others (TF_FOREIGN); TF_INVALID when it is not an Ed25519 key, TF_NOMEM when
 * that could not be told.
 */
TF_MUST_USE enum tf_code tf_key_load(int dirfd, const char *name,
    struct tf_key **out, struct tf_error *err);
/* Write the PEM file, mode 0400, durable; TF_EXISTS when it is there. */
TF_MUST_USE enum tf_code tf_key_save(const struct tf_key *k, int dirfd,
    const char *name, struct tf_error *err);
void tf_key_public(const struct tf_key *k, struct tf_pubkey *out);
TF_MUST_USE enum tf_code tf_key_sign(const struct tf_key *k, const void *msg,
    size_t n, uint8_t sig[TF_SIG_LEN], struct tf_error *err);
/* TF_OK, or TF_TAMPER: it is not so signed; TF_NOMEM: nobody can tell. */
TF_MUST_USE enum tf_code tf_key_verify(const struct tf_pubkey *pub,
    const void *msg, size_t n, const uint8_t sig[TF_SIG_LEN]);

/* DER SubjectPublicKeyInfo: 44 bytes, and as PEM text. */
#define TF_SPKI_LEN 44
void tf_pubkey_spki(const struct tf_pubkey *pub, uint8_t out[TF_SPKI_LEN]);
void tf_pubkey_pem(const struct tf_pubkey *pub, struct tf_buf *out);

TF_MUST_USE enum tf_code tf_random(void *p, size_t n, struct tf_error *err);

/* "3.0.17": the library that is loaded. */
const char *tf_crypto_version(void);

/* SHA-256 of a whole file descriptor. */
TF_MUST_USE enum tf_code tf_hash_fd(int fd, struct tf_hash *out, uint64_t *size,
    struct tf_error *err);

#endif
