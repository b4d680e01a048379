/* Periods and ends of retentions: see retention.h. */
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "retention.h"

#define DAY 86400
#define DAYS_OF_YEAR 366 /* at most */

bool
tf_period_parse(const char *s, size_t n, struct tf_retention *r)
{
	static const struct {
		char letter;
		uint32_t months, days, most;
	} units[] = {
		{ 'y', 12, 0, TF_PERIOD_YEARS_MAX },
		{ 'm', 1, 0, TF_PERIOD_YEARS_MAX * 12 },
		{ 'w', 0, 7, TF_PERIOD_YEARS_MAX * DAYS_OF_YEAR / 7 },
		{ 'd', 0, 1, TF_PERIOD_YEARS_MAX * DAYS_OF_YEAR },
	};
	uint64_t count;

	for (size_t i = 0; n > 1 && i < sizeof(units) / sizeof(units[0]); i++) {
		if (s[n - 1] != units[i].letter)
			continue;
		if (!tf_decimal(s, n - 1, units[i].most, &count) || count == 0)
			return false;
		r->months = (uint32_t)count * units[i].months;
		r->days = (uint32_t)count * units[i].days;
		return true;
	}
	return false;
}

void
tf_retention_of(const struct tf_retention_ref *entry, struct tf_retention *out)
{
	*out = (struct tf_retention){ .has_until = entry->has_until,
		.until = entry->until,
		.never = !tf_str_same(entry->mode,
		    tf_str_of(TF_RETENTION_MODE)) };
	if (entry->period.p != NULL &&
	    !tf_period_parse(entry->period.p, entry->period.n, out))
		out->never = true; /* no decoded entry has such a period */
}

bool
tf_retention_is_none(const struct tf_retention *r)
{
	return r->months == 0 && r->days == 0 && !r->has_until && !r->never;
}

void
tf_retention_add(struct tf_retention *sum, const struct tf_retention *r)
{
	if (r->months > sum->months)
		sum->months = r->months;
	if (r->days > sum->days)
		sum->days = r->days;
	if (r->has_until &&
	    (!sum->has_until || tf_time_cmp(r->until, sum->until) > 0)) {
		sum->has_until = true;
		sum->until = r->until;
	}
	sum->never = sum->never || r->never;
}

bool
tf_retention_is_less(const struct tf_retention *sum,
    const struct tf_retention *r)
{
	return (r->months > 0 && r->months < sum->months) ||
	    (r->days > 0 && r->days < sum->days) ||
	    (r->has_until && sum->has_until &&
		tf_time_cmp(r->until, sum->until) < 0) ||
	    (sum->never && !r->never);
}

/* Is a later than b?  Then b becomes a. */
static void
keep_later(struct tf_time *b, struct tf_time a)
{
	if (tf_time_cmp(a, *b) > 0)
		*b = a;
}

/* The same day and time so many months later, or the last day of that month if
 * it has no such day; the last time that exists if beyond. */
static struct tf_time
add_months(struct tf_time t, uint32_t months)
{
	const struct tf_time last = tf_time_clamp((struct tf_time){ INT64_MAX,
	    0 });
	char text[TF_TIME_LEN + 1];
	unsigned year, month, day;

	tf_time_text(t, text);
	year = (unsigned)(text[0] - '0') * 1000 +
	    (unsigned)(text[1] - '0') * 100 + (unsigned)(text[2] - '0') * 10 +
	    (unsigned)(text[3] - '0');
	month = (unsigned)(text[5] - '0') * 10 + (unsigned)(text[6] - '0') - 1 +
	    months;
	day = (unsigned)(text[8] - '0') * 10 + (unsigned)(text[9] - '0');
	year += month / 12;
	month = month % 12 + 1;
	if (year > 9999)
		return last;
	for (unsigned i = 0, left = year; i < 4; i++, left /= 10)
		text[3 - i] = (char)('0' + left % 10);
	text[5] = (char)('0' + month / 10);
	text[6] = (char)('0' + month % 10);
	for (; day > 0; day--) {
		text[8] = (char)('0' + day / 10);
		text[9] = (char)('0' + day % 10);
		if (tf_time_parse(text, TF_TIME_LEN, &t))
			break;
	}
	return t;
}

bool
tf_retention_end(const struct tf_retention *r, struct tf_time start,
    struct tf_time *end)
{
	struct tf_time t = start;

	*end = start;
	if (r->never)
		return false;
	keep_later(end, add_months(start, r->months));
	t.s += (int64_t)r->days * DAY;
	keep_later(end, tf_time_clamp(t));
	if (r->has_until)
		keep_later(end, r->until);
	return true;
}

void
tf_retention_put_rule(struct tf_json *j, const struct tf_retention_ref *r)
{
	if (r->rule.p == NULL)
		return;
	tf_json_key(j, "rule");
	tf_json_object(j);
	tf_put_str(j, "id", r->rule);
	if (r->has_rule_text)
		tf_put_hash(j, "sha256", &r->rule_text);
	tf_json_object_end(j);
}
