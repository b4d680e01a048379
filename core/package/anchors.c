/*
 * Anchors in a package: see anchors.h.  An anchor is about an earlier checkpoint
 * than that of the package, since its entry came later.  The consistency proof
 * shows that the earlier tree is the beginning of the package's tree, so that an
 * anchor covers each entry below its size.
 */
#include "anchors.h"

#include <stdio.h>

#include "../anchor.h"
#include "../archive/format.h"
#include "../base/bytes.h"
#include "../buffer.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../store/entries.h"
#include "../witness.h"
#include "members.h"

static enum tf_code
read_tile(void *arg, const char *path, unsigned level, uint64_t n,
    unsigned width, struct tf_buf *out, struct tf_error *err)
{
	struct tf_package_maker *k = arg;
	struct tf_hash h[TF_TILE_WIDTH];
	enum tf_code rc = tf_tiles_read(k->db, level, n, width, h, err);

	(void)path;
	if (rc != TF_OK)
		return rc;
	tf_buf_add(out, h, width * sizeof(*h));
	return tf_buf_end(out, err);
}

/* The proof has the form of a request to a witness. */
static enum tf_code
add_path(struct tf_package_maker *k, const struct tf_entry *e,
    const char *number, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = tf_witness_request_make(e->tree_size,
	    tf_buf_bytes(&k->note), read_tile, k, &b, err);

	if (rc == TF_OK)
		return tf_package_add_buf(k,
		    TF_PACKAGE_NAME(TF_PACKAGE_ANCHORS, number,
			TF_PACKAGE_ANCHOR_PATH),
		    &b, err);
	tf_buf_free(&b);
	return rc;
}

static enum tf_code
add_stamped(struct tf_package_maker *k, const struct tf_entry *e,
    const char *number, struct tf_error *err)
{
	struct tf_buf note = { 0 };
	struct tf_hash root;
	enum tf_code rc = tf_checkpoints_get(k->db, e->tree_size, &root, &note,
	    err);

	if (rc == TF_OK)
		return tf_package_add_buf(k,
		    TF_PACKAGE_NAME(TF_PACKAGE_ANCHORS, number,
			TF_PACKAGE_ANCHOR_NOTE),
		    &note, err);
	tf_buf_free(&note);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_package_add_anchor(struct tf_package_maker *k, const struct tf_entry *e,
    struct tf_error *err)
{
	char number[24];
	enum tf_code rc;

	(void)snprintf(number, sizeof(number), "%llu",
	    (unsigned long long)e->seq);
	rc = add_path(k, e, number, err);
	if (rc == TF_OK &&
	    tf_str_same(e->anchor_kind, tf_str_of(TF_ANCHOR_STAMP)))
		rc = add_stamped(k, e, number, err);
	return rc;
}
