/*
 * The content of a pending file.  Few bytes are in memory, and once flushed in
 * the database; many bytes are in a file in stage/.  Bytes that arrive in order
 * are hashed as they arrive.  Space is reserved before bytes are accepted, so
 * that an accepted write cannot fail for lack of space later.
 *
 * Evidence of a trail with recipients is secret from its first byte on: what
 * lies in the file or in the database is then its staged form (secret.h), and
 * only memory has the bytes of the writer.  "Stored" below means that form.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cipher.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../node/base.h"
#include "../node/descriptors.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/secret.h"
#include "../node/stage_files.h"
#include "../node/stage_remove.h"
#include "../node/vault_i.h"
#include "../store/objects.h"
#include "../vault.h"
#include "hasher.h"
#include "order.h"
#include "staged_fd.h"
#include "staged_secret.h"
#include "staging.h"

/* --- space -------------------------------------------------------------- */

enum tf_code
tf_quota_draft(struct tf_vault *v, uint64_t att, struct tf_error *err)
{
	uint64_t max = v->settings.value[TF_MAX_DRAFT];
	const struct tf_pending *d = tf_pending_get(&v->pending, att);

	if (max == 0 || d == NULL || d->attr.kind != TF_KIND_ATTESTATION ||
	    d->names < max)
		return TF_OK;
	return tf_fail(err, TF_QUOTA,
	    "a draft attestation, published at once, may hold %llu names "
	    "(max_draft)",
	    (unsigned long long)max);
}

enum tf_code
tf_content_pack(struct tf_pending *l, struct tf_buf *out, struct tf_error *err)
{
	if (l->secret)
		return tf_secret_pack(l->key, l->mem, l->size, out, err);
	tf_buf_add(out, l->mem, l->size);
	return tf_buf_end(out, err);
}

/* --- content (io held) --------------------------------------------------- */

static void
count_unsaved(struct tf_pending *l, int64_t n)
{
	pthread_mutex_lock(&l->v->mu);
	l->v->unsaved = (uint64_t)((int64_t)l->v->unsaved + n);
	pthread_mutex_unlock(&l->v->mu);
}

void
tf_content_forget(struct tf_pending *l)
{
	if (l->mem == NULL)
		return;
	count_unsaved(l, -(int64_t)l->mem_cap);
	if (l->secret)
		tf_wipe(l->mem, l->mem_cap);
	free(l->mem);
	l->mem = NULL;
	l->mem_cap = 0;
}

static enum tf_code
need_mem(struct tf_pending *l, size_t n, struct tf_error *err)
{
	size_t cap = l->mem_cap == 0 ? 4096 : l->mem_cap;
	char *p;

	if (n <= l->mem_cap && l->mem != NULL)
		return TF_OK;
	while (cap < n)
		cap *= 2;
	if ((p = realloc(l->mem, cap)) == NULL)
		return tf_nomem(err);
	count_unsaved(l, (int64_t)(cap - l->mem_cap));
	l->mem = p;
	l->mem_cap = cap;
	return TF_OK;
}

static enum tf_code
read_inline(struct tf_pending *l, struct tf_buf *body, struct tf_error *err)
{
	struct tf_buf stored = { 0 };
	struct tf_object_row row;
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_reader_db(l->v, &db, err)) != TF_OK)
		return rc;
	rc = tf_object_get(db, l->attr.id, &row, l->secret ? &stored : body,
	    err);
	tf_reader_done(l->v, db);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "staged bytes are missing");
	/* A short row would leave uninitialised memory in the content. */
	if (rc == TF_OK &&
	    (l->secret ? stored.n : body->n) != tf_pending_stored(l))
		rc = tf_fail(err, TF_TAMPER, "staged bytes changed their size");
	if (rc == TF_OK && l->secret)
		rc = tf_secret_of_row(l, stored.p, stored.n, body, err);
	tf_buf_free(&stored);
	return rc;
}

bool
tf_content_in_db(struct tf_pending *l)
{
	bool yes;

	pthread_mutex_lock(&l->v->mu);
	yes = l->in_db;
	pthread_mutex_unlock(&l->v->mu);
	return yes;
}

