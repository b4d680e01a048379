/*
 * Claims as slots, and back: see claim_slots.h.  The slots point into the text
 * that was parsed and copy nothing, so that text must stay until they are
 * written.  The object is checked by the form of claims before it is read; the
 * loops then only guard the arrays.
 */
#include "claim_slots.h"

#include <stdio.h>
#include <string.h>

#include "../base/member.h"
#include "claims.h"
#include "fields.h"

const struct tf_single_claim tf_single_claims[TF_CLAIM_SINGLES] = {
	[TF_CLAIM_COMPLIANT] = { "compliant", "compliant", TF_FORM_BOOL, 0,
	    false },
	[TF_CLAIM_CONTROL] = { "control", "control", TF_FORM_CONTROL, 64,
	    false },
	[TF_CLAIM_DESCRIPTION] = { "description", "description",
	    TF_FORM_TEXT2048, 2048, true },
	[TF_CLAIM_ON_BEHALF_OF] = { "on-behalf-of", "onBehalfOf",
	    TF_FORM_TEXT256, 256, false },
	[TF_CLAIM_ORIGIN_URL] = { "origin-url", "originUrl", TF_FORM_TEXT1024,
	    1024, true },
	[TF_CLAIM_TYPE] = { "type", "type", TF_FORM_CLAIM_TYPE, 128, false },
	[TF_CLAIM_USER_DATA_CONTENT] = { TF_CLAIM_USER_DATA, "userData",
	    TF_FORM_USER_DATA, 0, true },
};

static struct tf_str
key_of(const struct tf_json_doc *d, uint32_t t)
{
	return (struct tf_str){ d->text + d->tok[t].key_off,
		d->tok[t].key_len };
}

/* t is -1 when there are none. */
static void
read_annotations(struct tf_claim_slots *c, int t)
{
	const struct tf_json_doc *d = &c->doc;

	for (uint32_t i = (uint32_t)t + 1; t >= 0 && i < d->tok[t].next &&
	     c->n_annotations < TF_ANNOTATIONS_MAX;
	     i = d->tok[i].next)
		c->annotation[c->n_annotations++] = (struct tf_named_claim){
			key_of(d, i), tf_json_text(d, (int)i), { NULL, 0 }
		};
}

static void
read_urls(struct tf_claim_slots *c, int t)
{
	const struct tf_json_doc *d = &c->doc;

	for (uint32_t i = (uint32_t)t + 1;
	     t >= 0 && i < d->tok[t].next && c->n_urls < TF_URLS_MAX;
	     i = d->tok[i].next)
		c->url[c->n_urls++] = (struct tf_named_claim){ key_of(d, i),
			tf_json_text(d, tf_json_get(d, (int)i, "href")),
			tf_json_text(d,
			    tf_json_get(d, (int)i, "fingerprint")) };
}

enum tf_code
tf_claim_slots_parse(struct tf_claim_slots *c, struct tf_str json,
    struct tf_error *err)
{
	enum tf_code rc;

	memset(c, 0, sizeof(*c));
	if (json.n == 0)
		return TF_OK;
	if ((rc = tf_json_parse(&c->doc, json.p, json.n, err)) != TF_OK)
		return rc;
	if (!tf_form_ok(&c->doc, 0, TF_FORM_CLAIMS))
		return tf_fail(err, TF_TAMPER, "the claims are malformed");
	for (int i = 0; i < TF_CLAIM_SINGLES; i++)
		c->single[i] = tf_json_text(&c->doc,
		    tf_json_get(&c->doc, 0, tf_single_claims[i].json));
	read_annotations(c, tf_json_get(&c->doc, 0, "annotations"));
	read_urls(c, tf_json_get(&c->doc, 0, "externalUrls"));
	return TF_OK;
}

void
tf_claim_slots_free(struct tf_claim_slots *c)
{
	tf_json_doc_free(&c->doc);
}

/* Write the name of an entry of a map; it may be malformed. */
static void
put_name(struct tf_json *j, struct tf_str name)
{
	char key[TF_CLAIM_NAME_MAX + 1];

	(void)snprintf(key, sizeof(key), "%.*s", (int)name.n, name.p);
	tf_json_key(j, key);
}

static void
put_annotations(struct tf_json *j, const struct tf_claim_slots *c)
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
put_urls(struct tf_json *j, const struct tf_claim_slots *c)
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

/*
 * The order is that of the JSON keys: annotations come first, and externalUrls
 * stand between description and onBehalfOf.
 */
enum tf_code
tf_claim_slots_put(const struct tf_claim_slots *c, struct tf_buf *out,
    struct tf_error *err)
{
	size_t n = c->n_annotations + c->n_urls;
	struct tf_json j;

	for (int i = 0; i < TF_CLAIM_SINGLES; i++)
		n += c->single[i].p != NULL;
	if (n == 0)
		return TF_OK;
	if (c->n_annotations > TF_ANNOTATIONS_MAX)
		return tf_fail(err, TF_NOSPACE, "there are %d annotations",
		    TF_ANNOTATIONS_MAX);
	if (c->n_urls > TF_URLS_MAX)
		return tf_fail(err, TF_NOSPACE, "there are %d external URLs",
		    TF_URLS_MAX);
	tf_json_begin(&j, out);
	tf_json_object(&j);
	put_annotations(&j, c);
	for (int i = 0; i < TF_CLAIM_SINGLES; i++) {
		if (i == TF_CLAIM_ON_BEHALF_OF)
			put_urls(&j, c); /* between description and it */
		tf_put_raw(&j, tf_single_claims[i].json, c->single[i]);
	}
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}
