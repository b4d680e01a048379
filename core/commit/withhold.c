/* Writing texts apart from their entries: see withhold.h. */
#include "withhold.h"

#include <stdlib.h>

#include "../base/array.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../ledger/withheld.h"
#include "../store/objects.h"
#include "commit.h"
#include "node_ids.h"

struct tf_withheld_item {
	struct tf_hash sha256;
	size_t at, n; /* in bytes */
};

void
tf_withhold_free(struct tf_withhold *w)
{
	tf_buf_free(&w->bytes);
	free(w->item);
	*w = (struct tf_withhold){ 0 };
}

/* Put x apart, unless it stands apart already. */
static enum tf_code
put_apart(void *arg, const struct tf_withheld *x, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_withhold *w = arg;
	uint8_t salt[TF_WITHHELD_SALT];
	struct tf_withheld_item i = { .at = w->bytes.n };
	enum tf_code rc;

	if (x->is)
		return TF_OK;
	if ((rc = tf_random(salt, sizeof(salt), err)) != TF_OK)
		return rc;
	tf_withheld_object(salt, x->json, &w->bytes);
	if (w->bytes.failed ||
	    !tf_array_room(&w->item, w->n, &w->cap, sizeof(*w->item)))
		return tf_nomem(err);
	i.n = w->bytes.n - i.at;
	tf_sha256(w->bytes.p + i.at, i.n, &i.sha256);
	w->item[w->n++] = i;
	tf_withheld_put(&i.sha256, out);
	return TF_OK;
}

enum tf_code
tf_withhold_entry(struct tf_withhold *w, const char *bytes, size_t n,
    struct tf_buf *out, struct tf_error *err)
{
	return tf_withheld_entry(bytes, n, put_apart, w, out, NULL, err);
}

enum tf_code
tf_withhold_value(struct tf_withhold *w, const char *field, struct tf_str json,
    struct tf_buf *out, struct tf_error *err)
{
	return tf_withheld_value(field, json, put_apart, w, out, NULL, err);
}

/* No other object has these bytes: the salt is new. */
enum tf_code
tf_withhold_keep(struct tf_txn *t, const struct tf_withhold *w,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	uint64_t id;

	for (size_t i = 0; rc == TF_OK && i < w->n; i++) {
		const struct tf_withheld_item *x = &w->item[i];

		rc = tf_txn_new_id(t, &id, err);
		if (rc == TF_OK)
			rc = tf_object_put(tf_txn_write(t), id, &x->sha256,
			    w->bytes.p + x->at, x->n, err);
		if (rc == TF_OK)
			rc = tf_object_seal(t->db, &x->sha256, id, err);
	}
	return rc;
}
