/* The key schedule of HPKE: see hpke.h. */
#include "hpke.h"

#include <string.h>

#define VERSION "HPKE-v1"
#define HASH_LEN 32
/* "HPKE", and the numbers of KEM, KDF and AEAD. */
#define SUITE "HPKE\x64\x7a\x00\x01\x00\x03"
#define SUITE_LEN 10
/* The longest labeled text: the schedule's context, its label, its length and
 * the counter of HKDF. */
#define LABELED_MAX 160

/* The texts of a label, one after the other. */
struct labeled {
	uint8_t b[LABELED_MAX];
	size_t n;
};

static void
add(struct labeled *l, const void *p, size_t n)
{
	memcpy(l->b + l->n, p, n);
	l->n += n;
}

static void
add_label(struct labeled *l, const char *label)
{
	add(l, VERSION, strlen(VERSION));
	add(l, SUITE, SUITE_LEN);
	add(l, label, strlen(label));
}

/* LabeledExtract (RFC 9180 4) of at most 64 bytes. */
static enum tf_code
extract(const void *salt, size_t salt_n, const char *label, const void *p,
    size_t n, struct tf_hash *out, struct tf_error *err)
{
	struct labeled l = { .n = 0 };
	enum tf_code rc;

	add_label(&l, label);
	add(&l, p, n);
	rc = tf_hmac(salt, salt_n, l.b, l.n, out, err);
	tf_wipe(&l, sizeof(l));
	return rc;
}

/* LabeledExpand (RFC 9180 4) to at most 32 bytes: one block of HKDF. */
static enum tf_code
expand(const struct tf_hash *secret, const char *label,
    const struct labeled *context, uint8_t *out, uint8_t n,
    struct tf_error *err)
{
	const uint8_t length[2] = { 0, n }, counter = 1;
	struct labeled l = { .n = 0 };
	struct tf_hash block;
	enum tf_code rc;

	add(&l, length, sizeof(length));
	add_label(&l, label);
	add(&l, context->b, context->n);
	add(&l, &counter, 1);
	rc = tf_hmac(secret->b, sizeof(secret->b), l.b, l.n, &block, err);
	if (rc == TF_OK)
		memcpy(out, block.b, n);
	tf_wipe(&block, sizeof(block));
	return rc;
}

/* In base mode, number 0, the preshared key and its name are empty. */
enum tf_code
tf_hpke_schedule(const uint8_t shared[32], const char *info,
    struct tf_hpke *out, struct tf_error *err)
{
	struct labeled context = { .b = { 0 }, .n = 1 };
	struct tf_hash hash, secret;
	enum tf_code rc;

	if ((rc = extract("", 0, "psk_id_hash", "", 0, &hash, err)) != TF_OK)
		return rc;
	add(&context, hash.b, HASH_LEN);
	rc = extract("", 0, "info_hash", info, strlen(info), &hash, err);
	if (rc != TF_OK)
		return rc;
	add(&context, hash.b, HASH_LEN);
	if ((rc = extract(shared, 32, "secret", "", 0, &secret, err)) ==
		TF_OK &&
	    (rc = expand(&secret, "key", &context, out->key, sizeof(out->key),
		 err)) == TF_OK)
		rc = expand(&secret, "base_nonce", &context, out->nonce,
		    sizeof(out->nonce), err);
	tf_wipe(&secret, sizeof(secret));
	return rc;
}
