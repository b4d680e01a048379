/*
 * MLKEM768-X25519 by OpenSSL: see hybrid.h.
 *
 * The names of algorithms and parameters are texts, so that this compiles with
 * any OpenSSL 3, and works as soon as the library has them.
 */
#include "hybrid.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "cipher.h"
#include "crypto.h"

#define MLKEM "ML-KEM-768"
#define MLKEM_SEED "seed" /* the name of a parameter in OpenSSL 3.5 */
#define MLKEM_SEED_LEN 64
#define MLKEM_KEY_LEN 1184
#define MLKEM_CT_LEN 1088
#define MLKEM_SECRET_LEN 32

bool
tf_hybrid_there(void)
{
	EVP_KEYMGMT *m = EVP_KEYMGMT_fetch(NULL, MLKEM, NULL);
	bool there = m != NULL;

	EVP_KEYMGMT_free(m);
	ERR_clear_error();
	return there;
}

/* The reason why libcrypto did not take a key. */
static enum tf_code
fail(struct tf_error *err)
{
	if (tf_crypto_lacks_memory())
		return tf_nomem(err);
	if (!tf_hybrid_there())
		return tf_fail(err, TF_UNSUPPORTED,
		    "a post-quantum key needs libcrypto 3.5");
	return tf_fail(err, TF_INVALID, "not a post-quantum key");
}

/* The secret keys of both, from the seed ("expandKey"). */
struct expanded {
	uint8_t mlkem[MLKEM_SEED_LEN], x25519[TF_X25519_LEN];
};

static enum tf_code
expand(const uint8_t seed[TF_HYBRID_SEED_LEN], struct expanded *out,
    struct tf_error *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t all[MLKEM_SEED_LEN + TF_X25519_LEN];
	bool ok = ctx != NULL &&
	    EVP_DigestInit_ex(ctx, EVP_shake256(), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, seed, TF_HYBRID_SEED_LEN) == 1 &&
	    EVP_DigestFinalXOF(ctx, all, sizeof(all)) == 1;

	EVP_MD_CTX_free(ctx);
	if (ok) {
		memcpy(out->mlkem, all, MLKEM_SEED_LEN);
		memcpy(out->x25519, all + MLKEM_SEED_LEN, TF_X25519_LEN);
	}
	tf_wipe(all, sizeof(all));
	return ok ? TF_OK : tf_nomem(err);
}

/* NULL: libcrypto has no ML-KEM, or no memory. */
static EVP_PKEY *
mlkem_key(const uint8_t seed[MLKEM_SEED_LEN])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, MLKEM, NULL);
	OSSL_PARAM p[] = {
		OSSL_PARAM_construct_octet_string(MLKEM_SEED, (void *)seed,
		    MLKEM_SEED_LEN),
		OSSL_PARAM_END,
	};
	EVP_PKEY *k = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_KEYPAIR, p) != 1)
		k = NULL;
	EVP_PKEY_CTX_free(ctx);
	return k;
}

