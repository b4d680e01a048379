/* The list of an attestation's evidence, for its seal and its pages: see
 * evidence.h. */
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../ledger/name.h"
#include "../ledger/statement.h"
#include "../store/nodes.h"
#include "../store/objects.h"
#include "evidence.h"

#define CHUNK 32 /* rows at a time */

void
tf_evidence_free(struct tf_evidence *e)
{
	free(e->f);
	tf_buf_free(&e->names);
}

enum tf_code
tf_evidence_add(struct tf_evidence *e, const struct tf_hash *h,
    const struct tf_attr *a, uint64_t seq, size_t at, struct tf_error *err)
{
	if (!tf_array_room(&e->f, e->n, &e->cap, sizeof(*e->f)))
		return tf_nomem(err);
	e->f[e->n].sha256 = *h;
	e->f[e->n].size = a->size;
	e->f[e->n].seq = seq;
	/* The buffer moves as it grows, so name.p holds an offset until
	 * tf_evidence_sort. */
	e->f[e->n].name.p = (const char *)at;
	e->f[e->n].name.n = e->names.n - at;
	if (e->n == 0 || tf_time_cmp(a->btime, e->first) < 0)
		e->first = a->btime;
	if (e->n == 0 || tf_time_cmp(a->ctime, e->last) > 0)
		e->last = a->ctime;
	e->n++;
	return tf_buf_end(&e->names, err);
}

static enum tf_code
add_evidence(struct tf_db *db, struct tf_evidence *e, const char *prefix,
    size_t prefix_len, const struct tf_node_row *r, struct tf_error *err)
{
	struct tf_object_row o;
	bool wanted = true;
	size_t at = e->names.n;
	enum tf_code rc = TF_OK;

	if (e->wants != NULL)
		rc = e->wants(e->arg, r, &wanted, err);
	if (rc != TF_OK || !wanted) {
		e->left_out++;
		return rc;
	}
	rc = tf_object_get(db, r->object, &o, NULL, err);
	if (rc == TF_NOTFOUND && e->skips_damaged) {
		e->damaged++;
		return TF_OK;
	}
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "object of %.60s is missing",
		    r->name);
	if (rc != TF_OK)
		return rc;
	tf_buf_add(&e->names, prefix, prefix_len);
	tf_buf_add(&e->names, r->name, r->name_len);
	return tf_evidence_add(e, &o.sha256, &r->attr, r->entry, at, err);
}

static enum tf_code
walk_evidence(struct tf_db *db, uint64_t dir, char *prefix, size_t prefix_len,
    struct tf_evidence *e, struct tf_error *err)
{
	struct tf_node_row *rows = calloc(CHUNK, sizeof(*rows));
	uint64_t after = 0;
	enum tf_code rc = TF_OK;
	size_t n = CHUNK, len;

	if (rows == NULL)
		return tf_nomem(err);
	while (rc == TF_OK && n == CHUNK) {
		rc = tf_nodes_list(db, dir, after, rows, CHUNK, &n, err);
		for (size_t i = 0; rc == TF_OK && i < n; i++) {
			after = rows[i].attr.id;
			len = prefix_len + rows[i].name_len;
			if (rows[i].attr.kind == TF_KIND_EVIDENCE) {
				rc = add_evidence(db, e, prefix, prefix_len,
				    &rows[i], err);
			} else if (len + 1 > TF_PATH_BELOW_MAX) {
				rc = tf_fail(err, TF_TAMPER,
				    "a path is too long");
			} else {
				memcpy(prefix + prefix_len, rows[i].name,
				    rows[i].name_len);
				prefix[len] = '/';
				rc = walk_evidence(db, after, prefix, len + 1,
				    e, err);
			}
		}
	}
	free(rows);
	return rc;
}

int
tf_evidence_by_name(const void *a, const void *b)
{
	const struct tf_subject_file *x = a, *y = b;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = memcmp(x->name.p, y->name.p, n);

	return c != 0 ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

void
tf_evidence_sort(struct tf_evidence *e)
{
	for (size_t i = 0; i < e->n; i++)
		e->f[i].name.p = e->names.p + (size_t)e->f[i].name.p;
	if (e->n > 1)
		qsort(e->f, e->n, sizeof(*e->f), tf_evidence_by_name);
}

enum tf_code
tf_evidence_list(struct tf_db *db, uint64_t id, struct tf_evidence *e,
    struct tf_error *err)
{
	char prefix[TF_PATH_BELOW_MAX + 1];
	enum tf_code rc = walk_evidence(db, id, prefix, 0, e, err);

	tf_evidence_sort(e);
	return rc;
}
