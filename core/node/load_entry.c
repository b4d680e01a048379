/*
 * Reads one entry of the ledger: see load_entry.h.
 *
 * A row names the entry, so an entry that is not there or not whole is damage
 * and neither "not found" nor a mistake of the caller.  The same is true of a
 * row that holds another entry of the same ledger.
 */
#include "load_entry.h"

#include "../buffer.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../store/entries.h"

enum tf_code
tf_load_entry(struct tf_db *db, uint64_t seq, struct tf_buf *text,
    struct tf_entry_decoded *d, struct tf_error *err)
{
	const size_t start = text->n;
	struct tf_error why = { 0 };
	enum tf_code rc = tf_entries_get(db, seq, text, NULL, err);

	if (rc == TF_NOTFOUND)
		return tf_fail(err, TF_TAMPER, "entry %llu is missing",
		    (unsigned long long)seq);
	if (rc != TF_OK)
		return rc;
	rc = tf_entry_decode(d, text->n > start ? text->p + start : "",
	    text->n - start, &why);
	if (rc == TF_INVALID)
		return tf_fail(err, TF_TAMPER, "entry %llu is malformed: %s",
		    (unsigned long long)seq, why.text);
	if (rc != TF_OK)
		return tf_fail_as(err, &why);
	if (d->e.seq != seq)
		return tf_fail(err, TF_TAMPER,
		    "entry %llu was replaced by entry %llu",
		    (unsigned long long)seq, (unsigned long long)d->e.seq);
	return TF_OK;
}
