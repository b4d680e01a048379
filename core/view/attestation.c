/*
 * The files attestation.json and SHA256SUMS of an attestation.
 *
 * attestation.json has the keys that Kosli's API gives for an attestation, so
 * that scripts written for Kosli can read it, and keys of our own for what
 * Kosli does not know: entries, times of the ledger, unsealed files.  Keys are
 * written in the order of their names, as canonical JSON wants; the functions
 * below each write a run of keys and not a subject, so read put_attested() for
 * the whole.
 *
 * SHA256SUMS has the form that sha256sum(1) checks.  An asker who may not read
 * every file gets the lines of the others, and no sum of the list.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../json.h"
#include "../ledger/entry.h"
#include "../ledger/name.h"
#include "../ledger/statement.h"
#include "../ledger/status_words.h"
#include "../ledger/sums.h"
#include "../node/attr.h"
#include "../node/evidence.h"
#include "../node/pending.h"
#include "../node/pending_index.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/nodes.h"
#include "attestation_read.h"
#include "claimed.h"
#include "claimed_json.h"
#include "compliance.h"
#include "entry_json.h"
#include "protection.h"
#include "readable.h"
#include "redactions.h"
#include "template.h"
#include "view.h"

#define PIECE 65536 /* bytes */

/* --- SHA256SUMS ----------------------------------------------------------- */

enum tf_code
tf_view_sums(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_evidence ev = { 0 };
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_readable_evidence(w, id, &ev, err);

	for (size_t i = 0; rc == TF_OK && i < ev.n; i++) {
		tf_sums_line(&text, &ev.f[i].sha256, ev.f[i].name.p,
		    ev.f[i].name.n);
		if (text.n >= PIECE)
			rc = tf_sink_buf(out, &text, err);
	}
	if (rc == TF_OK)
		rc = tf_sink_buf(out, &text, err);
	tf_evidence_free(&ev);
	tf_buf_free(&text);
	return rc;
}

/* --- attestation.json ----------------------------------------------------- */

/* Write a claim as the raw JSON that the ledger holds; an absent one writes
 * nothing. */
static void
put_claim(struct tf_json *j, const char *key, const struct tf_attested *a,
    const char *claim)
{
	tf_put_raw(j, key, tf_claimed_member(&a->claimed, claim));
}

/* Write one file of evidence.  Time and person are those of the entry that
 * sealed the file, which may be older than the seal of the attestation. */
static enum tf_code
put_file(struct tf_view *w, struct tf_json *j, const struct tf_subject_file *f,
    struct tf_loaded_entry *t, struct tf_error *err)
{
	const struct tf_entry *e = &t->d.e;
	enum tf_code rc = tf_loaded_entry_try(w, f->seq, t, NULL, err);

	if (rc != TF_OK)
		return rc;
	tf_json_object(j);
	tf_put_raw(j, "by", e->actor);
	if (e->cause.p != NULL)
		tf_put_str(j, "cause", e->cause);
	if (t->damaged)
		tf_put_bool(j, "damaged", true);
	tf_put_uint(j, "index", f->seq);
	tf_put_str(j, "path", f->name);
	if (t->is && e->has_proven)
		tf_put_uint(j, "proven", e->proven);
	if (t->is)
		tf_put_time(j, "sealed_at", e->at);
	if (t->is)
		tf_put_clock(j, "sealed_clock", e);
	tf_put_hash(j, "sha256", &f->sha256);
	tf_put_uint(j, "size", f->size);
	tf_json_object_end(j);
	return TF_OK;
}

/* Write the list of files.  It may be long, so the text goes to the sink in
 * pieces. */
static enum tf_code
put_files(struct tf_view *w, struct tf_json *j, const struct tf_attested *a,
    const struct tf_sink *out, struct tf_error *err)
{
	struct tf_loaded_entry t = { 0 };
	enum tf_code rc = TF_OK;

	if (a->ev.n == 0)
		return TF_OK;
	tf_json_key(j, "evidence");
	tf_json_array(j);
	for (size_t i = 0; rc == TF_OK && i < a->ev.n; i++) {
		rc = put_file(w, j, &a->ev.f[i], &t, err);
		if (rc == TF_OK && j->out->n >= PIECE)
			rc = tf_json_drain(j, out, err);
	}
	tf_json_array_end(j);
	tf_loaded_entry_free(&t);
	return rc;
}