enum tf_code
tf_content_load(struct tf_pending *l, struct tf_error *err)
{
	struct tf_buf body = { 0 };
	enum tf_code rc;

	if (l->mem != NULL || l->in_file)
		return TF_OK;
	/* Recovery could not read the content and has reported that. */
	if (!tf_content_in_db(l))
		return l->size == 0 ?
		    TF_OK :
		    tf_fail(err, TF_IO, "staged bytes could not be read");
	if ((rc = read_inline(l, &body, err)) == TF_OK)
		rc = need_mem(l, body.n, err);
	if (rc == TF_OK && body.n > 0)
		memcpy(l->mem, body.p, body.n);
	if (l->secret && body.p != NULL)
		tf_wipe(body.p, body.n);
	tf_buf_free(&body);
	return rc;
}

enum tf_code
tf_content_open(struct tf_pending *l, int *fd, struct tf_error *err)
{
	char name[TF_STAGE_NAME];

	tf_stage_name(l->attr.id, name);
	return tf_file_open(l->v->stagefd, name, O_RDONLY, fd, err);
}

/* Open l->fd for writing, unless it is open; l->in_file is true. */
static enum tf_code
need_fd(struct tf_pending *l, struct tf_error *err)
{
	char name[TF_STAGE_NAME];
	enum tf_code rc;

	if (l->fd >= 0)
		return TF_OK;
	tf_descriptor_take(l);
	tf_stage_name(l->attr.id, name);
	rc = tf_file_open(l->v->stagefd, name, O_RDWR, &l->fd, err);
	if (rc != TF_OK)
		tf_descriptor_give(l);
	return rc;
}

/*
 * Create the staged file of l under a temporary name and rename it once it
 * holds the whole content: until then the content that was flushed before is
 * still valid in its old place.
 */
static enum tf_code
new_file(struct tf_pending *l,
    enum tf_code (*fill)(struct tf_pending *l, int fd, struct tf_error *err),
    int *out, struct tf_error *err)
{
	char name[TF_STAGE_NAME], tmp[TF_STAGE_NAME + 4];
	enum tf_code rc;
	int fd;

	tf_stage_name(l->attr.id, name);
	(void)snprintf(tmp, sizeof(tmp), "%s.new", name);
	tf_descriptor_take(l);
	rc = tf_file_new(l->v->stagefd, tmp, O_RDWR | O_TRUNC, &fd, err);
	if (rc != TF_OK)
		goto out;
	rc = fill(l, fd, err);
	/* I4: flushed bytes must survive a power cut after the rename. */
	if (rc == TF_OK && l->saved_gen > 0)
		rc = tf_file_datasync(fd, err);
	if (rc == TF_OK && l->saved_gen > 0 && l->key != NULL)
		tf_secret_synced(l->key);
	if (rc == TF_OK &&
	    renameat(l->v->stagefd, tmp, l->v->stagefd, name) < 0)
		rc = tf_fail(err, TF_IO, "rename to stage/%s", name);
	if (rc != TF_OK) {
		(void)unlinkat(l->v->stagefd, tmp, 0);
		(void)close(fd);
		goto out;
	}
	l->named = false;
	*out = fd;
out:
	if (rc != TF_OK && l->fd < 0)
		tf_descriptor_give(l);
	return rc;
}

static enum tf_code
fill_from_memory(struct tf_pending *l, int fd, struct tf_error *err)
{
	enum tf_code rc;

	if (!l->secret)
		return l->size == 0 ?
		    TF_OK :
		    tf_file_pwrite(fd, l->mem, l->size, 0, err);
	if ((rc = tf_secret_begin(l->key, fd, err)) != TF_OK)
		return rc;
	rc = tf_secret_write_at(l->key, fd, 0, l->mem, l->size, 0, err);
	return rc == TF_OK ? tf_secret_settle(l->key, fd, err) : rc;
}

