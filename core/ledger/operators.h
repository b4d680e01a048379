/*
 * The operators of checks: whether a check holds for a value, and why not.
 *
 * Each operator fails on a value that is absent, null, of another type, or
 * that cannot be compared.
 */
#ifndef TF_LEDGER_OPERATORS_H
#define TF_LEDGER_OPERATORS_H

#include "pattern.h"
#include "type_parts.h"

enum tf_operator {
	TF_OP_EQUALS,		/* path is value; null equals null */
	TF_OP_PRESENT,		/* path is there and not null */
	TF_OP_NON_EMPTY_STRING, /* path is a string, not "" */
	TF_OP_MATCHES_ANY,	/* the string matches one of the patterns */
	TF_OP_NOT_MATCHES_ANY,	/* the string matches none */
	TF_OP_RANGE,		/* the number is min to max */
	TF_OP_INCLUDES,		/* path is an array that has value */
	TF_OP_EXCLUDES,		/* path is an array without value */
	TF_OP_COMPARE,		/* path cmp other; of one type */
	TF_OP_COMPARE_TIME, /* the same for RFC 3339 texts, or two numbers */
	TF_OPERATORS
};
/*
 * The word of an operator in definitions and reports; constant, as are the
 * other words.  These words are part of the format.
 */
const char *tf_operator_word(enum tf_operator op);

enum tf_relation { TF_EQ, TF_NE, TF_GT, TF_GTE, TF_LT, TF_LTE, TF_RELATIONS };
const char *tf_relation_word(enum tf_relation r);

enum tf_each {
	TF_EACH_NONE,
	TF_EACH_ALL, /* every element of the array over; it is not empty */
	TF_EACH_ANY, /* one element of it */
};

struct tf_type_check {
	struct tf_str id, description;
	enum tf_each each;
	struct tf_path over; /* the array, if each is not NONE */
	enum tf_operator op;
	struct tf_path path, other; /* from the subject or the element */
	enum tf_relation relation;
	struct tf_literal value;
	struct tf_str min, max; /* p NULL: none */
	const struct tf_regex *patterns;
	size_t n;
	const struct tf_type_check
	    *substitute; /* holds in its place, or NULL */
};

/* Why a check holds or does not. */
enum tf_outcome {
	TF_OUTCOME_SATISFIED,
	TF_OUTCOME_SUBSTITUTED, /* the substitute holds */
	TF_OUTCOME_AMBIGUOUS,	/* a where fits several values */
	TF_OUTCOME_UNMATCHED,	/* a where fits none */
	TF_OUTCOME_ABSENT,
	TF_OUTCOME_NULL,
	TF_OUTCOME_VALUE,
};
const char *tf_outcome_word(enum tf_outcome c);
static inline bool
tf_outcome_passes(enum tf_outcome c)
{
	return c <= TF_OUTCOME_SUBSTITUTED;
}

#define TF_JUDGING_WORK ((uint64_t)1 << 30)

/* A judgement under way.  It belongs to one thread. */
struct tf_judging {
	const struct tf_any_doc *doc;
	struct tf_pattern *patterns; /* one per pattern of the type */
	uint64_t work;	 /* values, bytes and states visited so far */
	enum tf_code rc; /* TF_NOMEM or TF_TOOBIG: results are void */
};
/* Count work; above TF_JUDGING_WORK x->rc becomes TF_TOOBIG. */
void tf_judging_work(struct tf_judging *x, uint64_t n);
/* Set *matches.  False, with *matches false, if the text has more than
 * TF_PATTERN_SUBJECT bytes or a NUL: then nothing is known. */
bool tf_judging_match(struct tf_judging *x, const struct tf_regex *re,
    struct tf_str text, bool *matches);

/* True if value i equals the literal; numbers are compared as decimals. */
bool tf_literal_equals(const struct tf_any_doc *d, uint32_t i,
    const struct tf_literal *l);

/* Follow p from value i.  TF_ANY_NONE with the cause if there is no such value;
 * else the cause is SATISFIED. */
uint32_t tf_path_find(struct tf_judging *x, const struct tf_path *p, uint32_t i,
    enum tf_outcome *cause);

/* Judge the check of subject i.  The caller looks at x->rc before it uses any
 * result. */
enum tf_outcome tf_judge_check(struct tf_judging *x,
    const struct tf_type_check *c, uint32_t i);

#endif
