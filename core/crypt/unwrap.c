/*
 * Finds the file key: see unwrap.h.
 *
 * A stanza does not say for whom it is: each identity tries each stanza of its
 * type, and the AEAD says which of them fits.
 */
#include "unwrap.h"

#include <errno.h>
#include <string.h>

#include "hpke.h"

static const uint8_t zero_nonce[TF_AEAD_NONCE_LEN];

/* Open the body of s.  TF_TAMPER: another key sealed it. */
static enum tf_code
open_body(const struct tf_header *h, const struct tf_stanza *s,
    const uint8_t wrap_key[TF_HKDF_LEN], const uint8_t nonce[TF_AEAD_NONCE_LEN],
    uint8_t file_key[TF_FILE_KEY_LEN], struct tf_error *err)
{
	const uint8_t *body = (const uint8_t *)h->bodies.p + s->body_at;
	struct tf_aead *aead = NULL;
	enum tf_code rc;

	if ((rc = tf_aead_new(wrap_key, &aead, err)) == TF_OK)
		rc = tf_aead_open(aead, nonce, NULL, 0, body, s->body_n,
		    file_key, err);
	tf_aead_free(aead);
	return rc;
}

static enum tf_code
open_x25519(const struct tf_header *h, const struct tf_stanza *s,
    const struct tf_identity *id, uint8_t file_key[TF_FILE_KEY_LEN],
    struct tf_error *err)
{
	uint8_t salt[2 * TF_X25519_LEN], shared[TF_X25519_LEN];
	uint8_t key[TF_HKDF_LEN];
	enum tf_code rc;

	if (!tf_stanza_bytes(s, 1, salt, TF_X25519_LEN))
		return tf_fail(err, TF_INVALID, "a malformed X25519 stanza");
	memcpy(salt + TF_X25519_LEN, id->recipient, TF_X25519_LEN);
	if ((rc = tf_x25519(id->secret, salt, shared, err)) == TF_OK &&
	    (rc = tf_hkdf(shared, sizeof(shared), salt, sizeof(salt),
		 TF_AGE_X25519_INFO, key, err)) == TF_OK)
		rc = open_body(h, s, key, zero_nonce, file_key, err);
	tf_wipe(shared, sizeof(shared));
	tf_wipe(key, sizeof(key));
	return rc;
}

static enum tf_code
open_hybrid(const struct tf_header *h, const struct tf_stanza *s,
    const struct tf_identity *id, uint8_t file_key[TF_FILE_KEY_LEN],
    struct tf_error *err)
{
	uint8_t enc[TF_HYBRID_ENC_LEN], secret[TF_HYBRID_SECRET_LEN];
	struct tf_hpke hpke;
	enum tf_code rc;

	if (!tf_stanza_bytes(s, 1, enc, sizeof(enc)))
		return tf_fail(err, TF_INVALID,
		    "a malformed " TF_AGE_HYBRID " stanza");
	if ((rc = tf_hybrid_decaps(id->secret, enc, secret, err)) == TF_OK &&
	    (rc = tf_hpke_schedule(secret, TF_AGE_HYBRID_INFO, &hpke, err)) ==
		TF_OK)
		rc = open_body(h, s, hpke.key, hpke.nonce, file_key, err);
	tf_wipe(secret, sizeof(secret));
	tf_wipe(&hpke, sizeof(hpke));
	return rc;
}

static enum tf_code
open_scrypt(const struct tf_header *h, const struct tf_stanza *s,
    const struct tf_passphrase *phrase, uint8_t file_key[TF_FILE_KEY_LEN],
    struct tf_error *err)
{
	uint8_t salt[sizeof(TF_AGE_SCRYPT_LABEL) - 1 + TF_AGE_SALT_LEN];
	unsigned log_n = tf_stanza_log_n(s);
	uint8_t key[TF_HKDF_LEN];
	enum tf_code rc;

