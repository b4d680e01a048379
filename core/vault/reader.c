/*
 * Reading.  A sealed object is hashed at its first open since the vault was
 * opened (check.h), so that readers get the bytes that the entry names.
 *
 * A reader is in one of three states.  With `l` it reads a pending file, and
 * its reference keeps that in memory.  With `later` it has not looked at its
 * object yet: an object that was compared before costs an open nothing.  Else
 * it reads the object: bytes in memory, or a file that it finds by digest.
 * change_over() makes the step to the last state, once only, although several
 * reads may try at the same time.  F5 says that the bytes are the same before
 * and after.
 *
 * mu guards these fields; it is held for moments, and not while bytes are
 * read.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bits.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../commit/pending_read.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../node/attr.h"
#include "../node/base.h"
#include "../node/claim.h"
#include "../node/damaged.h"
#include "../node/open_objects.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/recipients.h"
#include "../node/vault_i.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "../vault.h"
#include "check.h"
#include "redact.h"

struct tf_reader {
	struct tf_vault *v;
	uint64_t id;
	struct tf_pending *l; /* or NULL, once it is sealed; mu */
	bool later;	      /* the first read opens the object; mu */
	bool is_long;
	bool sealed;  /* since before it was opened; constant */
	uint32_t uid; /* of the reader */
	bool pending; /* the comparison is not over; mu */
	uint64_t object;
	struct tf_buf body;    /* of a short object */
	bool in_file;	       /* a long object; mu */
	struct tf_hash sha256; /* names the file of a long object */
};

static bool
get_bit(struct tf_vault *v, const struct tf_bits *m, uint64_t i)
{
	bool yes;

	pthread_mutex_lock(&v->mu);
	yes = tf_bits_has(m, i);
	pthread_mutex_unlock(&v->mu);
	return yes;
}

/* Without memory for the note, the next open compares again. */
static void
set_bit(struct tf_vault *v, struct tf_bits *m, uint64_t i)
{
	pthread_mutex_lock(&v->mu);
	tf_bits_add(m, i);
	pthread_mutex_unlock(&v->mu);
}

/*
 * Check an object in the database: the bytes that this reader has in memory.
 */
static enum tf_code
check_short(struct tf_reader *r, const struct tf_object_row *o,
    struct tf_error *err)
{
	struct tf_hash h;

	tf_sha256(r->body.p == NULL ? "" : r->body.p, r->body.n, &h);
	if (r->body.n != o->size || memcmp(&h, &o->sha256, sizeof(h)) != 0)
		return tf_fail(err, TF_TAMPER,
		    "the bytes of node %llu are not "
		    "what its entry says: run trailctl verify",
		    (unsigned long long)r->id);
	return TF_OK;
}

/* The row must name the object that its entry names. */
static enum tf_code
check_entry(struct tf_reader *r, const struct tf_node_row *row,
    const struct tf_object_row *o, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_reader_db(r->v, &db, err)) != TF_OK)
		return rc;
	rc = tf_entries_get(db, row->entry, &body, NULL, err);
	tf_reader_done(r->v, db);
	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, err);
	if (!tf_code_undecided(rc) &&
	    (rc != TF_OK || d.e.node != r->id || d.e.content.size != o->size ||
		memcmp(&d.e.content.sha256, &o->sha256, sizeof(o->sha256)) !=
		    0))
		rc = tf_fail(err, TF_TAMPER,
		    "node %llu does not point at "
		    "what its entry says: run trailctl verify",
		    (unsigned long long)r->id);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

/* Of a mirror that grows: was the evidence redacted since it was opened? */
static enum tf_code
check_new_redaction(struct tf_reader *r, struct tf_db *db, struct tf_error *err)
{
	struct tf_definition_row d = { .node = r->id,
		.kind = TF_ROW_REDACTED,
		.name = { "", 0 } };
	enum tf_code rc = r->v->grows ? tf_definitions_get(db, &d, err) :
					TF_NOTFOUND;

	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	set_bit(r->v, &r->v->redacted, r->id);
	return tf_redacted(err);
}

