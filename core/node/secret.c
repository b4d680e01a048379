/*
 * The staged form of secret content.  Each file has a key of its own, which is
 * in its head, wrapped by the key of the stage (secrets.h).
 *
 *   file      head, then a slot for each 64 KiB of content
 *   database  head, then one slot for all of it
 *   slot      salt, text, tag (crypt/stage_key.h); only the last one is short;
 *             only zeros: a hole, all of its text is zeros
 *
 * A slot is written when another chunk is needed or the file is flushed, so a
 * program that writes a few bytes at a time costs one encryption for 64 KiB.
 *
 * Bytes that a flush has made durable must survive a crash during a later
 * write, although a slot that is written half can be opened no more.  So a
 * durable slot is first written to the spare, the file NAME.spare beside it,
 * which is synced; then it is overwritten.  That is rare: programs that write a
 * file once and close it never do it.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cipher.h"
#include "../base/file.h"
#include "../crypt/stage_key.h"
#include "../json.h"
#include "pending.h"
#include "secret.h"
#include "secret_i.h"
#include "secrets.h"
#include "vault_i.h"

static const char magic[16] = "trailfs secret 1";

_Static_assert(sizeof(magic) + TF_WRAPPED_KEY_LEN <= TF_SECRET_HEAD, "head");

/* --- sizes ------------------------------------------------------------------ */

uint64_t
tf_secret_file_size(uint64_t size)
{
	uint64_t rest = size % CHUNK;

	return slot_at(size / CHUNK) + (rest == 0 ? 0 : rest + TF_STAGE_ADDED);
}

uint64_t
tf_secret_final_size(uint64_t size)
{
	return slot_at(size / CHUNK);
}

uint64_t
tf_secret_short_size(uint64_t size)
{
	return TF_SECRET_HEAD + size + TF_STAGE_ADDED;
}

uint64_t
tf_pending_stored(const struct tf_pending *l)
{
	if (!l->secret)
		return l->size;
	return l->in_file ? tf_secret_file_size(l->size) :
			    tf_secret_short_size(l->size);
}

uint64_t
tf_pending_ordered(const struct tf_pending *l)
{
	return l->secret ? tf_secret_final_size(l->size) : l->size;
}

/* The bytes of a chunk that content of that size uses. */
static size_t
used_of(uint64_t chunk, uint64_t size)
{
	if (size >= (chunk + 1) * CHUNK)
		return CHUNK;
	return size > chunk * CHUNK ? (size_t)(size - chunk * CHUNK) : 0;
}

/* --- keys ----------------------------------------------------------------- */

static struct tf_secret *
allocate(struct tf_vault *v, uint64_t id)
{
	struct tf_secret *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->v = v;
	s->id = id;
	s->at = NONE;
	return s;
}

enum tf_code
tf_secret_new(struct tf_vault *v, uint64_t id, struct tf_secret **out,
    struct tf_error *err)
{
	struct tf_secret *s = allocate(v, id);
	enum tf_code rc;

	if (s == NULL)
		return tf_nomem(err);
	memcpy(s->head, magic, sizeof(magic));
	rc = tf_staged_key_new(id, &s->key, err);
	if (rc == TF_OK)
		rc = tf_secrets_wrap(v, s->key, s->head + sizeof(magic), err);
	if (rc == TF_OK)
		*out = s;
	else
		tf_secret_free(s);
	return rc;
}

enum tf_code
tf_secret_open(struct tf_vault *v, uint64_t id, const void *head, uint64_t size,
    struct tf_secret **out, struct tf_error *err)
{
	struct tf_secret *s;
	enum tf_code rc;

	if (memcmp(head, magic, sizeof(magic)) != 0)
		return tf_fail(err, TF_TAMPER, "staged bytes were altered");
	if ((s = allocate(v, id)) == NULL)
		return tf_nomem(err);
	memcpy(s->head, head, sizeof(s->head));
	s->durable = s->settled = (size + CHUNK - 1) / CHUNK;
	rc = tf_secrets_unwrap(v, s->head + sizeof(magic), id, &s->key, err);
	if (rc == TF_OK)
		*out = s;
	else
		tf_secret_free(s);
	return rc;
}

void
tf_secret_forget(struct tf_secret *s)
{
	if (s->text != NULL)
		tf_wipe(s->text, CHUNK);
	free(s->text);
	free(s->slot);
	s->text = s->slot = NULL;
	s->at = NONE;
	s->dirty = false;
}

