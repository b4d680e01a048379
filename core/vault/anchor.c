/*
 * Recording anchors: see core/anchor.h.
 *
 * Signatures are checked before the transaction, because that takes time that
 * all other writers would wait for.  The tree is compared in the transaction,
 * where it cannot grow meanwhile: an anchor of another tree is never in the
 * ledger.  Object, row and entry are written in one transaction, so after a
 * crash all are there or none.
 */
#include "../anchor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/timestamp.h"
#include "../commit/append.h"
#include "../commit/commit.h"
#include "../commit/existing.h"
#include "../commit/queue.h"
#include "../ledger/cosigned.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/field_text.h"
#include "../ledger/merkle.h"
#include "../node/actor.h"
#include "../node/base.h"
#include "../node/load_entry.h"
#include "../node/quota.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../store/anchors.h"
#include "../store/config_file.h"
#include "../store/entries.h"
#include "../vault.h"
#include "anchor.h"

struct adding {
	const struct tf_anchor *a;
	const char *actor;
	struct tf_buf kept; /* the note, or the certificates, as kept */
	struct tf_str bytes, chain;
	struct tf_hash bytes_hash, chain_hash;
	uint64_t size;
	struct tf_hash root;
	struct tf_db *db;
	bool is_recorded;
	char recorded_as[TF_ANCHOR_NAME_MAX + 1];
};

static bool
is_stamp(const struct tf_anchor *a)
{
	return strcmp(a->kind, TF_ANCHOR_STAMP) == 0;
}

/* --- before the transaction ------------------------------------------------ */

static enum tf_code
check_form(const struct tf_anchor *a, struct tf_error *err)
{
	size_t most = TF_ANCHOR_NOTE_MAX;

	if (is_stamp(a))
		most = TF_ANCHOR_TOKEN_MAX;
	if (!is_stamp(a) && strcmp(a->kind, TF_ANCHOR_MIRROR) != 0 &&
	    strcmp(a->kind, TF_ANCHOR_WITNESS) != 0)
		return tf_fail(err, TF_INVALID,
		    "the kind of an anchor is mirror, witness or stamp");
	if (strlen(a->name) > TF_ANCHOR_NAME_MAX ||
	    !tf_text_anchor_name_ok(a->name, strlen(a->name)))
		return tf_fail(err, TF_INVALID,
		    "the name of an anchor has only A-Za-z0-9._~:/+- (1 to %d)",
		    TF_ANCHOR_NAME_MAX);
	if (a->n == 0 || a->bytes == NULL)
		return tf_fail(err, TF_INVALID, "the anchor is empty");
	if (a->n > most || a->chain_n > TF_ANCHOR_CHAIN_MAX)
		return tf_fail(err, TF_TOOBIG, "the anchor is too long");
	if (is_stamp(a) ? a->key != NULL : a->key == NULL || a->chain != NULL)
		return tf_fail(err, TF_INVALID,
		    "a mirror and a witness have a key, a time stamp may have "
		    "certificates");
	return TF_OK;
}

/* Read the checkpoint that a time stamp is about. */
static enum tf_code
read_stamped(struct tf_vault *v, struct adding *x, struct tf_buf *note,
    struct tf_error *err)
{
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_checkpoints_get(db, x->size, &x->root, note, err);
	tf_reader_done(v, db);
	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_INVALID, "no checkpoint has that size") :
	    rc;
}

/* Say so if the operator does not trust the authority: its stamp is recorded, for
 * those who do, and does not count here. */
