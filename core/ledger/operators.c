/* The operators of checks: see operators.h. */
#include "operators.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/number.h"
#include "../base/time_text.h"

const char *
tf_operator_word(enum tf_operator op)
{
	static const char *const words[TF_OPERATORS] = {
		[TF_OP_EQUALS] = "equals",
		[TF_OP_PRESENT] = "present",
		[TF_OP_NON_EMPTY_STRING] = "non_empty_string",
		[TF_OP_MATCHES_ANY] = "matches_any",
		[TF_OP_NOT_MATCHES_ANY] = "not_matches_any",
		[TF_OP_RANGE] = "range",
		[TF_OP_INCLUDES] = "includes",
		[TF_OP_EXCLUDES] = "excludes",
		[TF_OP_COMPARE] = "compare",
		[TF_OP_COMPARE_TIME] = "compare_time",
	};

	return words[op];
}

const char *
tf_relation_word(enum tf_relation r)
{
	static const char *const words[TF_RELATIONS] = { "eq", "ne", "gt",
		"gte", "lt", "lte" };

	return words[r];
}

const char *
tf_outcome_word(enum tf_outcome c)
{
	static const char *const words[] = { "satisfied", "substituted",
		"ambiguous", "unmatched", "absent", "null", "value" };

	return words[c];
}

void
tf_judging_work(struct tf_judging *x, uint64_t n)
{
	x->work += n;
	if (x->work > TF_JUDGING_WORK && x->rc == TF_OK)
		x->rc = TF_TOOBIG;
}

/* After a failure nothing more is looked at, so that the end comes soon. */
static bool
failed(const struct tf_judging *x)
{
	return x->rc != TF_OK;
}

bool
tf_judging_match(struct tf_judging *x, const struct tf_regex *re,
    struct tf_str text, bool *matches)
{
	bool readable;
	enum tf_code rc;

	*matches = false;
	/* A step of an automaton costs more than a look at a value. */
	tf_judging_work(x, 1 + 8 * (uint64_t)text.n * re->size);
	if (failed(x))
		return false;
	rc = tf_pattern_match(&x->patterns[re->index], re->text, text,
	    &readable, matches, NULL);
	if (rc != TF_OK)
		x->rc = TF_NOMEM;
	return rc == TF_OK && readable;
}

bool
tf_literal_equals(const struct tf_any_doc *d, uint32_t i,
    const struct tf_literal *l)
{
	int order;

	if (d->v[i].type != l->type)
		return false;
	if (l->type == TF_ANY_NUMBER_TEXT)
		return tf_number_cmp(tf_any_text(d, i), l->text, &order) &&
		    order == 0;
	return l->type != TF_ANY_STRING ||
	    tf_str_same(tf_any_text(d, i), l->text);
}

/* --- paths -------------------------------------------------------------- */

static uint32_t
find_member(struct tf_judging *x, uint32_t i, struct tf_str key)
{
	const struct tf_any *v = &x->doc->v[i];

	if (v->type != TF_ANY_OBJECT)
		return TF_ANY_NONE;
	tf_judging_work(x, 1 + v->count);
	return failed(x) ? TF_ANY_NONE : tf_any_member(x->doc, i, key);
}

static bool
selects(struct tf_judging *x, const struct tf_step *s, uint32_t i)
{
	for (size_t k = 0; k < s->n; k++) {
		uint32_t m = find_member(x, i, s->where[k].key);

		if (m == TF_ANY_NONE ||
		    !tf_literal_equals(x->doc, m, &s->where[k].value))
			return false;
	}
	return true;
}

/* The one value in container i that selector s fits. */
static uint32_t
select_value(struct tf_judging *x, const struct tf_step *s, uint32_t i,
    enum tf_outcome *cause)
{
	const struct tf_any *v = x->doc->v;
	uint32_t found = TF_ANY_NONE;

	*cause = TF_OUTCOME_UNMATCHED;
	if (v[i].type != TF_ANY_ARRAY && v[i].type != TF_ANY_OBJECT)
		return TF_ANY_NONE;
	for (uint32_t k = i + 1; k < v[i].next && !failed(x); k = v[k].next) {
		tf_judging_work(x, 1);
		if (!selects(x, s, k))
			continue;
		if (found != TF_ANY_NONE) {
			*cause = TF_OUTCOME_AMBIGUOUS;
			return TF_ANY_NONE;
		}
		found = k;
	}
	return found;
}

uint32_t
tf_path_find(struct tf_judging *x, const struct tf_path *p, uint32_t i,
    enum tf_outcome *cause)
{
	for (size_t k = 0; k < p->n && i != TF_ANY_NONE; k++) {
		const struct tf_step *s = &p->steps[k];

		*cause = TF_OUTCOME_ABSENT;
		i = s->n > 0 ? select_value(x, s, i, cause) :
			       find_member(x, i, s->key);
	}
	if (i != TF_ANY_NONE)
		*cause = TF_OUTCOME_SATISFIED;
	return i;
}

