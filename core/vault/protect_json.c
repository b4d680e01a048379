/*
 * Requests about retention and holds as people and programs write them into
 * control files: JSON of any form, with no other member than those of
 * core/protection.h, so that a misspelt one is not ignored.
 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/json_any.h"
#include "../base/time_text.h"
#include "../protection.h"

#define TEXT_MAX 80 /* bytes of a short text: names, periods, times, digests */

struct reading {
	struct tf_any_doc d;
	struct tf_error *err;
	uint32_t seen; /* members of the object that were asked for */
};

/* Copy the text of member key of object obj to out; "" if there is none. */
static enum tf_code
read_text(struct reading *x, uint32_t obj, const char *key, uint32_t *seen,
    char out[TEXT_MAX + 1])
{
	uint32_t i = tf_any_member(&x->d, obj, tf_str_of(key));
	struct tf_str s;

	out[0] = '\0';
	if (i == TF_ANY_NONE)
		return TF_OK;
	++*seen;
	if (x->d.v[i].type != TF_ANY_STRING)
		return tf_fail(x->err, TF_INVALID, "%s is a string", key);
	s = tf_any_text(&x->d, i);
	if (s.n == 0 || s.n > TEXT_MAX || memchr(s.p, '\0', s.n) != NULL)
		return tf_fail(x->err, TF_INVALID, "%s is malformed", key);
	memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return TF_OK;
}

static enum tf_code
begin(struct reading *x, const void *p, size_t n, struct tf_error *err)
{
	enum tf_code rc = tf_any_parse(&x->d, p, n, err);

	x->err = err;
	if (rc == TF_OK && x->d.v[0].type != TF_ANY_OBJECT)
		rc = tf_fail(err, TF_INVALID, "it is not a JSON object");
	return rc;
}

static enum tf_code
no_others(struct reading *x, uint32_t obj, uint32_t seen)
{
	if (x->d.v[obj].count == seen)
		return TF_OK;
	return tf_fail(x->err, TF_INVALID, "it has a member that is not known");
}

/* --- holds ------------------------------------------------------------------ */

enum tf_code
tf_vault_hold_json(struct tf_vault *v, uint64_t id, const void *p, size_t n,
    const struct tf_actor *who, struct tf_error *err)
{
	char place[TEXT_MAX + 1] = "", release[TEXT_MAX + 1] = "";
	struct reading x = { .seen = 0 };
	struct tf_str reason = { "", 0 };
	uint32_t i;
	enum tf_code rc = begin(&x, p, n, err);

	if (rc == TF_OK)
		rc = read_text(&x, 0, "place", &x.seen, place);
	if (rc == TF_OK)
		rc = read_text(&x, 0, "release", &x.seen, release);
	if (rc == TF_OK && (place[0] == '\0') == (release[0] == '\0'))
		rc = tf_fail(err, TF_INVALID,
		    "a request is {\"place\":\"NAME\",\"reason\":\"...\"}, or "
		    "release");
	if (rc == TF_OK &&
	    (i = tf_any_member(&x.d, 0, tf_str_of("reason"))) != TF_ANY_NONE) {
		x.seen++;
		if (x.d.v[i].type == TF_ANY_STRING)
			reason = tf_any_text(&x.d, i);
		else
			rc = tf_fail(err, TF_INVALID, "reason is a string");
	}
	if (rc == TF_OK)
		rc = no_others(&x, 0, x.seen);
	if (rc == TF_OK)
		rc = tf_vault_hold(v, id, place[0] != '\0',
		    place[0] != '\0' ? place : release, reason.p, reason.n, who,
		    err);
	tf_any_free(&x.d);
	return rc;
}

/* --- retention -------------------------------------------------------------- */

bool
tf_protection_time(const char *s, struct tf_time *out)
{
	static const char rest[] = "0000-00-00T00:00:00.000000000Z";
	char text[TF_TIME_LEN + 1];
	size_t n = strlen(s);

	if (n != 10 && n != 20 && n != TF_TIME_LEN)
		return false;
	if (n == 20 && s[19] != 'Z')
		return false;
	memcpy(text, rest, sizeof(rest));
	memcpy(text, s, n == 20 ? 19 : n);
	return tf_time_parse(text, TF_TIME_LEN, out);
}

static enum tf_code
read_rule(struct reading *x, struct tf_retain *ask, char id[TEXT_MAX + 1])
{
	uint32_t rule = tf_any_member(&x->d, 0, tf_str_of("rule")), seen = 0;
	char digest[TEXT_MAX + 1];
	enum tf_code rc;

	if (rule == TF_ANY_NONE)
		return TF_OK;
	x->seen++;
	if (x->d.v[rule].type != TF_ANY_OBJECT)
		return tf_fail(x->err, TF_INVALID,
		    "rule is {\"id\":\"...\",\"sha256\":\"...\"}");
	if ((rc = read_text(x, rule, "id", &seen, id)) != TF_OK ||
	    (rc = read_text(x, rule, "sha256", &seen, digest)) != TF_OK ||
	    (rc = no_others(x, rule, seen)) != TF_OK)
		return rc;
	if (id[0] == '\0')
		return tf_fail(x->err, TF_INVALID, "a rule has an id");
	ask->rule = id;
	ask->has_rule_text = digest[0] != '\0';
	if (ask->has_rule_text &&
	    !tf_unhex(digest, strlen(digest), ask->rule_text.b,
		sizeof(ask->rule_text.b)))
		return tf_fail(x->err, TF_INVALID,
		    "the sha256 of a rule has 64 lower-case hex digits");
	return TF_OK;
}

enum tf_code
tf_vault_retain_json(struct tf_vault *v, uint64_t id, const void *p, size_t n,
    const struct tf_actor *who, struct tf_error *err)
{
	char period[TEXT_MAX + 1] = "", mode[TEXT_MAX + 1] = "",
			       until[TEXT_MAX + 1] = "",
			       rule[TEXT_MAX + 1] = "";
	struct reading x = { .seen = 0 };
	struct tf_retain ask = { .period = NULL };
	enum tf_code rc = begin(&x, p, n, err);

	if (rc == TF_OK)
		rc = read_text(&x, 0, "for", &x.seen, period);
	if (rc == TF_OK)
		rc = read_text(&x, 0, "mode", &x.seen, mode);
	if (rc == TF_OK)
		rc = read_text(&x, 0, "until", &x.seen, until);
	if (rc == TF_OK)
		rc = read_rule(&x, &ask, rule);
	if (rc == TF_OK)
		rc = no_others(&x, 0, x.seen);
	if (rc == TF_OK && until[0] != '\0' &&
	    !tf_protection_time(until, &ask.until))
		rc = tf_fail(err, TF_INVALID,
		    "until is a time in UTC, such as 2033-01-01 or "
		    "2033-01-01T00:00:00Z");
	if (rc == TF_OK) {
		ask.has_until = until[0] != '\0';
		ask.period = period[0] != '\0' ? period : NULL;
		ask.mode = mode[0] != '\0' ? mode : NULL;
		rc = tf_vault_retain(v, id, &ask, who, err);
	}
	tf_any_free(&x.d);
	return rc;
}