static void
doubt_authority(struct tf_vault *v, const struct tf_anchor *a,
    const struct tf_stamp_check *check)
{
	struct tf_stamp_check c = *check;
	struct tf_stamps_config config;
	struct tf_error e = { .code = TF_OK };
	struct tf_stamp s;
	enum tf_code rc = tf_stamps_config_read(v->dirfd, &config, &e);

	c.trusted = tf_buf_bytes(&config.ca);
	if (rc == TF_OK && c.trusted.n > 0)
		rc = tf_stamp_check(&c, &s, NULL, &e);
	if (rc != TF_OK)
		tf_vault_say(v, rc,
		    "the time stamp of %s is recorded, but does not count here: "
		    "%s",
		    a->name,
		    rc == TF_FOREIGN ?
			"stamp_ca does not vouch for the authority" :
			e.text);
	tf_buf_free(&config.ca);
}

/* Which authorities are trusted is a question for those who verify. */
static enum tf_code
check_stamp(struct tf_vault *v, struct adding *x, struct tf_error *err)
{
	const struct tf_anchor *a = x->a;
	struct tf_stamp_check c = { .token = { a->bytes, a->n },
		.chain = { a->chain, a->chain_n },
		.recording = true };
	struct tf_error e = { .code = TF_OK };
	struct tf_buf note = { 0 };
	struct tf_stamp s;
	enum tf_code rc;

	x->size = a->size;
	if ((rc = read_stamped(v, x, &note, err)) == TF_OK) {
		c.note = tf_buf_bytes(&note);
		rc = tf_stamp_check(&c, &s, &x->kept, &e);
		if (rc == TF_OK)
			doubt_authority(v, a, &c);
		else
			rc = rc == TF_NOMEM ?
			    tf_nomem(err) :
			    tf_fail(err, TF_INVALID, "%s", e.text);
	}
	tf_buf_free(&note);
	if (rc != TF_OK)
		return rc;
	x->bytes = c.token;
	x->chain = tf_buf_bytes(&x->kept);
	return TF_OK;
}

static enum tf_code
check_note(struct tf_vault *v, struct adding *x, struct tf_error *err)
{
	const size_t n = strlen(x->a->name);
	struct tf_cosigned c;
	enum tf_code rc = tf_cosigned_check(tf_log_key(v), tf_str_of(x->a->key),
	    x->a->bytes, x->a->n, &c, &x->kept, err);

	if (rc != TF_OK)
		return rc;
	/* Who has the key gives the name. */
	if (strncmp(x->a->key, x->a->name, n) != 0 || x->a->key[n] != '+')
		return tf_fail(err, TF_INVALID,
		    "the name of an anchor is that of its key");
	x->bytes = tf_buf_bytes(&x->kept);
	x->size = c.head.size;
	x->root = c.head.root;
	return TF_OK;
}

/* --- the transaction ------------------------------------------------------- */

/* Each checkpoint whose signature is right is of this tree, unless this store is
 * an old copy or was altered. */
static enum tf_code
check_tree(struct tf_txn *t, const struct adding *x, struct tf_error *err)
{
	struct tf_hash root = { .b = { 0 } };
	enum tf_code rc;

	if (x->size == 0)
		return tf_fail(err, TF_INVALID, "an anchor of no entry");
	if (x->size > t->size)
		return tf_fail(err, TF_TAMPER,
		    "the anchor is of %llu entries, this log has %llu: this "
		    "store lost entries; keep the anchor",
		    (unsigned long long)x->size, (unsigned long long)t->size);
	rc = tf_merkle_root(x->size, tf_tiles_read, t->db, &root, err);
	if (rc == TF_OK && memcmp(&root, &x->root, sizeof(root)) != 0)
		rc = tf_fail(err, TF_TAMPER,
		    "the anchor is of another tree than the first %llu entries "
		    "of this log: keep it",
		    (unsigned long long)x->size);
	return rc;
}

/* A receipt with another key, or another token, is not the same.  A token is the
 * same under every name. */
