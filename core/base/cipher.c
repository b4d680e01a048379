/* Encryption by OpenSSL: see cipher.h. */
#include "cipher.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>

#include "../types.h"

void
tf_wipe(void *p, size_t n)
{
	if (n > 0)
		OPENSSL_cleanse(p, n);
}

bool
tf_same_secret(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

/* --- X25519 ----------------------------------------------------------------- */

/* Any 32 bytes are a secret and any are a point, and deriving allocates
 * nothing: so only a result of zero makes EVP_PKEY_derive() fail. */
enum tf_code
tf_x25519(const uint8_t secret[TF_X25519_LEN],
    const uint8_t point[TF_X25519_LEN], uint8_t out[TF_X25519_LEN],
    struct tf_error *err)
{
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
	    secret, TF_X25519_LEN);
	EVP_PKEY *p = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point,
	    TF_X25519_LEN);
	EVP_PKEY_CTX *ctx = k != NULL ? EVP_PKEY_CTX_new(k, NULL) : NULL;
	size_t n = TF_X25519_LEN;
	enum tf_code rc = TF_OK;

	if (p == NULL || ctx == NULL || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, p) != 1)
		rc = tf_nomem(err);
	else if (EVP_PKEY_derive(ctx, out, &n) != 1)
		rc = tf_fail(err, TF_INVALID, "an X25519 key of low order");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(p);
	EVP_PKEY_free(k);
	return rc;
}

enum tf_code
tf_x25519_public(const uint8_t secret[TF_X25519_LEN],
    uint8_t out[TF_X25519_LEN], struct tf_error *err)
{
	EVP_PKEY *k = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL,
	    secret, TF_X25519_LEN);
	size_t n = TF_X25519_LEN;
	bool ok = k != NULL && EVP_PKEY_get_raw_public_key(k, out, &n) == 1;

	EVP_PKEY_free(k);
	return ok ? TF_OK : tf_nomem(err);
}

/* --- keys from secrets ------------------------------------------------------ */

enum tf_code
tf_hmac(const void *key, size_t key_n, const void *msg, size_t n,
    struct tf_hash *out, struct tf_error *err)
{
	unsigned len = sizeof(out->b);

	if (HMAC(EVP_sha256(), key, (int)key_n, msg, n, out->b, &len) == NULL)
		return tf_nomem(err);
	return TF_OK;
}

enum tf_code
tf_hkdf(const void *secret, size_t n, const void *salt, size_t salt_n,
    const char *info, uint8_t out[TF_HKDF_LEN], struct tf_error *err)
{
	static char sha256[] = "SHA256";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
	/* The parameters are only read; their type has no const. */
	OSSL_PARAM p[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, sha256,
		    0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY,
		    (void *)secret, n),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO,
		    (void *)info, strlen(info)),
		OSSL_PARAM_END,
		OSSL_PARAM_END,
	};
	bool ok;

	/* Without a salt, RFC 5869 2.2 takes zeros, and so does OpenSSL. */
	if (salt_n > 0)
		p[3] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT,
		    (void *)salt, salt_n);
	ok = ctx != NULL && EVP_KDF_derive(ctx, out, TF_HKDF_LEN, p) == 1;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok ? TF_OK : tf_nomem(err);
}

enum tf_code
tf_scrypt(const char *passphrase, size_t n, const void *salt, size_t salt_n,
    unsigned log_n, uint8_t out[32], struct tf_error *err)
{
	/* OpenSSL refuses to use more than the last but two argument: allow
	 * what 2^log_n needs, and some room for its small buffers. */
	uint64_t most = (UINT64_C(1) << (log_n + 10)) + (1 << 20);

	if (EVP_PBE_scrypt(passphrase, n, salt, salt_n, UINT64_C(1) << log_n, 8,
		1, most, out, 32) != 1)
		return tf_nomem(err);
	return TF_OK;
}

/* --- ChaCha20-Poly1305 ------------------------------------------------------ */

struct tf_aead {
	EVP_CIPHER_CTX *ctx;
};

enum tf_code
tf_aead_set_key(struct tf_aead *a, const uint8_t key[TF_AEAD_KEY_LEN],
    struct tf_error *err)
{
	if (EVP_EncryptInit_ex(a->ctx, NULL, NULL, key, NULL) != 1)
		return tf_nomem(err);
	return TF_OK;
}

enum tf_code
tf_aead_new(const uint8_t key[TF_AEAD_KEY_LEN], struct tf_aead **out,
    struct tf_error *err)
{
	struct tf_aead *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return tf_nomem(err);
	if ((a->ctx = EVP_CIPHER_CTX_new()) == NULL ||
	    EVP_EncryptInit_ex(a->ctx, EVP_chacha20_poly1305(), NULL, key,
		NULL) != 1) {
		tf_aead_free(a);
		return tf_nomem(err);
	}
	*out = a;
	return TF_OK;
}

void
tf_aead_free(struct tf_aead *a)
{
	if (a == NULL)
		return;
	EVP_CIPHER_CTX_free(a->ctx); /* wipes the key */
	free(a);
}

/* Begin with nonce and aad; the key stays that of the last tf_aead_set_key(). */
static bool
begin(EVP_CIPHER_CTX *ctx, bool seal, const uint8_t nonce[TF_AEAD_NONCE_LEN],
    const void *aad, size_t aad_n)
{
	int len;

	return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, nonce, seal) == 1 &&
	    (aad_n == 0 ||
		EVP_CipherUpdate(ctx, NULL, &len, aad, (int)aad_n) == 1);
}

enum tf_code
tf_aead_seal(struct tf_aead *a, const uint8_t nonce[TF_AEAD_NONCE_LEN],
    const void *aad, size_t aad_n, const void *plain, size_t n, uint8_t *out,
    struct tf_error *err)
{
	int len;

	if (!begin(a->ctx, true, nonce, aad, aad_n) ||
	    (n > 0 &&
		EVP_CipherUpdate(a->ctx, out, &len, plain, (int)n) != 1) ||
	    EVP_CipherFinal_ex(a->ctx, out + n, &len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, TF_AEAD_TAG_LEN,
		out + n) != 1)
		return tf_nomem(err);
	return TF_OK;
}

/* OpenSSL writes the text before it compares the tag, so out is wiped if they
 * differ.  The comparison allocates nothing: its failure is a wrong tag. */
enum tf_code
tf_aead_open(struct tf_aead *a, const uint8_t nonce[TF_AEAD_NONCE_LEN],
    const void *aad, size_t aad_n, const uint8_t *sealed, size_t n, void *out,
    struct tf_error *err)
{
	size_t plain = n - TF_AEAD_TAG_LEN;
	uint8_t tag[TF_AEAD_TAG_LEN], none[1];
	int len;

	if (n < TF_AEAD_TAG_LEN)
		return tf_fail(err, TF_TAMPER, "encrypted bytes are cut off");
	memcpy(tag, sealed + plain, sizeof(tag));
	if (!begin(a->ctx, false, nonce, aad, aad_n) ||
	    (plain > 0 &&
		EVP_CipherUpdate(a->ctx, out, &len, sealed, (int)plain) != 1) ||
	    EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag),
		tag) != 1) {
		tf_wipe(out, plain);
		return tf_nomem(err);
	}
	if (EVP_CipherFinal_ex(a->ctx, none, &len) != 1) {
		tf_wipe(out, plain);
		return tf_fail(err, TF_TAMPER, "encrypted bytes were altered");
	}
	return TF_OK;
}
