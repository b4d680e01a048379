/*
 * Sealing files: one entry each, many in one transaction.  Keeps I2: long
 * content is an object file before the transaction that names it begins
 * (link_object).  Keeps F5 of pending.h: check_prepared().
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/crypto.h"
#include "../base/mutant.h"
#include "../base/time_text.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/existing.h"
#include "../commit/queue.h"
#include "../commit/staging.h"
#include "../commit/touched.h"
#include "../commit/txn_path.h"
#include "../ledger/entry.h"
#include "../ledger/entry_write.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../vault.h"
#include "seal.h"

/* --- in the transaction ---------------------------------------------------- */

/* The row of directory l; owner and group are those of its attestation. */
static enum tf_code
directory_row(struct tf_txn *t, struct tf_pending *l, struct tf_node_row *row,
    struct tf_error *err)
{
	struct tf_node_row att;
	enum tf_code rc = tf_nodes_get(t->db, l->att, &att, err);

	if (rc != TF_OK)
		return rc;
	*row = (struct tf_node_row){ .attr = l->attr, .name_len = l->name_len };
	memcpy(row->name, l->name, l->name_len + 1);
	row->attr.mode = l->attr.mode & TF_OWN_MODE;
	row->attr.uid = att.attr.uid;
	row->attr.gid = att.attr.gid;
	return TF_OK;
}

static enum tf_code
directory_entry(struct tf_txn *t, struct tf_pending *l, struct tf_error *err)
{
	struct tf_entry e = { .type = TF_DIRECTORY_CREATED,
		.has_node = true,
		.node = l->attr.id };
	struct tf_access_names names;
	struct tf_buf path = { 0 };
	struct tf_node_row row;
	enum tf_code rc;

	if ((rc = directory_row(t, l, &row, err)) != TF_OK ||
	    (rc = tf_child_path(t, l->attr.parent, l->name, &path, err)) !=
		TF_OK)
		goto out;
	e.path = (struct tf_str){ path.p, path.n };
	if (l->actor != NULL)
		e.actor = (struct tf_str){ l->actor->s, l->actor->n };
	e.has_access = row.attr.mode != TF_OWN_MODE;
	if (e.has_access)
		tf_access_fill(&e.access, row.attr.mode, row.attr.uid,
		    row.attr.gid, &names);
	if ((rc = tf_txn_append(t, &e, NULL, err)) != TF_OK)
		goto out;
	row.entry = t->size - 1;
	row.attr.mtime = row.attr.ctime = row.attr.btime = t->at;
	if ((rc = tf_nodes_put(t->db, &row, err)) == TF_OK &&
	    (rc = tf_stage_delete(t->db, l->attr.id, err)) == TF_OK)
		rc = tf_txn_touch(t, l->attr.parent, t->at, err);
out:
	tf_buf_free(&path);
	return rc;
}

enum tf_code
tf_seal_directory(struct tf_txn *t, uint64_t id, struct tf_error *err)
{
	struct tf_vault *v = t->v;
	struct tf_node_row row;
	struct tf_pending *l;
	enum tf_code rc;

	if (t->known_dir == id)
		return TF_OK;
	pthread_mutex_lock(&v->mu);
	l = tf_pending_get(&v->pending, id);
	if (l != NULL)
		tf_pending_ref(l);
	pthread_mutex_unlock(&v->mu);
	if (l == NULL)
		return TF_OK; /* committed long ago */
	rc = tf_nodes_get(t->db, id, &row, err);
	if (rc == TF_NOTFOUND &&
	    (rc = tf_seal_directory(t, l->attr.parent, err)) == TF_OK)
		rc = l->attr.kind == TF_KIND_DIRECTORY ?
		    directory_entry(t, l, err) :
		    tf_fail(err, TF_DENIED,
			"a draft attestation is sealed "
			"by renaming it");
	pthread_mutex_lock(&v->mu);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
	if (rc == TF_OK)
		t->known_dir = id;
	return rc;
}

/* The number of the object with these bytes; equal bytes are kept once. */
static enum tf_code
seal_object(struct tf_txn *t, const struct tf_seal_file *s, uint64_t *object,
    struct tf_error *err)
{
	const struct tf_hash *h = &s->content.sha256;
	uint64_t id = s->l->attr.id, size = s->content.size;
	bool known, right;
	enum tf_code rc = tf_existing_find(t, h, size, s->same, object, &known,
	    &right, err);

	if (rc != TF_OK)
		return rc;
	if (right)
		return tf_object_drop(tf_txn_write(t), id, err);
	if (known)
		tf_vault_say(t->v, TF_TAMPER,
		    "object %llu was damaged: the same bytes of new evidence "
		    "are kept beside it; run trailctl verify",
		    (unsigned long long)*object);
	*object = id;
	if (!tf_pending_written(s->l))
		rc = tf_object_put(tf_txn_write(t), id, h, "", 0, err);
	else if (s->l->in_file)
		rc = tf_object_put_file(tf_txn_write(t), id, h, size, err);
	return rc == TF_OK && !known ?
	    tf_object_seal(tf_txn_write(t), h, id, err) :
	    rc;
}

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

