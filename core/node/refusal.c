/* The texts of refusals: see refusal.h. */
#include <string.h>

#include "../base/show.h"
#include "../json.h"
#include "../ledger/policy.h"
#include "refusal.h"

enum tf_code
tf_refusal(enum tf_code rc, const struct tf_subject *s, enum tf_request req,
    const char *name, struct tf_error *err)
{
	struct tf_buf shown = { 0 };

	tf_name_show(&shown, name, strlen(name));
	rc = tf_fail(err, rc, "%.60s: %s", shown.p == NULL ? "" : shown.p,
	    tf_policy_advice(s, req));
	tf_buf_free(&shown);
	return rc;
}

enum tf_code
tf_sealed_refusal(enum tf_request req, struct tf_error *err)
{
	struct tf_subject s = { .kind = TF_KIND_EVIDENCE,
		.state = TF_STATE_SEALED };

	return tf_fail(err, TF_SEALED, "%s", tf_policy_advice(&s, req));
}
