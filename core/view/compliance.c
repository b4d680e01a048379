/*
 * The judgement of a workflow, from its template and the claims, seals and
 * overrides of its attestations: see compliance.h.
 *
 * This file only gathers facts; the rules are in tf_status_judge, which knows
 * no database.  The facts are: the template version in force when the workflow
 * began; for each attestation its first entry, its seal with claims and
 * evaluation, its last override and its first evidence in the ledger; and the
 * present time.  Rows of the node table say which entries to read, and the
 * entries say the facts.  Only the claims of an attestation that is still open
 * have no entry yet and come from their row.
 *
 * A record that cannot be read does not end the reading.  It is noted, and what
 * depends on it is marked as damaged, so that the judgement says so and is never
 * better than it would be with that record.
 *
 * The present is never before the newest entry of the view.  The next entry
 * could not get an earlier time either, so a clock that was set back cannot
 * make a missed deadline look as if it were still open.
 */
#include "compliance.h"

#include <stdlib.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../ledger/entry.h"
#include "../ledger/evaluated.h"
#include "../node/children.h"
#include "../node/unindexed.h"
#include "../store/nodes.h"
#include "claimed.h"
#include "events.h"
#include "template.h"

void
tf_judgement_free(struct tf_judgement *f)
{
	tf_loaded_entry_free(&f->begun);
	free(f->a);
	free(f->r);
	free(f->updates);
	tf_buf_free(&f->strings);
	tf_damage_free(&f->damage);
	tf_status_free(&f->status);
	*f = (struct tf_judgement){ 0 };
}

/* --- entries that no row names ---------------------------------------------- */

struct reading {
	struct tf_view *w;
	struct tf_judgement *f;
	struct tf_loaded_entry t;
};

/* Note what could not be read, and set *damaged. */
static enum tf_code
note_damage(struct reading *x, uint64_t seq, bool *damaged,
    const struct tf_error *why, struct tf_error *err)
{
	enum tf_code rc = tf_damage_note(x->w, &x->f->damage, seq, why, err);

	*damaged = *damaged || rc == TF_OK;
	return rc;
}

/* Read entry seq, which a row says is of that type, to *t.  It is empty if it
 * cannot be read. */
static enum tf_code
read_entry(struct reading *x, uint64_t seq, enum tf_entry_kind type,
    struct tf_loaded_entry *t, bool *damaged, struct tf_error *err)
{
	struct tf_error why = { 0 };
	enum tf_code rc = tf_loaded_entry_try(x->w, seq, t, &x->f->damage, err);

	*damaged = *damaged || t->damaged;
	if (rc != TF_OK || !t->is || t->d.e.type == type)
		return rc;
	tf_loaded_entry_free(t);
	t->damaged = true;
	(void)tf_fail(&why, TF_TAMPER, "entry %llu is no %s any more",
	    (unsigned long long)seq, tf_type_name(type));
	return note_damage(x, seq, damaged, &why, err);
}

/* Keep the entries that can change a judgement after the fact: overrides of a
 * seal, and claims about the workflow itself. */
static void
note_entry(struct tf_judgement *f, const struct tf_entry *e)
{
	struct tf_update u = { e->seq, TF_NO_SEQ, e->at, e->compliant };

	if (e->type == TF_ATTESTATION_OVERRIDDEN)
		u.target = e->target;
	else if (e->type != TF_CLAIMS_SET ||
	    !tf_str_same(e->path, f->begun.d.e.path))
		return;
	f->updates[f->n_updates++] = u;
}

/* Read all updates of the workflow at once: one search of the ledger then
 * serves all attestations of the workflow. */
static enum tf_code
read_updates(struct reading *x, uint64_t workflow, struct tf_error *err)
{
	struct tf_seqs seqs = { 0 };
	enum tf_code rc = tf_view_collect(x->w, workflow, 0, true, &seqs, err);

	if (rc == TF_OK && seqs.n > 0) {
		x->f->updates = calloc(seqs.n, sizeof(*x->f->updates));
		if (x->f->updates == NULL)
			rc = tf_nomem(err);
	}
	for (size_t i = 0; rc == TF_OK && i < seqs.n; i++) {
		rc = tf_loaded_entry_try(x->w, seqs.p[i], &x->t, &x->f->damage,
		    err);
		if (rc == TF_OK && x->t.is)
			note_entry(x->f, &x->t.d.e);
		/* It may be the override of any attestation. */
		x->f->damaged = x->f->damaged || x->t.damaged;
	}
	tf_seqs_free(&seqs);
	return rc;
}

/* The last override of the seal target, or NULL. */
static const struct tf_update *
last_override(const struct tf_judgement *f, uint64_t target)
{
	const struct tf_update *last = NULL;

	for (size_t i = 0; i < f->n_updates; i++)
		if (f->updates[i].target == target)
			last = &f->updates[i];
	return last;
}

