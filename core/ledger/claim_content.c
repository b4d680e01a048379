/* What entries say beside the claims themselves: see claim_content.h. */
#include "claim_content.h"

#include "../base/bytes.h"
#include "fields.h"

#define UIDS_MAX 32

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
