/* Copies of the newest checkpoint, and what they tell. */
#ifndef TF_SEAL_HEAD_COPIES_H
#define TF_SEAL_HEAD_COPIES_H

#include "../base/clock.h"
#include "../json.h"

struct tf_vault;

#define TF_HEAD_NS TF_SECOND /* STORE/checkpoint is at most that old */

/* The first and the last entry of this process. */
struct tf_recovery;

/* What is needed to go on under a new origin. */
struct tf_recovery {
	const char *origin;	/* the new one, or NULL */
	struct tf_buf previous; /* the field of ledger.opened */
};

/* Write STORE/checkpoint and the guard when the head moved. */
TF_MUST_USE enum tf_code tf_vault_keep_head(struct tf_vault *v,
    struct tf_error *err);

/*
 * TF_OK when the database holds all that its copies of the head say; TF_TAMPER
 * with what happened and what to do, and the note that is ahead in *lost (may
 * be NULL).
 */
TF_MUST_USE enum tf_code tf_head_compare(struct tf_vault *v,
    struct tf_buf *lost, struct tf_error *err);

/* Take a new origin; TF_USAGE when nothing is wrong. */
TF_MUST_USE enum tf_code tf_head_renew(struct tf_vault *v,
    struct tf_recovery *r, struct tf_error *err);

#endif
