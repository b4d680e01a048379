/* What a check came to: for people, for programs, for CI. */
#ifndef TRAILCTL_VERDICT_H
#define TRAILCTL_VERDICT_H

#include "check.h"

/* The exit status: OK only when all that was asked for was looked at. */
int verdict_status(const struct check *c);

/* A line a link, and below it what was found, onto out. */
void verdict_table(const struct check *c, struct tf_buf *out);
/* Canonical JSON and a LF. */
TF_MUST_USE enum tf_code verdict_json(const struct check *c, struct tf_buf *out,
    struct tf_error *err);
/*
 * JUnit XML: a test case a link; failed (not NULL): why the check could not be
 * made, as a test case that has an error.
 */
void verdict_junit(const struct check *c, const struct tf_error *failed,
    struct tf_buf *out);

#endif
