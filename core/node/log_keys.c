/* The rotations of the log's key: their numbers are one row of table meta, so that
 * nobody reads all entries for them.  The entries themselves are checked. */
#include "log_keys.h"

#include <stdlib.h>

#include "../buffer.h"
#include "../ledger/rotation.h"
#include "../store/entries.h"
#include "../store/meta.h"

enum tf_code
tf_log_keys_record(struct tf_db *db, uint64_t seq, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	enum tf_code rc = tf_meta_get_long(db, TF_META_ROTATED, &text, err);

	if (rc == TF_OK || rc == TF_NOTFOUND) {
		tf_buf_printf(&text, "%llu ", (unsigned long long)seq);
		tf_buf_add(&text, "", 1);
		rc = tf_buf_end(&text, err);
	}
	if (rc == TF_OK)
		rc = tf_meta_set_text(db, TF_META_ROTATED, text.p, err);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_log_keys_load(struct tf_db *db, struct tf_log_keys *k, struct tf_error *err)
{
	struct tf_buf text = { 0 }, body = { 0 };
	enum tf_code rc = tf_meta_get_long(db, TF_META_ROTATED, &text, err);
	char *at, *end;

	tf_buf_add(&text, "", 1);
	if (rc == TF_NOTFOUND)
		rc = TF_OK;
	if (rc == TF_OK)
		rc = tf_buf_end(&text, err);
	for (at = text.p; rc == TF_OK; at = end) {
		uint64_t seq = strtoull(at, &end, 10);

		if (end == at)
			break;
		body.n = 0;
		rc = tf_entries_get(db, seq, &body, NULL, err);
		if (rc == TF_OK)
			rc = tf_log_keys_learn(k, body.p, body.n, err);
		else if (rc == TF_NOTFOUND) /* verification says more */
			rc = TF_OK;
	}
	tf_buf_free(&text);
	tf_buf_free(&body);
	return rc;
}
