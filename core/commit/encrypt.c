/*
 * Encrypting the content of a pending file: see encrypt.h.
 *
 * The result has a file key of its own each time, so nothing of an earlier try
 * is ever continued.  It lies beside the staged form until the seal has
 * committed: a crash before that leaves the staged form, of which recovery makes
 * another one, and perhaps an object that no entry names, which orphans.c finds
 * by the name of the age file.  A crash after the commit leaves an object and
 * files without a row.
 *
 * io is held for the whole time: nobody writes the file, and its readers wait
 * for the result anyway.  (At a flush with durability=org they wait for their own
 * bytes: the writer of an encrypted file has few readers before the seal.)  Those who must not wait for one file, the sealer and
 * seals of directories, ask tf_encrypt_takes_long() first.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/cipher.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/mutant.h"
#include "../crypt/age_write.h"
#include "../node/base.h"
#include "../node/encrypted.h"
#include "../node/pending.h"
#include "../node/quota.h"
#include "../node/recipients.h"
#include "../node/stage_files.h"
#include "../node/vault_i.h"
#include "../store/objects.h"
#include "encrypt.h"
#include "hasher.h"
#include "staging.h"

#define PIECE 65536
#define AHEAD (8u << 20) /* bytes, until the disk is to write them */

struct encrypting {
	struct tf_pending *l;
	struct tf_encrypted *e;
	struct tf_sha256 *sha;
	int fd;		  /* or -1: to e->body */
	uint64_t started; /* the disk writes all before this */
};

/* The disk writes while the next bytes are encrypted. */
static enum tf_code
put_in_file(struct encrypting *x, const void *p, size_t n, uint64_t at,
    struct tf_error *err)
{
	enum tf_code rc = tf_file_pwrite(x->fd, p, n, at, err);

	if (rc == TF_OK && at + n >= x->started + AHEAD) {
		tf_file_start_writing(x->fd, x->started, at + n - x->started);
		x->started = at + n;
	}
	return rc;
}

static enum tf_code
put(void *arg, const void *p, size_t n, struct tf_error *err)
{
	struct encrypting *x = arg;
	uint64_t at = x->e->content.size;

	tf_sha256_add(x->sha, p, n);
	x->e->content.size += n;
	if (x->fd >= 0)
		return put_in_file(x, p, n, at, err);
	tf_buf_add(&x->e->body, p, n);
	return tf_buf_end(&x->e->body, err);
}

/* Pass the content of l through w; io is held. */
static enum tf_code
pass(struct encrypting *x, struct tf_age_writer *w, const struct tf_patience *p,
    struct tf_error *err)
{
	char *buf = malloc(PIECE);
	uint64_t off = 0;
	size_t got = 1;
	enum tf_code rc = buf == NULL ? tf_nomem(err) : TF_OK;

	while (rc == TF_OK && got > 0) {
		if (p != NULL && p->is_over(p->arg))
			rc = tf_fail(err, TF_INTERRUPTED, "interrupted");
		else
			rc = tf_content_read(x->l, buf, PIECE, off, &got, err);
		if (rc == TF_OK && got > 0)
			rc = tf_age_writer_add(w, buf, got, err);
		off += got;
	}
	if (buf != NULL)
		tf_wipe(buf, PIECE);
	free(buf);
	return rc == TF_OK ? tf_age_writer_end(w, err) : rc;
}

static enum tf_code
write_all(struct encrypting *x, const struct tf_kept_recipients *to,
    const struct tf_patience *p, struct tf_error *err)
{
	struct tf_age_writer *w = NULL;
	enum tf_code rc = tf_age_writer_new(&to->list, put, x, &w, err);

	if (rc == TF_OK)
		rc = pass(x, w, p, err);
	tf_age_writer_free(w);
	if (rc == TF_OK && x->fd >= 0)
		rc = tf_file_datasync(x->fd, err);
	if (rc == TF_OK)
		tf_sha256_peek(x->sha, &x->e->content.sha256);
	return rc;
}

