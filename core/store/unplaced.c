/*
 * Rows of stage that have no place in the tree: see unplaced.h.  The first
 * pass over stage collects the rows, the second one judges each row.
 *
 * Parents may come later in stage than their children, so no row can be judged
 * before all are known.  judge() follows the parents upward and counts the
 * levels: more than depth_max is a circle.  The committed parent that was
 * looked at last is kept, because neighbours mostly share it.  A machine that
 * fails, such as EIO, ends the walk: that is no finding about a row.
 */
#include <stdlib.h>

#include "../base/array.h"
#include "../base/show.h"
#include "../json.h"
#include "nodes.h"
#include "sql.h"
#include "unplaced.h"

struct row {
	uint64_t id, parent;
	enum tf_kind kind;
	const char *why; /* the fault of the row itself, or NULL */
};

struct look {
	struct tf_db *db;
	struct tf_stage_rule rule;
	struct row *row; /* in order of id */
	size_t n, cap;
	uint64_t node;	   /* the committed node that was checked last */
	enum tf_kind kind; /* of node */
	const char *why;   /* the fault of node, or NULL */
	tf_unplaced_fn fn;
	void *arg;
};

/* What needs no look at other rows. */
static const char *
wrong_in_itself(const struct look *k, const struct tf_stage_row *r)
{
	if (r->malformed)
		return "its row is malformed";
	if (!k->rule.may_wait(r->attr.kind, r->name, r->name_len))
		return "no node of this kind and name can be pending";
	return NULL;
}

static enum tf_code
collect(void *arg, const struct tf_stage_row *r, struct tf_error *err)
{
	struct look *k = arg;

	if (!tf_array_room(&k->row, k->n, &k->cap, sizeof(*k->row)))
		return tf_nomem(err);
	k->row[k->n++] = (struct row){ .id = r->attr.id,
		.parent = r->attr.parent,
		.kind = r->attr.kind,
		.why = wrong_in_itself(k, r) };
	return TF_OK;
}

static int
compare(const void *id, const void *row)
{
	uint64_t a = *(const uint64_t *)id, b = ((const struct row *)row)->id;

	return a < b ? -1 : a > b;
}

static const struct row *
find(const struct look *k, uint64_t id)
{
	return k->n == 0 ?
	    NULL :
	    bsearch(&id, k->row, k->n, sizeof(struct row), compare);
}

/* Check that directory id of the committed tree leads to the root, and set
 * k->kind and k->why for it. */
static enum tf_code
look_at_node(struct look *k, uint64_t id, struct tf_error *err)
{
	struct tf_node_row r;
	struct tf_error e;
	enum tf_code rc;

	if (k->node == id)
		return TF_OK;
	k->node = id;
	k->why = NULL;
	for (unsigned depth = 0; depth <= k->rule.depth_max; depth++) {
		rc = tf_nodes_get(k->db, id, &r, &e);
		if (rc == TF_NOTFOUND || rc == TF_TAMPER) {
			k->why = "the directory above it is missing";
			return TF_OK;
		}
		if (rc != TF_OK)
			return tf_fail_as(err, &e);
		if (depth == 0)
			k->kind = r.attr.kind;
		if (id == TF_ROOT_ID)
			return TF_OK;
		id = r.attr.parent;
	}
	k->why = "the directories above it are a circle";
	return TF_OK;
}

/* Set *why to the reason why r has no place, or to NULL: no row between r and
 * the root may have a fault. */
static enum tf_code
judge(struct look *k, const struct row *r, const char **why,
    struct tf_error *err)
{
	const struct row *up;
	enum tf_code rc;

	for (unsigned depth = 0; depth <= k->rule.depth_max; depth++, r = up) {
		if ((*why = r->why) != NULL) {
			if (depth > 0)
				*why = "its parent has no place";
			return TF_OK;
		}
		up = find(k, r->parent);
		if (up == NULL) {
			if ((rc = look_at_node(k, r->parent, err)) != TF_OK)
				return rc;
			if ((*why = k->why) == NULL &&
			    !k->rule.may_hold(k->kind, r->kind))
				*why = "nothing of its kind can stand there";
			return TF_OK;
		}
		if (!k->rule.may_hold(up->kind, r->kind)) {
			*why = "nothing of its kind can stand there";
			return TF_OK;
		}
	}
	*why = "the directories above it are a circle";
	return TF_OK;
}

struct report {
	struct look *k;
	size_t i; /* the next collected row */
};

/* tf_stage_each passes the rows in the order in which they were collected. */
static enum tf_code
tell(void *arg, const struct tf_stage_row *r, struct tf_error *err)
{
	struct report *t = arg;
	struct tf_buf shown = { 0 };
	const char *why = NULL;
	enum tf_code rc;

	if (t->i >= t->k->n || t->k->row[t->i].id != r->attr.id)
		return TF_OK; /* a row that was added since then */
	rc = judge(t->k, &t->k->row[t->i++], &why, err);
	if (rc != TF_OK || why == NULL)
		return rc;
	tf_name_show(&shown, r->name, r->name_len);
	rc = tf_buf_end(&shown, err);
	if (rc == TF_OK)
		t->k->fn(t->k->arg, r->attr.id, shown.p == NULL ? "" : shown.p,
		    why);
	tf_buf_free(&shown);
	return rc;
}

enum tf_code
tf_unplaced_each(struct tf_db *db, struct tf_stage_rule rule, tf_unplaced_fn fn,
    void *arg, struct tf_error *err)
{
	struct look k = { .db = db, .rule = rule, .fn = fn, .arg = arg };
	struct report t = { .k = &k };
	enum tf_code rc = tf_stage_each(db, collect, &k, err);

	if (rc == TF_OK)
		rc = tf_stage_each(db, tell, &t, err);
	free(k.row);
	return rc;
}
