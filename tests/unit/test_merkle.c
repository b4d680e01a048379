#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/crypto.h"
#include "../../core/ledger/merkle.h"
#include "../../core/ledger/peaks.h"
#include "vectors.h"

/* Tiles in memory, as a store would keep them: rows that only grow. */
struct tiles {
	struct tf_hash *h[TF_TILE_LEVELS];
	uint64_t n[TF_TILE_LEVELS]; /* hashes there */
	uint64_t cap[TF_TILE_LEVELS];
	unsigned calls;
	unsigned fail_at; /* the call that fails; 0: none */
};

static enum tf_code
put_tile(void *arg, unsigned level, uint64_t n, const struct tf_hash *hashes,
    unsigned width, struct tf_error *err)
{
	struct tiles *s = arg;
	uint64_t first = n * TF_TILE_WIDTH;
	struct tf_hash *h;

	if (++s->calls == s->fail_at)
		return tf_fail(err, TF_IO, "as asked");
	must(level < TF_TILE_LEVELS);
	must(width >= 1 && width <= TF_TILE_WIDTH);
	/* A tile row never shrinks, and what was there stays (I1). */
	must(s->n[level] >= first && first + width >= s->n[level]);
	h = s->h[level];
	must(memcmp(h ? h + first : hashes, hashes,
		 (s->n[level] - first) * sizeof(*h)) == 0);
	if (first + TF_TILE_WIDTH > s->cap[level]) {
		s->cap[level] = 2 * (first + TF_TILE_WIDTH);
		h = realloc(h, s->cap[level] * sizeof(*h));
		must(h != NULL);
	}
	memcpy(h + first, hashes, width * sizeof(*h));
	s->h[level] = h;
	s->n[level] = first + width;
	return TF_OK;
}

static enum tf_code
get_tile(void *arg, unsigned level, uint64_t n, unsigned width,
    struct tf_hash *out, struct tf_error *err)
{
	struct tiles *s = arg;

	if (++s->calls == s->fail_at)
		return tf_fail(err, TF_IO, "as asked");
	must(level < TF_TILE_LEVELS);
	must(width >= 1 && width <= TF_TILE_WIDTH);
	if (n * TF_TILE_WIDTH + width > s->n[level])
		return tf_fail(err, TF_TAMPER, "not so many");
	memcpy(out, s->h[level] + n * TF_TILE_WIDTH, width * sizeof(*out));
	return TF_OK;
}

/* A tree, its tiles, and the leaves it was made of. */
struct grown {
	struct tf_tree *t;
	struct tiles s;
	struct tf_hash *leaf;
};

static struct tf_hash
leaf_number(uint64_t i)
{
	struct tf_hash h;

	tf_merkle_leaf(&i, sizeof(i), &h);
	return h;
}

/* Commits of 1, 2, 3 ... step leaves, the edge written after each. */
static struct grown *
make_tree(uint64_t size, uint64_t step)
{
	struct grown *g = calloc(1, sizeof(*g));
	uint64_t batch = 1;

	g->t = calloc(1, sizeof(*g->t));
	g->leaf = calloc(size + 1, sizeof(*g->leaf));
	while (g->t->size < size) {
		uint64_t since = g->t->size;

		for (uint64_t k = 0; k < batch && g->t->size < size; k++) {
			uint64_t i = g->t->size;

			g->leaf[i] = leaf_number(i);
			must(tf_tree_append(g->t, &g->leaf[i], put_tile, &g->s,
				 NULL) == TF_OK);
		}
		must(tf_tree_edge(g->t, since, put_tile, &g->s, NULL) == TF_OK);
		batch = batch % step + 1;
	}
	return g;
}

static void
fell(struct grown *g)
{
	for (unsigned l = 0; l < TF_TILE_LEVELS; l++)
		free(g->s.h[l]);
	free(g->t);
	free(g->leaf);
	free(g);
}