/*
 * Let r read the sealed object of node id.  *fresh: the kernel must drop the
 * pages that it has of this node.  No lock is held; r is not shared yet.
 */
static enum tf_code
open_sealed(struct tf_reader *r, bool *fresh, struct tf_error *err)
{
	struct tf_vault *v = r->v;
	struct tf_object_row o;
	struct tf_node_row row;
	struct tf_open_object held;
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_nodes_get(db, r->id, &row, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "no such file");
	if (rc == TF_OK && row.attr.kind != TF_KIND_EVIDENCE)
		rc = tf_fail(err, TF_ISDIR, "is a directory");
	if (rc == TF_OK)
		rc = check_new_redaction(r, db, err);
	if (rc == TF_OK &&
	    (rc = tf_object_get(db, row.object, &o, &r->body, err)) ==
		TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "its object is missing");
	tf_reader_done(v, db);
	if (rc != TF_OK)
		return rc;
	r->in_file = !o.is_inline;
	r->sha256 = o.sha256;
	if (r->in_file) { /* is it there? */
		rc = tf_object_hold(&v->objects, &o.sha256, &held, err);
		if (rc != TF_OK)
			return rc;
		tf_object_let_go(&v->objects, &held);
	}
	/* Each node has its own cached pages, even if nodes share an object:
	 * pages that the writer left were never hashed. */
	*fresh = !get_bit(v, &v->opened, r->id);
	if (*fresh && v->verify_open &&
	    (rc = check_entry(r, &row, &o, err)) != TF_OK)
		return rc;
	r->object = row.object;
	if (v->verify_open && r->in_file) {
		rc = tf_check_object(v, row.object, &o, r->id, r->uid,
		    &r->pending, err);
	} else if (v->verify_open && !get_bit(v, &v->checked, row.object) &&
	    (rc = check_short(r, &o, err)) == TF_OK) {
		set_bit(v, &v->checked, row.object);
	}
	/* Until the result is known, each open is like the first, and the
	 * kernel must not read the object by itself. */
	if (rc != TF_OK || r->pending)
		return rc;
	r->is_long = !o.is_inline && o.size >= TF_LONG_OBJECT_BYTES;
	if (r->is_long)
		set_bit(v, &v->is_long, r->id);
	set_bit(v, &v->opened, r->id);
	if (v->verify_open)
		tf_damaged_file_remove(v, r->id);
	return TF_OK;
}

/* Reading r ended with rc. */
static void
note_damage(const struct tf_reader *r, enum tf_code rc)
{
	if (rc == TF_TAMPER)
		tf_damaged_file_add(r->v, r->id);
}

/*
 * May r->uid read r->l?  Who opens a file of a trail with recipients before its
 * first byte would later read, from the kernel's pages, what its writers write.
 * mu is not held.
 */
static enum tf_code
may_read_pending(const struct tf_reader *r, struct tf_error *err)
{
	struct tf_kept_recipients *to = NULL;
	uint64_t workflow;
	enum tf_code rc;

	pthread_mutex_lock(&r->v->mu);
	workflow = r->l->wf;
	pthread_mutex_unlock(&r->v->mu);
	if ((rc = tf_recipients_hold(r->v, workflow, &to, err)) != TF_OK)
		return rc;
	pthread_mutex_lock(&r->v->mu);
	rc = tf_pending_may_read(r->l, r->uid, to != NULL, err);
	tf_recipients_unref(to);
	pthread_mutex_unlock(&r->v->mu);
	return rc;
}

enum tf_code
tf_vault_open_read(struct tf_vault *v, uint64_t id, uint32_t uid,
    struct tf_reader **out, bool *fresh, struct tf_error *err)
{
	struct tf_reader *r = calloc(1, sizeof(*r));
	enum tf_code rc = TF_OK;