/* --- comparing ---------------------------------------------------------- */

static bool
holds(enum tf_relation r, int order)
{
	switch (r) {
	case TF_EQ:
		return order == 0;
	case TF_NE:
		return order != 0;
	case TF_GT:
		return order > 0;
	case TF_GTE:
		return order >= 0;
	case TF_LT:
		return order < 0;
	default:
		return order <= 0;
	}
}

/* A time of RFC 3339: second in UTC and the digits of the fraction. */
struct moment {
	int64_t s;
	struct tf_str fraction; /* without zeros at the end */
};

static unsigned
two_digits(const char *p)
{
	return (unsigned)(p[0] - '0') * 10 + (unsigned)(p[1] - '0');
}

/* Parse the offset at the end of a time: Z, +hh:mm or -hh:mm. */
static bool
offset_of(const char *p, size_t n, int64_t *seconds)
{
	static const char form[] = "+dd:dd";

	*seconds = 0;
	if (n == 1)
		return *p == 'Z' || *p == 'z';
	if (n != 6 || (*p != '+' && *p != '-'))
		return false;
	for (size_t i = 1; i < 6; i++) {
		if (form[i] == 'd' ? p[i] < '0' || p[i] > '9' : p[i] != form[i])
			return false;
	}
	if (two_digits(p + 1) > 23 || two_digits(p + 4) > 59)
		return false;
	*seconds = (int64_t)two_digits(p + 1) * 3600 + two_digits(p + 4) * 60;
	if (*p == '-')
		*seconds = -*seconds;
	return true;
}