/* RFC 6962 2.1, word for word. */
static struct tf_hash
naive_root(const struct tf_hash *leaf, uint64_t n)
{
	struct tf_hash l, r;
	uint64_t k = 1;

	if (n == 0)
		return hash_of("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b93"
			       "4ca495991b7852b855");
	if (n == 1)
		return leaf[0];
	while (k * 2 < n)
		k *= 2;
	l = naive_root(leaf, k);
	r = naive_root(leaf + k, n - k);
	tf_merkle_node(&l, &r, &l);
	return l;
}

/* RFC 6962 2.1.1. */
static void
naive_path(const struct tf_hash *leaf, uint64_t n, uint64_t m,
    struct tf_proof *p)
{
	uint64_t k = 1;

	if (n == 1)
		return;
	while (k * 2 < n)
		k *= 2;
	if (m < k) {
		naive_path(leaf, k, m, p);
		p->h[p->n++] = naive_root(leaf + k, n - k);
	} else {
		naive_path(leaf + k, n - k, m - k, p);
		p->h[p->n++] = naive_root(leaf, k);
	}
}

/* RFC 6962 2.1.2. */
static void
naive_subproof(const struct tf_hash *leaf, uint64_t m, uint64_t n, bool whole,
    struct tf_proof *p)
{
	uint64_t k = 1;

