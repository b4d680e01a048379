/*
 * Whether two ledgers are one, one is the beginning of the other, or they
 * forked.
 *
 * Equal leaves of the entries that both sides have are not enough: a package
 * has some entries only.  A side that has all its entries gives the root of
 * each of its prefixes, and the signed root of the other side must be that one.
 */
#include "../compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/file.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../ledger/rotation.h"

struct leaf {
	uint64_t seq;
	struct tf_hash hash;
};

struct tf_leaf_list {
	FILE *f;
	uint64_t n;	/* leaves */
	uint64_t dense; /* the first ones without a gap */
};

static enum tf_code
failed(struct tf_error *err)
{
	return tf_fail(err, TF_IO, "a temporary file of a comparison");
}

enum tf_code
tf_leaf_list_new(struct tf_leaf_list **out, struct tf_error *err)
{
	struct tf_leaf_list *l = calloc(1, sizeof(*l));
	enum tf_code rc;

	if (l == NULL)
		return tf_nomem(err);
	rc = tf_file_scratch_stream(&l->f, err);
	if (rc != TF_OK) {
		free(l);
		return rc;
	}
	*out = l;
	return TF_OK;
}

void
tf_leaf_list_free(struct tf_leaf_list *l)
{
	if (l == NULL)
		return;
	(void)fclose(l->f);
	free(l);
}

enum tf_code
tf_leaf_list_add(struct tf_leaf_list *l, uint64_t seq, const void *body,
    size_t n, struct tf_error *err)
{
	struct leaf leaf = { .seq = seq };

	tf_entry_leaf(body, n, &leaf.hash);
	if (fwrite(&leaf, sizeof(leaf), 1, l->f) != 1)
		return failed(err);
	l->dense += l->dense == l->n && seq == l->n;
	l->n++;
	return TF_OK;
}

enum tf_code
tf_leaf_list_has(struct tf_leaf_list *l, uint64_t seq, bool *yes,
    struct tf_error *err)
{
	uint64_t low = l->dense, high = l->n;
	struct leaf leaf;

