/* Values of YAML: see yaml_value.h. */
#include "yaml_value.h"

#include <inttypes.h>
#include <string.h>

#include "../base/bytes.h"

#define SECONDS_MAX ((uint64_t)100 * 366 * 86400)

int
tf_yaml_get(const struct tf_yaml *y, int i, const char *key)
{
	struct tf_str wanted = tf_str_of(key);

	for (uint32_t k = (uint32_t)i + 1; k < y->node[i].next;
	     k = y->node[k + 1].next)
		if (tf_str_same(y->node[k].text, wanted))
			return (int)k + 1;
	return -1;
}

static bool
is_word(const struct tf_yaml_node *v, const char *word)
{
	return v->type == TF_YAML_SCALAR && v->plain &&
	    tf_str_same(v->text, tf_str_of(word));
}

bool
tf_yaml_null(const struct tf_yaml *y, int i)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL" };

	for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
		if (is_word(&y->node[i], words[k]))
			return true;
	return false;
}

size_t
tf_yaml_count(const struct tf_yaml *y, int i)
{
	size_t n = 0;

	for (uint32_t k = (uint32_t)i + 1; k < y->node[i].next;
	     k = y->node[k].next)
		n++;
	return y->node[i].type == TF_YAML_MAP ? n / 2 : n;
}

enum tf_code
tf_yaml_map(const struct tf_yaml *y, int i, const char *what,
    const char *const *known, struct tf_error *err)
{
	if (y->node[i].type != TF_YAML_MAP)
		return tf_yaml_fail(y, i, err, "%s must have keys", what);
	for (uint32_t k = (uint32_t)i + 1; k < y->node[i].next;
	     k = y->node[k + 1].next) {
		const char *const *w = known;

		while (*w != NULL &&
		    !tf_str_same(y->node[k].text, tf_str_of(*w)))
			w++;
		if (*w == NULL)
			return tf_yaml_fail(y, (int)k, err,
			    "%s has no key %.*s", what,
			    TF_SHOWN(y->node[k].text));
	}
	return TF_OK;
}

enum tf_code
tf_yaml_list(const struct tf_yaml *y, int i, const char *what,
    struct tf_error *err)
{
	return y->node[i].type == TF_YAML_LIST ?
	    TF_OK :
	    tf_yaml_fail(y, i, err, "%s must be a list", what);
}

enum tf_code
tf_yaml_str(const struct tf_yaml *y, int i, const char *what,
    struct tf_str *out, struct tf_error *err)
{
	const struct tf_yaml_node *v = &y->node[i];

	if (v->type != TF_YAML_SCALAR)
		return tf_yaml_fail(y, i, err, "%s must be a text", what);
	if (v->text.n == 0)
		return tf_yaml_fail(y, i, err, "%s is empty", what);
	if (tf_yaml_null(y, i))
		return tf_yaml_fail(y, i, err,
		    "%s is null; write \"%.*s\" in quotes", what,
		    TF_SHOWN(v->text));
	*out = v->text;
	return TF_OK;
}

enum tf_code
tf_yaml_strs(const struct tf_yaml *y, int i, const char *what,
    struct tf_str *out, struct tf_error *err)
{
	enum tf_code rc = tf_yaml_list(y, i, what, err);
	size_t n = 0;

	if (rc != TF_OK)
		return rc;
	for (uint32_t k = (uint32_t)i + 1; k < y->node[i].next;
	     k = y->node[k].next, n++) {
		if (n == TF_YAML_STRS)
			return tf_yaml_fail(y, (int)k, err,
			    "%s has more than %d texts", what, TF_YAML_STRS);
		if ((rc = tf_yaml_str(y, (int)k, what, &out[n], err)) != TF_OK)
			return rc;
		for (size_t j = 0; j < n; j++)
			if (tf_str_same(out[j], out[n]))
				return tf_yaml_fail(y, (int)k, err,
				    "%s has %.*s twice", what,
				    TF_SHOWN(out[n]));
	}
	return TF_OK;
}

enum tf_code
tf_yaml_bool(const struct tf_yaml *y, int i, const char *what, bool *out,
    struct tf_error *err)
{
	*out = is_word(&y->node[i], "true");
	if (!*out && !is_word(&y->node[i], "false"))
		return tf_yaml_fail(y, i, err, "%s must be true or false",
		    what);
	return TF_OK;
}

enum tf_code
tf_yaml_uint(const struct tf_yaml *y, int i, const char *what, uint64_t min,
    uint64_t max, uint64_t *out, struct tf_error *err)
{
	const struct tf_yaml_node *v = &y->node[i];

	if (v->type == TF_YAML_SCALAR && v->plain &&
	    tf_decimal(v->text.p, v->text.n, max, out) && *out >= min)
		return TF_OK;
	return tf_yaml_fail(y, i, err,
	    "%s must be a number from %" PRIu64 " to %" PRIu64, what, min, max);
}

enum tf_code
tf_yaml_seconds(const struct tf_yaml *y, int i, const char *what, uint64_t *out,
    struct tf_error *err)
{
	static const char units[] = "smhd";
	static const uint64_t seconds[] = { 1, 60, 3600, 86400 };
	const struct tf_yaml_node *v = &y->node[i];

	if (v->type == TF_YAML_SCALAR && v->text.n > 1) {
		size_t digits = v->text.n - 1;
		const char *u = strchr(units, v->text.p[digits]);
		uint64_t unit = u != NULL ? seconds[u - units] : 0;

		if (unit > 0 &&
		    tf_decimal(v->text.p, digits, SECONDS_MAX / unit, out) &&
		    *out > 0) {
			*out *= unit;
			return TF_OK;
		}
	}
	return tf_yaml_fail(y, i, err,
	    "%s must be a number and s, m, h or d, as in 24h", what);
}
