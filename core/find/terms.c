/* Facts of entries: see terms.h. */
#include "../base/bytes.h"
#include "../ledger/entry.h"
#include "../ledger/evaluated.h"
#include "../ledger/status_words.h"
#include "../store/nodes.h"
#include "../view/compliance.h"
#include "../view/template.h"
#include "terms.h"

/* For whom a service recorded: a claim of its own, or an annotation. */
#define BEHALF_CLAIM "onBehalfOf"

bool
tf_find_creates(unsigned type)
{
	return type == TF_TRAIL_CREATED || type == TF_WORKFLOW_BEGUN ||
	    type == TF_ATTESTATION_BEGUN || type == TF_DIRECTORY_CREATED ||
	    type == TF_EVIDENCE_SEALED;
}

bool
tf_find_adds(unsigned type)
{
	return type == TF_ATTESTATION_SEALED || type == TF_WORKFLOW_SEALED ||
	    type == TF_TRAIL_SEALED || type == TF_CLAIMS_SET ||
	    type == TF_ATTESTATION_OVERRIDDEN;
}

struct facts {
	tf_find_fact_fn fn;
	void *arg;
	struct tf_json_doc d;
	struct tf_buf value;
};

struct tf_str
tf_find_type(struct tf_str type)
{
	const struct tf_str name = tf_type_custom(type);

	return name.n > 0 && !tf_type_built_in(name) ? name : type;
}

bool
tf_find_is_built_in(const char *type)
{
	return tf_type_built_in(tf_str_of(type));
}

static enum tf_code
add(struct facts *f, enum tf_find_kind kind, struct tf_error *err)
{
	const struct tf_str s = { f->value.p, f->value.n };

	if (f->value.failed)
		return tf_nomem(err);
	return f->fn(f->arg, kind, kind == TF_FIND_TYPE ? tf_find_type(s) : s,
	    err);
}

/* The string member key of the object at token obj, if there is one. */
static enum tf_code
add_member(struct facts *f, int obj, const char *key, enum tf_find_kind kind,
    struct tf_error *err)
{
	int t = obj < 0 ? -1 : tf_json_get(&f->d, obj, key);
	enum tf_code rc;

	if (t < 0 || f->d.tok[t].type != TF_JSON_STRING)
		return TF_OK;
	if ((rc = tf_json_string(&f->d, t, &f->value, err)) != TF_OK)
		return rc;
	return add(f, kind, err);
}

static enum tf_code
add_actor(struct facts *f, struct tf_str actor, struct tf_error *err)
{
	enum tf_code rc = tf_json_parse(&f->d, actor.p, actor.n, err);
	int t;

	if (rc != TF_OK)
		return rc;
	t = tf_json_get(&f->d, 0, "uid");
	f->value.n = 0;
	if (t >= 0) {
		tf_buf_printf(&f->value, "%lld", (long long)f->d.tok[t].num);
		rc = add(f, TF_FIND_UID, err);
	}
	return rc == TF_OK ? add_member(f, 0, "user", TF_FIND_USER, err) : rc;
}

/* For whom it is, by member key of the object at token obj. */
static enum tf_code
add_behalf(struct facts *f, int obj, const char *key, struct tf_error *err)
{
	const int t = obj < 0 ? -1 : tf_json_get(&f->d, obj, key);
	enum tf_code rc = add_member(f, obj, key, TF_FIND_USER, err);

	if (rc == TF_OK && t >= 0 && f->d.tok[t].type != TF_JSON_STRING) {
		f->value.n = 0;
		tf_buf_str(&f->value, TF_FIND_BEHALF_KEY);
		return add(f, TF_FIND_APART, err);
	}
	return rc == TF_OK ? add_member(f, obj, key, TF_FIND_BEHALF, err) : rc;
}

static enum tf_code
add_annotations(struct facts *f, int t, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc = TF_OK;

	for (uint32_t i = (uint32_t)t + 1; rc == TF_OK && i < f->d.tok[t].next;
	     i = f->d.tok[i].next) {
		const struct tf_json_token *tok = &f->d.tok[i];

		if (tok->type != TF_JSON_STRING) {
			f->value.n = 0;
			tf_buf_add(&f->value, f->d.text + tok->key_off,
			    tok->key_len);
			rc = add(f, TF_FIND_APART, err);
			continue;
		}
		rc = tf_json_string(&f->d, (int)i, &text, err);
		f->value.n = 0;
		tf_buf_add(&f->value, f->d.text + tok->key_off, tok->key_len);
		tf_buf_str(&f->value, "=");
		tf_buf_add(&f->value, text.p, text.n);
		if (rc == TF_OK)
			rc = add(f, TF_FIND_ANNOTATION, err);
	}
	tf_buf_free(&text);
	return rc == TF_OK ? add_behalf(f, t, TF_FIND_BEHALF_KEY, err) : rc;
}

/* The type of a sealed attestation without a claim of one, as attestation.json
 * shows it. */
