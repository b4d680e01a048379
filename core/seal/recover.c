/*
 * Recovery.  A row of stage has the size and the digest that a flush promised.
 * If the surviving bytes match, the file is sealed with the cause "recovery".
 * If not, what survived becomes a draft, and an entry records that.  Every
 * step is a transaction, so after a crash in here the next start does the same
 * again.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../commit/commit.h"
#include "../commit/hasher.h"
#include "../commit/queue.h"
#include "../commit/staging.h"
#include "../ledger/name.h"
#include "../ledger/policy.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/text.h"
#include "../node/vault_i.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../store/unplaced.h"
#include "interrupt.h"
#include "placeholder.h"
#include "recover.h"
#include "seal.h"
#include "tend.h"

#define HASH_AT_START ((uint64_t)256 << 20) /* bytes */

/* --- after a crash --------------------------------------------------------------- */

struct found {
	struct tf_vault *v;
	struct tf_pending **l;
	bool *dirty;
	size_t n, cap;
	uint64_t budget; /* bytes that may still be hashed at once */
};

/* The uids that wrote l, from the row; a damaged list names nobody. */
static enum tf_code
read_uids(struct tf_pending *l, struct tf_str s)
{
	struct tf_json_doc d;
	enum tf_code rc = tf_json_parse(&d, s.p, s.n, NULL);

	if (rc != TF_OK)
		return rc == TF_NOMEM ? rc : TF_OK;
	for (uint32_t t = 1; rc == TF_OK && t < d.n; t = d.tok[t].next)
		rc = tf_pending_note_writer(l, (uint32_t)d.tok[t].num, NULL);
	tf_json_doc_free(&d);
	return rc == TF_NOMEM ? rc : TF_OK;
}

/* Actor, attributes and writers, which the row keeps for the entry. */
static enum tf_code
read_facts(struct tf_pending *l, const struct tf_stage_row *r)
{
	if (r->actor.n > 0 &&
	    (l->actor = tf_text_get(&l->v->texts, r->actor.p, r->actor.n)) ==
		NULL)
		return TF_NOMEM;
	tf_buf_add(&l->xattrs, r->xattrs.p, r->xattrs.n);
	return l->xattrs.failed ? TF_NOMEM : read_uids(l, r->writers);
}

static int
compare_unplaced(const void *id, const void *u)
{
	uint64_t a = *(const uint64_t *)id,
		 b = ((const struct tf_unplaced *)u)->id;

	return a < b ? -1 : a > b;
}

static bool
is_unplaced(const struct tf_vault *v, uint64_t id)
{
	return v->n_unplaced > 0 &&
	    bsearch(&id, v->unplaced, v->n_unplaced, sizeof(*v->unplaced),
		compare_unplaced) != NULL;
}

#define UNPLACED_NAMED 10 /* in the log */

struct unplaced {
	struct tf_vault *v;
	bool failed; /* no memory */
};

static void
set_aside(void *arg, uint64_t id, const char *name, const char *why)
{
	struct unplaced *u = arg;
	struct tf_vault *v = u->v;
	void *p = realloc(v->unplaced,
	    (v->n_unplaced + 1) * sizeof(*v->unplaced));

	if (p == NULL) {
		u->failed = true;
		return;
	}
	v->unplaced = p;
	v->unplaced[v->n_unplaced++] = (struct tf_unplaced){ id, why };
	if (v->n_unplaced <= UNPLACED_NAMED)
		tf_vault_say(v, TF_TAMPER,
		    "node %llu (%.60s) is not sealed and not shown, as %s; "
		    "what there is of it is kept",
		    (unsigned long long)id, name, why);
}

/* Rows without a place in the tree are not loaded, so that all other files are
 * there. */
