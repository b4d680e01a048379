/*
 * JSON Schemas as types: see kosli_schema.h.
 *
 * A type of trailfs-type(5) is YAML, and JSON is YAML in its flow form, so the
 * schema is copied into the text member by member. Only remarks are dropped,
 * and only where a key is a keyword: a property that is called "title" stays.
 * Unknown keywords stay too, because dropping a rule would let data pass that
 * the schema forbids.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/json_any.h"
#include "core/base/json_any_write.h"
#include "files.h"
#include "kosli_schema.h"

#define SCHEMA_MAX ((size_t)1 << 20) /* bytes of the file */

static bool
is(struct tf_str s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

/* Does this keyword only speak to people? */
static bool
is_remark(struct tf_str key)
{
	static const char *const remarks[] = { "$schema", "$id", "$comment",
		"title", "description", "examples", "default" };

	for (size_t i = 0; i < sizeof(remarks) / sizeof(*remarks); i++)
		if (is(key, remarks[i]))
			return true;
	return false;
}

/* What value i is: its keys are keywords, or names of properties, or it has no
 * schema in it. */
enum place { SCHEMA, PROPERTIES, VALUE };

/* What the value of key is, in a schema or a list of properties. */
static enum place
place_of(enum place in, struct tf_str key)
{
	if (in == PROPERTIES)
		return SCHEMA;
	return in == SCHEMA && is(key, "properties") ? PROPERTIES :
	    in == SCHEMA && is(key, "items")	     ? SCHEMA :
						       VALUE;
}

/* Append value i; `in` says whether its keys are keywords. */
static void
put(struct tf_buf *out, const struct tf_any_doc *d, uint32_t i, enum place in)
{
	const struct tf_any *v = &d->v[i];
	const char *between = "{";

	if (v->type != TF_ANY_OBJECT || in == VALUE) {
		(void)tf_any_put(out, d, i, SCHEMA_MAX);
		return;
	}
	if (v->count == 0)
		tf_buf_str(out, "{");
	for (uint32_t m = i + 1; m < v->next; m = d->v[m].next) {
		const struct tf_str key = tf_any_key(d, m);

		if (in == SCHEMA && is_remark(key))
			continue;
		tf_buf_str(out, between);
		tf_any_put_string(out, key);
		tf_buf_str(out, ": ");
		put(out, d, m, place_of(in, key));
		between = ", ";
	}
	if (v->count > 0 && between[0] == '{')
		tf_buf_str(out, "{"); /* there were only remarks */
	tf_buf_str(out, "}");
}

enum tf_code
kosli_schema(const char *path, const char *description, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_any_doc d = { 0 };
	enum tf_code rc = files_read(path, SCHEMA_MAX, &text, err);

	if (rc == TF_OK && tf_any_parse(&d, text.p, text.n, err) != TF_OK) {
		char why[sizeof(err->text)];

		(void)snprintf(why, sizeof(why), "%s", err->text);
		rc = tf_fail(err, TF_INVALID, "%.80s: %s", path, why);
	}
	if (rc == TF_OK && d.v[0].type != TF_ANY_OBJECT)
		rc = tf_fail(err, TF_INVALID, "%.80s is no JSON object", path);
	if (rc == TF_OK) {
		tf_buf_str(out, "version: 1\n");
		if (description != NULL) {
			tf_buf_str(out, "description: ");
			tf_any_put_string(out,
			    (struct tf_str){ description,
				strlen(description) });
			tf_buf_str(out, "\n");
		}
		tf_buf_str(out, "evidence: " KOSLI_DATA "\nschema: ");
		put(out, &d, 0, SCHEMA);
		tf_buf_str(out, "\n");
		rc = tf_buf_end(out, err);
	}
	tf_any_free(&d);
	tf_buf_free(&text);
	return rc;
}
