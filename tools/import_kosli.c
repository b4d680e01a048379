/*
 * Kosli's JSON of trails and attestations as a plan: see import.h.
 *
 * Accepted are the answers of `kosli get trail`, `kosli get attestation` and
 * `kosli list trails` with --output json, and those of the API: one record, a
 * list of records, or {"data": [...]}, {"trails": [...]}, {"trail": {...}}.  A
 * record with "attestation_name" is an attestation; one with "name" and a key
 * that only trails have is a trail.  Anything else is refused: a guess would be
 * recorded for ever.
 *
 * A trail lists its attestations as rows, which say name, type, id and verdict,
 * and only those that decide.  Its events say when each was reported, and which
 * were reported before.  Both are imported as well; if the same command has the
 * record of one, the record counts (import_match.c).  Each record and row is
 * kept as evidence, IMPORT_RECORD, with all its keys: so nothing that Kosli
 * said about an attestation is lost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/json_any_write.h"
#include "core/base/time_text.h"
#include "core/definition.h"
#include "import.h"
#include "kosli.h"
#include "text.h"

#define NESTED 4   /* lists in lists */
#define CLAIMS 256 /* of a record; the vault accepts less */
#define RECORD_MAX TF_ANY_BYTES

struct reading {
	struct import_plan *p;
	size_t file;
	const struct tf_any_doc *d;
};

/* --- values ------------------------------------------------------------------ */

static uint32_t
member(const struct reading *r, uint32_t obj, const char *key)
{
	uint32_t t = tf_any_member(r->d, obj, tf_str_of(key));

	return t != TF_ANY_NONE && r->d->v[t].type != TF_ANY_NULL ? t :
								    TF_ANY_NONE;
}

static bool
has(const struct reading *r, uint32_t obj, const char *key)
{
	return tf_any_member(r->d, obj, tf_str_of(key)) != TF_ANY_NONE;
}

static bool
is_type(const struct reading *r, uint32_t t, enum tf_any_type type)
{
	return t != TF_ANY_NONE && r->d->v[t].type == type;
}

/* A string as allocated text, with LF for CR LF.  NULL: absent, null or
 * empty. */
static enum tf_code
value_text(const struct reading *r, uint32_t t, const char *key, char **out,
    struct tf_error *err)
{
	struct tf_str s;
	size_t n = 0;

	*out = NULL;
	if (t == TF_ANY_NONE)
		return TF_OK;
	if (!is_type(r, t, TF_ANY_STRING))
		return tf_fail(err, TF_INVALID, "\"%.60s\" is no string", key);
	s = tf_any_text(r->d, t);
	if (s.n == 0)
		return TF_OK;
	if (memchr(s.p, '\0', s.n) != NULL)
		return tf_fail(err, TF_INVALID, "\"%.60s\" has a NUL", key);
	if ((*out = malloc(s.n + 1)) == NULL)
		return tf_nomem(err);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\r' || i + 1 == s.n || s.p[i + 1] != '\n')
			(*out)[n++] = s.p[i];
	(*out)[n] = '\0';
	return TF_OK;
}

static enum tf_code
text(const struct reading *r, uint32_t obj, const char *key, char **out,
    struct tf_error *err)
{
	return value_text(r, member(r, obj, key), key, out, err);
}

/* The first of a list of strings, or a string. */
static enum tf_code
first_text(const struct reading *r, uint32_t obj, const char *key, char **out,
    struct tf_error *err)
{
	uint32_t t = member(r, obj, key);

	if (is_type(r, t, TF_ANY_ARRAY))
		t = r->d->v[t].count > 0 ? t + 1 : TF_ANY_NONE;
	return value_text(r, t, key, out, err);
}

/* "1779991839.8811657" without rounding. */
static bool
seconds_text(struct tf_str s, char out[TF_TIME_LEN + 1])
{
	struct tf_time t = { 0, 0 };
	uint32_t unit = 100000000;
	size_t i = 0;

	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++) {
		if (i == 12)
			return false;
		t.s = t.s * 10 + (s.p[i] - '0');
	}
	if (i == 0 || (i < s.n && s.p[i] != '.'))
		return false;
	for (i++; i < s.n; i++, unit /= 10) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		t.ns += unit * (uint32_t)(s.p[i] - '0');
	}
	tf_time_text(t, out);
	return true;
}

