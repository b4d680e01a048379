/* What a user has that is not sealed yet. */
#ifndef TF_NODE_USER_H
#define TF_NODE_USER_H

#include <stdint.h>

struct tf_pending;
struct tf_vault;

/* What a user has that is not sealed yet. */
struct tf_user {
	uint32_t uid;
	uint64_t bytes;
	uint64_t names;
	uint64_t open; /* handles for writing */
	unsigned held; /* descriptors of files being written, */
	struct tf_pending *oldest, *newest; /* by when they were opened */
};

/* user.c: where what uid has is counted; NULL: no memory, and it is not.  Good
 * until it is asked for another.  mu is held. */
struct tf_user *tf_user_of(struct tf_vault *v, uint32_t uid);

#endif
