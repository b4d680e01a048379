/*
 * The ticket of the newest tree: what its signer made before the entries were
 * committed, see core/sign.  It is one value of the table meta, so it belongs to
 * the transaction that writes it.
 */
#ifndef TF_STORE_TICKET_H
#define TF_STORE_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_db;

struct tf_ticket_row {
	uint64_t size;
	struct tf_hash root;
	uint8_t ticket[32];
};

/* Replace the ticket.  Errors: those of sql.h. */
TF_MUST_USE enum tf_code tf_ticket_put(struct tf_db *db,
    const struct tf_ticket_row *row, struct tf_error *err);
/* TF_NOTFOUND: there is none; TF_TAMPER: it is malformed. */
TF_MUST_USE enum tf_code tf_ticket_get(struct tf_db *db,
    struct tf_ticket_row *row, struct tf_error *err);

/* *yes: the newest entries have a ticket (*row), and no checkpoint yet but the one
 * of signed_size entries: the signer is at work or away, or the last run was cut
 * short.  *yes is false for a malformed ticket. */
TF_MUST_USE enum tf_code tf_ticket_awaits(struct tf_db *db,
    uint64_t signed_size, struct tf_ticket_row *row, bool *yes,
    struct tf_error *err);
/* tf_db_snapshot() of a state that is signed, or of what there is if the signer
 * does not sign within a second. */
TF_MUST_USE enum tf_code tf_ticket_snapshot(struct tf_db *db,
    struct tf_error *err);

#endif
