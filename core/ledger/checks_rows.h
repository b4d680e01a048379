/*
 * The rows of a report of checks: which value was read, and whether the check
 * holds.  checks.h has the form.  A row is written in this order: tf_row_begin,
 * any number of inputs, tf_row_end.  A lack of memory sets rows.failed.  A report
 * belongs to one thread.
 */
#ifndef TF_LEDGER_CHECKS_ROWS_H
#define TF_LEDGER_CHECKS_ROWS_H

#include "type.h"

/* One row, without its inputs. */
struct tf_check_row {
	struct tf_str requirement, check, subject_type;
	uint32_t subject_id;	    /* a value, or TF_ANY_NONE: null */
	struct tf_str subject_name; /* p not NULL: a text instead */
	enum tf_outcome cause;
};

struct tf_check_report {
	const struct tf_type *t;
	struct tf_judging x;
	struct tf_buf rows, requirements;
	struct tf_buf value;	/* of one input */
	size_t kept[2], cut[2]; /* rows; [1]: that passed */
	uint64_t counted[2];	/* rows without $applies */
	uint64_t satisfied;	/* requirements */
	bool first_input, broken;
};

/* Start a row, which the caller ends.  False: it is left out, as there are too
 * many.  counts: it is one of the counts of the judgement. */
bool tf_row_begin(struct tf_check_report *r, const struct tf_check_row *row,
    bool counts);
void tf_row_end(struct tf_check_report *r, const struct tf_check_row *row);

/* Put an input: a number, a text, the JSON in r->value, or all that check c reads
 * of subject i. */
void tf_row_count(struct tf_check_report *r, const char *name, uint64_t v);
void tf_row_text(struct tf_check_report *r, const char *name, const char *text);
void tf_row_value(struct tf_check_report *r, struct tf_str name);
void tf_row_inputs(struct tf_check_report *r, const struct tf_type_check *c,
    uint32_t i);

/* Append value i, TF_ANY_NONE as null, to r->value. */
void tf_row_load(struct tf_check_report *r, uint32_t i);
/* The first 256 bytes of s, whole characters. */
struct tf_str tf_row_first_bytes(struct tf_str s);

#endif
