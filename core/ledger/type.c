/* Definitions of types of attestations: see type.h. */
#include "type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "name.h"
#include "type_checks.h"
#include "yaml_value.h"

/* --- requirements ------------------------------------------------------- */

static enum tf_code
parse_require(struct tf_defining *d, int i, struct tf_requirement *r,
    struct tf_error *err)
{
	struct tf_str word = { 0 };
	enum tf_code rc = tf_text_parse(d, i, "require", TF_TYPE_ID_MAX, &word,
	    err);

	if (rc != TF_OK || word.p == NULL)
		return rc;
	r->some = tf_str_same(word, tf_str_of("some"));
	if (r->some || tf_str_same(word, tf_str_of("every")))
		return TF_OK;
	return tf_yaml_fail(d->y, tf_yaml_get(d->y, i, "require"), err,
	    "require is neither every nor some");
}

/* Parse what says which subjects requirement i is about. */
static enum tf_code
parse_subjects(struct tf_defining *d, int i, struct tf_requirement *r,
    struct tf_error *err)
{
	int min = tf_yaml_get(d->y, i, "min_subjects");
	enum tf_code rc = TF_OK;

	r->subject_type = tf_str_of("subject");
	r->min_subjects = 1;
	r->has_subject_id = tf_yaml_get(d->y, i, "subject_id") >= 0;
	r->from.text = tf_str_of("");
	if (tf_yaml_get(d->y, i, "from") >= 0)
		rc = tf_member_path_parse(d, i, "from", &r->from, err);
	if (rc == TF_OK && r->has_subject_id)
		rc = tf_member_path_parse(d, i, "subject_id", &r->subject_id,
		    err);
	if (rc == TF_OK)
		rc = tf_id_parse(d, i, "subject_type", &r->subject_type, err);
	if (rc == TF_OK && min >= 0)
		rc = tf_yaml_uint(d->y, min, "min_subjects", 0, TF_ANY_VALUES,
		    &r->min_subjects, err);
	return rc;
}

static enum tf_code
parse_requirement(struct tf_defining *d, int i, struct tf_requirement *r,
    struct tf_error *err)
{
	static const char *const known[] = { "id", "description",
		"subject_type", "from", "subject_id", "require", "min_subjects",
		"applies_to", "checks", NULL };
	enum tf_code rc = tf_yaml_map(d->y, i, "requirement", known, err);

	if (rc == TF_OK)
		rc = tf_member_demand(d, i, "id", err);
	if (rc == TF_OK)
		rc = tf_member_demand(d, i, "checks", err);
	if (rc == TF_OK)
		rc = tf_id_parse(d, i, "id", &r->id, err);
	if (rc == TF_OK)
		rc = tf_text_parse(d, i, "description", TF_DESCRIPTION_MAX,
		    &r->description, err);
	if (rc == TF_OK)
		rc = parse_require(d, i, r, err);
	if (rc == TF_OK)
		rc = parse_subjects(d, i, r, err);
	if (rc == TF_OK && tf_yaml_get(d->y, i, "applies_to") >= 0)
		rc = tf_type_checks_parse(d, i, "applies_to", &r->applies_to,
		    err);
	return rc != TF_OK ?
	    rc :
	    tf_type_checks_parse(d, i, "checks", &r->checks, err);
}

static enum tf_code
parse_requirements(struct tf_defining *d, int i, struct tf_type *t,
    struct tf_error *err)
{
	enum tf_code rc = tf_yaml_list(d->y, i, "requirements", err);
	struct tf_requirement *r;

