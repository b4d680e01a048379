/*
 * Claims: see claims.h.  A change parses the old object into slots, sets one
 * slot, and writes all slots again in the order of their keys.  The values are
 * checked by the forms of fields.h, which the decoder of entries uses, too: so
 * no seal can fail because of a claim.
 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "claim_slots.h"
#include "claims.h"
#include "field_text.h"
#include "fields.h"

/* The claims with a name behind a dot. */
static const char annotation_key[] = "annotation.";
static const char url_key[] = "external-url.";
static const char print_key[] = "external-fingerprint.";

/* The name behind prefix in key, or NULL. */
static const char *
behind(const char *key, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(key, prefix, n) == 0 ? key + n : NULL;
}

/* The index of key in tf_single_claims, or -1. */
static int
single_of(const char *key)
{
	for (int i = 0; i < TF_CLAIM_SINGLES; i++)
		if (strcmp(key, tf_single_claims[i].key) == 0)
			return i;
	return -1;
}

bool
tf_claims_has_key(enum tf_kind kind, const char *key)
{
	int i = single_of(key);

	if (kind < TF_KIND_TRAIL || kind > TF_KIND_ATTESTATION)
		return false;
	if (i >= 0)
		return kind == TF_KIND_ATTESTATION ||
		    tf_single_claims[i].everywhere;
	return behind(key, annotation_key) != NULL ||
	    behind(key, url_key) != NULL || behind(key, print_key) != NULL;
}

static enum tf_code
no_data(struct tf_error *err)
{
	return tf_fail(err, TF_NODATA, "no such attribute");
}

/* --- one value ------------------------------------------------------------------- */

/* A value as JSON, in memory of its own. */
struct value {
	struct tf_buf text; /* an array with the value in it */
	struct tf_str json;
};

/* The value itself is not shown: it may be long, or not fit to print. */
static enum tf_code
malformed(const char *key, struct tf_error *err)
{
	return tf_fail(err, TF_INVALID, "%.60s has a value that it cannot have",
	    key);
}

/* Make JSON of a value of this form, with at most max bytes. */
static enum tf_code
make(struct value *v, const char *key, enum tf_form form, size_t max,
    const char *p, size_t n, struct tf_error *err)
{
	struct tf_json_doc d;
	struct tf_json j;
	enum tf_code rc;
	bool ok;

	if (n == 0)
		return tf_fail(err, TF_INVALID, "%.60s needs a value", key);
	tf_json_begin(&j, &v->text);
	tf_json_array(&j);
	if (form != TF_FORM_BOOL)
		tf_json_str(&j, p, n);
	else if (n == 4 && memcmp(p, "true", 4) == 0)
		tf_json_bool(&j, true);
	else if (n == 5 && memcmp(p, "false", 5) == 0)
		tf_json_bool(&j, false);
	else
		return malformed(key, err);
	tf_json_array_end(&j);
	if ((rc = tf_json_end(&j, err)) != TF_OK)
		return rc == TF_INVALID ? malformed(key, err) : rc;
	v->json = (struct tf_str){ v->text.p + 1, v->text.n - 2 };
	if (max > 0 && v->json.n - 2 > max)
		return tf_fail(err, TF_TOOBIG, "%.60s has at most %zu bytes",
		    key, max);
	if ((rc = tf_json_parse(&d, v->text.p, v->text.n, err)) != TF_OK)
		return rc;
	ok = tf_form_ok(&d, 1, form);
	tf_json_doc_free(&d);
	return ok ? TF_OK : malformed(key, err);
}

/*
 * The flags of setxattr(2): XATTR_CREATE and XATTR_REPLACE.  Removing needs a
 * claim.
 */
static enum tf_code
check_rule(bool exists, bool removes, enum tf_claims_rule rule,
    struct tf_error *err)
{
	if (exists && rule == TF_CLAIMS_CREATE)
		return tf_fail(err, TF_EXISTS, "the attribute exists");
	if (!exists && (rule == TF_CLAIMS_REPLACE || removes))
		return no_data(err);
	return TF_OK;
}

/* The place of name in the sorted list; *there: it is in it. */
static size_t
place_of(const struct tf_named_claim *list, size_t n, struct tf_str name,
    bool *there)
{
	size_t i = 0;

	while (i < n && tf_str_cmp(list[i].name, name) < 0)
		i++;
	*there = i < n && tf_str_same(list[i].name, name);
	return i;
}

