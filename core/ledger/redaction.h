/*
 * Redactions: two people remove the bytes of evidence.  One proposes it
 * (redaction.proposed) and another approves it (redaction.done) within
 * TF_REDACTION_DAYS.  The writer and replay use the same rules.
 * All functions are pure and safe from many threads at once.
 */
#ifndef TF_LEDGER_REDACTION_H
#define TF_LEDGER_REDACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "entry.h"

#define TF_REDACTION_DAYS 7 /* a proposal lapses after these */

/* Values of the field what: content that should not have been recorded; content
 * whose retention is over. */
#define TF_REDACTION_CONTENT "content"
#define TF_REDACTION_EXPIRED "expired"

/*
 * Is the redaction about a text that stands apart from its entry (withheld.h)?
 * Then what is the field of entry target that has the text, and content is the
 * object with the text and the bytes before it.
 */
bool tf_redaction_is_text(const struct tf_entry *e);

/* What the approval of a proposal is compared with. */
struct tf_proposal {
	uint64_t seq, target;
	uint64_t number; /* among those about the evidence, from 1 */
	struct tf_content content;
	struct tf_time at, when; /* see tf_redaction_when() */
	bool expired;		 /* TF_REDACTION_EXPIRED */
	int64_t uid, loginuid;	 /* who proposed it; -1: unknown */
};

/* Read a proposal from its entry; number becomes 0. */
TF_MUST_USE enum tf_code tf_proposal_of(const struct tf_entry *e,
    struct tf_proposal *out, struct tf_error *err);

/* What the clock said at the entry. */
struct tf_time tf_redaction_when(const struct tf_entry *e);

/*
 * May the entry done, a redaction.done, follow from the proposal?  *why is NULL,
 * or the rule that it breaks: it must name the proposal, its target, content and
 * reason for the removal; its actor must be another person, who shares neither
 * uid nor login uid with the proposer; and it must come within
 * TF_REDACTION_DAYS, by the time of the ledger and by the clock, which must not
 * have been set back to before the proposal.
 */
TF_MUST_USE enum tf_code tf_redaction_refused(const struct tf_proposal *p,
    const struct tf_entry *done, const char **why, struct tf_error *err);

#endif