/* The mode of l with the bits of mode_floor: they make evidence readable that a
 * program with umask 077 wrote. */
static uint32_t
sealed_mode(const struct tf_pending *l)
{
	return l->attr.mode | (uint32_t)l->v->settings.value[TF_MODE_FLOOR];
}

/* No entry may be added to a sealed attestation. */
static enum tf_code
check_open(struct tf_txn *t, uint64_t att, struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc;

	if (t->open_att == att)
		return TF_OK;
	if ((rc = tf_nodes_get(t->db, att, &row, err)) != TF_OK)
		return rc == TF_NOTFOUND ?
		    tf_fail(err, rc, "the attestation is not there") :
		    rc;
	if (row.seal != TF_NO_SEQ)
		return tf_fail(err, TF_READONLY, "the attestation is sealed");
	t->open_att = att;
	return TF_OK;
}

/* Fail if anything changed since s was prepared. */
static enum tf_code
check_prepared(struct tf_txn *t, const struct tf_seal_file *s,
    struct tf_error *err)
{
	const struct tf_pending *l = s->l;
	struct tf_str dir;
	enum tf_code rc;

	if (l->failed != TF_OK || !tf_pending_clean(l) || l->unchecked ||
	    (tf_pending_written(l) &&
		memcmp(&l->digest, &s->content.sha256, sizeof(l->digest)) !=
		    0) ||
	    l->attr.size != s->content.size)
		return tf_fail(err, TF_BUSY, "%.60s is not on disk", l->name);
	/* A directory above is back at its old name if its rename failed. */
	if ((rc = tf_txn_path(t, l->attr.parent, &dir, err)) != TF_OK)
		return rc;
	if (s->path.n != dir.n + 1 + l->name_len ||
	    memcmp(s->path.p, dir.p, dir.n) != 0)
		return tf_fail(err, TF_BUSY, "%.60s has another path", l->name);
	return TF_OK;
}

enum tf_code
tf_seal_one(struct tf_txn *t, const struct tf_seal_file *s,
    struct tf_error *err)
{
	struct tf_pending *l = s->l;
	struct tf_node_row row = { .attr = l->attr, .name_len = l->name_len };
	enum tf_code rc;

	if ((rc = check_prepared(t, s, err)) != TF_OK ||
	    (rc = check_open(t, l->att, err)) != TF_OK ||
	    (rc = tf_seal_directory(t, l->attr.parent, err)) != TF_OK ||
	    (rc = seal_object(t, s, &row.object, err)) != TF_OK ||
	    (rc = tf_txn_append_prepared(t, &s->entry, err)) != TF_OK)
		return rc;
	memcpy(row.name, l->name, l->name_len + 1);
	row.attr.mtime = tf_time_clamp(l->attr.mtime);
	row.attr.mode = sealed_mode(l);
	row.entry = t->size - 1;
	row.xattrs = (struct tf_str){ l->xattrs.n > 0 ? l->xattrs.p : NULL,
		l->xattrs.n };
	t->files++;
	t->content_bytes += s->content.size;
	if ((rc = tf_nodes_put(t->db, &row, err)) == TF_OK &&
	    (rc = tf_stage_delete(t->db, l->attr.id, err)) == TF_OK)
		rc = tf_txn_touch(t, l->attr.parent, t->at, err);
	return rc;
}

/* --- before the transaction ------------------------------------------------- */

static enum tf_code
link_object(struct tf_pending *l, struct tf_error *err)
{
	char name[24];
	enum tf_code rc;

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
		.created = l->attr.btime,
		.ctime = l->attr.ctime,
		.mtime = l->attr.mtime };
	struct tf_access_names names;
	struct tf_buf writers = { 0 };
	enum tf_code rc;

	tf_access_fill(&e.access, sealed_mode(l), l->attr.uid, l->attr.gid,
	    &names);
	if (l->actor != NULL)
		e.actor = (struct tf_str){ l->actor->s, l->actor->n };
	if (l->xattrs.n > 0)
		e.xattrs = (struct tf_str){ l->xattrs.p, l->xattrs.n };
	if (s->cause != NULL)
		e.cause = (struct tf_str){ s->cause, strlen(s->cause) };
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

