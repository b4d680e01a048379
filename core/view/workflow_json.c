/*
 * status.json of a workflow: the keys of Kosli's trail, and our own.
 *
 * A workflow here is a trail at Kosli, and a trail is a flow; the keys keep
 * Kosli's words, so that scripts written for it can read the file.  Keys are in
 * the order of their names.  `events` is a short history for such scripts; the
 * full one is events.jsonl.
 */
#include "workflow_json.h"

#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../ledger/status.h"
#include "../ledger/status_words.h"
#include "../node/attr.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "claimed_json.h"
#include "compliance_json.h"
#include "entry_json.h"
#include "protection.h"
#include "readable.h"
#include "redactions.h"
#include "template.h"
#include "workflow.h"

/* --- events ----------------------------------------------------------------- */

struct event {
	uint64_t seq;
	struct tf_time at;
	size_t report; /* SIZE_MAX: about the workflow itself */
	bool override;
};

static int
by_seq(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	return (x->seq > y->seq) - (x->seq < y->seq);
}

/* The attestation that an override is about: the entry of the override names a
 * seal. */
static size_t
report_sealed_by(const struct tf_judgement *f, uint64_t seal)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->a[i].seal == seal)
			return i;
	return SIZE_MAX;
}

/* Gather the events in the order of the ledger. */
static size_t
gather_events(const struct tf_judgement *f, struct event *e)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		if (f->status.verdicts[i].counts)
			e[n++] = (struct event){
				f->status.verdicts[i].since.seq,
				f->status.verdicts[i].since.at, i, false
			};
	for (size_t i = 0; i < f->n_updates; i++) {
		const struct tf_update *u = &f->updates[i];
		bool override = u->target != TF_NO_SEQ;
		size_t of = override ? report_sealed_by(f, u->target) :
				       SIZE_MAX;

		if (!override || of != SIZE_MAX)
			e[n++] = (struct event){ u->seq, u->at, of, override };
	}
	if (n > 1)
		qsort(e, n, sizeof(*e), by_seq);
	return n;
}

/* The newest two entries that set claims about the workflow. */
struct claims {
	struct tf_loaded_entry now, before;
};

/* Write what the newest of them changed: each claim with its new value, null if
 * it was removed. */
static void
put_changes(struct tf_json *j, const struct claims *c)
{
	static const char *const keys[][2] = { { "annotations", "annotations" },
		{ "description", "description" },
		{ "externalUrls", "external_urls" },
		{ "originUrl", "origin_url" }, { "userData", "user_data" } };
	const struct tf_json_doc *now = &c->now.d.doc, *old = &c->before.d.doc;
	const int is = tf_json_get(now, 0, "claims");
	const int was = tf_json_get(old, 0, "claims");
	bool any = false;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct tf_str a = tf_json_text(old,
		    tf_json_get(old, was, keys[i][0]));
		struct tf_str b = tf_json_text(now,
		    tf_json_get(now, is, keys[i][0]));

		if ((a.p == NULL) == (b.p == NULL) && tf_str_same(a, b))
			continue;
		if (!any) {
			tf_json_key(j, "changes");
			tf_json_object(j);
			any = true;
		}
		tf_json_key(j, keys[i][1]);
		if (b.p != NULL)
			tf_json_raw(j, b);
		else
			tf_json_null(j);
	}
	if (any)
		tf_json_object_end(j);
}

/* Read the entry of an event that updates the workflow. */
static enum tf_code
next_claims(struct tf_view *w, struct claims *c, uint64_t seq,
    struct tf_error *err)
{
	struct tf_loaded_entry older = c->before;

	c->before = c->now;
	c->now = older;
	return tf_loaded_entry_try(w, seq, &c->now, NULL, err);
}

/* Write one event with Kosli's name for it. */
static void
put_event(struct tf_json *j, const struct tf_judgement *f,
    const struct event *e, const struct claims *c)
{
	const struct tf_reported *r = e->report == SIZE_MAX ? NULL :
							      &f->r[e->report];
	const struct tf_slot *slot = r == NULL || f->template == NULL ?
	    NULL :
	    tf_template_slot(&f->template->t, r->name.p, r->name.n);

	tf_json_object(j);
	if (slot != NULL && slot->artifact.p != NULL)
		tf_put_str(j, "artifact_name", slot->artifact);
	if (r != NULL)
		tf_put_str(j, "attestation_name", r->name);
	else
		put_changes(j, c);
	tf_put_uint(j, "index", e->seq);
	if (e->override)
		tf_put_bool(j, "overridden", true);
	tf_put_seconds(j, "timestamp", e->at);
	tf_put_cstr(j, "type",
	    r == NULL ? "trail_updated" :
		slot != NULL && slot->artifact.p != NULL ?
			"trail_attestation_for_artifact_reported" :
			"trail_attestation_reported");
	if (r == NULL)
		tf_put_user(j, "user", &c->now);
	tf_json_object_end(j);
}

