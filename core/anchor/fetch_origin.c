/*
 * Fetching one origin: see fetch_i.h.
 *
 *	open   the copy, or make it with the store id of entry 0
 *	piece  read some entries of the origin from the ledger
 *	entry  its objects, then itself; a checkpoint that came with it is compared
 *	commit at a checkpoint, when enough came since the last one
 *
 * F1: tf_replica_commit.  F2: nothing is written but by commits.  F3: after a
 * failure the entries up to the last checkpoint that fitted are fetched again, into
 * the copy opened anew, and committed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../ledger/entry_read.h"
#include "../ledger/entry_scan.h"
#include "fetch_i.h"
#include "replica.h"

#define PIECE 256	       /* entries that are read at once, */
#define PIECE_BYTES (2u << 20) /* or somewhat more than so many bytes */
#define COMMIT_ENTRIES 1024    /* in a batch, before a checkpoint ends it; */
#define COMMIT_BYTES (16ull << 20) /* or so many bytes of objects */

/* An object that nobody has: it must have been redacted. */
struct absent {
	uint64_t number;
	char about[TF_ENTRY_ABOUT_MAX];
};

struct fetcher {
	struct tf_fetch_run *run;
	struct tf_fetched *f;
	struct tf_replica *r;
	uint64_t to;
	uint64_t fitted;	 /* the last checkpoint that was compared */
	bool batch;		 /* one was begun, */
	uint64_t objects, bytes; /* with so many objects */
	/* The piece. */
	struct tf_buf bytes_of, notes;
	struct part {
		size_t n, note; /* bytes */
	} part[PIECE];
	size_t n;
	struct tf_str entry; /* the one of now */
	bool evidence;	     /* it enters evidence */
	struct absent *absent;
	size_t n_absent, cap_absent;
};

/* --- the copy -------------------------------------------------------------------- */

static enum tf_code
store_of(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	char *store = arg;
	enum tf_code rc = tf_entry_decode(&d, leaf->bytes.p, leaf->bytes.n,
	    err);

	if (rc == TF_OK && leaf->number == 0 && d.e.store.n == 32)
		memcpy(store, d.e.store.p, 32);
	tf_entry_decoded_free(&d);
	return rc;
}

/* The first entry says which store it is. */
static enum tf_code
make(struct fetcher *v, const char *path, struct tf_error *err)
{
	char store[33] = "";
	struct tf_error why = { 0 };
	enum tf_code rc = v->run->ledger->ops->read_of(v->run->ledger,
	    v->f->origin, 0, 1, store_of, store, &why);

	if (rc == TF_INVALID || (rc == TF_OK && store[0] == '\0'))
		return tf_fail(err, TF_TAMPER,
		    "entry 0 does not open a ledger: %s", why.text);
	if (rc != TF_OK)
		return tf_fail_as(err, &why);
	rc = tf_replica_create(path, v->f->vkey, store, err);
	v->f->made = rc == TF_OK;
	return rc;
}

static enum tf_code
open_copy(struct fetcher *v, const char *path, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (tf_replica_is_free(path))
		rc = make(v, path, err);
	if (rc == TF_OK)
		rc = tf_replica_open(path, &v->r, err);
	return rc == TF_OK && v->run->names && !tf_replica_is_sparse(v->r) ?
	    tf_replica_make_sparse(v->r, v->run->o->blobs, err) :
	    rc;
}

/* --- a piece --------------------------------------------------------------------- */

/* TF_NODATA: the piece is full. */
static enum tf_code
keep_leaf(void *arg, const struct tf_leaf *leaf, struct tf_error *err)
{
	struct fetcher *v = arg;
	uint64_t number = tf_replica_size(v->r) + v->n;

	if (leaf->number != number ||
	    !tf_str_same(leaf->origin, tf_str_of(v->f->origin)))
		return tf_fail(err, TF_TAMPER,
		    "the ledger lacks entry %llu and has others after it",
		    (unsigned long long)number);
	tf_buf_add(&v->bytes_of, leaf->bytes.p, leaf->bytes.n);
	if (leaf->note.p != NULL)
		tf_buf_add(&v->notes, leaf->note.p, leaf->note.n);
	v->part[v->n++] = (struct part){ leaf->bytes.n,
		leaf->note.p != NULL ? leaf->note.n : 0 };
	if (v->bytes_of.failed || v->notes.failed)
		return tf_nomem(err);
	return v->bytes_of.n >= PIECE_BYTES ? TF_NODATA : TF_OK;
}

