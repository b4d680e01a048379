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
#include "claims.h"
#include "field_text.h"
#include "fields.h"

#define ANNOTATIONS_MAX 64
#define URLS_MAX 16
#define NAME_MAX_ 64 /* bytes of the name of an annotation, of a label */
#define UIDS_MAX 32

/* The claims with one value, in the order of their JSON keys. */
enum { COMPLIANT, CONTROL, DESCRIPTION, ORIGIN_URL, TYPE, USER_DATA, SINGLES };

static const struct {
	const char *key, *json;
	enum tf_form form;
	size_t max; /* bytes of the value between its quotes */
	bool everywhere;
} singles[SINGLES] = {
	[COMPLIANT] = { "compliant", "compliant", TF_FORM_BOOL, 0, false },
	[CONTROL] = { "control", "control", TF_FORM_CONTROL, 64, false },
	[DESCRIPTION] = { "description", "description", TF_FORM_TEXT2048, 2048,
	    true },
	[ORIGIN_URL] = { "origin-url", "originUrl", TF_FORM_TEXT1024, 1024,
	    true },
	[TYPE] = { "type", "type", TF_FORM_CLAIM_TYPE, 128, false },
	[USER_DATA] = { TF_CLAIM_USER_DATA, "userData", TF_FORM_USER_DATA, 0,
	    true },
};

/* The claims with a name behind a dot. */
static const char annotation_key[] = "annotation.";
static const char url_key[] = "external-url.";
static const char print_key[] = "external-fingerprint.";

/* Values are the text of canonical JSON; p NULL: absent. */
struct named {
	struct tf_str name, value, fingerprint;
};

struct claims {
	struct tf_json_doc doc;
	struct tf_str single[SINGLES];
	/* One more than allowed: the form of the result refuses it. */
	struct named annotation[ANNOTATIONS_MAX + 1], url[URLS_MAX + 1];
	size_t n_annotations, n_urls;
};

/* The name behind prefix in key, or NULL. */
static const char *
behind(const char *key, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(key, prefix, n) == 0 ? key + n : NULL;
}

static int
single_of(const char *key)
{
	for (int i = 0; i < SINGLES; i++)
		if (strcmp(key, singles[i].key) == 0)
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
		return kind == TF_KIND_ATTESTATION || singles[i].everywhere;
	return behind(key, annotation_key) != NULL ||
	    behind(key, url_key) != NULL || behind(key, print_key) != NULL;
}

static enum tf_code
no_data(struct tf_error *err)
{
	return tf_fail(err, TF_NODATA, "no such attribute");
}

/* --- from JSON to slots and back -------------------------------------------- */

static struct tf_str
key_of(const struct tf_json_doc *d, uint32_t t)
{
	return (struct tf_str){ d->text + d->tok[t].key_off,
		d->tok[t].key_len };
}

static void
take_annotations(struct claims *c, int t)
{
	const struct tf_json_doc *d = &c->doc;

	for (uint32_t i = (uint32_t)t + 1;
	     t >= 0 && i < d->tok[t].next && c->n_annotations < ANNOTATIONS_MAX;
	     i = d->tok[i].next)
		c->annotation[c->n_annotations++] = (struct named){
			key_of(d, i), tf_json_text(d, (int)i), { NULL, 0 }
		};
}

static void
take_urls(struct claims *c, int t)
{
	const struct tf_json_doc *d = &c->doc;

	for (uint32_t i = (uint32_t)t + 1;
	     t >= 0 && i < d->tok[t].next && c->n_urls < URLS_MAX;
	     i = d->tok[i].next)
		c->url[c->n_urls++] = (struct named){ key_of(d, i),
			tf_json_text(d, tf_json_get(d, (int)i, "href")),
			tf_json_text(d,
			    tf_json_get(d, (int)i, "fingerprint")) };
}

/* Parse the claims; free them with release(). */
static enum tf_code
take(struct claims *c, struct tf_str json, struct tf_error *err)
{
	enum tf_code rc;

	memset(c, 0, sizeof(*c));
	if (json.n == 0)
		return TF_OK;
	if ((rc = tf_json_parse(&c->doc, json.p, json.n, err)) != TF_OK)
		return rc;
	if (!tf_form_ok(&c->doc, 0, TF_FORM_CLAIMS))
		return tf_fail(err, TF_TAMPER, "the claims are malformed");
	for (int i = 0; i < SINGLES; i++)
		c->single[i] = tf_json_text(&c->doc,
		    tf_json_get(&c->doc, 0, singles[i].json));
	take_annotations(c, tf_json_get(&c->doc, 0, "annotations"));
	take_urls(c, tf_json_get(&c->doc, 0, "externalUrls"));
	return TF_OK;
}

