/*
 * STORE/forwarded: how far the forwarder of this store is (core/forward.h), for
 * status, metrics and trailctl doctor.
 *
 * It is no cursor: the ledger of the organisation says which entry comes next.  A
 * file and not an entry, since each entry would have to be forwarded again.  Who
 * may write in the store may write it, and nobody else.
 *
 * One line of canonical JSON.  Before the first success it has no "at"; "failed_at"
 * and "why" are there after a failure, and "final" if that ended the forwarder:
 *	{"at":TIME,"entries":N,"failed_at":TIME,"final":true,"why":"..."}
 */
#ifndef TF_STORE_FORWARDED_H
#define TF_STORE_FORWARDED_H

#include "../error.h"
#include "../types.h"

#define TF_FORWARDED "forwarded"

struct tf_forward_state {
	/* The last success; {0, 0}: there was none. */
	struct tf_time at;
	uint64_t entries; /* the organisation had so many then */
	/* A failure since then; {0, 0}: there is none. */
	struct tf_time failed_at;
	bool final;    /* it does not pass by itself */
	char why[640]; /* safe to print */
};

/* Replace the file.  On TF_OK it survives power loss.  Errors: TF_READONLY the
 * store is a mirror or a backup; TF_IO and its sharper forms, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_forwarded_put(int dirfd,
    const struct tf_forward_state *s, struct tf_error *err);
/* Read it.  What is no such line counts as no success and a final failure of
 * unknown reason, since it was something once.  Errors: TF_NOTFOUND; TF_IO and its
 * sharper forms. */
TF_MUST_USE enum tf_code tf_forwarded_get(int dirfd,
    struct tf_forward_state *out, struct tf_error *err);

#endif