static enum tf_code
read_piece(struct fetcher *v, struct tf_error *err)
{
	uint64_t from = tf_replica_size(v->r), n = v->to - from;
	enum tf_code rc;

	v->bytes_of.n = v->notes.n = v->n = 0;
	rc = v->run->ledger->ops->read_of(v->run->ledger, v->f->origin, from,
	    n < PIECE ? n : PIECE, keep_leaf, v, err);
	if (rc != TF_OK && rc != TF_NODATA)
		return rc;
	if (v->n == 0)
		return tf_fail(err, TF_TAMPER,
		    "the ledger lacks entry %llu, and has a checkpoint of %llu "
		    "entries",
		    (unsigned long long)from, (unsigned long long)v->to);
	return TF_OK;
}

/* --- an entry -------------------------------------------------------------------- */

static enum tf_code
lacks(struct fetcher *v, struct tf_error *err)
{
	struct absent *a;

	if (!tf_array_room(&v->absent, v->n_absent, &v->cap_absent,
		sizeof(*v->absent)))
		return tf_nomem(err);
	a = &v->absent[v->n_absent++];
	a->number = tf_replica_size(v->r);
	tf_entry_about(a->number, &v->entry, a->about);
	return TF_OK;
}

static enum tf_code
want_object(void *arg, const struct tf_hash *h, uint64_t size,
    struct tf_error *err)
{
	struct fetcher *v = arg;
	struct tf_error why = { 0 };
	char of[TF_ENTRY_ABOUT_MAX];
	uint64_t got;
	bool has, absent;
	enum tf_code rc;

	if (v->evidence && v->run->names && size != TF_REPLICA_TEXT)
		return TF_OK;
	rc = tf_replica_has(v->r, h, &has, err);
	if (rc != TF_OK || has)
		return rc;
	if (v->run->o->stop != NULL && v->run->o->stop(v->run->o->arg))
		return tf_fail(err, TF_INTERRUPTED, "interrupted");
	rc = tf_fetch_object(v->run, v->r, v->f->origin, h, size, &got, &absent,
	    &why);
	if (rc == TF_OK && absent)
		return lacks(v, err);
	if (rc == TF_TAMPER) {
		tf_entry_about(tf_replica_size(v->r), &v->entry, of);
		return tf_fail(err, rc, "%s: %s", of, why.text);
	}
	if (rc != TF_OK)
		return tf_fail_as(err, &why);
	v->objects++;
	v->bytes += got;
	v->run->bytes += got;
	return TF_OK;
}

/* End the batch with the note, if it is long enough or the last one. */
static enum tf_code
commit(struct fetcher *v, struct tf_str note, struct tf_error *err)
{
	uint64_t size = tf_replica_size(v->r);
	bool done = false;
	enum tf_code rc;

	if (size < v->to && v->n_absent == 0 &&
	    size - tf_replica_head(v->r)->size < COMMIT_ENTRIES &&
	    v->bytes < COMMIT_BYTES)
		return TF_OK;
	rc = tf_replica_commit(v->r, note.p, note.n, &done, err);
	if (rc != TF_OK || !done)
		return rc;
	v->batch = false;
	v->f->entries = size;
	v->f->objects += v->objects;
	v->f->bytes += v->bytes;
	v->objects = v->bytes = v->n_absent = 0;
	return TF_OK;
}

/* What does not fit lies between the last checkpoint that did, and this one. */
static enum tf_code
take_note(struct fetcher *v, struct tf_str note, struct tf_error *err)
{
	struct tf_error why = { 0 };
	uint64_t size = tf_replica_size(v->r);
	enum tf_code rc = tf_replica_compare(v->r, note.p, note.n, &why);

	if (rc == TF_OK && (rc = commit(v, note, &why)) == TF_OK) {
		if (v->n_absent == 0)
			v->fitted = size;
		return TF_OK;
	}
	if (rc == TF_TAMPER || rc == TF_INVALID || rc == TF_FOREIGN)
		return tf_fail(err, TF_TAMPER, "entries %llu to %llu: %s",
		    (unsigned long long)v->fitted,
		    (unsigned long long)(size - 1), why.text);
	return tf_fail_as(err, &why);
}

static enum tf_code
take_entry(struct fetcher *v, struct tf_str e, struct tf_str note,
    struct tf_error *err)
{
	struct tf_error why = { 0 };
	struct tf_str type, path;
	enum tf_code rc = TF_OK;

	if (!v->batch && (rc = tf_replica_begin(v->r, err)) != TF_OK)
		return rc;
	v->batch = true;
	v->entry = e;
	tf_entry_scan(e.p, e.n, &type, &path);
	v->evidence = tf_str_same(type, tf_str_of("evidence.sealed"));
	rc = tf_replica_named(e.p, e.n, want_object, v, &why);
	if (rc == TF_INVALID)
		return tf_fail(err, TF_TAMPER, "entry %llu is malformed: %s",
		    (unsigned long long)tf_replica_size(v->r), why.text);
	if (rc != TF_OK)
		return tf_fail_as(err, &why);
	rc = tf_replica_entry(v->r, e.p, e.n, err);
	return rc == TF_OK && note.n > 0 ? take_note(v, note, err) : rc;
}

