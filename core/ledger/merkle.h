/*
 * The Merkle tree of RFC 6962 2.1 / RFC 9162 2.1 over leaf hashes, its right
 * edge as C2SP tlog-tiles, and both kinds of proof.  Pure: hashes come and go
 * through memory and callbacks.
 */
#ifndef TF_LEDGER_MERKLE_H
#define TF_LEDGER_MERKLE_H

#include "../error.h"
#include "../types.h"

#define TF_TILE_WIDTH 256
#define TF_TILE_LEVELS 7		/* enough for 2^53 entries */
#define TF_PROOF_MAX 64			/* hashes */
#define TF_TREE_MAX ((uint64_t)1 << 53) /* entries this code appends */

void tf_merkle_leaf(const void *data, size_t n, struct tf_hash *out);
void tf_merkle_node(const struct tf_hash *l, const struct tf_hash *r,
    struct tf_hash *out);

/*
 * The right edge of a growing tree: of each tile level the partial tile, and
 * the peaks.  About 64 KB: allocate it.  Zeroed is the empty tree.
 */
struct tf_tree {
	uint64_t size;
	struct tf_hash peak[64];
	struct tf_hash edge[TF_TILE_LEVELS][TF_TILE_WIDTH];
};

/* A tile that became full: number n of the level, TF_TILE_WIDTH hashes. */
typedef enum tf_code (*tf_tile_put)(void *arg, unsigned level, uint64_t n,
    const struct tf_hash *hashes, unsigned width, struct tf_error *err);

/*
 * Append a leaf.  put is called for each tile this fills (before the edge is
 * reused); what it returns other than TF_OK is returned, and t is void then.
 */
TF_MUST_USE enum tf_code tf_tree_append(struct tf_tree *t,
    const struct tf_hash *leaf, tf_tile_put put, void *arg,
    struct tf_error *err);
/* Call put for the partial tile of each level that has one and that an append
 * since size `since` touched. */
TF_MUST_USE enum tf_code tf_tree_edge(const struct tf_tree *t, uint64_t since,
    tf_tile_put put, void *arg, struct tf_error *err);
void tf_tree_root(const struct tf_tree *t, struct tf_hash *out);

/* Width of tile n of a level in a tree of that size: 0 (none), 1..256. */
unsigned tf_tile_width(uint64_t size, unsigned level, uint64_t n);

/*
 * Where tiles are kept.  Fill out with the first width hashes of the tile.
 * TF_NOTFOUND, TF_TAMPER (too few) or TF_IO are passed on by the callers.
 */
typedef enum tf_code (*tf_tile_get)(void *arg, unsigned level, uint64_t n,
    unsigned width, struct tf_hash *out, struct tf_error *err);

/* Load the right edge and peaks of the tree of this size. */
TF_MUST_USE enum tf_code tf_tree_load(struct tf_tree *t, uint64_t size,
    tf_tile_get get, void *arg, struct tf_error *err);

struct tf_proof {
	unsigned n;
	struct tf_hash h[TF_PROOF_MAX]; /* leaf side first */
};

/* Make proofs from tiles.  TF_INVALID unless index < size, 0 < m <= n. */
TF_MUST_USE enum tf_code tf_merkle_inclusion(uint64_t index, uint64_t size,
    tf_tile_get get, void *arg, struct tf_proof *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_merkle_consistency(uint64_t m, uint64_t n,
    tf_tile_get get, void *arg, struct tf_proof *out, struct tf_error *err);
/* Root of the first size entries, from tiles. */
TF_MUST_USE enum tf_code tf_merkle_root(uint64_t size, tf_tile_get get,
    void *arg, struct tf_hash *out, struct tf_error *err);

/*
 * Check proofs, RFC 9162 2.1.3.2 and 2.1.4.2.  Any n hashes may be given;
 * too many or too few fail.  TF_OK or TF_TAMPER; sizes and indexes up to
 * 2^63-1, anything beyond, index >= size, m == 0 or m > n is TF_TAMPER too.
 */
TF_MUST_USE enum tf_code tf_merkle_check_inclusion(uint64_t index,
    uint64_t size, const struct tf_hash *leaf, const struct tf_hash *proof,
    size_t n_proof, const struct tf_hash *root);
TF_MUST_USE enum tf_code tf_merkle_check_consistency(uint64_t m, uint64_t n,
    const struct tf_hash *root_m, const struct tf_hash *root_n,
    const struct tf_hash *proof, size_t n_proof);

#endif
