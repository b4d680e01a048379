/*
 * Texts that stand apart: see withheld.h.  The forms of fields.c say where an
 * entry has texts, so that writers and readers find the same ones.  A text and
 * its digest may change places without any other byte of the entry.
 */
#include "withheld.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "entry.h"
#include "entry_types.h"
#include "field_text.h"

struct rewriting {
	tf_withheld_fn fn;
	void *arg;
	struct tf_buf *out;
	struct tf_str field;
	size_t copied; /* bytes of the text that out has */
	bool changed;
};

/* The token of the object that token t is a member of. */
static int
parent_of(const struct tf_json_doc *d, int t)
{
	int up = t - 1;

	while (up > 0 && d->tok[up].next <= (uint32_t)t)
		up--;
	return up;
}

static struct tf_str
key_of(const struct tf_json_doc *d, int t)
{
	return (struct tf_str){ d->text + d->tok[t].key_off,
		d->tok[t].key_len };
}

/* Claims have the names of their extended attributes. */
static void
name_text(const struct tf_json_doc *d, int t, struct tf_withheld *x)
{
	static const char *const names[][2] = { { "originUrl", "origin-url" },
		{ "onBehalfOf", "on-behalf-of" } };
	const struct tf_str up = t == 0 ? (struct tf_str){ NULL, 0 } :
					  key_of(d, parent_of(d, t));
	struct tf_str key = key_of(d, t);
	const char *prefix = "";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (tf_str_same(key, tf_str_of(names[i][0])))
			key = tf_str_of(names[i][1]);
	if (tf_str_same(x->field, tf_str_of("imported"))) {
		prefix = "imported.";
	} else if (tf_str_same(up, tf_str_of("annotations"))) {
		prefix = "annotation.";
	} else if (tf_str_same(key, tf_str_of("href"))) {
		prefix = "external-url.";
		key = up;
	}
	(void)snprintf(x->name, sizeof(x->name), "%s%.*s", prefix, (int)key.n,
	    key.p);
}

static enum tf_code
one_text(void *arg, const struct tf_json_doc *d, int t, size_t max,
    struct tf_error *err)
{
	struct rewriting *r = arg;
	const struct tf_json_token *tok = &d->tok[t];
	struct tf_withheld x = { .field = r->field,
		.json = tf_json_text(d, t),
		.max = max,
		.is = tf_form_withheld(d, t) };
	struct tf_str hex;
	size_t before;
	enum tf_code rc;

	name_text(d, t, &x);
	if (x.is) {
		hex = tf_json_text(d, t + 1);
		(void)tf_unhex(hex.p + 1, hex.n - 2, x.sha256.b,
		    sizeof(x.sha256.b));
	}
	tf_buf_add(r->out, d->text + r->copied, tok->off - r->copied);
	r->copied = tok->off;
	before = r->out->n;
	rc = r->fn(r->arg, &x, r->out, err);
	if (rc == TF_OK && r->out->n != before) {
		r->copied += tok->len;
		r->changed = true;
	}
	return rc;
}

/* Append what is left, and say whether anything changed. */
static enum tf_code
end(struct rewriting *r, const struct tf_json_doc *d, size_t n, bool *changed,
    struct tf_error *err)
{
	tf_buf_add(r->out, d->text + r->copied, n - r->copied);
	if (changed != NULL)
		*changed = r->changed;
	return tf_buf_end(r->out, err);
}

/* The known fields of its type; those that every type may have, if the type is
 * of a later version. */
static tf_field_set
fields_of(const struct tf_json_doc *d)
{
	const int t = tf_json_get(d, 0, "type");
	const struct tf_str s = tf_json_text(d, t);
	enum tf_entry_kind kind = TF_TYPE_UNKNOWN;

	if (t >= 0 && d->tok[t].type == TF_JSON_STRING)
		kind = tf_entry_type_of((struct tf_str){ s.p + 1, s.n - 2 });
	return TF_FIELDS_COMMON | tf_entry_types[kind].must |
	    tf_entry_types[kind].may;
}

enum tf_code
tf_withheld_entry(const char *bytes, size_t n, tf_withheld_fn fn, void *arg,
    struct tf_buf *out, bool *changed, struct tf_error *err)
{
	struct rewriting r = { .fn = fn, .arg = arg, .out = out };
	struct tf_json_doc d;
	tf_field_set may;
	enum tf_code rc = tf_json_parse(&d, bytes, n, err);

	if (rc != TF_OK)
		return rc;
	may = fields_of(&d);
	for (uint32_t t = 1; rc == TF_OK && t < d.n; t = d.tok[t].next) {
		const struct tf_entry_field *f;

		r.field = (struct tf_str){ bytes + d.tok[t].key_off,
			d.tok[t].key_len };
		f = tf_entry_find_field(r.field, may);
		if (f != NULL && tf_form_ok(&d, (int)t, f->form))
			rc = tf_form_texts(&d, (int)t, f->form, one_text, &r,
			    err);
	}
	if (rc == TF_OK)
		rc = end(&r, &d, n, changed, err);
	tf_json_doc_free(&d);
	return rc;
}

