/* Each user's account of unsealed bytes, names and open files, for the limits
 * of quota.h and descriptors.h. */
#ifndef TF_NODE_USER_H
#define TF_NODE_USER_H

#include <stdint.h>

struct tf_pending;
struct tf_vault;

/* One account.  Guarded by vault.mu. */
struct tf_user {
	uint32_t uid;
	uint64_t bytes; /* unsealed */
	uint64_t names; /* unsealed */
	uint64_t empty; /* directories: see empties.h */
	/* What it has taken of the last part of the disk: see quota.h. */
	uint64_t last_bytes, last_files;
	uint64_t open; /* handles for writing */
	unsigned held; /* descriptors of staged files; a list of these, */
	struct tf_pending *oldest, *newest; /* in the order of opening */
};

/* The account of uid, created if absent; valid until the next call for another
 * uid.  NULL if memory runs out, and nothing is counted then.  mu is held. */
struct tf_user *tf_user_of(struct tf_vault *v, uint32_t uid);

#endif