static enum tf_code
add_judged_type(struct facts *f, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_evaluated_field by;
	enum tf_code rc = tf_evaluated_read(e->evaluated, &by, err);

	if (rc != TF_OK)
		return rc;
	f->value.n = 0;
	if (by.name.p != NULL)
		tf_buf_printf(&f->value, "custom:%.*s", (int)by.name.n,
		    by.name.p);
	else if (by.is)
		tf_buf_add(&f->value, by.rule.p, by.rule.n);
	else
		tf_buf_str(&f->value, "generic");
	return add(f, TF_FIND_TYPE, err);
}

static enum tf_code
add_claims(struct facts *f, struct tf_str claims, bool *typed,
    struct tf_error *err)
{
	enum tf_code rc = tf_json_parse(&f->d, claims.p, claims.n, err);
	int t;

	if (rc == TF_OK) {
		*typed = tf_json_get(&f->d, 0, "type") >= 0;
		rc = add_member(f, 0, "type", TF_FIND_TYPE, err);
	}
	if (rc == TF_OK)
		rc = add_member(f, 0, "control", TF_FIND_CONTROL, err);
	if (rc == TF_OK)
		rc = add_behalf(f, 0, BEHALF_CLAIM, err);
	if (rc != TF_OK || (t = tf_json_get(&f->d, 0, "annotations")) < 0)
		return rc;
	return add_annotations(f, t, err);
}

enum tf_code
tf_find_facts(const struct tf_entry *e, tf_find_fact_fn fn, void *arg,
    struct tf_error *err)
{
	const struct tf_str digest = { (const char *)e->content.sha256.b,
		sizeof(e->content.sha256.b) };
	struct facts f = { .fn = fn, .arg = arg };
	enum tf_code rc = TF_OK;
	bool typed = false, moved;

	(void)tf_entry_when(e, &moved);
	if (moved && tf_find_creates(e->type))
		rc = fn(arg, TF_FIND_MOVED, tf_str_of(TF_FIND_MOVED_VALUE),
		    err);
	if (rc == TF_OK && e->type == TF_EVIDENCE_SEALED && e->has_content)
		rc = fn(arg, TF_FIND_SHA256, digest, err);
	/* Who says something about a name is not who made it. */
	if (rc == TF_OK && e->actor.p != NULL &&
	    e->type != TF_ATTESTATION_OVERRIDDEN && e->type != TF_CLAIMS_SET)
		rc = add_actor(&f, e->actor, err);
	tf_json_doc_free(&f.d);
	if (rc == TF_OK && e->claims.p != NULL)
		rc = add_claims(&f, e->claims, &typed, err);
	if (rc == TF_OK && !typed && e->type == TF_ATTESTATION_SEALED)
		rc = add_judged_type(&f, e, err);
	tf_json_doc_free(&f.d);
	tf_buf_free(&f.value);
	return rc;
}

/* trailctl verify reports damage; a search goes on. */
enum tf_code
tf_find_template(struct tf_view *w, uint64_t workflow,
    const struct tf_template **out, struct tf_error *err)
{
	const struct tf_view_template *t = NULL;
	struct tf_loaded_entry begun = { 0 };
	struct tf_node_row row;
	enum tf_code rc = tf_view_row(w, workflow, TF_KIND_WORKFLOW, &row, err);

	*out = NULL;
	if (rc == TF_OK)
		rc = tf_loaded_entry_read(w, row.entry, &begun, err);
	if (rc == TF_OK && begun.d.e.has_template)
		rc = tf_view_template(w, row.attr.parent,
		    begun.d.e.template_version, &t, NULL, err);
	tf_loaded_entry_free(&begun);
	if (rc == TF_OK && t != NULL)
		*out = &t->t;
	return rc == TF_TAMPER || rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_find_slot_facts(const struct tf_template *t, struct tf_str name,
    tf_find_fact_fn fn, void *arg, struct tf_error *err)
{
	const struct tf_slot *slot = t == NULL ?
	    NULL :
	    tf_template_slot(t, name.p, name.n);
	enum tf_code rc = TF_OK;

	if (slot != NULL && !tf_type_is_any(slot->type))
		rc = fn(arg, TF_FIND_TYPE, tf_find_type(slot->type), err);
	if (rc == TF_OK && slot != NULL && slot->control.p != NULL)
		rc = fn(arg, TF_FIND_CONTROL, slot->control, err);
	return rc;
}

const char *
tf_find_attestation_word(const struct tf_judgement *f, size_t i)
{
	if (f->a[i].seal == TF_NO_SEQ)
		return TF_FIND_OPEN;
	if (f->damaged || f->r[i].damaged)
		return tf_compliance_word(TF_DAMAGED);
	return f->status.verdicts[i].compliant ? "compliant" : "non-compliant";
}

enum tf_code
tf_find_behalf(struct tf_str claims, struct tf_buf *out, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc = tf_json_parse(&d, claims.p, claims.n, err);
	int t = rc == TF_OK ? tf_json_get(&d, 0, BEHALF_CLAIM) : -1;

	if (rc == TF_OK && t < 0)
		t = tf_json_get(&d, tf_json_get(&d, 0, "annotations"),
		    TF_FIND_BEHALF_KEY);
	if (t >= 0 && d.tok[t].type == TF_JSON_STRING)
		rc = tf_json_string(&d, t, out, err);
	tf_json_doc_free(&d);
	return rc;
}
