/*
 * Following an organisation: its copies are kept up to date (fetch.h), and whoever
 * mounts a sparse copy on this machine gets the bytes of evidence from a socket,
 * DIR/.follow, which only the user of this process can use.
 *
 * Bytes that were given stay in DIR/.cache, up to a limit; those that were not used
 * for the longest time go first.  They are hashed when they come and whenever they are
 * given.  A killed process leaves nothing that the next one must repair.
 *
 * The socket takes SOCK_SEQPACKET and one request per connection:
 *	object HEX ORIGIN	see core/node/absent.h
 *	watch			"grown ORIGIN ENTRIES" for each copy, now and whenever
 *				it has grown, until the connection is closed
 * A request waits for no other one, as long as there are fewer than
 * TF_FOLLOW_REQUESTS.
 */
#ifndef TF_FOLLOW_H
#define TF_FOLLOW_H

#include <stdatomic.h>

#include "fetch.h"

#define TF_FOLLOW_REQUESTS 128
#define TF_FOLLOW_SOCKET ".follow"
#define TF_FOLLOW_CACHE (UINT64_C(1) << 30) /* bytes, if nobody says more */

/* What a follower counts, in memory of the caller that another process may read. */
struct tf_follow_counts {
	_Atomic uint64_t cached;       /* bytes in the cache */
	_Atomic uint64_t hits, misses; /* objects that were asked for */
	_Atomic uint64_t failures;     /* of these, that could not be given */
};

struct tf_follow {
	/* Its callbacks are called in each round; progress and signed_of never. */
	struct tf_fetch fetch;
	uint64_t size;			 /* bytes of the cache, at most */
	struct tf_follow_counts *counts; /* or NULL */
	/* Something failed and is tried again; why NULL: it goes on. */
	void (*report)(void *arg, const struct tf_error *why);
};

/*
 * Follow until fetch.stop.  TF_INTERRUPTED then.  What may pass is tried again.
 * Other errors end it: TF_LOCKED another process follows into the directory;
 * TF_FOREIGN; those of opening the engines for the first time.
 */
TF_MUST_USE enum tf_code tf_follow(const struct tf_follow *o,
    struct tf_error *err);

#endif