/* Kosli's times are seconds; text is accepted as well. */
static enum tf_code
time_member(const struct reading *r, uint32_t obj, const char *key,
    char out[TF_TIME_LEN + 1], struct tf_error *err)
{
	uint32_t t = member(r, obj, key);
	char *s = NULL;
	enum tf_code rc = TF_OK;
	bool ok;

	if (t == TF_ANY_NONE)
		return TF_OK;
	if (is_type(r, t, TF_ANY_NUMBER_TEXT)) {
		ok = seconds_text(tf_any_text(r->d, t), out);
	} else {
		rc = value_text(r, t, key, &s, err);
		ok = s != NULL && text_time(s, out);
		free(s);
	}
	if (rc == TF_OK && !ok)
		rc = tf_fail(err, TF_INVALID, "\"%s\" is no time", key);
	return rc;
}

/* --- claims ------------------------------------------------------------------ */

/* Add a claim unless value is NULL, which is freed. */
static enum tf_code
add(struct claims *c, const char *key, char *value, struct tf_error *err)
{
	enum tf_code rc = value == NULL ? TF_OK :
	    c->n == CLAIMS		? tf_fail(err, TF_INVALID,
					      "a record has too many annotations or URLs") :
					  claims_add(c, key, value, err);

	free(value);
	return rc;
}

/* A string member as a claim. */
static enum tf_code
claim(const struct reading *r, uint32_t obj, const char *key, const char *as,
    struct claims *c, struct tf_error *err)
{
	char *value;
	enum tf_code rc = text(r, obj, key, &value, err);

	return rc == TF_OK ? add(c, as, value, err) : rc;
}

/* "PREFIX.KEY" of the member at t. */
static enum tf_code
claim_of_member(const struct reading *r, const char *prefix, uint32_t t,
    uint32_t value, struct claims *c, struct tf_error *err)
{
	struct tf_str name = tf_any_key(r->d, t);
	char *key = NULL, *s;
	enum tf_code rc = value_text(r, value, prefix, &s, err);

	if (rc == TF_OK && name.n > 0 && memchr(name.p, '\0', name.n) != NULL)
		rc = tf_fail(err, TF_INVALID, "a key of %s has a NUL", prefix);
	if (rc == TF_OK &&
	    asprintf(&key, "%s.%.*s", prefix, (int)name.n, name.p) < 0) {
		key = NULL;
		rc = tf_nomem(err);
	}
	if (rc == TF_OK)
		rc = add(c, key, s, err);
	else
		free(s);
	free(key);
	return rc;
}

static enum tf_code
claim_annotations(const struct reading *r, uint32_t obj, struct claims *c,
    struct tf_error *err)
{
	uint32_t of = member(r, obj, "annotations");
	enum tf_code rc = TF_OK;

	if (of == TF_ANY_NONE)
		return TF_OK;
	if (!is_type(r, of, TF_ANY_OBJECT))
		return tf_fail(err, TF_INVALID, "\"annotations\" is no object");
	for (uint32_t t = of + 1; rc == TF_OK && t < r->d->v[of].next;
	     t = r->d->v[t].next)
		rc = claim_of_member(r, "annotation", t, t, c, err);
	return rc;
}

/* {label: {href, fingerprint}} or {label: href}. */
static enum tf_code
claim_urls(const struct reading *r, uint32_t obj, struct claims *c,
    struct tf_error *err)
{
	uint32_t of = member(r, obj, "external_urls"), href;
	enum tf_code rc = TF_OK;

