/*
 * The Merkle tree of RFC 6962 2.1 and RFC 9162 2.1 over leaf hashes, its right
 * edge as C2SP tlog-tiles, and inclusion and consistency proofs.  The functions
 * are pure: they read and write hashes only through memory and callbacks.
 */
#ifndef TF_LEDGER_MERKLE_H
#define TF_LEDGER_MERKLE_H

#include "../error.h"
#include "../types.h"

#define TF_TILE_WIDTH 256
#define TF_TILE_LEVELS 7		/* enough for 2^53 entries */
#define TF_PROOF_MAX 64			/* hashes */
#define TF_TREE_MAX ((uint64_t)1 << 53) /* entries this code appends */

/* Hash of a leaf and of an inner node, RFC 6962 2.1.  out may be l or r. */
void tf_merkle_leaf(const void *data, size_t n, struct tf_hash *out);
void tf_merkle_node(const struct tf_hash *l, const struct tf_hash *r,
    struct tf_hash *out);

/*
 * The right edge of a growing tree: the partial tile of each tile level, and
 * the peaks.  The struct takes about 64 KB, too much for a stack.  All zero
 * bytes are the empty tree.
 */
struct tf_tree {
	uint64_t size;
	struct tf_hash peak[64];
	struct tf_hash edge[TF_TILE_LEVELS][TF_TILE_WIDTH];
};

/*
 * Store tile n of a level, with width hashes.  The hashes are valid only during
 * the call.
 */
typedef enum tf_code (*tf_tile_put)(void *arg, unsigned level, uint64_t n,
    const struct tf_hash *hashes, unsigned width, struct tf_error *err);

/*
 * Append a leaf.  Calls put, unless it is NULL, for each tile that becomes full,
 * before the edge is reused.  If put fails, its code is returned and t must not be
 * used any more.
 */
TF_MUST_USE enum tf_code tf_tree_append(struct tf_tree *t,
    const struct tf_hash *leaf, tf_tile_put put, void *arg,
    struct tf_error *err);
/*
 * Call put for each partial tile that has changed since the tree had `since`
 * leaves.  If put fails, its code is returned.
 */
TF_MUST_USE enum tf_code tf_tree_edge(const struct tf_tree *t, uint64_t since,
    tf_tile_put put, void *arg, struct tf_error *err);
/* Compute the root hash of t; for the empty tree it is SHA-256 of no bytes. */
void tf_tree_root(const struct tf_tree *t, struct tf_hash *out);

/* Width of tile n of a level in a tree of this size: 1..256, 0 for no tile. */
unsigned tf_tile_width(uint64_t size, unsigned level, uint64_t n);

/*
 * Read the first width hashes of a stored tile into out.  The functions below
 * return the error of this callback: TF_NOTFOUND, TF_TAMPER (the tile has fewer
 * hashes) or TF_IO.
 */
typedef enum tf_code (*tf_tile_get)(void *arg, unsigned level, uint64_t n,
    unsigned width, struct tf_hash *out, struct tf_error *err);

/*
 * Load the right edge and the peaks of the tree of this size.  On failure t
 * must not be used.  Errors: TF_INVALID (size over TF_TREE_MAX), those of get.
 */
TF_MUST_USE enum tf_code tf_tree_load(struct tf_tree *t, uint64_t size,
    tf_tile_get get, void *arg, struct tf_error *err);

/* A proof.  64 hashes are enough for every size that the checks accept. */
struct tf_proof {
	unsigned n;
	struct tf_hash h[TF_PROOF_MAX]; /* leaf side first */
};

/*
 * Make a proof from tiles.  TF_INVALID unless index < size (inclusion) or
 * 0 < m <= n (consistency); other errors come from get.
 */
TF_MUST_USE enum tf_code tf_merkle_inclusion(uint64_t index, uint64_t size,
    tf_tile_get get, void *arg, struct tf_proof *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_merkle_consistency(uint64_t m, uint64_t n,
    tf_tile_get get, void *arg, struct tf_proof *out, struct tf_error *err);
/* Compute the root of the first size entries from tiles. */
TF_MUST_USE enum tf_code tf_merkle_root(uint64_t size, tf_tile_get get,
    void *arg, struct tf_hash *out, struct tf_error *err);

/*
 * Check a proof as RFC 9162 2.1.3.2 and 2.1.4.2 state.  Returns TF_OK or
 * TF_TAMPER.  Also TF_TAMPER: too many or too few hashes, a size over 2^63-1,
 * index >= size, m == 0, m > n.
 */
TF_MUST_USE enum tf_code tf_merkle_check_inclusion(uint64_t index,
    uint64_t size, const struct tf_hash *leaf, const struct tf_hash *proof,
    size_t n_proof, const struct tf_hash *root);
TF_MUST_USE enum tf_code tf_merkle_check_consistency(uint64_t m, uint64_t n,
    const struct tf_hash *root_m, const struct tf_hash *root_n,
    const struct tf_hash *proof, size_t n_proof);
/*
 * True if the proof shows that the tree with root_n begins with another tree of m
 * leaves than that with root_m: two trees of one size, or a proof that leads to
 * root_n from another root of m.  False proves nothing: the proof is wrong, or m
 * is a power of two, whose root is not in the proof.
 */
bool tf_merkle_proves_other(uint64_t m, uint64_t n,
    const struct tf_hash *root_m, const struct tf_hash *root_n,
    const struct tf_hash *proof, size_t n_proof);

#endif
