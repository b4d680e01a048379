/*
 * Writing texts apart from their entries, in trails that want texts to be
 * redactable: each text becomes an object of its own with new random bytes in
 * front (withheld.h), and the entry gets its digest.  The objects are written in
 * the transaction of the entry: after a crash both are there or neither (I2).
 */
#ifndef TF_COMMIT_WITHHOLD_H
#define TF_COMMIT_WITHHOLD_H

#include <stddef.h>

#include "../json.h"

struct tf_txn;
struct tf_withheld_item;

/* Texts that an entry will name.  {0} is empty. */
struct tf_withhold {
	struct tf_buf bytes;
	struct tf_withheld_item *item;
	size_t n, cap;
};
void tf_withhold_free(struct tf_withhold *w);

/*
 * Append the bytes of an entry to out, with the digest of a text in its place,
 * and add the texts to w.  Texts that stand apart already stay so.  TF_NOMEM;
 * TF_INVALID: the bytes are not canonical; TF_IO: no random bytes.
 */
TF_MUST_USE enum tf_code tf_withhold_entry(struct tf_withhold *w,
    const char *bytes, size_t n, struct tf_buf *out, struct tf_error *err);
/* The same for a value of the field `claims` or `imported`. */
TF_MUST_USE enum tf_code tf_withhold_value(struct tf_withhold *w,
    const char *field, struct tf_str json, struct tf_buf *out,
    struct tf_error *err);

/* Write the objects, in the transaction of an entry that names them. */
TF_MUST_USE enum tf_code tf_withhold_keep(struct tf_txn *t,
    const struct tf_withhold *w, struct tf_error *err);

#endif