void
tf_secret_free(struct tf_secret *s)
{
	if (s == NULL)
		return;
	tf_secret_forget(s);
	tf_staged_key_free(s->key);
	free(s);
}

/* --- in the database ------------------------------------------------------ */

enum tf_code
tf_secret_pack(const struct tf_secret *s, const void *p, size_t n,
    struct tf_buf *out, struct tf_error *err)
{
	unsigned char *slot = malloc(n + TF_STAGE_ADDED);
	enum tf_code rc;

	if (slot == NULL)
		return tf_nomem(err);
	rc = tf_staged_seal(s->key, 0, p, n, slot, err);
	if (rc == TF_OK) {
		tf_buf_add(out, s->head, sizeof(s->head));
		tf_buf_add(out, slot, n + TF_STAGE_ADDED);
		rc = tf_buf_end(out, err);
	}
	free(slot);
	return rc;
}

enum tf_code
tf_secret_unpack(const struct tf_secret *s, const void *p, size_t n,
    struct tf_buf *out, struct tf_error *err)
{
	unsigned char *text;
	size_t size;
	enum tf_code rc;

	if (n < TF_SECRET_HEAD + TF_STAGE_ADDED)
		return tf_fail(err, TF_TAMPER, "staged bytes are missing");
	size = n - TF_SECRET_HEAD - TF_STAGE_ADDED;
	if ((text = malloc(size + 1)) == NULL)
		return tf_nomem(err);
	rc = tf_staged_open(s->key, 0,
	    (const unsigned char *)p + TF_SECRET_HEAD, n - TF_SECRET_HEAD, text,
	    err);
	if (rc == TF_OK) {
		tf_buf_add(out, text, size);
		rc = tf_buf_end(out, err);
	}
	tf_wipe(text, size);
	free(text);
	return rc;
}

/* --- in a file -------------------------------------------------------------- */

enum tf_code
tf_secret_begin(struct tf_secret *s, int fd, struct tf_error *err)
{
	s->durable = s->settled = 0;
	s->spare_busy = false;
	return tf_file_pwrite(fd, s->head, sizeof(s->head), 0, err);
}

static bool
is_hole(const unsigned char *slot, size_t n)
{
	/* All of it: a crash may have lost the page with the salt only. */
	return n == 0 || (slot[0] == 0 && memcmp(slot, slot + 1, n - 1) == 0);
}

enum tf_code
tf_secret_read_chunk(const struct tf_secret *s, int fd, uint64_t chunk,
    size_t used, unsigned char *slot, unsigned char *text, struct tf_error *err)
{
	size_t got = 0;
	enum tf_code rc = TF_OK;

	if (used > 0)
		rc = tf_file_pread(fd, slot, used + TF_STAGE_ADDED,
		    slot_at(chunk), &got, err);
	if (rc != TF_OK)
		return rc;
	memset(text, 0, CHUNK);
	if (is_hole(slot, got))
		return TF_OK;
	if (got < used + TF_STAGE_ADDED)
		return tf_fail(err, TF_TAMPER, "a staged chunk is torn");
	return tf_staged_open(s->key, chunk, slot, got, text, err);
}

enum tf_code
tf_secret_settle(struct tf_secret *s, int fd, struct tf_error *err)
{
	size_t n = s->used + TF_STAGE_ADDED;
	enum tf_code rc;

	if (!s->dirty)
		return TF_OK;
	rc = tf_staged_seal(s->key, s->at, s->text, s->used, s->slot + NUMBER,
	    err);
	if (rc == TF_OK && s->at < s->durable)
		rc = tf_spare_write(s, fd, n, err);
	if (rc == TF_OK)
		rc = tf_file_pwrite(fd, s->slot + NUMBER, n, slot_at(s->at),
		    err);
	if (rc != TF_OK)
		return rc;
	s->dirty = false;
	if (s->settled <= s->at)
		s->settled = s->at + 1;
	return TF_OK;
}

void
tf_secret_synced(struct tf_secret *s)
{
	s->durable = s->settled;
	s->spare_busy = false;
}

/* Bring a chunk of which used bytes are written into memory.  whole: all of it
 * will be written. */
static enum tf_code
take_chunk(struct tf_secret *s, int fd, uint64_t chunk, size_t used, bool whole,
    struct tf_error *err)
{
	enum tf_code rc;

