/*
 * Holds and retentions of a node: see protection.h.
 *
 * Their rows in table definition say which entry counts; the entry itself says
 * what it is about.  A retention is judged entry by entry, and the latest end
 * wins, so none can shorten another.
 */
#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/time_text.h"
#include "../ledger/entry_read.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "base.h"
#include "children.h"
#include "load_entry.h"
#include "paths.h"
#include "protection.h"
#include "vault_i.h"

const char *
tf_kept_word(enum tf_kept kept)
{
	static const char *const words[] = {
		[TF_KEPT_NOT] = "",
		[TF_KEPT_OVER] = "over",
		[TF_KEPT_UNTIL] = "until",
		[TF_KEPT_OPEN] = "open",
		[TF_KEPT_FOREVER] = "forever",
	};

	return words[kept];
}

/* --- times ----------------------------------------------------------------- */

static enum tf_code
time_of(struct tf_db *db, uint64_t seq, struct tf_time *at,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_load_entry(db, seq, &body, &d, err);

	if (rc == TF_OK)
		*at = d.e.at;
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

struct tf_time
tf_protection_now(void)
{
	return tf_time_clamp(tf_clock_now());
}

/* The seal of one workflow of a trail. */
struct starts {
	struct tf_db *db;
	bool begun;
	struct tf_time *start;
};

static enum tf_code
later_start(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct starts *s = arg;
	struct tf_time at;
	enum tf_code rc;

	if (row->seal == TF_NO_SEQ) {
		s->begun = false;
		return TF_NODATA; /* ends the walk */
	}
	rc = time_of(s->db, row->seal, &at, err);
	if (rc == TF_OK && tf_time_cmp(at, *s->start) > 0)
		*s->start = at;
	return rc;
}

enum tf_code
tf_period_start(struct tf_db *db, const struct tf_node_row *row, bool *begun,
    struct tf_time *start, struct tf_error *err)
{
	struct starts s = { .db = db, .begun = true, .start = start };
	struct tf_node_row r = *row;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && r.attr.kind > TF_KIND_ATTESTATION)
		rc = tf_nodes_get(db, r.attr.parent, &r, err);
	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_TAMPER, "a directory is missing");
	*begun = rc == TF_OK && r.seal != TF_NO_SEQ;
	if (!*begun)
		return rc;
	if ((rc = time_of(db, r.seal, start, err)) != TF_OK ||
	    r.attr.kind != TF_KIND_TRAIL)
		return rc;
	rc = tf_each_child(db, r.attr.id, later_start, &s, err);
	*begun = s.begun;
	return rc == TF_NODATA ? TF_OK : rc;
}

/* --- what is set on one node ------------------------------------------------ */

struct walk {
	struct tf_db *db;
	struct tf_time now;
	tf_protector_fn fn;
	void *arg;
	/* of the node whose rows are walked */
	bool asked, begun; /* start was asked for */
	struct tf_time start;
	const struct tf_node_row *subject; /* whose seal counts */
	uint64_t top;			   /* only nodes below this one, or 0 */
};

static enum tf_code
visit_hold(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	struct walk *w = arg;
	struct tf_protector p = { .node = r->node,
		.entry = r->entry,
		.hold = r->name };

	return r->version % 2 == 0 ? TF_OK : w->fn(w->arg, &p, err);
}

/* How long one retention keeps the subject of the walk. */
static enum tf_code
judge(struct walk *w, const struct tf_retention *asked, struct tf_protector *p,
    struct tf_error *err)
{
	bool needs_start = asked->months > 0 || asked->days > 0;
	enum tf_code rc = TF_OK;

	if (needs_start && !w->asked)
		rc = tf_period_start(w->db, w->subject, &w->begun, &w->start,
		    err);
	w->asked = w->asked || (needs_start && rc == TF_OK);
	if (rc != TF_OK)
		return rc;
	if (asked->never)
		p->kept = TF_KEPT_FOREVER;
	else if (needs_start && !w->begun) {
		/* No end, but the longest of several periods is shown. */
		(void)tf_retention_end(asked, w->now, &p->until);
		p->kept = TF_KEPT_OPEN;
	} else {
		(void)tf_retention_end(asked,
		    needs_start ? w->start : asked->until, &p->until);
		p->kept = tf_time_cmp(w->now, p->until) < 0 ? TF_KEPT_UNTIL :
							      TF_KEPT_OVER;
	}
	return TF_OK;
}