	if (of == TF_ANY_NONE)
		return TF_OK;
	if (!is_type(r, of, TF_ANY_OBJECT))
		return tf_fail(err, TF_INVALID,
		    "\"external_urls\" is no object");
	for (uint32_t t = of + 1; rc == TF_OK && t < r->d->v[of].next;
	     t = r->d->v[t].next) {
		href = is_type(r, t, TF_ANY_OBJECT) ? member(r, t, "href") : t;
		rc = claim_of_member(r, "external-url", t, href, c, err);
		if (rc == TF_OK && href != t)
			rc = claim_of_member(r, "external-fingerprint", t,
			    member(r, t, "fingerprint"), c, err);
	}
	return rc;
}

/* What trails and attestations have both. */
static enum tf_code
claim_common(const struct reading *r, uint32_t obj, struct claims *c,
    struct tf_error *err)
{
	uint32_t data = member(r, obj, "user_data");
	uint32_t commit = member(r, obj, "git_commit_info");
	enum tf_code rc;

	if ((rc = claim(r, obj, "description", "description", c, err)) !=
		TF_OK ||
	    (rc = claim(r, obj, "origin_url", "origin-url", c, err)) != TF_OK ||
	    (rc = claim_urls(r, obj, c, err)) != TF_OK ||
	    (rc = claim_annotations(r, obj, c, err)) != TF_OK)
		return rc;
	if (claims_get(c, "external-url.kosli") == NULL &&
	    (rc = claim(r, obj, "html_url", "external-url.kosli", c, err)) !=
		TF_OK)
		return rc;
	if (is_type(r, commit, TF_ANY_OBJECT) &&
	    claims_get(c, "annotation.git_commit") == NULL &&
	    (rc = claim(r, commit, "sha1", "annotation.git_commit", c, err)) !=
		TF_OK)
		return rc;
	if (data == TF_ANY_NONE ||
	    (r->d->v[data].type >= TF_ANY_ARRAY && r->d->v[data].count == 0))
		return TF_OK;
	if (!tf_any_put(&c->user_data, r->d, data, TF_USER_DATA_MAX))
		return tf_fail(err, TF_INVALID,
		    "\"user_data\" has more than %d bytes", TF_USER_DATA_MAX);
	return tf_buf_end(&c->user_data, err);
}

/* The verdict; what does not say it gets that of the command line. */
static enum tf_code
claim_verdict(const struct reading *r, uint32_t obj, const char *name,
    struct claims *c, struct tf_error *err)
{
	uint32_t t = member(r, obj, "is_compliant");
	const char *is = r->p->compliant;

	if (is_type(r, t, TF_ANY_TRUE))
		is = "true";
	else if (is_type(r, t, TF_ANY_FALSE))
		is = "false";
	else if (t != TF_ANY_NONE)
		return tf_fail(err, TF_INVALID,
		    "\"is_compliant\" is neither true nor false");
	if (is == NULL)
		return tf_fail(err, TF_INVALID,
		    "attestation %.60s does not say whether it is compliant: "
		    "give --compliant=true or --compliant=false",
		    name);
	return claims_add(c, "compliant", is, err);
}

/* "custom" alone does not say which, and "*", the type of a slot for any, says
 * nothing about the attestation in it. */
static enum tf_code
claim_type(const struct reading *r, uint32_t obj, struct claims *c,
    struct tf_error *err)
{
	char *type, *name = NULL, *custom = NULL;
	enum tf_code rc = text(r, obj, "attestation_type", &type, err);

	if (rc == TF_OK && type != NULL && strcmp(type, "custom") == 0)
		rc = text(r, obj, "type_name", &name, err);
	if (rc == TF_OK && name != NULL &&
	    asprintf(&custom, "custom:%s", name) < 0) {
		custom = NULL;
		rc = tf_nomem(err);
	}
	free(name);
	if (custom != NULL) {
		free(type);
		type = custom;
	}
	if (rc != TF_OK || (type != NULL && strcmp(type, "*") == 0)) {
		free(type);
		return rc;
	}
	return add(c, "type", type, err);
}

/* --- attestations -------------------------------------------------------------- */

