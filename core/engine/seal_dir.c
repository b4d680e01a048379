/*
 * Sealing attestations, workflows and trails, and publishing a draft
 * attestation: everything in one transaction.  While it is being decided
 * ("closing"), nothing is born below.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../ledger/statement.h"
#include "names.h"

/* The live nodes that become entries along with the directory. */
struct closing {
	struct tf_vault *v;
	const struct tf_seal_request *r;
	struct tf_attr dir;
	char *actor;
	struct tf_live **l;
	size_t n, cap;
	struct tf_live *draft;	/* the draft attestation to publish */
	char old_name[256];
	enum tf_code refused;	/* found while looking */
	bool wait;		/* somebody is at work below; look again */
	char why[64];
};

/* --- evidence of an attestation ------------------------------------------- */

struct evidence {
	struct tf_subject_file *f;
	size_t n, cap;
	struct tf_buf names;	/* the f[i].name.p are offsets in here */
	struct tf_time first, last;
};

static void
evidence_free(struct evidence *e)
{
	free(e->f);
	tf_buf_free(&e->names);
}

static enum tf_code
add_evidence(struct tf_db *db, struct evidence *e, const char *prefix,
    size_t prefix_len, const struct tf_node_row *r, struct tf_error *err)
{
	struct tf_object_row o;
	enum tf_code rc;
	void *p;

	if (e->n == e->cap) {
		e->cap = e->cap == 0 ? 16 : e->cap * 2;
		if ((p = realloc(e->f, e->cap * sizeof(*e->f))) == NULL)
			return tf_fail(err, TF_NOMEM, "no memory");
		e->f = p;
	}
	rc = tf_object_get(db, r->object, &o, NULL, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "object of %.60s is missing",
		    r->name);
	if (rc != TF_OK)
		return rc;
	e->f[e->n].sha256 = o.sha256;
	e->f[e->n].size = r->attr.size;
	/* Offsets until all are there: the buffer moves as it grows. */
	e->f[e->n].name.p = (const char *)e->names.n;
	e->f[e->n].name.n = prefix_len + r->name_len;
	tf_buf_add(&e->names, prefix, prefix_len);
	tf_buf_add(&e->names, r->name, r->name_len);
	if (e->n == 0 || tf_time_cmp(r->attr.btime, e->first) < 0)
		e->first = r->attr.btime;
	if (e->n == 0 || tf_time_cmp(r->attr.ctime, e->last) > 0)
		e->last = r->attr.ctime;
	e->n++;
	return e->names.failed ? tf_fail(err, TF_NOMEM, "no memory") : TF_OK;
}

#define CHUNK 32

static enum tf_code
walk_evidence(struct tf_db *db, uint64_t dir, char *prefix, size_t prefix_len,
    struct evidence *e, struct tf_error *err)
{
	struct tf_node_row *rows = calloc(CHUNK, sizeof(*rows));
	uint64_t after = 0;
	enum tf_code rc = TF_OK;
	size_t n = CHUNK, len;