static void
remove_at(struct tf_named_claim *list, size_t *n, size_t i)
{
	memmove(list + i, list + i + 1, (--*n - i) * sizeof(*list));
}

/*
 * The list has room for one more than is allowed; tf_claim_slots_put() refuses
 * that one.
 */
static void
insert_at(struct tf_named_claim *list, size_t *n, size_t i, struct tf_str name)
{
	memmove(list + i + 1, list + i, ((*n)++ - i) * sizeof(*list));
	list[i] = (struct tf_named_claim){ .name = name };
}

/* Set or remove (p NULL) one element of a list. */
static enum tf_code
change_named(struct tf_named_claim *list, size_t *count, const char *key,
    const char *name, const char *p, size_t n, enum tf_claims_rule rule,
    struct value *v, struct tf_error *err)
{
	struct tf_str s = { name, strlen(name) };
	enum tf_code rc;
	bool there;
	size_t i;

	if (s.n > TF_CLAIM_NAME_MAX)
		return tf_fail(err, TF_TOOBIG, "a name has at most %d bytes",
		    TF_CLAIM_NAME_MAX);
	if (s.n == 0)
		return tf_fail(err, TF_INVALID, "%.60s needs a name", key);
	i = place_of(list, *count, s, &there);
	rc = check_rule(there, p == NULL, rule, err);
	if (rc == TF_OK && p != NULL)
		rc = make(v, key, TF_FORM_TEXT1024, 1024, p, n, err);
	if (rc != TF_OK)
		return rc;
	if (p == NULL) {
		remove_at(list, count, i);
		return TF_OK;
	}
	if (!there)
		insert_at(list, count, i, s);
	list[i].value = v->json;
	return TF_OK;
}

/* A fingerprint is a part of its URL, so it cannot stand without one. */
static enum tf_code
change_fingerprint(struct tf_claim_slots *c, const char *key, const char *label,
    const char *p, size_t n, enum tf_claims_rule rule, struct value *v,
    struct tf_error *err)
{
	struct tf_str s = { label, strlen(label) };
	enum tf_code rc;
	bool there;
	size_t i = place_of(c->url, c->n_urls, s, &there);

	if (!there && p != NULL)
		return tf_fail(err, TF_INVALID,
		    "set external-url.%.40s before its fingerprint", label);
	rc = check_rule(there && c->url[i].fingerprint.p != NULL, p == NULL,
	    rule, err);
	if (rc == TF_OK && p != NULL)
		rc = make(v, key, TF_FORM_DIGEST, 64, p, n, err);
	if (rc == TF_OK)
		c->url[i].fingerprint = v->json;
	return rc;
}

/*
 * User data has a digest in its claim and comes by tf_claims_set_user_data().
 */
static enum tf_code
change(struct tf_claim_slots *c, const char *key, const char *p, size_t n,
    enum tf_claims_rule rule, struct value *v, struct tf_error *err)
{
	int i = single_of(key);
	const char *name;
	enum tf_code rc;

	if ((name = behind(key, annotation_key)) != NULL)
		return change_named(c->annotation, &c->n_annotations, key, name,
		    p, n, rule, v, err);
	if ((name = behind(key, url_key)) != NULL)
		return change_named(c->url, &c->n_urls, key, name, p, n, rule,
		    v, err);
	if ((name = behind(key, print_key)) != NULL)
		return change_fingerprint(c, key, name, p, n, rule, v, err);
	if (i < 0 || i == TF_CLAIM_USER_DATA_CONTENT)
		return tf_fail(err, TF_UNSUPPORTED,
		    "no claim has the key %.60s", key);
	rc = check_rule(c->single[i].p != NULL, p == NULL, rule, err);
	if (rc == TF_OK && p != NULL)
		rc = make(v, key, tf_single_claims[i].form,
		    tf_single_claims[i].max, p, n, err);
	if (rc == TF_OK)
		c->single[i] = v->json;
	return rc;
}

/* --- the changes ---------------------------------------------------------------- */

/* The form of the whole: a name may be malformed, and the object too long. */
static enum tf_code
check_whole(const struct tf_buf *out, size_t start, const char *key,
    struct tf_error *err)
{
	struct tf_json_doc d;
	enum tf_code rc;
	bool ok;

