/* Following an organisation: what its parts share. */
#ifndef TF_ANCHOR_FOLLOW_I_H
#define TF_ANCHOR_FOLLOW_I_H

#include <pthread.h>
#include <stdatomic.h>

#include "../follow.h"
#include "object_cache.h"

struct tf_engines;

/* A copy, for those who watch. */
struct tf_followed {
	char *origin;
	uint64_t entries;
};

struct tf_follower {
	const struct tf_follow *o;
	char *ledger, *blobs; /* URIs, for threads that go on */
	int dirfd, listenfd;
	struct tf_object_cache cache;
	pthread_t server;
	bool serves;
	atomic_bool ends;
	pthread_mutex_t mu;
	pthread_cond_t changed; /* a copy has grown, or a request has ended */
	unsigned requests;	/* under way; guarded by mu, as all below */
	struct tf_engines *engines;   /* that nobody uses now */
	struct tf_followed *followed; /* only added to */
	size_t n, cap;
};

/* Listen at the socket, which replaces one of an earlier process, and answer until
 * ends.  The signals of this thread must be blocked. */
TF_MUST_USE enum tf_code tf_follow_serve(struct tf_follower *f,
    struct tf_error *err);
/* End that.  False: a request goes on, and uses f. */
bool tf_follow_serve_end(struct tf_follower *f);

#endif