/* --- what entries say of a report -------------------------------------------- */

/* Copy a string to f->strings.  Its p is an offset until all strings are
 * copied, because the buffer moves as it grows. */
static struct tf_str
keep(struct tf_judgement *f, struct tf_str s)
{
	struct tf_str kept = { (const char *)(f->strings.n + 1), s.n };

	if (s.p == NULL)
		return s;
	tf_buf_add(&f->strings, s.p, s.n);
	return kept;
}

/* The string that a member of the outermost object has, copied.  The strings
 * that are read so hold nothing that JSON escapes. */
static struct tf_str
keep_member(struct tf_judgement *f, const struct tf_json_doc *d,
    const char *key)
{
	struct tf_str s = tf_json_text(d, tf_json_get(d, 0, key));

	if (s.p == NULL || s.n < 2)
		return (struct tf_str){ NULL, 0 };
	return keep(f, (struct tf_str){ s.p + 1, s.n - 2 });
}

/* Only an explicit false denies compliance; a claim that is absent does not. */
static void
use_claims(struct tf_judgement *f, struct tf_reported *r,
    const struct tf_json_doc *d)
{
	int t = tf_json_get(d, 0, "compliant");

	r->denied = t >= 0 && d->tok[t].num == 0;
	r->type = keep_member(f, d, "type");
}

/* Read who began an attestation: a template may say who may report.  An entry
 * of the daemon has no actor. */
static enum tf_code
use_actor(struct tf_judgement *f, struct tf_reported *r, struct tf_str actor,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc;

	if (actor.p == NULL)
		return TF_OK;
	if ((rc = tf_json_parse(&d, actor.p, actor.n, err)) != TF_OK)
		return rc;
	r->who.uid = (uint32_t)d.tok[tf_json_get(&d, 0, "uid")].num;
	r->who.gid = (uint32_t)d.tok[tf_json_get(&d, 0, "gid")].num;
	r->who.user = keep_member(f, &d, "user");
	r->who.group = keep_member(f, &d, "group");
	tf_json_doc_free(&d);
	return TF_OK;
}

/* Read when and by whom the attestation was begun. */
static enum tf_code
read_begun(struct reading *x, const struct tf_node_row *row,
    struct tf_reported *r, struct tf_error *err)
{
	enum tf_code rc = read_entry(x, row->entry, TF_ATTESTATION_BEGUN, &x->t,
	    &r->damaged, err);

	if (rc != TF_OK || !x->t.is)
		return rc;
	r->begun = (struct tf_moment){ row->entry, x->t.d.e.at };
	return use_actor(x->f, r, x->t.d.e.actor, err);
}

/* Take what the seal says.  After the seal the row of claims has no weight: the
 * entry holds a copy of the claims, and only the entry is in the ledger. */
static enum tf_code
read_seal(struct reading *x, const struct tf_node_row *row,
    struct tf_reported *r, struct tf_error *err)
{
	struct tf_json_doc claims = { 0 };
	struct tf_evaluated_field found;
	const struct tf_entry *e = &x->t.d.e;
	struct tf_error why = { 0 };
	enum tf_code rc = read_entry(x, row->seal, TF_ATTESTATION_SEALED, &x->t,
	    &r->damaged, err);

	if (rc != TF_OK || !x->t.is)
		return rc;
	if (tf_evaluated_read(e->evaluated, &found, &why) != TF_OK)
		return note_damage(x, row->seal, &r->damaged, &why, err);
	r->seal = (struct tf_moment){ row->seal, e->at };
	r->evaluated = found.is;
	r->failed = found.is && !found.compliant;
	if (e->claims.p == NULL)
		return TF_OK;
	if ((rc = tf_json_parse(&claims, e->claims.p, e->claims.n, err)) ==
	    TF_OK)
		use_claims(x->f, r, &claims);
	tf_json_doc_free(&claims);
	return rc;
}

/* An open attestation has no seal yet; its claims are those of the row, and
 * they may still change. */
static enum tf_code
read_open_claims(struct reading *x, uint64_t id, struct tf_reported *r,
    struct tf_error *err)
{
	struct tf_claimed c = { 0 };
	struct tf_error why = { 0 };
	enum tf_code rc = tf_claimed_read(x->w, id, &c, &why);

	if (rc != TF_OK)
		rc = note_damage(x, TF_NO_SEQ, &r->damaged, &why, err);
	else if (c.claims.p != NULL)
		use_claims(x->f, r, &c.doc);
	tf_claimed_free(&c);
	return rc;
}

/* --- evidence ------------------------------------------------------------------ */

struct search {
	struct tf_db *db;
	bool all;     /* find the first one, not any */
	uint64_t seq; /* TF_NO_SEQ: none yet */
};

