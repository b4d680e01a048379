/* What a process gives up for ever: capabilities. */
#ifndef TF_BASE_PRIVILEGES_H
#define TF_BASE_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>

#define TF_CAP(c) \
	(UINT64_C(1) << (c)) /* of a CAP_... of <linux/capability.h> */

/* No program that is run later can have other capabilities than keep.  This fails
 * without CAP_SETPCAP, and does not matter then if no program gains privileges. */
void tf_privileges_bound(uint64_t keep);
/* Keep only these capabilities; a process without them has none.  False: that
 * cannot be done. */
bool tf_privileges_keep(uint64_t keep);

/* Can this process be left without files and system calls at all?  Not under a
 * sanitizer or valgrind, nor in builds for coverage (TF_NO_SANDBOX), which need
 * others. */
bool tf_privileges_can_forbid(void);

#endif
