/* Judges evidence again, and compares the report with that of the seal. */
#ifndef TF_AUDIT_EVALUATION_H
#define TF_AUDIT_EVALUATION_H

#include "../json.h"

struct tf_audit;
struct tf_entry;
struct tf_replay_effect;
struct tf_subject_file;

/* Where the audit finds what judged an attestation, and what was judged.  An
 * error ends the judgement without a finding that counts: other checks report
 * what is missing, altered or unreadable. */
struct tf_audit_judged {
	/* Append the text of a version of an attestation type to out. */
	enum tf_code (*type)(void *arg, struct tf_str name, uint64_t version,
	    struct tf_buf *out, struct tf_error *err);
	/* Append the report of the seal to out. */
	enum tf_code (*report)(void *arg, struct tf_buf *out,
	    struct tf_error *err);
	/* Pass the bytes of a file to sink. */
	enum tf_code (*read)(void *arg, const struct tf_subject_file *f,
	    const struct tf_sink *sink, struct tf_error *err);
	void *arg;
};

/*
 * If checks of trailfs judged attestation e, judge its evidence again; another
 * report, verdict or count is a finding.  An attestation with more than
 * TF_STATEMENT_SUBJECTS files is not judged again, nor one that could not be
 * judged at its seal.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_audit_evaluate(struct tf_audit *a,
    const struct tf_entry *e, const struct tf_replay_effect *x,
    const struct tf_audit_judged *from, struct tf_error *err);

#endif
