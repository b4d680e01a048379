/*
 * Definitions of a trail: templates and attestation types.  A definition is
 * checked before the transaction, because parsing takes time that all other
 * writers would wait for; its version is given in the transaction, because the
 * commits decide the order.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../asker.h"
#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/existing.h"
#include "../commit/queue.h"
#include "../commit/txn_path.h"
#include "../crypt/recipient.h"
#include "../definition.h"
#include "../evaluation.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/field_text.h"
#include "../ledger/template.h"
#include "../ledger/template_parse.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/growth.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/quota.h"
#include "../node/recipients.h"
#include "../node/vault_i.h"
#include "../store/closings.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "define.h"

#define TRAIL_NAME_MAX 255 /* bytes */

enum tf_code
tf_may_say(const struct tf_vault *v, const struct tf_attr *a,
    const struct tf_actor *who, struct tf_error *err)
{
	if (v->mount != NULL || who->uid == 0 || who->uid == a->uid)
		return TF_OK;
	return tf_fail(err, TF_DENIED,
	    "without a mount only its owner and root may");
}

enum tf_code
tf_txn_must_be_open(struct tf_txn *t, uint64_t id, struct tf_error *err)
{
	struct tf_node_row row;
	bool closed = false;
	enum tf_code rc = tf_nodes_get(t->db, id, &row, err);

	if (rc == TF_OK)
		rc = tf_closings_has(t->db, id, &closed, err);
	if (rc == TF_OK && row.seal != TF_NO_SEQ)
		return tf_fail(err, TF_SEALED, "it is sealed");
	if (rc == TF_OK && closed)
		return tf_fail(err, TF_READONLY, "it is closed");
	return rc;
}

/* --- a new version --------------------------------------------------------- */

struct definition {
	uint64_t trail;
	const struct tf_actor *who;
	enum tf_definition_kind kind;
	struct tf_str name;
	const void *bytes;
	size_t n;
	struct tf_hash sha256;
	const char *actor;
	uint64_t version; /* the result */
};

/* Set row to the newest version, with version 0 if there is none.  *same: it
 * has the bytes of d. */
static enum tf_code
newest(struct tf_txn *t, const struct definition *d,
    struct tf_definition_row *row, bool *same, struct tf_error *err)
{
	struct tf_object_row o;
	enum tf_code rc;

	*row = (struct tf_definition_row){ .node = d->trail,
		.kind = d->kind,
		.name = d->name };
	*same = false;
	rc = tf_definitions_get(t->db, row, err);
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	rc = tf_object_get(t->db, row->object, &o, NULL, err);
	if (rc == TF_OK)
		*same = memcmp(&o.sha256, &d->sha256, sizeof(o.sha256)) == 0;
	return rc == TF_NOTFOUND ? TF_OK : rc; /* damaged: define it again */
}

/* A trail has one template, so only types have a name in the entry. */
static void
fill_entry(struct tf_entry *e, const struct definition *d, uint64_t version)
{
	struct tf_content content = { d->sha256, d->n };

	e->actor = tf_str_of(d->actor);
	if (d->kind == TF_DEFINITION_TEMPLATE) {
		e->type = TF_TEMPLATE_SET;
		e->has_template = true;
		e->template_content = content;
		e->template_version = version;
	} else {
		e->type = d->kind == TF_DEFINITION_TYPE ? TF_TYPE_SET :
							  TF_RECIPIENTS_SET;
		e->has_definition = true;
		e->definition_content = content;
		e->definition_name = d->name;
		e->definition_version = version;
	}
}

/*
 * Whoever replaces the recipients reads what others write from then on.  So the
 * members of the group who may write the trail may not, unlike its template.
 */
static enum tf_code
check_owner(struct tf_txn *t, const struct definition *d, struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc;

	if (d->kind != TF_DEFINITION_RECIPIENTS)
		return TF_OK;
	rc = tf_nodes_get(t->db, d->trail, &row, err);
	if (rc == TF_OK && !tf_may_administer(d->who, row.attr.uid))
		rc = tf_fail(err, TF_DENIED,
		    "only the owner of the trail, members of admins= and root "
		    "may set its recipients");
	return rc;
}

/* Workflows in which a file is entered while it grows. */
struct workflows {
	uint64_t *wf;
	size_t n, cap;
	bool failed;
};

static void
note_workflow(void *arg, struct tf_pending *l)
{
	struct workflows *w = arg;

	if (l->growth == NULL || l->growth->row_seq == 0)
		return;
	if (tf_array_room(&w->wf, w->n, &w->cap, sizeof(*w->wf)))
		w->wf[w->n++] = l->wf;
	else
		w->failed = true;
}

