/* The judgement of a workflow, from the claims of its attestations and their
 * overrides: see compliance.h. */
#include <stdlib.h>

#include "../ledger/entry.h"
#include "../ledger/status.h"
#include "../node/children.h"
#include "../store/nodes.h"
#include "compliance.h"
#include "events.h"
#include "view.h"

void
tf_judgement_free(struct tf_judgement *f)
{
	free(f->a);
	free(f->r);
	tf_buf_free(&f->strings);
	tf_status_free(&f->status);
	*f = (struct tf_judgement){ 0 };
}

/* --- overrides ------------------------------------------------------------- */

struct override {
	uint64_t target, seq;
	bool compliant;
};

struct overrides {
	struct override *o; /* in the order of the ledger */
	size_t n;
};

/* Read all overrides of attestations at or below directory id. */
static enum tf_code
read_overrides(struct tf_view *w, uint64_t id, struct overrides *out,
    struct tf_error *err)
{
	struct tf_seqs seqs = { 0 };
	struct tf_loaded_entry t = { 0 };
	enum tf_code rc = tf_view_collect(w, id, 0, true, &seqs, err);

	*out = (struct overrides){ .o = calloc(seqs.n + 1, sizeof(*out->o)) };
	if (rc == TF_OK && out->o == NULL)
		rc = tf_nomem(err);
	for (size_t i = 0; rc == TF_OK && i < seqs.n; i++) {
		if ((rc = tf_loaded_entry_read(w, seqs.p[i], &t, err)) != TF_OK)
			break;
		if (t.d.e.type != TF_ATTESTATION_OVERRIDDEN)
			continue;
		out->o[out->n++] = (struct override){ t.d.e.target, seqs.p[i],
			t.d.e.compliant };
	}
	tf_loaded_entry_free(&t);
	tf_seqs_free(&seqs);
	return rc;
}

/* The last override of target, or NULL. */
static const struct override *
last_override(const struct overrides *all, uint64_t target)
{
	const struct override *last = NULL;

	for (size_t i = 0; i < all->n; i++)
		if (all->o[i].target == target)
			last = &all->o[i];
	return last;
}

enum tf_code
tf_override_of(struct tf_view *w, uint64_t id, uint64_t seal, uint64_t *seq,
    struct tf_error *err)
{
	const struct override *o = NULL;
	struct overrides all;
	enum tf_code rc = read_overrides(w, id, &all, err);

	if (rc == TF_OK && seal != TF_NO_SEQ)
		o = last_override(&all, seal);
	*seq = o != NULL ? o->seq : TF_NO_SEQ;
	free(all.o);
	return rc;
}

/* --- reports ----------------------------------------------------------------- */

/* Find out whether the member `compliant` of the JSON object is false. */
static enum tf_code
says_no(struct tf_str raw, bool *no, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc;
	int t;

	if (raw.p == NULL)
		return TF_OK;
	if ((rc = tf_json_parse(&d, raw.p, raw.n, err)) != TF_OK)
		return rc;
	t = tf_json_get(&d, 0, "compliant");
	if (t >= 0 && d.tok[t].type == TF_JSON_BOOL && d.tok[t].num == 0)
		*no = true;
	tf_json_doc_free(&d);
	return TF_OK;
}

/* Copy a string to f->strings.  Its p is an offset until all strings are
 * copied, because the buffer moves as it grows. */
static struct tf_str
keep(struct tf_judgement *f, const char *p, size_t n)
{
	struct tf_str s = { (const char *)f->strings.n + 1, n };

	tf_buf_add(&f->strings, p, n);
	return s;
}

enum tf_code
tf_denied(const struct tf_entry *seal, bool *denied, struct tf_error *err)
{
	enum tf_code rc;

	*denied = false;
	rc = says_no(seal->claims, denied, err);
	return rc != TF_OK ? rc : says_no(seal->evaluated, denied, err);
}

static enum tf_code
read_claims(struct tf_judgement *f, struct tf_reported *r,
    const struct tf_entry *e, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_str type;
	enum tf_code rc = says_no(e->claims, &r->denied, err);

	r->evaluated = e->evaluated.p != NULL;
	if (rc == TF_OK)
		rc = says_no(e->evaluated, &r->failed, err);
	if (rc != TF_OK || e->claims.p == NULL)
		return rc;
	if ((rc = tf_json_parse(&d, e->claims.p, e->claims.n, err)) != TF_OK)
		return rc;
	type = tf_json_text(&d, tf_json_get(&d, 0, "type"));
	if (type.p != NULL && type.n > 2) /* quotes; nothing to unescape */
		r->type = keep(f, type.p + 1, type.n - 2);
	tf_json_doc_free(&d);
	return TF_OK;
}

