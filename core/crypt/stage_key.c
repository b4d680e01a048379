/*
 * Encryption of staged files: see stage_key.h.
 *
 * Wrapping a key and sealing a chunk are one operation, seal(), with another
 * secret, another purpose of the derived key and other authenticated bytes.
 */
#include "stage_key.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"

#define WRAP_INFO "trailfs stage v1 key"
#define CHUNK_INFO "trailfs stage v1 chunk"

/* Each derived key is used once, so the nonce is always the same. */
static const uint8_t zero_nonce[TF_AEAD_NONCE_LEN];

struct tf_stage_key {
	uint8_t b[TF_STAGE_KEY_LEN];
};

struct tf_staged_key {
	uint64_t file;
	uint8_t b[TF_STAGE_KEY_LEN];
};

static enum tf_code
derive(const uint8_t secret[TF_STAGE_KEY_LEN],
    const uint8_t salt[TF_STAGE_SALT_LEN], const char *info,
    struct tf_aead **out, struct tf_error *err)
{
	uint8_t key[TF_HKDF_LEN];
	enum tf_code rc;

	rc = tf_hkdf(secret, TF_STAGE_KEY_LEN, salt, TF_STAGE_SALT_LEN, info,
	    key, err);
	if (rc == TF_OK)
		rc = tf_aead_new(key, out, err);
	tf_wipe(key, sizeof(key));
	return rc;
}

static enum tf_code
seal(const uint8_t secret[TF_STAGE_KEY_LEN], const char *info,
    const uint8_t *aad, size_t aad_n, const void *p, size_t n, uint8_t *out,
    struct tf_error *err)
{
	struct tf_aead *aead = NULL;
	enum tf_code rc;

	if ((rc = tf_random(out, TF_STAGE_SALT_LEN, err)) == TF_OK &&
	    (rc = derive(secret, out, info, &aead, err)) == TF_OK)
		rc = tf_aead_seal(aead, zero_nonce, aad, aad_n, p, n,
		    out + TF_STAGE_SALT_LEN, err);
	tf_aead_free(aead);
	return rc;
}

static enum tf_code
open_sealed(const uint8_t secret[TF_STAGE_KEY_LEN], const char *info,
    const uint8_t *aad, size_t aad_n, const uint8_t *sealed, size_t n,
    void *out, struct tf_error *err)
{
	struct tf_aead *aead = NULL;
	enum tf_code rc;

	if (n < TF_STAGE_ADDED)
		return tf_fail(err, TF_TAMPER, "encrypted bytes are cut off");
	if ((rc = derive(secret, sealed, info, &aead, err)) == TF_OK)
		rc = tf_aead_open(aead, zero_nonce, aad, aad_n,
		    sealed + TF_STAGE_SALT_LEN, n - TF_STAGE_SALT_LEN, out,
		    err);
	tf_aead_free(aead);
	return rc;
}

/* --- the key of the stage --------------------------------------------------- */

void
tf_stage_key_free(struct tf_stage_key *k)
{
	if (k == NULL)
		return;
	tf_wipe(k, sizeof(*k));
	free(k);
}

enum tf_code
tf_stage_key_create(int dirfd, const char *name, struct tf_stage_key **out,
    struct tf_error *err)
{
	struct tf_stage_key *k = malloc(sizeof(*k));
	enum tf_code rc;

	if (k == NULL)
		return tf_nomem(err);
	if ((rc = tf_random(k->b, sizeof(k->b), err)) == TF_OK)
		rc = tf_file_write(dirfd, name, k->b, sizeof(k->b), 0400, false,
		    err);
	if (rc == TF_OK)
		*out = k;
	else
		tf_stage_key_free(k);
	return rc;
}

/* One byte more than a key shows that the file is too long. */
enum tf_code
tf_stage_key_load(int dirfd, const char *name, struct tf_stage_key **out,
    struct tf_error *err)
{
	uint8_t bytes[TF_STAGE_KEY_LEN + 1];
	enum tf_code rc;
	size_t n = 0;

	rc = tf_secret_read(dirfd, name, bytes, sizeof(bytes), &n, err);
	if (rc == TF_OK && n != TF_STAGE_KEY_LEN)
		rc = tf_fail(err, TF_INVALID, "key %s has not %d bytes", name,
		    TF_STAGE_KEY_LEN);
	if (rc == TF_OK && (*out = malloc(sizeof(**out))) == NULL)
		rc = tf_nomem(err);
	if (rc == TF_OK)
		memcpy((*out)->b, bytes, TF_STAGE_KEY_LEN);
	tf_wipe(bytes, sizeof(bytes));
	return rc;
}

/* --- the key of a file ------------------------------------------------------ */

void
tf_staged_key_free(struct tf_staged_key *k)
{
	if (k == NULL)
		return;
	tf_wipe(k, sizeof(*k));
	free(k);
}

enum tf_code
tf_staged_key_new(uint64_t file, struct tf_staged_key **out,
    struct tf_error *err)
{
	struct tf_staged_key *k = malloc(sizeof(*k));
	enum tf_code rc;

	if (k == NULL)
		return tf_nomem(err);
	k->file = file;
	if ((rc = tf_random(k->b, sizeof(k->b), err)) == TF_OK)
		*out = k;
	else
		tf_staged_key_free(k);
	return rc;
}

enum tf_code
tf_staged_key_wrap(const struct tf_staged_key *k,
    const struct tf_stage_key *stage, uint8_t out[TF_WRAPPED_KEY_LEN],
    struct tf_error *err)
{
	uint8_t aad[8];

	tf_put_be64(aad, k->file);
	return seal(stage->b, WRAP_INFO, aad, sizeof(aad), k->b, sizeof(k->b),
	    out, err);
}

enum tf_code
tf_staged_key_unwrap(const uint8_t wrapped[TF_WRAPPED_KEY_LEN], uint64_t file,
    const struct tf_stage_key *stage, struct tf_staged_key **out,
    struct tf_error *err)
{
	struct tf_staged_key *k = malloc(sizeof(*k));
	uint8_t aad[8];
	enum tf_code rc;

	if (k == NULL)
		return tf_nomem(err);
	k->file = file;
	tf_put_be64(aad, file);
	rc = open_sealed(stage->b, WRAP_INFO, aad, sizeof(aad), wrapped,
	    TF_WRAPPED_KEY_LEN, k->b, err);
	if (rc == TF_OK)
		*out = k;
	else
		tf_staged_key_free(k);
	return rc;
}

/* --- chunks ----------------------------------------------------------------- */

enum tf_code
tf_staged_seal(const struct tf_staged_key *k, uint64_t index, const void *p,
    size_t n, uint8_t *out, struct tf_error *err)
{
	uint8_t aad[16];

	tf_put_be64(aad, k->file);
	tf_put_be64(aad + 8, index);
	return seal(k->b, CHUNK_INFO, aad, sizeof(aad), p, n, out, err);
}

enum tf_code
tf_staged_open(const struct tf_staged_key *k, uint64_t index,
    const uint8_t *sealed, size_t n, void *out, struct tf_error *err)
{
	uint8_t aad[16];

	tf_put_be64(aad, k->file);
	tf_put_be64(aad + 8, index);
	return open_sealed(k->b, CHUNK_INFO, aad, sizeof(aad), sealed, n, out,
	    err);
}
