/* Rules of one slot of a template: see slot.h. */
#include "slot.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "field_text.h"

#define CUSTOM "custom:"

static bool
starts(struct tf_str s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.p, with, n) == 0;
}

bool
tf_type_is_any(struct tf_str type)
{
	return tf_str_same(type, tf_str_of("*"));
}

bool
tf_type_built_in(struct tf_str type)
{
	static const char *const words[] = { "generic", "junit", "snyk",
		"pull_request", "jira", "sonar", "decision" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (tf_str_same(type, tf_str_of(words[i])))
			return true;
	return false;
}

struct tf_str
tf_type_custom(struct tf_str type)
{
	size_t n = strlen(CUSTOM);

	if (!starts(type, CUSTOM))
		return (struct tf_str){ 0 };
	return (struct tf_str){ type.p + n, type.n - n };
}

enum tf_rule
tf_type_rule(struct tf_str type, struct tf_str *name)
{
	if (tf_str_same(type, tf_str_of("junit")))
		return TF_RULE_JUNIT;
	if (tf_type_built_in(type) || tf_type_is_any(type))
		return TF_RULE_NONE;
	*name = tf_type_custom(type);
	if (name->n == 0)
		*name = type;
	return TF_RULE_TYPE;
}

bool
tf_slot_type_fits(struct tf_str slot, struct tf_str claimed)
{
	if (claimed.p == NULL)
		claimed = tf_str_of("generic");
	return tf_type_is_any(slot) || tf_str_same(slot, claimed) ||
	    (starts(slot, CUSTOM) && !tf_type_built_in(claimed) &&
		tf_str_same(tf_type_custom(slot), claimed));
}

bool
tf_control_ok(const char *s, size_t n)
{
	return n <= 64 && tf_text_hold_ok(s, n);
}

bool
tf_slot_lists_id(struct tf_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static bool
lists(const struct tf_strs *l, uint32_t id, struct tf_str name)
{
	char number[16];
	struct tf_str digits = { number,
		(size_t)snprintf(number, sizeof(number), "%u", (unsigned)id) };

	for (size_t i = 0; i < l->n; i++)
		if (tf_str_same(l->p[i], digits) ||
		    (name.n > 0 && tf_str_same(l->p[i], name) &&
			!tf_slot_lists_id(name)))
			return true;
	return false;
}

bool
tf_slot_allows(const struct tf_slot *slot, const struct tf_reporter *who)
{
	return (slot->users.p == NULL && slot->groups.p == NULL) ||
	    lists(&slot->users, who->uid, who->user) ||
	    lists(&slot->groups, who->gid, who->group);
}
