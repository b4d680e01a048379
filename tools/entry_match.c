/*
 * Questions about entries: see entry_match.h.
 *
 * Strings of an entry are decoded before they are compared: an escape in the
 * ledger and the character itself are the same name.
 */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "core/vault.h"
#include "entry_match.h"
#include "text.h"

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

bool
match_annotation(const struct tf_json_doc *d, const char *want)
{
	const int claims = tf_json_get(d, 0, "claims");
	const char *value = strchr(want, '=');
	char key[256];

	if (value == NULL)
		return false;
	(void)snprintf(key, sizeof(key), "%.*s", (int)(value - want), want);
	return match_string(d,
	    tf_json_get(d, tf_json_get(d, claims, "annotations"), key),
	    value + 1);
}

bool
match_annotation_apart(const struct tf_json_doc *d, const char *want)
{
	const int claims = tf_json_get(d, 0, "claims");
	const char *value = strchr(want, '=');
	char key[256];
	int t;

	if (value == NULL)
		return false;
	(void)snprintf(key, sizeof(key), "%.*s", (int)(value - want), want);
	t = tf_json_get(d, tf_json_get(d, claims, "annotations"), key);
	return tf_json_get(d, t, "withheld") >= 0;
}

bool
match_user(const struct tf_json_doc *d, const char *user)
{
	const int claims = tf_json_get(d, 0, "claims");
	const int notes = tf_json_get(d, claims, "annotations");

	return match_string(d,
		   tf_json_get(d, tf_json_get(d, 0, "actor"), "user"), user) ||
	    match_string(d, tf_json_get(d, claims, "onBehalfOf"), user) ||
	    match_string(d, tf_json_get(d, notes, "on_behalf_of"), user);
}

bool
match_name(const struct tf_json_doc *d, const char *glob)
{
	const int t = tf_json_get(d, 0, "path");
	struct tf_buf b = { 0 };
	const char *path, *last;
	bool whole = strchr(glob, '/') != NULL, has = false;

	if (t >= 0 && tf_json_string(d, t, &b, NULL) == TF_OK) {
		path = text_of(&b);
		last = strrchr(path, '/');
		has = fnmatch(glob, whole || last == NULL ? path : last + 1,
			  whole ? FNM_PATHNAME : 0) == 0;
	}
	tf_buf_free(&b);
	return has;
}
