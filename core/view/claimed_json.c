/*
 * Claims, and JSON that people gave, with Kosli's keys: see claimed_json.h.
 *
 * Kosli has a commit and the fingerprint of an artifact as members of their
 * own; here they are annotations.  User data and the data that a type judged are
 * JSON of any form, so they are parsed and written again: a text that is not
 * one value could add members to the file.  Such JSON is a convenience.  Where
 * it cannot be shown, the file is whole without it: its bytes are in user-data
 * and in the evidence, and reading them there says what is wrong.
 */
#include "claimed_json.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/json_any_write.h"
#include "../base/member.h"
#include "../definition.h"
#include "../evaluation.h"
#include "../ledger/claim_content.h"
#include "../ledger/statement.h"
#include "../node/redacted.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "attestation_read.h"
#include "object.h"
#include "readable.h"

/* --- annotations ---------------------------------------------------------- */

/* The raw text of an annotation that is a digest of these lengths, or absent. */
static struct tf_str
digest_of(const struct tf_claimed *c, const char *key, size_t least)
{
	const struct tf_str none = { NULL, 0 };
	struct tf_str s;
	int t = tf_json_get(&c->doc, tf_json_get(&c->doc, 0, "annotations"),
	    key);

	if (t < 0 || c->doc.tok[t].type != TF_JSON_STRING)
		return none;
	s = tf_json_text(&c->doc, t);
	if (s.n < least + 2 || s.n > 66)
		return none;
	/* Between the quotes. */
	return strspn(s.p + 1, "0123456789abcdef") == s.n - 2 ? s : none;
}

void
tf_put_fingerprint(struct tf_json *j, const struct tf_claimed *c)
{
	tf_put_raw(j, "artifact_fingerprint",
	    digest_of(c, "artifact_fingerprint", 64));
}

void
tf_put_commit(struct tf_json *j, const struct tf_claimed *c)
{
	struct tf_str commit = digest_of(c, "git_commit", 7);

	if (commit.p == NULL)
		return;
	tf_json_key(j, "git_commit_info");
	tf_json_object(j);
	tf_put_raw(j, "sha1", commit);
	tf_json_object_end(j);
}

void
tf_put_repository(struct tf_json *j, const struct tf_claimed *c)
{
	int t = tf_json_get(&c->doc, tf_json_get(&c->doc, 0, "annotations"),
	    "repo_id");

	if (t < 0 || c->doc.tok[t].type != TF_JSON_STRING)
		return;
	tf_json_key(j, "repo_ids");
	tf_json_array(j);
	tf_json_raw(j, tf_json_text(&c->doc, t));
	tf_json_array_end(j);
}

/* --- JSON of people ------------------------------------------------------- */

/* Write the bytes as a member, if they are JSON; *is says so. */
static enum tf_code
put_json(struct tf_json *j, const char *key, const struct tf_buf *bytes,
    bool *is, struct tf_error *err)
{
	struct tf_any_doc d = { 0 };
	struct tf_buf text = { 0 };
	struct tf_error why;
	enum tf_code rc = tf_any_parse(&d, bytes->n > 0 ? bytes->p : "",
	    bytes->n, &why);

	*is = rc == TF_OK;
	if (rc == TF_OK) {
		/* An escape has at most six bytes for one. */
		(void)tf_any_put(&text, &d, 0, 6 * bytes->n);
		rc = tf_buf_end(&text, err);
		tf_put_any(j, key, tf_buf_bytes(&text));
	} else if (rc == TF_NOMEM) {
		(void)tf_fail_as(err, &why);
	}
	tf_any_free(&d);
	tf_buf_free(&text);
	return rc == TF_NOMEM ? rc : TF_OK;
}

/* Write a content of attestation id as a member, if it is JSON and may be shown.
 * What was redacted is not shown, even if other evidence keeps the bytes. */
static enum tf_code
put_content(struct tf_view *w, struct tf_json *j, const char *key, uint64_t id,
    uint64_t object, const struct tf_content *c, bool *is, struct tf_error *err)
{
	struct tf_buf bytes = { 0 };
	struct tf_error why;
	bool gone;
	enum tf_code rc;

	*is = false;
	if (c->size > TF_SHOWN_JSON_MAX)
		return TF_OK;
	rc = tf_redacted_in(w->db, id, &c->sha256, UINT64_MAX, &gone, err);
	if (rc != TF_OK || gone)
		return rc;
	rc = tf_view_object_row(w, object, c, "JSON", &bytes, &why);
	if (rc == TF_OK)
		rc = put_json(j, key, &bytes, is, err);
	else
		rc = rc == TF_TAMPER ? TF_OK : tf_fail_as(err, &why);
	tf_buf_free(&bytes);
	return rc;
}

