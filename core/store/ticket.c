/* The ticket of the newest tree: see ticket.h. */
#include "ticket.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "../base/bytes.h"
#include "entries.h"
#include "meta.h"
#include "transaction.h"

#define KEY "ticket"
#define PAUSES 20 /* for a signature that is on its way */
#define PAUSE_MS 50

enum tf_code
tf_ticket_put(struct tf_db *db, const struct tf_ticket_row *row,
    struct tf_error *err)
{
	char root[65], ticket[65], text[160];

	tf_hex(row->root.b, sizeof(row->root.b), root);
	tf_hex(row->ticket, sizeof(row->ticket), ticket);
	(void)snprintf(text, sizeof(text), "%llu %s %s",
	    (unsigned long long)row->size, root, ticket);
	return tf_meta_set_text(db, KEY, text, err);
}

enum tf_code
tf_ticket_get(struct tf_db *db, struct tf_ticket_row *row, struct tf_error *err)
{
	char text[160];
	size_t n;
	enum tf_code rc = tf_meta_get_text(db, KEY, text, sizeof(text), err);

	if (rc != TF_OK)
		return rc;
	n = strcspn(text, " ");
	if (strlen(text) != n + 130 || text[n + 65] != ' ' ||
	    !tf_decimal(text, n, INT64_MAX, &row->size) ||
	    !tf_unhex(text + n + 1, 64, row->root.b, sizeof(row->root.b)) ||
	    !tf_unhex(text + n + 66, 64, row->ticket, sizeof(row->ticket)))
		return tf_fail(err, TF_TAMPER,
		    "the ticket of the newest entries is malformed");
	return TF_OK;
}

enum tf_code
tf_ticket_awaits(struct tf_db *db, uint64_t signed_size,
    struct tf_ticket_row *row, bool *yes, struct tf_error *err)
{
	uint64_t count, bytes;
	enum tf_code rc = tf_entries_size(db, &count, &bytes, err);

	*yes = false;
	/* The first commit of a store is one entry. */
	if (rc != TF_OK || count <= signed_size ||
	    (signed_size == 0 && count > 1))
		return rc;
	rc = tf_ticket_get(db, row, err);
	*yes = rc == TF_OK && row->size == count;
	return rc == TF_NOTFOUND || rc == TF_TAMPER ? TF_OK : rc;
}

enum tf_code
tf_ticket_snapshot(struct tf_db *db, struct tf_error *err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000 };
	struct tf_ticket_row row;
	struct tf_hash root;
	uint64_t size;
	bool waits;
	enum tf_code rc;

	for (int i = 0;; i++) {
		size = 0;
		if ((rc = tf_db_snapshot(db, err)) != TF_OK)
			return rc;
		rc = tf_checkpoints_newest(db, &size, &root, NULL, NULL);
		/* The caller finds what else is wrong. */
		if ((rc != TF_OK && rc != TF_NOTFOUND) ||
		    tf_ticket_awaits(db, size, &row, &waits, NULL) != TF_OK ||
		    !waits || i == PAUSES)
			return TF_OK;
		tf_db_rollback(db);
		(void)nanosleep(&pause, NULL);
	}
}