/* The name for an artifact's attestation is ARTIFACT.NAME. */
static enum tf_code
attestation_name(const struct reading *r, uint32_t obj, const char *artifact,
    uint32_t keyed, char **out, struct tf_error *err)
{
	char *name, *target = NULL;
	enum tf_code rc = text(r, obj, "attestation_name", &name, err);

	if (rc == TF_OK && name == NULL)
		rc = text(r, obj, "template_reference_name", &name, err);

	*out = NULL;
	if (rc == TF_OK && name == NULL && keyed != TF_ANY_NONE) {
		struct tf_str key = tf_any_key(r->d, keyed);

		if ((name = strndup(key.p, key.n)) == NULL)
			rc = tf_nomem(err);
	}
	if (rc == TF_OK && name == NULL)
		rc = tf_fail(err, TF_INVALID, "an attestation has no name");
	if (rc == TF_OK && artifact == NULL)
		rc = first_text(r, obj, "target_artifacts", &target, err);
	if (rc == TF_OK && artifact == NULL && target == NULL)
		rc = text(r, obj, "target_artifact", &target, err);
	if (artifact == NULL)
		artifact = target;
	if (rc == TF_OK && artifact != NULL && strchr(name, '.') == NULL) {
		if (asprintf(out, "%s.%s", artifact, name) < 0) {
			*out = NULL;
			rc = tf_nomem(err);
		}
	} else if (rc == TF_OK) {
		*out = name;
		name = NULL;
	}
	free(name);
	free(target);
	return rc;
}

/* What names the file of evidence, and its digest. */
static enum tf_code
evidence_of(const struct reading *r, uint32_t obj, struct import_attestation *a,
    struct tf_error *err)
{
	char *hex, *path;
	enum tf_code rc = text(r, obj, "evidence_archive_fingerprint", &hex,
	    err);

	if (rc != TF_OK || hex == NULL)
		return rc;
	a->has_fingerprint = kosli_is_fingerprint(hex) &&
	    tf_unhex(hex, 64, a->fingerprint.b, 32);
	free(hex);
	if (!a->has_fingerprint)
		return tf_fail(err, TF_INVALID,
		    "\"evidence_archive_fingerprint\" is no SHA-256");
	rc = text(r, obj, "evidence_archive_path", &path, err);
	if (rc == TF_OK && path != NULL) {
		const char *slash = strrchr(path, '/');

		a->evidence_name = strdup(slash == NULL ? path : slash + 1);
		if (a->evidence_name == NULL)
			rc = tf_nomem(err);
	}
	free(path);
	return rc;
}

/* The artifact that it is about, unless that is known already. */
static enum tf_code
claim_artifact(const struct reading *r, uint32_t obj, struct claims *c,
    struct tf_error *err)
{
	static const char key[] = "annotation.artifact_fingerprint";

	return claims_get(c, key) == NULL ?
	    claim(r, obj, "artifact_fingerprint", key, c, err) :
	    TF_OK;
}

/* Add the record, row or event obj to workflow w. */
static enum tf_code
add_attestation(const struct reading *r, struct import_workflow *w,
    uint32_t obj, const char *artifact, uint32_t keyed, bool row,
    struct tf_error *err)
{
	struct import_attestation *a = NULL;
	char *name, *control = NULL;
	uint32_t t = member(r, obj, "control");
	enum tf_code rc = attestation_name(r, obj, artifact, keyed, &name, err);

	if (rc == TF_OK)
		rc = import_attestation(r->p, w, name, &a, err);
	free(name);
	if (rc != TF_OK)
		return rc;
	a->row = row;
	a->file = r->file;
	if (!tf_any_put(&a->record, r->d, obj, RECORD_MAX))
		return tf_fail(err, TF_INVALID, "a record is too long");
	tf_buf_str(&a->record, "\n");
	if ((rc = tf_buf_end(&a->record, err)) != TF_OK ||
	    (rc = text(r, obj, "attestation_id", &a->from.id, err)) != TF_OK ||
	    (rc = text(r, obj, "reported_by", &a->from.by, err)) != TF_OK ||
	    (rc = time_member(r, obj, "timestamp", a->from.at, err)) != TF_OK ||
	    (rc = time_member(r, obj, "created_at", a->from.at, err)) !=
		TF_OK ||
	    (rc = claim_verdict(r, obj, a->name, &a->claims, err)) != TF_OK ||
	    (rc = claim_type(r, obj, &a->claims, err)) != TF_OK ||
	    (rc = claim_common(r, obj, &a->claims, err)) != TF_OK ||
	    (rc = evidence_of(r, obj, a, err)) != TF_OK)
		return rc;
	if (is_type(r, t, TF_ANY_STRING))
		rc = text(r, obj, "control", &control, err);
	if (rc == TF_OK)
		rc = add(&a->claims, "control", control, err);
	return rc == TF_OK ? claim_artifact(r, obj, &a->claims, err) : rc;
}

