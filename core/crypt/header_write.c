/* Writes headers: see header_write.h. */
#include "header_write.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "hpke.h"

static const uint8_t zero_nonce[TF_AEAD_NONCE_LEN];

/* Append n bytes as base64 without padding. */
static void
put_base64(struct tf_buf *out, const void *p, size_t n)
{
	tf_base64(out, p, n);
	while (!out->failed && out->n > 0 && out->p[out->n - 1] == '=')
		out->p[--out->n] = '\0';
}

/* Append the file key, sealed with wrap_key: the body of every stanza.  Each
 * wrap_key is used once. */
static enum tf_code
put_body(const uint8_t wrap_key[TF_HKDF_LEN],
    const uint8_t nonce[TF_AEAD_NONCE_LEN],
    const uint8_t file_key[TF_FILE_KEY_LEN], struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_aead *aead = NULL;
	uint8_t body[TF_AGE_BODY_LEN];
	enum tf_code rc;

	if ((rc = tf_aead_new(wrap_key, &aead, err)) == TF_OK)
		rc = tf_aead_seal(aead, nonce, NULL, 0, file_key,
		    TF_FILE_KEY_LEN, body, err);
	tf_aead_free(aead);
	if (rc != TF_OK)
		return rc;
	put_base64(out, body, sizeof(body));
	tf_buf_str(out, "\n");
	return TF_OK;
}

/* The salt is the ephemeral share and the recipient. */
static enum tf_code
put_x25519(const struct tf_recipient *r,
    const uint8_t file_key[TF_FILE_KEY_LEN], struct tf_buf *out,
    struct tf_error *err)
{
	uint8_t secret[TF_X25519_LEN], shared[TF_X25519_LEN], key[TF_HKDF_LEN];
	uint8_t salt[2 * TF_X25519_LEN];
	enum tf_code rc;

	memcpy(salt + TF_X25519_LEN, r->key, TF_X25519_LEN);
	if ((rc = tf_random(secret, sizeof(secret), err)) == TF_OK &&
	    (rc = tf_x25519_public(secret, salt, err)) == TF_OK &&
	    (rc = tf_x25519(secret, r->key, shared, err)) == TF_OK &&
	    (rc = tf_hkdf(shared, sizeof(shared), salt, sizeof(salt),
		 TF_AGE_X25519_INFO, key, err)) == TF_OK) {
		tf_buf_str(out, "-> X25519 ");
		put_base64(out, salt, TF_X25519_LEN);
		tf_buf_str(out, "\n");
		rc = put_body(key, zero_nonce, file_key, out, err);
	}
	tf_wipe(secret, sizeof(secret));
	tf_wipe(shared, sizeof(shared));
	tf_wipe(key, sizeof(key));
	return rc;
}

static enum tf_code
put_hybrid(const struct tf_recipient *r,
    const uint8_t file_key[TF_FILE_KEY_LEN], struct tf_buf *out,
    struct tf_error *err)
{
	uint8_t enc[TF_HYBRID_ENC_LEN], secret[TF_HYBRID_SECRET_LEN];
	struct tf_hpke hpke;
	enum tf_code rc;

	if ((rc = tf_hybrid_encaps(r->key, enc, secret, err)) == TF_OK &&
	    (rc = tf_hpke_schedule(secret, TF_AGE_HYBRID_INFO, &hpke, err)) ==
		TF_OK) {
		tf_buf_str(out, "-> " TF_AGE_HYBRID " ");
		put_base64(out, enc, sizeof(enc));
		tf_buf_str(out, "\n");
		rc = put_body(hpke.key, hpke.nonce, file_key, out, err);
	}
	tf_wipe(secret, sizeof(secret));
	tf_wipe(&hpke, sizeof(hpke));
	return rc;
}

/* The MAC covers the header from `from` up to the mark "---". */
static enum tf_code
end(const uint8_t file_key[TF_FILE_KEY_LEN], size_t from, struct tf_buf *out,
    struct tf_error *err)
{
	uint8_t key[TF_HKDF_LEN];
	struct tf_hash mac;
	enum tf_code rc;

