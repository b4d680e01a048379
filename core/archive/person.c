/*
 * Persons and controls of an entry.
 *
 * A person is who the kernel says made the entry (uid, with the user name of that
 * time), who had logged in (login uid), and for whom a service says that it acted
 * (a claim).  A reader who asks for a person wants all of these: the answer shows
 * which one it was.
 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../json.h"
#include "../ledger/entry.h"
#include "person.h"

#define PERSON_MAX 256 /* bytes */

bool
tf_package_person_ok(struct tf_str person)
{
	unsigned step = 1;
	uint32_t c;

	if (person.n == 0 || person.n > PERSON_MAX)
		return false;
	for (size_t i = 0; step > 0 && i < person.n; i += step) {
		step = tf_utf8(person.p + i, person.n - i, &c);
		if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == '"' || c == '\\')
			return false;
	}
	return step > 0;
}

/* Is member key of the object at token obj this text, or this number? */
static enum tf_code
is_value(const struct tf_json_doc *d, int obj, const char *key,
    struct tf_str text, bool *yes, struct tf_error *err)
{
	struct tf_buf value = { 0 };
	enum tf_code rc = TF_OK;
	int t = obj < 0 ? -1 : tf_json_get(d, obj, key);

	if (t >= 0 && d->tok[t].type == TF_JSON_STRING)
		rc = tf_json_string(d, t, &value, err);
	else if (t >= 0 && d->tok[t].type == TF_JSON_INT)
		tf_buf_printf(&value, "%lld", (long long)d->tok[t].num);
	if (rc == TF_OK)
		rc = tf_buf_end(&value, err);
	*yes = *yes ||
	    (rc == TF_OK && value.n > 0 &&
		tf_str_same(tf_buf_bytes(&value), text));
	tf_buf_free(&value);
	return rc;
}

static enum tf_code
is_actor(const struct tf_entry *e, struct tf_str person, bool *yes,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc;

	if (e->actor.p == NULL)
		return TF_OK;
	rc = tf_json_parse(&d, e->actor.p, e->actor.n, err);
	if (rc == TF_OK)
		rc = is_value(&d, 0, "uid", person, yes, err);
	if (rc == TF_OK)
		rc = is_value(&d, 0, "user", person, yes, err);
	if (rc == TF_OK)
		rc = is_value(&d, tf_json_get(&d, 0, "hints"), "loginuid",
		    person, yes, err);
	tf_json_doc_free(&d);
	return rc;
}

enum tf_code
tf_package_acted(const struct tf_entry *e, struct tf_str person, bool *yes,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc;

	*yes = false;
	if (e->type == TF_EVIDENCE_READ || e->type == TF_PACKAGE_MADE)
		return TF_OK;
	rc = is_actor(e, person, yes, err);
	if (rc != TF_OK || *yes || e->claims.p == NULL)
		return rc;
	rc = tf_json_parse(&d, e->claims.p, e->claims.n, err);
	if (rc == TF_OK)
		rc = is_value(&d, 0, "onBehalfOf", person, yes, err);
	if (rc == TF_OK)
		rc = is_value(&d, tf_json_get(&d, 0, "annotations"),
		    "on_behalf_of", person, yes, err);
	tf_json_doc_free(&d);
	return rc;
}

enum tf_code
tf_package_claims(const struct tf_entry *e, struct tf_str control, bool *yes,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc;

	*yes = false;
	if (e->claims.p == NULL)
		return TF_OK;
	rc = tf_json_parse(&d, e->claims.p, e->claims.n, err);
	if (rc == TF_OK)
		rc = is_value(&d, 0, "control", control, yes, err);
	tf_json_doc_free(&d);
	return rc;
}
