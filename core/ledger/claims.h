/*
 * Claims: the JSON object in which entries have what people say about a trail,
 * workflow or attestation, and the rule which claims there are.  A claim has a
 * key as in the extended attribute "user.trailfs.KEY"; definition.h lists the
 * keys.  The functions are pure and safe from many threads at once.
 */
#ifndef TF_LEDGER_CLAIMS_H
#define TF_LEDGER_CLAIMS_H

#include <stdbool.h>

#include "../json.h"
#include "entry.h"

#define TF_CLAIMS_MAX 8192 /* bytes of the object */
#define TF_CLAIM_USER_DATA "user-data"

/* True if key is that of a claim about a node of this kind; the value and the
 * part after the first dot are not checked. */
bool tf_claims_has_key(enum tf_kind kind, const char *key);

/* What a change shall do if the claim exists, or does not. */
enum tf_claims_rule {
	TF_CLAIMS_ANY,	   /* either is fine; removing needs one */
	TF_CLAIMS_CREATE,  /* TF_EXISTS if it exists */
	TF_CLAIMS_REPLACE, /* TF_NODATA unless it exists */
};
/*
 * Append to out the claims old (n 0: none) with one claim set to value, or
 * removed (value NULL); nothing if no claim is left.  Not for user-data.
 * Errors: TF_UNSUPPORTED the key is unknown; TF_INVALID the value is empty or
 * malformed, or the part of the key after the dot; TF_TOOBIG the value is too
 * long; TF_NOSPACE too many claims, or together too long; TF_NODATA no such
 * claim to remove; TF_EXISTS.
 */
TF_MUST_USE enum tf_code tf_claims_change(struct tf_str old, const char *key,
    const void *value, size_t n, enum tf_claims_rule rule, struct tf_buf *out,
    struct tf_error *err);
/* The same for user-data: of this content, or removed (NULL). */
TF_MUST_USE enum tf_code tf_claims_set_user_data(struct tf_str old,
    const struct tf_content *content, enum tf_claims_rule rule,
    struct tf_buf *out, struct tf_error *err);

/* Append the value of a claim to out.  TF_NODATA if there is none, and for
 * user-data, whose bytes are not in the claims. */
TF_MUST_USE enum tf_code tf_claims_value(struct tf_str claims, const char *key,
    struct tf_buf *out, struct tf_error *err);
#endif