/* secret = SHA3-256(of ML-KEM, of X25519, share, X25519 key, label). */
static enum tf_code
combine(const uint8_t mlkem[MLKEM_SECRET_LEN],
    const uint8_t x25519[TF_X25519_LEN], const uint8_t share[TF_X25519_LEN],
    const uint8_t key[TF_X25519_LEN], uint8_t out[TF_HYBRID_SECRET_LEN],
    struct tf_error *err)
{
	static const char label[] = "\\.//^\\";
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx != NULL &&
	    EVP_DigestInit_ex(ctx, EVP_sha3_256(), NULL) == 1 &&
	    EVP_DigestUpdate(ctx, mlkem, MLKEM_SECRET_LEN) == 1 &&
	    EVP_DigestUpdate(ctx, x25519, TF_X25519_LEN) == 1 &&
	    EVP_DigestUpdate(ctx, share, TF_X25519_LEN) == 1 &&
	    EVP_DigestUpdate(ctx, key, TF_X25519_LEN) == 1 &&
	    EVP_DigestUpdate(ctx, label, strlen(label)) == 1 &&
	    EVP_DigestFinal_ex(ctx, out, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	return ok ? TF_OK : tf_nomem(err);
}

enum tf_code
tf_hybrid_public(const uint8_t seed[TF_HYBRID_SEED_LEN],
    uint8_t out[TF_HYBRID_KEY_LEN], struct tf_error *err)
{
	size_t n = MLKEM_KEY_LEN;
	struct expanded e;
	EVP_PKEY *k;
	enum tf_code rc;

	tf_crypto_note_memory();
	if ((rc = expand(seed, &e, err)) != TF_OK)
		return rc;
	k = mlkem_key(e.mlkem);
	if (k == NULL || EVP_PKEY_get_raw_public_key(k, out, &n) != 1)
		rc = fail(err);
	else
		rc = tf_x25519_public(e.x25519, out + MLKEM_KEY_LEN, err);
	EVP_PKEY_free(k);
	tf_wipe(&e, sizeof(e));
	return rc;
}

/* The ML-KEM part of a new secret. */
static enum tf_code
mlkem_encaps(const uint8_t key[MLKEM_KEY_LEN], uint8_t ct[MLKEM_CT_LEN],
    uint8_t secret[MLKEM_SECRET_LEN], struct tf_error *err)
{
	EVP_PKEY *k = EVP_PKEY_new_raw_public_key_ex(NULL, MLKEM, NULL, key,
	    MLKEM_KEY_LEN);
	EVP_PKEY_CTX *ctx = k == NULL ?
	    NULL :
	    EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
	size_t ct_n = MLKEM_CT_LEN, secret_n = MLKEM_SECRET_LEN;
	enum tf_code rc = TF_OK;

	if (ctx == NULL || EVP_PKEY_encapsulate_init(ctx, NULL) != 1 ||
	    EVP_PKEY_encapsulate(ctx, ct, &ct_n, secret, &secret_n) != 1)
		rc = fail(err);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(k);
	return rc;
}

static enum tf_code
mlkem_decaps(const uint8_t seed[MLKEM_SEED_LEN], const uint8_t ct[MLKEM_CT_LEN],
    uint8_t secret[MLKEM_SECRET_LEN], struct tf_error *err)
{
	EVP_PKEY *k = mlkem_key(seed);
	EVP_PKEY_CTX *ctx = k == NULL ?
	    NULL :
	    EVP_PKEY_CTX_new_from_pkey(NULL, k, NULL);
	size_t n = MLKEM_SECRET_LEN;
	enum tf_code rc = TF_OK;

	if (ctx == NULL || EVP_PKEY_decapsulate_init(ctx, NULL) != 1 ||
	    EVP_PKEY_decapsulate(ctx, secret, &n, ct, MLKEM_CT_LEN) != 1)
		rc = fail(err);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(k);
	return rc;
}

enum tf_code
tf_hybrid_encaps(const uint8_t key[TF_HYBRID_KEY_LEN],
    uint8_t enc[TF_HYBRID_ENC_LEN], uint8_t secret[TF_HYBRID_SECRET_LEN],
    struct tf_error *err)
{
	const uint8_t *point = key + MLKEM_KEY_LEN;
	uint8_t mlkem[MLKEM_SECRET_LEN], x25519[TF_X25519_LEN];
	uint8_t ephemeral[TF_X25519_LEN], *share = enc + MLKEM_CT_LEN;
	enum tf_code rc;

	tf_crypto_note_memory();
	if ((rc = mlkem_encaps(key, enc, mlkem, err)) == TF_OK &&
	    (rc = tf_random(ephemeral, sizeof(ephemeral), err)) == TF_OK &&
	    (rc = tf_x25519_public(ephemeral, share, err)) == TF_OK &&
	    (rc = tf_x25519(ephemeral, point, x25519, err)) == TF_OK)
		rc = combine(mlkem, x25519, share, point, secret, err);
	tf_wipe(mlkem, sizeof(mlkem));
	tf_wipe(x25519, sizeof(x25519));
	tf_wipe(ephemeral, sizeof(ephemeral));
	return rc;
}

enum tf_code
tf_hybrid_decaps(const uint8_t seed[TF_HYBRID_SEED_LEN],
    const uint8_t enc[TF_HYBRID_ENC_LEN], uint8_t secret[TF_HYBRID_SECRET_LEN],
    struct tf_error *err)
{
	uint8_t mlkem[MLKEM_SECRET_LEN], x25519[TF_X25519_LEN];
	const uint8_t *share = enc + MLKEM_CT_LEN;
	uint8_t point[TF_X25519_LEN];
	struct expanded e;
	enum tf_code rc;

	tf_crypto_note_memory();
	if ((rc = expand(seed, &e, err)) == TF_OK &&
	    (rc = mlkem_decaps(e.mlkem, enc, mlkem, err)) == TF_OK &&
	    (rc = tf_x25519_public(e.x25519, point, err)) == TF_OK &&
	    (rc = tf_x25519(e.x25519, share, x25519, err)) == TF_OK)
		rc = combine(mlkem, x25519, share, point, secret, err);
	tf_wipe(&e, sizeof(e));
	tf_wipe(mlkem, sizeof(mlkem));
	tf_wipe(x25519, sizeof(x25519));
	return rc;
}
