/*
 * Compliance: what a template asks for and what was reported, to one word.
 * The only place that judges.  Pure.
 *
 * - A report is an attestation.  It counts once it is sealed; of several
 *   versions of a name (NAME, NAME@2, ...) the highest sealed one decides.
 * - It is compliant unless its claims or a built-in rule say that it is not;
 *   its last override decides instead.
 * - A slot of the template is COMPLETE when the report that decides for its
 *   name is of its type ("*": of any; a report that names none is "generic"),
 *   else MISSING.  Without a template nothing can be missing.
 * - What no slot asks for is unexpected, and counts all the same.
 * - A name of which only unsealed versions are there was begun and not
 *   reported: it is OPEN, as if it were missing, also where no slot asks for
 *   it, because somebody is still to say what came of it.
 * - One that is not compliant makes the whole NON-COMPLIANT, whatever is
 *   missing; else one that is missing or open makes it INCOMPLETE; else it is
 *   COMPLIANT, also when there is nothing at all.
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
	bool denied; /* claims.compliant or evaluated.compliant is false */
	bool overridden, override; /* what its last override says */
};

enum tf_item_state { TF_ITEM_COMPLETE, TF_ITEM_MISSING, TF_ITEM_OPEN };
/* "COMPLETE", "MISSING", "OPEN". */
const char *tf_item_word(enum tf_item_state s);

/* What became of one name. */
struct tf_status_item {
	struct tf_str name; /* without "@N" */
	struct tf_str type; /* what the slot asks for, else what was reported */
	enum tf_item_state state;
	bool reported;	/* decides says which report; else SIZE_MAX */
	size_t decides; /* index of the report that decides, or of the open */
	bool compliant; /* when reported */
	bool unexpected;
};

struct tf_status {
	enum tf_compliance word;
	struct tf_status_item *items; /* sorted by name as bytes */
	size_t n;
};

/*
 * Judge.  t NULL: no template.  The strings in *out are those of the arguments.
 * Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_status_judge(const struct tf_template *t,
    const struct tf_reported *r, size_t n, struct tf_status *out,
    struct tf_error *err);
void tf_status_free(struct tf_status *s);

#endif