	if (m == n) {
		if (!whole)
			p->h[p->n++] = naive_root(leaf, n);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	if (m <= k) {
		naive_subproof(leaf, m, k, whole, p);
		p->h[p->n++] = naive_root(leaf + k, n - k);
	} else {
		naive_subproof(leaf + k, m - k, n - k, false, p);
		p->h[p->n++] = naive_root(leaf, k);
	}
}

static void
same_proof(const struct tf_proof *want, const struct tf_proof *got)
{
	assert_same(want->h, want->n * sizeof(want->h[0]), got->h,
	    got->n * sizeof(got->h[0]));
}

START_TEST(hashes_have_the_published_values)
{
	static struct tf_tree empty;
	struct tf_hash h, want, l, r;

	tf_tree_root(&empty, &h);
	want = naive_root(NULL, 0);
	ck_assert_mem_eq(&want, &h, sizeof(h));
	tf_merkle_leaf("", 0, &h);
	want = hash_of("6e340b9cffb37a989ca544e6bb780a2c78901d3fb3373876851"
		       "1a30617afa01d");
	ck_assert_mem_eq(&want, &h, sizeof(h));
	tf_merkle_leaf("L123456", 7, &h);
	want = hash_of("395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad54"
		       "7639252b4d56");
	ck_assert_mem_eq(&want, &h, sizeof(h));
	/* node("N123", "N456") as it is often printed has short "hashes". */
	tf_sha256_prefixed(1, "N123", 4, "N456", 4, &h);
	want = hash_of("aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b0"
		       "44444de66bbb");
	ck_assert_mem_eq(&want, &h, sizeof(h));
	l = leaf_number(1);
	r = leaf_number(2);
	tf_sha256_prefixed(1, l.b, 32, r.b, 32, &want);
	tf_merkle_node(&l, &r, &l);
	ck_assert_mem_eq(&want, &l, sizeof(l));
}
END_TEST

START_TEST(the_worked_example_has_its_root)
{
	struct tf_buf leaves = read_vector("entries-example.leaves");
	struct tf_str rest = { leaves.p, leaves.n }, line;
	struct tf_tree *t = calloc(1, sizeof(*t));
	struct tf_hash root, want;
	char hex[65] = "";

	while (take_line(&rest, &line)) {
		struct tf_hash leaf;

		ck_assert_uint_eq(64, line.n);
		memcpy(hex, line.p, 64);
		leaf = hash_of(hex);
		ck_assert_int_eq(TF_OK,
		    tf_tree_append(t, &leaf, put_tile, NULL, NULL));
	}
	ck_assert_uint_eq(9, t->size);
	tf_tree_root(t, &root);
	want = hash_of("749428a7bd1a38335a01c115b1a6b59838953665fcebf183a5ae"
		       "3f63c8062863");
	ck_assert_mem_eq(&want, &root, sizeof(root));
	tf_buf_free(&leaves);
	free(t);
}
END_TEST

/* Every leaf of every small tree proves its place; one flipped bit, a hash
 * less or more, another place never do. */
static void
try_inclusion(struct grown *g, uint64_t i, uint64_t size, bool thorough)
{
	struct tf_hash root = naive_root(g->leaf, size), leaf = g->leaf[i];
	struct tf_proof p, want = { 0 };

	naive_path(g->leaf, size, i, &want);
	must(tf_merkle_inclusion(i, size, get_tile, &g->s, &p, NULL) == TF_OK);
	same_proof(&want, &p);
	must(tf_merkle_check_inclusion(i, size, &leaf, p.h, p.n, &root) ==
	    TF_OK);
	for (unsigned k = 0; k < p.n; k++) {
		unsigned bit = (unsigned)(i * 7 + k * 13) % 256;

		p.h[k].b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		must(tf_merkle_check_inclusion(i, size, &leaf, p.h, p.n,
			 &root) == TF_TAMPER);
		p.h[k].b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	if (p.n > 0)
		must(tf_merkle_check_inclusion(i, size, &leaf, p.h, p.n - 1,
			 &root) == TF_TAMPER);
	p.h[p.n] = root;
	must(tf_merkle_check_inclusion(i, size, &leaf, p.h, p.n + 1, &root) ==
	    TF_TAMPER);
	leaf.b[0] ^= 1;
	must(tf_merkle_check_inclusion(i, size, &leaf, p.h, p.n, &root) ==
	    TF_TAMPER);
	leaf.b[0] ^= 1;
	root.b[31] ^= 128;
	must(tf_merkle_check_inclusion(i, size, &leaf, p.h, p.n, &root) ==
	    TF_TAMPER);
	root.b[31] ^= 128;
	for (uint64_t k = 0; thorough && k <= size; k++) {
		if (k != i)
			must(tf_merkle_check_inclusion(k, size, &leaf, p.h, p.n,
				 &root) == TF_TAMPER);
	}
}

static void
try_consistency(struct grown *g, uint64_t m, uint64_t n, bool thorough)
{
	struct tf_hash rm = naive_root(g->leaf, m), rn = naive_root(g->leaf, n);
	struct tf_proof p, want = { 0 };

	naive_subproof(g->leaf, m, n, true, &want);
	must(tf_merkle_consistency(m, n, get_tile, &g->s, &p, NULL) == TF_OK);
	same_proof(&want, &p);
	must(tf_merkle_check_consistency(m, n, &rm, &rn, p.h, p.n) == TF_OK);
	for (unsigned k = 0; k < p.n; k++) {
		unsigned bit = (unsigned)(m * 7 + k * 13) % 256;

		p.h[k].b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		must(tf_merkle_check_consistency(m, n, &rm, &rn, p.h, p.n) ==
		    TF_TAMPER);
		p.h[k].b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	if (p.n > 0)
		must(tf_merkle_check_consistency(m, n, &rm, &rn, p.h,
			 p.n - 1) == TF_TAMPER);
	p.h[p.n] = rn;
	must(tf_merkle_check_consistency(m, n, &rm, &rn, p.h, p.n + 1) ==
	    TF_TAMPER);
	rm.b[0] ^= 1;
	must(tf_merkle_check_consistency(m, n, &rm, &rn, p.h, p.n) ==
	    TF_TAMPER);
	rm.b[0] ^= 1;
	rn.b[0] ^= 1;
	must(tf_merkle_check_consistency(m, n, &rm, &rn, p.h, p.n) ==
	    TF_TAMPER);
	rn.b[0] ^= 1;
	for (uint64_t k = 0; thorough && k <= n; k++) {
		if (k != m)
			must(tf_merkle_check_consistency(k, n, &rm, &rn, p.h,
				 p.n) == TF_TAMPER);
	}
}

START_TEST(proofs_of_a_small_tree_hold_only_for_it)
{
	uint64_t size = (uint64_t)_i;
	struct grown *g = make_tree(size, 3);
	struct tf_hash root, want = naive_root(g->leaf, size);

	tf_tree_root(g->t, &root);
	ck_assert_mem_eq(&want, &root, sizeof(root));
	for (uint64_t i = 0; i < size; i++) {
		try_inclusion(g, i, size, true);
		try_consistency(g, i + 1, size, true);
	}
	fell(g);
}
END_TEST

START_TEST(proofs_of_large_trees_are_those_of_the_rfc)
{
	struct grown *g = make_tree(70000, 1000);
	uint64_t seed = 5;

	for (int k = 0; k < 25; k++) {
		uint64_t n = chance(&seed) % 70000 + 1;
		uint64_t m = chance(&seed) % n + 1;
		struct tf_hash got, want = naive_root(g->leaf, n);

		if (k == 0)
			n = 70000;
		if (k == 1)
			m = n = 65536;
		if (k == 2)
			n = 65537;
		want = naive_root(g->leaf, n);
		ck_assert_int_eq(TF_OK,
		    tf_merkle_root(n, get_tile, &g->s, &got, NULL));
		ck_assert_mem_eq(&want, &got, sizeof(got));
		try_inclusion(g, m - 1, n, false);
		try_consistency(g, m, n, false);
	}
	fell(g);
}
END_TEST

/* Whatever commits a tree grew by, its tiles give it back whole. */
START_TEST(a_loaded_tree_is_the_one_that_grew)
{
	static const uint64_t steps[] = { 1, 2, 7, 255, 256, 257, 600 };
	static const uint64_t sizes[] = { 0, 1, 2, 3, 255, 256, 257, 511, 512,
		767, 1000, 65535, 65536, 65537, 66047, 66048, 70000 };

	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		uint64_t step = steps[k % 7];
		struct grown *g = make_tree(sizes[k], step);
		struct tf_tree *t = malloc(sizeof(*t));
		struct tf_hash a, b;

		memset(t, 0xee, sizeof(*t));
		ck_assert_int_eq(TF_OK,
		    tf_tree_load(t, sizes[k], get_tile, &g->s, NULL));
		ck_assert_mem_eq(g->t, t, sizeof(*t));
		/* And goes on as that one would. */
		for (uint64_t i = 0; i < 300; i++) {
			struct tf_hash leaf = leaf_number(1000000 + i);

			must(tf_tree_append(t, &leaf, put_tile, &g->s, NULL) ==
			    TF_OK);
		}
		ck_assert_int_eq(TF_OK,
		    tf_tree_edge(t, sizes[k], put_tile, &g->s, NULL));
		tf_tree_root(t, &a);
		ck_assert_int_eq(TF_OK,
		    tf_merkle_root(sizes[k] + 300, get_tile, &g->s, &b, NULL));
		ck_assert_mem_eq(&a, &b, sizeof(a));
		free(t);
		fell(g);
	}
}
END_TEST

/* The peaks have the root of the whole tree, go on from what was written of them, and
 * take no other number of bytes. */
START_TEST(peaks_are_the_tree)
{
	static struct tf_tree t;
	struct tf_peaks p = { 0 }, again;
	struct tf_hash want, have;
	struct tf_buf bytes = { 0 };

	for (uint64_t i = 0; i <= 300; i++) {
		tf_tree_root(&t, &want);
		tf_peaks_root(&p, &have);
		ck_assert_mem_eq(want.b, have.b, sizeof(have.b));
		bytes.n = 0;
		tf_peaks_put(&p, &bytes);
		ck_assert(!tf_peaks_get(&again, i + 1, bytes.p, bytes.n) ||
		    __builtin_popcountll(i) == __builtin_popcountll(i + 1));
		ck_assert(!tf_peaks_get(&again, i, bytes.p, bytes.n + 1));
		ck_assert(tf_peaks_get(&again, i, bytes.p, bytes.n));
		p = again;
		tf_merkle_leaf(&i, sizeof(i), &have);
		tf_peaks_add(&p, &have);
		ck_assert_int_eq(TF_OK,
		    tf_tree_append(&t, &have, NULL, NULL, NULL));
	}
	tf_buf_free(&bytes);
}
END_TEST

START_TEST(an_edge_that_was_not_touched_is_not_written)
{
	struct grown *g = make_tree(65536 + 256 + 5, 600);

	g->s.calls = 0;
	ck_assert_int_eq(TF_OK,
	    tf_tree_edge(g->t, g->t->size, put_tile, &g->s, NULL));
	ck_assert_uint_eq(0, g->s.calls);
	/* Since one entry ago only the leaves' tile changed, ... */
	ck_assert_int_eq(TF_OK,
	    tf_tree_edge(g->t, g->t->size - 1, put_tile, &g->s, NULL));
	ck_assert_uint_eq(1, g->s.calls);
	/* ... since ten ago level 1 too, since the beginning all three. */
	ck_assert_int_eq(TF_OK,
	    tf_tree_edge(g->t, g->t->size - 10, put_tile, &g->s, NULL));
	ck_assert_uint_eq(3, g->s.calls);
	ck_assert_int_eq(TF_OK, tf_tree_edge(g->t, 0, put_tile, &g->s, NULL));
	ck_assert_uint_eq(6, g->s.calls);
	fell(g);
}
END_TEST

START_TEST(tile_widths_are_those_of_the_format)
{
	ck_assert_uint_eq(256, tf_tile_width(70000, 0, 0));
	ck_assert_uint_eq(256, tf_tile_width(70000, 0, 272));
	ck_assert_uint_eq(112, tf_tile_width(70000, 0, 273));
	ck_assert_uint_eq(0, tf_tile_width(70000, 0, 274));
	ck_assert_uint_eq(256, tf_tile_width(70000, 1, 0));
	ck_assert_uint_eq(17, tf_tile_width(70000, 1, 1));
	ck_assert_uint_eq(1, tf_tile_width(70000, 2, 0));
	ck_assert_uint_eq(0, tf_tile_width(70000, 2, 1));
	ck_assert_uint_eq(0, tf_tile_width(70000, 3, 0));
	ck_assert_uint_eq(256, tf_tile_width(256, 0, 0));
	ck_assert_uint_eq(0, tf_tile_width(256, 0, 1));
	ck_assert_uint_eq(1, tf_tile_width(256, 1, 0));
	ck_assert_uint_eq(0, tf_tile_width(0, 0, 0));
	ck_assert_uint_eq(255, tf_tile_width(UINT64_MAX, 7, 0));
	ck_assert_uint_eq(0, tf_tile_width(UINT64_MAX, 8, 0));
	ck_assert_uint_eq(0, tf_tile_width(UINT64_MAX, 63, 0));
	ck_assert_uint_eq(256,
	    tf_tile_width(UINT64_MAX, 0, (UINT64_MAX >> 8) - 1));
}
END_TEST

START_TEST(sizes_that_make_no_sense_are_refused)
{
	struct tf_tree *t = calloc(1, sizeof(*t));
	struct tiles none = { 0 };
	struct tf_proof p;
	struct tf_hash h = leaf_number(0);

	ck_assert_int_eq(TF_INVALID,
	    tf_merkle_inclusion(0, 0, get_tile, &none, &p, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_merkle_inclusion(5, 5, get_tile, &none, &p, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_merkle_inclusion(5, UINT64_MAX, get_tile, &none, &p, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_merkle_consistency(0, 5, get_tile, &none, &p, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_merkle_consistency(6, 5, get_tile, &none, &p, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_merkle_consistency(5, TF_TREE_MAX + 1, get_tile, &none, &p,
		NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_merkle_root(TF_TREE_MAX + 1, get_tile, &none, &h, NULL));
	ck_assert_int_eq(TF_INVALID,
	    tf_tree_load(t, TF_TREE_MAX + 1, get_tile, &none, NULL));
	t->size = TF_TREE_MAX;
	ck_assert_int_eq(TF_INVALID,
	    tf_tree_append(t, &h, put_tile, &none, NULL));
	ck_assert_uint_eq(0, none.calls);
	ck_assert_int_eq(TF_OK, tf_merkle_root(0, get_tile, &none, &h, NULL));
	free(t);
}
END_TEST

START_TEST(what_the_store_says_is_passed_on)
{
	struct grown *g = make_tree(70000, 1000);
	struct tf_tree *t = malloc(sizeof(*t));
	struct tf_proof p;
	struct tf_hash h = leaf_number(1);

	for (unsigned k = 1; k <= 3; k++) {
		g->s.calls = 0;
		g->s.fail_at = k;
		ck_assert_int_eq(TF_IO,
		    tf_tree_load(t, 70000, get_tile, &g->s, NULL));
		g->s.calls = 0;
		ck_assert_int_eq(TF_IO,
		    tf_merkle_root(70000, get_tile, &g->s, &h, NULL));
		g->s.calls = 0;
		ck_assert_int_eq(TF_IO,
		    tf_merkle_inclusion(9, 70000, get_tile, &g->s, &p, NULL));
		g->s.calls = 0;
		ck_assert_int_eq(TF_IO,
		    tf_merkle_consistency(9, 70000, get_tile, &g->s, &p, NULL));
		g->s.calls = 0;
		ck_assert_int_eq(TF_IO,
		    tf_tree_edge(g->t, 0, put_tile, &g->s, NULL));
	}
	g->s.fail_at = 0;
	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_root(70001, get_tile, &g->s, &h, NULL));
	while (g->t->size % TF_TILE_WIDTH != TF_TILE_WIDTH - 1)
		ck_assert_int_eq(TF_OK,
		    tf_tree_append(g->t, &h, put_tile, &g->s, NULL));
	g->s.calls = 0;
	g->s.fail_at = 1;
	ck_assert_int_eq(TF_IO,
	    tf_tree_append(g->t, &h, put_tile, &g->s, NULL));
	free(t);
	fell(g);
}
END_TEST

/* The first call that fails, the second, and so on until none is left. */
START_TEST(no_call_that_fails_goes_unnoticed)
{
	static const uint64_t from[] = { 3, 300, 65537, 66000, 69888 };
	struct grown *g = make_tree(70000, 1000);
	struct tf_proof p;
	enum tf_code rc = TF_IO;

	g->s.fail_at = 0;
	while (rc != TF_OK) {
		g->s.calls = 0;
		g->s.fail_at++;
		rc = tf_merkle_consistency(from[_i], 70000, get_tile, &g->s, &p,
		    NULL);
		if (rc != TF_OK)
			ck_assert_int_eq(TF_IO, rc);
		/* It succeeds when that call is never made. */
		ck_assert(rc != TF_OK || g->s.calls == g->s.fail_at - 1);
	}
	ck_assert_uint_gt(g->s.calls, 2);
	fell(g);
}
END_TEST

/* A tile above the leaves that cannot be written. */
START_TEST(a_tree_is_not_extended_without_its_tiles)
{
	struct grown *g = make_tree(65535, 1000);
	struct tf_hash leaf = leaf_number(65535);

	g->s.calls = 0;
	g->s.fail_at = 2;
	ck_assert_int_eq(TF_IO,
	    tf_tree_append(g->t, &leaf, put_tile, &g->s, NULL));
	ck_assert_uint_eq(65535, g->t->size);
	fell(g);
}
END_TEST

/* Trees too large to build: their roots follow from the proofs. */
START_TEST(sizes_up_to_2_to_the_63_are_checked)
{
	const uint64_t most = ((uint64_t)1 << 63) - 1;
	struct tf_hash p[63], root = leaf_number(99), leaf = root, left = root;

	for (uint64_t k = 0; k < 63; k++)
		p[k] = leaf_number(k);
	/* The last leaf of 2^63-1 has 62 perfect trees to its left. */
	for (unsigned k = 0; k < 62; k++)
		tf_merkle_node(&p[k], &root, &root);
	ck_assert_int_eq(TF_OK,
	    tf_merkle_check_inclusion(most - 1, most, &leaf, p, 62, &root));
	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_check_inclusion(most - 2, most, &leaf, p, 62, &root));
	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_check_inclusion(most - 1, most, &leaf, p, 63, &root));
	/* The first leaf of 2^62 has 62 to its right. */
	for (unsigned k = 0; k < 62; k++)
		tf_merkle_node(&left, &p[k], &left);
	ck_assert_int_eq(TF_OK,
	    tf_merkle_check_inclusion(0, (uint64_t)1 << 62, &leaf, p, 62,
		&left));
	/* 2^62 entries, and the same with one tree to their right. */
	root = left;
	tf_merkle_node(&left, &p[0], &root);
	ck_assert_int_eq(TF_OK,
	    tf_merkle_check_consistency((uint64_t)1 << 62, most, &left, &root,
		p, 1));
	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_check_consistency((uint64_t)1 << 62, most + 1, &left,
		&root, p, 1));
	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_check_consistency(most + 1, most + 1, &left, &left, NULL,
		0));
	ck_assert_int_eq(TF_OK,
	    tf_merkle_check_consistency(most, most, &left, &left, NULL, 0));
	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_check_inclusion(0, UINT64_MAX, &leaf, p, 63, &root));
	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_check_inclusion(0, 0, &leaf, p, 0, &leaf));
	ck_assert_int_eq(TF_OK,
	    tf_merkle_check_inclusion(0, 1, &leaf, NULL, 0, &leaf));
}
END_TEST

START_TEST(sizes_out_of_order_are_refused)
{
	struct grown *g = make_tree(5, 5);
	struct tf_hash r = naive_root(g->leaf, 5), e = naive_root(NULL, 0);

	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_check_consistency(0, 5, &e, &r, NULL, 0));
	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_check_consistency(0, 0, &e, &e, NULL, 0));
	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_check_consistency(6, 5, &r, &r, NULL, 0));
	ck_assert_int_eq(TF_TAMPER,
	    tf_merkle_check_consistency(4, 5, &r, &r, NULL, 0));
	fell(g);
}
END_TEST

Suite *
suite_merkle(void)
{
	Suite *s = suite_create("merkle");
	TCase *t = tcase_create("merkle");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, hashes_have_the_published_values);
	tcase_add_test(t, the_worked_example_has_its_root);
	tcase_add_loop_test(t, proofs_of_a_small_tree_hold_only_for_it, 0, 71);
	tcase_add_test(t, proofs_of_large_trees_are_those_of_the_rfc);
	tcase_add_test(t, a_loaded_tree_is_the_one_that_grew);
	tcase_add_test(t, peaks_are_the_tree);
	tcase_add_test(t, an_edge_that_was_not_touched_is_not_written);
	tcase_add_test(t, tile_widths_are_those_of_the_format);
	tcase_add_test(t, sizes_that_make_no_sense_are_refused);
	tcase_add_test(t, what_the_store_says_is_passed_on);
	tcase_add_loop_test(t, no_call_that_fails_goes_unnoticed, 0, 5);
	tcase_add_test(t, a_tree_is_not_extended_without_its_tiles);
	tcase_add_test(t, sizes_up_to_2_to_the_63_are_checked);
	tcase_add_test(t, sizes_out_of_order_are_refused);
	suite_add_tcase(s, t);
	return s;
}
