/*
 * Opens files in the age v1 format: see core/age.h.
 *
 * A chunk does not say that it is the last one; its nonce does.  A chunk that is
 * shorter than others must be the last.  A full one is opened as one that others
 * follow, and else as the last one, after which nothing may come.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "header_read.h"
#include "stream.h"
#include "unwrap.h"

#define HEADER_STEP 4096 /* bytes that are read before they are needed */

struct tf_age_reader {
	tf_age_get *get;
	void *arg;
	struct tf_buf head; /* the header, and bytes that were read behind it */
	size_t used;	    /* bytes of head that were given out */
	struct tf_stream *stream;
	uint64_t index; /* of the next chunk */
	bool last;	/* the last chunk was opened */
	bool ended;	/* and nothing comes after it */
	enum tf_code failed;
	uint8_t sealed[TF_SEALED_LEN], text[TF_CHUNK_LEN];
};

enum tf_code
tf_age_get_fd(void *arg, void *p, size_t n, size_t *got, struct tf_error *err)
{
	int fd = *(int *)arg;
	ssize_t some;

	for (*got = 0; *got < n; *got += (size_t)some) {
		some = read(fd, (char *)p + *got, n - *got);
		if (some < 0 && errno == EINTR)
			some = 0;
		else if (some < 0)
			return tf_fail(err, TF_IO, "read");
		else if (some == 0)
			break;
	}
	return TF_OK;
}

bool
tf_age_looks(const void *p, size_t n)
{
	size_t len = strlen(TF_AGE_VERSION_LINE) - 1;

	return n >= len && memcmp(p, TF_AGE_VERSION_LINE, len) == 0;
}

/* --- the header ------------------------------------------------------------- */

/* Read until the header is whole.  *end becomes its bytes. */
static enum tf_code
read_header(struct tf_age_reader *r, size_t *end, struct tf_error *err)
{
	size_t got = HEADER_STEP;
	enum tf_code rc;

	while ((*end = tf_header_end(r->head.p, r->head.n)) == 0) {
		if (r->head.n > 0 && !tf_age_looks(r->head.p, r->head.n))
			break; /* the parser says why */
		if (r->head.n >= TF_AGE_HEADER_MAX)
			return tf_fail(err, TF_INVALID,
			    "the header has more than %zu bytes",
			    TF_AGE_HEADER_MAX);
		if (got < HEADER_STEP)
			break;
		if (!tf_buf_room(&r->head, HEADER_STEP))
			return tf_nomem(err);
		rc = r->get(r->arg, r->head.p + r->head.n, HEADER_STEP, &got,
		    err);
		if (rc != TF_OK)
			return rc;
		r->head.n += got;
	}
	if (*end == 0)
		*end = r->head.n;
	return TF_OK;
}

/* Read n bytes, first those that came with the header. */
static enum tf_code
get(struct tf_age_reader *r, void *p, size_t n, size_t *got,
    struct tf_error *err)
{
	size_t have = r->head.n - r->used, take = have < n ? have : n;
	enum tf_code rc;

	memcpy(p, r->head.p + r->used, take);
	r->used += take;
	if (take == n) {
		*got = n;
		return TF_OK;
	}
	rc = r->get(r->arg, (char *)p + take, n - take, got, err);
	*got += take;
	return rc;
}

/* The nonce is behind the header, and gives the key of the payload. */
static enum tf_code
begin_payload(struct tf_age_reader *r, const uint8_t file_key[TF_FILE_KEY_LEN],
    struct tf_error *err)
{
	uint8_t nonce[TF_AGE_NONCE_LEN];
	enum tf_code rc;
	size_t got;

	if ((rc = get(r, nonce, sizeof(nonce), &got, err)) != TF_OK)
		return rc;
	if (got < sizeof(nonce))
		return tf_fail(err, TF_INVALID,
		    "the file is cut off behind its header");
	return tf_stream_new(file_key, nonce, &r->stream, err);
}

