/*
 * Table claim: what people say about nodes.  The row of an attestation that is
 * not sealed can change; the seal puts it into an entry and deletes it.  The
 * row of a trail or workflow is what its newest claims.set says.
 */
#ifndef TF_STORE_CLAIMS_H
#define TF_STORE_CLAIMS_H

#include <stdint.h>

#include "../error.h"
#include "../json.h"

struct tf_db;

/* One row.  {0} is empty; free with tf_claim_row_free. */
struct tf_claim_row {
	uint64_t id;	      /* of the node */
	struct tf_buf claims; /* JSON as in entries; n 0: none */
	struct tf_buf uids; /* who set them: a JSON array of uids; n 0: none */
	uint64_t object;    /* row id of user data that no entry names, or 0 */
	uint64_t entry;	    /* seq of claims.set, or 0: not in the ledger */
};
void tf_claim_row_free(struct tf_claim_row *r);

/* Insert or replace the row of r->id; r stays the caller's.  A change, here and
 * below, belongs to the transaction of db, and is durable with its commit.
 * Errors of all functions: those of sql.h, and TF_NOMEM. */
TF_MUST_USE enum tf_code tf_claims_put(struct tf_db *db,
    const struct tf_claim_row *r, struct tf_error *err);
/* Fill *r, which is empty, from the row of id.  TF_OK with nothing in it if
 * there is none; a store of an earlier version has none. */
TF_MUST_USE enum tf_code tf_claims_get(struct tf_db *db, uint64_t id,
    struct tf_claim_row *r, struct tf_error *err);
/* Set *n to the bytes of all definitions, and of the user data that rows of
 * claims name. */
TF_MUST_USE enum tf_code tf_claims_bytes(struct tf_db *db, uint64_t *n,
    struct tf_error *err);
/* Delete the row of id and the user data that it names, and the row alone. */
TF_MUST_USE enum tf_code tf_claims_remove(struct tf_db *db, uint64_t id,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_claims_delete(struct tf_db *db, uint64_t id,
    struct tf_error *err);
/* Call fn for every row, or for those with an id from low to high, in order of
 * id, until it fails.  The row belongs to this call. */
typedef enum tf_code (*tf_claim_fn)(void *arg, const struct tf_claim_row *r,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_claims_each(struct tf_db *db, tf_claim_fn fn,
    void *arg, struct tf_error *err);
TF_MUST_USE enum tf_code tf_claims_range(struct tf_db *db, uint64_t low,
    uint64_t high, tf_claim_fn fn, void *arg, struct tf_error *err);

#endif