/* Move the content from memory to a file in stage/. */
static enum tf_code
spool(struct tf_pending *l, struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	if ((rc = tf_hash_need(l, err)) != TF_OK ||
	    (rc = new_file(l, fill_from_memory, &fd, err)) != TF_OK)
		return rc;
	l->fd = fd;
	l->in_file = true;
	tf_hash_restart(l, l->mem, l->secret ? 0 : l->size);
	l->hash->end = l->size;
	tf_content_forget(l);
	return TF_OK;
}

static enum tf_code
fill_from_file(struct tf_pending *l, int fd, struct tf_error *err)
{
	size_t chunk = 1 << 16, got = 0;
	char *buf = malloc(chunk);
	uint64_t off = 0;
	enum tf_code rc;
	int from;

	if (buf == NULL)
		return tf_nomem(err);
	rc = tf_content_open(l, &from, err);
	while (rc == TF_OK) {
		rc = tf_file_pread(from, buf, chunk, off, &got, err);
		if (rc != TF_OK || got == 0)
			break;
		rc = tf_file_pwrite(fd, buf, got, off, err);
		off += got;
	}
	if (from >= 0)
		(void)close(from);
	free(buf);
	return rc;
}

/*
 * The staged file was linked as an object, and then its seal failed.  Further
 * writes must not change the object, so the content moves to a copy.
 */