/* Rows come in order of their id and not in order of their entries, so the
 * first evidence is known only after all rows. */
static enum tf_code
find_evidence(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct search *s = arg;

	if (row->attr.kind != TF_KIND_EVIDENCE)
		return tf_each_child(s->db, row->attr.id, find_evidence, s,
		    err);
	if (row->entry < s->seq)
		s->seq = row->entry;
	return s->all ? TF_OK : TF_NODATA; /* ends the walk */
}

/* Find the first file of attestation id that came into the ledger. */
static enum tf_code
read_evidence(struct reading *x, uint64_t id, struct tf_reported *r,
    struct tf_error *err)
{
	struct search s = { .db = x->w->db,
		.all = x->f->template != NULL && x->f->template->timed,
		.seq = TF_NO_SEQ };
	enum tf_code rc;

	/* Without deadlines and orders, only the seal of a sealed attestation
	 * matters. */
	if (r->sealed && !s.all)
		return TF_OK;
	rc = tf_each_child(s.db, id, find_evidence, &s, err);
	if (rc == TF_NODATA && s.seq != TF_NO_SEQ)
		rc = TF_OK;
	if (rc == TF_OK && s.seq != TF_NO_SEQ)
		rc = read_entry(x, s.seq, TF_EVIDENCE_SEALED, &x->t,
		    &r->damaged, err);
	if (rc != TF_OK || s.seq == TF_NO_SEQ || !x->t.is)
		return rc;
	r->has_evidence = true;
	r->evidence = (struct tf_moment){ s.seq, x->t.d.e.at };
	return TF_OK;
}

/* --- reports ----------------------------------------------------------------- */

static enum tf_code
grow_lists(struct tf_judgement *f, struct tf_error *err)
{
	size_t cap = f->cap;

	return tf_array_room(&f->a, f->n, &cap, sizeof(*f->a)) &&
		tf_array_room(&f->r, f->n, &f->cap, sizeof(*f->r)) ?
	    TF_OK :
	    tf_nomem(err);
}

/* Read only what the template needs: a trail may have very many sealed
 * attestations, and each entry is a read of its own. */
static enum tf_code
read_report(struct reading *x, const struct tf_node_row *row,
    struct tf_reported *r, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	/* That a sealed report began, and by whom, matters to templates only. */
	if (!r->sealed || x->f->template != NULL)
		rc = read_begun(x, row, r, err);
	if (rc == TF_OK)
		rc = r->sealed ? read_seal(x, row, r, err) :
				 read_open_claims(x, row->attr.id, r, err);
	return rc == TF_OK ? read_evidence(x, row->attr.id, r, err) : rc;
}

static void
raise_to(struct tf_time *to, struct tf_time t)
{
	if (tf_time_cmp(*to, t) < 0)
		*to = t;
}

/* Raise the time of the newest change, which status.json shows. */
static void
note_change(struct tf_judgement *f, const struct tf_attr *a)
{
	raise_to(&f->modified, a->mtime);
	raise_to(&f->modified, a->ctime);
}

/* Read one attestation of the workflow.  f->a has its entries and f->r what the
 * judgement needs, under the same index. */
static enum tf_code
add_attestation(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct reading *x = arg;
	struct tf_judgement *f = x->f;
	const struct tf_update *o = NULL;
	struct tf_reported *r;
	enum tf_code rc;

	if ((rc = grow_lists(f, err)) != TF_OK)
		return rc;
	note_change(f, &row->attr);
	r = &f->r[f->n];
	*r = (struct tf_reported){
		.name = keep(f, (struct tf_str){ row->name, row->name_len }),
		.sealed = row->seal != TF_NO_SEQ
	};
	if (r->sealed)
		o = last_override(f, row->seal);
	if (o != NULL) {
		r->overridden = true;
		r->override = o->compliant;
		r->overridden_at = o->at;
	}
	f->a[f->n++] = (struct tf_att){ row->attr.id, row->entry, row->seal,
		o != NULL ? o->seq : TF_NO_SEQ };
	return read_report(x, row, r, err);
}

/* Turn the offset that keep() left in s->p into a pointer.  The offset is one
 * too high, so that NULL still means "absent". */
static void
find_strings(const struct tf_judgement *f, struct tf_str *s)
{
	if (s->p != NULL)
		s->p = f->strings.p + (size_t)s->p - 1;
}

static void
find_all_strings(struct tf_judgement *f)
{
	for (size_t i = 0; i < f->n; i++) {
		find_strings(f, &f->r[i].name);
		find_strings(f, &f->r[i].type);
		find_strings(f, &f->r[i].who.user);
		find_strings(f, &f->r[i].who.group);
	}
}

/* --- the workflow -------------------------------------------------------------- */

/*
 * The entry of the workflow says which version of the template it is judged by.
 */
