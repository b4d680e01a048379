/*
 * The member compliance_status of a workflow: see compliance_json.h.
 *
 * The judgement is made elsewhere (compliance.c and ledger/status.h); this file
 * only writes it, with Kosli's keys and our own, in the order of their names.
 * Each item is written from one entry that is read for it, so the length of the
 * list costs time but no memory.
 */
#include "compliance_json.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../ledger/entry.h"
#include "../ledger/name.h"
#include "../ledger/status.h"
#include "../ledger/status_words.h"
#include "../node/attr.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "entry_json.h"
#include "readable.h"
#include "template.h"
#include "workflow.h"

/* --- the state of one slot ------------------------------------------------ */

struct item {
	struct tf_view *w;
	const struct tf_judgement *f;
	const struct tf_att *a; /* that decides, or NULL */
	struct tf_loaded_entry seal, other;
	/* Reason of its override, and for whom it was recorded, if the asker may
	 * read it. */
	struct tf_buf reason, behalf;
};

/* The number N of "NAME@N"; a name without one is version 1. */
static unsigned
version_of(const struct tf_reported *r)
{
	unsigned version;

	(void)tf_name_version(r->name.p, r->name.n, &version);
	return version;
}

/* Write the leaf hash of an entry, by which others can find it in the log. */
static void
put_leaf(struct tf_json *j, const char *key, const struct tf_loaded_entry *t)
{
	struct tf_hash leaf;

	tf_entry_leaf(t->text.p, t->text.n, &leaf);
	tf_put_hash(j, key, &leaf);
}

/* The id of an attestation is the leaf hash of its newest entry: its override,
 * its seal, or the one that began it. */
static enum tf_code
put_id(struct item *x, struct tf_json *j, struct tf_error *err)
{
	uint64_t seq = x->a == NULL	? TF_NO_SEQ :
	    x->a->override != TF_NO_SEQ ? x->a->override :
	    x->seal.is			? TF_NO_SEQ :
					  x->a->begun;
	enum tf_code rc = tf_loaded_entry_try(x->w, seq, &x->other, NULL, err);

	if (x->other.is || x->seal.is) {
		put_leaf(j, "attestation_id",
		    x->other.is ? &x->other : &x->seal);
	} else {
		tf_json_key(j, "attestation_id");
		tf_json_null(j);
	}
	return rc;
}

/* Write the reason in words, for people, only where the status needs one;
 * programs read `cause`. */
static void
put_why(struct tf_json *j, const struct tf_status_item *m)
{
	struct tf_buf why = { 0 };

	if (m->cause == TF_CAUSE_NONE && !m->overdue)
		return;
	tf_status_why(m, &why);
	tf_json_key(j, "why");
	tf_json_buf(j, &why);
	tf_buf_free(&why);
}

/* What the template asks for beyond a name and a type. */
static void
put_count(struct tf_json *j, const struct tf_slot *slot)
{
	if (slot == NULL)
		return;
	if (slot->control.p != NULL)
		tf_put_str(j, "control", slot->control);
	if (slot->count > 1)
		tf_put_uint(j, "count", slot->count);
}

/* Write the end of the time that the template gives, counted from the first
 * entry of the workflow. */
static void
put_deadline(struct tf_json *j, const struct tf_judgement *f,
    const struct tf_slot *slot)
{
	struct tf_time at = f->begun.d.e.at;

	if (slot == NULL || slot->deadline_s == 0)
		return;
	at.s += (int64_t)slot->deadline_s;
	tf_put_time(j, "deadline", at);
}

/* Write the override of an attestation.  It takes over the id, so the id before
 * is kept beside it; Kosli has null for none. */
static void
put_override(struct tf_json *j, const struct item *x)
{
	const bool is = x->seal.is && x->a->override != TF_NO_SEQ;

	if (is) {
		tf_put_uint(j, "overridden", x->a->override);
		put_leaf(j, "overridden_attestation_id", &x->seal);
	} else {
		tf_json_key(j, "overridden_attestation_id");
		tf_json_null(j);
	}
	if (is && x->reason.n > 0) {
		tf_json_key(j, "override_reason");
		tf_json_buf(j, &x->reason);
	}
}

/* Write the members from "cause" to "why".  is_compliant is null as long as the
 * slot is MISSING: false would say that a check failed.  It is also null for what
 * is damaged: nobody can say whether it is. */
