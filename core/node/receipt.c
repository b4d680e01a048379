/* Whether another receipt would say anything new: see receipt.h. */
#include "receipt.h"

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/entry_scan.h"
#include "../store/entries.h"

#define FRESH_S 3600 /* an older receipt is repeated */

/* TF_NODATA ends the walk: here is an entry about something else. */
static enum tf_code
only_receipts(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	static const enum tf_entry_kind quiet[] = { TF_ANCHOR_ADDED,
		TF_LEDGER_OPENED, TF_LEDGER_CLOSED };
	struct tf_str type, path;

	(void)arg;
	(void)idx;
	(void)off;
	(void)err;
	tf_entry_scan(body, n, &type, &path);
	for (size_t i = 0; i < sizeof(quiet) / sizeof(*quiet); i++)
		if (tf_str_same(type, tf_str_of(tf_type_name(quiet[i]))))
			return TF_OK;
	return TF_NODATA;
}

enum tf_code
tf_receipt_is_current(struct tf_db *db, const struct tf_entry *e, bool *yes,
    struct tf_error *err)
{
	bool moved;
	const int64_t age = tf_clock_now().s - tf_entry_when(e, &moved).s;
	enum tf_code rc;

	*yes = false;
	if (age < 0 || age >= FRESH_S)
		return TF_OK;
	rc = tf_entries_each(db, e->tree_size, only_receipts, NULL, err);
	*yes = rc == TF_OK;
	return rc == TF_NODATA ? TF_OK : rc;
}
