/*
 * Requests about anchors as JSON: read, and written for the control file.  A
 * request has no other member than those of core/anchor.h, so that a misspelt
 * one is not ignored.
 */
#include <stdlib.h>
#include <string.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../base/json_any.h"
#include "../base/json_any_write.h"

static const char form[] =
    "a request is {\"kind\":\"mirror\" or \"witness\",\"name\":...,\"key\":"
    "...,\"note\":...}, {...,\"refused\":...} or "
    "{\"kind\":\"stamp\",\"name\":...,\"size\":...,\"token\":...,"
    "\"chain\":...}";

/* The text of a member, with a NUL after it; absent: NULL. */
struct member {
	const char *key;
	char *text;
	size_t n;
};
enum { KIND, NAME, KEY, NOTE, SIZE, TOKEN, CHAIN, REFUSED, HEAD, MEMBERS };

static enum tf_code
read_members(const struct tf_any_doc *d, struct member m[MEMBERS],
    struct tf_error *err)
{
	uint32_t seen = 0, i;
	struct tf_str s;

	for (unsigned k = 0; k < MEMBERS; k++) {
		i = tf_any_member(d, 0, tf_str_of(m[k].key));
		if (i == TF_ANY_NONE)
			continue;
		seen++;
		s = tf_any_text(d, i);
		if (d->v[i].type !=
			(k == SIZE ? TF_ANY_NUMBER_TEXT : TF_ANY_STRING) ||
		    (s.n > 0 && memchr(s.p, '\0', s.n) != NULL))
			return tf_fail(err, TF_INVALID, "%s", form);
		m[k].n = s.n;
		m[k].text = strndup(s.n > 0 ? s.p : "", s.n);
		if (m[k].text == NULL)
			return tf_nomem(err);
	}
	if (d->v[0].type != TF_ANY_OBJECT || d->v[0].count != seen)
		return tf_fail(err, TF_INVALID, "%s", form);
	return TF_OK;
}

/* Members that do not go together are refused here, values by the vault. */
static enum tf_code
make_anchor(const struct member m[MEMBERS], struct tf_buf *token,
    struct tf_anchor *out, struct tf_error *err)
{
	bool stamp = m[TOKEN].text != NULL;

	if (m[HEAD].text != NULL)
		return tf_fail(err, TF_INVALID, "%s", form);
	*out = (struct tf_anchor){ .kind = m[KIND].text,
		.name = m[NAME].text,
		.key = m[KEY].text,
		.bytes = m[NOTE].text,
		.n = m[NOTE].n,
		.chain = m[CHAIN].text,
		.chain_n = m[CHAIN].n };
	if (out->kind == NULL || out->name == NULL ||
	    stamp != (strcmp(out->kind, TF_ANCHOR_STAMP) == 0) ||
	    stamp != (m[SIZE].text != NULL) || stamp == (m[NOTE].text != NULL))
		return tf_fail(err, TF_INVALID, "%s", form);
	if (!stamp)
		return TF_OK;
	if (!tf_decimal(m[SIZE].text, m[SIZE].n, TF_JSON_MAX, &out->size))
		return tf_fail(err, TF_INVALID, "size is no number of entries");
	if (!tf_unbase64(m[TOKEN].text, m[TOKEN].n, token))
		return token->failed ?
		    tf_nomem(err) :
		    tf_fail(err, TF_INVALID, "the token is not base64");
	out->bytes = token->p;
	out->n = token->n;
	return TF_OK;
}

static enum tf_code
add_anchor(struct tf_vault *v, const struct member m[MEMBERS],
    const struct tf_actor *who, struct tf_error *err)
{
	struct tf_buf token = { 0 };
	struct tf_anchor a;
	enum tf_code rc = make_anchor(m, &token, &a, err);

	if (rc == TF_OK)
		rc = tf_vault_anchor_add(v, who, &a, err);
	tf_buf_free(&token);
	return rc;
}

static enum tf_code
add_refusal(struct tf_vault *v, const struct member m[MEMBERS],
    const struct tf_actor *who, struct tf_error *err)
{
	const struct tf_refusal r = { .kind = m[KIND].text,
		.name = m[NAME].text,
		.text = m[REFUSED].text,
		.head = m[HEAD].text,
		.head_n = m[HEAD].n };

	for (unsigned k = KEY; k <= CHAIN; k++)
		if (m[k].text != NULL)
			return tf_fail(err, TF_INVALID, "%s", form);
	if (r.kind == NULL || r.name == NULL)
		return tf_fail(err, TF_INVALID, "%s", form);
	return tf_vault_anchor_refused(v, who, &r, err);
}

enum tf_code
tf_vault_anchor_json(struct tf_vault *v, const void *p, size_t n,
    const struct tf_actor *who, struct tf_error *err)
{
	struct member m[MEMBERS] = { { "kind", NULL, 0 }, { "name", NULL, 0 },
		{ "key", NULL, 0 }, { "note", NULL, 0 }, { "size", NULL, 0 },
		{ "token", NULL, 0 }, { "chain", NULL, 0 },
		{ "refused", NULL, 0 }, { "head", NULL, 0 } };
	struct tf_any_doc d = { 0 };
	enum tf_code rc;

	if (n > TF_ANCHOR_REQUEST_MAX)
		return tf_fail(err, TF_TOOBIG, "the request is too long");
	rc = tf_any_parse(&d, p, n, err);
	if (rc == TF_OK)
		rc = read_members(&d, m, err);
	if (rc == TF_OK)
		rc = m[REFUSED].text != NULL ? add_refusal(v, m, who, err) :
					       add_anchor(v, m, who, err);
	for (unsigned k = 0; k < MEMBERS; k++)
		free(m[k].text);
	tf_any_free(&d);
	return rc;
}

static void
put(struct tf_buf *out, const char *key, struct tf_str value)
{
	tf_buf_printf(out, "%s\"%s\":", out->n > 0 ? "," : "{", key);
	tf_any_put_string(out, value);
}

enum tf_code
tf_anchor_request(const struct tf_anchor *a, struct tf_buf *out,
    struct tf_error *err)
{
	const struct tf_str bytes = { a->bytes, a->n };

	put(out, "kind", tf_str_of(a->kind));
	put(out, "name", tf_str_of(a->name));
	if (strcmp(a->kind, TF_ANCHOR_STAMP) == 0) {
		tf_buf_printf(out, ",\"size\":%llu,\"token\":\"",
		    (unsigned long long)a->size);
		tf_base64(out, a->bytes, a->n);
		tf_buf_str(out, "\"");
	} else {
		put(out, "note", bytes);
	}
	if (a->key != NULL)
		put(out, "key", tf_str_of(a->key));
	if (a->chain != NULL)
		put(out, "chain", (struct tf_str){ a->chain, a->chain_n });
	tf_buf_str(out, "}\n");
	return tf_buf_end(out, err);
}

enum tf_code
tf_refusal_request(const struct tf_refusal *r, struct tf_buf *out,
    struct tf_error *err)
{
	put(out, "kind", tf_str_of(r->kind));
	put(out, "name", tf_str_of(r->name));
	put(out, "refused", tf_str_of(r->text == NULL ? "" : r->text));
	if (r->head != NULL)
		put(out, "head", (struct tf_str){ r->head, r->head_n });
	tf_buf_str(out, "}\n");
	return tf_buf_end(out, err);
}
