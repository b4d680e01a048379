/*
 * What JUnit reports hold: counts, and the lists of the report that junit.h
 * describes.  junit.c finds them in XML.  Each list ends after 128 KiB and then
 * counts what it lacks.  A lack of memory shows when the report is written.
 */
#ifndef TF_LEDGER_JUNIT_RESULTS_H
#define TF_LEDGER_JUNIT_RESULTS_H

#include "../evaluation.h"

#define TF_JUNIT_COUNT_MAX 1000000000u /* a higher count is not one of tests */

struct tf_junit_counts {
	uint64_t tests, failures, errors, skipped;
};

/* A list of the report. */
struct tf_junit_list {
	struct tf_buf text;
	uint64_t cut;
};

/* {0} is empty.  Free with tf_junit_results_free. */
struct tf_junit_results {
	struct tf_junit_counts total; /* of all suites, as they count */
	struct tf_junit_counts found; /* of all test cases */
	struct tf_junit_list causes, failed, files, suites;
};

/* A suite that is in no other suite.  duration and time may be empty. */
struct tf_junit_suite {
	struct tf_junit_counts counts;
	struct tf_str file, name, duration, time;
};

/* Add c to *sum; no count exceeds TF_JUNIT_COUNT_MAX. */
void tf_junit_counts_add(struct tf_junit_counts *sum,
    const struct tf_junit_counts *c);
/* Raise each count of *c to that of *to if that is higher. */
void tf_junit_counts_raise(struct tf_junit_counts *c,
    const struct tf_junit_counts *to);

/* Append to a list.  Texts are UTF-8. */
void tf_junit_add_cause(struct tf_junit_results *r, struct tf_str text);
void tf_junit_add_failed(struct tf_junit_results *r, const char *kind,
    struct tf_str name, struct tf_str suite);
void tf_junit_add_suite(struct tf_junit_results *r,
    const struct tf_junit_suite *l);
void tf_junit_add_file(struct tf_junit_results *r, struct tf_str name,
    const struct tf_hash *sha256, uint64_t size /* bytes */);

/* TF_NOMEM if an append to the list of files failed. */
TF_MUST_USE enum tf_code tf_junit_results_end(const struct tf_junit_results *r,
    struct tf_error *err);
/* Write the report.  The caller frees *out with tf_evaluation_free, also on
 * failure.  Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_junit_results_report(struct tf_junit_results *r,
    struct tf_evaluation *out, struct tf_error *err);
void tf_junit_results_free(struct tf_junit_results *r);

#endif
