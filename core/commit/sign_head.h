/*
 * From a committed tree to its signed checkpoint: the ticket in the transaction,
 * the signature after the commit, and the row of the checkpoint in a
 * transaction of its own.  Used by the committer's thread, and at the start.
 */
#ifndef TF_COMMIT_SIGN_HEAD_H
#define TF_COMMIT_SIGN_HEAD_H

#include "../error.h"

struct tf_buf;
struct tf_checkpoint;
struct tf_committer;

/*
 * In the transaction, once entries and tiles are written: set *cp to the tree's
 * checkpoint, and keep its ticket.
 * Errors: those of tf_signer_prepare and of the database.
 */
TF_MUST_USE enum tf_code tf_head_prepare(struct tf_committer *c,
    struct tf_checkpoint *cp, struct tf_error *err);

/* The keys of s are in force by the ledger: signer and vault use them, and the vault
 * keeps s.  Errors: those of tf_signer_adopt; then nothing has changed. */
struct tf_key_state;
struct tf_vault;
TF_MUST_USE enum tf_code tf_head_adopt(struct tf_vault *v,
    struct tf_key_state *s, struct tf_error *err);

/* The transaction is committed: its row of an earlier checkpoint, too. */
void tf_head_committed(struct tf_committer *c);

/*
 * After the commit: append the signed note of cp to note, and write the row of
 * cp.  A row that cannot be written now goes into the next transaction, because
 * the same note can always be made again.  Errors: those of
 * tf_signer_checkpoint; the entries are then durable and not signed.
 */
TF_MUST_USE enum tf_code tf_head_sign(struct tf_committer *c,
    const struct tf_checkpoint *cp, struct tf_buf *note, struct tf_error *err);

/* At the end: write a row that could not be written.  If it fails again, the next
 * start makes the row. */
void tf_head_end(struct tf_committer *c);

/*
 * At the start: if the last run ended between commit and signature, sign what
 * has a ticket.  c->tree is loaded with c->txn.size entries.
 * Errors: TF_TAMPER the newest checkpoint does not cover all entries, and no
 * good ticket does; those of tf_head_sign.
 */
TF_MUST_USE enum tf_code tf_head_complete(struct tf_committer *c,
    struct tf_error *err);

#endif