struct reading {
	struct tf_view *w;
	struct tf_judgement *f;
	struct overrides all;
	struct tf_loaded_entry t;
};

static enum tf_code
grow_lists(struct tf_judgement *f, struct tf_error *err)
{
	size_t cap = f->cap == 0 ? 16 : f->cap * 2;
	void *a, *r;

	if (f->n < f->cap)
		return TF_OK;
	if ((a = reallocarray(f->a, cap, sizeof(*f->a))) != NULL)
		f->a = a;
	if ((r = reallocarray(f->r, cap, sizeof(*f->r))) != NULL)
		f->r = r;
	if (a == NULL || r == NULL)
		return tf_nomem(err);
	f->cap = cap;
	return TF_OK;
}

struct search {
	struct tf_db *db;
	bool found;
};

static enum tf_code
find_evidence(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct search *s = arg;
	enum tf_code rc = TF_OK;

	if (row->attr.kind == TF_KIND_EVIDENCE)
		s->found = true;
	else
		rc = tf_each_child(s->db, row->attr.id, find_evidence, s, err);
	return s->found ? TF_NODATA : rc; /* ends the walk */
}

/* Find out whether a file of attestation id is in the ledger. */
static enum tf_code
has_evidence(struct tf_db *db, uint64_t id, bool *found, struct tf_error *err)
{
	struct search s = { .db = db };
	enum tf_code rc = tf_each_child(db, id, find_evidence, &s, err);

	*found = s.found;
	return s.found ? TF_OK : rc;
}

static enum tf_code
add_attestation(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct reading *x = arg;
	struct tf_judgement *f = x->f;
	const struct override *o = NULL;
	struct tf_reported *r;
	enum tf_code rc;

	if ((rc = grow_lists(f, err)) != TF_OK)
		return rc;
	r = &f->r[f->n];
	*r = (struct tf_reported){ .name = keep(f, row->name, row->name_len),
		.sealed = row->seal != TF_NO_SEQ };
	if (r->sealed) {
		o = last_override(&x->all, row->seal);
		rc = tf_loaded_entry_read(x->w, row->seal, &x->t, err);
		if (rc == TF_OK)
			rc = read_claims(f, r, &x->t.d.e, err);
	} else {
		rc = has_evidence(x->w->db, row->attr.id, &r->has_evidence,
		    err);
	}
	r->overridden = o != NULL;
	r->override = o != NULL && o->compliant;
	f->a[f->n++] = (struct tf_att){ row->attr.id, row->entry, row->seal,
		o != NULL ? o->seq : TF_NO_SEQ };
	return rc;
}

static void
find_strings(const struct tf_judgement *f, struct tf_str *s)
{
	if (s->p != NULL)
		s->p = f->strings.p + (size_t)s->p - 1;
}

enum tf_code
tf_judgement_read(struct tf_view *w, uint64_t workflow,
    struct tf_judgement *out, struct tf_error *err)
{
	struct reading x = { .w = w, .f = out };
	enum tf_code rc = read_overrides(w, workflow, &x.all, err);

	if (rc == TF_OK)
		rc = tf_each_child(w->db, workflow, add_attestation, &x, err);
	free(x.all.o);
	tf_loaded_entry_free(&x.t);
	if (rc == TF_OK && out->strings.failed)
		rc = tf_nomem(err);
	if (rc != TF_OK)
		return rc;
	for (size_t i = 0; i < out->n; i++) {
		find_strings(out, &out->r[i].name);
		find_strings(out, &out->r[i].type);
	}
	return tf_judgement_judge(out, false, &out->status, err);
}

enum tf_code
tf_judgement_judge(const struct tf_judgement *f, bool sealed_only,
    struct tf_status *out, struct tf_error *err)
{
	const struct tf_case c = { .reports = f->r,
		.n = f->n,
		.sealed_only = sealed_only };

	return tf_status_judge(&c, out, err);
}

struct tf_tally
tf_judgement_tally(const struct tf_judgement *f)
{
	struct tf_tally t = { 0 };

	for (size_t i = 0; i < f->status.n; i++) {
		const struct tf_status_item *m = &f->status.items[i];

		t.lacking += m->lacking;
		t.open += m->open != SIZE_MAX;
		t.spoiled += m->reported && !m->compliant;
	}
	return t;
}