/* Is this row of a trail about something that was reported? */
static bool
is_reported(const struct reading *r, uint32_t obj)
{
	uint32_t t = member(r, obj, "status");

	return is_type(r, obj, TF_ANY_OBJECT) &&
	    !(is_type(r, t, TF_ANY_STRING) &&
		tf_str_same(tf_any_text(r->d, t), tf_str_of("MISSING"))) &&
	    (member(r, obj, "attestation_id") != TF_ANY_NONE ||
		member(r, obj, "is_compliant") != TF_ANY_NONE);
}

/* A list of rows, or an object of them by name. */
static enum tf_code
add_rows(const struct reading *r, size_t wf, uint32_t of, const char *artifact,
    struct tf_error *err)
{
	uint32_t list = member(r, of, "attestations_statuses");
	bool keyed = is_type(r, list, TF_ANY_OBJECT);
	enum tf_code rc = TF_OK;

	if (list == TF_ANY_NONE)
		return TF_OK;
	if (!keyed && !is_type(r, list, TF_ANY_ARRAY))
		return tf_fail(err, TF_INVALID,
		    "\"attestations_statuses\" is no list");
	for (uint32_t t = list + 1; rc == TF_OK && t < r->d->v[list].next;
	     t = r->d->v[t].next) {
		struct import_workflow *w = &r->p->wf[wf];

		if (!is_reported(r, t))
			continue;
		rc = add_attestation(r, w, t, artifact, keyed ? t : TF_ANY_NONE,
		    true, err);
		if (rc == TF_OK && artifact != NULL)
			rc = claim_artifact(r, of, &w->att[w->n - 1].claims,
			    err);
	}
	return rc;
}

static enum tf_code
add_all_rows(const struct reading *r, size_t wf, uint32_t trail,
    struct tf_error *err)
{
	uint32_t status = member(r, trail, "compliance_status"), of;
	char *name;
	enum tf_code rc;

	if (status == TF_ANY_NONE)
		return TF_OK;
	if ((rc = add_rows(r, wf, status, NULL, err)) != TF_OK)
		return rc;
	of = member(r, status, "artifacts_statuses");
	if (!is_type(r, of, TF_ANY_OBJECT))
		return TF_OK;
	for (uint32_t t = of + 1; rc == TF_OK && t < r->d->v[of].next;
	     t = r->d->v[t].next) {
		struct tf_str key = tf_any_key(r->d, t);

		if ((name = strndup(key.p, key.n)) == NULL)
			return tf_nomem(err);
		rc = add_rows(r, wf, t, name, err);
		free(name);
	}
	return rc;
}

/* --- events ------------------------------------------------------------------- */

struct row {
	const char *id;
	size_t at; /* in the workflow */
};

static int
by_id(const void *x, const void *y)
{
	return strcmp(((const struct row *)x)->id, ((const struct row *)y)->id);
}

/* Is it an event about an attestation, with an id? */
static bool
is_report(const struct reading *r, uint32_t obj)
{
	static const char *const types[] = { "trail_attestation_reported",
		"trail_attestation_for_artifact_reported",
		"artifact_attestation_reported" };
	uint32_t t = member(r, obj, "type");

	if (!is_type(r, t, TF_ANY_STRING) ||
	    member(r, obj, "attestation_id") == TF_ANY_NONE)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (tf_str_same(tf_any_text(r->d, t), tf_str_of(types[i])))
			return true;
	return false;
}

