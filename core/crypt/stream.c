/* The payload of an age file: see stream.h. */
#include "stream.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"

struct tf_stream {
	struct tf_aead *aead;
};

enum tf_code
tf_stream_new(const uint8_t file_key[TF_FILE_KEY_LEN],
    const uint8_t nonce[TF_AGE_NONCE_LEN], struct tf_stream **out,
    struct tf_error *err)
{
	struct tf_stream *s = calloc(1, sizeof(*s));
	uint8_t key[TF_HKDF_LEN];
	enum tf_code rc;

	if (s == NULL)
		return tf_nomem(err);
	rc = tf_hkdf(file_key, TF_FILE_KEY_LEN, nonce, TF_AGE_NONCE_LEN,
	    "payload", key, err);
	if (rc == TF_OK)
		rc = tf_aead_new(key, &s->aead, err);
	tf_wipe(key, sizeof(key));
	if (rc == TF_OK)
		*out = s;
	else
		tf_stream_free(s);
	return rc;
}

void
tf_stream_free(struct tf_stream *s)
{
	if (s == NULL)
		return;
	tf_aead_free(s->aead);
	free(s);
}

/* 11 bytes of the index, big-endian, and one byte for the last chunk. */
static void
make_nonce(uint64_t index, bool last, uint8_t out[TF_AEAD_NONCE_LEN])
{
	memset(out, 0, TF_AEAD_NONCE_LEN);
	tf_put_be64(out + 3, index);
	out[TF_AEAD_NONCE_LEN - 1] = last;
}

enum tf_code
tf_stream_seal(struct tf_stream *s, uint64_t index, bool last,
    const void *plain, size_t n, uint8_t *out, struct tf_error *err)
{
	uint8_t nonce[TF_AEAD_NONCE_LEN];

	make_nonce(index, last, nonce);
	return tf_aead_seal(s->aead, nonce, NULL, 0, plain, n, out, err);
}

enum tf_code
tf_stream_open(struct tf_stream *s, uint64_t index, bool last,
    const uint8_t *sealed, size_t n, void *out, struct tf_error *err)
{
	uint8_t nonce[TF_AEAD_NONCE_LEN];

	make_nonce(index, last, nonce);
	return tf_aead_open(s->aead, nonce, NULL, 0, sealed, n, out, err);
}