static enum tf_code
copy_object(struct tf_pending *l, struct tf_error *err)
{
	char name[TF_STAGE_NAME];
	struct tf_hash old;
	struct stat st;
	enum tf_code rc;
	int fd;

	if (!l->linked)
		return TF_OK;
	tf_stage_name(l->attr.id, name);
	if (fstatat(l->v->stagefd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tf_fail(err, TF_IO, "stat stage/%s", name);
	old = l->digest;
	if ((rc = new_file(l, fill_from_file, &fd, err)) != TF_OK)
		return rc;
	tf_hash_wait(l->v->hasher, l);
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = fd;
	l->linked = false;
	/* After a failure it is an object that nothing names. */
	(void)!tf_object_unneeded(l->v, l->attr.id, &old, (uint64_t)st.st_ino,
	    NULL);
	return TF_OK;
}

/* Make sure that the content is in a writable file in stage/, open as l->fd. */
static enum tf_code
need_file(struct tf_pending *l, struct tf_error *err)
{
	enum tf_code rc;

	if (!l->in_file)
		return spool(l, err);
	if ((rc = copy_object(l, err)) != TF_OK ||
	    (rc = need_fd(l, err)) != TF_OK)
		return rc;
	return l->secret ? tf_secret_need(l, l->fd, err) : TF_OK;
}

enum tf_code
tf_content_to_file(struct tf_pending *l, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (!l->in_file && l->size > 0 &&
	    (rc = tf_content_load(l, err)) == TF_OK)
		rc = spool(l, err);
	return rc == TF_OK ? tf_content_settle(l, err) : rc;
}

/* Let the hasher follow a writer who writes in order, up to byte end. */
static void
hash_along(struct tf_pending *l, uint64_t end)
{
	if (l->secret) /* the chunk of the last byte may be in memory only */
		end = tf_secret_final_size(end - 1);
	if (end >= l->hash->upto + TF_HASH_AHEAD)
		tf_hash_ahead(l->v->hasher, l, end);
}

/*
 * The first of n new bytes at off that was not written before.  The kernel writes
 * the page of a growing file again when it has more bytes: those in front are the
 * same then, and the hasher need not know.  A byte that changes: off.
 */
static uint64_t
fresh_from(const struct tf_pending *l, const char *p, size_t n, uint64_t off)
{
	const struct tf_staged_hash *s = l->hash;
	uint64_t at = off, end;
	size_t chunk, got;
	char buf[4096];

	if (s == NULL || !s->in_order || l->secret || off >= s->end)
		return off;
	for (end = s->end < off + n ? s->end : off + n; at < end; at += chunk) {
		chunk = end - at < sizeof(buf) ? (size_t)(end - at) :
						 sizeof(buf);
		if (tf_file_pread(l->fd, buf, chunk, at, &got, NULL) != TF_OK ||
		    got < chunk || memcmp(buf, p + (at - off), chunk) != 0)
			return off;
	}
	return end;
}

enum tf_code
tf_content_put(struct tf_pending *l, const void *p, size_t n, uint64_t off,
    struct tf_error *err)
{
	enum tf_code rc;
	uint64_t fresh;

	if ((rc = tf_secret_start(l, err)) != TF_OK)
		return rc;
	if (!l->in_file && off + n <= TF_INLINE_MAX) {
		if ((rc = need_mem(l, off + n, err)) != TF_OK)
			return rc;
		if (off > l->size)
			memset(l->mem + l->size, 0, off - l->size);
		memcpy(l->mem + off, p, n);
		return TF_OK;
	}
	if ((rc = need_file(l, err)) != TF_OK)
		return rc;
	fresh = fresh_from(l, p, n, off);
	rc = l->secret ?
	    tf_secret_write_at(l->key, l->fd, l->size, p, n, off, err) :
	    tf_file_pwrite(l->fd, p, n, off, err);
	if (rc != TF_OK || l->hash == NULL || !l->hash->in_order)
		return rc;
	if ((l->secret &&
		off != l->size) || /* a chunk may be encrypted again */
	    (fresh < off + n && !tf_order_add(l->hash, fresh, off + n)))
		tf_pending_disorder(l);
	else if (l->hash->end > 0)
		hash_along(l, l->hash->end);
	return TF_OK;
}

enum tf_code
tf_content_resize(struct tf_pending *l, uint64_t size, struct tf_error *err)
{
	enum tf_code rc;

	if ((rc = tf_secret_start(l, err)) != TF_OK)
		return rc;
	if (!l->in_file && size <= TF_INLINE_MAX) {
		if ((rc = need_mem(l, size, err)) != TF_OK)
			return rc;
		if (size > l->size)
			memset(l->mem + l->size, 0, size - l->size);
		return TF_OK;
	}
	if ((rc = need_file(l, err)) != TF_OK ||
	    (rc = tf_hash_need(l, err)) != TF_OK)
		return rc;
	if (l->secret) {
		rc = tf_secret_resize(l->key, l->fd, l->size, size, err);
		if (rc != TF_OK)
			return rc;
	} else if (ftruncate(l->fd, (off_t)size) < 0) {
		return tf_fail(err, TF_IO, "truncate failed");
	}
	if (size == 0) {
		tf_hash_restart(l, "", 0);
	} else if (size != l->size) {
		tf_pending_disorder(l);
	}
	return TF_OK;
}

/* Read from the staged file; io held, l->in_file. */
static enum tf_code
read_file(struct tf_pending *l, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err)
{
	enum tf_code rc;
	int fd = l->fd;

	if (fd < 0 && (rc = tf_content_open(l, &fd, err)) != TF_OK)
		return rc;
	if (!l->secret) {
		rc = tf_file_pread(fd, p, n, off, got, err);
	} else if ((rc = tf_secret_need(l, fd, err)) == TF_OK) {
		rc = tf_secret_read_at(l->key, fd, l->size, p, n, off, err);
		*got = rc == TF_OK ? n : 0;
	}
	if (fd != l->fd)
		(void)close(fd);
	return rc;
}

enum tf_code
tf_content_read(struct tf_pending *l, void *p, size_t n, uint64_t off,
    size_t *got, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	bool brought = l->mem == NULL;

	*got = 0;
	if (off < l->size) {
		if (n > l->size - off)
			n = (size_t)(l->size - off);
		if (l->in_file) {
			rc = read_file(l, p, n, off, got, err);
		} else if ((rc = tf_content_load(l, err)) == TF_OK) {
			memcpy(p, l->mem + off, n);
			*got = n;
		}
	}
	/* The memory was filled for this read only; the database has it. */
	if (brought && tf_content_in_db(l))
		tf_content_forget(l);
	return rc;
}

enum tf_code
tf_pending_detach(struct tf_pending *l, struct tf_error *err)
{
	enum tf_code rc;

	tf_pending_lock(l);
	rc = tf_content_load(l, err);
	if (rc == TF_OK) {
		pthread_mutex_lock(&l->v->mu);
		l->in_db = false;
		pthread_mutex_unlock(&l->v->mu);
	}
	pthread_mutex_unlock(&l->io);
	return rc;
}