static void
put_verdict(struct tf_json *j, const struct item *x,
    const struct tf_status_item *m)
{
	const struct tf_slot *slot = m->slot;

	if (m->cause != TF_CAUSE_NONE)
		tf_put_cstr(j, "cause", tf_cause_word(m->cause));
	put_count(j, slot);
	put_deadline(j, x->f, slot);
	if (x->seal.is) {
		/* By whom and when is for readers of the attestation. */
		if (x->seal.d.e.imported.p != NULL)
			tf_put_bool(j, "imported", true);
		tf_put_uint(j, "index", x->a->seal);
	}
	tf_json_key(j, "is_compliant");
	if (m->judged)
		tf_json_bool(j, m->compliant);
	else
		tf_json_null(j);
	tf_put_bool(j, "late", m->cause == TF_CAUSE_LATE);
	if (x->behalf.n > 0) {
		tf_json_key(j, "on_behalf_of");
		tf_json_buf(j, &x->behalf);
	}
	if (m->open != SIZE_MAX)
		tf_put_uint(j, "open", version_of(&x->f->r[m->open]));
	if (slot != NULL && slot->optional)
		tf_put_bool(j, "optional", true);
	tf_put_bool(j, "overdue", m->overdue);
	put_override(j, x);
	if (x->seal.is) {
		tf_put_time(j, "reported_at", x->seal.d.e.at);
		tf_put_clock(j, "reported_clock", &x->seal.d.e);
	}
	tf_put_cstr(j, "status", tf_item_word(m->state));
	if (slot != NULL && slot->count > 1)
		tf_put_uint(j, "sufficient", m->sufficient);
	tf_put_bool(j, "unexpected", m->unexpected);
	if (m->reported)
		tf_put_uint(j, "version", version_of(&x->f->r[m->decides]));
	put_why(j, m);
}

static enum tf_code
read_behalf(struct item *x, struct tf_error *err)
{
	bool may = false;
	enum tf_code rc = TF_OK;

	if (x->seal.is && x->seal.d.e.claims.p != NULL)
		rc = tf_may_read(x->w, x->a->id, &may, err);
	return rc == TF_OK && may ? tf_behalf(&x->seal, &x->behalf, err) : rc;
}

/* Write what the template asks for, or somebody reported, under this name. */
static enum tf_code
put_item(struct item *x, struct tf_json *j, const struct tf_status_item *m,
    struct tf_str name, struct tf_error *err)
{
	static const struct tf_str generic = { "generic", 7 };
	enum tf_code rc = tf_workflow_deciding(x->w, x->f, m, &x->a, &x->seal,
	    err);

	x->reason.n = x->behalf.n = 0;
	if (rc == TF_OK)
		rc = tf_workflow_reason(x->w, x->a, &x->reason, err);
	if (rc == TF_OK)
		rc = read_behalf(x, err);
	if (rc != TF_OK)
		return rc;
	tf_json_object(j);
	if ((rc = put_id(x, j, err)) != TF_OK)
		return rc;
	tf_put_str(j, "attestation_name", name);
	tf_put_str(j, "attestation_type", m->type.p ? m->type : generic);
	put_verdict(j, x, m);
	tf_json_object_end(j);
	return TF_OK;
}

/* The name of an attestation in the list of its artifact: what follows
 * "ARTIFACT." there. */
static struct tf_str
name_in(struct tf_str name, const struct tf_str *artifact)
{
	return artifact == NULL ? name :
				  (struct tf_str){ name.p + artifact->n + 1,
					  name.n - artifact->n - 1 };
}

static bool
is_of(const struct tf_status_item *m, const struct tf_str *artifact)
{
	return artifact == NULL ||
	    (m->slot != NULL && tf_str_same(m->slot->artifact, *artifact));
}

/* Canonical JSON has no empty list, and an artifact may ask for nothing. */
static bool
has_items(const struct tf_status *s, const struct tf_str *artifact)
{
	for (size_t i = 0; i < s->n; i++)
		if (is_of(&s->items[i], artifact))
			return true;
	return false;
}

/* Write the list of the workflow (artifact NULL), or of one artifact, in the
 * order of the judgement, in pieces, since a workflow may have very many
 * attestations. */
static enum tf_code
put_items(struct tf_view *w, struct tf_json *j, const struct tf_judgement *f,
    const struct tf_str *artifact, const struct tf_sink *out,
    struct tf_error *err)
{
	struct item x = { .w = w, .f = f };
	enum tf_code rc = TF_OK;

