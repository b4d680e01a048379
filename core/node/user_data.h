/*
 * The bytes of user data of attestations that are not sealed, v->user_data.
 * They count for max_staged of the attestation's owner, as its files do for
 * theirs.  The caller holds mu.
 */
#ifndef TF_NODE_USER_DATA_H
#define TF_NODE_USER_DATA_H

#include <stdint.h>

#include "../error.h"

struct tf_vault;

struct tf_user_data {
	uint64_t att, wf;
	uint64_t bytes;
	uint32_t uid; /* that they are charged to */
};

/* Charge n more bytes of attestation att in workflow wf to uid, which are to
 * replace those that it has.  TF_QUOTA: uid would have more than max_staged
 * then; TF_NOMEM.  Nothing is charged on failure. */
TF_MUST_USE enum tf_code tf_user_data_take(struct tf_vault *v, uint64_t att,
    uint64_t wf, uint32_t uid, uint64_t n, struct tf_error *err);
/* The same without the limit, for what the database has at the start. */
TF_MUST_USE enum tf_code tf_user_data_charge(struct tf_vault *v, uint64_t att,
    uint64_t wf, uint32_t uid, uint64_t n, struct tf_error *err);
/* Charge n bytes of att less. */
void tf_user_data_give(struct tf_vault *v, uint64_t att, uint64_t n);
/* Directory id is sealed or gone: an attestation, or a workflow with all that
 * is in it.  Its user data are not charged any more. */
void tf_user_data_end(struct tf_vault *v, uint64_t id);
/* Attestation att belongs to uid now. */
void tf_user_data_move(struct tf_vault *v, uint64_t att, uint32_t uid);

#endif