/* Give a row its time, or add what no row is about. */
static enum tf_code
add_event(const struct reading *r, struct import_workflow *w, uint32_t obj,
    const struct row *rows, size_t n, struct tf_error *err)
{
	struct row key = { 0 }, *found;
	char *id;
	enum tf_code rc = text(r, obj, "attestation_id", &id, err);

	if (rc != TF_OK || id == NULL)
		return rc;
	key.id = id;
	found = n == 0 ? NULL : bsearch(&key, rows, n, sizeof(*rows), by_id);
	free(id);
	if (found == NULL)
		return add_attestation(r, w, obj, NULL, TF_ANY_NONE, true, err);
	return w->att[found->at].from.at[0] != '\0' ?
	    TF_OK :
	    time_member(r, obj, "timestamp", w->att[found->at].from.at, err);
}

/* The ids stay in place while attestations are added: they are allocated. */
static enum tf_code
add_events(const struct reading *r, size_t wf, uint32_t trail,
    struct tf_error *err)
{
	struct import_workflow *w = &r->p->wf[wf];
	uint32_t list = member(r, trail, "events");
	struct row *rows;
	size_t n = 0;
	enum tf_code rc = TF_OK;

	if (!is_type(r, list, TF_ANY_ARRAY))
		return TF_OK;
	if ((rows = calloc(w->n + 1, sizeof(*rows))) == NULL)
		return tf_nomem(err);
	for (size_t i = 0; i < w->n; i++)
		if (w->att[i].row && w->att[i].from.id != NULL)
			rows[n++] = (struct row){ w->att[i].from.id, i };
	if (n > 0)
		qsort(rows, n, sizeof(*rows), by_id);
	for (uint32_t t = list + 1; rc == TF_OK && t < r->d->v[list].next;
	     t = r->d->v[t].next)
		if (is_report(r, t))
			rc = add_event(r, w, t, rows, n, err);
	free(rows);
	return rc;
}

/* An attestation says of which flow and trail it is, or the command line. */
static enum tf_code
add_record(const struct reading *r, uint32_t obj, struct tf_error *err)
{
	struct import_workflow *w;
	char *flow, *trail = NULL;
	enum tf_code rc = text(r, obj, "flow_name", &flow, err);

	if (rc == TF_OK)
		rc = text(r, obj, "trail_name", &trail, err);
	if (rc == TF_OK &&
	    ((flow == NULL && r->p->flow == NULL) ||
		(trail == NULL && r->p->name == NULL)))
		rc = tf_fail(err, TF_INVALID,
		    "an attestation does not say of which flow and trail it "
		    "is: give --flow and --trail");
	if (rc == TF_OK)
		rc = import_workflow(r->p, flow != NULL ? flow : r->p->flow,
		    trail != NULL ? trail : r->p->name, &w, err);
	if (rc == TF_OK)
		rc = add_attestation(r, w, obj, NULL, TF_ANY_NONE, false, err);
	free(flow);
	free(trail);
	return rc;
}

/* --- trails ------------------------------------------------------------------- */

/* "flow" is a name, or an object with one. */
static enum tf_code
flow_of(const struct reading *r, uint32_t trail, char **out,
    struct tf_error *err)
{
	uint32_t t = member(r, trail, "flow");
	enum tf_code rc;

	if (t == TF_ANY_NONE)
		rc = text(r, trail, "flow_name", out, err);
	else if (is_type(r, t, TF_ANY_OBJECT))
		rc = text(r, t, "name", out, err);
	else
		rc = value_text(r, t, "flow", out, err);
	if (rc == TF_OK && *out == NULL && r->p->flow == NULL)
		rc = tf_fail(err, TF_INVALID,
		    "a trail does not say of which flow it is: give --flow");
	if (rc == TF_OK && *out == NULL && (*out = strdup(r->p->flow)) == NULL)
		rc = tf_nomem(err);
	return rc;
}

static enum tf_code
template_of(const struct reading *r, uint32_t trail, struct tf_buf *out,
    struct tf_error *err)
{
	uint32_t t = member(r, trail, "template"), content;
	struct tf_str s;

