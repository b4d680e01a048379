/*
 * Compliance of single reports, and of the reports of one slot.  status.h has
 * the rules; status.c judges the workflow with these functions.  A struct
 * tf_judging belongs to one thread.
 */
#ifndef TF_LEDGER_STATUS_REPORT_H
#define TF_LEDGER_STATUS_REPORT_H

#include "status.h"

/* One name of a slot or of a report, for sorting. */
struct tf_claimed_name {
	struct tf_str name;
	unsigned version; /* 0: a slot */
	size_t index;
};

/* One name: its slot, its reports in the order of their versions. */
struct tf_judged_slot {
	struct tf_str name;
	const struct tf_slot *slot; /* or NULL */
	const struct tf_claimed_name *c;
	size_t n;	/* of c: reports */
	bool satisfied; /* for `after` */
	uint64_t since; /* valid if satisfied: a seq */
};

/* One report, for counting reports or their users. */
struct tf_report_mark {
	uint32_t uid;
	uint64_t order; /* of the version, or the seq since which it counts */
	bool good;
};

struct tf_judging {
	const struct tf_case *in;
	struct tf_status *out;
	struct tf_claimed_name *claims;
	struct tf_judged_slot *groups;
	size_t n_groups;
	struct tf_report_mark *marks; /* scratch, with a place per report */
};

/* The number of reports that the slot asks for.  NULL, a name without a slot,
 * asks for one report. */
uint32_t tf_slot_needs(const struct tf_slot *slot);
/* True if these must be reports of different users. */
bool tf_slot_asks_users(const struct tf_slot *slot);
/* True if at is later than the deadline of the slot. */
bool tf_deadline_passed(const struct tf_case *in, const struct tf_slot *slot,
    struct tf_time at);

/* Judge the reports of g by their claims, type, user and time, and find since
 * when g is satisfied. */
void tf_judge_reports(struct tf_judging *x, struct tf_judged_slot *g);
/* Judge the reports of g by `after`, once tf_judge_reports was called for every
 * slot. */
void tf_judge_order(struct tf_judging *x, const struct tf_judged_slot *g);

/* The index of the report of g that decides, or SIZE_MAX.  in_time: only reports
 * that counted before the deadline of g are considered, here and below. */
size_t tf_judge_deciding(const struct tf_judging *x,
    const struct tf_judged_slot *g, bool in_time);
/* The number of reports of g, or of their users, that are sufficient. */
size_t tf_judge_sufficient(struct tf_judging *x, const struct tf_judged_slot *g,
    bool in_time);

#endif
