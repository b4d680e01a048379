/*
 * The signature of a tree comes after its commit: see core/sign/sign.h, and
 * I3 in commit.c.
 *
 * The ticket is a value of the table meta, in the transaction of the entries.
 * The row of the checkpoint is written without a sync.  After a power cut the
 * newest row may so be absent; the next start makes the same one with the
 * ticket.
 */
#include "sign_head.h"

#include <string.h>
#include <time.h>

#include "../base/mutant.h"
#include "../ledger/checkpoint.h"
#include "../ledger/merkle.h"
#include "../node/base.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../sign/sign.h"
#include "../store/entries.h"
#include "../store/ticket.h"
#include "../store/transaction.h"
#include "commit.h"
#include "committer_i.h"

#define TRIES 50 /* of a signer that fails; it waits by itself if it is away */
#define TRY_MS 100

enum tf_code
tf_head_prepare(struct tf_committer *c, struct tf_checkpoint *cp,
    struct tf_error *err)
{
	struct tf_txn *t = &c->txn;
	struct tf_ticket_row row = { .size = t->size };
	struct tf_ticket ticket;
	enum tf_code rc;

	memset(cp, 0, sizeof(*cp));
	memcpy(cp->origin, c->v->origin, sizeof(cp->origin));
	cp->size = t->size;
	tf_tree_root(c->tree, &cp->root);
	if (c->owed.n > 0 &&
	    (rc = tf_checkpoints_put(t->db, c->owed_size, &c->owed_root,
		 c->owed.p, c->owed.n, err)) != TF_OK)
		return rc;
	if ((rc = tf_signer_prepare(c->v->signer, cp, &ticket, err)) != TF_OK)
		return rc;
	row.root = cp->root;
	memcpy(row.ticket, ticket.b, sizeof(row.ticket));
	c->ticket = ticket;
	return tf_ticket_put(t->db, &row, err);
}

void
tf_head_committed(struct tf_committer *c)
{
	c->owed.n = 0;
}

/* The tiles of the committed tree.  The partial ones are in memory. */
static enum tf_code
read_tile(void *arg, unsigned level, uint64_t n, unsigned width,
    struct tf_hash *out, struct tf_error *err)
{
	struct tf_committer *c = arg;
	uint64_t whole = c->tree->size >> (8 * level);

	if (n != whole / TF_TILE_WIDTH)
		return tf_tiles_read(c->db, level, n, width, out, err);
	memcpy(out, c->tree->edge[level], width * sizeof(*out));
	return TF_OK;
}

/* A signer that refuses never changes its mind. */
static bool
may_succeed_later(enum tf_code rc)
{
	return rc != TF_OK && rc != TF_TAMPER && rc != TF_INVALID &&
	    rc != TF_FOREIGN && rc != TF_INTERRUPTED;
}