	if (!has_items(&f->status, artifact))
		return TF_OK;
	tf_json_key(j, "attestations_statuses");
	tf_json_array(j);
	for (size_t i = 0; rc == TF_OK && i < f->status.n; i++) {
		const struct tf_status_item *m = &f->status.items[i];

		if (!is_of(m, artifact))
			continue;
		rc = put_item(&x, j, m, name_in(m->name, artifact), err);
		if (rc == TF_OK && j->out->n >= TF_STATUS_PIECE)
			rc = tf_json_drain(j, out, err);
	}
	tf_json_array_end(j);
	tf_loaded_entry_free(&x.seal);
	tf_loaded_entry_free(&x.other);
	tf_buf_free(&x.reason);
	tf_buf_free(&x.behalf);
	return rc;
}

/* --- artifacts -------------------------------------------------------------- */

static int
by_text(const void *a, const void *b)
{
	return tf_str_cmp(*(const struct tf_str *)a, *(const struct tf_str *)b);
}

/* Write when and by which template it was judged, the same for all parts. */
static void
put_evaluated(struct tf_json *j, const struct tf_judgement *f)
{
	tf_put_seconds_after(j, "evaluated_at", f->status.at);
	if (f->template != NULL)
		tf_put_hash(j, "flow_template_id", &f->template->sha256);
}

/* Write the state of one artifact; null if nothing was reported for it, as in
 * put_verdict(). */
static enum tf_code
put_artifact(struct tf_view *w, struct tf_json *j, const struct tf_judgement *f,
    struct tf_str name, const struct tf_sink *out, struct tf_error *err)
{
	char key[256];
	enum tf_compliance word;
	bool any = tf_status_artifact(&f->status, name, &word);
	enum tf_code rc;

	if (name.n >= sizeof(key)) {
		j->failed = true; /* a name is shorter */
		return TF_OK;
	}
	memcpy(key, name.p, name.n);
	key[name.n] = '\0';
	tf_json_key(j, key);
	tf_json_object(j);
	rc = put_items(w, j, f, &name, out, err);
	put_evaluated(j, f);
	tf_json_key(j, "is_compliant");
	if (any)
		tf_json_bool(j, word == TF_COMPLIANT);
	else
		tf_json_null(j);
	tf_put_cstr(j, "status", any ? tf_compliance_word(word) : "MISSING");
	tf_put_bool(j, "unexpected", false);
	tf_json_object_end(j);
	return rc;
}

/* The names of artifacts are keys here, and keys must be in order; the template
 * may have any order. */
static enum tf_code
put_artifacts(struct tf_view *w, struct tf_json *j,
    const struct tf_judgement *f, const struct tf_sink *out,
    struct tf_error *err)
{
	const struct tf_strs *names;
	struct tf_str *sorted;
	enum tf_code rc = TF_OK;

	if (f->template == NULL || f->template->t.artifacts.n == 0)
		return TF_OK;
	names = &f->template->t.artifacts;
	if ((sorted = calloc(names->n, sizeof(*sorted))) == NULL)
		return tf_nomem(err);
	memcpy(sorted, names->p, names->n * sizeof(*sorted));
	qsort(sorted, names->n, sizeof(*sorted), by_text);
	tf_json_key(j, "artifacts_statuses");
	tf_json_object(j);
	for (size_t i = 0; rc == TF_OK && i < names->n; i++)
		rc = put_artifact(w, j, f, sorted[i], out, err);
	tf_json_object_end(j);
	free(sorted);
	return rc;
}

/* --- compliance_status ------------------------------------------------------ */

/* Write the status word if only sealed attestations count: it does not depend
 * on claims that may still change. */
static enum tf_code
put_sealed_word(struct tf_json *j, const struct tf_judgement *f,
    struct tf_error *err)
{
	struct tf_status s;
	enum tf_code rc = tf_judgement_judge(f, true, &s, err);

	if (rc != TF_OK)
		return rc;
	tf_put_cstr(j, "status_of_sealed", tf_compliance_word(s.word));
	tf_status_free(&s);
	return TF_OK;
}

enum tf_code
tf_put_compliance(struct tf_view *w, struct tf_json *j,
    const struct tf_judgement *f, const struct tf_sink *out,
    struct tf_error *err)
{
	enum tf_code rc;

	tf_json_key(j, "compliance_status");
	tf_json_object(j);
	if ((rc = put_artifacts(w, j, f, out, err)) != TF_OK ||
	    (rc = put_items(w, j, f, NULL, out, err)) != TF_OK)
		return rc;
	tf_put_time(j, "evaluated", f->status.at);
	put_evaluated(j, f);
	tf_put_bool(j, "is_compliant", f->status.word == TF_COMPLIANT);
	tf_put_cstr(j, "status", tf_compliance_word(f->status.word));
	rc = put_sealed_word(j, f, err);
	tf_json_object_end(j);
	return rc;
}
