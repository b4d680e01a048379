/*
 * Questions about entries: see entry_match.h.
 *
 * Strings of an entry are decoded before they are compared: an escape in the
 * ledger and the character itself are the same name.
 */
#include <string.h>

#include "core/vault.h"
#include "entry_match.h"

bool
match_string(const struct tf_json_doc *d, int t, const char *want)
{
	struct tf_buf b = { 0 };
	bool same = t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK &&
	    b.n == strlen(want) && memcmp(b.p, want, b.n) == 0;

	tf_buf_free(&b);
	return same;
}

bool
match_below(const struct tf_json_doc *d, const char *top)
{
	const int t = tf_json_get(d, 0, "path");
	size_t n = strlen(top);
	struct tf_buf b = { 0 };
	bool in = t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK &&
	    b.n >= n && memcmp(b.p, top, n) == 0 && (b.n == n || b.p[n] == '/');

	tf_buf_free(&b);
	return in;
}

bool
match_type(const struct tf_json_doc *d, const struct args_list *types)
{
	const int t = tf_json_get(d, 0, "type");

	for (size_t i = 0; i < types->n; i++)
		if (match_string(d, t, types->v[i]))
			return true;
	return types->n == 0;
}

enum tf_code
match_check_types(const struct args_list *types, struct tf_error *err)
{
	for (size_t i = 0; i < types->n; i++)
		if (!tf_vault_knows_type(types->v[i]))
			return tf_fail(err, TF_USAGE,
			    "no entry has the type %.60s: "
			    "trailfs-format(5) lists the types",
			    types->v[i]);
	return TF_OK;
}