/* The age file is whole: its name is to say what it is. */
static enum tf_code
name_it(struct encrypting *x, const char *name, struct tf_error *err)
{
	int dir = x->l->v->stagefd;
	char to[TF_STAGE_NAME];

	tf_stage_age_name(x->l->attr.id, &x->e->content.sha256, to);
	return renameat(dir, name, dir, to) == 0 ?
	    TF_OK :
	    tf_fail(err, TF_IO, "rename stage/%s", name);
}

/* Encrypt to memory, or to a file if that is too long for the database. */
static enum tf_code
make(struct encrypting *x, const struct tf_kept_recipients *to,
    const struct tf_patience *p, struct tf_error *err)
{
	char name[TF_STAGE_NAME];
	enum tf_code rc;

	x->fd = -1;
	if ((x->sha = tf_sha256_new()) == NULL)
		return tf_nomem(err);
	x->e->in_file = tf_age_size(&to->list, x->l->size) > TF_INLINE_MAX;
	if (x->e->in_file) {
		tf_vault_slow(x->l->v);
		tf_stage_age_name(x->l->attr.id, NULL, name);
		(void)unlinkat(x->l->v->stagefd, name, 0);
		rc = tf_file_new(x->l->v->stagefd, name, O_RDWR | O_EXCL,
		    &x->fd, err);
		if (rc != TF_OK) {
			tf_sha256_free(x->sha);
			return rc;
		}
	}
	rc = write_all(x, to, p, err);
	if (x->fd >= 0)
		(void)close(x->fd); /* synced */
	if (rc == TF_OK && x->e->in_file)
		rc = name_it(x, name, err);
	if (rc != TF_OK && x->e->in_file)
		(void)unlinkat(x->l->v->stagefd, name, 0);
	tf_sha256_free(x->sha);
	return rc;
}

/* Write what is in memory to the file in which the forwarder looks for it.  After a
 * crash another one is made, so it is not synced. */
