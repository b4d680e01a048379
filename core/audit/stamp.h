/*
 * Judges the time stamps that the ledger has, for the audit of a store and of a
 * package.
 */
#ifndef TF_AUDIT_STAMP_H
#define TF_AUDIT_STAMP_H

#include "../types.h"

struct tf_audit;
struct tf_entry;

/* The files of one time stamp. */
struct tf_audit_stamped {
	struct tf_str note; /* the checkpoint; p NULL: it is not at hand */
	struct tf_str token, chain;
	/* The clock's reading at the newest entry at hand that the checkpoint
	 * has; NULL: there is none. */
	const struct tf_time *made;
	/* Of the first entry that the checkpoint lacks; s 0: it is not known. */
	struct tf_time next;
	/* Certificates of the authorities whose stamps the store requires; p NULL:
	 * it names none.  Those of the caller come first. */
	struct tf_str required;
};

/*
 * Judge the time stamp that the entry e of the type anchor.added records.  The
 * caller has compared token and chain with the digests of e.  A note that is no
 * checkpoint of the tree of e, and every fault of the stamp, is a finding.  A
 * stamp that is before s->made, or after the clock's reading at e, is a finding
 * about the clock of the host (TF_GRADE_BESIDE); a stamp that is after the clock
 * of this computer is not counted.  See tf_stamp_differs().
 * Without certificates of the caller (struct tf_verify), or if the authority is
 * not one that these vouch for, the stamp proves nothing and is not counted.
 */
void tf_audit_stamp(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_audit_stamped *s);

/*
 * After the last entry: TF_CHECK_TIMESTAMP becomes OK if a stamp proves
 * something and no stamp has a fault.  needed: the number of entries that a
 * stamp must be about, 0 for any; if it is about fewer, the check is ABSENT.
 */
void tf_audit_stamps_end(struct tf_audit *a, uint64_t needed);

#endif
