/* The form of reasons: see reason.h. */
#include "reason.h"

/* what: the text, for messages: "the reason". */
static enum tf_code
check(const char *what, struct tf_str s, size_t most, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &text);
	tf_json_array(&j);
	tf_json_str(&j, s.p, s.n);
	tf_json_array_end(&j);
	rc = tf_json_end(&j, err);
	if (rc == TF_INVALID)
		rc = tf_fail(err, rc,
		    "%s has characters that an entry cannot hold", what);
	if (rc == TF_OK && text.n - 4 > most)
		rc = tf_fail(err, TF_TOOBIG, "%s has at most %zu bytes", what,
		    most);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_reason_check(const char *what, struct tf_str reason, struct tf_error *err)
{
	if (reason.n == 0)
		return tf_fail(err, TF_INVALID, "%s needs a reason", what);
	return check("the reason", reason, TF_REASON_MAX, err);
}

enum tf_code
tf_to_check(struct tf_str to, struct tf_error *err)
{
	if (to.n == 0)
		return tf_fail(err, TF_INVALID,
		    "the receiver of a package needs a name");
	return check("the receiver of a package", to, TF_TO_MAX, err);
}