enum tf_code
tf_head_adopt(struct tf_vault *v, struct tf_key_state *s, struct tf_error *err)
{
	const struct tf_signer_keys keys = { .log = s->log.pub,
		.attester = s->attester };
	const struct timespec pause = { .tv_nsec = TRY_MS * 1000000 };
	enum tf_code rc = TF_OK;

	/* Its entry is durable: there is no way back. */
	for (int i = 0; i < TRIES; i++) {
		rc = tf_signer_adopt(v->signer, &keys, false, err);
		if (!may_succeed_later(rc) || rc == TF_NOTFOUND)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (rc == TF_OK)
		tf_key_state_use(v, s);
	return rc;
}

static enum tf_code
make_note(struct tf_committer *c, const struct tf_checkpoint *cp,
    struct tf_buf *note, struct tf_error *err)
{
	const struct timespec pause = { .tv_nsec = TRY_MS * 1000000 };
	enum tf_code rc = TF_OK;

	for (int i = 0; i < TRIES; i++) {
		tf_buf_free(note);
		rc = tf_signer_checkpoint(c->v->signer, cp, &c->ticket,
		    read_tile, c, note, err);
		if (!may_succeed_later(rc))
			break;
		if (i > 0)
			(void)nanosleep(&pause, NULL);
	}
	return rc;
}

static enum tf_code
write_row(struct tf_committer *c, uint64_t size, const struct tf_hash *root,
    const struct tf_buf *note, struct tf_error *err)
{
	enum tf_code rc = tf_db_begin_unsynced(c->db, err);

	if (rc == TF_OK)
		rc = tf_checkpoints_put(c->db, size, root, note->p, note->n,
		    err);
	if (rc == TF_OK)
		rc = tf_db_commit(c->db, err);
	if (rc != TF_OK)
		tf_db_rollback(c->db);
	tf_db_synced_again(c->db);
	return rc;
}

/* Keep the row of cp for the next transaction.  Without memory for it the next
 * start completes it. */
static enum tf_code
owe_row(struct tf_committer *c, const struct tf_checkpoint *cp,
    const struct tf_buf *note, struct tf_error *err)
{
	c->owed_size = cp->size;
	c->owed_root = cp->root;
	tf_buf_free(&c->owed);
	tf_buf_add(&c->owed, note->p, note->n);
	return tf_buf_end(&c->owed, err);
}

enum tf_code
tf_head_sign(struct tf_committer *c, const struct tf_checkpoint *cp,
    struct tf_buf *note, struct tf_error *err)
{
	enum tf_code rc = make_note(c, cp, note, err);

	/* The mutant is in the middle of its transaction. */
	if (rc != TF_OK ||
	    (!TF_IS_MUTANT(TF_SHOW_FIRST) &&
		write_row(c, cp->size, &cp->root, note, err) == TF_OK))
		return rc;
	return owe_row(c, cp, note, err);
}

void
tf_head_end(struct tf_committer *c)
{
	if (c->owed.n > 0)
		(void)!write_row(c, c->owed_size, &c->owed_root, &c->owed,
		    NULL);
}

/* The newest signed tree must be the beginning of the one to be signed. */
static enum tf_code
check_signed(struct tf_committer *c, uint64_t size, const struct tf_hash *root,
    struct tf_error *err)
{
	struct tf_hash begin;
	enum tf_code rc = tf_merkle_root(size, read_tile, c, &begin, err);

	if (rc == TF_OK && memcmp(&begin, root, sizeof(begin)) != 0)
		rc = tf_fail(err, TF_TAMPER,
		    "the entries do not begin with those of the newest "
		    "checkpoint: run trailctl verify");
	return rc;
}

enum tf_code
tf_head_complete(struct tf_committer *c, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	struct tf_checkpoint cp;
	struct tf_ticket_row row;
	struct tf_hash root;
	uint64_t size = 0;
	enum tf_code rc = tf_checkpoints_newest(c->db, &size, &root, NULL, err);

	if (rc == TF_OK && size == c->txn.size)
		return TF_OK;
	if (rc == TF_OK && size < c->txn.size)
		rc = check_signed(c, size, &root, err);
	if (rc == TF_OK || rc == TF_NOTFOUND)
		rc = tf_ticket_get(c->db, &row, err);
	if (rc == TF_NOTFOUND || (rc == TF_OK && row.size != c->txn.size) ||
	    size > c->txn.size)
		return tf_fail(err, TF_TAMPER,
		    "the newest checkpoint does not "
		    "cover the %llu entries",
		    (unsigned long long)c->txn.size);
	if (rc != TF_OK)
		return rc;
	memset(&cp, 0, sizeof(cp));
	memcpy(cp.origin, c->v->origin, sizeof(cp.origin));
	cp.size = c->txn.size;
	tf_tree_root(c->tree, &cp.root);
	memcpy(c->ticket.b, row.ticket, sizeof(c->ticket.b));
	if ((rc = make_note(c, &cp, &note, err)) == TF_OK)
		rc = write_row(c, cp.size, &cp.root, &note, err);
	if (rc == TF_OK)
		tf_vault_say(c->v, TF_OK,
		    "the last %llu entries were not signed, and are now",
		    (unsigned long long)(cp.size - size));
	tf_buf_free(&note);
	return rc;
}