/* Write how the workflow became what it is.  The first event is its beginning;
 * the others are in the order of the ledger, not of the clock. */
static enum tf_code
put_events(struct tf_view *w, struct tf_json *j, const struct tf_judgement *f,
    const struct tf_sink *out, struct tf_error *err)
{
	struct claims c = { 0 };
	struct event *e = calloc(f->n + f->n_updates + 1, sizeof(*e));
	enum tf_code rc = TF_OK;
	size_t n;

	if (e == NULL)
		return tf_nomem(err);
	n = gather_events(f, e);
	tf_json_key(j, "events");
	tf_json_array(j);
	tf_json_object(j);
	tf_put_uint(j, "index", f->begun.seq);
	if (f->begun.is)
		tf_put_seconds(j, "timestamp", tf_event_time(&f->begun));
	tf_put_cstr(j, "type", "trail_reported");
	tf_put_user(j, "user", &f->begun);
	tf_json_object_end(j);
	for (size_t i = 0; rc == TF_OK && i < n; i++) {
		if (e[i].report == SIZE_MAX)
			rc = next_claims(w, &c, e[i].seq, err);
		put_event(j, f, &e[i], &c);
		if (rc == TF_OK && j->out->n >= TF_STATUS_PIECE)
			rc = tf_json_drain(j, out, err);
	}
	tf_json_array_end(j);
	tf_loaded_entry_free(&c.now);
	tf_loaded_entry_free(&c.before);
	free(e);
	return rc;
}

/* --- the template ----------------------------------------------------------- */

/* True if the canonical form can hold the text as a string. */
static bool
can_be_string(const struct tf_buf *text)
{
	uint32_t c;
	unsigned len;

	for (size_t i = 0; i < text->n; i += len) {
		len = tf_utf8(text->p + i, text->n - i, &c);
		if (len == 0 || (c < 0x20 && c != '\n' && c != '\t') ||
		    (c >= 0x7f && c < 0xa0))
			return false;
	}
	return text->n > 0;
}

/* Write the slots of one artifact (p NULL: of the trail) as `attestations`. */
static void
put_slots(struct tf_json *j, const struct tf_template *t,
    struct tf_str artifact)
{
	bool any = false;

	for (size_t i = 0; i < t->n; i++) {
		const struct tf_slot *s = &t->slots[i];
		size_t cut = artifact.p == NULL ? 0 : artifact.n + 1;

		if ((s->artifact.p == NULL) != (artifact.p == NULL) ||
		    (artifact.p != NULL && !tf_str_same(s->artifact, artifact)))
			continue;
		if (!any) {
			tf_json_key(j, "attestations");
			tf_json_array(j);
		}
		any = true;
		tf_json_object(j);
		tf_put_str(j, "name",
		    (struct tf_str){ s->name.p + cut, s->name.n - cut });
		tf_put_str(j, "type", s->type);
		tf_json_object_end(j);
	}
	if (any)
		tf_json_array_end(j);
}

/* Write why no workflow of the template can become COMPLIANT. */
static void
put_warnings(struct tf_json *j, const struct tf_template *t)
{
	struct tf_buf text = { 0 };

	if (t->n_warnings == 0)
		return;
	tf_json_key(j, "warnings");
	tf_json_array(j);
	for (size_t i = 0; i < t->n_warnings; i++) {
		text.n = 0;
		tf_buf_printf(&text, "line %u: %s", t->warnings[i].line,
		    t->warnings[i].text);
		tf_json_buf(j, &text);
	}
	tf_json_array_end(j);
	tf_buf_free(&text);
}

/* Write the template by which the workflow is judged: its text, if JSON can
 * hold it and the reader may open template.yml, its digest, and the slots that
 * were read from it. */
