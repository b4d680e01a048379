/*
 * Comparison of two ledgers: of stores, mirrors, logs, packages and saved
 * checkpoints.  Each side is verified first (verify.h), which collects the
 * leaves (RFC 6962 2.1) of the entries that it has; then the leaves and the
 * roots of the two sides are compared.
 */
#ifndef TF_COMPARE_H
#define TF_COMPARE_H

#include "error.h"
#include "json.h"
#include "types.h"
#include "verify.h"

/* The leaves of one side, in a temporary file without a name.  For one thread
 * at a time. */
struct tf_leaf_list;
/* On TF_OK free *out with tf_leaf_list_free.  TF_IO, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_leaf_list_new(struct tf_leaf_list **out,
    struct tf_error *err);
void tf_leaf_list_free(struct tf_leaf_list *l);
/* Add the leaf of entry seq, which has these bytes.  Entries come in ascending
 * order.  TF_IO. */
TF_MUST_USE enum tf_code tf_leaf_list_add(struct tf_leaf_list *l, uint64_t seq,
    const void *body, size_t n, struct tf_error *err);

/* *yes: does l have the leaf of entry seq?  TF_IO. */
TF_MUST_USE enum tf_code tf_leaf_list_has(struct tf_leaf_list *l, uint64_t seq,
    bool *yes, struct tf_error *err);

/*
 * Check the signature of a saved checkpoint with vkey, and set size, root and
 * origin of *r.  Errors: TF_TAMPER the signature is wrong or there is none of
 * that key; TF_FOREIGN another log; TF_INVALID note or key are malformed.
 */
TF_MUST_USE enum tf_code tf_compare_note(struct tf_str note, const char *vkey,
    struct tf_report *r, struct tf_error *err);

enum tf_relation {
	TF_RELATION_EQUAL,
	TF_RELATION_A_IN_B, /* a is a prefix of b */
	TF_RELATION_B_IN_A,
	TF_RELATION_FORKED,
	TF_RELATION_UNKNOWN, /* too few entries are there to tell */
};

/* One side: size and root of its report, and its leaves (NULL: none). */
struct tf_side {
	const struct tf_report *report;
	struct tf_leaf_list *leaves;
};

/*
 * Compare.  *at becomes the first entry that both sides have and that differs,
 * or UINT64_MAX: they forked at an entry that one of them does not have.
 * Errors: TF_IO, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_compare(const struct tf_side *a,
    const struct tf_side *b, enum tf_relation *relation, uint64_t *at,
    struct tf_error *err);

#endif