	if (rc != TF_OK)
		return rc;
	t->n = tf_yaml_count(d->y, i);
	if (t->n == 0 || t->n > TF_TYPE_REQUIREMENTS)
		return tf_yaml_fail(d->y, i, err,
		    "requirements has 1 to %d entries", TF_TYPE_REQUIREMENTS);
	r = tf_arena_array(d->arena, t->n, sizeof(*r));
	if (r == NULL)
		return tf_nomem(err);
	t->requirements = r;
	for (uint32_t k = (uint32_t)i + 1, n = 0; n < t->n;
	     k = d->y->node[k].next, n++) {
		rc = parse_requirement(d, (int)k, &r[n], err);
		for (uint32_t m = 0; m < n && rc == TF_OK; m++) {
			if (tf_str_same(r[m].id, r[n].id))
				rc = tf_yaml_fail(d->y, (int)k, err,
				    "two requirements have the id %.*s",
				    (int)r[n].id.n, r[n].id.p);
		}
		if (rc != TF_OK)
			return rc;
	}
	return TF_OK;
}

/* --- the type ----------------------------------------------------------- */

/* The evidence is a path below the attestation. */
static enum tf_code
parse_evidence(struct tf_defining *d, struct tf_type *t, struct tf_error *err)
{
	int at = tf_yaml_get(d->y, 0, "evidence");
	enum tf_code rc = tf_member_demand(d, 0, "evidence", err);
	size_t start = 0;

	if (rc == TF_OK)
		rc = tf_yaml_str(d->y, at, "evidence", &t->evidence, err);
	if (rc != TF_OK)
		return rc;
	if (t->evidence.n > TF_PATH_BELOW_MAX)
		return tf_yaml_fail(d->y, at, err, "evidence is too long");
	for (size_t k = 0; k <= t->evidence.n; k++) {
		struct tf_error why;

		if (k < t->evidence.n && t->evidence.p[k] != '/')
			continue;
		if (tf_name_check(TF_KIND_EVIDENCE, t->evidence.p + start,
			k - start, &why) != TF_OK)
			return tf_yaml_fail(d->y, at, err, "evidence: %s",
			    why.text);
		start = k + 1;
	}
	return TF_OK;
}

static enum tf_code
parse_type(struct tf_defining *d, struct tf_type *t, struct tf_error *err)
{
	static const char *const known[] = { "version", "description",
		"evidence", "schema", "requirements", NULL };
	enum tf_code rc = tf_yaml_map(d->y, 0, "type", known, err);
	int schema, requirements;
	uint64_t version;

	if (rc == TF_OK)
		rc = tf_member_demand(d, 0, "version", err);
	if (rc == TF_OK)
		rc = tf_yaml_uint(d->y, tf_yaml_get(d->y, 0, "version"),
		    "version", 1, 1, &version, err);
	if (rc == TF_OK)
		rc = tf_text_parse(d, 0, "description", TF_DESCRIPTION_MAX,
		    &t->description, err);
	if (rc == TF_OK)
		rc = parse_evidence(d, t, err);
	if (rc != TF_OK)
		return rc;
	schema = tf_yaml_get(d->y, 0, "schema");
	requirements = tf_yaml_get(d->y, 0, "requirements");
	if (schema < 0 && requirements < 0)
		return tf_yaml_fail(d->y, 0, err,
		    "schema or requirements is missing");
	if (schema >= 0)
		rc = tf_schema_parse(d, schema, &t->schema, err);
	if (rc == TF_OK && requirements >= 0)
		rc = parse_requirements(d, requirements, t, err);
	return rc;
}

enum tf_code
tf_type_parse(const char *p, size_t n, struct tf_type **out,
    struct tf_error *err)
{
	struct tf_type *t = calloc(1, sizeof(*t));
	struct tf_defining d;
	enum tf_code rc;

	*out = NULL;
	if (t == NULL)
		return tf_nomem(err);
	d = (struct tf_defining){ .y = &t->text, .arena = &t->arena };
	rc = tf_yaml_parse(&t->text, p, n, err);
	if (rc == TF_OK)
		rc = parse_type(&d, t, err);
	if (rc != TF_OK) {
		tf_type_free(t);
		return rc;
	}
	t->patterns = d.patterns;
	*out = t;
	return TF_OK;
}

struct tf_str
tf_type_evidence(const struct tf_type *t)
{
	return t->evidence;
}

void
tf_type_free(struct tf_type *t)
{
	if (t == NULL)
		return;
	tf_yaml_free(&t->text);
	tf_arena_free(&t->arena);
	free(t);
}
