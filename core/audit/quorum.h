/* Counts the cosignatures that an audit finds against the policy of its caller.
 * Without a policy the functions do nothing. */
#ifndef TF_AUDIT_QUORUM_H
#define TF_AUDIT_QUORUM_H

#include "../error.h"
#include "../types.h"

struct tf_audit;
struct tf_checkpoint;
struct tf_quorum_count;

/* Begin, with the policy and the key of a.  a owns the count. */
TF_MUST_USE enum tf_code tf_quorum_count_new(struct tf_audit *a,
    struct tf_error *err);
void tf_quorum_count_free(struct tf_quorum_count *q);

/*
 * Count the cosignatures of a note of this log, whose signature by the log was
 * checked; c is its checkpoint.  The cosignatures of one checkpoint may come in
 * several notes.  A wrong one by a witness of the policy is a finding.
 */
void tf_quorum_count_note(struct tf_audit *a, const struct tf_checkpoint *c,
    struct tf_str note);
/* The quorum must be about so many entries: those that a package shows. */
void tf_quorum_count_needs(struct tf_audit *a, uint64_t entries);
/* After the last note: give the verdict of TF_CHECK_WITNESS. */
void tf_quorum_count_end(struct tf_audit *a);

#endif
