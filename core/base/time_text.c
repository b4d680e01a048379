/* Times as text.  The calendar is computed here, not by libc: no time zones. */
#include "time_text.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400
#define TIME_MIN ((int64_t)-62135596800) /* 0001-01-01T00:00:00Z */
#define TIME_MAX ((int64_t)253402300799) /* 9999-12-31T23:59:59Z */
#define NS 1000000000u

/*
 * Convert a day of the Gregorian calendar to days since 1970-01-01, and back.
 * Years start in March here, so a leap day is the last day of its year.
 */
static int64_t
days_of(int64_t year, unsigned month, unsigned day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;
	int64_t yday = (153 * m + 2) / 5 + day - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 + yday - 719468;
}

static void
date_of(int64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	int64_t z = days + 719468; /* since 0000-03-01, never negative */
	int64_t era = z / 146097;
	int64_t of_era = z % 146097;
	int64_t leap_days = of_era / 1460 - of_era / 36524 + of_era / 146096;
	int64_t y = (of_era - leap_days) / 365;
	int64_t yday = of_era - (365 * y + y / 4 - y / 100);
	int64_t m = (5 * yday + 2) / 153;

	*day = (unsigned)(yday - (153 * m + 2) / 5 + 1);
	*month = (unsigned)(m < 10 ? m + 3 : m - 9);
	*year = (unsigned)(y + era * 400 + (*month <= 2));
}

static unsigned
days_in(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Write the last n decimal digits of v to out. */
static void
put_digits(char *out, unsigned n, uint32_t v)
{
	for (; n > 0; v /= 10)
		out[--n] = (char)('0' + v % 10);
}

void
tf_time_text(struct tf_time t, char out[TF_TIME_LEN + 1])
{
	unsigned year, month, day, left;
	int64_t days;

	t = tf_time_clamp(t);
	days = (t.s - TIME_MIN) / DAY + TIME_MIN / DAY;
	left = (unsigned)((t.s - TIME_MIN) % DAY);
	date_of(days, &year, &month, &day);
	memcpy(out, "0000-00-00T00:00:00.000000000Z", TF_TIME_LEN + 1);
	put_digits(out, 4, year);
	put_digits(out + 5, 2, month);
	put_digits(out + 8, 2, day);
	put_digits(out + 11, 2, left / 3600);
	put_digits(out + 14, 2, left / 60 % 60);
	put_digits(out + 17, 2, left % 60);
	put_digits(out + 20, 9, t.ns);
}

static unsigned
get_digits(const char *s, unsigned n)
{
	unsigned v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v * 10 + (unsigned)(s[i] - '0');
	return v;
}

/*
 * One text for each time: the form is fixed to the last digit, and the day
 * must exist.
 */
bool
tf_time_parse(const char *s, size_t len, struct tf_time *out)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
	unsigned year, month, day, hour, minute, second;

	if (len != TF_TIME_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	}
	year = get_digits(s, 4);
	month = get_digits(s + 5, 2);
	day = get_digits(s + 8, 2);
	hour = get_digits(s + 11, 2);
	minute = get_digits(s + 14, 2);
	second = get_digits(s + 17, 2);
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > days_in(year, month) || hour > 23 || minute > 59 ||
	    second > 59)
		return false;
	out->s = days_of(year, month, day) * DAY + hour * 3600 + minute * 60 +
	    second;
	out->ns = get_digits(s + 20, 9);
	return true;
}

bool
tf_time_complete(const char *s, char out[TF_TIME_LEN + 1])
{
	static const char form[] = "0000-00-00T00:00:00.000000000Z";
	struct tf_time t;
	size_t n = strlen(s);

	if (n > 0 && s[n - 1] == 'Z')
		n--;
	/* A prefix may end after a whole part or in the fraction. */
	if (n != 10 && n != 16 && n != 19 && !(n > 20 && n < TF_TIME_LEN))
		return false;
	memcpy(out, form, TF_TIME_LEN + 1);
	for (size_t i = 0; i < n; i++)
		out[i] = s[i];
	if (out[10] == ' ')
		out[10] = 'T';
	return tf_time_parse(out, TF_TIME_LEN, &t);
}

struct tf_time
tf_time_clamp(struct tf_time t)
{
	if (t.s < TIME_MIN)
		return (struct tf_time){ TIME_MIN, 0 };
	if (t.s > TIME_MAX)
		return (struct tf_time){ TIME_MAX, NS - 1 };
	if (t.ns >= NS)
		t.ns = NS - 1;
	return t;
}

/* Stops at the greatest time instead of wrapping. */
void
tf_span_text(int64_t s, char out[TF_SPAN_LEN + 1])
{
	static const struct {
		int64_t s;
		const char *name;
	} units[] = { { DAY, "days" }, { 3600, "h" }, { 60, "min" },
		{ 1, "s" } };
	size_t i = 0;

	while (units[i].s > 1 && s < 2 * units[i].s)
		i++;
	(void)snprintf(out, TF_SPAN_LEN + 1, "%lld %s",
	    (long long)(s / units[i].s), units[i].name);
}

struct tf_time
tf_time_add_ns(struct tf_time t, uint64_t ns)
{
	uint64_t sum = (uint64_t)t.ns + ns % NS;
	int64_t more = (int64_t)(ns / NS + sum / NS);

	if (t.s > INT64_MAX - more)
		return (struct tf_time){ INT64_MAX, NS - 1 };
	t.s += more;
	t.ns = (uint32_t)(sum % NS);
	return t;
}

bool
tf_time_moved(struct tf_time at, struct tf_time clock)
{
	return tf_time_cmp(tf_time_add_ns(clock, 1000000000), at) <= 0 ||
	    tf_time_cmp(tf_time_add_ns(at, 1000000000), clock) <= 0;
}