static void
release(struct claims *c)
{
	tf_json_doc_free(&c->doc);
}

/* Write the name of an entry of a map; it may be malformed. */
static void
put_name(struct tf_json *j, struct tf_str name)
{
	char key[NAME_MAX_ + 1];

	(void)snprintf(key, sizeof(key), "%.*s", (int)name.n, name.p);
	tf_json_key(j, key);
}

static void
put_annotations(struct tf_json *j, const struct claims *c)
{
	if (c->n_annotations == 0)
		return;
	tf_json_key(j, "annotations");
	tf_json_object(j);
	for (size_t i = 0; i < c->n_annotations; i++) {
		put_name(j, c->annotation[i].name);
		tf_json_raw(j, c->annotation[i].value);
	}
	tf_json_object_end(j);
}

static void
put_urls(struct tf_json *j, const struct claims *c)
{
	if (c->n_urls == 0)
		return;
	tf_json_key(j, "externalUrls");
	tf_json_object(j);
	for (size_t i = 0; i < c->n_urls; i++) {
		put_name(j, c->url[i].name);
		tf_json_object(j);
		tf_put_raw(j, "fingerprint", c->url[i].fingerprint);
		tf_put_raw(j, "href", c->url[i].value);
		tf_json_object_end(j);
	}
	tf_json_object_end(j);
}

