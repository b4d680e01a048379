/*
 * Bytes that are not final.  Short content stays in memory until it is flushed
 * into the database; long content is a file of stage/, hashed as it comes when
 * it comes in order.  FLUSH makes durable and reports; the last release
 * freezes and reports to nobody (I2, I4).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/file.h"
#include "names.h"

#define SIZE_MAX_FILE ((uint64_t)TF_JSON_MAX)	/* entries cannot say more */
#define LOOK_NS 200000000	/* how long a look at free space is good */

struct tf_file {
	struct tf_vault *v;
	struct tf_live *l;
	uint32_t uid;
	char *actor;
	bool wrote;
};

void
tf_stage_name(uint64_t id, char out[24])
{
	(void)snprintf(out, 24, "%llu", (unsigned long long)id);
}

struct tf_subject
tf_live_subject(const struct tf_live *l, uint32_t caller)
{
	struct tf_subject s = { .kind = l->attr.kind, .state = l->attr.state,
	    .size = l->attr.size, .uid = l->attr.uid };

	for (unsigned i = 0; l->writers > 0 && i < l->n_uids; i++)
		s.open_by_other = s.open_by_other || l->uids[i] != caller;
	return s;
}

/* --- space -------------------------------------------------------------- */

/* Take n bytes of what the disk has beyond the floor. */
static enum tf_code
take_space(struct tf_vault *v, uint64_t n, struct tf_error *err)
{
	uint64_t now = tf_clock_boot_ns(), floor = TF_FLOOR_BYTES, free = 0;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	if (now > v->space_until_ns || v->space_left < n) {
		rc = tf_file_free(v->stagefd, &free, err);
		floor += 2 * v->unsaved;
		v->space_left = free > floor ? free - floor : 0;
		v->space_until_ns = now + LOOK_NS;
	}
	if (rc == TF_OK && v->space_left < n) {
		errno = ENOSPC;
		rc = tf_fail(err, TF_NOSPACE, "the store's disk is full (%llu "
		    "MiB are kept for sealing): free some space",
		    (unsigned long long)(TF_FLOOR_BYTES >> 20));
	}
	if (rc == TF_OK)
		v->space_left -= n;
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* --- content (io held) --------------------------------------------------- */

static void
count_unsaved(struct tf_live *l, int64_t n)
{
	pthread_mutex_lock(&l->v->mu);
	l->v->unsaved = (uint64_t)((int64_t)l->v->unsaved + n);
	pthread_mutex_unlock(&l->v->mu);
}

static void
drop_mem(struct tf_live *l)
{
	if (l->mem == NULL)
		return;
	count_unsaved(l, -(int64_t)l->mem_cap);
	free(l->mem);
	l->mem = NULL;
	l->mem_cap = 0;
}

static enum tf_code
need_mem(struct tf_live *l, size_t n, struct tf_error *err)
{
	size_t cap = l->mem_cap == 0 ? 4096 : l->mem_cap;
	char *p;

	if (n <= l->mem_cap && l->mem != NULL)
		return TF_OK;
	while (cap < n)
		cap *= 2;
	if ((p = realloc(l->mem, cap)) == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	count_unsaved(l, (int64_t)(cap - l->mem_cap));
	l->mem = p;
	l->mem_cap = cap;
	return TF_OK;
}

static enum tf_code
read_inline(struct tf_live *l, struct tf_buf *body, struct tf_error *err)
{
	struct tf_object_row row;
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_reader_db(l->v, &db, err)) != TF_OK)
		return rc;
	rc = tf_object_get(db, l->attr.id, &row, body, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "staged bytes are missing");
	tf_reader_done(l->v, db);
	return rc;
}

static bool
is_in_db(struct tf_live *l)
{
	bool yes;

	pthread_mutex_lock(&l->v->mu);
	yes = l->in_db;
	pthread_mutex_unlock(&l->v->mu);
	return yes;
}

/* The content is in memory or in a file, not only in the database. */
static enum tf_code
bring_back(struct tf_live *l, struct tf_error *err)
{
	struct tf_buf body = { 0 };
	enum tf_code rc;

	if (l->mem != NULL || l->fd >= 0 || !is_in_db(l))
		return TF_OK;
	if ((rc = read_inline(l, &body, err)) == TF_OK)
		rc = need_mem(l, body.n, err);
	if (rc == TF_OK)
		memcpy(l->mem, body.p, body.n);
	tf_buf_free(&body);
	return rc;
}