/* Parse a time of RFC 3339 with an existing day and without a leap second. */
static bool
moment_of(struct tf_str s, struct moment *m)
{
	char text[TF_TIME_LEN + 1] = "....-..-..T..:..:...000000000Z";
	size_t n = 19; /* bytes up to the fraction */
	struct tf_time t;
	int64_t offset;

	if (s.n < n + 1 || (s.p[10] != 'T' && s.p[10] != 't'))
		return false;
	memcpy(text, s.p, n);
	text[10] = 'T';
	if (!tf_time_parse(text, TF_TIME_LEN, &t))
		return false;
	m->fraction = (struct tf_str){ s.p + n, 0 };
	if (s.p[n] == '.') {
		m->fraction.p++;
		while (++n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
			m->fraction.n++;
		if (m->fraction.n == 0)
			return false;
	}
	while (m->fraction.n > 0 && m->fraction.p[m->fraction.n - 1] == '0')
		m->fraction.n--;
	if (!offset_of(s.p + n, s.n - n, &offset))
		return false;
	m->s = t.s - offset;
	return true;
}

static bool
compare_times(struct tf_str a, struct tf_str b, int *order)
{
	struct moment l, r;

	if (!moment_of(a, &l) || !moment_of(b, &r))
		return false;
	*order = l.s != r.s ? (l.s > r.s) - (l.s < r.s) :
			      tf_str_cmp(l.fraction, r.fraction);
	return true;
}

/* True if a and b can be compared and the relation holds. */
static bool
compare(const struct tf_judging *x, const struct tf_type_check *c, uint32_t a,
    uint32_t b)
{
	const struct tf_any_doc *d = x->doc;
	enum tf_any_type type = d->v[a].type;
	struct tf_str l = tf_any_text(d, a), r = tf_any_text(d, b);
	int order;

	if (type == TF_ANY_NUMBER_TEXT && d->v[b].type == type)
		return tf_number_cmp(l, r, &order) && holds(c->relation, order);
	if (type == TF_ANY_STRING && d->v[b].type == type) {
		order = tf_str_cmp(l, r);
		return (c->op == TF_OP_COMPARE ||
			   compare_times(l, r, &order)) &&
		    holds(c->relation, order);
	}
	/* Booleans are equal or not, and in no order. */
	if ((type != TF_ANY_TRUE && type != TF_ANY_FALSE) ||
	    (d->v[b].type != TF_ANY_TRUE && d->v[b].type != TF_ANY_FALSE) ||
	    c->op != TF_OP_COMPARE)
		return false;
	if (c->relation != TF_EQ && c->relation != TF_NE)
		return false;
	return (type == d->v[b].type) == (c->relation == TF_EQ);
}

/* --- operators ---------------------------------------------------------- */

/* Of a value that is there: null may be what equals asks for only. */
static bool
equals(const struct tf_judging *x, const struct tf_type_check *c, uint32_t i)
{
	return tf_literal_equals(x->doc, i, &c->value);
}

static bool
matches(struct tf_judging *x, const struct tf_type_check *c, uint32_t i,
    bool wanted)
{
	bool match;

	if (x->doc->v[i].type != TF_ANY_STRING)
		return false;
	for (size_t k = 0; k < c->n; k++) {
		if (!tf_judging_match(x, &c->patterns[k],
			tf_any_text(x->doc, i), &match))
			return false;
		if (match)
			return wanted;
	}
	return !wanted;
}

static bool
in_range(const struct tf_judging *x, const struct tf_type_check *c, uint32_t i)
{
	struct tf_str s = tf_any_text(x->doc, i);
	int order;

	if (x->doc->v[i].type != TF_ANY_NUMBER_TEXT)
		return false;
	if (c->min.p != NULL &&
	    (!tf_number_cmp(s, c->min, &order) || order < 0))
		return false;
	return c->max.p == NULL ||
	    (tf_number_cmp(s, c->max, &order) && order <= 0);
}

static bool
includes(struct tf_judging *x, const struct tf_type_check *c, uint32_t i,
    bool wanted)
{
	const struct tf_any *v = x->doc->v;

	if (v[i].type != TF_ANY_ARRAY)
		return false;
	tf_judging_work(x, v[i].count);
	for (uint32_t k = i + 1; k < v[i].next; k = v[k].next) {
		if (tf_literal_equals(x->doc, k, &c->value))
			return wanted;
	}
	return !wanted;
}

/* True if the operator holds for value i, which is there and not null. */
static bool
operator_holds(struct tf_judging *x, const struct tf_type_check *c, uint32_t i)
{
	switch (c->op) {
	case TF_OP_PRESENT:
		return true;
	case TF_OP_NON_EMPTY_STRING:
		return x->doc->v[i].type == TF_ANY_STRING &&
		    x->doc->v[i].len > 0;
	case TF_OP_MATCHES_ANY:
	case TF_OP_NOT_MATCHES_ANY:
		return matches(x, c, i, c->op == TF_OP_MATCHES_ANY);
	case TF_OP_RANGE:
		return in_range(x, c, i);
	case TF_OP_INCLUDES:
	case TF_OP_EXCLUDES:
		return includes(x, c, i, c->op == TF_OP_INCLUDES);
	default:
		return false;
	}
}

/* The value at p, or TF_ANY_NONE with the cause: also for null. */
static uint32_t
find_value(struct tf_judging *x, const struct tf_path *p, uint32_t i,
    enum tf_outcome *cause)
{
	i = tf_path_find(x, p, i, cause);
	if (i == TF_ANY_NONE || x->doc->v[i].type != TF_ANY_NULL)
		return i;
	*cause = TF_OUTCOME_NULL;
	return TF_ANY_NONE;
}

static enum tf_outcome
verdict(bool holds)
{
	return holds ? TF_OUTCOME_SATISFIED : TF_OUTCOME_VALUE;
}

/* Judge a check of one subject or element, without all, any, substitute. */
static enum tf_outcome
judge_one(struct tf_judging *x, const struct tf_type_check *c, uint32_t i)
{
	bool two = c->op == TF_OP_COMPARE || c->op == TF_OP_COMPARE_TIME;
	enum tf_outcome cause = TF_OUTCOME_SATISFIED;
	uint32_t a = tf_path_find(x, &c->path, i, &cause), b;

	if (a == TF_ANY_NONE)
		return cause;
	if (c->op == TF_OP_EQUALS && equals(x, c, a))
		return TF_OUTCOME_SATISFIED;
	if (x->doc->v[a].type == TF_ANY_NULL)
		return TF_OUTCOME_NULL;
	if (!two)
		return verdict(operator_holds(x, c, a));
	b = find_value(x, &c->other, i, &cause);
	return b == TF_ANY_NONE ? cause : verdict(compare(x, c, a, b));
}

/* Judge all or any; an empty array proves nothing. */
static enum tf_outcome
judge_each(struct tf_judging *x, const struct tf_type_check *c, uint32_t i)
{
	enum tf_outcome cause = TF_OUTCOME_SATISFIED, first = TF_OUTCOME_ABSENT;
	const struct tf_any *v = x->doc->v;
	uint32_t at = find_value(x, &c->over, i, &cause);
	bool none = true;

	if (at == TF_ANY_NONE)
		return cause;
	if (v[at].type != TF_ANY_ARRAY)
		return TF_OUTCOME_VALUE;
	for (uint32_t k = at + 1; k < v[at].next && !failed(x); k = v[k].next) {
		tf_judging_work(x, 1);
		cause = judge_one(x, c, k);
		if (tf_outcome_passes(cause) == (c->each == TF_EACH_ANY))
			return cause;
		first = none ? cause : first;
		none = false;
	}
	return first;
}

enum tf_outcome
tf_judge_check(struct tf_judging *x, const struct tf_type_check *c, uint32_t i)
{
	enum tf_outcome cause = c->each == TF_EACH_NONE ? judge_one(x, c, i) :
							  judge_each(x, c, i);

	if (!tf_outcome_passes(cause) && c->substitute != NULL &&
	    tf_outcome_passes(tf_judge_check(x, c->substitute, i)))
		return TF_OUTCOME_SUBSTITUTED;
	return cause;
}