/* A trail with a file of which parts are entered gets no recipients: its content was
 * begun in clear, and the ledger has digests of that. */
static enum tf_code
check_growing(struct tf_txn *t, const struct definition *d,
    struct tf_error *err)
{
	struct tf_node_row row;
	struct workflows w = { 0 };
	enum tf_code rc;

	if (d->kind != TF_DEFINITION_RECIPIENTS)
		return TF_OK;
	pthread_mutex_lock(&t->v->mu);
	tf_pending_each(&t->v->pending, note_workflow, &w);
	pthread_mutex_unlock(&t->v->mu);
	rc = w.failed ? tf_nomem(err) : TF_OK;
	for (size_t i = 0; rc == TF_OK && i < w.n; i++) {
		rc = tf_nodes_get(t->db, w.wf[i], &row, err);
		if (rc == TF_OK && row.attr.parent == d->trail)
			rc = tf_fail(err, TF_BUSY,
			    "a file of the trail is entered while it grows: "
			    "its recipients can be set when that is sealed");
	}
	free(w.wf);
	return rc;
}

/*
 * The newest version again makes no entry; d->version is then its number.
 * Whether the trail is open is asked here, because it may have been sealed
 * since the call began.
 */
static enum tf_code
define_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct definition *d = arg;
	struct tf_definition_row row;
	struct tf_entry e = { .type = TF_TYPE_UNKNOWN };
	bool same;
	enum tf_code rc = tf_txn_must_be_open(t, d->trail, err);

	if (rc == TF_OK)
		rc = check_owner(t, d, err);
	if (rc == TF_OK)
		rc = newest(t, d, &row, &same, err);
	if (rc != TF_OK)
		return rc;
	d->version = row.version;
	if (same)
		return TF_OK;
	if ((rc = check_growing(t, d, err)) != TF_OK)
		return rc;
	d->version = ++row.version;
	fill_entry(&e, d, row.version);
	if ((rc = tf_existing_keep(t, &d->sha256, d->bytes, d->n, 0,
		 &row.object, err)) != TF_OK ||
	    (rc = tf_txn_path(t, d->trail, &e.path, err)) != TF_OK ||
	    (rc = tf_txn_append(t, &e, NULL, err)) != TF_OK)
		return rc;
	row.entry = t->size - 1;
	t->said += d->n;
	/* Files that are prepared for a seal without these are prepared again. */
	if (d->kind == TF_DEFINITION_RECIPIENTS)
		tf_recipients_changed(t->v);
	return tf_definitions_put(tf_txn_write(t), &row, err);
}

/* The name that the rows have; NULL is that of a template. */
static struct tf_str
row_name(const char *name)
{
	return name == NULL ? (struct tf_str){ "", 0 } : tf_str_of(name);
}

static enum tf_code
check_name(enum tf_definition_kind kind, struct tf_str name,
    struct tf_error *err)
{
	if (kind == TF_DEFINITION_TEMPLATE || kind == TF_DEFINITION_RECIPIENTS)
		return name.n == 0 ? TF_OK :
				     tf_fail(err, TF_BADNAME, "it has no name");
	if (kind != TF_DEFINITION_TYPE)
		return tf_fail(err, TF_UNSUPPORTED, "no such definition");
	if (name.n > TF_DEFINITION_NAME_MAX ||
	    !tf_text_definition_ok(name.p, name.n))
		return tf_fail(err, TF_BADNAME,
		    "the name of a type begins with a letter or digit and has "
		    "only A-Za-z0-9._~- (at most %d)",
		    TF_DEFINITION_NAME_MAX);
	/* Nothing would ever be judged by it. */
	if (tf_type_built_in(name))
		return tf_fail(err, TF_BADNAME,
		    "the type %.*s is built in: choose another name",
		    (int)name.n, name.p);
	return TF_OK;
}

/* The warnings do not refuse the template. */
static enum tf_code
check_template(const void *bytes, size_t n, struct tf_buf *warnings,
    struct tf_error *err)
{
	struct tf_template t;
	enum tf_code rc = tf_template_parse(&t, bytes, n, err);

	if (rc != TF_OK)
		return rc;
	for (size_t i = 0; warnings != NULL && i < t.n_warnings; i++)
		tf_buf_printf(warnings, "line %u: %s\n", t.warnings[i].line,
		    t.warnings[i].text);
	tf_template_free(&t);
	return warnings == NULL ? TF_OK : tf_buf_end(warnings, err);
}