/*
 * Names of unsealed files that are listed.  The list is a help for users and no
 * evidence, so it may be cut: the lock of the vault must not be held for long.
 */
#define WAITING_MAX 100 /* names of unsealed files that are listed */

struct waiting {
	struct unsealed {
		uint64_t id;
		uint64_t proven; /* bytes that are entered while it grows */
		enum tf_state state;
	} file[WAITING_MAX];
	size_t n;
};

/* Copy what the list needs; v->mu is held, so nothing else is done here. */
static bool
note_waiting(void *arg, struct tf_pending *l)
{
	struct waiting *x = arg;

	if (x->n == WAITING_MAX)
		return false;
	x->file[x->n++] = (struct unsealed){ l->attr.id, l->entered,
		l->attr.state };
	return true;
}

static int
by_id(const void *a, const void *b)
{
	const struct unsealed *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

/*
 * Write the files that are not sealed yet, so that a user sees why a seal
 * waits.  They are no part of the ledger, so a package has no such list.  The
 * lock is released before paths are looked up, hence a name may have changed.
 */
static void
put_waiting(struct tf_view *w, struct tf_json *j, const struct tf_attested *a)
{
	uint64_t part[] = { a->attr.parent, a->attr.id, TF_PENDING_TO_SEAL };
	struct waiting x = { 0 };
	struct tf_buf path = { 0 };
	bool any = false;

	if (a->seal.is || w->ledger_only)
		return;
	pthread_mutex_lock(&w->v->mu);
	for (; part[2] <= TF_PENDING_FILE; part[2]++)
		tf_pending_range(&w->v->pending, TF_PENDING_BY_ATTESTATION,
		    part, 3, note_waiting, &x);
	pthread_mutex_unlock(&w->v->mu);
	qsort(x.file, x.n, sizeof(x.file[0]), by_id);
	for (size_t i = 0; i < x.n; i++) {
		if (!tf_path_to_show(w, x.file[i].id, &path, j) ||
		    path.n <= a->path.n + 1)
			continue; /* renamed since it was listed */
		if (!any) {
			tf_json_key(j, "waiting");
			tf_json_array(j);
			any = true;
		}
		tf_json_object(j);
		tf_json_key(j, "path");
		tf_json_str(j, path.p + a->path.n + 1, path.n - a->path.n - 1);
		if (x.file[i].proven > 0)
			tf_put_uint(j, "proven", x.file[i].proven);
		tf_put_cstr(j, "state", tf_state_name(x.file[i].state));
		tf_json_object_end(j);
	}
	if (any)
		tf_json_array_end(j);
	tf_buf_free(&path);
}

/* The parts of the path "trail/workflow/NAME@N". */
struct place {
	struct tf_str trail, workflow, name; /* without @N */
	unsigned version;
};

/* Split the path.  An attestation always has three names in its path. */
static struct place
place_of(const struct tf_attested *a)
{
	const char *path = a->path.p, *wf = strchr(path, '/') + 1;
	const char *name = strchr(wf, '/') + 1;
	struct place p = { .trail = { path, (size_t)(wf - path) - 1 },
		.workflow = { wf, (size_t)(name - wf) - 1 } };

	p.name = (struct tf_str){ name,
		tf_name_version(name, strlen(name), &p.version) };
	return p;
}

/* Kosli's list of the artifacts that the attestation is about: one, if its slot
 * is of an artifact. */
static void
put_target(struct tf_json *j, const struct tf_attested *a)
{
	const struct tf_view_template *t = a->f != NULL ? a->f->template : NULL;
	const struct tf_str name = a->f != NULL ? a->f->r[a->at].name :
						  (struct tf_str){ NULL, 0 };
	const struct tf_slot *slot = t != NULL ?
	    tf_template_slot(&t->t, name.p, name.n) :
	    NULL;

	if (slot == NULL || slot->artifact.p == NULL)
		return;
	tf_json_key(j, "target_artifacts");
	tf_json_array(j);
	tf_json_str(j, slot->artifact.p, slot->artifact.n);
	tf_json_array_end(j);
}

/* The members from "state" on. */
static enum tf_code
put_place(struct tf_view *w, struct tf_json *j, const struct tf_attested *a,
    const struct place *p, struct tf_error *err)
{
	struct tf_str type = a->evaluated.name;
	enum tf_code rc;

	tf_put_cstr(j, "state", tf_state_name(a->attr.state));
	put_target(j, a);
	tf_put_str(j, "trail", p->trail);
	tf_put_str(j, "trail_name", p->workflow);
	if (type.p != NULL)
		tf_put_str(j, "type_name", type);
	rc = tf_put_user_data(w, j, a->attr.id, &a->claimed, err);
	tf_put_uint(j, "version", p->version);
	put_waiting(w, j, a);
	tf_put_str(j, "workflow", p->workflow);
	return rc;
}

/* The type that was claimed, else that by which it was judged. */
static void
put_type(struct tf_json *j, const struct tf_attested *a)
{
	const struct tf_evaluated_field *e = &a->evaluated;
	struct tf_buf type = { 0 };

	if (tf_claimed_member(&a->claimed, "type").p != NULL) {
		put_claim(j, "attestation_type", a, "type");
		return;
	}
	if (e->name.p != NULL)
		tf_buf_printf(&type, "custom:%.*s", (int)e->name.n, e->name.p);
	else if (e->is)
		tf_buf_add(&type, e->rule.p, e->rule.n);
	else
		tf_buf_str(&type, "generic");
	tf_json_key(j, "attestation_type");
	tf_json_buf(j, &type);
	tf_buf_free(&type);
}

/* The id is the leaf hash of the newest entry about the attestation: anybody
 * with the ledger can compute it, and it changes when the state does. */
static void
put_id(struct tf_json *j, const struct tf_attested *a)
{
	const struct tf_loaded_entry *t = a->override.is ? &a->override :
	    a->seal.is					 ? &a->seal :
							   &a->begun;
	struct tf_hash leaf;

	if (!t->is)
		return;
	tf_entry_leaf(t->text.p, t->text.n, &leaf);
	tf_put_hash(j, "attestation_id", &leaf);
}

/* Write the members from "annotations" to "evaluated". */
static enum tf_code
put_name(struct tf_view *w, struct tf_json *j, const struct tf_attested *a,
    const struct place *p, struct tf_error *err)
{
	enum tf_code rc;
	const struct tf_judged_report *v = a->f == NULL ?
	    NULL :
	    &a->f->status.verdicts[a->at];

	put_claim(j, "annotations", a, "annotations");
	tf_put_fingerprint(j, &a->claimed);
	rc = tf_put_attestation_data(w, j, a, err);
	put_id(j, a);
	tf_put_str(j, "attestation_name", p->name);
	put_type(j, a);
	tf_put_event(j, "begun", &a->begun);
	if (v != NULL && v->cause != TF_CAUSE_NONE)
		tf_put_cstr(j, "cause", tf_cause_word(v->cause));
	put_claim(j, "control", a, "control");
	if (a->begun.is)
		tf_put_seconds(j, "created_at", tf_event_time(&a->begun));
	tf_put_damage(j, &a->damage);
	put_claim(j, "description", a, "description");
	if (a->seal.is)
		tf_put_raw(j, "evaluated", a->seal.d.e.evaluated);
	return rc;
}

/* Sums over the readable files only would look like complete ones. */
static void
put_sums(struct tf_json *j, const struct tf_attested *a,
    const struct tf_sums *sums)
{
	if (a->ev.damaged > 0)
		tf_put_uint(j, "evidence_damaged", a->ev.damaged);
	if (a->ev.damaged > 0 && a->ev.left_out == 0)
		return;
	if (a->ev.left_out == 0) {
		if (a->seal.is)
			tf_put_hash(j, "evidence_archive_fingerprint",
			    &sums->sums);
		tf_put_uint(j, "evidence_bytes", sums->bytes);
		tf_put_uint(j, "evidence_count", sums->count);
		tf_put_hash(j, "evidence_sums", &sums->sums);
	} else {
		tf_put_uint(j, "evidence_not_shown", a->ev.left_out);
	}
}

/* Kosli's rows of JUnit results: one, with the counts of all reports. */
static enum tf_code
put_junit(struct tf_json *j, const struct tf_attested *a, const struct place *p,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc;

	if (!tf_str_same(a->evaluated.rule, tf_str_of("junit")) ||
	    a->evaluated.counts.p == NULL)
		return TF_OK;
	rc = tf_json_parse(&d, a->evaluated.counts.p, a->evaluated.counts.n,
	    err);
	if (rc != TF_OK)
		return rc;
	tf_json_key(j, "junit_results");
	tf_json_array(j);
	tf_json_object(j);
	tf_put_raw(j, "errors", tf_json_text(&d, tf_json_get(&d, 0, "errors")));
	tf_put_raw(j, "failures",
	    tf_json_text(&d, tf_json_get(&d, 0, "failures")));
	tf_put_str(j, "name", p->name);
	tf_put_raw(j, "skipped",
	    tf_json_text(&d, tf_json_get(&d, 0, "skipped")));
	tf_put_raw(j, "total", tf_json_text(&d, tf_json_get(&d, 0, "tests")));
	tf_json_object_end(j);
	tf_json_array_end(j);
	tf_json_doc_free(&d);
	return TF_OK;
}

/* Write whether it is compliant, once it is sealed.  It is null if something
 * that decides about it cannot be read. */
static void
put_compliant(struct tf_json *j, const struct tf_attested *a)
{
	if (a->f == NULL || a->f->a[a->at].seal == TF_NO_SEQ)
		return;
	tf_json_key(j, "is_compliant");
	if (a->f->damaged || a->f->r[a->at].damaged)
		tf_json_null(j);
	else
		tf_json_bool(j, a->f->status.verdicts[a->at].compliant);
}

/* Write all members in the order of their names.  A draft has no entry, so it
 * has no time, no judgement and no package. */
static enum tf_code
put_attested(struct tf_view *w, struct tf_json *j, const struct tf_attested *a,
    const struct tf_sink *out, struct tf_error *err)
{
	struct place p = place_of(a);
	struct tf_sums sums;
	enum tf_code rc = tf_sums(a->ev.f, a->ev.n, &sums, err);

	if (rc != TF_OK)
		return rc;
	tf_json_object(j);
	if ((rc = put_name(w, j, a, &p, err)) != TF_OK ||
	    (rc = put_files(w, j, a, out, err)) != TF_OK)
		return rc;
	put_sums(j, a, &sums);
	put_claim(j, "external_urls", a, "externalUrls");
	tf_put_str(j, "flow_name", p.trail);
	tf_put_commit(j, &a->claimed);
	tf_put_bool(j, "has_audit_package", a->begun.is);
	if ((rc = tf_put_holds(w, j, a->attr.id, false, err)) != TF_OK)
		return rc;
	if (a->begun.is)
		tf_put_raw(j, "imported", a->begun.d.e.imported);
	put_compliant(j, a);
	if ((rc = put_junit(j, a, &p, err)) != TF_OK)
		return rc;
	if (a->seal.is)
		tf_put_str(j, "keyid", a->seal.d.e.statement.keyid);
	put_claim(j, "on_behalf_of", a, "onBehalfOf");
	tf_put_cstr(j, "origin", w->v->origin);
	put_claim(j, "origin_url", a, "originUrl");
	tf_put_event(j, "overridden", &a->override);
	if ((rc = tf_put_redactions(w, j, a->attr.id, true, err)) != TF_OK)
		return rc;
	tf_put_user(j, "reported_by", &a->begun);
	if ((rc = tf_put_retention(w, j, a->attr.id, err)) != TF_OK)
		return rc;
	tf_put_uint(j, "schema_version", 2); /* of Kosli's keys */
	tf_put_event(j, "sealed", &a->seal);
	rc = put_place(w, j, a, &p, err);
	tf_json_object_end(j);
	return rc;
}

enum tf_code
tf_view_attestation(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_attested a = { 0 };
	struct tf_buf text = { 0 };
	struct tf_json j;
	enum tf_code rc = tf_attested_read(w, id, &a, err);

	tf_json_begin(&j, &text);
	if (rc == TF_OK)
		rc = put_attested(w, &j, &a, out, err);
	if (rc == TF_OK)
		rc = tf_view_end_json(&j, out, err);
	tf_attested_free(&a);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_view_override(struct tf_view *w, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_attested a = { .ev = { 0 } };
	struct tf_json j;
	enum tf_code rc = tf_attested_entries(w, id, &a, err);

	if (rc == TF_OK && a.damage.n > 0)
		rc = tf_fail_as(err, &a.damage.p[0].why);
	if (rc == TF_OK && a.override.is) {
		tf_json_begin(&j, out);
		tf_json_object(&j);
		tf_put_bool(&j, "compliant", a.override.d.e.compliant);
		tf_put_str(&j, "reason", a.override.d.e.reason);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
		tf_buf_str(out, "\n");
	}
	tf_attested_free(&a);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}
