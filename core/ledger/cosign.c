/* Cosignatures: made and checked, over one and the same message. */
#include "cosign.h"

#include <string.h>

#include "../base/bytes.h"
#include "checkpoint.h"
#include "name.h"

#define TIME_LEN 8

static void
add_message(struct tf_buf *out, uint64_t time, struct tf_str body)
{
	tf_buf_printf(out, "cosignature/v1\ntime %llu\n",
	    (unsigned long long)time);
	tf_buf_add(out, body.p, body.n);
}

enum tf_code
tf_cosign_line(const struct tf_key *key, const char *name, uint64_t time,
    struct tf_str body, struct tf_buf *out, struct tf_error *err)
{
	uint8_t sig[TIME_LEN + TF_SIG_LEN];
	struct tf_buf message = { 0 };
	struct tf_pubkey pub;
	struct tf_vkey k;
	enum tf_code rc;

	if (strlen(name) > TF_ORIGIN_MAX || !tf_origin_ok(name, strlen(name)))
		return tf_fail(err, TF_INVALID, "cosigner: not a name: %s",
		    name);
	if (time > INT64_MAX)
		return tf_fail(err, TF_INVALID, "cosignature: bad time");
	tf_key_public(key, &pub);
	tf_cosign_vkey_make(&k, name, &pub);
	tf_put_be64(sig, time);
	add_message(&message, time, body);
	rc = tf_buf_end(&message, err);
	if (rc == TF_OK)
		rc = tf_key_sign(key, message.p, message.n, sig + TIME_LEN,
		    err);
	tf_buf_free(&message);
	if (rc != TF_OK)
		return rc;
	tf_note_add_line(out, &k, sig, sizeof(sig));
	return tf_buf_end(out, err);
}

static uint64_t
get_be64(const uint8_t *p)
{
	return (uint64_t)tf_get_be32(p) << 32 | tf_get_be32(p + 4);
}

static enum tf_code
verify_line(void *newest, struct tf_str body, const struct tf_note_line *line,
    const struct tf_vkey *k)
{
	uint8_t b[sizeof(k->id) + TIME_LEN + TF_SIG_LEN];
	struct tf_buf message = { 0 };
	uint64_t *max = newest, time;
	enum tf_code rc = TF_NOMEM;

	if (!tf_unbase64_exact(line->b64.p, line->b64.n, b, sizeof(b)))
		return TF_TAMPER;
	time = get_be64(b + sizeof(k->id));
	if (time > INT64_MAX)
		return TF_TAMPER;
	add_message(&message, time, body);
	if (!message.failed)
		rc = tf_key_verify(&k->pub, message.p, message.n,
		    b + sizeof(k->id) + TIME_LEN);
	tf_buf_free(&message);
	if (rc == TF_OK && time > *max)
		*max = time;
	return rc;
}

enum tf_code
tf_cosign_check(const struct tf_vkey *k, const char *note, size_t n,
    uint64_t *time, struct tf_error *err)
{
	struct tf_note parts;
	struct tf_checkpoint c;
	uint64_t newest = 0;
	enum tf_code rc;

	if ((rc = tf_checkpoint_parse(note, n, &parts, &c, err)) != TF_OK)
		return rc;
	if (k->type != TF_VKEY_COSIGNER)
		return tf_fail(err, TF_INVALID,
		    "key: not the key of a cosigner");
	switch (tf_note_verify(&parts, k, verify_line, &newest)) {
	case TF_OK:
		*time = newest;
		return TF_OK;
	case TF_NOTFOUND:
		return tf_fail(err, TF_NOTFOUND,
		    "checkpoint: no cosignature of %s", k->name);
	case TF_TAMPER:
		return tf_fail(err, TF_TAMPER,
		    "checkpoint: the cosignature of %s is wrong", k->name);
	default:
		return tf_nomem(err);
	}
}
