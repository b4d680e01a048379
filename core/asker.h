/*
 * Who may read and administer.
 *
 * The reader of a control file, and what owner, group and mode let that user
 * read.  The kernel checks the permissions of evidence, but a control file
 * describes many files at once, so core repeats the POSIX check for each.
 * All functions here only read their arguments and cannot fail.
 */
#ifndef TF_ASKER_H
#define TF_ASKER_H

#include "types.h"

/* Functions that take a pointer to this accept NULL: a user who may read
 * everything. */
struct tf_asker {
	uint32_t uid, gid;
	const uint32_t *groups; /* supplementary, ascending; the caller's */
	size_t n_groups;
	bool reads_all; /* a member of auditors= or admins= */
};

#define TF_MAY_READ 4u
#define TF_MAY_WRITE 2u
#define TF_MAY_SEARCH 1u /* of a directory */

/*
 * True if owner, group and mode of a grant who every TF_MAY_ bit in want.
 * The directories above a are the caller's to check.  uid 0 may do everything,
 * and a user who reads everything needs no mode for reading and searching.
 */
bool tf_asker_may(const struct tf_asker *who, const struct tf_attr *a,
    unsigned want);
/* True if who may read everything: NULL, uid 0, or reads_all. */
bool tf_asker_may_all(const struct tf_asker *who);
/* True if gid is the group of who or one of its groups. */
bool tf_asker_is_in(const struct tf_asker *who, uint32_t gid);
/*
 * True if who may administer what the user owner owns, a trail or the root
 * directory: set its recipients, place and release holds, set its retention,
 * propose redactions.  Those are its owner, root and the members of admins=.
 */
bool tf_may_administer(const struct tf_actor *who, uint32_t owner);
/* True if a and b have the same rights to every file. */
bool tf_asker_same(const struct tf_asker *a, const struct tf_asker *b);

#endif
