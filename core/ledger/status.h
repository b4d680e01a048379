/*
 * Compliance: from the template and the attestations of a workflow to one word.
 * No other file decides compliance.  The functions are pure.
 *
 * - A slot is a name that the template asks for, or the name of any other
 *   attestation.  The latter is unexpected if the workflow has a template.
 * - A report is an attestation.  A sealed report counts.  An open report counts
 *   once one of its files is in the ledger, but only if its type and the type
 *   of its slot are "generic" or "*".  Other types are judged at sealing.  The
 *   moment since which a report counts follows from the same rule and does not
 *   change when the report is sealed.
 * - If a name has several versions (NAME, NAME@2, ...), the highest version
 *   that counts decides.  The newest version that is not sealed is reported as
 *   open.
 * - A report without a claimed type has the type of its slot if its sealing
 *   evaluated it, else it is "generic".
 * - A report is compliant unless
 *     its claims or the evaluation of its evidence deny it,
 *     its user is not one whom the slot allows,
 *     it counts only since a time after the deadline of the slot, and what
 *     counted by then was not compliant or not sufficient, or
 *     it began before a slot that `after` names was satisfied.
 *   The last override of a report replaces this result.
 * - The reports of a slot that are sufficient are those that count, have its
 *   type, and are compliant or decide.  With different_users only the highest
 *   version of each user is one of them.
 * - A slot is COMPLETE if the deciding report has its type and the sufficient
 *   reports are as many as its count, else MISSING.  A MISSING slot has no
 *   verdict, whatever its reports say; a report that is not compliant still
 *   makes the result NON-COMPLIANT.
 * - A slot is satisfied, for `after`, since as many compliant reports of its
 *   type count as it asks for; here `after` of that slot itself is not
 *   considered.  Moments are compared by their place in the ledger, so a clock
 *   that goes backwards does not matter.  A name without a slot asks for one
 *   report.  An optional slot without reports is satisfied.
 * - A slot is lacking if it is MISSING, unless it is optional and has no
 *   reports.  It is overdue if it is lacking and its deadline has passed.
 * - A report is damaged if something that its result depends on cannot be read,
 *   for example because an entry is malformed.  It does not count.  A slot with
 *   a damaged report is DAMAGED: no older report decides in its place.
 * - The result is DAMAGED if a slot is DAMAGED, or if something that all results
 *   depend on cannot be read.  Nothing that is damaged is ever COMPLIANT.
 *   Otherwise the result is NON-COMPLIANT if a deciding report is not compliant, even if
 *   slots are lacking.  Else it is INCOMPLETE if a slot is lacking or if no
 *   report counts.  Else it is COMPLIANT.
 */
#ifndef TF_LEDGER_STATUS_H
#define TF_LEDGER_STATUS_H

#include "../json.h"
#include "template.h"

enum tf_compliance {
	TF_COMPLIANT,
	TF_NON_COMPLIANT,
	TF_INCOMPLETE,
	TF_DAMAGED,
	TF_COMPLIANCES
};

/* When something came into the ledger. */
struct tf_moment {
	uint64_t seq; /* of its entry */
	struct tf_time at;
};

/* One attestation of the workflow. */
struct tf_reported {
	struct tf_str name; /* of its directory: NAME or NAME@N */
	struct tf_str type; /* claimed, or absent */
	bool sealed;
	bool has_evidence;	   /* one of its files is in the ledger */
	bool denied;		   /* claims.compliant is false */
	bool evaluated;		   /* its sealing evaluated its evidence */
	bool failed;		   /* evaluated.compliant is false */
	bool overridden, override; /* has an override; its last value */
	bool damaged;		   /* a record about it cannot be read */
	struct tf_moment begun;
	struct tf_moment evidence; /* its first; valid with has_evidence */
	struct tf_moment seal;	   /* valid with sealed */
	struct tf_time
	    overridden_at;	/* by the last one; valid with overridden */
	struct tf_reporter who; /* the actor of the entry that began it */
};

/* What is to be judged. */
struct tf_case {
	const struct tf_template *template; /* or NULL: the trail has none */
	const struct tf_reported *reports;
	size_t n;
	bool sealed_only;     /* open reports do not count */
	bool damaged;	      /* a record about the workflow cannot be read */
	struct tf_time began; /* the workflow */
	struct tf_time now;
};

enum tf_item_state { TF_ITEM_COMPLETE, TF_ITEM_MISSING, TF_ITEM_DAMAGED };

/* Why a slot is damaged or lacking or its deciding report not compliant: the
 * first of these that is so, in this order. */
enum tf_cause {
	TF_CAUSE_NONE, /* neither */
	TF_CAUSE_DAMAGED,
	TF_CAUSE_OVERRIDDEN,
	TF_CAUSE_DENIED,
	TF_CAUSE_FAILED,
	TF_CAUSE_USER, /* not allowed */
	TF_CAUSE_LATE,
	TF_CAUSE_ORDER,
	TF_CAUSE_TYPE,	/* the deciding report has another type */
	TF_CAUSE_COUNT, /* too few reports */
	TF_CAUSE_USERS, /* too few different users */
	TF_CAUSE_OPEN,	/* begun, and does not count yet */
	TF_CAUSE_MISSING,
	TF_CAUSES
};

/* The result for one report. */
struct tf_judged_report {
	bool counts;
	struct tf_moment since; /* valid if it counts */
	bool fits;		/* it has the type of its slot, if it has one */
	bool compliant;
	enum tf_cause cause;  /* NONE if compliant, else DAMAGED to ORDER */
	struct tf_str before; /* cause ORDER: the name in `after` */
};

/* The result for one slot. */
struct tf_status_item {
	struct tf_str name; /* without "@N" */
	struct tf_str type; /* required by the slot, else of the report */
	const struct tf_slot *slot; /* NULL: the template has none */
	enum tf_item_state state;
	bool reported;	/* a report counts */
	size_t decides; /* index of the deciding report; none: SIZE_MAX */
	bool compliant; /* that one; valid if reported */
	bool judged;	/* the slot has a verdict, which is `compliant` */
	size_t open;	/* index of the newest open one; none: SIZE_MAX */
	bool unexpected;
	bool lacking, overdue;
	size_t sufficient; /* reports that are */
	enum tf_cause cause;
	struct tf_str before;  /* cause ORDER: the name in `after` */
	struct tf_str claimed; /* cause TYPE: that of the report, or absent */
};

struct tf_status {
	enum tf_compliance word;
	struct tf_status_item *items; /* sorted by name as bytes */
	size_t n;
	struct tf_judged_report *verdicts; /* of the reports, in their order */
	/* When it was judged: now, or the newest moment of what was judged, if
	 * that is later. */
	struct tf_time at;
};

/*
 * Judge the workflow of *c.  The names in its template are unique, and so are
 * those of its reports.  Strings and slots in *out belong to the arguments and
 * must outlive it.  Free *out with tf_status_free.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_status_judge(const struct tf_case *c,
    struct tf_status *out, struct tf_error *err);
void tf_status_free(struct tf_status *s);

/* Counts of the names in a result. */
struct tf_tally {
	size_t lacking, spoiled; /* missing; not compliant */
	size_t overdue;
	size_t open; /* with an unsealed version */
	size_t damaged;
};
struct tf_tally tf_status_tally(const struct tf_status *s);

/* The word of the slots of one artifact.  False if none of them has a
 * report: the artifact is MISSING. */
bool tf_status_artifact(const struct tf_status *s, struct tf_str artifact,
    enum tf_compliance *word);

#endif
