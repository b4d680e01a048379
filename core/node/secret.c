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
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/cipher.h"
#include "../base/file.h"
#include "../crypt/stage_key.h"
#include "../json.h"
#include "pending.h"
#include "secret.h"
#include "secrets.h"
#include "stage_files.h"
#include "vault_i.h"

#define CHUNK TF_CHUNK_LEN
#define SLOT TF_STAGED_CHUNK_MAX
#define NONE UINT64_MAX
#define NUMBER 12 /* bytes before the slot of the spare: chunk, length */

static const char magic[16] = "trailfs secret 1";

struct tf_secret {
	struct tf_vault *v;
	uint64_t id;
	struct tf_staged_key *key;
	unsigned char head[TF_SECRET_HEAD];
	unsigned char *text; /* of chunk `at`: CHUNK bytes, zeros behind used */
	unsigned char *slot; /* room for the spare's number and a slot */
	uint64_t at;	     /* or NONE */
	size_t used;
	bool dirty;	  /* text is newer than its slot */
	uint64_t durable; /* so many chunks were synced */
	uint64_t settled; /* so many chunks are in the file */
	bool spare_busy;  /* the slot in the spare is not synced in its place */
};

_Static_assert(sizeof(magic) + TF_WRAPPED_KEY_LEN <= TF_SECRET_HEAD, "head");

/* --- sizes ------------------------------------------------------------------ */

static uint64_t
slot_at(uint64_t chunk)
{
	return TF_SECRET_HEAD + chunk * SLOT;
}

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

/* --- the spare ---------------------------------------------------------------- */

/* Write the slot of the chunk in memory, n bytes at s->slot + NUMBER, to the
 * spare, durably.  What the spare holds is first made durable in its place. */
static enum tf_code
write_spare(struct tf_secret *s, int file, size_t n, struct tf_error *err)
{
	char name[TF_STAGE_NAME];
	int fd;
	enum tf_code rc = s->spare_busy ? tf_file_datasync(file, err) : TF_OK;

	if (rc != TF_OK)
		return rc;
	tf_stage_spare_name(s->id, name);
	rc = tf_file_open(s->v->stagefd, name, O_RDWR | O_CREAT, &fd, err);
	if (rc != TF_OK)
		return rc;
	tf_put_be64(s->slot, s->at);
	tf_put_be32(s->slot + 8, (uint32_t)n);
	rc = tf_file_pwrite(fd, s->slot, NUMBER + n, 0, err);
	if (rc == TF_OK)
		rc = tf_file_datasync(fd, err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(s->v->stagefd, ".", err);
	(void)close(fd); /* synced */
	s->spare_busy = rc == TF_OK;
	return rc;
}

/* Read the spare: *chunk becomes NONE if there is none.  slot has room for its
 * number and a slot; *n is the length of the slot. */
static enum tf_code
read_spare(const struct tf_secret *s, unsigned char *slot, uint64_t *chunk,
    size_t *n, struct tf_error *err)
{
	char name[TF_STAGE_NAME];
	size_t got = 0;
	int fd;
	enum tf_code rc;

	*chunk = NONE;
	tf_stage_spare_name(s->id, name);
	rc = tf_file_open(s->v->stagefd, name, O_RDONLY, &fd, err);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	rc = tf_file_pread(fd, slot, NUMBER + SLOT, 0, &got, err);
	(void)close(fd); /* read-only */
	if (rc != TF_OK || got < NUMBER)
		return rc;
	*n = tf_get_be32(slot + 8);
	if (*n <= got - NUMBER)
		*chunk = (uint64_t)tf_get_be32(slot) << 32 |
		    tf_get_be32(slot + 4);
	return TF_OK;
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

/*
 * Read the chunk of fd that has used bytes into text, with slot as room.  What
 * is behind them, and a hole, are zeros.
 */
static enum tf_code
read_chunk(const struct tf_secret *s, int fd, uint64_t chunk, size_t used,
    unsigned char *slot, unsigned char *text, struct tf_error *err)
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
		rc = write_spare(s, fd, n, err);
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
	    (rc = read_chunk(s, fd, chunk, used, s->slot, s->text, err)) !=
		TF_OK)
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
			rc = read_chunk(s, fd, chunk, used_of(chunk, size),
			    room, room + SLOT, err);
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

/* --- after a crash ---------------------------------------------------------- */

struct salvage {
	struct tf_secret *s;
	int fd;
	unsigned char *slot, *text, *spare;
	uint64_t spare_chunk; /* or NONE */
	size_t spare_n;
};

/* Chunk i has n stored bytes, which cannot be opened: take those of the spare,
 * or make a hole.  *used is what the chunk has then.  *last: what is behind it
 * was about to be cut off. */
static enum tf_code
repair_chunk(struct salvage *g, uint64_t i, size_t n, size_t *used, bool *last,
    uint64_t *torn, struct tf_error *err)
{
	if (g->spare_chunk == i &&
	    tf_staged_open(g->s->key, i, g->spare + NUMBER, g->spare_n, g->text,
		NULL) == TF_OK) {
		*used = g->spare_n - TF_STAGE_ADDED;
		*last = *used < CHUNK;
		return tf_file_pwrite(g->fd, g->spare + NUMBER, g->spare_n,
		    slot_at(i), err);
	}
	++*torn;
	*used = 0;
	memset(g->slot, 0, n);
	return tf_file_pwrite(g->fd, g->slot, n, slot_at(i), err);
}

static enum tf_code
salvage(struct salvage *g, uint64_t stored, uint64_t *size, uint64_t *torn,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	bool last = false;

	for (uint64_t i = 0; rc == TF_OK && !last && slot_at(i) < stored; i++) {
		uint64_t left = stored - slot_at(i);
		size_t n = left < SLOT ? (size_t)left : SLOT;
		size_t used = n > TF_STAGE_ADDED ? n - TF_STAGE_ADDED : 0;

		rc = used == 0 ?
		    TF_TAMPER :
		    read_chunk(g->s, g->fd, i, used, g->slot, g->text, err);
		if (rc == TF_TAMPER)
			rc = repair_chunk(g, i, n, &used, &last, torn, err);
		if (rc == TF_OK && used > 0)
			*size = i * CHUNK + used;
	}
	if (rc == TF_OK &&
	    ftruncate(g->fd, (off_t)tf_secret_file_size(*size)) < 0)
		rc = tf_fail(err, TF_IO, "truncate failed");
	return rc;
}

enum tf_code
tf_secret_salvage(struct tf_secret *s, int fd, uint64_t *size, uint64_t *torn,
    struct tf_error *err)
{
	unsigned char *room = malloc(SLOT + CHUNK + NUMBER + SLOT);
	struct salvage g = { .s = s, .fd = fd, .slot = room };
	struct stat st;
	enum tf_code rc = TF_OK;

	*size = *torn = 0;
	if (room == NULL)
		return tf_nomem(err);
	g.text = room + SLOT;
	g.spare = g.text + CHUNK;
	tf_secret_forget(s);
	if (fstat(fd, &st) < 0)
		rc = tf_fail(err, TF_IO, "stat");
	if (rc == TF_OK)
		rc = read_spare(s, g.spare, &g.spare_chunk, &g.spare_n, err);
	if (rc == TF_OK)
		rc = salvage(&g, (uint64_t)st.st_size, size, torn, err);
	tf_wipe(g.text, CHUNK);
	free(room);
	return rc;
}
