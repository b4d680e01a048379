/* The result of a verification: for people, for programs, for CI. */
#ifndef TRAILCTL_VERDICT_H
#define TRAILCTL_VERDICT_H

#include "check.h"

/* The exit status: REPORT_OK only when everything requested was verified. */
int verdict_status(const struct check *c);

/* Append one line per check to out, and below it the findings. */
void verdict_table(const struct check *c, struct tf_buf *out);
/* Append canonical JSON and a newline to out. */
TF_MUST_USE enum tf_code verdict_json(const struct check *c, struct tf_buf *out,
    struct tf_error *err);
/*
 * Append JUnit XML to out, one test case per check.  failed (or NULL): why the
 * verification could not be made; it becomes a test case with an error.
 */
void verdict_junit(const struct check *c, const struct tf_error *failed,
    struct tf_buf *out);

#endif