/*
 * A staged file appears under its name only when it holds all that it should:
 * until then what was flushed before is where it was.
 */
static enum tf_code
new_file(struct tf_live *l, enum tf_code (*fill)(struct tf_live *l, int fd,
    struct tf_error *err), int *out, struct tf_error *err)
{
	char name[24], tmp[32];
	enum tf_code rc;
	int fd;

	tf_stage_name(l->attr.id, name);
	(void)snprintf(tmp, sizeof(tmp), "%s.new", name);
	fd = openat(l->v->stagefd, tmp, O_RDWR | O_CREAT | O_TRUNC |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return tf_fail(err, TF_IO, "create stage/%s", tmp);
	rc = fill(l, fd, err);
	/* What was acknowledged must survive a power cut after the rename. */
	if (rc == TF_OK && l->saved_gen > 0)
		rc = tf_file_datasync(fd, err);
	if (rc == TF_OK &&
	    renameat(l->v->stagefd, tmp, l->v->stagefd, name) < 0)
		rc = tf_fail(err, TF_IO, "rename to stage/%s", name);
	if (rc != TF_OK) {
		(void)unlinkat(l->v->stagefd, tmp, 0);
		(void)close(fd);
		return rc;
	}
	*out = fd;
	return TF_OK;
}

static enum tf_code
fill_from_memory(struct tf_live *l, int fd, struct tf_error *err)
{
	return l->size == 0 ? TF_OK : tf_file_pwrite(fd, l->mem, l->size, 0,
	    err);
}

/* From memory into a file of stage/. */
static enum tf_code
spill(struct tf_live *l, struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	if (l->sha == NULL && (l->sha = tf_sha256_new()) == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	if ((rc = new_file(l, fill_from_memory, &fd, err)) != TF_OK)
		return rc;
	l->fd = fd;
	tf_sha256_reset(l->sha);
	if (l->size > 0)
		tf_sha256_add(l->sha, l->mem, l->size);
	l->hashed = l->size;
	l->in_order = true;
	drop_mem(l);
	return TF_OK;
}

static enum tf_code
fill_from_file(struct tf_live *l, int fd, struct tf_error *err)
{
	size_t chunk = 1 << 16, got = 0;
	char *buf = malloc(chunk);
	uint64_t off = 0;
	enum tf_code rc = TF_OK;

	if (buf == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	while (rc == TF_OK) {
		rc = tf_file_pread(l->fd, buf, chunk, off, &got, err);
		if (rc != TF_OK || got == 0)
			break;
		rc = tf_file_pwrite(fd, buf, got, off, err);
		off += got;
	}
	free(buf);
	return rc;
}

/*
 * The staged file became an object, and then its seal failed: what is written
 * from now on must not change the object, so it goes into a copy.
 */
static enum tf_code
copy_object(struct tf_live *l, struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	if (!l->linked)
		return TF_OK;
	if ((rc = new_file(l, fill_from_file, &fd, err)) != TF_OK)
		return rc;
	(void)close(l->fd);
	l->fd = fd;
	l->linked = false;
	return TF_OK;
}

static enum tf_code
put_bytes(struct tf_live *l, const void *p, size_t n, uint64_t off,
    struct tf_error *err)
{
	enum tf_code rc;

	if (l->fd < 0 && off + n <= TF_INLINE_MAX) {
		if ((rc = need_mem(l, off + n, err)) != TF_OK)
			return rc;
		if (off > l->size)
			memset(l->mem + l->size, 0, off - l->size);
		memcpy(l->mem + off, p, n);
		return TF_OK;
	}
	if ((l->fd < 0 && (rc = spill(l, err)) != TF_OK) ||
	    (rc = copy_object(l, err)) != TF_OK)
		return rc;
	if ((rc = tf_file_pwrite(l->fd, p, n, off, err)) != TF_OK)
		return rc;
	if (l->in_order && off == l->hashed) {
		tf_sha256_add(l->sha, p, n);
		l->hashed += n;
	} else {
		l->in_order = false;	/* hashed again as a whole at flush */
	}
	return TF_OK;
}

static enum tf_code
set_size(struct tf_live *l, uint64_t size, struct tf_error *err)
{
	enum tf_code rc;

	if (l->fd < 0 && size <= TF_INLINE_MAX) {
		if ((rc = need_mem(l, size, err)) != TF_OK)
			return rc;
		if (size > l->size)
			memset(l->mem + l->size, 0, size - l->size);
		return TF_OK;
	}
	if ((l->fd < 0 && (rc = spill(l, err)) != TF_OK) ||
	    (rc = copy_object(l, err)) != TF_OK)
		return rc;
	if (ftruncate(l->fd, (off_t)size) < 0)
		return tf_fail(err, TF_IO, "truncate failed");
	if (size == 0) {
		tf_sha256_reset(l->sha);
		l->hashed = 0;
		l->in_order = true;
	} else if (size < l->hashed || size > l->size) {
		l->in_order = false;
	}
	return TF_OK;
}

enum tf_code
tf_hash_fd(int fd, struct tf_hash *out, uint64_t *size, struct tf_error *err)
{
	size_t chunk = 1 << 20, got = 0;
	struct tf_sha256 *h = tf_sha256_new();
	char *buf = malloc(chunk);
	uint64_t off = 0;
	enum tf_code rc = TF_OK;

	if (h == NULL || buf == NULL)
		rc = tf_fail(err, TF_NOMEM, "no memory");
	while (rc == TF_OK) {
		rc = tf_file_pread(fd, buf, chunk, off, &got, err);
		if (rc != TF_OK || got == 0)
			break;
		tf_sha256_add(h, buf, got);
		off += got;
	}
	if (rc == TF_OK) {
		tf_sha256_peek(h, out);
		*size = off;
	}
	tf_sha256_free(h);
	free(buf);
	return rc;
}

/* The digest of the content as it is now. */
static enum tf_code
digest(struct tf_live *l, struct tf_hash *out, struct tf_error *err)
{
	uint64_t size = 0;
	enum tf_code rc;

	if (l->fd < 0) {
		tf_sha256(l->mem == NULL ? "" : l->mem, l->size, out);
		return TF_OK;
	}
	if (l->in_order && l->hashed == l->size) {
		tf_sha256_peek(l->sha, out);
		return TF_OK;
	}
	rc = tf_hash_fd(l->fd, out, &size, err);
	if (rc == TF_OK && size != l->size)
		rc = tf_fail(err, TF_TAMPER, "a staged file changed its size");
	return rc;
}

enum tf_code
tf_live_read(struct tf_live *l, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	bool brought;

	*got = 0;
	pthread_mutex_lock(&l->io);
	brought = l->mem == NULL;
	if (off < l->size) {
		if (n > l->size - off)
			n = (size_t)(l->size - off);
		if (l->fd >= 0) {
			rc = tf_file_pread(l->fd, p, n, off, got, err);
		} else if ((rc = bring_back(l, err)) == TF_OK) {
			memcpy(p, l->mem + off, n);
			*got = n;
		}
	}
	/* For this read only, while it is in the database. */
	if (brought && is_in_db(l))
		drop_mem(l);
	pthread_mutex_unlock(&l->io);
	return rc;
}

enum tf_code
tf_live_detach(struct tf_live *l, struct tf_error *err)
{
	enum tf_code rc;

	pthread_mutex_lock(&l->io);
	rc = bring_back(l, err);
	if (rc == TF_OK) {
		pthread_mutex_lock(&l->v->mu);
		l->in_db = false;
		pthread_mutex_unlock(&l->v->mu);
	}
	pthread_mutex_unlock(&l->io);
	return rc;
}

/* --- failing ------------------------------------------------------------- */

static enum tf_code
fail_for_good(struct tf_live *l, enum tf_code rc, const struct tf_error *e,
    struct tf_error *err)
{
	pthread_mutex_lock(&l->v->mu);
	if (l->failed == TF_OK) {
		l->failed = rc;
		l->failure = *e;
	}
	pthread_mutex_unlock(&l->v->mu);
	if (err != NULL)
		*err = *e;
	return rc;
}

/* --- flushing ------------------------------------------------------------ */

struct flush {
	struct tf_job job;
	struct tf_live *l;
	bool is_inline;
	char *body;	/* inline: a copy, for the writer may go on */
	uint64_t size, gen;
	struct tf_hash digest;
};

static void
fill_row(const struct tf_live *l, struct tf_stage_row *r)
{
	memset(r, 0, sizeof(*r));
	r->attr = l->attr;
	r->name_len = l->name_len;
	memcpy(r->name, l->name, l->name_len);
	r->actor = (struct tf_str){ l->actor,
	    l->actor == NULL ? 0 : strlen(l->actor) };
	r->xattrs = (struct tf_str){ l->xattrs.n == 0 ? NULL : l->xattrs.p,
	    l->xattrs.n };
}

static void
writers_json(const struct tf_live *l, struct tf_buf *out)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_array(&j);
	for (unsigned i = 0; i < l->n_uids; i++)
		tf_json_int(&j, l->uids[i]);
	tf_json_array_end(&j);
	out->failed = out->failed || tf_json_end(&j, NULL) != TF_OK;
}

/* Directories above that were never saved; then l itself.  The strings of a
 * row are copied while mu is held. */
static enum tf_code
save_row(struct tf_txn *t, struct tf_live *l, const struct flush *f,
    struct tf_error *err)
{
	struct tf_vault *v = t->v;
	struct tf_buf writers = { 0 }, actor = { 0 }, xattrs = { 0 };
	struct tf_stage_row r;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	fill_row(l, &r);
	if (r.actor.n > 0)
		tf_buf_add(&actor, r.actor.p, r.actor.n);
	if (r.xattrs.n > 0)
		tf_buf_add(&xattrs, r.xattrs.p, r.xattrs.n);
	if (l->n_uids > 0)
		writers_json(l, &writers);
	if (f != NULL) {
		r.has_digest = true;
		r.sha256 = f->digest;
		r.attr.size = f->size;
	} else if (tf_live_is_file(l) && l->saved_gen > 0) {
		r.has_digest = true;
		r.sha256 = l->digest;
		r.dirty = l->marked;
	}
	pthread_mutex_unlock(&v->mu);
	r.actor = (struct tf_str){ actor.p, actor.n };
	r.xattrs = (struct tf_str){ xattrs.p, xattrs.n };
	r.writers = (struct tf_str){ writers.p, writers.n };
	rc = actor.failed || xattrs.failed || writers.failed ?
	    tf_fail(err, TF_NOMEM, "no memory") :
	    tf_stage_put(tf_txn_write(t), &r, err);
	tf_buf_free(&actor);
	tf_buf_free(&xattrs);
	tf_buf_free(&writers);
	return rc;
}

/* The live directories above l, nearest first, that have no row yet. */
static enum tf_code
save_directories(struct tf_txn *t, struct tf_live *l, struct tf_error *err)
{
	struct tf_vault *v = t->v;
	uint64_t id = l->attr.parent;
	struct tf_live *d;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK) {
		pthread_mutex_lock(&v->mu);
		d = tf_live_get(&v->live, id);
		if (d != NULL && d->saved)
			d = NULL;
		if (d != NULL) {
			tf_live_ref(d);
			id = d->attr.parent;
		}
		pthread_mutex_unlock(&v->mu);
		if (d == NULL)
			break;
		rc = save_row(t, d, NULL, err);
		pthread_mutex_lock(&v->mu);
		tf_live_unref(d);
		pthread_mutex_unlock(&v->mu);
	}
	return rc;
}

void
tf_stage_saved(struct tf_vault *v, struct tf_live *l)
{
	l->saved = true;
	while ((l = tf_live_get(&v->live, l->attr.parent)) != NULL &&
	    !l->saved)
		l->saved = true;
}

enum tf_code
tf_stage_save(struct tf_txn *t, struct tf_live *l, struct tf_error *err)
{
	enum tf_code rc = save_directories(t, l, err);

	return rc == TF_OK ? save_row(t, l, NULL, err) : rc;
}

static enum tf_code
flush_run(struct tf_txn *t, struct tf_job *j, struct tf_error *err)
{
	struct flush *f = (struct flush *)j;
	enum tf_code rc;

	if ((rc = save_directories(t, f->l, err)) != TF_OK ||
	    (rc = save_row(t, f->l, f, err)) != TF_OK || !f->is_inline)
		return rc;
	return tf_object_put(t->db, f->l->attr.id, &f->digest, f->body,
	    f->size, err);
}

static void
flush_done(struct tf_job *j, enum tf_code code, const struct tf_error *err)
{
	struct flush *f = (struct flush *)j;
	struct tf_live *l = f->l;
	struct tf_vault *v = l->v;
	struct tf_waiter *w, *next;

	pthread_mutex_lock(&v->mu);
	if (code == TF_OK) {
		tf_stage_saved(v, l);
		l->saved_gen = f->gen;
		l->marked = l->stale = false;
		l->digest = f->digest;
		l->in_db = f->is_inline;
	} else if (l->failed == TF_OK) {
		l->failed = code;
		l->failure = *err;
	}
	w = l->waiters;
	l->waiters = NULL;
	l->job = false;
	pthread_cond_broadcast(&v->changed);
	tf_live_unref(l);
	pthread_mutex_unlock(&v->mu);
	for (; w != NULL; w = next) {
		next = w->next;
		w->done(w->arg, code, err);
		free(w);
	}
	free(f->body);
	free(f);
}

/* Build the job from the content; io held, l claimed by us (job set). */
static enum tf_code
build_flush(struct tf_live *l, struct flush **out, struct tf_error *err)
{
	struct flush *f = calloc(1, sizeof(*f));
	enum tf_code rc = TF_OK;

	if (f == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	f->job.run = flush_run;
	f->job.done = flush_done;
	f->l = l;
	f->size = l->size;
	f->gen = l->gen;
	f->is_inline = l->fd < 0;
	if (l->fd >= 0)
		rc = tf_file_datasync(l->fd, err);
	if (rc == TF_OK)
		rc = digest(l, &f->digest, err);
	if (rc == TF_OK && f->is_inline && f->size > 0) {
		f->body = malloc(f->size);
		if (f->body == NULL)
			rc = tf_fail(err, TF_NOMEM, "no memory");
		else
			memcpy(f->body, l->mem, f->size);
	}
	if (rc != TF_OK) {
		free(f->body);
		free(f);
		return rc;
	}
	*out = f;
	return TF_OK;
}

static bool
add_waiter(struct tf_live *l, tf_done done, void *arg)
{
	struct tf_waiter *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return false;
	w->done = done;
	w->arg = arg;
	w->next = l->waiters;
	l->waiters = w;
	return true;
}

static void
flush_failed(struct tf_live *l, enum tf_code rc, struct tf_error *e)
{
	struct tf_vault *v = l->v;

	(void)fail_for_good(l, rc, e, NULL);
	pthread_mutex_lock(&v->mu);
	l->job = false;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->mu);
}

/* Start making the present content durable; done (may be NULL) hears of it. */
static void
flush_live(struct tf_live *l, tf_done done, void *arg)
{
	struct tf_error e = { .code = TF_OK };
	struct tf_vault *v = l->v;
	struct flush *f = NULL;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&l->io);
	pthread_mutex_lock(&v->mu);
	for (;;) {
		if (l->failed != TF_OK) {
			rc = l->failed;
			e = l->failure;
			break;
		}
		if (tf_live_clean(l) || l->unlinked)
			break;		/* nothing to do */
		if (l->attr.state == TF_STATE_SEALED) {
			rc = tf_fail(&e, TF_SEALED, "it was sealed meanwhile");
			break;
		}
		if (!l->job) {
			l->job = true;
			l->flushing_gen = l->gen;
			tf_live_ref(l);
			pthread_mutex_unlock(&v->mu);
			rc = build_flush(l, &f, &e);
			if (rc != TF_OK)
				flush_failed(l, rc, &e);
			pthread_mutex_lock(&v->mu);
			if (rc != TF_OK)
				tf_live_unref(l);
			break;
		}
		/* Somebody's flush of these very bytes: wait for it too. */
		if (l->flushing_gen == l->gen && done != NULL &&
		    add_waiter(l, done, arg)) {
			pthread_mutex_unlock(&v->mu);
			pthread_mutex_unlock(&l->io);
			return;
		}
		pthread_mutex_unlock(&l->io);
		pthread_cond_wait(&v->changed, &v->mu);
		pthread_mutex_unlock(&v->mu);
		pthread_mutex_lock(&l->io);
		pthread_mutex_lock(&v->mu);
	}
	if (f != NULL && done != NULL && !add_waiter(l, done, arg)) {
		rc = tf_fail(&e, TF_NOMEM, "no memory");	/* told below */
		tf_commit_submit(v->commit, &f->job);
		f = NULL;
	}
	pthread_mutex_unlock(&v->mu);
	if (f != NULL)
		tf_commit_submit(v->commit, &f->job);
	pthread_mutex_unlock(&l->io);
	if (f == NULL && done != NULL)
		done(arg, rc, &e);
}