static enum tf_code
set_unplaced_aside(struct tf_vault *v, struct tf_db *db, struct tf_error *err)
{
	struct unplaced u = { .v = v };
	enum tf_code rc = tf_unplaced_each(db, TF_STAGE_RULE, set_aside, &u,
	    err);

	if (rc == TF_OK && u.failed)
		return tf_nomem(err);
	if (rc == TF_OK && v->n_unplaced > UNPLACED_NAMED)
		tf_vault_say(v, TF_TAMPER,
		    "and %zu more that are not shown: trailctl verify names "
		    "them",
		    v->n_unplaced - UNPLACED_NAMED);
	return rc;
}

/* Make a pending node of a row of stage; find_place() completes it. */
static enum tf_code
load_pending(void *arg, const struct tf_stage_row *r, struct tf_error *err)
{
	struct found *f = arg;
	struct tf_pending *l;
	size_t cap = f->cap == 0 ? 64 : f->cap * 2;
	void *p, *q;

	if (is_unplaced(f->v, r->attr.id))
		return TF_OK;
	if (f->n == f->cap) {
		p = realloc(f->l, cap * sizeof(struct tf_pending *));
		if (p != NULL)
			f->l = p;
		q = realloc(f->dirty, cap * sizeof(bool));
		if (q != NULL)
			f->dirty = q;
		if (p == NULL || q == NULL)
			return tf_nomem(err);
		f->cap = cap;
	}
	if ((l = tf_pending_new(f->v, &r->attr, r->name, r->name_len)) == NULL)
		return tf_nomem(err);
	if (read_facts(l, r) != TF_OK) {
		tf_pending_unref(l);
		return tf_nomem(err);
	}
	l->saved = true;
	if (tf_pending_is_file(l)) {
		l->wrote = !r->unwritten;
		l->hollow = r->unwritten && !r->dirty && r->attr.size == 0;
		l->gen = l->saved_gen = 1;
		l->size = r->attr.size;
		l->digest = r->sha256;
		l->in_order = false;
	}
	l->attr.state = TF_STATE_DRAFT;
	tf_pending_insert(&f->v->pending, l);
	tf_pending_ref(l);
	f->dirty[f->n] = r->dirty;
	f->l[f->n++] = l;
	if (r->aside && (l->meant = strdup(l->name)) == NULL)
		return tf_nomem(err);
	return TF_OK;
}

/* If the last run ended before the entry for l, rename l again: another file
 * may have its name. */
static enum tf_code
step_aside_again(struct tf_pending *l, struct tf_db *db, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	pthread_mutex_lock(&l->v->mu);
	if (l->meant != NULL)
		rc = tf_pending_become_draft(l, db, err);
	pthread_mutex_unlock(&l->v->mu);
	return rc;
}

/* Find attestation and workflow of l, and whether it is below a draft. */
static enum tf_code
find_place(struct tf_vault *v, struct tf_db *db, struct tf_pending *l,
    struct tf_error *err)
{
	struct tf_place p;
	struct tf_pending *up;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	rc = tf_place_of(v, db, l->attr.parent, &p, err);
	if (rc == TF_OK) {
		if (l->attr.kind == TF_KIND_ATTESTATION)
			tf_pending_place(&v->pending, l, l->attr.id,
			    p.parent.id);
		else
			tf_pending_place(&v->pending, l, p.att.id, p.wf);
		l->in_draft = l->attr.kind == TF_KIND_ATTESTATION ||
		    p.in_draft ||
		    (l->attr.kind == TF_KIND_DIRECTORY &&
			tf_name_draft_dir(l->name, l->name_len));
		/* Draftness comes down from any pending directory above. */
		up = l;
		while ((up = tf_pending_get(&v->pending, up->attr.parent)) !=
		    NULL)
			if (up->attr.kind == TF_KIND_ATTESTATION ||
			    tf_name_draft_dir(up->name, up->name_len))
				l->in_draft = true;
		tf_pending_index(l);
	}
	pthread_mutex_unlock(&v->mu);
	return rc;
}