static enum tf_code
check_type(const void *bytes, size_t n, struct tf_error *err)
{
	struct tf_type *t = NULL;
	enum tf_code rc = tf_type_parse(bytes, n, &t, err);

	if (rc == TF_OK)
		tf_type_free(t);
	return rc;
}

static enum tf_code
check_recipients(const void *bytes, size_t n, struct tf_error *err)
{
	struct tf_recipients r;
	enum tf_code rc = tf_recipients_parse(bytes, n, &r, err);

	tf_recipients_free(&r);
	return rc;
}

enum tf_code
tf_definition_check(enum tf_definition_kind kind, const char *name,
    const void *bytes, size_t n, struct tf_buf *warnings, struct tf_error *err)
{
	enum tf_code rc = check_name(kind, row_name(name), err);

	if (rc != TF_OK)
		return rc;
	if (n > TF_DEFINITION_MAX)
		return tf_fail(err, TF_TOOBIG,
		    "a definition has at most %d bytes", TF_DEFINITION_MAX);
	if (n == 0)
		return tf_fail(err, TF_INVALID, "it is empty");
	switch (kind) {
	case TF_DEFINITION_TEMPLATE:
		return check_template(bytes, n, warnings, err);
	case TF_DEFINITION_RECIPIENTS:
		return check_recipients(bytes, n, err);
	default:
		return check_type(bytes, n, err);
	}
}

/* May who define something of this trail? */
static enum tf_code
check(struct tf_vault *v, const struct definition *d,
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_getattr(v, d->trail, &a, err);

	if (rc == TF_OK && a.kind != TF_KIND_TRAIL)
		return tf_fail(err, TF_UNSUPPORTED,
		    "only a trail has definitions");
	return rc == TF_OK ? tf_may_say(v, &a, who, err) : rc;
}

enum tf_code
tf_vault_define(struct tf_vault *v, uint64_t trail,
    enum tf_definition_kind kind, const char *name, const void *bytes, size_t n,
    const struct tf_actor *who, uint64_t *version, struct tf_error *err)
{
	struct definition d = { .trail = trail,
		.who = who,
		.kind = kind,
		.name = row_name(name),
		.bytes = bytes,
		.n = n };
	char *actor = NULL;
	enum tf_code rc = tf_definition_check(kind, name, bytes, n, NULL, err);

	if (rc == TF_OK)
		rc = tf_vault_writable(v, err);
	if (rc == TF_OK)
		rc = check(v, &d, who, err);
	if (rc == TF_OK)
		rc = tf_space_say(v, who->uid, n, err);
	if (rc != TF_OK)
		return rc;
	tf_vault_learn(v, who->uid, who->gid);
	if ((rc = tf_actor_text(who, &actor, err)) != TF_OK)
		return rc;
	d.actor = actor;
	/* Once, here: the committer may run define_run() twice. */
	tf_sha256(bytes, n, &d.sha256);
	rc = tf_commit_wait(v->commit, define_run, &d, err);
	if (kind == TF_DEFINITION_RECIPIENTS)
		tf_recipients_changed(v);
	if (rc == TF_OK && kind == TF_DEFINITION_TEMPLATE)
		tf_wishes_template(v, trail);
	if (rc == TF_OK)
		*version = d.version;
	free(actor);
	return rc;
}

/* --- reading --------------------------------------------------------------- */

/* A row without its object is damage: both are committed together. */
static enum tf_code
fill(struct tf_db *db, const struct tf_definition_row *row,
    struct tf_definition *out, struct tf_buf *bytes, struct tf_error *err)
{
	struct tf_object_row o;
	size_t n = row->name.n < TF_DEFINITION_NAME_MAX ?
	    row->name.n :
	    TF_DEFINITION_NAME_MAX;
	enum tf_code rc = tf_object_get(db, row->object, &o, bytes, err);

	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER,
		    "the database has no object for the definition");
	if (rc != TF_OK)
		return rc;
	if (n > 0)
		memcpy(out->name, row->name.p, n);
	out->name[n] = '\0';
	out->version = row->version;
	out->size = o.size;
	out->sha256 = o.sha256;
	out->entry = row->entry;
	return TF_OK;
}

/* Do the bytes have the digest that their entry names? */
static enum tf_code
check_bytes(const char *p, size_t n, const struct tf_definition *d,
    struct tf_error *err)
{
	struct tf_hash h;

	tf_sha256(p, n, &h);
	if (n == d->size && memcmp(&h, &d->sha256, sizeof(h)) == 0)
		return TF_OK;
	return tf_fail(err, TF_TAMPER, "the definition was altered");
}

