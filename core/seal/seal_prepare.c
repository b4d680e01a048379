/*
 * What is done before the transaction that seals files.  Keeps I2: long
 * content is an object file before that transaction begins (tf_seal_link).
 * Hashing, linking and fsync take time that every other writer would wait for
 * in the committer, so none of that is left for the transaction;
 * check_prepared() and tf_existing_find() only compare there.  If the seal
 * then fails, the object file stays: the next try links the same bytes again.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/mutant.h"
#include "../base/bytes.h"
#include "../commit/encrypt.h"
#include "../commit/existing.h"
#include "../commit/staging.h"
#include "../ledger/chunks.h"
#include "../ledger/entry.h"
#include "../ledger/entry_write.h"
#include "../node/actor.h"
#include "../node/attr.h"
#include "../node/encrypted.h"
#include "../node/growth.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/stage_files.h"
#include "../node/vault_i.h"
#include "../store/objects.h"
#include "../vault.h"
#include "chunk.h"
#include "seal_prepare.h"

/* Is the actor the only writer, so that the entry needs no list of writers? */
static bool
only_actor(const struct tf_pending *l)
{
	struct tf_json_doc d;
	bool same = false;
	int t;

	if (l->n_uids > 1 || l->actor == NULL)
		return l->n_uids == 0;
	if (l->n_uids == 0)
		return true;
	if (tf_json_parse(&d, l->actor->s, l->actor->n, NULL) != TF_OK)
		return false;
	t = tf_json_get(&d, 0, "uid");
	same = t >= 0 && d.tok[t].num == l->uids[0];
	tf_json_doc_free(&d);
	return same;
}

uint32_t
tf_sealed_mode(const struct tf_pending *l)
{
	return l->attr.mode | tf_mode_floor(l->v, l->attr.kind);
}

/* An age file is like no other, so there is no object with its digest. */
static enum tf_code
link_encrypted(const struct tf_seal_file *s, struct tf_error *err)
{
	struct tf_vault *v = s->l->v;
	char name[TF_STAGE_NAME];

	if (!s->encrypted->in_file)
		return TF_OK;
	pthread_mutex_lock(&v->mu);
	s->l->encrypted->linked = true;
	pthread_mutex_unlock(&v->mu);
	tf_stage_age_name(s->l->attr.id, &s->content.sha256, name);
	return tf_object_link(v->objectsfd, &v->object_dirs, v->stagefd, name,
	    &s->content.sha256, s->content.size, err);
}

enum tf_code
tf_seal_link(const struct tf_seal_file *s, struct tf_error *err)
{
	struct tf_pending *l = s->l;
	char name[TF_STAGE_NAME];
	enum tf_code rc;

	if (s->encrypted != NULL)
		return link_encrypted(s, err);
	if (!l->in_file || !tf_pending_written(l))
		return TF_OK;
	/* If the seal fails and this is a draft, it may be written again. */
	tf_pending_lock(l);
	l->linked = true;
	pthread_mutex_unlock(&l->io);
	if ((rc = tf_existing_check(l, NULL, err)) != TF_OK)
		return rc;
	tf_stage_name(l->attr.id, name);
	rc = tf_object_link(l->v->objectsfd, &l->v->object_dirs, l->v->stagefd,
	    name, &l->digest, l->attr.size, err);
	if (TF_IS_MUTANT(TF_UNLINK_FIRST) && rc == TF_OK)
		(void)unlinkat(l->v->stagefd, name, 0);
	return rc;
}

/* Make the entry of s, which has its path. */
static enum tf_code
prepare_entry(struct tf_seal_file *s, struct tf_error *err)
{
	struct tf_pending *l = s->l;
	struct tf_entry e = { .v = TF_ENTRY_VERSION,
		.type = TF_EVIDENCE_SEALED,
		.origin = { l->v->origin, strlen(l->v->origin) },
		.path = { s->path.p, s->path.n },
		.has_node = true,
		.node = l->attr.id,
		.has_access = true,
		.has_content = true,
		.content = s->content,
		.has_encryption = s->encrypted != NULL,
		.created = l->attr.btime,
		.ctime = l->attr.ctime,
		.mtime = l->attr.mtime };
	struct tf_access_names names;
	struct tf_buf writers = { 0 };
	enum tf_code rc;

	if (s->encrypted != NULL) {
		e.encryption_format = tf_str_of("age");
		e.encryption_recipients = s->encrypted->recipients;
	}
	tf_access_fill(&e.access, tf_sealed_mode(l), l->attr.uid, l->attr.gid,
	    &names);
	if (l->actor != NULL)
		e.actor = (struct tf_str){ l->actor->s, l->actor->n };
	if (l->xattrs.n > 0)
		e.xattrs = (struct tf_str){ l->xattrs.p, l->xattrs.n };
	if (s->cause != NULL)
		e.cause = (struct tf_str){ s->cause, strlen(s->cause) };
	e.imported = tf_str_of(s->imported);
	e.has_proven = tf_growth_in_doubt(l);
	e.proven = l->entered;
	if (!only_actor(l)) {
		tf_writers_json(l, &writers);
		e.writers = (struct tf_str){ writers.p, writers.n };
	}
	rc = writers.failed ? tf_nomem(err) :
			      tf_entry_prepare(&e, &s->entry, err);
	tf_buf_free(&writers);
	return rc;
}

/* The last path that was looked up: neighbours mostly share their directory. */
struct dir_path {
	uint64_t id;
	struct tf_buf path;
};

/*
 * The path is that of now; check_prepared() compares it with that of the
 * commit.
 */
