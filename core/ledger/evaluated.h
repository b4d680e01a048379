/* The field `evaluated` of attestation.sealed: what the judgement of evidence
 * by its content found. */
#ifndef TF_LEDGER_EVALUATED_H
#define TF_LEDGER_EVALUATED_H

#include <stdbool.h>

#include "entry.h"

/* The strings point into the raw text that was read. */
struct tf_evaluated_field {
	bool is; /* false: there was no judgement */
	bool compliant;
	struct tf_str rule;   /* "junit", "checks", ... */
	struct tf_str counts; /* raw */
	/* The version of the type that judged; name.p NULL: none. */
	struct tf_str name;
	uint64_t version;
	bool has_report;
	struct tf_content report;
};

/* Read the field of a decoded entry; raw.p NULL is no judgement.  Errors:
 * TF_INVALID, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_evaluated_read(struct tf_str raw,
    struct tf_evaluated_field *out, struct tf_error *err);

#endif
