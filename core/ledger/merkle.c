/*
 * RFC 6962 hashes, the right edge of the tree, and proofs (I1, I3).  No
 * function recurses: a tree of 2^63 leaves takes 63 steps of a loop.
 *
 * A growing tree keeps only its right edge: the partial tile of each tile
 * level, and a peak for each set bit of the size, the root of a perfect
 * subtree.  So an append hashes at most 53 nodes and reads nothing.  Proofs
 * and roots of older sizes are made from stored tiles, of which the last one
 * is kept in memory.  Only widths that a tree of the asked size has are read,
 * so a tile that grew since gives the same hashes (I1).
 *
 * The checks of proofs take nothing from us: they follow the loops of the RFC,
 * on any input, and give TF_TAMPER for every input that is no proof.
 */
#include "merkle.h"

#include <string.h>

#include "../base/crypto.h"
#include "../base/mutant.h"

#define TILE_HEIGHT 8
#define SIZE_END ((uint64_t)1 << 63) /* proof checks accept smaller sizes */

void
tf_merkle_leaf(const void *data, size_t n, struct tf_hash *out)
{
	tf_sha256_prefixed(0, data, n, NULL, 0, out);
}

void
tf_merkle_node(const struct tf_hash *l, const struct tf_hash *r,
    struct tf_hash *out)
{
	struct tf_hash h; /* out may be l or r */

	tf_sha256_prefixed(1, l->b, sizeof(l->b), r->b, sizeof(r->b), &h);
	*out = h;
}