	tf_buf_str(out, "---");
	if ((rc = tf_buf_end(out, err)) == TF_OK)
		rc = tf_hkdf(file_key, TF_FILE_KEY_LEN, NULL, 0, "header", key,
		    err);
	if (rc == TF_OK)
		rc = tf_hmac(key, sizeof(key), out->p + from, out->n - from,
		    &mac, err);
	tf_wipe(key, sizeof(key));
	if (rc != TF_OK)
		return rc;
	tf_buf_str(out, " ");
	put_base64(out, mac.b, sizeof(mac.b));
	tf_buf_str(out, "\n");
	return tf_buf_end(out, err);
}

enum tf_code
tf_header_write(const struct tf_recipients *r,
    const uint8_t file_key[TF_FILE_KEY_LEN], struct tf_buf *out,
    struct tf_error *err)
{
	size_t from = out->n;
	enum tf_code rc = TF_OK;

	if (r->n == 0)
		return tf_fail(err, TF_INVALID, "no recipient");
	tf_buf_str(out, TF_AGE_VERSION_LINE);
	for (size_t i = 0; i < r->n && rc == TF_OK; i++)
		rc = r->v[i].hybrid ? put_hybrid(&r->v[i], file_key, out, err) :
				      put_x25519(&r->v[i], file_key, out, err);
	return rc == TF_OK ? end(file_key, from, out, err) : rc;
}

/* The characters of n bytes in base64 without padding. */
static uint64_t
base64_length(uint64_t n)
{
	return (n * 4 + 2) / 3;
}

static uint64_t
stanza_length(const struct tf_recipient *r)
{
	uint64_t args = r->hybrid ?
	    strlen("-> " TF_AGE_HYBRID " ") + base64_length(TF_HYBRID_ENC_LEN) :
	    strlen("-> X25519 ") + base64_length(TF_X25519_LEN);

	return args + 1 + base64_length(TF_AGE_BODY_LEN) + 1;
}

uint64_t
tf_header_length(const struct tf_recipients *r)
{
	uint64_t n = strlen(TF_AGE_VERSION_LINE) + strlen("--- ") +
	    base64_length(TF_AGE_MAC_LEN) + 1;

	for (size_t i = 0; i < r->n; i++)
		n += stanza_length(&r->v[i]);
	return n;
}

enum tf_code
tf_header_write_passphrase(const char *passphrase, size_t n, unsigned log_n,
    const uint8_t file_key[TF_FILE_KEY_LEN], struct tf_buf *out,
    struct tf_error *err)
{
	uint8_t salt[sizeof(TF_AGE_SCRYPT_LABEL) - 1 + TF_AGE_SALT_LEN];
	uint8_t *random = salt + sizeof(TF_AGE_SCRYPT_LABEL) - 1;
	uint8_t key[TF_HKDF_LEN];
	size_t from = out->n;
	enum tf_code rc;

	if (n == 0)
		return tf_fail(err, TF_INVALID, "an empty passphrase");
	memcpy(salt, TF_AGE_SCRYPT_LABEL, sizeof(TF_AGE_SCRYPT_LABEL) - 1);
	if ((rc = tf_random(random, TF_AGE_SALT_LEN, err)) != TF_OK)
		return rc;
	rc = tf_scrypt(passphrase, n, salt, sizeof(salt), log_n, key, err);
	if (rc == TF_OK) {
		tf_buf_str(out, TF_AGE_VERSION_LINE "-> scrypt ");
		put_base64(out, random, TF_AGE_SALT_LEN);
		tf_buf_printf(out, " %u\n", log_n);
		rc = put_body(key, zero_nonce, file_key, out, err);
	}
	tf_wipe(key, sizeof(key));
	return rc == TF_OK ? end(file_key, from, out, err) : rc;
}
