/* What people say about a trail, a workflow or an attestation, as a view shows
 * it. */
#ifndef TF_VIEW_CLAIMED_H
#define TF_VIEW_CLAIMED_H

#include "../json.h"

struct tf_node_row;
struct tf_view;

/* {0} is empty; free with tf_claimed_free. */
struct tf_claimed {
	struct tf_str claims; /* the JSON object that entries have, or absent */
	uint64_t object;      /* row of the user data if no entry names them */
	struct tf_json_doc doc; /* of claims */
	struct tf_buf text;	/* memory of claims */
};
void tf_claimed_free(struct tf_claimed *c);

/* Read the claims about node id into *out, which is empty: of a sealed
 * attestation those of its seal, of any other node the present ones.  A view of
 * the ledger only has no claims of an attestation that is not sealed. */
TF_MUST_USE enum tf_code tf_claimed_read(struct tf_view *w, uint64_t id,
    struct tf_claimed *out, struct tf_error *err);

/* *seq becomes the newest claims.set about node row, a trail or workflow, among the
 * entries of the view; TF_NO_SEQ: there is none. */
TF_MUST_USE enum tf_code tf_claimed_entry(struct tf_view *w,
    const struct tf_node_row *row, uint64_t *seq, struct tf_error *err);

/* The text of a member of the claims, or absent. */
struct tf_str tf_claimed_member(const struct tf_claimed *c, const char *key);

#endif
