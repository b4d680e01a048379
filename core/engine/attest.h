/* The entries that seal an attestation, a workflow or a trail. */
#ifndef TF_ENGINE_ATTEST_H
#define TF_ENGINE_ATTEST_H

#include "impl.h"

/* Who seals. */
struct tf_sealer {
	const struct tf_seal_request *r;
	const char *actor; /* canonical JSON, or NULL */
};

/* All evidence in it is in the ledger already. */
TF_MUST_USE enum tf_code tf_seal_attestation(struct tf_txn *t,
    const struct tf_sealer *c, const struct tf_node_row *att,
    struct tf_error *err);
/* A workflow whose attestations are sealed, or a trail. */
TF_MUST_USE enum tf_code tf_seal_parent(struct tf_txn *t,
    const struct tf_sealer *c, const struct tf_node_row *dir,
    struct tf_error *err);
/* Call fn for every child row of dir. */
TF_MUST_USE enum tf_code tf_each_child(struct tf_db *db, uint64_t dir,
    enum tf_code (*fn)(void *arg, const struct tf_node_row *r,
	struct tf_error *err),
    void *arg, struct tf_error *err);
struct tf_str tf_str_of(const char *s); /* NULL: absent */

#endif