	if (s->text == NULL) {
		s->text = malloc(CHUNK);
		s->slot = malloc(NUMBER + SLOT);
		if (s->text == NULL || s->slot == NULL) {
			tf_secret_forget(s);
			return tf_nomem(err);
		}
	}
	if (s->at == chunk)
		return TF_OK;
	if ((rc = tf_secret_settle(s, fd, err)) != TF_OK)
		return rc;
	s->at = NONE;
	if (!whole &&
	    (rc = tf_secret_read_chunk(s, fd, chunk, used, s->slot, s->text,
		 err)) != TF_OK)
		return rc;
	s->at = chunk;
	s->used = used;
	return TF_OK;
}

/* Before content of that size grows beyond its last chunk: that one is no
 * longer short. */
static enum tf_code
fill_last(struct tf_secret *s, int fd, uint64_t size, uint64_t to,
    struct tf_error *err)
{
	uint64_t chunk = size / CHUNK;
	enum tf_code rc;

	if (size % CHUNK == 0 || to <= size)
		return TF_OK;
	rc = take_chunk(s, fd, chunk, used_of(chunk, size), false, err);
	if (rc != TF_OK)
		return rc;
	s->used = used_of(chunk, to);
	s->dirty = true;
	return TF_OK;
}

enum tf_code
tf_secret_write_at(struct tf_secret *s, int fd, uint64_t size, const void *p,
    size_t n, uint64_t off, struct tf_error *err)
{
	const unsigned char *from = p;
	enum tf_code rc = off > size ? fill_last(s, fd, size, off, err) : TF_OK;

	while (rc == TF_OK && n > 0) {
		uint64_t chunk = off / CHUNK;
		size_t in = (size_t)(off % CHUNK), m = CHUNK - in;

		m = m < n ? m : n;
		rc = take_chunk(s, fd, chunk, used_of(chunk, size), m == CHUNK,
		    err);
		if (rc != TF_OK)
			break;
		memcpy(s->text + in, from, m);
		if (s->used < in + m)
			s->used = in + m;
		s->dirty = true;
		from += m;
		off += m;
		n -= m;
	}
	return rc;
}

enum tf_code
tf_secret_read_at(struct tf_secret *s, int fd, uint64_t size, void *p, size_t n,
    uint64_t off, struct tf_error *err)
{
	unsigned char *room = NULL, *to = p;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && n > 0) {
		uint64_t chunk = off / CHUNK;
		size_t in = (size_t)(off % CHUNK), m = CHUNK - in;
		const unsigned char *text = s->text;

		m = m < n ? m : n;
		if (s->text == NULL || s->at != chunk) {
			if (room == NULL &&
			    (room = malloc(SLOT + CHUNK)) == NULL)
				return tf_nomem(err);
			text = room + SLOT;
			rc = tf_secret_read_chunk(s, fd, chunk,
			    used_of(chunk, size), room, room + SLOT, err);
			if (rc != TF_OK)
				break;
		}
		memcpy(to, text + in, m);
		to += m;
		off += m;
		n -= m;
	}
	if (room != NULL)
		tf_wipe(room + SLOT, CHUNK);
	free(room);
	return rc;
}

/* What is cut off must be zeros when the content grows again. */
enum tf_code
tf_secret_resize(struct tf_secret *s, int fd, uint64_t size, uint64_t to,
    struct tf_error *err)
{
	uint64_t last = to / CHUNK;
	size_t used = used_of(last, to);
	enum tf_code rc = TF_OK;

	if (to > size)
		rc = fill_last(s, fd, size, to, err);
	else if (s->at != NONE && s->at * CHUNK >= to)
		tf_secret_forget(s);
	if (rc == TF_OK && to < size && used > 0) {
		rc = take_chunk(s, fd, last, used_of(last, size), false, err);
		if (rc == TF_OK) {
			memset(s->text + used, 0, CHUNK - used);
			s->used = used;
			s->dirty = true;
		}
	}
	/* A slot whose length changes is written before the end moves: else a
	 * crash would leave one that opens no more, and no spare of it. */
	if (rc == TF_OK)
		rc = tf_secret_settle(s, fd, err);
	if (rc == TF_OK && ftruncate(fd, (off_t)tf_secret_file_size(to)) < 0)
		rc = tf_fail(err, TF_IO, "truncate failed");
	return rc;
}
