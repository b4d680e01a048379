/* The attributes that writers set: see xattrs.h. */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "xattrs.h"

/* One member of the object: the key, and the value as base64. */
static void
put_value(struct tf_json *j, const char *key, const void *p, size_t n)
{
	struct tf_buf b64 = { 0 };

	tf_base64(&b64, p, n);
	tf_json_key(j, key);
	tf_json_buf(j, &b64);
	tf_buf_free(&b64);
}

enum tf_code
tf_xattrs_set(struct tf_str old, const char *key, const void *value, size_t n,
    bool *had, struct tf_buf *out, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_json j;
	bool placed = value == NULL;
	unsigned members = 0;
	char k[256];
	enum tf_code rc = TF_OK;
	int order;

	*had = false;
	if (old.n > 0 && (rc = tf_json_parse(&d, old.p, old.n, err)) != TF_OK)
		return rc;
	tf_json_begin(&j, out);
	tf_json_object(&j);
	for (uint32_t t = 1; t < d.n; t = d.tok[t].next) {
		(void)snprintf(k, sizeof(k), "%.*s", (int)d.tok[t].key_len,
		    d.text + d.tok[t].key_off);
		order = strcmp(k, key);
		if (order == 0)
			*had = true;
		if (order >= 0 && !placed) {
			put_value(&j, key, value, n);
			placed = true;
			members++;
		}
		if (order != 0) {
			tf_json_key(&j, k);
			tf_json_raw(&j, tf_json_text(&d, (int)t));
			members++;
		}
	}
	if (!placed) {
		put_value(&j, key, value, n);
		members++;
	}
	tf_json_doc_free(&d);
	if (members == 0) {
		out->n = 0;
		return TF_OK;
	}
	tf_json_object_end(&j);
	return tf_json_end(&j, err);
}

enum tf_code
tf_xattrs_get(struct tf_str json, const char *key, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	struct tf_str s;
	enum tf_code rc;
	int t;

	if (json.n == 0)
		return TF_NODATA;
	if ((rc = tf_json_parse(&d, json.p, json.n, err)) != TF_OK)
		return rc;
	if ((t = tf_json_get(&d, 0, key)) < 0) {
		rc = TF_NODATA;
	} else {
		s = tf_json_text(&d, t); /* quotes around base64 */
		if (s.n < 2 || !tf_unbase64(s.p + 1, s.n - 2, out))
			rc = tf_fail(err, TF_TAMPER, "attribute is malformed");
	}
	tf_json_doc_free(&d);
	return rc;
}
