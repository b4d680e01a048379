/*
 * Who asks to see something, and whether owner, group and mode let him: the
 * ordinary check, for what the kernel does not check because a control file
 * speaks of many files at once.
 */
#ifndef TF_ASKER_H
#define TF_ASKER_H

#include "types.h"

/* Where a pointer to one is asked for, NULL is somebody who may read all. */
struct tf_asker {
	uint32_t uid, gid;
	const uint32_t *groups; /* supplementary, rising; the caller's */
	size_t n_groups;
};

#define TF_MAY_READ 4u
#define TF_MAY_SEARCH 1u /* of a directory */

/* May who do all of want with a?  Only its own mode is looked at.  uid 0 may. */
bool tf_asker_may(const struct tf_asker *who, const struct tf_attr *a,
    unsigned want);
/* Is there nothing that uid, gid and groups do not let him read? */
bool tf_asker_may_all(const struct tf_asker *who);
/* Have both the same rights, whatever they ask for? */
bool tf_asker_same(const struct tf_asker *a, const struct tf_asker *b);

#endif
