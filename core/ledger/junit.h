/*
 * Judges JUnit reports: XML files with testsuites or testsuite as root, in the
 * forms that surefire, pytest, googletest, go-junit-report and others write.
 *
 * A testcase counts once, with its children failure, error and skipped.  The
 * attributes tests, failures, errors and skipped of a suite count instead of
 * what is in it where they are higher, and so does a failure or an error that
 * stands directly in a suite.  Compliant is a set of files without failure and
 * error, each well-formed, of which at least one test ran: one that is neither
 * skipped nor marked as notrun.
 *
 * Document types are refused, so that no entity is ever expanded.
 *
 * The report is JSON without white space, with sorted keys:
 *
 *	{"causes":["1 failure"],"compliant":false,
 *	 "counts":{"errors":0,"failures":1,"skipped":0,"tests":3},
 *	 "failed":[{"kind":"failure","name":"t.Case.adds","suite":"t.Case"}],
 *	 "files":[{"name":"a.xml","sha256":"...","size":512}],
 *	 "junit_results":[{"duration":0.25,"errors":0,"failures":1,
 *	  "file":"a.xml","name":"t.Case","skipped":0,
 *	  "timestamp":"2026-11-23T07:50:00","total":3}],
 *	 "version":1}
 *
 * junit_results has the suites that are in no other suite.  A name of more than
 * 256 bytes is cut.  duration and timestamp are missing where the file has none
 * or the duration is no number.  Lists end after 128 KiB; "cut" then has how
 * many entries each lacks.
 */
#ifndef TF_LEDGER_JUNIT_H
#define TF_LEDGER_JUNIT_H

#include "../evaluation.h"

#define TF_JUNIT_BYTES ((uint64_t)256 << 20) /* of all files together */
#define TF_JUNIT_DEPTH 64
#define TF_JUNIT_TAG ((size_t)1 << 20) /* bytes of one tag or comment */

struct tf_junit;

/* Start a judgement.  The caller frees *out.  Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_junit_new(struct tf_junit **out,
    struct tf_error *err);
void tf_junit_free(struct tf_junit *j);

/*
 * Start the next file, of which nothing is kept but copies.  A file with which
 * all would exceed TF_JUNIT_BYTES is refused as a whole, and so are those after
 * it; the report says so.  *read: feed the bytes of the file, from which the
 * digest in the report is made; else it is refused and its digest is known.
 * Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_junit_begin(struct tf_junit *j,
    const struct tf_judged_file *f, bool *read, struct tf_error *err);
/* The next bytes of the file, in pieces of any size.  Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_junit_feed(struct tf_junit *j, const void *p,
    size_t n, struct tf_error *err);
/* The end of the file. */
TF_MUST_USE enum tf_code tf_junit_end(struct tf_junit *j, struct tf_error *err);

/* Judge all files so far.  The caller frees *out with tf_evaluation_free, also
 * on failure.  Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code tf_junit_report(struct tf_junit *j,
    struct tf_evaluation *out, struct tf_error *err);

#endif