/* Append the claims to out; nothing if there are none. */
static enum tf_code
put(const struct claims *c, struct tf_buf *out, struct tf_error *err)
{
	size_t n = c->n_annotations + c->n_urls;
	struct tf_json j;

	for (int i = 0; i < SINGLES; i++)
		n += c->single[i].p != NULL;
	if (n == 0)
		return TF_OK;
	if (c->n_annotations > ANNOTATIONS_MAX)
		return tf_fail(err, TF_NOSPACE, "there are %d annotations",
		    ANNOTATIONS_MAX);
	if (c->n_urls > URLS_MAX)
		return tf_fail(err, TF_NOSPACE, "there are %d external URLs",
		    URLS_MAX);
	tf_json_begin(&j, out);
	tf_json_object(&j);
	put_annotations(&j, c);
	for (int i = 0; i < SINGLES; i++) {
		if (i == ORIGIN_URL)
			put_urls(&j, c); /* between description and it */
		tf_put_raw(&j, singles[i].json, c->single[i]);
	}
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

/* --- one value ------------------------------------------------------------------- */

/* A value as JSON, in memory of its own. */
struct value {
	struct tf_buf text; /* an array with the value in it */
	struct tf_str json;
};

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
place_of(const struct named *list, size_t n, struct tf_str name, bool *there)
{
	size_t i = 0;

	while (i < n && tf_str_cmp(list[i].name, name) < 0)
		i++;
	*there = i < n && tf_str_same(list[i].name, name);
	return i;
}

static void
remove_at(struct named *list, size_t *n, size_t i)
{
	memmove(list + i, list + i + 1, (--*n - i) * sizeof(*list));
}

static void
insert_at(struct named *list, size_t *n, size_t i, struct tf_str name)
{
	memmove(list + i + 1, list + i, ((*n)++ - i) * sizeof(*list));
	list[i] = (struct named){ .name = name };
}

/* Set or remove (p NULL) one element of a list. */
static enum tf_code
change_named(struct named *list, size_t *count, const char *key,
    const char *name, const char *p, size_t n, enum tf_claims_rule rule,
    struct value *v, struct tf_error *err)
{
	struct tf_str s = { name, strlen(name) };
	enum tf_code rc;
	bool there;
	size_t i;

	if (s.n > NAME_MAX_)
		return tf_fail(err, TF_TOOBIG, "a name has at most %d bytes",
		    NAME_MAX_);
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

static enum tf_code
change_fingerprint(struct claims *c, const char *key, const char *label,
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

static enum tf_code
change(struct claims *c, const char *key, const char *p, size_t n,
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
	if (i < 0 || i == USER_DATA)
		return tf_fail(err, TF_UNSUPPORTED,
		    "no claim has the key %.60s", key);
	rc = check_rule(c->single[i].p != NULL, p == NULL, rule, err);
	if (rc == TF_OK && p != NULL)
		rc = make(v, key, singles[i].form, singles[i].max, p, n, err);
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
	struct claims c;
	enum tf_code rc;

	if ((rc = take(&c, old, err)) == TF_OK &&
	    (rc = change(&c, key, value, n, rule, &v, err)) == TF_OK) {
		rc = put(&c, out, err);
		if (rc == TF_INVALID) /* a name that is no key of JSON */
			rc = tf_fail(err, rc, "%.60s: the name is malformed",
			    key);
	}
	if (rc == TF_OK)
		rc = check_whole(out, start, key, err);
	release(&c);
	tf_buf_free(&v.text);
	return rc;
}

enum tf_code
tf_claims_set_user_data(struct tf_str old, const struct tf_content *content,
    enum tf_claims_rule rule, struct tf_buf *out, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	size_t start = out->n;
	struct claims c;
	struct tf_json j;
	enum tf_code rc;

	if ((rc = take(&c, old, err)) == TF_OK)
		rc = check_rule(c.single[USER_DATA].p != NULL, content == NULL,
		    rule, err);
	if (rc == TF_OK)
		c.single[USER_DATA] = (struct tf_str){ NULL, 0 };
	if (rc == TF_OK && content != NULL) {
		tf_json_begin(&j, &text);
		tf_json_object(&j);
		tf_put_hash(&j, "sha256", &content->sha256);
		tf_put_uint(&j, "size", content->size);
		tf_json_object_end(&j);
		rc = tf_json_end(&j, err);
		c.single[USER_DATA] = (struct tf_str){ text.p, text.n };
	}
	if (rc == TF_OK)
		rc = put(&c, out, err);
	if (rc == TF_OK)
		rc = check_whole(out, start, TF_CLAIM_USER_DATA, err);
	release(&c);
	tf_buf_free(&text);
	return rc;
}

/* --- reading -------------------------------------------------------------------- */

/* The JSON of one value. */
static struct tf_str
value_of(const struct claims *c, const char *key)
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
	struct claims c;
	struct tf_str s;
	enum tf_code rc = take(&c, claims, err);
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
	release(&c);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

/* Find the member key, of this form, in the object json. */
static enum tf_code
content_of(struct tf_str json, const char *key, enum tf_form form,
    struct tf_content *out, bool *has, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_str hex;
	enum tf_code rc;
	int t;

	*has = false;
	if (json.n == 0)
		return TF_OK;
	if ((rc = tf_json_parse(&d, json.p, json.n, err)) != TF_OK)
		return rc;
	t = tf_json_get(&d, 0, key);
	if (t >= 0 && !tf_form_ok(&d, t, form)) {
		rc = tf_fail(err, TF_TAMPER, "%s is malformed", key);
	} else if (t >= 0) {
		hex = tf_json_text(&d, tf_json_get(&d, t, "sha256"));
		*has = tf_unhex(hex.p + 1, hex.n - 2, out->sha256.b,
		    sizeof(out->sha256.b));
		out->size = (uint64_t)d.tok[tf_json_get(&d, t, "size")].num;
	}
	tf_json_doc_free(&d);
	return rc;
}

enum tf_code
tf_claims_user_data(struct tf_str claims, struct tf_content *out, bool *has,
    struct tf_error *err)
{
	return content_of(claims, "userData", TF_FORM_USER_DATA, out, has, err);
}

enum tf_code
tf_evaluated_report(struct tf_str evaluated, struct tf_content *out, bool *has,
    struct tf_error *err)
{
	return content_of(evaluated, "report", TF_FORM_CONTENT, out, has, err);
}

enum tf_code
tf_claimants_add(struct tf_str old, uint32_t uid, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	uint32_t n = 0;
	struct tf_json j;
	bool placed = false;
	enum tf_code rc = TF_OK;

	if (old.n > 0 && (rc = tf_json_parse(&d, old.p, old.n, err)) != TF_OK)
		return rc;
	tf_json_begin(&j, out);
	tf_json_array(&j);
	for (uint32_t t = 1; t < d.n; t = d.tok[t].next, n++) {
		if (!placed && d.tok[t].num > (int64_t)uid) {
			tf_json_int(&j, uid);
			n++;
		}
		placed = placed || d.tok[t].num >= (int64_t)uid;
		tf_json_int(&j, d.tok[t].num);
	}
	if (!placed) {
		tf_json_int(&j, uid);
		n++;
	}
	tf_json_array_end(&j);
	tf_json_doc_free(&d);
	if (n > UIDS_MAX)
		return tf_fail(err, TF_DENIED,
		    "%d users have set claims about it already", UIDS_MAX);
	return tf_json_end(&j, err);
}