enum tf_code
tf_put_user_data(struct tf_view *w, struct tf_json *j, uint64_t id,
    const struct tf_claimed *c, struct tf_error *err)
{
	const struct tf_str raw = tf_claimed_member(c, "userData");
	struct tf_content content;
	bool has = false, may = false, is = false;
	enum tf_code rc;

	if (raw.p == NULL)
		return TF_OK;
	rc = tf_claims_user_data(c->claims, &content, &has, err);
	if (rc == TF_OK && has)
		rc = tf_may_read(w, id, &may, err);
	if (rc == TF_OK && may)
		rc = put_content(w, j, "user_data", id, c->object, &content,
		    &is, err);
	if (!is)
		tf_put_raw(j, "user_data", raw);
	tf_put_raw(j, "user_data_file", raw);
	return rc;
}

/* --- what a type judged ----------------------------------------------------- */

/* Read the definition by which the attestation was judged; *t is NULL if that
 * is not in the store or was altered. */
static enum tf_code
read_type(struct tf_view *w, const struct tf_attested *a, struct tf_type **t,
    struct tf_error *err)
{
	struct tf_definition_row d = { .kind = TF_DEFINITION_TYPE,
		.name = a->evaluated.name,
		.version = a->evaluated.version };
	struct tf_node_row workflow;
	struct tf_object_row o;
	struct tf_buf text = { 0 };
	struct tf_content c;
	struct tf_error why = { 0 };
	enum tf_code rc = tf_view_row(w, a->attr.parent, TF_KIND_WORKFLOW,
	    &workflow, &why);

	if (rc == TF_OK) {
		d.node = workflow.attr.parent;
		rc = tf_definitions_get(w->db, &d, &why);
	}
	if (rc == TF_OK)
		rc = tf_object_get(w->db, d.object, &o, NULL, &why);
	if (rc == TF_OK) {
		c = (struct tf_content){ o.sha256, o.size };
		rc = tf_view_object_row(w, d.object, &c, "a type", &text, &why);
	}
	if (rc == TF_OK)
		rc = tf_type_parse(text.p, text.n, t, &why);
	tf_buf_free(&text);
	if (rc == TF_NOTFOUND || rc == TF_TAMPER || rc == TF_INVALID)
		return TF_OK;
	return rc == TF_OK ? rc : tf_fail_as(err, &why);
}

/* Write the evidence file that the type of the attestation names. */
static enum tf_code
put_judged(struct tf_view *w, struct tf_json *j, const struct tf_attested *a,
    struct tf_error *err)
{
	struct tf_type *t = NULL;
	struct tf_content c;
	bool is = false;
	enum tf_code rc = read_type(w, a, &t, err);

	for (size_t i = 0; rc == TF_OK && t != NULL && !is && i < a->ev.n;
	     i++) {
		const struct tf_subject_file *f = &a->ev.f[i];

		if (!tf_str_same(f->name, tf_type_evidence(t)))
			continue;
		c = (struct tf_content){ f->sha256, f->size };
		rc = put_content(w, j, "attestation_data", a->attr.id, 0, &c,
		    &is, err);
		break;
	}
	tf_type_free(t);
	return rc;
}

enum tf_code
tf_put_attestation_data(struct tf_view *w, struct tf_json *j,
    const struct tf_attested *a, struct tf_error *err)
{
	const struct tf_evaluated_field *e = &a->evaluated;

	if (!a->seal.is)
		return TF_OK;
	if (tf_str_same(e->rule, tf_str_of("junit"))) {
		tf_put_raw(j, "attestation_data", e->counts);
	} else if (tf_str_same(tf_claimed_member(&a->claimed, "type"),
		       tf_str_of("\"decision\""))) {
		tf_json_key(j, "attestation_data");
		tf_json_object(j);
		tf_put_bool(j, "is_compliant",
		    a->f->status.verdicts[a->at].compliant);
		tf_json_object_end(j);
	} else if (e->name.p != NULL) {
		return put_judged(w, j, a, err);
	}
	return TF_OK;
}
