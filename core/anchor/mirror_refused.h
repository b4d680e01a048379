/*
 * Evidence of a source that was refused: DIR/refused/ID/ with the heads of both
 * sides.
 */
#ifndef TF_ANCHOR_MIRROR_REFUSED_H
#define TF_ANCHOR_MIRROR_REFUSED_H

#include "../json.h"
#include "../ledger/merkle.h"

/* What was refused.  Absent strings are left out. */
struct tf_mirror_refusal {
	const char *reason; /* one line */
	struct tf_str source_head, source_key;
	struct tf_str mirror_head, mirror_key;
	struct tf_proof proof; /* which the source gave for its head */
};

#define TF_MIRROR_REFUSED_MAX 1000 /* directories; more are not kept */

/*
 * Keep it below the directory dirfd of the mirror, durable on TF_OK.  The name
 * follows from head and reason, so that a repetition is kept once.  name becomes
 * "refused/ID".  TF_QUOTA: there are TF_MIRROR_REFUSED_MAX.
 */
#define TF_MIRROR_REFUSED_NAME 32
TF_MUST_USE enum tf_code tf_mirror_refuse(int dirfd,
    const struct tf_mirror_refusal *r, char name[TF_MIRROR_REFUSED_NAME],
    struct tf_error *err);

#endif