static enum tf_code
prepare_path(struct tf_vault *v, struct tf_db *db, struct dir_path *d,
    struct tf_seal_file *s, struct tf_error *err)
{
	uint64_t dir = s->l->attr.parent;
	enum tf_code rc;

	if (d->id != dir) {
		d->id = 0;
		d->path.n = 0;
		if ((rc = tf_path_of(v, db, dir, &d->path, err)) != TF_OK)
			return rc;
		d->id = dir;
	}
	tf_buf_add(&s->path, d->path.p, d->path.n);
	tf_buf_str(&s->path, "/");
	tf_buf_str(&s->path, s->l->name);
	return tf_buf_end(&s->path, err);
}

/*
 * The entry text is made here; the transaction adds what only it knows, such
 * as number and time.
 */
static enum tf_code
prepare_entries(struct tf_vault *v, struct tf_db *db, struct tf_seal_file *f,
    size_t n, struct tf_error *err)
{
	struct dir_path d = { 0 };
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < n; i++) {
		if ((rc = prepare_path(v, db, &d, &f[i], err)) == TF_OK)
			rc = prepare_entry(&f[i], err);
	}
	tf_buf_free(&d.path);
	return rc;
}

/* Order by digest; files with the same digest in the order of sealing. */
static int
by_content(const void *a, const void *b)
{
	const struct tf_seal_file *x = *(struct tf_seal_file *const *)a;
	const struct tf_seal_file *y = *(struct tf_seal_file *const *)b;
	int c = memcmp(&x->content.sha256, &y->content.sha256,
	    sizeof(x->content.sha256));

	return c != 0 ? c : (x > y) - (x < y);
}

/* The n files of f have one digest: hash the object for all of them once. */
static enum tf_code
prepare_same(struct tf_vault *v, struct tf_db *db, struct tf_seal_file **f,
    size_t n, struct tf_error *err)
{
	const struct tf_content *c = &f[0]->content;
	bool right = false;
	uint64_t id;
	enum tf_code rc = tf_object_find(db, &c->sha256, &id, err);

	if (rc == TF_NOTFOUND) {
		if (n == 1 || f[0]->encrypted != NULL ||
		    !tf_content_in_db(f[0]->l))
			return TF_OK;
		id = f[0]->l->attr.id;
	} else if (rc != TF_OK) {
		return rc;
	}
	rc = tf_existing_is_right(v, db, id, &c->sha256, c->size, &right, err);
	for (size_t i = 0; rc == TF_OK && right && i < n; i++)
		f[i]->same = id;
	return rc;
}

/* Sorts by digest, so that equal contents are hashed once for all of them. */
static enum tf_code
prepare_objects(struct tf_vault *v, struct tf_db *db, struct tf_seal_file *f,
    size_t n, struct tf_error *err)
{
	struct tf_seal_file **by;
	enum tf_code rc = TF_OK;

	if ((by = calloc(n, sizeof(*by))) == NULL)
		return tf_nomem(err);
	for (size_t i = 0; i < n; i++)
		by[i] = &f[i];
	qsort(by, n, sizeof(*by), by_content);
	for (size_t i = 0, to; rc == TF_OK && i < n; i = to) {
		for (to = i + 1; to < n &&
		     memcmp(&by[to]->content.sha256, &by[i]->content.sha256,
			 sizeof(struct tf_hash)) == 0;
		     to++)
			;
		rc = prepare_same(v, db, by + i, to - i, err);
	}
	free(by);
	return rc;
}

/* What the entry of s will name. */
static enum tf_code
prepare_content(struct tf_seal_file *s, struct tf_error *err)
{
	struct tf_pending *l = s->l;
	enum tf_code rc;

	s->recipients = atomic_load(&l->v->recipients.changes);
	if ((rc = tf_encrypt(l, true, NULL, err)) != TF_OK)
		return rc;
	s->encrypted = l->encrypted;
	if (s->encrypted != NULL) {
		s->content = s->encrypted->content;
		return TF_OK;
	}
	s->content = (struct tf_content){ .sha256 = l->digest,
		.size = l->attr.size };
	if (!tf_pending_written(l))
		tf_sha256("", 0, &s->content.sha256);
	return TF_OK;
}

/* Mostly tend.c made the list already. */
static enum tf_code
prepare_chunks(struct tf_seal_file *s, struct tf_error *err)
{
	enum tf_code rc;

	if (s->encrypted != NULL)
		return TF_OK;
	rc = tf_chunk(s->l, NULL, err);
	if (rc == TF_OK)
		s->chunks = tf_chunk_result(s->l);
	return rc;
}

uint64_t
tf_seal_entries(const struct tf_seal_file *f, size_t n)
{
	uint64_t entries = n;

	for (size_t i = 0; i < n; i++)
		if (f[i].chunks != NULL)
			entries += tf_chunks_entries(f[i].chunks->from,
			    f[i].chunks->to);
	return entries;
}

enum tf_code
tf_seal_prepare(struct tf_vault *v, struct tf_db *db, struct tf_seal_file *f,
    size_t n, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (n == 0)
		return TF_OK;
	for (size_t i = 0; rc == TF_OK && i < n; i++) {
		rc = prepare_content(&f[i], err);
		if (rc == TF_OK && !TF_IS_MUTANT(TF_COMMIT_FIRST))
			rc = tf_seal_link(&f[i], err);
		if (rc == TF_OK)
			rc = prepare_chunks(&f[i], err);
	}
	if (rc == TF_OK)
		rc = prepare_entries(v, db, f, n, err);
	return rc == TF_OK ? prepare_objects(v, db, f, n, err) : rc;
}

void
tf_seal_prepared_free(struct tf_seal_file *f, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		tf_buf_free(&f[i].path);
		tf_prepared_entry_free(&f[i].entry);
	}
}