static enum tf_code
prepare_entries(struct tf_vault *v, struct tf_db *db, struct tf_seal_file *f,
    size_t n, struct tf_error *err)
{
	struct dir_path d = { 0 };
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < n; i++) {
		f[i].content = (struct tf_content){ .sha256 = f[i].l->digest,
			.size = f[i].l->attr.size };
		if (!tf_pending_written(f[i].l))
			tf_sha256("", 0, &f[i].content.sha256);
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
		if (n == 1 || !tf_content_in_db(f[0]->l))
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

enum tf_code
tf_seal_prepare(struct tf_vault *v, struct tf_db *db, struct tf_seal_file *f,
    size_t n, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (n == 0)
		return TF_OK;
	for (size_t i = 0; rc == TF_OK && i < n; i++)
		if (!TF_IS_MUTANT(TF_COMMIT_FIRST))
			rc = link_object(f[i].l, err);
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

/* --- around it -------------------------------------------------------------- */

void
tf_seal_settle(struct tf_vault *v, struct tf_pending *l)
{
	struct tf_pending *d;
	uint64_t up = l->attr.parent;

	tf_pending_leave(v, l);
	while ((d = tf_pending_get(&v->pending, up)) != NULL &&
	    d->attr.kind == TF_KIND_DIRECTORY) {
		up = d->attr.parent;
		tf_pending_leave(v, d);
	}
}

void
tf_seal_unstage(const struct tf_pending *l)
{
	char name[24];

	if (!l->in_file)
		return;
	tf_stage_name(l->attr.id, name);
	(void)unlinkat(l->v->stagefd, name,
	    0); /* if it is left, the next start deletes it */
}

struct several {
	struct tf_seal_file *f;
	size_t n;
};

static enum tf_code
several_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct several *s = arg;
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < s->n; i++)
		rc = tf_seal_one(t, &s->f[i], err);
	return rc;
}

static enum tf_code
seal_several(struct tf_vault *v, struct several *s, struct tf_error *err)
{
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_seal_prepare(v, db, s->f, s->n, err);
	tf_reader_done(v, db);
	if (rc == TF_OK)
		rc = tf_commit_wait(v->commit, several_run, s, err);
	for (size_t i = 0; rc == TF_OK && i < s->n; i++)
		if (TF_IS_MUTANT(TF_COMMIT_FIRST))
			rc = link_object(s->f[i].l, err);
	return rc;
}

enum tf_code
tf_seal_files(struct tf_vault *v, struct tf_pending **l, size_t n,
    const char *cause, struct tf_error *err)
{
	struct several s = { .f = calloc(n, sizeof(*s.f)), .n = n };
	enum tf_code rc;

	tf_pending_sort(l, n);
	for (size_t i = 0; s.f != NULL && i < n; i++)
		s.f[i] = (struct tf_seal_file){ .l = l[i], .cause = cause };
	rc = s.f == NULL ? tf_nomem(err) : seal_several(v, &s, err);
	if (s.f != NULL)
		tf_seal_prepared_free(s.f, n);
	free(s.f);
	pthread_mutex_lock(&v->mu);
	for (size_t i = 0; rc == TF_OK && i < n; i++)
		tf_seal_settle(v, l[i]);
	pthread_mutex_unlock(&v->mu);
	for (size_t i = 0; rc == TF_OK && i < n; i++)
		tf_seal_unstage(l[i]);
	pthread_mutex_lock(&v->mu);
	for (size_t i = 0; i < n; i++)
		tf_pending_unclaim(v, l[i]);
	pthread_mutex_unlock(&v->mu);
	return rc;
}

/* --- who is due --------------------------------------------------------------- */

static void
try_again_later(struct tf_vault *v, struct tf_pending *l, enum tf_code rc,
    const struct tf_error *e)
{
	pthread_mutex_lock(&v->mu);
	l->deadline_ns = tf_clock_boot_ns() + TF_SEAL_RETRY_NS;
	tf_pending_index(l);
	pthread_mutex_unlock(&v->mu);
	tf_vault_say(v, rc,
	    "node %llu is not sealed yet, its bytes are safe, "
	    "it is tried again: %s",
	    (unsigned long long)l->attr.id, e->text);
}

/* Seal l alone, after it failed together with others. */
static enum tf_code
seal_again(struct tf_vault *v, struct tf_pending *l, struct tf_error *err)
{
	struct tf_pending *one = l;
	bool claimed;

	pthread_mutex_lock(&v->mu);
	claimed = tf_pending_claim(v, l);
	if (claimed && l->attr.state != TF_STATE_FROZEN &&
	    !tf_pending_rests(l)) {
		tf_pending_unclaim(v, l); /* a placeholder was opened */
		claimed = false;
	}
	pthread_mutex_unlock(&v->mu);
	return claimed ? tf_seal_files(v, &one, 1, NULL, err) : TF_OK;
}

enum tf_code
tf_seal_claimed(struct tf_vault *v, struct tf_pending **l, size_t n,
    struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc, one, first = TF_OK;

	pthread_mutex_lock(&v->mu);
	for (size_t i = 0; i < n; i++)
		tf_pending_ref(l[i]);
	pthread_mutex_unlock(&v->mu);
	rc = tf_seal_files(v, l, n, NULL, &e);
	for (size_t i = 0; i < n; i++) {
		one = rc == TF_OK || n == 1 ? rc : seal_again(v, l[i], &e);
		if (one != TF_OK) {
			try_again_later(v, l[i], one, &e);
			if (first == TF_OK && err != NULL)
				*err = e;
			first = first == TF_OK ? one : first;
		}
		pthread_mutex_lock(&v->mu);
		tf_pending_unref(l[i]);
		pthread_mutex_unlock(&v->mu);
	}
	return first;
}