static enum tf_code
begin(struct tf_age_reader *r, const struct tf_identities *ids,
    struct tf_error *err)
{
	uint8_t file_key[TF_FILE_KEY_LEN];
	struct tf_header h = { 0 };
	enum tf_code rc;

	if ((rc = read_header(r, &r->used, err)) != TF_OK)
		return rc;
	if (r->head.n >= 14 && memcmp(r->head.p, "-----BEGIN AGE", 14) == 0)
		return tf_fail(err, TF_UNSUPPORTED,
		    "an armored file; age -d opens it");
	rc = tf_header_parse(r->head.p, r->used, &h, err);
	if (rc == TF_OK)
		rc = tf_header_unwrap(&h, r->head.p, ids, file_key, err);
	tf_header_free(&h);
	if (rc == TF_OK)
		rc = begin_payload(r, file_key, err);
	tf_wipe(file_key, sizeof(file_key));
	return rc;
}

enum tf_code
tf_age_reader_new(const struct tf_identities *ids, tf_age_get *from, void *arg,
    struct tf_age_reader **out, struct tf_error *err)
{
	struct tf_age_reader *r = calloc(1, sizeof(*r));
	enum tf_code rc;

	if (r == NULL)
		return tf_nomem(err);
	r->get = from;
	r->arg = arg;
	if ((rc = begin(r, ids, err)) == TF_OK)
		*out = r;
	else
		tf_age_reader_free(r);
	return rc;
}

void
tf_age_reader_free(struct tf_age_reader *r)
{
	if (r == NULL)
		return;
	tf_stream_free(r->stream);
	tf_buf_free(&r->head);
	tf_wipe(r->text, sizeof(r->text));
	free(r);
}

/* --- the payload ------------------------------------------------------------ */

/* Open the n bytes of the next chunk. */
static enum tf_code
open_chunk(struct tf_age_reader *r, size_t n, struct tf_error *err)
{
	enum tf_code rc = TF_TAMPER;

	if (n == TF_SEALED_LEN)
		rc = tf_stream_open(r->stream, r->index, false, r->sealed, n,
		    r->text, err);
	if (rc == TF_TAMPER) {
		rc = tf_stream_open(r->stream, r->index, true, r->sealed, n,
		    r->text, err);
		r->last = rc == TF_OK;
	}
	if (rc == TF_TAMPER)
		return tf_fail(err, rc, "chunk %llu was altered or is cut off",
		    (unsigned long long)r->index);
	if (rc == TF_OK && r->last && n == TF_AEAD_TAG_LEN && r->index > 0)
		return tf_fail(err, TF_TAMPER, "the last chunk is empty");
	return rc;
}

static enum tf_code
next_chunk(struct tf_age_reader *r, size_t *n, struct tf_error *err)
{
	enum tf_code rc;
	size_t got;

	if (r->last)
		rc = get(r, r->sealed, 1, &got, err);
	else
		rc = get(r, r->sealed, sizeof(r->sealed), &got, err);
	if (rc != TF_OK)
		return rc;
	if (r->last && got > 0)
		return tf_fail(err, TF_TAMPER, "bytes after the last chunk");
	if (r->last) {
		r->ended = true;
		return TF_OK;
	}
	if (got == 0)
		return tf_fail(err, TF_TAMPER, "the last chunk is missing");
	if ((rc = open_chunk(r, got, err)) != TF_OK)
		return rc;
	r->index++;
	*n = got - TF_AEAD_TAG_LEN;
	return TF_OK;
}

/* An empty text has one chunk without bytes: after it comes the end. */
enum tf_code
tf_age_reader_next(struct tf_age_reader *r, const uint8_t **p, size_t *n,
    struct tf_error *err)
{
	enum tf_code rc = r->failed;

	*p = r->text;
	*n = 0;
	if (rc != TF_OK)
		return tf_fail(err, rc, "the file was not opened to its end");
	while (*n == 0 && !r->ended)
		if ((rc = next_chunk(r, n, err)) != TF_OK) {
			tf_wipe(r->text, sizeof(r->text));
			r->failed = rc;
			*n = 0;
			return rc;
		}
	return TF_OK;
}
