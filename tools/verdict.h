/*
 * The result of a verification in four forms: for people (verdict_text.c), for
 * programs (verdict_json.c), for CI (verdict_junit.c), for monitors
 * (verdict_metrics.c).  No form says OK about
 * something that was not verified.
 */
#ifndef TRAILCTL_VERDICT_H
#define TRAILCTL_VERDICT_H

#include "check.h"

/*
 * The exit status: REPORT_OK only when everything requested was verified.
 * REPORT_TAMPERED, REPORT_FOREIGN, REPORT_DOUBT and REPORT_FINDING (findings
 * beside the evidence) come in this order of gravity. Call it after check_end().
 */
int verdict_status(const struct check *c);

/* The graver of two statuses, in that order; REPORT_UNREACHABLE, which no
 * verification has that was made, is graver than REPORT_DOUBT. */
int verdict_graver(int a, int b);

/*
 * Append the verdict to out, a sentence in one line without its end, safe on a
 * terminal: that it is genuine, by which key, and for what it is complete; or what
 * is wrong, or could not be checked, and what to do.  out->failed: no memory.
 */
void verdict_line(const struct check *c, struct tf_buf *out);

/*
 * Append the verdict and one line per check to out, and below it the findings that were kept
 * and the number of the others. What it is about comes first. All of it is safe
 * on a terminal. out->failed: no memory.
 */
void verdict_table(const struct check *c, struct tf_buf *out);
/*
 * Append canonical JSON and a newline to out: the counts, the root, the
 * findings that were kept, and the word of each check. Errors: those of
 * tf_json_end().
 */
TF_MUST_USE enum tf_code verdict_json(const struct check *c, struct tf_buf *out,
    struct tf_error *err);
/*
 * Append JUnit XML to out, one test case per check that verdict_shows(). failed
 * (or NULL): why the verification could not be made; it becomes a test case
 * with an error, and c is not read. out->failed: no memory.
 */
void verdict_junit(const struct check *c, const struct tf_error *failed,
    struct tf_buf *out);

/* Append metrics to out: the exit status, the end and the duration of a
 * verification that began at begun_ns on the boot clock, and what r counts; r->origin
 * names what was verified.  out->failed: no memory. */
void verdict_metrics(const struct tf_report *r, int status, uint64_t begun_ns,
    struct tf_buf *out);

/* --- what the forms share ---------------------------------------------- */

/* "OK", "FAILED" or "ABSENT". */
const char *verdict_word(enum tf_verdict v);
/* May the check be ABSENT: was it not requested, or has the form no such
 * check? */
bool verdict_may_be_absent(const struct check *c, enum tf_check check);
/* Is the check a part of the answer? Only a package has the check "package",
 * and evaluation is shown only if something was judged. */
bool verdict_shows(const struct check *c, enum tf_check check);
/* Is the check undecided?  Entries that this version cannot read are no
 * success. */
bool verdict_in_doubt(const struct check *c, enum tf_check check);

/* Append the line of a check without its word. */
void verdict_detail(struct tf_buf *out, const struct check *c,
    enum tf_check check);
/* Append the findings of a check, one per line, each after indent. */
void verdict_findings(struct tf_buf *out, const struct check_result *l,
    const char *indent);

#endif