static enum tf_code
note_found(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct adding *x = arg;
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_load_entry(x->db, r->seq, &body, &d, err);

	if (rc == TF_OK &&
	    (is_stamp(x->a) ?
		    memcmp(&d.e.content.sha256, &x->bytes_hash,
			sizeof(x->bytes_hash)) == 0 :
		    tf_str_same(d.e.anchor_key, tf_str_of(x->a->key)))) {
		x->is_recorded = true;
		(void)snprintf(x->recorded_as, sizeof(x->recorded_as), "%s",
		    r->name);
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

static enum tf_code
append(struct tf_txn *t, const struct adding *x, struct tf_anchor_row *row,
    struct tf_error *err)
{
	struct tf_entry e = { .type = TF_ANCHOR_ADDED,
		.actor = tf_str_of(x->actor),
		.has_content = true,
		.content = { x->bytes_hash, x->bytes.n },
		.tree_root = x->root,
		.tree_size = x->size,
		.anchor_kind = tf_str_of(x->a->kind),
		.anchor_name = tf_str_of(x->a->name),
		.anchor_key = tf_str_of(x->a->key),
		.has_chain = x->chain.p != NULL,
		.chain = { x->chain_hash, x->chain.n } };
	enum tf_code rc = tf_existing_keep(t, &x->bytes_hash, x->bytes.p,
	    x->bytes.n, 0, &row->object, err);

	if (rc == TF_OK && x->chain.p != NULL)
		rc = tf_existing_keep(t, &x->chain_hash, x->chain.p, x->chain.n,
		    0, &row->chain, err);
	if (rc != TF_OK)
		return rc;
	(void)tf_txn_write(t);
	t->said += x->bytes.n + x->chain.n;
	return tf_txn_append(t, &e, NULL, err);
}

static enum tf_code
add_run(struct tf_txn *t, void *arg, struct tf_error *err)
{
	struct adding *x = arg;
	struct tf_anchor_row row = { .kind = x->a->kind,
		.name = x->a->name,
		.size = x->size };
	enum tf_code rc;

	x->db = t->db;
	x->is_recorded = false;
	if ((rc = check_tree(t, x, err)) != TF_OK)
		return rc;
	rc = is_stamp(x->a) ?
	    tf_anchors_of_size(t->db, row.kind, x->size, note_found, x, err) :
	    tf_anchors_find(t->db, row.kind, row.name, x->size, note_found, x,
		err);
	if (rc != TF_OK)
		return rc;
	if (x->is_recorded)
		return TF_OK;
	if ((rc = append(t, x, &row, err)) != TF_OK)
		return rc;
	row.seq = t->size - 1;
	return tf_anchors_put(tf_txn_write(t), &row, err);
}

enum tf_code
tf_vault_anchor_add(struct tf_vault *v, const struct tf_actor *who,
    const struct tf_anchor *a, struct tf_error *err)
{
	struct adding x = { .a = a };
	char *actor = NULL;
	enum tf_code rc = tf_anchor_may(v, who, err);

	if (rc == TF_OK)
		rc = check_form(a, err);
	if (rc == TF_OK)
		rc = is_stamp(a) ? check_stamp(v, &x, err) :
				   check_note(v, &x, err);
	if (rc == TF_OK)
		rc = tf_space_say(v, who->uid, x.bytes.n + x.chain.n, err);
	if (rc == TF_OK) {
		tf_sha256(x.bytes.p, x.bytes.n, &x.bytes_hash);
		tf_sha256(x.chain.p, x.chain.n, &x.chain_hash);
		tf_vault_learn(v, who->uid, who->gid);
		rc = tf_actor_text(who, &actor, err);
	}
	x.actor = actor;
	if (rc == TF_OK)
		rc = tf_commit_wait(v->commit, add_run, &x, err);
	if (rc == TF_OK && x.is_recorded && strcmp(x.recorded_as, a->name) != 0)
		tf_vault_say(v, TF_EXISTS,
		    "the time stamp of %s is recorded already, as %s", a->name,
		    x.recorded_as);
	if (rc == TF_OK)
		rc = tf_anchor_accepted(v, a, err);
	free(actor);
	tf_buf_free(&x.kept);
	return rc;
}
