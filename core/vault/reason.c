/* The form of reasons: see reason.h. */
#include "reason.h"

enum tf_code
tf_reason_check(const char *what, struct tf_str reason, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_json j;
	enum tf_code rc;

	if (reason.n == 0)
		return tf_fail(err, TF_INVALID, "%s needs a reason", what);
	tf_json_begin(&j, &text);
	tf_json_array(&j);
	tf_json_str(&j, reason.p, reason.n);
	tf_json_array_end(&j);
	rc = tf_json_end(&j, err);
	if (rc == TF_INVALID)
		rc = tf_fail(err, rc,
		    "the reason has characters that an entry cannot hold");
	if (rc == TF_OK && text.n - 4 > TF_REASON_MAX)
		rc = tf_fail(err, TF_TOOBIG, "a reason has at most %d bytes",
		    TF_REASON_MAX);
	tf_buf_free(&text);
	return rc;
}