	if (out->n == start)
		return TF_OK;
	if (out->n - start > TF_CLAIMS_MAX)
		return tf_fail(err, TF_NOSPACE,
		    "the claims together have at most %d bytes", TF_CLAIMS_MAX);
	rc = tf_json_parse(&d, out->p + start, out->n - start, err);
	if (rc != TF_OK)
		return rc;
	ok = tf_form_ok(&d, 0, TF_FORM_CLAIMS);
	tf_json_doc_free(&d);
	return ok ?
	    TF_OK :
	    tf_fail(err, TF_INVALID, "%.60s: the name is malformed", key);
}

enum tf_code
tf_claims_change(struct tf_str old, const char *key, const void *value,
    size_t n, enum tf_claims_rule rule, struct tf_buf *out,
    struct tf_error *err)
{
	struct value v = { 0 };
	size_t start = out->n;
	struct tf_claim_slots c;
	enum tf_code rc;

	if ((rc = tf_claim_slots_parse(&c, old, err)) == TF_OK &&
	    (rc = change(&c, key, value, n, rule, &v, err)) == TF_OK) {
		rc = tf_claim_slots_put(&c, out, err);
		if (rc == TF_INVALID) /* a name that is no key of JSON */
			rc = tf_fail(err, rc, "%.60s: the name is malformed",
			    key);
	}
	if (rc == TF_OK)
		rc = check_whole(out, start, key, err);
	tf_claim_slots_free(&c);
	tf_buf_free(&v.text);
	return rc;
}

enum tf_code
tf_claims_set_user_data(struct tf_str old, const struct tf_content *content,
    enum tf_claims_rule rule, struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	size_t start = out->n;
	struct tf_claim_slots c;
	struct tf_json j;
	enum tf_code rc;

	if ((rc = tf_claim_slots_parse(&c, old, err)) == TF_OK)
		rc = check_rule(c.single[TF_CLAIM_USER_DATA_CONTENT].p != NULL,
		    content == NULL, rule, err);
	if (rc == TF_OK)
		c.single[TF_CLAIM_USER_DATA_CONTENT] = (struct tf_str){ NULL,
			0 };
	if (rc == TF_OK && content != NULL) {
		tf_json_begin(&j, &text);
		tf_json_object(&j);
		tf_put_hash(&j, "sha256", &content->sha256);
		tf_put_uint(&j, "size", content->size);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
		c.single[TF_CLAIM_USER_DATA_CONTENT] = (struct tf_str){ text.p,
			text.n };
	}
	if (rc == TF_OK)
		rc = tf_claim_slots_put(&c, out, err);
	if (rc == TF_OK)
		rc = check_whole(out, start, TF_CLAIM_USER_DATA, err);
	tf_claim_slots_free(&c);
	tf_buf_free(&text);
	return rc;
}

/* --- reading -------------------------------------------------------------------- */

/* The JSON of one value. */
static struct tf_str
value_of(const struct tf_claim_slots *c, const char *key)
{
	int i = single_of(key);
	const char *name;
	size_t at;
	bool there;

	if (i >= 0)
		return c->single[i];
	if ((name = behind(key, annotation_key)) != NULL) {
		at = place_of(c->annotation, c->n_annotations, tf_str_of(name),
		    &there);
		if (there)
			return c->annotation[at].value;
	} else if ((name = behind(key, url_key)) != NULL ||
	    (name = behind(key, print_key)) != NULL) {
		at = place_of(c->url, c->n_urls, tf_str_of(name), &there);
		if (there)
			return behind(key, url_key) != NULL ?
			    c->url[at].value :
			    c->url[at].fingerprint;
	}
	return (struct tf_str){ NULL, 0 };
}

enum tf_code
tf_claims_value(struct tf_str claims, const char *key, struct tf_buf *out,
    struct tf_error *err)
{
	char text[2048];
	struct tf_claim_slots c;
	struct tf_str s;
	enum tf_code rc = tf_claim_slots_parse(&c, claims, err);
	long n;

	s = rc == TF_OK ? value_of(&c, key) : (struct tf_str){ NULL, 0 };
	if (rc == TF_OK && s.n > 2 && s.p[0] == '"') {
		n = tf_text_unescape(s.p + 1, s.n - 2, text, sizeof(text));
		if (n > 0)
			tf_buf_add(out, text, (size_t)n);
	} else if (rc == TF_OK && s.n > 0 && s.p[0] != '{') {
		tf_buf_add(out, s.p, s.n);
	} else if (rc == TF_OK) {
		rc = no_data(err);
	}
	tf_claim_slots_free(&c);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}
