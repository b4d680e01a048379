/*
 * The tree of an audit (RFC 6962, section 2.1).  It is built from the leaves of
 * the entries and compared with the tiles, the newest checkpoint and the
 * earlier checkpoints (I3).
 *
 * The tree grows by one leaf per entry.  When its size equals that of an
 * earlier checkpoint, its root must be the root that was signed then: this is a
 * consistency proof with all entries at hand.  Tiles are compared as the tree
 * completes them, so that no more than one tile per level is in memory.
 */
#include <string.h>

#include "../ledger/merkle.h"
#include "../ledger/replay.h"
#include "../verify.h"
#include "audit.h"
#include "findings.h"
#include "tree.h"

#define MADE_UP_MAX (1U << 20) /* leaves */

/* Set *out to the stored leaf of entry idx; false if its tile has none. */
static bool
stored_leaf(struct tf_audit *a, uint64_t idx, struct tf_hash *out)
{
	unsigned i = (unsigned)(idx % TF_TILE_WIDTH);
	unsigned width = tf_tile_width(a->head.size, 0, idx / TF_TILE_WIDTH);
	struct tf_error e = { .code = TF_OK };

	/* compare_tile reports the faults of the tile later.  An I/O error is
	 * recorded now, as that later read may succeed. */
	if (i == 0) {
		a->stored_width = a->source->tile(a, 0, idx / TF_TILE_WIDTH,
				      width, a->stored, &e) == TF_OK ?
		    width :
		    0;
		if (tf_code_undecided(e.code) && a->unable.code == TF_OK)
			a->unable = e;
	}
	if (i >= a->stored_width)
		return false;
	*out = a->stored[i];
	return true;
}

/* Tiles are a cache for clients; a wrong one is a finding of its own and does
 * not make the entries doubtful. */
static enum tf_code
compare_tile(void *arg, unsigned level, uint64_t n, const struct tf_hash *h,
    unsigned width, struct tf_error *err)
{
	struct tf_hash have[TF_TILE_WIDTH];
	struct tf_error e = { .code = TF_OK };
	struct tf_audit *a = arg;

	(void)err;
	if (a->source->tile(a, level, n, width, have, &e) != TF_OK)
		tf_audit_trouble(a, TF_CHECK_TILES, UINT64_MAX, tf_nowhere, "",
		    &e);
	else if (memcmp(have, h, width * sizeof(*h)) != 0)
		tf_audit_finding(a, TF_CHECK_TILES, UINT64_MAX, tf_nowhere,
		    "tile %u/%llu is not what the entries give", level,
		    (unsigned long long)n);
	return TF_OK;
}

static void
rewritten(struct tf_audit *a, const struct tf_held *h)
{
	tf_audit_finding(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
	    "the %llu entries of %s are not the "
	    "first ones of this log: history was rewritten; "
	    "keep both signed checkpoints",
	    (unsigned long long)h->c.size, h->what);
}

/* Called after each leaf, because the size of an earlier checkpoint may be any
 * size. */
static void
compare_earlier(struct tf_audit *a)
{
	struct tf_hash root;

	for (int i = 0; i < TF_HELD; i++) {
		struct tf_held *h = &a->held[i];

		if (!h->wanted || a->tree->size != h->c.size)
			continue;
		tf_tree_root(a->tree, &root);
		h->differs = memcmp(&root, &h->c.root, sizeof(root)) != 0;
		if (h->differs && !h->late)
			rewritten(a, h);
	}
}

/* The result is ignored: compare_tile never fails, and no log reaches
 * TF_TREE_MAX entries. */
static void
add_leaf(struct tf_audit *a, const struct tf_hash *leaf)
{
	(void)!tf_tree_append(a->tree, leaf, compare_tile, a, NULL);
	compare_earlier(a);
}

/* A damaged row may state any index, so at most MADE_UP_MAX leaves are zeros. */
void
tf_audit_missing(struct tf_audit *a, uint64_t upto)
{
	struct tf_hash have;
	uint64_t made_up = 0;

	a->unseen = true;
	if (upto > a->next + 1)
		tf_audit_finding(a, TF_CHECK_ENTRIES, a->next, tf_nowhere,
		    "entries %llu to %llu are missing",
		    (unsigned long long)a->next, (unsigned long long)upto - 1);
	else
		tf_audit_finding(a, TF_CHECK_ENTRIES, a->next, tf_nowhere,
		    "the entry is missing");
	for (; a->next < upto; a->next++) {
		memset(&have, 0, sizeof(have));
		if (!stored_leaf(a, a->next, &have) && ++made_up > MADE_UP_MAX)
			break;
		add_leaf(a, &have);
	}
	a->next = upto;
	tf_replay_gap(a->replay, upto);
}

enum tf_code
tf_audit_check_place(struct tf_audit *a, uint64_t idx, struct tf_str path,
    const struct tf_hash *leaf, struct tf_error *err)
{
	struct tf_hash have;

	if (a->source->prove != NULL)
		return a->source->prove(a, idx, path, leaf, err);
	if (stored_leaf(a, idx, &have) &&
	    memcmp(&have, leaf, sizeof(*leaf)) != 0)
		tf_audit_finding(a, TF_CHECK_TREE, idx, path,
		    "altered: the "
		    "entry is not the one that the tree holds");
	add_leaf(a, leaf);
	return TF_OK;
}

void
tf_audit_unproven(struct tf_audit *a)
{
	struct tf_held *h = &a->held[0];

	if (!h->unproven && h->late && h->differs)
		rewritten(a, h);
	if (h->unproven && a->unseen)
		tf_audit_not_seen(a, TF_CHECK_EARLIER);
	else if (h->unproven)
		tf_audit_finding(a, TF_CHECK_EARLIER, UINT64_MAX, tf_nowhere,
		    "what you hold is no checkpoint of this log: checkpoint: "
		    "no signature of the key");
	h->wanted = h->wanted && !h->unproven;
}

void
tf_audit_check_tree(struct tf_audit *a)
{
	struct tf_hash root;

	if (a->next < a->head.size)
		tf_audit_missing(a, a->head.size);
	(void)!tf_tree_edge(a->tree, 0, compare_tile, a, NULL);
	tf_tree_root(a->tree, &root);
	if (memcmp(&root, &a->head.root, sizeof(root)) != 0)
		tf_audit_finding(a, TF_CHECK_TREE, UINT64_MAX, tf_nowhere,
		    "the entries do not give the root of the newest "
		    "checkpoint");
	tf_audit_unproven(a);
	for (int i = 0; i < TF_HELD; i++)
		if (a->held[i].wanted && a->held[i].c.size > a->head.size)
			tf_audit_finding(a, TF_CHECK_EARLIER, UINT64_MAX,
			    tf_nowhere,
			    "%s has %llu entries, this log %llu: "
			    "entries were cut off, or an older copy was put "
			    "back",
			    a->held[i].what,
			    (unsigned long long)a->held[i].c.size,
			    (unsigned long long)a->head.size);
}
