/* Makes the text of a template from names: see template_make.h. */
#include "template_make.h"

#include <string.h>
#include <strings.h>

#include "../base/bytes.h"
#include "name.h"
#include "template.h"
#include "template_parse.h"
#include "yaml.h"

/* True if some reader of YAML takes the name for another value than text:
 * a number, a date, a boolean or null. */
static bool
needs_quotes(struct tf_str s)
{
	static const char *const words[] = { "y", "n", "yes", "no", "true",
		"false", "on", "off", "null" };

	if (s.p[0] >= '0' && s.p[0] <= '9')
		return true;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (s.n == strlen(words[i]) &&
		    strncasecmp(s.p, words[i], s.n) == 0)
			return true;
	return false;
}

static enum tf_code
check_names(const struct tf_str *names, size_t n, struct tf_error *err)
{
	for (size_t i = 0; i < n; i++) {
		struct tf_str s = names[i];
		enum tf_code rc = tf_name_check(TF_KIND_ATTESTATION, s.p, s.n,
		    err);

		if (rc != TF_OK)
			return rc;
		if (memchr(s.p, '@', s.n) != NULL)
			return tf_fail(err, TF_BADNAME,
			    "'@' is not allowed in the name %.*s", TF_SHOWN(s));
		for (size_t k = 0; k < i; k++)
			if (tf_str_same(names[k], s))
				return tf_fail(err, TF_EXISTS,
				    "the name %.*s is there twice",
				    TF_SHOWN(s));
	}
	return TF_OK;
}

enum tf_code
tf_template_make(const struct tf_str *names, size_t n, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_template t;
	struct tf_buf b = { 0 };
	enum tf_code rc;

	/* The shortest name takes more than this of the text. */
	if (n > TF_YAML_BYTES / 16)
		return tf_fail(err, TF_TOOBIG, "too many attestations");
	if ((rc = check_names(names, n, err)) != TF_OK)
		return rc;
	tf_buf_str(&b,
	    n == 0 ? "version: 1\ntrail: null\n" :
		     "version: 1\ntrail:\n  attestations:\n");
	for (size_t i = 0; i < n; i++) {
		const char *quote = needs_quotes(names[i]) ? "\"" : "";

		tf_buf_printf(&b, "    - name: %s%.*s%s\n      type: generic\n",
		    quote, (int)names[i].n, names[i].p, quote);
	}
	if ((rc = tf_buf_end(&b, err)) == TF_OK)
		rc = tf_template_parse(&t, b.p, b.n, err);
	if (rc == TF_OK) {
		tf_template_free(&t);
		tf_buf_add(out, b.p, b.n);
		rc = tf_buf_end(out, err);
	} else if (rc == TF_INVALID) {
		rc = tf_fail(err, TF_TOOBIG, "too many attestations");
	}
	tf_buf_free(&b);
	return rc;
}
