/*
 * What the ledger says of one attestation, for a judgement: see reports.h.
 *
 * Rows of the node table say which entries to read, and the entries say the
 * facts.  Only the claims of an attestation that is still open have no entry yet
 * and come from their row.
 *
 * A record that cannot be read does not end the reading.  It is noted, and what
 * depends on it is marked as damaged, so that the judgement says so and is never
 * better than it would be with that record.
 */
#include "reports.h"

#include <stdlib.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../ledger/entry.h"
#include "../ledger/evaluated.h"
#include "../node/children.h"
#include "../store/nodes.h"
#include "claimed.h"
#include "compliance.h"
#include "template.h"
#include "updates.h"

/* --- damage ------------------------------------------------------------------- */

enum tf_code
tf_reading_damage(struct tf_reading *x, uint64_t seq, bool *damaged,
    const struct tf_error *why, struct tf_error *err)
{
	enum tf_code rc = tf_damage_note(x->w, &x->f->damage, seq, why, err);

	*damaged = *damaged || rc == TF_OK;
	return rc;
}

enum tf_code
tf_reading_entry(struct tf_reading *x, uint64_t seq, enum tf_entry_kind type,
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
	return tf_reading_damage(x, seq, damaged, &why, err);
}

/* --- the workflow -------------------------------------------------------------- */

enum tf_code
tf_reading_workflow(struct tf_reading *x, const struct tf_node_row *row,
    struct tf_error *err)
{
	struct tf_judgement *f = x->f;
	const struct tf_entry *e = &f->begun.d.e;
	struct tf_error why = { 0 };
	uint64_t entry;
	enum tf_code rc = tf_reading_entry(x, row->entry, TF_WORKFLOW_BEGUN,
	    &f->begun, &f->damaged, err);

	if (rc == TF_OK && e->has_template &&
	    tf_view_template(x->w, row->attr.parent, e->template_version,
		&f->template, &entry, &why) != TF_OK)
		rc = tf_reading_damage(x, entry, &f->damaged, &why, err);
	return rc;
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
read_begun(struct tf_reading *x, const struct tf_node_row *row,
    struct tf_reported *r, struct tf_error *err)
{
	enum tf_code rc = tf_reading_entry(x, row->entry, TF_ATTESTATION_BEGUN,
	    &x->t, &r->damaged, err);

	if (rc != TF_OK || !x->t.is)
		return rc;
	r->begun = (struct tf_moment){ row->entry, x->t.d.e.at };
	return use_actor(x->f, r, x->t.d.e.actor, err);
}

/* Take what the seal says.  After the seal the row of claims has no weight: the
 * entry holds a copy of the claims, and only the entry is in the ledger. */
static enum tf_code
read_seal(struct tf_reading *x, const struct tf_node_row *row,
    struct tf_reported *r, struct tf_error *err)
{
	struct tf_json_doc claims = { 0 };
	struct tf_evaluated_field found;
	const struct tf_entry *e = &x->t.d.e;
	struct tf_error why = { 0 };
	enum tf_code rc = tf_reading_entry(x, row->seal, TF_ATTESTATION_SEALED,
	    &x->t, &r->damaged, err);

	if (rc != TF_OK || !x->t.is)
		return rc;
	if (tf_evaluated_read(e->evaluated, &found, &why) != TF_OK)
		return tf_reading_damage(x, row->seal, &r->damaged, &why, err);
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
read_open_claims(struct tf_reading *x, uint64_t id, struct tf_reported *r,
    struct tf_error *err)
{
	struct tf_claimed c = { 0 };
	struct tf_error why = { 0 };
	enum tf_code rc = tf_claimed_read(x->w, id, &c, &why);

	if (rc != TF_OK)
		rc = tf_reading_damage(x, TF_NO_SEQ, &r->damaged, &why, err);
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
read_evidence(struct tf_reading *x, uint64_t id, struct tf_reported *r,
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
		rc = tf_reading_entry(x, s.seq, TF_EVIDENCE_SEALED, &x->t,
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
read_report(struct tf_reading *x, const struct tf_node_row *row,
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

void
tf_raise_time(struct tf_time *to, struct tf_time t)
{
	if (tf_time_cmp(*to, t) < 0)
		*to = t;
}

void
tf_reading_change(struct tf_reading *x, const struct tf_attr *a)
{
	tf_raise_time(&x->f->modified, a->mtime);
	tf_raise_time(&x->f->modified, a->ctime);
}

enum tf_code
tf_reading_report(struct tf_reading *x, const struct tf_node_row *row,
    struct tf_error *err)
{
	struct tf_judgement *f = x->f;
	const struct tf_update *o = NULL;
	struct tf_reported *r;
	enum tf_code rc;

	if ((rc = grow_lists(f, err)) != TF_OK)
		return rc;
	tf_reading_change(x, &row->attr);
	r = &f->r[f->n];
	*r = (struct tf_reported){
		.name = keep(f, (struct tf_str){ row->name, row->name_len }),
		.sealed = row->seal != TF_NO_SEQ
	};
	if (r->sealed)
		o = tf_reading_override(x, row->seal);
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

enum tf_code
tf_reading_end(struct tf_reading *x, struct tf_error *err)
{
	struct tf_judgement *f = x->f;
	enum tf_code rc = tf_buf_end(&f->strings, err);

	tf_reading_free(x);
	if (rc != TF_OK)
		return rc;
	for (size_t i = 0; i < f->n; i++) {
		find_strings(f, &f->r[i].name);
		find_strings(f, &f->r[i].type);
		find_strings(f, &f->r[i].who.user);
		find_strings(f, &f->r[i].who.group);
	}
	return TF_OK;
}

void
tf_reading_free(struct tf_reading *x)
{
	tf_loaded_entry_free(&x->t);
	free(x->by_target);
	x->by_target = NULL;
}
