/*
 * Encrypts to the age v1 format: see age_write.h.
 *
 * Only the end tells which chunk is the last one.  So a full chunk waits in the
 * buffer until another byte comes, or the end.
 */
#include "age_write.h"

#include <stdlib.h>
#include <string.h>

#include "../base/crypto.h"
#include "header_write.h"
#include "stream.h"

struct tf_age_writer {
	struct tf_stream *stream;
	tf_age_put *put;
	void *arg;
	uint64_t index; /* of the next chunk */
	size_t have;	/* bytes of text */
	uint8_t text[TF_CHUNK_LEN], sealed[TF_SEALED_LEN];
};

/* Put the header and the nonce, and derive the payload key. */
static enum tf_code
begin(struct tf_age_writer *w, const uint8_t file_key[TF_FILE_KEY_LEN],
    struct tf_buf *header, struct tf_error *err)
{
	uint8_t nonce[TF_AGE_NONCE_LEN];
	enum tf_code rc;

	if ((rc = tf_random(nonce, sizeof(nonce), err)) != TF_OK ||
	    (rc = tf_stream_new(file_key, nonce, &w->stream, err)) != TF_OK)
		return rc;
	tf_buf_add(header, nonce, sizeof(nonce));
	if ((rc = tf_buf_end(header, err)) != TF_OK)
		return rc;
	return w->put(w->arg, header->p, header->n, err);
}

/* To r, or to the passphrase if r is NULL. */
static enum tf_code
make(const struct tf_recipients *r, const char *passphrase, size_t n,
    unsigned log_n, tf_age_put *put, void *arg, struct tf_age_writer **out,
    struct tf_error *err)
{
	struct tf_age_writer *w = malloc(sizeof(*w));
	uint8_t file_key[TF_FILE_KEY_LEN];
	struct tf_buf header = { 0 };
	enum tf_code rc;

	if (w == NULL)
		return tf_nomem(err);
	w->stream = NULL;
	w->put = put;
	w->arg = arg;
	w->index = 0;
	w->have = 0;
	if ((rc = tf_random(file_key, sizeof(file_key), err)) == TF_OK)
		rc = r != NULL ? tf_header_write(r, file_key, &header, err) :
				 tf_header_write_passphrase(passphrase, n,
				     log_n, file_key, &header, err);
	if (rc == TF_OK)
		rc = begin(w, file_key, &header, err);
	tf_wipe(file_key, sizeof(file_key));
	tf_buf_free(&header);
	if (rc == TF_OK)
		*out = w;
	else
		tf_age_writer_free(w);
	return rc;
}

enum tf_code
tf_age_writer_new(const struct tf_recipients *r, tf_age_put *put, void *arg,
    struct tf_age_writer **out, struct tf_error *err)
{
	return make(r, NULL, 0, 0, put, arg, out, err);
}

enum tf_code
tf_age_writer_new_passphrase(const char *passphrase, size_t n, unsigned log_n,
    tf_age_put *put, void *arg, struct tf_age_writer **out,
    struct tf_error *err)
{
	return make(NULL, passphrase, n, log_n, put, arg, out, err);
}

void
tf_age_writer_free(struct tf_age_writer *w)
{
	if (w == NULL)
		return;
	tf_stream_free(w->stream);
	tf_wipe(w->text, sizeof(w->text));
	free(w);
}

static enum tf_code
put_chunk(struct tf_age_writer *w, const void *p, size_t n, bool last,
    struct tf_error *err)
{
	enum tf_code rc;

	rc = tf_stream_seal(w->stream, w->index, last, p, n, w->sealed, err);
	if (rc != TF_OK)
		return rc;
	w->index++;
	return w->put(w->arg, w->sealed, n + TF_AEAD_TAG_LEN, err);
}

/* A chunk of p with a byte behind it is not the last one, and is sealed in
 * place. */
enum tf_code
tf_age_writer_add(struct tf_age_writer *w, const void *p, size_t n,
    struct tf_error *err)
{
	const uint8_t *s = p;
	enum tf_code rc = TF_OK;

	while (n > 0 && rc == TF_OK) {
		size_t take = TF_CHUNK_LEN - w->have;

		if (take == 0) {
			rc = put_chunk(w, w->text, TF_CHUNK_LEN, false, err);
			w->have = 0;
			continue;
		}
		if (take == TF_CHUNK_LEN && n > TF_CHUNK_LEN) {
			rc = put_chunk(w, s, TF_CHUNK_LEN, false, err);
		} else {
			take = n < take ? n : take;
			memcpy(w->text + w->have, s, take);
			w->have += take;
		}
		s += take;
		n -= take;
	}
	return rc;
}

enum tf_code
tf_age_writer_end(struct tf_age_writer *w, struct tf_error *err)
{
	return put_chunk(w, w->text, w->have, true, err);
}

/* --- sizes ------------------------------------------------------------------ */

uint64_t
tf_age_size(const struct tf_recipients *r, uint64_t plain)
{
	uint64_t chunks = plain == 0 ? 1 : (plain - 1) / TF_CHUNK_LEN + 1;

	return tf_header_length(r) + TF_AGE_NONCE_LEN + plain +
	    chunks * TF_AEAD_TAG_LEN;
}

/* The last chunk has at least a byte, unless it is the only one. */
bool
tf_age_plain_size(uint64_t size, uint64_t header, uint64_t *plain)
{
	uint64_t chunks, last;

	if (size < header || size - header < TF_AGE_NONCE_LEN + TF_AEAD_TAG_LEN)
		return false;
	size -= header + TF_AGE_NONCE_LEN;
	chunks = (size - 1) / TF_SEALED_LEN + 1;
	last = size - (chunks - 1) * TF_SEALED_LEN;
	if (last < TF_AEAD_TAG_LEN || (last == TF_AEAD_TAG_LEN && chunks > 1))
		return false;
	*plain = size - chunks * TF_AEAD_TAG_LEN;
	return true;
}
