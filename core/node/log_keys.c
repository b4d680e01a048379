/* The rotations of the log's key: their numbers are one row of table meta, so that
 * nobody reads all entries for them.  The entries themselves are checked. */
#include "log_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../buffer.h"
#include "../ledger/rotation.h"
#include "../store/entries.h"
#include "../store/meta.h"

#define NUMBERS_MAX 4096 /* bytes: of more than 200 rotations */

enum tf_code
tf_log_keys_record(struct tf_db *db, uint64_t seq, struct tf_error *err)
{
	char text[NUMBERS_MAX] = "";
	size_t n;
	enum tf_code rc = tf_meta_get_text(db, TF_META_ROTATED, text,
	    sizeof(text), err);

	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	n = strlen(text);
	if (snprintf(text + n, sizeof(text) - n, "%llu ",
		(unsigned long long)seq) >= (int)(sizeof(text) - n))
		return tf_fail(err, TF_TOOBIG, "too many rotations of keys");
	return tf_meta_set_text(db, TF_META_ROTATED, text, err);
}

enum tf_code
tf_log_keys_load(struct tf_db *db, struct tf_log_keys *k, struct tf_error *err)
{
	char text[NUMBERS_MAX] = "", *at = text, *end;
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_meta_get_text(db, TF_META_ROTATED, text,
	    sizeof(text), err);

	if (rc == TF_NOTFOUND)
		return TF_OK;
	while (rc == TF_OK) {
		uint64_t seq = strtoull(at, &end, 10);

		if (end == at)
			break;
		at = end;
		body.n = 0;
		rc = tf_entries_get(db, seq, &body, NULL, err);
		if (rc == TF_OK)
			rc = tf_log_keys_learn(k, body.p, body.n, err);
		else if (rc == TF_NOTFOUND) /* verification says more */
			rc = TF_OK;
	}
	tf_buf_free(&body);
	return rc;
}