/* Who wrote last is whom the entry names; mu held. */
static void
own(struct tf_file *f)
{
	char *actor;

	if (!f->wrote || (actor = strdup(f->actor)) == NULL)
		return;
	free(f->l->actor);
	f->l->actor = actor;
	f->wrote = false;
}

void
tf_file_flush(struct tf_file *f, tf_done done, void *arg)
{
	pthread_mutex_lock(&f->v->mu);
	own(f);
	pthread_mutex_unlock(&f->v->mu);
	flush_live(f->l, done, arg);
}

/* --- opening, writing ----------------------------------------------------- */

/* A handle without a file yet.  The name service is asked here, where no lock
 * is held. */
static enum tf_code
new_handle(struct tf_vault *v, const struct tf_actor *who,
    struct tf_file **out, struct tf_error *err)
{
	struct tf_file *f = calloc(1, sizeof(*f));
	enum tf_code rc;

	if (f == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	if ((rc = tf_actor_text(who, &f->actor, err)) != TF_OK) {
		free(f);
		return rc;
	}
	f->v = v;
	f->uid = who->uid;
	*out = f;
	return TF_OK;
}

static void
free_handle(struct tf_file *f)
{
	if (f == NULL)
		return;
	free(f->actor);
	free(f);
}

bool
tf_live_opened(struct tf_live *l, uint32_t uid)
{
	unsigned i;

	for (i = 0; i < l->n_uids && l->uids[i] != uid; i++)
		;
	if (i == TF_WRITERS_MAX)
		return false;
	if (i == l->n_uids) {
		for (; i > 0 && l->uids[i - 1] > uid; i--)
			l->uids[i] = l->uids[i - 1];
		l->uids[i] = uid;
		l->n_uids++;
	}
	l->writers++;
	return true;
}

enum tf_code
tf_vault_create(struct tf_vault *v, uint64_t parent, const char *name,
    uint32_t mode, const struct tf_actor *who, struct tf_attr *out,
    struct tf_file **file, struct tf_error *err)
{
	struct tf_file *f;
	enum tf_code rc;