static enum tf_code
read_workflow(struct reading *x, const struct tf_node_row *row,
    struct tf_error *err)
{
	struct tf_judgement *f = x->f;
	const struct tf_entry *e = &f->begun.d.e;
	struct tf_error why = { 0 };
	uint64_t entry;
	enum tf_code rc = read_entry(x, row->entry, TF_WORKFLOW_BEGUN,
	    &f->begun, &f->damaged, err);

	if (rc == TF_OK && e->has_template &&
	    tf_view_template(x->w, row->attr.parent, e->template_version,
		&f->template, &entry, &why) != TF_OK)
		rc = note_damage(x, entry, &f->damaged, &why, err);
	return rc == TF_OK ? read_updates(x, row->attr.id, err) : rc;
}

/* Entries that are tried for the newest time: most of those before a damaged
 * one are whole. */
#define NOW_TRIES 64

/* A report would get a time after the newest entry, so the present is not
 * before it, even if the clock says so. */
static enum tf_code
read_now(struct tf_view *w, struct tf_loaded_entry *t, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (w->raised)
		return TF_OK;
	t->is = false;
	for (uint64_t i = 1;
	     rc == TF_OK && !t->is && i <= w->entries && i <= NOW_TRIES; i++)
		rc = tf_loaded_entry_try(w, w->entries - i, t, NULL, err);
	if (rc == TF_OK && t->is)
		raise_to(&w->now, t->d.e.at);
	w->raised = rc == TF_OK;
	return rc;
}

/* --- altered entries ----------------------------------------------------------- */

/* True if an attestation of the workflow was sealed before that entry. */
static bool
has_seal_before(const struct tf_judgement *f, uint64_t seq)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->a[i].seal < seq)
			return true;
	return false;
}

/* Mark what depends on an altered entry: one attestation, or the workflow. */
static enum tf_code
use_altered(void *arg, const struct tf_altered_entry *e, struct tf_error *err)
{
	struct reading *x = arg;
	struct tf_judgement *f = x->f;
	struct tf_error why = { 0 };
	bool *damaged = &f->damaged;

	if (!e->named && !has_seal_before(f, e->seals_before))
		return TF_OK;
	for (size_t i = 0; i < f->n; i++)
		if (f->a[i].id == e->attestation)
			damaged = &f->r[i].damaged;
	(void)tf_fail(&why, TF_TAMPER,
	    e->missing ? "entry %llu is missing%s" :
			 "entry %llu differs from its leaf in the log%s",
	    (unsigned long long)e->seq,
	    e->named ? "" : "; it may be an override of this workflow");
	return note_damage(x, e->seq, damaged, &why, err);
}

/* Updates are read before the attestations, which look for their overrides
 * among them. */
enum tf_code
tf_judgement_read(struct tf_view *w, const struct tf_node_row *workflow,
    struct tf_judgement *out, struct tf_error *err)
{
	struct reading x = { .w = w, .f = out };
	enum tf_code rc = read_workflow(&x, workflow, err);

	if (rc == TF_OK)
		rc = read_now(w, &x.t, err);
	out->now = w->now;
	note_change(out, &workflow->attr);
	for (size_t i = 0; i < out->n_updates; i++)
		raise_to(&out->modified, out->updates[i].at);
	if (rc == TF_OK)
		rc = tf_each_child(w->db, workflow->attr.id, add_attestation,
		    &x, err);
	if (rc == TF_OK)
		rc = tf_view_altered(w, workflow->attr.id, use_altered, &x,
		    err);
	tf_loaded_entry_free(&x.t);
	if (rc == TF_OK)
		rc = tf_buf_end(&out->strings, err);
	if (rc != TF_OK)
		return rc;
	find_all_strings(out);
	return tf_judgement_judge(out, false, &out->status, err);
}

/* The judgement may be made twice from the same facts: with and without
 * attestations that are still open. */
enum tf_code
tf_judgement_judge(const struct tf_judgement *f, bool sealed_only,
    struct tf_status *out, struct tf_error *err)
{
	const struct tf_case c = {
		.template = f->template != NULL ? &f->template->t : NULL,
		.reports = f->r,
		.n = f->n,
		.sealed_only = sealed_only,
		.damaged = f->damaged,
		.began = f->begun.d.e.at,
		.now = f->now,
	};

	return tf_status_judge(&c, out, err);
}

struct tf_tally
tf_judgement_tally(const struct tf_judgement *f)
{
	struct tf_tally t = { 0 };

	for (size_t i = 0; i < f->status.n; i++) {
		const struct tf_status_item *m = &f->status.items[i];

		t.lacking += m->lacking;
		t.overdue += m->overdue;
		t.open += m->open != SIZE_MAX;
		t.spoiled += m->reported && !m->compliant;
		t.damaged += m->state == TF_ITEM_DAMAGED;
	}
	return t;
}