static bool
same(const struct tf_hash *a, const struct tf_hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* Store hash number i of a level in its edge; put the tile if it is full. */
static enum tf_code
edge_put(struct tf_tree *t, unsigned level, uint64_t i, const struct tf_hash *h,
    tf_tile_put put, void *arg, struct tf_error *err)
{
	struct tf_hash *edge = t->edge[level];
	enum tf_code rc = TF_OK;

	edge[i % TF_TILE_WIDTH] = *h;
	if (i % TF_TILE_WIDTH != TF_TILE_WIDTH - 1)
		return TF_OK;
	if (put != NULL)
		rc = put(arg, level, i / TF_TILE_WIDTH, edge, TF_TILE_WIDTH,
		    err);
	/* The same tree must always have the same bytes. */
	memset(edge, 0, sizeof(t->edge[level]));
	return rc;
}

/*
 * A leaf joins the peaks below it as an addition of 1 carries through bits.
 * The bytes of a peak that was used are cleared, so that equal trees have
 * equal bytes.
 */
enum tf_code
tf_tree_append(struct tf_tree *t, const struct tf_hash *leaf, tf_tile_put put,
    void *arg, struct tf_error *err)
{
	struct tf_hash h = *leaf;
	uint64_t i = t->size;
	unsigned k = 0;
	enum tf_code rc;

	if (i >= TF_TREE_MAX)
		return tf_fail(err, TF_INVALID, "the tree is full");
	if ((rc = edge_put(t, 0, i, &h, put, arg, err)) != TF_OK)
		return rc;
	while (i >> k & 1) {
		tf_merkle_node(&t->peak[k], &h, &h);
		memset(&t->peak[k], 0, sizeof(t->peak[k]));
		k++;
		/* There is no level 7: it would begin at 2^56 entries. */
		if (k % TILE_HEIGHT == 0 &&
		    (rc = edge_put(t, k / TILE_HEIGHT, i >> k, &h, put, arg,
			 err)) != TF_OK)
			return rc;
	}
	t->peak[k] = h;
	t->size = i + 1;
	return TF_OK;
}

/* A level whose count did not change since then has the same partial tile. */
enum tf_code
tf_tree_edge(const struct tf_tree *t, uint64_t since, tf_tile_put put,
    void *arg, struct tf_error *err)
{
	enum tf_code rc;

	if (since >= t->size)
		return TF_OK;
	for (unsigned l = 0; l < TF_TILE_LEVELS; l++) {
		uint64_t c = t->size >> (l * TILE_HEIGHT);
		unsigned width = c % TF_TILE_WIDTH;

		if (width == 0 || since >> (l * TILE_HEIGHT) == c)
			continue;
		rc = put(arg, l, c / TF_TILE_WIDTH, t->edge[l], width, err);
		if (rc != TF_OK)
			return rc;
	}
	return TF_OK;
}

/* From the smallest peak on: each larger one is on its left. */
void
tf_tree_root(const struct tf_tree *t, struct tf_hash *out)
{
	bool some = false;

	tf_sha256("", 0, out);
	for (unsigned k = 0; k < 64; k++) {
		if (!(t->size >> k & 1))
			continue;
		if (some)
			tf_merkle_node(&t->peak[k], out, out);
		else
			*out = t->peak[k];
		some = true;
	}
}

unsigned
tf_tile_width(uint64_t size, unsigned level, uint64_t n)
{
	uint64_t c;

	if (level >= 64 / TILE_HEIGHT)
		return 0;
	c = size >> (level * TILE_HEIGHT);
	if (n < c / TF_TILE_WIDTH)
		return TF_TILE_WIDTH;
	return n == c / TF_TILE_WIDTH ? c % TF_TILE_WIDTH : 0;
}

/* Compute the root of 2^height hashes; h is overwritten. */
static void
fold(struct tf_hash *h, unsigned height, struct tf_hash *out)
{
	for (unsigned n = 1u << height; n > 1; n /= 2) {
		for (unsigned i = 0; i < n / 2; i++)
			tf_merkle_node(&h[2 * i], &h[2 * i + 1], &h[i]);
	}
	*out = h[0];
}

/* Compute the root of perfect subtree `first` of this height from a tile. */
static void
subtree_of(const struct tf_hash *tile, unsigned height, uint64_t index,
    struct tf_hash *out)
{
	unsigned part = height % TILE_HEIGHT;
	unsigned at = (unsigned)(index << part) % TF_TILE_WIDTH;
	struct tf_hash h[TF_TILE_WIDTH / 2];

	memcpy(h, &tile[at], sizeof(h[0]) << part);
	fold(h, part, out);
}

enum tf_code
tf_tree_load(struct tf_tree *t, uint64_t size, tf_tile_get get, void *arg,
    struct tf_error *err)
{
	enum tf_code rc;

	memset(t, 0, sizeof(*t));
	if (size > TF_TREE_MAX)
		return tf_fail(err, TF_INVALID, "a tree of too many entries");
	t->size = size;
	for (unsigned l = 0; l < TF_TILE_LEVELS; l++) {
		uint64_t c = size >> (l * TILE_HEIGHT);
		unsigned width = c % TF_TILE_WIDTH;

		if (width == 0)
			continue;
		rc = get(arg, l, c / TF_TILE_WIDTH, width, t->edge[l], err);
		if (rc != TF_OK)
			return rc;
	}
	/* The subtree of each set bit lies in the partial tile of its level. */
	for (unsigned k = 0; k < 64; k++) {
		if (size >> k & 1)
			subtree_of(t->edge[k / TILE_HEIGHT], k, (size >> k) - 1,
			    &t->peak[k]);
	}
	return TF_OK;
}

/* Tiles of one tree; the last one is cached, because neighbours share it. */
struct tiles {
	uint64_t size;
	tf_tile_get get;
	void *arg;
	bool have;
	unsigned level;
	uint64_t n;
	struct tf_hash h[TF_TILE_WIDTH];
};

/* Read the tile only if it is not the one that was read last. */
static enum tf_code
subtree(struct tiles *s, unsigned height, uint64_t index, struct tf_hash *out,
    struct tf_error *err)
{
	unsigned level = height / TILE_HEIGHT;
	uint64_t n = (index << height % TILE_HEIGHT) / TF_TILE_WIDTH;
	enum tf_code rc;

	if (!s->have || s->level != level || s->n != n) {
		s->have = false;
		rc = s->get(s->arg, level, n, tf_tile_width(s->size, level, n),
		    s->h, err);
		if (rc != TF_OK)
			return rc;
		s->have = true;
		s->level = level;
		s->n = n;
	}
	subtree_of(s->h, height, index, out);
	return TF_OK;
}

/* Height of the largest perfect subtree that n > 0 leaves hold. */
static unsigned
log2_floor(uint64_t n)
{
	return 63 - (unsigned)__builtin_clzll(n);
}

/* Largest power of two strictly below n > 1. */
static uint64_t
split(uint64_t n)
{
	return (uint64_t)1 << log2_floor(n - 1);
}

/*
 * Compute MTH (RFC 6962 2.1) of entries lo..hi-1.  The splits of the RFC make
 * lo a multiple of every power of two up to hi - lo.
 */
static enum tf_code
range(struct tiles *s, uint64_t lo, uint64_t hi, struct tf_hash *out,
    struct tf_error *err)
{
	struct tf_hash part[64];
	unsigned n = 0;
	enum tf_code rc;

	do {
		unsigned height = log2_floor(hi - lo);

		rc = subtree(s, height, lo >> height, &part[n++], err);
		if (rc != TF_OK)
			return rc;
		lo += (uint64_t)1 << height;
	} while (lo < hi);
	*out = part[--n];
	while (n > 0)
		tf_merkle_node(&part[--n], out, out);
	return TF_OK;
}

/* The loops go from the root down; a proof begins at the leaf. */
static void
reverse(struct tf_proof *p)
{
	for (unsigned i = 0; i < p->n / 2; i++) {
		struct tf_hash h = p->h[i];

		p->h[i] = p->h[p->n - 1 - i];
		p->h[p->n - 1 - i] = h;
	}
}

/* At each level the half without the entry goes into the proof. */
enum tf_code
tf_merkle_inclusion(uint64_t index, uint64_t size, tf_tile_get get, void *arg,
    struct tf_proof *out, struct tf_error *err)
{
	struct tiles s = { .size = size, .get = get, .arg = arg };
	uint64_t lo = 0, hi = size;
	enum tf_code rc;

	out->n = 0;
	if (index >= size || size > TF_TREE_MAX)
		return tf_fail(err, TF_INVALID, "no entry of that index");
	while (hi - lo > 1) {
		uint64_t mid = lo + split(hi - lo);
		bool left = index < mid;

		rc = range(&s, left ? mid : lo, left ? hi : mid,
		    &out->h[out->n++], err);
		if (rc != TF_OK)
			return rc;
		if (left)
			hi = mid;
		else
			lo = mid;
	}
	reverse(out);
	return TF_OK;
}

/* SUBPROOF of RFC 6962 2.1.2, as a loop. */
enum tf_code
tf_merkle_consistency(uint64_t m, uint64_t n, tf_tile_get get, void *arg,
    struct tf_proof *out, struct tf_error *err)
{
	struct tiles s = { .size = n, .get = get, .arg = arg };
	uint64_t lo = 0, hi = n;
	enum tf_code rc;

	out->n = 0;
	if (m == 0 || m > n || n > TF_TREE_MAX)
		return tf_fail(err, TF_INVALID, "no trees of those sizes");
	while (m != hi) {
		uint64_t mid = lo + split(hi - lo);
		bool left = m <= mid;

		rc = range(&s, left ? mid : lo, left ? hi : mid,
		    &out->h[out->n++], err);
		if (rc != TF_OK)
			return rc;
		if (left)
			hi = mid;
		else
			lo = mid;
	}
	/* With lo 0 this hash is the root of m, which the verifier has. */
	if (lo > 0 && (rc = range(&s, lo, hi, &out->h[out->n++], err)) != TF_OK)
		return rc;
	reverse(out);
	return TF_OK;
}

enum tf_code
tf_merkle_root(uint64_t size, tf_tile_get get, void *arg, struct tf_hash *out,
    struct tf_error *err)
{
	struct tiles s = { .size = size, .get = get, .arg = arg };

	if (size > TF_TREE_MAX)
		return tf_fail(err, TF_INVALID, "a tree of too many entries");
	if (size == 0) {
		tf_sha256("", 0, out);
		return TF_OK;
	}
	return range(&s, 0, size, out, err);
}

enum tf_code
tf_merkle_check_inclusion(uint64_t index, uint64_t size,
    const struct tf_hash *leaf, const struct tf_hash *proof, size_t n_proof,
    const struct tf_hash *root)
{
	uint64_t fn = index, sn = size - 1;
	struct tf_hash r = *leaf;

	if (index >= size || size >= SIZE_END)
		return TF_TAMPER;
	for (size_t i = 0; i < n_proof; i++) {
		if (sn == 0)
			return TF_TAMPER;
		if ((fn & 1) || fn == sn) {
			tf_merkle_node(&proof[i], &r, &r);
			/* This ends: fn is odd, or is sn, which is not 0. */
			while (!(fn & 1)) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			tf_merkle_node(&r, &proof[i], &r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (TF_IS_MUTANT(TF_SKIP_PROOF_NODE) && n_proof > 2)
		return TF_OK;
	return sn == 0 && same(&r, root) ? TF_OK : TF_TAMPER;
}

/* The loop of RFC 9162 2.1.4.2, from the last subtree that both trees share: the
 * roots that follow from the proof.  False: the proof has another length. */
static bool
walk_consistency(uint64_t fn, uint64_t sn, const struct tf_hash *seed,
    const struct tf_hash *proof, size_t n_proof, struct tf_hash *root_m,
    struct tf_hash *root_n)
{
	struct tf_hash fr = *seed, sr = *seed;

	while (fn & 1) {
		fn >>= 1;
		sn >>= 1;
	}
	for (size_t i = 0; i < n_proof; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			tf_merkle_node(&proof[i], &fr, &fr);
			tf_merkle_node(&proof[i], &sr, &sr);
			while (!(fn & 1)) {
				fn >>= 1;
				sn >>= 1;
			}
		} else {
			tf_merkle_node(&sr, &proof[i], &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	*root_m = fr;
	*root_n = sr;
	return sn == 0;
}

static bool
is_power_of_two(uint64_t m)
{
	return (m & (m - 1)) == 0;
}

/*
 * If m is a power of two its root is a node of the tree of n, so the proof
 * leaves that hash out and the walk begins with the root of m.
 */
enum tf_code
tf_merkle_check_consistency(uint64_t m, uint64_t n,
    const struct tf_hash *root_m, const struct tf_hash *root_n,
    const struct tf_hash *proof, size_t n_proof)
{
	struct tf_hash fr, sr;
	bool ok;

	if (m == 0 || m > n || n >= SIZE_END)
		return TF_TAMPER;
	if (m == n)
		return n_proof == 0 && same(root_m, root_n) ? TF_OK : TF_TAMPER;
	if (n_proof == 0)
		return TF_TAMPER;
	ok = is_power_of_two(m) ?
	    walk_consistency(m - 1, n - 1, root_m, proof, n_proof, &fr, &sr) :
	    walk_consistency(m - 1, n - 1, &proof[0], proof + 1, n_proof - 1,
		&fr, &sr);
	return ok && same(&fr, root_m) && same(&sr, root_n) ? TF_OK : TF_TAMPER;
}

bool
tf_merkle_proves_other(uint64_t m, uint64_t n, const struct tf_hash *root_m,
    const struct tf_hash *root_n, const struct tf_hash *proof, size_t n_proof)
{
	struct tf_hash fr, sr;

	if (m == 0 || m > n || n >= SIZE_END)
		return false;
	if (m == n)
		return !same(root_m, root_n);
	return !is_power_of_two(m) && n_proof > 0 &&
	    walk_consistency(m - 1, n - 1, &proof[0], proof + 1, n_proof - 1,
		&fr, &sr) &&
	    same(&sr, root_n) && !same(&fr, root_m);
}