	*yes = seq < l->dense;
	while (!*yes && low < high) {
		uint64_t mid = low + (high - low) / 2;

		if (fseeko(l->f, (off_t)(mid * sizeof(leaf)), SEEK_SET) != 0 ||
		    fread(&leaf, sizeof(leaf), 1, l->f) != 1)
			return failed(err);
		*yes = leaf.seq == seq;
		if (leaf.seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return TF_OK;
}

enum tf_code
tf_compare_note(struct tf_str note, const char *vkey, struct tf_report *r,
    struct tf_error *err)
{
	struct tf_checkpoint c;
	struct tf_log_keys keys = { .n = 0 };
	struct tf_vkey k;
	enum tf_code rc = tf_log_keys_parse(&keys, tf_str_of(vkey), &k, err);

	memset(r, 0, sizeof(*r));
	if (rc == TF_OK)
		rc = tf_log_keys_check(&keys, &k, note.p, note.n, &c, NULL,
		    err);
	tf_log_keys_free(&keys);
	if (rc != TF_OK)
		return rc;
	r->size = c.size;
	r->root = c.root;
	(void)snprintf(r->origin, sizeof(r->origin), "%s", c.origin);
	return TF_OK;
}

/* --- one side --------------------------------------------------------------- */

static enum tf_code
rewind_list(struct tf_leaf_list *l, struct tf_error *err)
{
	if (l == NULL)
		return TF_OK;
	if (fflush(l->f) != 0 || fseeko(l->f, 0, SEEK_SET) != 0)
		return failed(err);
	return TF_OK;
}

/* The next leaf; *more is false if there is none. */
static enum tf_code
next(struct tf_leaf_list *l, struct leaf *out, bool *more, struct tf_error *err)
{
	*more = l != NULL && fread(out, sizeof(*out), 1, l->f) == 1;
	if (!*more && l != NULL && ferror(l->f))
		return failed(err);
	return TF_OK;
}

/* Compute the root of the first size entries of l, which has them. */
static enum tf_code
root_of(struct tf_leaf_list *l, uint64_t size, struct tf_hash *root,
    struct tf_error *err)
{
	struct tf_tree *t = calloc(1, sizeof(*t));
	struct leaf leaf;
	bool more = true;
	enum tf_code rc = t == NULL ? tf_nomem(err) : rewind_list(l, err);

	while (rc == TF_OK && t->size < size && more) {
		rc = next(l, &leaf, &more, err);
		if (rc == TF_OK && more)
			rc = tf_tree_append(t, &leaf.hash, NULL, NULL, err);
	}
	if (rc == TF_OK && t->size < size)
		rc = failed(err);
	if (rc == TF_OK)
		tf_tree_root(t, root);
	free(t);
	return rc;
}

static bool
has_first(const struct tf_side *s, uint64_t size)
{
	return size == 0 || (s->leaves != NULL && s->leaves->dense >= size);
}

/* --- both ------------------------------------------------------------------- */

/* Find the first entry that both have and that differs; UINT64_MAX: none. */
static enum tf_code
first_difference(struct tf_leaf_list *a, struct tf_leaf_list *b, uint64_t *at,
    struct tf_error *err)
{
	struct leaf x, y;
	bool has_x, has_y;
	enum tf_code rc;

	*at = UINT64_MAX;
	if ((rc = rewind_list(a, err)) != TF_OK ||
	    (rc = rewind_list(b, err)) != TF_OK ||
	    (rc = next(a, &x, &has_x, err)) != TF_OK ||
	    (rc = next(b, &y, &has_y, err)) != TF_OK)
		return rc;
	while (rc == TF_OK && has_x && has_y) {
		if (x.seq == y.seq &&
		    memcmp(&x.hash, &y.hash, sizeof(x.hash)) != 0) {
			*at = x.seq;
			return TF_OK;
		}
		if (x.seq <= y.seq)
			rc = next(a, &x, &has_x, err);
		else
			rc = next(b, &y, &has_y, err);
	}
	return rc;
}

/* Is the tree of `small` the beginning of the tree of `big`?  *known: false if
 * too few entries are there. */
static enum tf_code
begins(const struct tf_side *big, const struct tf_side *small, bool *known,
    bool *yes, struct tf_error *err)
{
	const struct tf_report *r = small->report;
	struct tf_hash root;
	enum tf_code rc = TF_OK;

	*known = true;
	if (big->report->size == r->size) {
		root = big->report->root;
	} else if (has_first(big, r->size)) {
		rc = root_of(big->leaves, r->size, &root, err);
	} else {
		*known = false;
		return TF_OK;
	}
	*yes = rc == TF_OK && memcmp(&root, &r->root, sizeof(root)) == 0;
	return rc;
}

enum tf_code
tf_compare(const struct tf_side *a, const struct tf_side *b,
    enum tf_relation *relation, uint64_t *at, struct tf_error *err)
{
	bool a_is_big = a->report->size > b->report->size, known, yes = false;
	enum tf_code rc = first_difference(a->leaves, b->leaves, at, err);

	if (rc == TF_OK && *at != UINT64_MAX) {
		*relation = TF_RELATION_FORKED;
		return TF_OK;
	}
	if (rc == TF_OK)
		rc = begins(a_is_big ? a : b, a_is_big ? b : a, &known, &yes,
		    err);
	if (rc != TF_OK)
		return rc;
	*relation = !known		       ? TF_RELATION_UNKNOWN :
	    !yes			       ? TF_RELATION_FORKED :
	    a->report->size == b->report->size ? TF_RELATION_EQUAL :
	    a_is_big			       ? TF_RELATION_B_IN_A :
						 TF_RELATION_A_IN_B;
	return TF_OK;
}