	if (rows == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	while (rc == TF_OK && n == CHUNK) {
		rc = tf_nodes_list(db, dir, after, rows, CHUNK, &n, err);
		for (size_t i = 0; rc == TF_OK && i < n; i++) {
			after = rows[i].attr.id;
			len = prefix_len + rows[i].name_len;
			if (rows[i].attr.kind == TF_KIND_EVIDENCE) {
				rc = add_evidence(db, e, prefix, prefix_len,
				    &rows[i], err);
			} else if (len + 1 > TF_PATH_BELOW_MAX) {
				rc = tf_fail(err, TF_TAMPER,
				    "a path is too long");
			} else {
				memcpy(prefix + prefix_len, rows[i].name,
				    rows[i].name_len);
				prefix[len] = '/';
				rc = walk_evidence(db, after, prefix, len + 1,
				    e, err);
			}
		}
	}
	free(rows);
	return rc;
}

static int
by_name(const void *a, const void *b)
{
	const struct tf_subject_file *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = memcmp(x->name.p, y->name.p, n);

	return c != 0 ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

/* All evidence of attestation id, sorted by name. */
static enum tf_code
list_evidence(struct tf_db *db, uint64_t id, struct evidence *e,
    struct tf_error *err)
{
	char prefix[TF_PATH_BELOW_MAX + 1];
	enum tf_code rc = walk_evidence(db, id, prefix, 0, e, err);

	for (size_t i = 0; i < e->n; i++)
		e->f[i].name.p = e->names.p + (size_t)e->f[i].name.p;
	if (e->n > 1)
		qsort(e->f, e->n, sizeof(*e->f), by_name);
	return rc;
}

/* --- the statement ----------------------------------------------------------- */

struct signed_statement {
	struct tf_statement_ref ref;
	struct tf_buf payload, keyid, sig;
};

static void
signed_free(struct signed_statement *s)
{
	tf_buf_free(&s->payload);
	tf_buf_free(&s->keyid);
	tf_buf_free(&s->sig);
}

/* Payload digest of the version before, from its entry. */
static enum tf_code
previous_payload(struct tf_txn *t, uint64_t wf, const char *name,
    struct tf_statement *s, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_node_row before;
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_version_before(t->db, wf, name, &before, err);

	if (rc != TF_OK || before.attr.id == 0)
		return rc;
	rc = tf_entries_get(t->db, before.seal, &body, NULL, err);
	if (rc == TF_OK)
		rc = tf_entry_decode(&d, body.p, body.n, err);
	if (rc == TF_OK) {
		s->has_previous = true;
		s->previous = d.e.statement.payload;
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

/* "trail/workflow/attestation" taken apart. */
static void
split_path(struct tf_str path, struct tf_statement *s)
{
	const char *a = memchr(path.p, '/', path.n);
	const char *end = path.p + path.n, *b;

	b = memchr(a + 1, '/', (size_t)(end - a - 1));
	s->trail = (struct tf_str){ path.p, (size_t)(a - path.p) };
	s->workflow = (struct tf_str){ a + 1, (size_t)(b - a - 1) };
	s->attestation.p = b + 1;
	s->attestation.n = tf_name_version(b + 1, (size_t)(end - b - 1),
	    &s->version);
}

static enum tf_code
sign_statement(struct tf_vault *v, const struct tf_statement *s,
    struct signed_statement *out, struct tf_error *err)
{
	uint8_t sig[TF_SIG_LEN];
	struct tf_pubkey pub;
	struct tf_buf pae = { 0 };
	enum tf_code rc = tf_statement_encode(s, &out->payload, err);

	if (rc != TF_OK)
		return rc;
	tf_dsse_pae(out->payload.p, out->payload.n, &pae);
	rc = pae.failed ? tf_fail(err, TF_NOMEM, "no memory") :
	    tf_key_sign(v->attester, pae.p, pae.n, sig, err);
	if (rc == TF_OK) {
		tf_sha256(out->payload.p, out->payload.n, &out->ref.payload);
		tf_sha256(pae.p, pae.n, &out->ref.pae);
		out->ref.size = out->payload.n;
		tf_key_public(v->attester, &pub);
		tf_dsse_keyid(&pub, &out->keyid);
		tf_base64(&out->sig, sig, sizeof(sig));
		out->ref.keyid = (struct tf_str){ out->keyid.p,
		    out->keyid.n };
		out->ref.sig = (struct tf_str){ out->sig.p, out->sig.n };
		if (out->keyid.failed || out->sig.failed)
			rc = tf_fail(err, TF_NOMEM, "no memory");
	}
	tf_buf_free(&pae);
	return rc;
}

/* The payload is an object, shown beside the evidence. */
static enum tf_code
keep_payload(struct tf_txn *t, const struct signed_statement *s,
    struct tf_error *err)
{
	uint64_t id;
	enum tf_code rc = tf_object_find(t->db, &s->ref.payload, &id, err);

	if (rc != TF_NOTFOUND)
		return rc;
	if ((rc = tf_txn_new_id(t, &id, err)) != TF_OK ||
	    (rc = tf_object_put(tf_txn_write(t), id, &s->ref.payload,
	    s->payload.p, s->payload.n, err)) != TF_OK)
		return rc;
	return tf_object_seal(t->db, &s->ref.payload, id, err);
}

/* --- the sealing entries -------------------------------------------------------- */

static struct tf_str
str(const char *s)
{
	return (struct tf_str){ s, s == NULL ? 0 : strlen(s) };
}

/* A sealing chmod's access on the directory that it named. */
static enum tf_code
set_access(struct tf_txn *t, const struct closing *c, uint64_t id,
    struct tf_entry *e, struct tf_access_names *names, struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc;

	if (c->r->mask == 0 || id != c->dir.id)
		return TF_OK;
	/* As it is now: somebody may have changed it since chmod looked. */
	if ((rc = tf_nodes_get(t->db, id, &row, err)) != TF_OK)
		return rc;
	tf_attr_apply(&row.attr, c->r->mask, c->r->want);
	e->has_access = true;
	tf_access_fill(&e->access, row.attr.mode, row.attr.uid, row.attr.gid,
	    names);
	return TF_OK;
}

static enum tf_code
mark_sealed(struct tf_txn *t, uint64_t id, const struct tf_entry *e,
    struct tf_error *err)
{
	enum tf_code rc = tf_nodes_set_seal(t->db, id, t->size - 1, t->at,
	    err);

	t->open_att = 0;
	if (rc == TF_OK && e->has_access)
		rc = tf_nodes_set_access(t->db, id, e->access.mode,
		    e->access.uid, e->access.gid, t->at, err);
	return rc;
}

static enum tf_code
fill_statement(struct tf_txn *t, const struct closing *c,
    const struct tf_node_row *att, struct tf_str path, struct evidence *ev,
    struct tf_statement *s, struct tf_error *err)
{
	split_path(path, s);
	s->origin = str(t->v->origin);
	s->host = str(t->v->host);
	s->actor = str(c->actor);
	s->cause = str(c->r->cause);
	s->files = ev->f;
	s->n_files = ev->n;
	s->has_written = ev->n > 0;
	s->first_written = ev->first;
	s->last_written = ev->last;
	s->sealed_at = tf_clock_now();
	return previous_payload(t, att->attr.parent, att->name, s, err);
}

static enum tf_code
seal_attestation(struct tf_txn *t, const struct closing *c,
    const struct tf_node_row *att, struct tf_error *err)
{
	struct tf_entry e = { .type = TF_ATTESTATION_SEALED,
	    .actor = str(c->actor), .cause = str(c->r->cause),
	    .has_evidence = true };
	struct tf_access_names names = { 0 };
	struct signed_statement signed_ = { 0 };
	struct tf_statement s = { 0 };
	struct evidence ev = { 0 };
	struct tf_buf path = { 0 };
	enum tf_code rc;

	if ((rc = tf_child_path(t, att->attr.parent, att->name, &path, err)) !=
	    TF_OK || (rc = list_evidence(t->db, att->attr.id, &ev, err)) !=
	    TF_OK)
		goto out;
	e.path = (struct tf_str){ path.p, path.n };
	e.evidence_count = ev.n;
	if ((rc = tf_sums(ev.f, ev.n, &e.evidence_bytes, &e.evidence_sums,
	    err)) != TF_OK ||
	    (rc = fill_statement(t, c, att, e.path, &ev, &s, err)) != TF_OK ||
	    (rc = sign_statement(t->v, &s, &signed_, err)) != TF_OK ||
	    (rc = keep_payload(t, &signed_, err)) != TF_OK ||
	    (rc = set_access(t, c, att->attr.id, &e, &names,
	    err)) != TF_OK)
		goto out;
	e.statement = signed_.ref;
	t->not_before = s.sealed_at;
	if ((rc = tf_txn_append(t, &e, NULL, err)) == TF_OK)
		rc = mark_sealed(t, att->attr.id, &e, err);
out:
	tf_access_names_free(&names);
	signed_free(&signed_);
	evidence_free(&ev);
	tf_buf_free(&path);
	return rc;
}

static enum tf_code
child_leaf(struct tf_db *db, uint64_t seq, struct tf_hash *out,
    struct tf_error *err)
{
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_entries_get(db, seq, &body, NULL, err);

	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "entry %llu is missing",
		    (unsigned long long)seq);
	if (rc == TF_OK)
		tf_entry_leaf(body.p, body.n, out);
	tf_buf_free(&body);
	return rc;
}

/* Call fn for every child row of dir. */
static enum tf_code
each_child(struct tf_db *db, uint64_t dir,
    enum tf_code (*fn)(void *arg, const struct tf_node_row *r,
    struct tf_error *err), void *arg, struct tf_error *err)
{
	struct tf_node_row *rows = calloc(CHUNK, sizeof(*rows));
	enum tf_code rc = TF_OK;
	uint64_t after = 0;
	size_t n = CHUNK;

	if (rows == NULL)
		return tf_fail(err, TF_NOMEM, "no memory");
	while (rc == TF_OK && n == CHUNK) {
		rc = tf_nodes_list(db, dir, after, rows, CHUNK, &n, err);
		for (size_t i = 0; rc == TF_OK && i < n; i++) {
			after = rows[i].attr.id;
			rc = fn(arg, &rows[i], err);
		}
	}
	free(rows);
	return rc;
}

struct leaves {
	struct tf_db *db;
	struct evidence *e;
	bool seals;	/* the seal's entry, else the birth's */
};

static enum tf_code
add_leaf(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct leaves *x = arg;
	struct evidence *e = x->e;
	enum tf_code rc;
	void *p;

	if (e->n == e->cap) {
		e->cap = e->cap == 0 ? 16 : e->cap * 2;
		if ((p = realloc(e->f, e->cap * sizeof(*e->f))) == NULL)
			return tf_fail(err, TF_NOMEM, "no memory");
		e->f = p;
	}
	rc = child_leaf(x->db, x->seals ? r->seal : r->entry,
	    &e->f[e->n].sha256, err);
	e->f[e->n].size = 0;
	e->f[e->n].name.p = (const char *)e->names.n;
	e->f[e->n].name.n = r->name_len;
	tf_buf_add(&e->names, r->name, r->name_len);
	e->n++;
	return rc;
}

/* workflow.sealed, or trail.sealed. */
static enum tf_code
seal_parent(struct tf_txn *t, const struct closing *c,
    const struct tf_node_row *dir, struct tf_error *err)
{
	bool workflow = dir->attr.kind == TF_KIND_WORKFLOW;
	struct tf_entry e = { .type = workflow ? TF_WORKFLOW_SEALED :
	    TF_TRAIL_SEALED, .actor = str(c->actor),
	    .cause = str(c->r->cause), .has_children = true };
	struct tf_access_names names = { 0 };
	struct evidence ev = { 0 };
	struct leaves x = { .db = t->db, .e = &ev, .seals = workflow };
	struct tf_buf path = { 0 };
	uint64_t bytes;
	enum tf_code rc;

	if ((rc = tf_child_path(t, dir->attr.parent, dir->name, &path, err)) !=
	    TF_OK ||
	    (rc = each_child(t->db, dir->attr.id, add_leaf, &x, err)) != TF_OK)
		goto out;
	for (size_t i = 0; i < ev.n; i++)
		ev.f[i].name.p = ev.names.p + (size_t)ev.f[i].name.p;
	if (ev.n > 1)
		qsort(ev.f, ev.n, sizeof(*ev.f), by_name);
	e.path = (struct tf_str){ path.p, path.n };
	e.children_count = ev.n;
	if ((rc = tf_sums(ev.f, ev.n, &bytes, &e.children_sums, err)) !=
	    TF_OK ||
	    (rc = set_access(t, c, dir->attr.id, &e, &names,
	    err)) != TF_OK ||
	    (rc = tf_txn_append(t, &e, NULL, err)) != TF_OK)
		goto out;
	rc = mark_sealed(t, dir->attr.id, &e, err);
out:
	tf_access_names_free(&names);
	evidence_free(&ev);
	tf_buf_free(&path);
	return rc;
}

/* --- the transaction -------------------------------------------------------------- */

static enum tf_code
count_open(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	uint64_t *n = arg;

	(void)err;
	*n += r->seal == TF_NO_SEQ;
	return TF_OK;
}

/* The live nodes below get their entries: directories, then files. */
static enum tf_code
seal_live(struct tf_txn *t, const struct closing *c, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < c->n; i++)
		if (!tf_live_is_file(c->l[i]))
			rc = tf_seal_directory(t, c->l[i]->attr.id, err);
	for (size_t i = 0; rc == TF_OK && i < c->n; i++) {
		struct tf_seal_file f = { .l = c->l[i], .cause = c->r->cause };

		if (tf_live_is_file(c->l[i]))
			rc = tf_seal_one(t, &f, err);
	}
	return rc;
}

struct open_children {
	struct tf_txn *t;
	const struct closing *c;
	struct tf_node_row *rows;
	size_t n, cap;
};

static enum tf_code
add_open(void *arg, const struct tf_node_row *r, struct tf_error *err)
{
	struct open_children *o = arg;
	void *p;

	if (r->seal != TF_NO_SEQ)
		return TF_OK;
	if (o->n == o->cap) {
		o->cap = o->cap == 0 ? 8 : o->cap * 2;
		p = realloc(o->rows, o->cap * sizeof(*o->rows));
		if (p == NULL)
			return tf_fail(err, TF_NOMEM, "no memory");
		o->rows = p;
	}
	o->rows[o->n++] = *r;
	return TF_OK;
}

/* In order of birth, so that a version is sealed before the next. */
static enum tf_code
seal_open_attestations(struct tf_txn *t, const struct closing *c,
    struct tf_error *err)
{
	struct open_children o = { .t = t, .c = c };
	enum tf_code rc = each_child(t->db, c->dir.id, add_open, &o, err);

	for (size_t i = 0; rc == TF_OK && i < o.n; i++)
		rc = seal_attestation(t, c, &o.rows[i], err);
	free(o.rows);
	return rc;
}

/* attestation.begun for the draft attestation under its new name. */
static enum tf_code
begin_published(struct tf_txn *t, const struct closing *c,
    struct tf_error *err)
{
	struct tf_live *l = c->draft;
	struct tf_entry e = { .type = TF_ATTESTATION_BEGUN, .has_node = true,
	    .node = l->attr.id, .has_access = true, .actor = str(c->actor) };
	struct tf_access_names names = { 0 };
	struct tf_node_row row = { .attr = l->attr, .name_len = l->name_len };
	struct tf_buf path = { 0 };
	enum tf_code rc;

	memcpy(row.name, l->name, sizeof(row.name));
	if ((rc = tf_child_path(t, l->attr.parent, l->name, &path, err)) !=
	    TF_OK)
		goto out;
	e.path = (struct tf_str){ path.p, path.n };
	tf_access_fill(&e.access, l->attr.mode, l->attr.uid, l->attr.gid,
	    &names);
	if ((rc = tf_txn_append(t, &e, NULL, err)) != TF_OK)
		goto out;
	row.entry = t->size - 1;
	row.attr.mtime = row.attr.ctime = row.attr.btime = t->at;
	if ((rc = tf_nodes_put(t->db, &row, err)) == TF_OK &&
	    (rc = tf_stage_delete(t->db, l->attr.id, err)) == TF_OK)
		rc = tf_txn_touch(t, l->attr.parent, t->at, err);
out:
	tf_access_names_free(&names);
	tf_buf_free(&path);
	return rc;
}

static enum tf_code
publish_run(struct tf_txn *t, const struct closing *c, struct tf_error *err)
{
	struct tf_node_row wf, row, before;
	enum tf_code rc = tf_nodes_get(t->db, c->draft->attr.parent, &wf, err);

	if (rc == TF_OK && wf.seal != TF_NO_SEQ)
		return tf_fail(err, TF_READONLY, "the workflow is sealed");
	if (rc != TF_OK)
		return rc;
	rc = tf_nodes_find(t->db, wf.attr.id, c->draft->name,
	    c->draft->name_len, &row, err);
	if (rc == TF_OK)
		return tf_fail(err, TF_EXISTS, "the name is taken");
	if (rc != TF_NOTFOUND ||
	    (rc = tf_version_before(t->db, wf.attr.id, c->draft->name,
	    &before, err)) != TF_OK ||
	    (rc = tf_txn_batch(t, c->n + 2, err)) != TF_OK ||
	    (rc = begin_published(t, c, err)) != TF_OK ||
	    (rc = seal_live(t, c, err)) != TF_OK ||
	    (rc = tf_nodes_get(t->db, c->dir.id, &row, err)) != TF_OK)
		return rc;
	return seal_attestation(t, c, &row, err);
}

static enum tf_code
closing_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	const struct closing *c = arg;
	struct tf_node_row row;
	uint64_t open = 0;
	enum tf_code rc;

	if (c->draft != NULL)
		return publish_run(t, c, err);
	if ((rc = tf_nodes_get(t->db, c->dir.id, &row, err)) != TF_OK)
		return rc;
	if (row.seal != TF_NO_SEQ)
		return TF_OK;	/* somebody was faster: it is sealed */
	if (row.attr.kind == TF_KIND_ATTESTATION) {
		rc = seal_live(t, c, err);
		return rc == TF_OK ? seal_attestation(t, c, &row, err) : rc;
	}
	if (row.attr.kind == TF_KIND_WORKFLOW) {
		rc = each_child(t->db, c->dir.id, count_open, &open, err);
		if (rc == TF_OK && open > 0)
			rc = tf_txn_batch(t, c->n + open + 1, err);
		if (rc == TF_OK)
			rc = seal_live(t, c, err);
		if (rc == TF_OK)
			rc = seal_open_attestations(t, c, err);
		if (rc != TF_OK)
			return rc;
	}
	return seal_parent(t, c, &row, err);
}

/* --- before and after ---------------------------------------------------------------- */

static bool
is_inside(const struct closing *c, const struct tf_live *l)
{
	if (l->attr.id == c->dir.id || l->unlinked)
		return false;
	return l->att == c->dir.id || l->wf == c->dir.id;
}

/* One look at a live node: is it below, and may it be sealed now? */
static void
look(void *arg, struct tf_live *l)
{
	struct closing *c = arg;
	void *p;

	if (!is_inside(c, l) || c->refused != TF_OK)
		return;
	if (l->writers > 0 || l->attr.kind == TF_KIND_ATTESTATION) {
		c->refused = TF_BUSY;
		(void)snprintf(c->why, sizeof(c->why), "%.50s", l->name);
		return;
	}
	if (l->failed != TF_OK) {
		c->refused = l->failed;
		(void)snprintf(c->why, sizeof(c->why), "%.50s", l->name);
		return;
	}
	if (l->job || (l->written && !tf_live_clean(l))) {
		c->wait = true;
		return;
	}
	if (c->n == c->cap) {
		c->cap = c->cap == 0 ? 64 : c->cap * 2;
		p = realloc(c->l, c->cap * sizeof(struct tf_live *));
		if (p == NULL) {
			c->refused = TF_NOMEM;
			return;
		}
		c->l = p;
	}
	c->l[c->n++] = l;
}

/* Claim everything below at once, when nobody is at work there.  mu held. */
static enum tf_code
claim_below(struct closing *c, struct tf_error *err)
{
	struct tf_vault *v = c->v;

	for (;;) {
		/* While we waited it may have been taken away. */
		if (c->r->new_name != NULL &&
		    (c->draft = tf_live_get(&v->live, c->r->id)) == NULL)
			return tf_fail(err, TF_NOTFOUND, "it is gone");
		c->n = 0;
		c->wait = false;
		tf_live_each(&v->live, look, c);
		if (c->refused != TF_OK)
			return tf_fail(err, c->refused, "%s below: %s",
			    c->refused == TF_BUSY ? "being written" :
			    "not on disk", c->why);
		if (!c->wait && (c->draft == NULL || !c->draft->job))
			break;
		pthread_cond_wait(&v->changed, &v->mu);
	}
	for (size_t i = 0; i < c->n; i++) {
		tf_live_ref(c->l[i]);
		c->l[i]->job = true;
	}
	tf_live_sort(c->l, c->n);
	if (c->draft != NULL) {
		tf_live_ref(c->draft);
		c->draft->job = true;
	}
	return TF_OK;
}

/* One seal of a directory at a time, also of those above and below it. */
static bool
closing_now(const struct tf_vault *v)
{
	return v->closing != NULL;
}

/* What is to be sealed, and may this caller?  mu held. */
static enum tf_code
check_request(struct closing *c, struct tf_db *db, struct tf_error *err)
{
	const struct tf_seal_request *r = c->r;
	enum tf_code rc = tf_attr_of(c->v, db, r->id, &c->dir, err);

	if (rc != TF_OK)
		return rc;
	if (c->dir.kind < TF_KIND_TRAIL || c->dir.kind > TF_KIND_ATTESTATION)
		return tf_fail(err, TF_DENIED,
		    "only trails, workflows and attestations are sealed");
	if (r->who != NULL && r->who->uid != 0 && r->who->uid != c->dir.uid)
		return tf_fail(err, TF_DENIED,
		    "only its owner or root may seal it");
	c->draft = tf_live_get(&c->v->live, r->id);
	if (c->draft != NULL && r->new_name == NULL)
		return tf_fail(err, TF_DENIED,
		    "a draft attestation is sealed by renaming it");
	if (c->draft == NULL && r->new_name != NULL)
		return tf_fail(err, TF_BUSY, "it is no draft any more");
	return TF_OK;
}

/* The draft takes its new name in memory, so that paths come out right. */
static void
take_name(struct closing *c, const char *name)
{
	memcpy(c->old_name, c->draft->name, sizeof(c->old_name));
	tf_live_rename(&c->v->live, c->draft, c->draft->attr.parent, name,
	    strlen(name));
}

static enum tf_code
close_claimed(struct closing *c, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (size_t i = 0; rc == TF_OK && i < c->n; i++)
		rc = tf_seal_prepare(c->l[i], err);
	return rc == TF_OK ? tf_commit_wait(c->v->commit, closing_run, c,
	    err) : rc;
}

/* mu held. */
static void
after(struct closing *c, enum tf_code rc)
{
	struct tf_vault *v = c->v;

	for (size_t i = 0; i < c->n; i++) {
		if (rc == TF_OK && c->l[i]->attr.state != TF_STATE_SEALED)
			tf_seal_settle(v, c->l[i]);
		tf_live_unclaim(v, c->l[i]);
	}
	if (c->draft == NULL)
		return;
	if (rc == TF_OK) {
		c->draft->attr.state = TF_STATE_SEALED;
		if (tf_live_remove(&v->live, c->draft))
			tf_live_unref(c->draft);	/* the table's */
	} else {
		tf_live_rename(&v->live, c->draft, c->draft->attr.parent,
		    c->old_name, strlen(c->old_name));
	}
	tf_live_unclaim(v, c->draft);
}

enum tf_code
tf_seal_dir(struct tf_vault *v, const struct tf_seal_request *r,
    struct tf_error *err)
{
	struct closing c = { .v = v, .r = r };
	struct tf_closing mark = { .id = r->id };
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_vault_writable(v, err)) != TF_OK ||
	    (r->who != NULL &&
	    (rc = tf_actor_text(r->who, &c.actor, err)) != TF_OK) ||
	    (rc = tf_reader_db(v, &db, err)) != TF_OK) {
		free(c.actor);
		return rc;
	}
	pthread_mutex_lock(&v->mu);
	while (closing_now(v))
		pthread_cond_wait(&v->changed, &v->mu);
	v->closing = &mark;
	rc = check_request(&c, db, err);
	if (rc == TF_OK && c.dir.state != TF_STATE_SEALED &&
	    (rc = claim_below(&c, err)) == TF_OK) {
		if (c.draft != NULL)
			take_name(&c, r->new_name);
		pthread_mutex_unlock(&v->mu);
		rc = close_claimed(&c, err);
		pthread_mutex_lock(&v->mu);
		after(&c, rc);
	}
	v->closing = NULL;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->mu);
	tf_reader_done(v, db);
	free(c.actor);
	free(c.l);
	return rc;
}

enum tf_code
tf_vault_seal(struct tf_vault *v, uint64_t id, const struct tf_actor *who,
    struct tf_error *err)
{
	struct tf_seal_request r = { .id = id, .who = who };

	return tf_seal_dir(v, &r, err);
}