enum tf_code
tf_withheld_value(const char *field, struct tf_str json, tf_withheld_fn fn,
    void *arg, struct tf_buf *out, bool *changed, struct tf_error *err)
{
	struct rewriting r = { .fn = fn,
		.arg = arg,
		.out = out,
		.field = tf_str_of(field) };
	const struct tf_entry_field *f = tf_entry_find_field(r.field,
	    TF_BIT(CLAIMS) | TF_BIT(IMPORTED));
	struct tf_json_doc d;
	enum tf_code rc = tf_json_parse(&d, json.p, json.n, err);

	if (rc != TF_OK)
		return rc;
	if (f != NULL && tf_form_ok(&d, 0, f->form))
		rc = tf_form_texts(&d, 0, f->form, one_text, &r, err);
	if (rc == TF_OK)
		rc = end(&r, &d, json.n, changed, err);
	tf_json_doc_free(&d);
	return rc;
}

struct naming {
	tf_withheld_named_fn fn;
	void *arg;
};

static enum tf_code
name_apart(void *arg, const struct tf_withheld *x, struct tf_buf *out,
    struct tf_error *err)
{
	const struct naming *n = arg;

	(void)out;
	return x->is ? n->fn(n->arg, x, err) : TF_OK;
}

/* The texts of a value that the decoder has checked. */
static enum tf_code
name_value(const char *field, struct tf_str json, struct naming *n,
    struct tf_error *err)
{
	struct tf_buf unused = { 0 };
	enum tf_code rc = TF_OK;

	if (json.p != NULL && tf_withheld_maybe(json.p, json.n))
		rc = tf_withheld_value(field, json, name_apart, n, &unused,
		    NULL, err);
	tf_buf_free(&unused);
	return rc;
}

enum tf_code
tf_withheld_named(const struct tf_entry *e, tf_withheld_named_fn fn, void *arg,
    struct tf_error *err)
{
	struct naming n = { fn, arg };
	struct tf_withheld x = { .is = true, .sha256 = e->apart };
	enum tf_code rc = name_value("claims", e->claims, &n, err);

	if (rc == TF_OK)
		rc = name_value("imported", e->imported, &n, err);
	if (rc != TF_OK || !e->is_apart)
		return rc;
	x.field = tf_str_of(e->type == TF_PACKAGE_MADE ? "to" : "reason");
	x.max = e->type == TF_PACKAGE_MADE ? 512 : 2048;
	(void)snprintf(x.name, sizeof(x.name), "%s", x.field.p);
	return fn(arg, &x, err);
}

bool
tf_withheld_maybe(const char *bytes, size_t n)
{
	static const char begin[] = "{\"withheld\":\"";

	return n > 0 && memmem(bytes, n, begin, sizeof(begin) - 1) != NULL;
}

void
tf_withheld_put(const struct tf_hash *h, struct tf_buf *out)
{
	char hex[65];

	tf_hex(h->b, sizeof(h->b), hex);
	tf_buf_printf(out, "{\"withheld\":\"%s\"}", hex);
}

void
tf_withheld_object(const uint8_t salt[TF_WITHHELD_SALT], struct tf_str json,
    struct tf_buf *out)
{
	char text[TF_WITHHELD_MAX];
	long n = tf_text_unescape(json.p + 1, json.n - 2, text, sizeof(text));

	tf_buf_add(out, salt, TF_WITHHELD_SALT);
	if (n < 0) /* impossible: no text is longer */
		out->failed = true;
	else
		tf_buf_add(out, text, (size_t)n);
}

bool
tf_withheld_text(const char *bytes, size_t n, size_t max, struct tf_buf *out)
{
	const size_t start = out->n;
	struct tf_buf text = { 0 };
	struct tf_json j;
	bool ok;

	if (n <= TF_WITHHELD_SALT || n > TF_WITHHELD_MAX)
		return false;
	/* The writer refuses what a string of an entry cannot hold. */
	tf_json_begin(&j, &text);
	tf_json_array(&j);
	tf_json_str(&j, bytes + TF_WITHHELD_SALT, n - TF_WITHHELD_SALT);
	tf_json_array_end(&j);
	ok = tf_json_end(&j, NULL) == TF_OK && text.n - 4 <= max;
	if (ok)
		tf_buf_add(out, text.p + 1, text.n - 2);
	else
		out->n = start;
	out->failed = out->failed || text.failed;
	tf_buf_free(&text);
	return ok;
}
