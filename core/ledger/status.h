/*
 * Compliance: what a template asks for and what was reported, to one word.
 * The only place that judges.  Pure.
 *
 * - A slot is a name that the template asks for, or the name of an attestation
 *   that it does not ask for (unexpected; without a template none is).
 * - A report is an attestation.  It counts once it is sealed, and before that
 *   once a file of it is in the ledger, unless its type or that of its slot is
 *   another than "generic" and "*": such a type is judged at sealing.
 * - Of several versions of a name (NAME, NAME@2, ...) the highest one that
 *   counts decides.  A version that is not sealed is open, and is named.
 * - A report is compliant unless its claims or a built-in rule say that it is
 *   not; its last override decides instead.
 * - A slot is COMPLETE when the report that decides is of the type that the
 *   template asks for ("*": any; a report that names none is "generic"), else
 *   MISSING.
 * - One that is not compliant makes the whole NON-COMPLIANT, whatever is
 *   missing; else one that is missing makes it INCOMPLETE, and so does it that
 *   nothing counts at all; else it is COMPLIANT.
 */
#ifndef TF_LEDGER_STATUS_H
#define TF_LEDGER_STATUS_H

#include "../json.h"

enum tf_compliance { TF_COMPLIANT, TF_NON_COMPLIANT, TF_INCOMPLETE };
/* "COMPLIANT", "NON-COMPLIANT", "INCOMPLETE". */
const char *tf_compliance_word(enum tf_compliance c);

/* What a template asks for. */
struct tf_slot {
	struct tf_str name, type;
};

struct tf_template {
	const struct tf_slot *slots;
	size_t n;
};

/* One attestation of the workflow. */
struct tf_reported {
	struct tf_str name; /* as its directory is called: NAME or NAME@N */
	struct tf_str type; /* claimed, or absent */
	bool sealed;
	bool has_evidence; /* a file of it is in the ledger */
	bool denied; /* claims.compliant or evaluated.compliant is false */
	bool overridden, override; /* what its last override says */
};

enum tf_item_state { TF_ITEM_COMPLETE, TF_ITEM_MISSING };
/* "COMPLETE", "MISSING". */
const char *tf_item_word(enum tf_item_state s);

/* What became of one name. */
struct tf_status_item {
	struct tf_str name; /* without "@N" */
	struct tf_str type; /* what the slot asks for, else what was reported */
	enum tf_item_state state;
	bool reported;	/* a report counts */
	size_t decides; /* which one; none: SIZE_MAX */
	bool compliant; /* when reported */
	size_t open;	/* the newest one that is not sealed; none: SIZE_MAX */
	bool unexpected;
};

struct tf_status {
	enum tf_compliance word;
	struct tf_status_item *items; /* sorted by name as bytes */
	size_t n;
};

/*
 * Judge.  t NULL: no template.  sealed_only: what is not sealed does not count.
 * The strings in *out are those of the arguments.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_status_judge(const struct tf_template *t,
    const struct tf_reported *r, size_t n, bool sealed_only,
    struct tf_status *out, struct tf_error *err);
void tf_status_free(struct tf_status *s);

#endif