struct repair {
	struct tf_pending *l;
	struct tf_buf body;
};

static enum tf_code
repair_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct repair *m = arg;

	return tf_object_put(tf_txn_write(t), m->l->attr.id, &m->l->digest,
	    m->body.p, m->body.n, err);
}

/* The bytes are those that were flushed, but size or digest in the object's row
 * is damaged.  Write that row anew: sealed with it, nobody could read them. */
static enum tf_code
repair_row(struct repair *m, struct tf_error *err)
{
	struct tf_vault *v = m->l->v;
	enum tf_code rc = tf_commit_wait(v->commit, repair_run, m, err);

	if (rc == TF_OK)
		tf_vault_say(v, TF_TAMPER,
		    "%.60s: size or digest beside its bytes was damaged; the "
		    "bytes are those that were accepted, and are kept",
		    m->l->name);
	return rc;
}

/*
 * Is the content in the database (else TF_NOTFOUND), how long is it, and is it
 * what the row of stage says?  The bytes are hashed: the digest beside damaged
 * bytes would seal what nobody wrote.
 */
static enum tf_code
in_database(struct tf_pending *l, struct tf_db *db, uint64_t *size, bool *yes,
    struct tf_error *err)
{
	struct repair m = { .l = l };
	struct tf_object_row o;
	struct tf_hash h;
	enum tf_code rc = tf_object_get(db, l->attr.id, &o, &m.body, err);

	*yes = false;
	if (rc == TF_OK) {
		tf_sha256(m.body.p, m.body.n, &h);
		*size = m.body.n;
		*yes = m.body.n == l->size &&
		    memcmp(&h, &l->digest, sizeof(h)) == 0;
	}
	if (*yes &&
	    (!o.is_inline || o.size != l->size ||
		memcmp(&h, &o.sha256, sizeof(h)) != 0))
		rc = repair_row(&m, err);
	tf_buf_free(&m.body);
	return rc;
}

/* Delete the staged file of l: l was flushed while it was short, and nobody was
 * promised what was written to the file later. */
static void
drop_file(struct tf_pending *l)
{
	char name[24];

	tf_stage_name(l->attr.id, name);
	(void)unlinkat(l->v->stagefd, name, 0);
	l->in_file = false;
	l->in_db = true;
}

/* Is the surviving content of l what its row says?  Sets size and place. */
static enum tf_code
intact(struct tf_pending *l, struct tf_db *db, bool *yes, struct tf_error *err)
{
	struct tf_hash h;
	uint64_t size = 0, kept;
	enum tf_code rc;
	int fd;

	*yes = false;
	rc = tf_content_open(l, &fd, err);
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	if (rc != TF_OK) {
		rc = in_database(l, db, &size, yes, err);
		if (rc != TF_OK && rc != TF_NOTFOUND)
			return rc;
		l->in_db = rc == TF_OK;
		l->size = l->attr.size = size;
		return TF_OK;
	}
	l->in_file = true;
	rc = tf_hash_fd(fd, &h, &size, err);
	(void)close(fd);
	if (rc != TF_OK)
		return rc;
	*yes = size == l->size && memcmp(&h, &l->digest, sizeof(h)) == 0;
	/* Where nothing was promised, what survived is worth keeping. */
	if (!*yes && l->size > 0 &&
	    in_database(l, db, &kept, yes, NULL) == TF_OK && *yes) {
		drop_file(l);
		return TF_OK;
	}
	l->size = l->attr.size = size;
	return TF_OK;
}

