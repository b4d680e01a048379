/* The findings of an audit: what failed, and what could not be checked. */
#ifndef TF_AUDIT_FINDINGS_H
#define TF_AUDIT_FINDINGS_H

#include <stdint.h>

#include "../verify.h"

struct tf_audit;

/*
 * Report a fault: check l has failed.  seq is the entry, UINT64_MAX for none;
 * path is its path, tf_nowhere for none.
 */
void tf_audit_finding(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
/* Report a fault of the given grade; seq as above.  TF_GRADE_UNPROVEN,
 * TF_GRADE_HARMLESS and TF_GRADE_SURVIVED do not fail check l. */
void tf_audit_remark(struct tf_audit *a, enum tf_check l, enum tf_grade grade,
    uint64_t seq, struct tf_str path, const char *text);
/* Report that something could not be read: check l becomes ABSENT unless it has
 * failed. */
void tf_audit_unread(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *text);
/*
 * Report that the bytes that entry seq names are others or missing
 * (TF_GRADE_WRONG), or could not be read (TF_GRADE_UNREAD): see struct
 * tf_finding for want and have, which may be NULL.
 */
void tf_audit_bytes(struct tf_audit *a, enum tf_grade grade, uint64_t seq,
    struct tf_str path, const struct tf_content *want,
    const struct tf_content *have, const char *text);
/*
 * Report the error why, which prevented a check, as the finding "WHAT: why".
 * If I/O or memory failed (tf_code_undecided), there is no finding: the audit
 * continues, and tf_audit_run returns the first such error.
 */
void tf_audit_trouble(struct tf_audit *a, enum tf_check l, uint64_t seq,
    struct tf_str path, const char *what, const struct tf_error *why);
/* A check had no memory: tf_audit_run returns TF_NOMEM. */
void tf_audit_no_memory(struct tf_audit *a);
/* Make check l ABSENT unless it has failed: a check that did not see all of its
 * input cannot pass. */
void tf_audit_not_seen(struct tf_audit *a, enum tf_check l);
/* TF_OK, or the error of I/O or memory that prevented a check. */
TF_MUST_USE enum tf_code tf_audit_able(const struct tf_audit *a,
    struct tf_error *err);
extern const struct tf_str tf_nowhere; /* the path of a finding without one */

#endif