static enum tf_code
show(struct tf_pending *l, struct tf_encrypted *e, struct tf_error *err)
{
	struct encrypting x = { .l = l, .e = e };
	char name[TF_STAGE_NAME];
	enum tf_code rc;

	if (tf_encrypted_has_file(e))
		return TF_OK;
	tf_stage_age_name(l->attr.id, NULL, name);
	(void)unlinkat(l->v->stagefd, name, 0);
	rc = tf_file_new(l->v->stagefd, name, O_RDWR | O_EXCL, &x.fd, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_file_pwrite(x.fd, tf_buf_bytes(&e->body).p, e->body.n, 0, err);
	(void)close(x.fd); /* see above */
	if (rc == TF_OK)
		rc = name_it(&x, name, err);
	if (rc != TF_OK)
		(void)unlinkat(l->v->stagefd, name, 0);
	e->shown = rc == TF_OK;
	return rc;
}

/* l->encrypted becomes e, and l->to the recipients; io is held. */
static void
take_over(struct tf_pending *l, struct tf_encrypted *e,
    struct tf_kept_recipients *to)
{
	pthread_mutex_lock(&l->v->mu);
	l->encrypted = e;
	tf_recipients_unref(l->to);
	l->to = to;
	tf_quota_charge(l, l->charged_for);
	pthread_mutex_unlock(&l->v->mu);
}

/* What was made before is of other content or for other recipients; io is held.
 * If a flush has entered it, the forwarder may not find it any more: who waits for
 * the organisation has to flush again. */
static void
forget_old(struct tf_pending *l)
{
	struct tf_encrypted *old;

	pthread_mutex_lock(&l->v->mu);
	old = l->encrypted;
	l->encrypted = NULL;
	l->rewrites += old != NULL && !TF_IS_MUTANT(TF_AGE_UNCOUNTED);
	tf_quota_charge(l, l->charged_for);
	pthread_mutex_unlock(&l->v->mu);
	tf_stage_remove_age(l, old);
	tf_encrypted_free(old);
}

/* Was it made of the content of now, and for the newest recipients?  io is
 * held. */
static bool
is_made(struct tf_pending *l, bool newest, const struct tf_kept_recipients *to,
    uint64_t changes)
{
	struct tf_encrypted *e = l->encrypted;

	if (e == NULL || e->gen != l->gen)
		return false;
	if (e->recipients == to->version) {
		pthread_mutex_lock(&l->v->mu);
		e->changes = changes;
		pthread_mutex_unlock(&l->v->mu);
	}
	return !newest || e->recipients == to->version;
}

bool
tf_encrypt_takes_long(const struct tf_pending *l)
{
	const struct tf_encrypted *e = l->encrypted;

	return l->secret && l->size > TF_HASH_LONG &&
	    l->attr.state == TF_STATE_FROZEN &&
	    (e == NULL || e->gen != l->gen ||
		e->changes != atomic_load(&l->v->recipients.changes));
}

/* The newest recipients of the trail of l; NULL: it has none. */
static enum tf_code
hold(struct tf_pending *l, struct tf_kept_recipients **to, struct tf_error *err)
{
	enum tf_code rc = tf_recipients_hold(l->v, l->wf, to, err);

	if (rc == TF_OK && *to == NULL && l->secret)
		rc = tf_fail(err, TF_TAMPER, "its trail has no recipients");
	return rc;
}

/* Encrypt to `to`, which is taken over or let go; io is held. */
static enum tf_code
encrypt_to(struct tf_pending *l, bool newest, struct tf_kept_recipients *to,
    uint64_t changes, const struct tf_patience *p, struct tf_error *err)
{
	struct encrypting x = { .l = l };
	enum tf_code rc;

	if (is_made(l, newest, to, changes)) {
		tf_recipients_let_go(l->v, to);
		return TF_OK;
	}
	forget_old(l);
	if ((x.e = calloc(1, sizeof(*x.e))) == NULL)
		rc = tf_nomem(err);
	else
		rc = make(&x, to, p, err);
	if (rc == TF_OK) {
		x.e->recipients = to->version;
		x.e->changes = changes;
		x.e->gen = l->gen;
		take_over(l, x.e, to);
	} else {
		tf_encrypted_free(x.e);
		tf_recipients_let_go(l->v, to);
	}
	return rc;
}

enum tf_code
tf_encrypt(struct tf_pending *l, bool newest, const struct tf_patience *p,
    struct tf_error *err)
{
	struct tf_kept_recipients *to;
	uint64_t changes = atomic_load(&l->v->recipients.changes);
	enum tf_code rc = hold(l, &to, err);

	if (rc != TF_OK || to == NULL)
		return rc;
	tf_pending_lock(l);
	rc = encrypt_to(l, newest, to, changes, p, err);
	pthread_mutex_unlock(&l->io);
	return rc;
}

enum tf_code
tf_encrypt_flushed(struct tf_pending *l, const struct tf_patience *p,
    const struct tf_encrypted **out, struct tf_error *err)
{
	struct tf_kept_recipients *to;
	uint64_t changes = atomic_load(&l->v->recipients.changes);
	enum tf_code rc = hold(l, &to, err);

	*out = NULL;
	if (rc != TF_OK || to == NULL)
		return rc;
	rc = encrypt_to(l, true, to, changes, p, err);
	if (rc == TF_OK)
		rc = show(l, l->encrypted, err);
	if (rc == TF_OK)
		*out = l->encrypted;
	return rc;
}

enum tf_code
tf_encrypted_read(struct tf_pending *l, void *p, size_t n, uint64_t off,
    size_t *got, struct tf_error *err)
{
	const struct tf_encrypted *e = l->encrypted;
	char name[TF_STAGE_NAME];
	int fd;
	enum tf_code rc;

	*got = 0;
	if (!e->in_file) {
		if (off < e->body.n) {
			*got = n < e->body.n - off ? n :
						     e->body.n - (size_t)off;
			memcpy(p, e->body.p + off, *got);
		}
		return TF_OK;
	}
	tf_stage_age_name(l->attr.id, &e->content.sha256, name);
	rc = tf_file_open(l->v->stagefd, name, O_RDONLY, &fd, err);
	if (rc != TF_OK)
		return rc;
	rc = tf_file_pread(fd, p, n, off, got, err);
	(void)close(fd); /* read-only */
	return rc;
}