/* Make the staged file of l writable again; sealing made it read-only. */
static enum tf_code
allow_writing(struct tf_pending *l, struct tf_error *err)
{
	struct stat st;
	char name[24];

	if (!l->in_file)
		return TF_OK;
	tf_stage_name(l->attr.id, name);
	if (fstatat(l->v->stagefd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tf_fail(err, TF_IO, "stat stage/%s", name);
	/* It is an object, too: a write makes a copy first. */
	if ((l->linked = st.st_nlink > 1))
		return TF_OK;
	if (fchmodat(l->v->stagefd, name, 0600, 0) < 0)
		return tf_fail(err, TF_IO, "chmod stage/%s", name);
	return TF_OK;
}

/* --- what takes long is decided while the mount serves already ------------------- */

/* Mark l as failed until what survived of it is recorded: nobody writes it. */
static void
set_lost(struct tf_pending *l)
{
	struct tf_error e;

	if (l->meant == NULL)
		l->attr.state = TF_STATE_FROZEN;
	tf_pending_set_failed(l,
	    tf_fail(&e, TF_BUSY, "what survived the last run is being saved"),
	    &e);
	l->wants_check = true;
}

/*
 * Decide about l, which has a long staged file, without reading it.  A draft is
 * compared with its digest only when somebody seals it.  An ordinary file is
 * compared, and an interrupted one recorded, in the background.
 */
static enum tf_code
finish_later(struct tf_pending *l, uint64_t size, bool dirty, bool draft,
    struct tf_error *err)
{
	struct tf_vault *v = l->v;
	bool same = !dirty && l->meant == NULL && size == l->size;

	pthread_mutex_lock(&v->mu);
	l->in_file = true;
	l->size = l->attr.size = size;
	l->unchecked = same;
	if (!same) {
		set_lost(l);
	} else if (!draft && tf_pending_written(l)) {
		l->attr.state = TF_STATE_FROZEN;
		l->wants_check = true;
	} else if (!draft) {
		l->attr.state = TF_STATE_PLACEHOLDER;
	}
	l->deadline_ns = UINT64_MAX; /* the sealer leaves it alone */
	tf_pending_index(l);
	pthread_mutex_unlock(&v->mu);
	return allow_writing(l, err);
}

/* Would the staged file of l, of *size bytes, take long to hash? *budget is how
 * many bytes may still be hashed before the mount serves. */
static bool
takes_long(struct tf_pending *l, uint64_t *size, uint64_t *budget)
{
	struct stat st;
	char name[24];

	tf_stage_name(l->attr.id, name);
	if (fstatat(l->v->stagefd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return false;
	*size = (uint64_t)st.st_size;
	if (*size <= TF_HASH_LONG && *size <= *budget) {
		*budget -= *size;
		return false;
	}
	return true;
}

static enum tf_code
finish_file(struct found *f, struct tf_pending *l, bool dirty, struct tf_db *db,
    struct tf_error *err)
{
	bool same, draft = l->in_draft || tf_name_draft(l->name, l->name_len);
	struct tf_vault *v = f->v;
	struct tf_pending *one = l;
	uint64_t size, kept;
	enum tf_code rc;

	if (!takes_long(l, &size, &f->budget))
		rc = intact(l, db, &same, err);
	else if (l->size > 0 && l->size <= TF_INLINE_MAX &&
	    (rc = in_database(l, db, &kept, &same, err)) == TF_OK && same)
		drop_file(l);
	else
		return finish_later(l, size, dirty, draft, err);
	if (rc != TF_OK)
		return rc;
	if (l->meant != NULL)
		same = false; /* its writer knows that it failed */
	if (same && !draft && !tf_pending_written(l)) {
		pthread_mutex_lock(&v->mu);
		l->attr.state = TF_STATE_PLACEHOLDER;
		tf_placeholder_rest(l);
		pthread_mutex_unlock(&v->mu);
	}
	if (same && (draft || !tf_pending_written(l)))
		return allow_writing(l, err);
	if (!dirty && same) {
		pthread_mutex_lock(&v->mu);
		l->attr.state = TF_STATE_FROZEN;
		(void)tf_pending_claim(v, l);
		pthread_mutex_unlock(&v->mu);
		return tf_seal_files(v, &one, 1, "recovery", err);
	}
	if ((rc = allow_writing(l, err)) != TF_OK)
		return rc;
	tf_pending_interrupt(l);
	return TF_OK;
}

/* Finish l.  Only TF_NOMEM is returned; other failures are reported. */
static enum tf_code
finish_or_say(struct found *f, struct tf_pending *l, bool dirty,
    struct tf_db *db, struct tf_error *err)
{
	struct tf_vault *v = f->v;
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = finish_file(f, l, dirty, db, &e);

	if (rc == TF_OK)
		return TF_OK;
	if (rc == TF_NOMEM)
		return tf_fail_as(err, &e);
	/* Nobody may write to a file whose bytes could not be read. */
	pthread_mutex_lock(&v->mu);
	if (l->attr.state == TF_STATE_DRAFT)
		tf_pending_set_failed(l, rc, &e);
	pthread_mutex_unlock(&v->mu);
	tf_vault_say(v, rc,
	    "%.60s could not be recovered and is tried again: "
	    "%s",
	    l->name, e.text);
	return TF_OK;
}

/* Delete staged files without a row: nobody was promised them. */
static enum tf_code
remove_orphans(struct tf_vault *v, struct tf_error *err)
{
	int fd = openat(v->stagefd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	uint64_t id;
	size_t n;
	bool known;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return tf_fail(err, TF_IO, "read stage/");
	}
	while ((e = readdir(d)) != NULL) {
		n = strlen(e->d_name);
		if (n > 4 && strcmp(e->d_name + n - 4, ".new") == 0) {
			(void)unlinkat(v->stagefd, e->d_name, 0);
			continue;
		}
		if (!tf_decimal(e->d_name, n, INT64_MAX, &id))
			continue;
		pthread_mutex_lock(&v->mu);
		known = tf_pending_get(&v->pending, id) != NULL ||
		    is_unplaced(v, id);
		pthread_mutex_unlock(&v->mu);
		if (!known)
			(void)unlinkat(v->stagefd, e->d_name, 0);
	}
	(void)closedir(d);
	return TF_OK;
}

enum tf_code
tf_recover(struct tf_vault *v, struct tf_error *err)
{
	struct found f = { .v = v, .budget = HASH_AT_START };
	struct tf_db *db;
	size_t sealed = 0;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = set_unplaced_aside(v, db, err);
	if (rc == TF_OK)
		rc = tf_stage_each(db, load_pending, &f, err);
	for (size_t i = 0; rc == TF_OK && i < f.n; i++)
		rc = step_aside_again(f.l[i], db, err);
	for (size_t i = 0; rc == TF_OK && i < f.n; i++)
		rc = find_place(v, db, f.l[i], err);
	for (size_t i = 0; rc == TF_OK && i < f.n; i++)
		if (tf_pending_is_file(f.l[i])) {
			tf_vault_learn(v, f.l[i]->attr.uid, f.l[i]->attr.gid);
			rc = finish_or_say(&f, f.l[i], f.dirty[i], db, err);
			sealed += f.l[i]->attr.state == TF_STATE_SEALED;
		}
	if (rc == TF_OK)
		rc = remove_orphans(v, err);
	pthread_mutex_lock(&v->mu);
	for (size_t i = 0; i < f.n; i++) {
		if (f.l[i]->attr.state != TF_STATE_SEALED)
			tf_quota_charge(f.l[i], f.l[i]->size);
		if (rc == TF_OK && f.l[i]->wants_check)
			tf_pending_tend_later(f.l[i]);
		tf_pending_unref(f.l[i]);
	}
	pthread_mutex_unlock(&v->mu);
	tf_reader_done(v, db);
	free(f.l);
	free(f.dirty);
	if (rc == TF_OK && sealed > 0)
		tf_vault_say(v, TF_OK,
		    "%zu files that the last run had "
		    "accepted were sealed",
		    sealed);
	return rc;
}
