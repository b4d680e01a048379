/* The ticket of the newest tree: see ticket.h. */
#include "ticket.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "meta.h"

#define KEY "ticket"

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