static enum tf_code
take_piece(struct fetcher *v, struct tf_error *err)
{
	struct tf_str rest = tf_buf_bytes(&v->bytes_of),
		      notes = tf_buf_bytes(&v->notes);
	const struct tf_fetch *o = v->run->o;
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < v->n; i++) {
		const struct part *p = &v->part[i];

		rc = take_entry(v, (struct tf_str){ rest.p, p->n },
		    (struct tf_str){ notes.p, p->note }, err);
		rest = (struct tf_str){ rest.p + p->n, rest.n - p->n };
		notes = (struct tf_str){ notes.p + p->note, notes.n - p->note };
	}
	if (rc == TF_OK && o->stop != NULL && o->stop(o->arg))
		rc = tf_fail(err, TF_INTERRUPTED, "interrupted");
	if (o->progress != NULL)
		o->progress(o->arg, v->run->done + tf_replica_size(v->r),
		    v->run->of, v->run->bytes);
	return rc;
}

/* All came, and it could not be committed. */
static enum tf_code
judge_rest(struct fetcher *v, struct tf_error *err)
{
	const char *owed = tf_replica_owed(v->r);
	const struct absent *a = v->n_absent > 0 ? &v->absent[0] : NULL;

	for (size_t i = 0; i < v->n_absent; i++)
		if (strstr(v->absent[i].about, owed) != NULL)
			a = &v->absent[i];
	if (a != NULL)
		return tf_fail(err, TF_TAMPER,
		    "%s: its object is missing, and no redaction is recorded",
		    a->about);
	return tf_fail(err, TF_TAMPER,
	    "the checkpoint of %llu entries is of a key that the entries do "
	    "not name",
	    (unsigned long long)v->to);
}

/* Evidence that a sparse copy lacks. */
static enum tf_code
fill_object(void *arg, const struct tf_hash *h, uint64_t size, bool *absent,
    struct tf_error *err)
{
	struct fetcher *v = arg;
	uint64_t got;
	enum tf_code rc;

	if (v->run->o->stop != NULL && v->run->o->stop(v->run->o->arg))
		return tf_fail(err, TF_INTERRUPTED, "interrupted");
	rc = tf_fetch_file(v->run, v->r, v->f->origin, h, size, &got, absent,
	    err);
	if (rc != TF_OK || *absent)
		return rc;
	v->f->objects++;
	v->f->bytes += got;
	v->run->bytes += got;
	if (v->run->o->progress != NULL)
		v->run->o->progress(v->run->o->arg,
		    v->run->done + tf_replica_size(v->r), v->run->of,
		    v->run->bytes);
	return TF_OK;
}

static enum tf_code
fill(struct fetcher *v, const char *path, struct tf_error *err)
{
	enum tf_code rc = open_copy(v, path, err);

	if (rc != TF_OK)
		return rc;
	v->f->entries = v->fitted = tf_replica_head(v->r)->size;
	while (rc == TF_OK && tf_replica_size(v->r) < v->to &&
	    (rc = read_piece(v, err)) == TF_OK)
		rc = take_piece(v, err);
	if (rc == TF_OK && v->batch)
		rc = judge_rest(v, err);
	return rc == TF_OK && !v->run->names && tf_replica_is_sparse(v->r) ?
	    tf_replica_fill(v->r, fill_object, v, err) :
	    rc;
}

static void
end(struct fetcher *v)
{
	tf_replica_close(v->r);
	tf_buf_free(&v->bytes_of);
	tf_buf_free(&v->notes);
	free(v->absent);
	free(v);
}

static enum tf_code
fetch_to(struct tf_fetch_run *run, const char *path, uint64_t to,
    struct tf_fetched *f, uint64_t *fitted, struct tf_error *err)
{
	struct fetcher *v = calloc(1, sizeof(*v));
	enum tf_code rc;

	if (v == NULL)
		return tf_nomem(err);
	*v = (struct fetcher){ .run = run, .f = f, .to = to };
	rc = fill(v, path, err);
	*fitted = v->fitted;
	end(v);
	return rc;
}

enum tf_code
tf_fetch_origin(struct tf_fetch_run *run, const char *path, uint64_t to,
    struct tf_fetched *f, struct tf_error *err)
{
	uint64_t fitted = 0, ignored;
	enum tf_code rc = fetch_to(run, path, to, f, &fitted, err);

	/* F3.  That this fails too must not hide why. */
	if (rc != TF_OK && rc != TF_INTERRUPTED && rc != TF_NOMEM &&
	    fitted > f->entries)
		(void)!fetch_to(run, path, fitted, f, &ignored, NULL);
	return rc;
}