static enum tf_code
visit_retention(void *arg, const struct tf_definition_row *r,
    struct tf_error *err)
{
	struct walk *w = arg;
	struct tf_protector p = { .node = r->node, .entry = r->entry };
	struct tf_entry_decoded d = { 0 };
	struct tf_retention asked;
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_load_entry(w->db, r->entry, &body, &d, err);

	if (rc == TF_OK && d.e.type != TF_RETENTION_SET)
		rc = tf_fail(err, TF_TAMPER, "entry %llu sets no retention",
		    (unsigned long long)r->entry);
	if (rc == TF_OK) {
		tf_retention_of(&d.e.retention, &asked);
		rc = judge(w, &asked, &p, err);
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc == TF_OK ? w->fn(w->arg, &p, err) : rc;
}

static enum tf_code
walk_node(struct walk *w, uint64_t node, struct tf_error *err)
{
	static const struct tf_str all = { NULL, 0 };
	enum tf_code rc = tf_definitions_names(w->db, node, TF_ROW_HOLD, all,
	    visit_hold, w, err);

	return rc == TF_OK ? tf_definitions_since(w->db, node, TF_ROW_RETENTION,
				 0, visit_retention, w, err) :
			     rc;
}

/* --- above and below -------------------------------------------------------- */

static enum tf_code
walk_up(struct walk *w, const struct tf_node_row *row, struct tf_error *err)
{
	struct tf_node_row r = *row;
	enum tf_code rc = walk_node(w, r.attr.id, err);

	while (rc == TF_OK && r.attr.id != TF_ROOT_ID) {
		rc = tf_nodes_get(w->db, r.attr.parent, &r, err);
		if (rc == TF_NOTFOUND)
			return tf_fail(err, TF_TAMPER,
			    "a directory is missing");
		if (rc == TF_OK)
			rc = walk_node(w, r.attr.id, err);
	}
	return rc;
}

/* *row becomes that of the node; *is: it is below the top of the walk. */
static enum tf_code
find_below(const struct walk *w, uint64_t node, struct tf_node_row *row,
    bool *is, struct tf_error *err)
{
	struct tf_node_row r;
	enum tf_code rc = tf_nodes_get(w->db, node, row, err);

	r = *row;
	*is = false;
	while (rc == TF_OK && r.attr.id != TF_ROOT_ID && !*is) {
		*is = r.attr.parent == w->top;
		rc = tf_nodes_get(w->db, r.attr.parent, &r, err);
	}
	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_TAMPER, "a directory is missing") :
	    rc;
}

static enum tf_code
visit_below(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	const struct walk *all = arg;
	struct tf_node_row row;
	struct walk w = *all;
	bool is;
	enum tf_code rc = find_below(&w, r->node, &row, &is, err);

	if (rc != TF_OK || !is)
		return rc;
	w.subject = &row; /* its own seal counts */
	w.asked = false;
	return r->kind == TF_ROW_HOLD ?
	    visit_hold(&w, r, err) :
	    tf_definitions_since(w.db, r->node, TF_ROW_RETENTION, 0,
		visit_retention, &w, err);
}

enum tf_code
tf_each_protector(struct tf_db *db, uint64_t id, struct tf_time now,
    tf_protector_fn fn, void *arg, struct tf_error *err)
{
	struct tf_node_row row;
	struct walk w = { .db = db,
		.now = now,
		.fn = fn,
		.arg = arg,
		.subject = &row,
		.top = id };
	enum tf_code rc = tf_nodes_get(db, id, &row, err);

	if (rc == TF_OK)
		rc = walk_up(&w, &row, err);
	if (rc == TF_OK && row.attr.kind < TF_KIND_EVIDENCE)
		rc = tf_definitions_of_kind(db, TF_ROW_HOLD, visit_below, &w,
		    err);
	if (rc == TF_OK && row.attr.kind < TF_KIND_EVIDENCE)
		rc = tf_definitions_of_kind(db, TF_ROW_RETENTION, visit_below,
		    &w, err);
	return rc;
}

static enum tf_code
count_one(void *arg, const struct tf_protector *p, struct tf_error *err)
{
	uint64_t *n = arg;

	(void)p;
	(void)err;
	++*n;
	return TF_OK;
}

enum tf_code
tf_count_holds(struct tf_db *db, uint64_t *n, struct tf_error *err)
{
	struct walk w = { .db = db, .fn = count_one, .arg = n };

	*n = 0;
	return tf_definitions_of_kind(db, TF_ROW_HOLD, visit_hold, &w, err);
}

/* --- the answer ------------------------------------------------------------- */

