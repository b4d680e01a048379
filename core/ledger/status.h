/*
 * Compliance: from the template and the attestations of a workflow to one word.
 * No other file decides compliance.  The functions are pure.
 *
 * - A slot is a name that the template requires, or the name of any other
 *   attestation.  The latter is unexpected if the workflow has a template.
 * - A report is an attestation.  A sealed report counts.  An open report counts
 *   once one of its files is in the ledger, but only if its type and the type
 *   of its slot are "generic" or "*".  Other types are judged at sealing.
 * - If a name has several versions (NAME, NAME@2, ...), the highest version
 *   that counts decides.  The newest version that is not sealed is reported as
 *   open.
 * - A report is compliant unless its claims or a built-in rule deny it.  The
 *   last override of a report replaces this result.
 * - A slot is COMPLETE when the deciding report has the type that the template
 *   requires, else MISSING.  "*" accepts any type.  A report without a type is
 *   "generic".
 * - The result is NON-COMPLIANT if a report is not compliant, even if slots are
 *   missing.  Else it is INCOMPLETE if a slot is missing or if no report
 *   counts.  Else it is COMPLIANT.
 */
#ifndef TF_LEDGER_STATUS_H
#define TF_LEDGER_STATUS_H

#include "../json.h"

enum tf_compliance { TF_COMPLIANT, TF_NON_COMPLIANT, TF_INCOMPLETE };
/* Return "COMPLIANT", "NON-COMPLIANT" or "INCOMPLETE". */
const char *tf_compliance_word(enum tf_compliance c);

/* One attestation that a template requires. */
struct tf_slot {
	struct tf_str name, type;
};

struct tf_template {
	const struct tf_slot *slots;
	size_t n;
};

/* One attestation of the workflow. */
struct tf_reported {
	struct tf_str name; /* of its directory: NAME or NAME@N */
	struct tf_str type; /* claimed, or absent */
	bool sealed;
	bool has_evidence; /* one of its files is in the ledger */
	bool denied; /* claims.compliant or evaluated.compliant is false */
	bool overridden, override; /* has an override; its last value */
};

enum tf_item_state { TF_ITEM_COMPLETE, TF_ITEM_MISSING };
/* Return "COMPLETE" or "MISSING". */
const char *tf_item_word(enum tf_item_state s);

/* The result for one slot. */
struct tf_status_item {
	struct tf_str name; /* without "@N" */
	struct tf_str type; /* required by the slot, else of the report */
	enum tf_item_state state;
	bool reported;	/* a report counts */
	size_t decides; /* index of the deciding report; none: SIZE_MAX */
	bool compliant; /* valid if reported */
	size_t open;	/* index of the newest open one; none: SIZE_MAX */
	bool unexpected;
};

struct tf_status {
	enum tf_compliance word;
	struct tf_status_item *items; /* sorted by name as bytes */
	size_t n;
};

/*
 * Judge the n reports of a workflow against its template t, or NULL.  With
 * sealed_only, open reports do not count.  The strings in *out belong to the
 * arguments and must outlive it.  Free *out with tf_status_free.
 * Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_status_judge(const struct tf_template *t,
    const struct tf_reported *r, size_t n, bool sealed_only,
    struct tf_status *out, struct tf_error *err);
void tf_status_free(struct tf_status *s);

#endif
