/* Read the field `evaluated`: see evaluated.h. */
#include "evaluated.h"

#include <string.h>

#include "../base/bytes.h"

/* The string member key of object t without its quotes.  The strings of
 * `evaluated` hold nothing that JSON escapes. */
static struct tf_str
string_of(const struct tf_json_doc *d, int t, const char *key)
{
	struct tf_str s = tf_json_text(d, tf_json_get(d, t, key));

	return s.p != NULL && s.n >= 2 ? (struct tf_str){ s.p + 1, s.n - 2 } :
					 (struct tf_str){ NULL, 0 };
}

static int64_t
number_of(const struct tf_json_doc *d, int t, const char *key)
{
	int m = tf_json_get(d, t, key);

	return m < 0 ? 0 : d->tok[m].num;
}

static void
read_report(const struct tf_json_doc *d, int t, struct tf_evaluated_field *out)
{
	struct tf_str hex = string_of(d, t, "sha256");

	out->has_report = hex.p != NULL &&
	    tf_unhex(hex.p, hex.n, out->report.sha256.b,
		sizeof(out->report.sha256.b));
	out->report.size = (uint64_t)number_of(d, t, "size");
}

enum tf_code
tf_evaluated_read(struct tf_str raw, struct tf_evaluated_field *out,
    struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	enum tf_code rc;
	int t;

	*out = (struct tf_evaluated_field){ .is = raw.p != NULL };
	if (!out->is)
		return TF_OK;
	if ((rc = tf_json_parse(&d, raw.p, raw.n, err)) != TF_OK)
		return rc;
	out->compliant = number_of(&d, 0, "compliant") != 0;
	out->rule = string_of(&d, 0, "rule");
	out->counts = tf_json_text(&d, tf_json_get(&d, 0, "counts"));
	if ((t = tf_json_get(&d, 0, "definition")) >= 0) {
		out->name = string_of(&d, t, "name");
		out->version = (uint64_t)number_of(&d, t, "version");
	}
	if ((t = tf_json_get(&d, 0, "report")) >= 0)
		read_report(&d, t, out);
	tf_json_doc_free(&d);
	return TF_OK;
}