static void
take_hold(struct tf_protection *out, const struct tf_protector *p)
{
	size_t n = p->hold.n < TF_HOLD_NAME_MAX ? p->hold.n : TF_HOLD_NAME_MAX;

	out->is_protected = true;
	if (out->holds++ > 0 && p->entry < out->hold_entry)
		return;
	memcpy(out->hold, p->hold.p, n);
	out->hold[n] = '\0';
	out->hold_entry = p->entry;
	out->hold_node = p->node;
}

static enum tf_code
take(void *arg, const struct tf_protector *p, struct tf_error *err)
{
	struct tf_protection *out = arg;

	(void)err;
	if (p->hold.p != NULL) {
		take_hold(out, p);
		return TF_OK;
	}
	out->is_protected = out->is_protected || p->kept > TF_KEPT_OVER;
	if (p->kept < out->kept ||
	    (p->kept == out->kept && tf_time_cmp(p->until, out->until) < 0))
		return TF_OK;
	out->kept = p->kept;
	out->until = p->until;
	out->kept_entry = p->entry;
	out->kept_node = p->node;
	return TF_OK;
}

enum tf_code
tf_protected(struct tf_db *db, uint64_t id, struct tf_time now,
    struct tf_protection *out, struct tf_error *err)
{
	*out = (struct tf_protection){ .now = now };
	return tf_each_protector(db, id, now, take, out, err);
}

enum tf_code
tf_refuse_protected(struct tf_db *db, uint64_t id, struct tf_time now,
    struct tf_error *err)
{
	char until[TF_TIME_LEN + 1];
	struct tf_protection p;
	enum tf_code rc = tf_protected(db, id, now, &p, err);

	if (rc != TF_OK || !p.is_protected)
		return rc;
	if (p.holds > 0)
		return tf_fail(err, TF_DENIED,
		    "the hold %s protects it (entry %llu)", p.hold,
		    (unsigned long long)p.hold_entry);
	tf_time_text(p.until, until);
	if (p.kept == TF_KEPT_UNTIL)
		return tf_fail(err, TF_DENIED,
		    "it is kept until %s (entry %llu)", until,
		    (unsigned long long)p.kept_entry);
	return tf_fail(err, TF_DENIED, "it is kept %s (entry %llu)",
	    p.kept == TF_KEPT_OPEN ? "for a time that begins with its seal" :
				     "for ever",
	    (unsigned long long)p.kept_entry);
}

/* A pending node has no row: the first directory above that has one counts. */
static enum tf_code
node_with_row(struct tf_vault *v, struct tf_db *db, uint64_t *id,
    struct tf_error *err)
{
	struct tf_node_row row;
	struct tf_attr a;
	enum tf_code rc;

	while ((rc = tf_nodes_get(db, *id, &row, err)) == TF_NOTFOUND) {
		rc = tf_attr_unlocked(v, db, *id, &a, err);
		if (rc != TF_OK)
			return rc;
		*id = a.parent;
	}
	return rc;
}

enum tf_code
tf_vault_protection(struct tf_vault *v, const char *path,
    struct tf_protection *out, struct tf_error *err)
{
	struct tf_attr a;
	struct tf_db *db;
	enum tf_code rc = tf_vault_walk(v, path, &a, err);

	if (rc != TF_OK || (rc = tf_reader_db(v, &db, err)) != TF_OK)
		return rc;
	if ((rc = node_with_row(v, db, &a.id, err)) == TF_OK)
		rc = tf_protected(db, a.id, tf_protection_now(), out, err);
	tf_reader_done(v, db);
	return rc;
}

/* --- the retention of one node ---------------------------------------------- */

struct sum {
	struct tf_db *db;
	struct tf_retention *to;
	uint64_t *newest, *n;
};

static enum tf_code
add(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	struct sum *s = arg;
	struct tf_entry_decoded d = { 0 };
	struct tf_retention asked;
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_load_entry(s->db, r->entry, &body, &d, err);

	if (rc == TF_OK) {
		tf_retention_of(&d.e.retention, &asked);
		tf_retention_add(s->to, &asked);
		*s->newest = r->entry;
		++*s->n;
	}
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

enum tf_code
tf_own_retention(struct tf_db *db, uint64_t node, struct tf_retention *sum,
    uint64_t *newest, uint64_t *n, struct tf_error *err)
{
	struct sum s = { .db = db, .to = sum, .newest = newest, .n = n };

	*sum = (struct tf_retention){ 0 };
	*newest = TF_NO_SEQ;
	*n = 0;
	return tf_definitions_since(db, node, TF_ROW_RETENTION, 0, add, &s,
	    err);
}
