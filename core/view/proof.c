/*
 * Tiles and entry bundles (C2SP tlog-tiles) and inclusion proofs (RFC 6962,
 * section 2.1.1, in the form of C2SP tlog-proof).  All of them belong to the
 * tree of a published checkpoint, never to entries that are being written (I3).
 *
 * A tile is answered only with the width that the tree has now.  A full tile
 * never changes; a partial tile is the prefix of a later one, so a client that
 * asks for an old width still gets the bytes that it once saw.
 */
#include "../base/bytes.h"
#include "../ledger/checkpoint.h"
#include "../ledger/merkle.h"
#include "../ledger/proof.h"
#include "../node/base.h"
#include "../node/key_state.h"
#include "../node/vault_i.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../vault.h"

/* Check that the tree of the present head has width hashes in that tile. */
static enum tf_code
check_width(struct tf_vault *v, unsigned level, uint64_t n, unsigned width,
    struct tf_error *err)
{
	uint64_t size, bytes;
	enum tf_code rc = tf_vault_size(v, &size, &bytes, err);

	if (rc != TF_OK)
		return rc;
	if (width == 0 || level >= TF_TILE_LEVELS ||
	    tf_tile_width(size, level, n) < width)
		return tf_fail(err, TF_NOTFOUND, "the log has no such tile");
	return TF_OK;
}

unsigned
tf_log_width(uint64_t entries, unsigned level, uint64_t n)
{
	return level < TF_TILE_LEVELS ? tf_tile_width(entries, level, n) : 0;
}

enum tf_code
tf_vault_tile(struct tf_vault *v, unsigned level, uint64_t n, unsigned width,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_hash h[TF_TILE_WIDTH];
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = check_width(v, level, n, width, err)) != TF_OK ||
	    (rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_tiles_get(db, level, n, width, h, err);
	tf_reader_done(v, db);
	if (rc == TF_OK)
		tf_buf_add(out, h, width * sizeof(*h));
	return rc == TF_OK && out->failed ? tf_nomem(err) : rc;
}

struct bundle {
	struct tf_buf *out;
	uint64_t next, end;
};

/* Add an entry behind its length, 16 bits, big-endian, as C2SP tlog-tiles says.
 * A gap is an error: a bundle with a missing entry would shift all later ones
 * to a wrong index. */
static enum tf_code
add_to_bundle(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct bundle *b = arg;
	uint8_t len[2];

	(void)off;
	if (idx >= b->end)
		return TF_NODATA; /* ends the walk */
	if (idx != b->next)
		return tf_fail(err, TF_TAMPER, "entry %llu is missing",
		    (unsigned long long)b->next);
	b->next++;
	tf_put_be16(len, (uint16_t)n);
	tf_buf_add(b->out, len, sizeof(len));
	tf_buf_add(b->out, body, n);
	return tf_buf_end(b->out, err);
}

/* No snapshot is needed: the entries below the size of the tree never change
 * (I1). */
enum tf_code
tf_vault_bundle(struct tf_vault *v, uint64_t n, unsigned width,
    struct tf_buf *out, struct tf_error *err)
{
	struct bundle b = { .out = out, .next = n * TF_TILE_WIDTH };
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = check_width(v, 0, n, width, err)) != TF_OK ||
	    (rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	b.end = b.next + width;
	rc = tf_entries_each(db, b.next, add_to_bundle, &b, err);
	tf_reader_done(v, db);
	if (rc == TF_NODATA)
		rc = TF_OK;
	if (rc == TF_OK && b.next != b.end)
		rc = tf_fail(err, TF_TAMPER, "entry %llu is missing",
		    (unsigned long long)b.next);
	return rc;
}

/* The note is taken first and checked with the vault's own key; the path is
 * then computed for exactly its size.  Entries that are committed meanwhile do
 * not matter, because the tiles of a smaller tree stay. */
enum tf_code
tf_vault_prove_entry(struct tf_vault *v, uint64_t seq, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_buf note = { 0 }, body = { 0 };
	struct tf_checkpoint c;
	struct tf_proof path;
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_vault_checkpoint(v, &note, err);
	if (rc == TF_OK)
		rc = tf_vault_check_note(v, tf_buf_bytes(&note), &c, err);
	if (rc == TF_OK && seq >= c.size)
		rc = tf_fail(err, TF_NOTFOUND, "no checkpoint covers it yet");
	if (rc == TF_OK)
		rc = tf_entries_get(db, seq, &body, NULL, err);
	if (rc == TF_OK)
		rc = tf_merkle_inclusion(seq, c.size, tf_tiles_read, db, &path,
		    err);
	if (rc == TF_OK) {
		tf_tlog_proof_write(out, seq, &path,
		    (struct tf_str){ body.p, body.n },
		    (struct tf_str){ note.p, note.n });
		if (out->failed)
			rc = tf_nomem(err);
	}
	tf_reader_done(v, db);
	tf_buf_free(&note);
	tf_buf_free(&body);
	return rc;
}

/* A sealed directory has two entries; its seal is the one that covers all of
 * its evidence. */
enum tf_code
tf_vault_prove(struct tf_vault *v, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_db *db;
	enum tf_code rc;

	if ((rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	rc = tf_nodes_get(db, id, &row, err);
	tf_reader_done(v, db);
	if (rc == TF_NOTFOUND)
		return tf_fail(err, rc, "it is not in the ledger yet");
	if (rc != TF_OK)
		return rc;
	return tf_vault_prove_entry(v,
	    row.seal != TF_NO_SEQ ? row.seal : row.entry, out, err);
}