enum tf_code
tf_vault_definition(struct tf_vault *v, uint64_t trail,
    enum tf_definition_kind kind, const char *name, uint64_t version,
    struct tf_buf *out, struct tf_definition *found, struct tf_error *err)
{
	struct tf_definition_row row = { .node = trail,
		.kind = kind,
		.name = row_name(name),
		.version = version };
	size_t start = out == NULL ? 0 : out->n;
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_definitions_get(db, &row, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "there is no such definition");
	if (rc == TF_OK)
		rc = fill(db, &row, found, out, err);
	if (rc == TF_OK && out != NULL)
		rc = check_bytes(out->p + start, out->n - start, found, err);
	tf_reader_done(v, db);
	return rc;
}

struct listing {
	struct tf_db *db;
	struct tf_definition *out;
	size_t max, n;
};

/* TF_NODATA ends the walk; the callers make TF_OK of it. */
static enum tf_code
list_one(void *arg, const struct tf_definition_row *row, struct tf_error *err)
{
	struct listing *l = arg;
	enum tf_code rc;

	if (l->n == l->max)
		return TF_NODATA; /* enough */
	rc = fill(l->db, row, &l->out[l->n], NULL, err);
	l->n += rc == TF_OK;
	return rc;
}

enum tf_code
tf_vault_definitions(struct tf_vault *v, uint64_t trail,
    enum tf_definition_kind kind, const char *after, struct tf_definition *out,
    size_t max, size_t *n, struct tf_error *err)
{
	struct listing l = { .out = out, .max = max };
	enum tf_code rc = tf_reader_db(v, &l.db, err);

	*n = 0;
	if (rc != TF_OK)
		return rc;
	rc = tf_definitions_names(l.db, trail, kind, tf_str_of(after), list_one,
	    &l, err);
	tf_reader_done(v, l.db);
	*n = l.n;
	return rc == TF_NODATA ? TF_OK : rc;
}

enum tf_code
tf_vault_definition_versions(struct tf_vault *v, uint64_t trail,
    enum tf_definition_kind kind, uint64_t from, struct tf_definition *out,
    size_t max, size_t *n, struct tf_error *err)
{
	struct listing l = { .out = out, .max = max };
	enum tf_code rc = tf_reader_db(v, &l.db, err);

	*n = 0;
	if (rc != TF_OK)
		return rc;
	rc = tf_definitions_since(l.db, trail, kind, from, list_one, &l, err);
	tf_reader_done(v, l.db);
	*n = l.n;
	return rc == TF_NODATA ? TF_OK : rc;
}

/*
 * Find the version that entry e names.  The entry has the path of the trail,
 * which is its name; a path longer than a name is of no trail.
 */
static enum tf_code
find_version(struct tf_vault *v, const struct tf_entry *e, uint64_t *trail,
    enum tf_definition_kind *kind, struct tf_definition *found,
    struct tf_error *err)
{
	char path[TRAIL_NAME_MAX + 1], name[TF_DEFINITION_NAME_MAX + 1];
	bool template = e->type == TF_TEMPLATE_SET;
	bool type = e->type == TF_TYPE_SET;
	struct tf_attr a;
	enum tf_code rc;

	if ((!template && !type && e->type != TF_RECIPIENTS_SET) ||
	    e->path.n >= sizeof(path) || e->definition_name.n >= sizeof(name))
		return tf_fail(err, TF_NOTFOUND, "there is no such definition");
	(void)snprintf(path, sizeof(path), "%.*s", (int)e->path.n, e->path.p);
	(void)snprintf(name, sizeof(name), "%.*s",
	    type ? (int)e->definition_name.n : 0,
	    type ? e->definition_name.p : "");
	if ((rc = tf_vault_walk(v, path, &a, err)) != TF_OK)
		return rc;
	*trail = a.id;
	*kind = template ? TF_DEFINITION_TEMPLATE :
	    type	 ? TF_DEFINITION_TYPE :
			   TF_DEFINITION_RECIPIENTS;
	return tf_vault_definition(v, a.id, *kind, name,
	    template ? e->template_version : e->definition_version, NULL, found,
	    err);
}

enum tf_code
tf_vault_definition_of(struct tf_vault *v, uint64_t seq, uint64_t *trail,
    enum tf_definition_kind *kind, struct tf_definition *found,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { .e = { .seq = 0 } };
	struct tf_buf body = { 0 };
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_entries_get(db, seq, &body, NULL, err);
	tf_reader_done(v, db);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "there is no such entry");
	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, err);
	if (rc == TF_OK)
		rc = find_version(v, &d.e, trail, kind, found, err);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}