static void
put_template(struct tf_json *j, const struct tf_view_template *x, bool text)
{
	const struct tf_template *t = &x->t;
	static const struct tf_str none = { NULL, 0 };

	tf_json_key(j, "template");
	tf_json_object(j);
	if (text && can_be_string(&x->text)) {
		tf_json_key(j, "content");
		tf_json_buf(j, &x->text);
	}
	tf_put_hash(j, "sha256", &x->sha256);
	if (t->n > 0 || t->artifacts.n > 0) {
		tf_json_key(j, "trail");
		tf_json_object(j);
		for (size_t i = 0; i < t->artifacts.n; i++) {
			if (i == 0) {
				tf_json_key(j, "artifacts");
				tf_json_array(j);
			}
			tf_json_object(j);
			put_slots(j, t, t->artifacts.p[i]);
			tf_put_str(j, "name", t->artifacts.p[i]);
			tf_json_object_end(j);
		}
		if (t->artifacts.n > 0)
			tf_json_array_end(j);
		put_slots(j, t, none);
		tf_json_object_end(j);
	}
	tf_put_uint(j, "version", x->version);
	put_warnings(j, t);
	tf_json_object_end(j);
}

/* --- the whole -------------------------------------------------------------- */

/* Write all members in the order of their names. */
static enum tf_code
put_workflow(struct tf_view *w, struct tf_json *j, const struct tf_workflow *x,
    const struct tf_sink *out, struct tf_error *err)
{
	const struct tf_judgement *f = &x->facts;
	const struct tf_str trail = { x->path.p, strcspn(x->path.p, "/") };
	bool text;
	enum tf_code rc = tf_may_read_template(w, x->row.attr.parent, &text,
	    err);

	if (rc != TF_OK)
		return rc;
	tf_json_object(j);
	tf_put_raw(j, "annotations",
	    tf_claimed_member(&x->claimed, "annotations"));
	tf_put_event(j, "begun", &f->begun);
	tf_put_cstr(j, "compliance_state", tf_compliance_word(f->status.word));
	if ((rc = tf_put_compliance(w, j, f, out, err)) != TF_OK)
		return rc;
	if (f->begun.is)
		tf_put_seconds(j, "created_at", tf_event_time(&f->begun));
	tf_put_user(j, "created_by", &f->begun);
	tf_put_damage(j, &f->damage);
	tf_put_raw(j, "description",
	    tf_claimed_member(&x->claimed, "description"));
	if ((rc = put_events(w, j, f, out, err)) != TF_OK)
		return rc;
	tf_put_raw(j, "external_urls",
	    tf_claimed_member(&x->claimed, "externalUrls"));
	tf_put_str(j, "flow", trail);
	tf_put_commit(j, &x->claimed);
	if ((rc = tf_put_holds(w, j, x->row.attr.id, false, err)) != TF_OK)
		return rc;
	tf_put_raw(j, "imported", f->begun.d.e.imported);
	tf_put_bool(j, "is_compliant", f->status.word == TF_COMPLIANT);
	tf_put_seconds_after(j, "last_modified_at", f->modified);
	tf_put_cstr(j, "name", x->row.name);
	tf_put_cstr(j, "origin", w->v->origin);
	tf_put_raw(j, "origin_url",
	    tf_claimed_member(&x->claimed, "originUrl"));
	if ((rc = tf_put_redactions(w, j, x->row.attr.id, true, err)) != TF_OK)
		return rc;
	tf_put_repository(j, &x->claimed);
	if ((rc = tf_put_retention(w, j, x->row.attr.id, err)) != TF_OK)
		return rc;
	tf_put_event(j, "sealed", &x->sealed);
	tf_put_cstr(j, "state", tf_state_name(x->row.attr.state));
	if (f->template != NULL)
		put_template(j, f->template, text);
	tf_put_str(j, "trail", trail);
	rc = tf_put_user_data(w, j, x->row.attr.id, &x->claimed, err);
	tf_json_object_end(j);
	return rc;
}

enum tf_code
tf_workflow_json(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_workflow x = { 0 };
	struct tf_buf text = { 0 };
	struct tf_json j;
	enum tf_code rc = tf_workflow_read(w, id, &x, err);

	tf_json_begin(&j, &text);
	if (rc == TF_OK)
		rc = put_workflow(w, &j, &x, out, err);
	if (rc == TF_OK)
		rc = tf_view_end_json(&j, out, err);
	tf_workflow_free(&x);
	tf_buf_free(&text);
	return rc;
}