	if (!is_type(r, t, TF_ANY_OBJECT))
		return TF_OK;
	content = member(r, t, "content");
	if (!is_type(r, content, TF_ANY_STRING))
		return TF_OK;
	s = tf_any_text(r->d, content);
	tf_buf_add(out, s.p, s.n);
	return tf_buf_end(out, err);
}

static enum tf_code
read_trail(const struct reading *r, uint32_t obj, struct import_workflow *w,
    struct tf_error *err)
{
	uint32_t by = member(r, obj, "created_by");
	enum tf_code rc;

	if (w->described)
		return tf_fail(err, TF_INVALID,
		    "trail %.60s is described twice", w->name);
	w->described = true;
	w->file = r->file;
	if ((rc = time_member(r, obj, "created_at", w->from.at, err)) !=
		TF_OK ||
	    (is_type(r, by, TF_ANY_STRING) &&
		(rc = text(r, obj, "created_by", &w->from.by, err)) != TF_OK) ||
	    (rc = claim_common(r, obj, &w->claims, err)) != TF_OK)
		return rc;
	if (claims_get(&w->claims, "annotation.kosli_compliance") == NULL &&
	    (rc = claim(r, obj, "compliance_state",
		 "annotation.kosli_compliance", &w->claims, err)) != TF_OK)
		return rc;
	return template_of(r, obj, &w->template, err);
}

static enum tf_code
add_trail(const struct reading *r, uint32_t obj, struct tf_error *err)
{
	struct import_workflow *w;
	char *flow = NULL, *name;
	enum tf_code rc = text(r, obj, "name", &name, err);

	if (rc == TF_OK && name == NULL)
		rc = tf_fail(err, TF_INVALID, "a trail has no name");
	if (rc == TF_OK)
		rc = flow_of(r, obj, &flow, err);
	if (rc == TF_OK)
		rc = import_workflow(r->p, flow, name, &w, err);
	if (rc == TF_OK)
		rc = read_trail(r, obj, w, err);
	if (rc == TF_OK)
		rc = add_all_rows(r, (size_t)(w - r->p->wf), obj, err);
	if (rc == TF_OK)
		rc = add_events(r, (size_t)(w - r->p->wf), obj, err);
	free(flow);
	free(name);
	return rc;
}

/* --- the text ------------------------------------------------------------------ */

static enum tf_code
add_value(const struct reading *r, uint32_t t, unsigned level,
    struct tf_error *err)
{
	static const char *const lists[] = { "data", "trails", "trail" };
	enum tf_code rc = TF_OK;

	if (is_type(r, t, TF_ANY_ARRAY) && level < NESTED) {
		for (uint32_t e = t + 1; rc == TF_OK && e < r->d->v[t].next;
		     e = r->d->v[e].next)
			rc = add_value(r, e, level + 1, err);
		return rc;
	}
	if (has(r, t, "attestation_name"))
		return add_record(r, t, err);
	if (has(r, t, "name") &&
	    (has(r, t, "compliance_status") || has(r, t, "compliance_state") ||
		has(r, t, "template") || has(r, t, "flow")))
		return add_trail(r, t, err);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (level < NESTED && member(r, t, lists[i]) != TF_ANY_NONE)
			return add_value(r, member(r, t, lists[i]), level + 1,
			    err);
	return tf_fail(err, TF_INVALID,
	    "it is no JSON of Kosli's trails or attestations");
}

enum tf_code
import_kosli(struct import_plan *p, size_t i, const char *text, size_t n,
    struct tf_error *err)
{
	struct tf_any_doc d = { 0 };
	struct reading r = { .p = p, .file = i, .d = &d };
	enum tf_code rc = tf_any_parse(&d, text, n, err);

	if (rc == TF_TOOBIG)
		rc = tf_fail(err, TF_INVALID,
		    "the JSON has more than %zu bytes or %u values",
		    TF_ANY_BYTES, TF_ANY_VALUES);
	if (rc == TF_OK)
		rc = add_value(&r, 0, 0, err);
	tf_any_free(&d);
	return rc;
}