	if (r == NULL)
		return tf_nomem(err);
	r->v = v;
	r->id = id;
	r->uid = uid;
	atomic_fetch_add(&v->counters.readers, 1);
	*fresh = true;
	pthread_mutex_lock(&v->mu);
	r->l = tf_pending_get(&v->pending, id);
	if (tf_bits_has(&v->redacted, id)) {
		r->l = NULL;
		rc = tf_redacted(err);
	} else if (r->l != NULL) {
		tf_pending_ref(r->l);
		r->l->readers++;
	} else {
		/* It was compared, and the kernel likely has its pages. */
		r->later = tf_bits_has(&v->opened, id);
		r->is_long = r->later && tf_bits_has(&v->is_long, id);
	}
	pthread_mutex_unlock(&v->mu);
	r->sealed = r->l == NULL;
	if (r->later)
		*fresh = false;
	else if (rc == TF_OK && r->l == NULL)
		rc = open_sealed(r, fresh, err);
	else if (rc == TF_OK && !tf_pending_is_file(r->l))
		rc = tf_fail(err, TF_ISDIR, "is a directory");
	else if (rc == TF_OK)
		rc = may_read_pending(r, err);
	if (rc != TF_OK) {
		note_damage(r, rc);
		tf_reader_close(r);
		return rc;
	}
	*out = r;
	return TF_OK;
}

/* The pending node that r reads, with a reference, or NULL if r reads a sealed
 * object.  *sealed: the node was sealed, so r should go over to its object. */
static struct tf_pending *
pending_of(const struct tf_reader *r, bool *sealed)
{
	struct tf_pending *l;

	pthread_mutex_lock(&r->v->mu);
	l = r->l;
	*sealed = l != NULL ? l->attr.state == TF_STATE_SEALED : r->later;
	if (l != NULL)
		tf_pending_ref(l);
	pthread_mutex_unlock(&r->v->mu);
	return l;
}

/* Go over to the object: the file was sealed since r was opened, or this is the
 * first read. */
static enum tf_code
change_over(struct tf_reader *r, struct tf_error *err)
{
	struct tf_reader s = { .v = r->v, .id = r->id, .uid = r->uid };
	struct tf_pending *old = NULL;
	bool fresh;
	enum tf_code rc = open_sealed(&s, &fresh, err);

	pthread_mutex_lock(&r->v->mu);
	if (rc == TF_OK && (r->l != NULL || r->later)) {
		r->in_file = s.in_file;
		r->sha256 = s.sha256;
		r->pending = s.pending;
		r->object = s.object;
		r->body = s.body;
		old = r->l;
		r->l = NULL;
		r->later = false;
		s.body = (struct tf_buf){ 0 };
	}
	if (old != NULL) {
		old->readers--;
		tf_pending_unref(old);
	}
	pthread_mutex_unlock(&r->v->mu);
	tf_buf_free(&s.body);
	return rc;
}

/* Reading l failed: was it sealed meanwhile? */
static bool
sealed_by_now(struct tf_pending *l)
{
	bool sealed;

	pthread_mutex_lock(&l->v->mu);
	tf_pending_wait(l->v, l);
	sealed = l->attr.state == TF_STATE_SEALED;
	pthread_mutex_unlock(&l->v->mu);
	return sealed;
}

/* End a reference that pending_of() took. */
static void
let_go(struct tf_pending *l)
{
	struct tf_vault *v = l->v;

	pthread_mutex_lock(&v->mu);
	tf_pending_unref(l);
	pthread_mutex_unlock(&v->mu);
}

/* r was opened before the comparison was over: ask for the result. */
static enum tf_code
look_again(struct tf_reader *r, struct tf_error *err)
{
	bool pending;
	enum tf_code rc;

	pthread_mutex_lock(&r->v->mu);
	pending = r->pending;
	pthread_mutex_unlock(&r->v->mu);
	if (!pending)
		return TF_OK;
	rc = tf_check_known(r->v, r->object, &pending, err);
	pthread_mutex_lock(&r->v->mu);
	r->pending = pending;
	pthread_mutex_unlock(&r->v->mu);
	return rc;
}