	if ((rc = take_space(v, TF_FILE_COST, err)) != TF_OK ||
	    (rc = new_handle(v, who, &f, err)) != TF_OK)
		return rc;
	rc = tf_names_create(v, parent, name, mode, who, f->actor, &f->l, err);
	if (rc != TF_OK) {
		free_handle(f);
		return rc;
	}
	pthread_mutex_lock(&v->mu);
	*out = f->l->attr;
	pthread_mutex_unlock(&v->mu);
	*file = f;
	return TF_OK;
}

static enum tf_code
sealed_refusal(enum tf_request req, struct tf_error *err)
{
	struct tf_subject s = { .kind = TF_KIND_EVIDENCE,
	    .state = TF_STATE_SEALED };

	return tf_fail(err, TF_SEALED, "sealed evidence: %s",
	    tf_policy_advice(&s, req));
}

/* Cut to nothing, for O_TRUNC; io not held. */
static enum tf_code
cut(struct tf_file *f, struct tf_error *err)
{
	struct tf_attr want = { .size = 0 }, out;
	struct tf_actor nobody = { .uid = f->uid };

	return tf_vault_setattr(f->v, f->l->attr.id, f, TF_SET_SIZE, &want,
	    &nobody, &out, err);
}

enum tf_code
tf_vault_open_write(struct tf_vault *v, uint64_t id, bool truncate,
    const struct tf_actor *who, struct tf_file **file, struct tf_error *err)
{
	enum tf_request req = truncate ? TF_REQ_TRUNCATE_OPEN :
	    TF_REQ_WRITE_OPEN;
	struct tf_file *f;
	struct tf_attr a;
	struct tf_subject s;
	struct tf_live *l;
	enum tf_code rc;

	if ((rc = tf_vault_getattr(v, id, &a, err)) != TF_OK)
		return rc;
	if (a.kind != TF_KIND_EVIDENCE)
		return tf_fail(err, TF_ISDIR, "is a directory");
	if ((rc = new_handle(v, who, &f, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&v->mu);
	l = tf_live_get(&v->live, id);
	if (l == NULL || !tf_live_claim(v, l)) {
		pthread_mutex_unlock(&v->mu);
		free_handle(f);
		return sealed_refusal(req, err);
	}
	s = tf_live_subject(l, who->uid);
	if ((rc = tf_policy(&s, req, who->uid)) != TF_OK)
		rc = tf_refusal(rc, &s, req, l->name, err);
	if (rc == TF_OK && l->failed != TF_OK)
		rc = tf_fail(err, l->failed, "%s", l->failure.text);
	if (rc == TF_OK)
		rc = tf_vault_writable_locked(v, err);
	if (rc == TF_OK && !tf_live_opened(l, who->uid))
		rc = tf_fail(err, TF_DENIED, "more than %d users wrote this "
		    "file", TF_WRITERS_MAX);
	if (rc == TF_OK) {
		tf_live_ref(l);		/* the handle's */
		f->l = l;
	}
	tf_live_unclaim(v, l);
	pthread_mutex_unlock(&v->mu);
	if (rc != TF_OK) {
		free_handle(f);
		return rc;
	}
	if (truncate && (rc = cut(f, err)) != TF_OK)
		tf_file_release(f);
	else
		*file = f;
	return rc;
}

static enum tf_code
dirty_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct tf_live *l = arg;

	return tf_stage_set_dirty(tf_txn_write(t), l->attr.id, err);
}

/*
 * The first change after a flush: a durable mark says that the row's digest no
 * longer tells everything.  io held; the committer never takes it.
 */
static enum tf_code
dirty_again(struct tf_live *l, struct tf_error *err)
{
	struct tf_vault *v = l->v;
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&v->mu);
	/* A flush under way would write a row that knows nothing of this. */
	tf_live_wait(v, l);
	if (l->saved && l->saved_gen > 0 && !l->marked) {
		l->job = true;
		l->marked = true;
		pthread_mutex_unlock(&v->mu);
		rc = tf_commit_wait(v->commit, dirty_run, l, err);
		pthread_mutex_lock(&v->mu);
		l->marked = rc == TF_OK;
		l->job = false;
		pthread_cond_broadcast(&v->changed);
	}
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* The content changed: everybody may know.  io held. */
static void
changed(struct tf_file *f, uint64_t size)
{
	struct tf_live *l = f->l;
	struct tf_time now = tf_clock_now();

	pthread_mutex_lock(&l->v->mu);
	l->gen++;
	l->size = l->attr.size = size;
	l->attr.mtime = l->attr.ctime = now;
	l->written = true;
	if (l->attr.state == TF_STATE_PLACEHOLDER)
		l->attr.state = TF_STATE_OPEN;
	f->wrote = true;
	pthread_mutex_unlock(&l->v->mu);
}

/* Space for growing to end, and the file's past checked.  io held. */
static enum tf_code
before_change(struct tf_live *l, uint64_t end, struct tf_error *err)
{
	enum tf_code rc;

	pthread_mutex_lock(&l->v->mu);
	rc = l->failed;
	if (rc != TF_OK && err != NULL)
		*err = l->failure;
	else if (l->attr.state == TF_STATE_SEALED)
		rc = tf_fail(err, TF_SEALED, "it was sealed meanwhile");
	pthread_mutex_unlock(&l->v->mu);
	if (rc != TF_OK)
		return rc;
	if (end > SIZE_MAX_FILE)
		return tf_fail(err, TF_TOOBIG, "a file can have 2^53-1 bytes");
	if (end > l->size)
		rc = take_space(l->v, (end - l->size) *
		    (end <= TF_INLINE_MAX ? 2 : 1), err);
	if (rc == TF_OK)
		rc = dirty_again(l, err);
	if (rc == TF_OK)
		rc = bring_back(l, err);
	return rc;
}

enum tf_code
tf_file_write_at(struct tf_file *f, const void *p, size_t n, uint64_t off,
    bool append, struct tf_error *err)
{
	struct tf_live *l = f->l;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc;

	pthread_mutex_lock(&l->io);
	if (append)
		off = l->size;
	if (off > SIZE_MAX_FILE || n > SIZE_MAX_FILE - off)
		rc = tf_fail(&e, TF_TOOBIG, "a file can have 2^53-1 bytes");
	else
		rc = before_change(l, off + n, &e);
	if (rc == TF_OK)
		rc = put_bytes(l, p, n, off, &e);
	if (rc == TF_OK)
		changed(f, off + n > l->size ? off + n : l->size);
	else	/* half of what was sent must never look like all of it */
		(void)fail_for_good(l, rc, &e, err);
	pthread_mutex_unlock(&l->io);
	return rc;
}

/* For setattr: a size through a handle. */
enum tf_code
tf_file_set_size(struct tf_file *f, uint64_t size, struct tf_error *err)
{
	struct tf_live *l = f->l;
	enum tf_code rc;

	pthread_mutex_lock(&l->io);
	if (size == l->size) {
		pthread_mutex_unlock(&l->io);
		return TF_OK;
	}
	rc = before_change(l, size, err);
	if (rc == TF_OK)
		rc = set_size(l, size, err);
	if (rc == TF_OK)
		changed(f, size);
	pthread_mutex_unlock(&l->io);
	return rc;
}

enum tf_code
tf_file_allocate(struct tf_file *f, uint64_t off, uint64_t len, bool grow,
    struct tf_error *err)
{
	uint64_t size;
	enum tf_code rc;

	if (len > SIZE_MAX_FILE || off > SIZE_MAX_FILE - len)
		return tf_fail(err, TF_TOOBIG, "a file can have 2^53-1 bytes");
	pthread_mutex_lock(&f->l->io);
	size = f->l->size;
	pthread_mutex_unlock(&f->l->io);
	if (off + len <= size)
		return TF_OK;
	if (grow)
		return tf_file_set_size(f, off + len, err);
	/* KEEP_SIZE: see that the space is there, and leave it at that. */
	rc = take_space(f->v, off + len - size, err);
	return rc;
}

enum tf_code
tf_file_read_at(struct tf_file *f, void *p, size_t n, uint64_t off,
    size_t *got, struct tf_error *err)
{
	return tf_live_read(f->l, p, n, off, got, err);
}

/* --- the last close ------------------------------------------------------- */

void
tf_live_freeze(struct tf_live *l)
{
	uint64_t now = tf_clock_boot_ns();
	struct tf_time clock = tf_clock_now();

	if (l->attr.state != TF_STATE_FROZEN) {
		l->attr.state = TF_STATE_FROZEN;
		l->frozen_ns = now;
	}
	if (tf_time_cmp(l->attr.ctime, clock) < 0)
		l->attr.ctime = clock;
	l->deadline_ns = now + (uint64_t)l->v->settle_s * 1000000000u;
	if (l->deadline_ns > l->frozen_ns + TF_SETTLE_MAX_NS)
		l->deadline_ns = l->frozen_ns + TF_SETTLE_MAX_NS;
	if (l->deadline_ns < l->v->alarm_ns)
		pthread_cond_signal(&l->v->alarm);
}

/* What the last release of a file leads to; mu held. */
static void
last_release(struct tf_live *l, bool *flush, bool *interrupt)
{
	if (l->unlinked) {
		tf_live_forget(&l->v->live, l);
		return;
	}
	if (l->failed != TF_OK && l->attr.state != TF_STATE_DRAFT) {
		*interrupt = true;
		return;
	}
	*flush = l->written && !tf_live_clean(l);
	if (l->attr.state == TF_STATE_OPEN)
		tf_live_freeze(l);
}

static void
after_release(void *arg, enum tf_code code, const struct tf_error *err)
{
	struct tf_live *l = arg;
	struct tf_vault *v = l->v;

	if (code != TF_OK)
		tf_vault_say(v, code, "node %llu: what was written after its "
		    "last close is not on disk: %s",
		    (unsigned long long)l->attr.id, err->text);
	pthread_mutex_lock(&v->mu);
	pthread_cond_signal(&v->alarm);	/* the keeper gives it up, or seals */
	tf_live_unref(l);
	pthread_mutex_unlock(&v->mu);
}

/* Nobody writes any more: the database's copy is enough. */
static void
forget_mem(struct tf_live *l)
{
	bool enough;

	pthread_mutex_lock(&l->io);
	pthread_mutex_lock(&l->v->mu);
	enough = l->in_db && tf_live_clean(l) && l->writers == 0;
	pthread_mutex_unlock(&l->v->mu);
	if (enough)
		drop_mem(l);
	pthread_mutex_unlock(&l->io);
}

void
tf_file_release(struct tf_file *f)
{
	struct tf_live *l = f->l;
	struct tf_vault *v = f->v;
	bool flush = false, interrupt = false;

	pthread_mutex_lock(&v->mu);
	own(f);
	if (--l->writers == 0)
		last_release(l, &flush, &interrupt);
	if (flush)
		tf_live_ref(l);
	pthread_mutex_unlock(&v->mu);
	if (flush)
		flush_live(l, after_release, l);
	else if (interrupt)
		tf_live_interrupt(l);
	else
		forget_mem(l);
	pthread_mutex_lock(&v->mu);
	tf_live_unref(l);
	pthread_mutex_unlock(&v->mu);
	free(f->actor);
	free(f);
}

void
tf_file_abandon(struct tf_file *f)
{
	struct tf_vault *v = f->v;

	pthread_mutex_lock(&v->mu);
	tf_live_unref(f->l);
	pthread_mutex_unlock(&v->mu);
	free(f->actor);
	free(f);
}
