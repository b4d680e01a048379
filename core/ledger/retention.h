/*
 * How long a node is kept: the periods and times of retention.set.  The
 * functions are pure and safe from many threads at once.
 *
 * A period is in days, or in months of the calendar: seven years after
 * 29 February are over on 28 February.  It begins with the seal of what it is
 * about: what can still grow is not a whole record, and a period that began
 * earlier could end for evidence that was recorded a day before.
 *
 * Retentions of one node only add up.  The node is kept until the latest end
 * that any of them asks for, so no entry can shorten what an earlier one
 * promised.
 */
#ifndef TF_LEDGER_RETENTION_H
#define TF_LEDGER_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"
#include "entry.h"

#define TF_PERIOD_YEARS_MAX 1000
#define TF_RETENTION_MODE "governance" /* kept until the end */
#define TF_RETENTION_NEVER "never"     /* never disposed of */

/* What all retentions of a node ask for together.  {0}: none. */
struct tf_retention {
	uint32_t months, days; /* after the seal; 0: no such period */
	bool has_until;
	struct tf_time until;
	bool never;
};

/*
 * Parse "7y", "18m", "2w" or "90d" into *r, which is {0}: years and months are
 * months, weeks and days are days.  False: another text, zero, a leading zero,
 * or more than TF_PERIOD_YEARS_MAX years.
 */
bool tf_period_parse(const char *s, size_t n, struct tf_retention *r);

/* *out becomes what retention.set asks for.  A mode that this version does not
 * know keeps without an end, so a later kind of retention protects here, too. */
void tf_retention_of(const struct tf_retention_ref *entry,
    struct tf_retention *out);
/* Does r ask for nothing at all? */
bool tf_retention_is_none(const struct tf_retention *r);

/* Add what r asks for to sum. */
void tf_retention_add(struct tf_retention *sum, const struct tf_retention *r);

/*
 * Does r ask for less than sum in the same unit: fewer months, fewer days, an
 * earlier time, or an end where there is none?  An entry that does is no valid
 * one.  Two units are compared by their ends only: tf_retention_end().
 */
bool tf_retention_is_less(const struct tf_retention *sum,
    const struct tf_retention *r);

/* Set *end to the end of r, counted from start; false: r has no end.  A
 * retention of {0} ends at start. */
bool tf_retention_end(const struct tf_retention *r, struct tf_time start,
    struct tf_time *end);

/* Write the member `rule` of a retention, if it names a rule. */
void tf_retention_put_rule(struct tf_json *j, const struct tf_retention_ref *r);

#endif