	memcpy(salt, TF_AGE_SCRYPT_LABEL, sizeof(TF_AGE_SCRYPT_LABEL) - 1);
	if (!tf_stanza_bytes(s, 1, salt + sizeof(TF_AGE_SCRYPT_LABEL) - 1,
		TF_AGE_SALT_LEN))
		return tf_fail(err, TF_INVALID, "a malformed scrypt stanza");
	if (log_n > TF_AGE_SCRYPT_LOG_N_MAX)
		return tf_fail(err, TF_INVALID,
		    "the passphrase has a work factor of 2^%u, more than 2^%d",
		    log_n, TF_AGE_SCRYPT_LOG_N_MAX);
	rc = tf_scrypt(phrase->p, phrase->n, salt, sizeof(salt), log_n, key,
	    err);
	if (rc == TF_OK)
		rc = open_body(h, s, key, zero_nonce, file_key, err);
	tf_wipe(key, sizeof(key));
	return rc;
}

/* With any identity.  TF_TAMPER: none fits. */
static enum tf_code
open_stanza(const struct tf_header *h, const struct tf_stanza *s,
    const struct tf_identities *ids, uint8_t file_key[TF_FILE_KEY_LEN],
    struct tf_error *err)
{
	bool x25519 = tf_stanza_is(s, "X25519");
	bool hybrid = tf_stanza_is(s, TF_AGE_HYBRID);
	enum tf_code rc = TF_TAMPER;

	for (size_t i = 0; i < ids->keys && rc == TF_TAMPER; i++) {
		const struct tf_identity *id = &ids->key[i];

		if (x25519 && !id->hybrid)
			rc = open_x25519(h, s, id, file_key, err);
		if (hybrid && id->hybrid)
			rc = open_hybrid(h, s, id, file_key, err);
	}
	if (tf_stanza_is(s, "scrypt"))
		for (size_t i = 0; i < ids->phrases && rc == TF_TAMPER; i++)
			rc = open_scrypt(h, s, &ids->phrase[i], file_key, err);
	return rc;
}

static enum tf_code
no_match(const struct tf_header *h, const struct tf_identities *ids,
    struct tf_error *err)
{
	errno = 0; /* it is no failure of the system */
	if (!tf_stanza_is(&h->stanza[0], "scrypt"))
		return tf_fail(err, TF_ACCESS,
		    "none of the identities opens the file");
	return tf_fail(err, TF_ACCESS,
	    ids->phrases == 0 ? "the file is encrypted with a passphrase" :
				"the passphrase is wrong");
}

static enum tf_code
check_mac(const struct tf_header *h, const char *text,
    const uint8_t file_key[TF_FILE_KEY_LEN], struct tf_error *err)
{
	uint8_t key[TF_HKDF_LEN];
	struct tf_hash mac;
	enum tf_code rc;

	rc = tf_hkdf(file_key, TF_FILE_KEY_LEN, NULL, 0, "header", key, err);
	if (rc == TF_OK)
		rc = tf_hmac(key, sizeof(key), text, h->mac_of, &mac, err);
	tf_wipe(key, sizeof(key));
	if (rc == TF_OK && !tf_same_secret(mac.b, h->mac, sizeof(h->mac)))
		rc = tf_fail(err, TF_TAMPER, "the header was altered");
	return rc;
}

enum tf_code
tf_header_unwrap(const struct tf_header *h, const char *text,
    const struct tf_identities *ids, uint8_t file_key[TF_FILE_KEY_LEN],
    struct tf_error *err)
{
	enum tf_code rc = TF_TAMPER;

	for (size_t i = 0; i < h->n && rc == TF_TAMPER; i++)
		rc = open_stanza(h, &h->stanza[i], ids, file_key, err);
	if (rc == TF_TAMPER)
		return no_match(h, ids, err);
	return rc == TF_OK ? check_mac(h, text, file_key, err) : rc;
}