/* Does r read an object with a file of its own? */
static bool
is_in_file(const struct tf_reader *r)
{
	bool yes;

	pthread_mutex_lock(&r->v->mu);
	yes = r->l == NULL && r->in_file;
	pthread_mutex_unlock(&r->v->mu);
	return yes;
}

/*
 * A descriptor is held for this read only: there may be fewer descriptors than
 * readers.
 */
static enum tf_code
read_object(struct tf_reader *r, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err)
{
	struct tf_open_object held;
	enum tf_code rc;

	if ((rc = look_again(r, err)) != TF_OK ||
	    (rc = tf_object_hold(&r->v->objects, &r->sha256, &held, err)) !=
		TF_OK)
		return rc;
	rc = tf_file_pread(held.fd, p, n, off, got, err);
	tf_object_let_go(&r->v->objects, &held);
	return rc;
}

/* The file was redacted after r was opened. */
static enum tf_code
check_redacted(const struct tf_reader *r, struct tf_error *err)
{
	return get_bit(r->v, &r->v->redacted, r->id) ? tf_redacted(err) : TF_OK;
}

static enum tf_code
read_now(struct tf_reader *r, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err)
{
	struct tf_pending *l;
	bool sealed;
	enum tf_code rc = check_redacted(r, err);

	*got = 0;
	if (rc != TF_OK)
		return rc;
	if ((l = pending_of(r, &sealed)) != NULL) {
		/* A seal may have deleted the staged file. */
		if (!sealed &&
		    (rc = tf_pending_read(l, p, n, off, got, err)) != TF_OK)
			sealed = sealed_by_now(l);
		let_go(l);
		if (!sealed)
			return rc;
	}
	if (sealed && (rc = change_over(r, err)) != TF_OK)
		return rc;
	if (is_in_file(r))
		return read_object(r, p, n, off, got, err);
	if (off >= r->body.n)
		return TF_OK;
	*got = n < r->body.n - off ? n : r->body.n - (size_t)off;
	memcpy(p, r->body.p + off, *got);
	return TF_OK;
}

enum tf_code
tf_reader_read(struct tf_reader *r, void *p, size_t n, uint64_t off,
    size_t *got, struct tf_error *err)
{
	enum tf_code rc = read_now(r, p, n, off, got, err);

	note_damage(r, rc);
	return rc;
}

bool
tf_reader_hold(struct tf_reader *r, struct tf_open_object *out)
{
	/* If this fails, the first read reports it. */
	return check_redacted(r, NULL) == TF_OK && is_in_file(r) &&
	    look_again(r, NULL) == TF_OK &&
	    tf_object_hold(&r->v->objects, &r->sha256, out, NULL) == TF_OK;
}

void
tf_vault_let_go(struct tf_vault *v, const struct tf_open_object *held)
{
	tf_object_let_go(&v->objects, held);
}

bool
tf_reader_is_long(const struct tf_reader *r)
{
	return r->is_long;
}

bool
tf_reader_is_sealed(const struct tf_reader *r)
{
	return r->sealed;
}

bool
tf_reader_may_grow(const struct tf_reader *r)
{
	return !r->sealed && atomic_load(&r->v->recipients.any);
}

enum tf_code
tf_reader_object(struct tf_reader *r, struct tf_error *err)
{
	struct tf_pending *l;
	bool sealed;
	enum tf_code rc = TF_OK;

	if ((l = pending_of(r, &sealed)) != NULL)
		let_go(l);
	if (sealed)
		rc = change_over(r, err);
	note_damage(r, rc);
	return rc;
}

void
tf_reader_close(struct tf_reader *r)
{
	if (r == NULL)
		return;
	atomic_fetch_sub(&r->v->counters.readers, 1);
	if (r->l != NULL) {
		pthread_mutex_lock(&r->v->mu);
		r->l->readers--;
		tf_pending_forget(&r->v->pending, r->l);
		tf_pending_unref(r->l);
		pthread_mutex_unlock(&r->v->mu);
	}
	tf_buf_free(&r->body);
	free(r);
}
