/*
 * From entries to facts: what the index says about each name.
 *
 * The item of a name is the index of the entry that created it.  Later entries
 * about the name add facts to that item; they find it by its path in the tree
 * of names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../progress.h"
#include "../base/array.h"
#include "../base/bytes.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/status_words.h"
#include "../page.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../store/search_rows.h"
#include "../view/compliance.h"
#include "../view/verdicts.h"
#include "../view/view.h"
#include "terms.h"
#include "follow.h"
#include "query.h"

#define BATCH_ENTRIES 2000 /* of one transaction */

struct follow {
	struct tf_view *w;
	struct tf_search_db *s;
	uint64_t end; /* entries of the view, or of the batch */
	uint64_t next;
	struct tf_hash last;
	/* The directories of the last path: most entries are in the same. */
	char trail[256], workflow[256];
	uint64_t trail_id, workflow_id, workflow_item;
	uint64_t template_of; /* the workflow of template; 0: none yet */
	const struct tf_template *template;
};

/* --- names --------------------------------------------------------------------- */

static enum tf_code
find_child(struct follow *f, uint64_t parent, const char *name, size_t n,
    struct tf_node_row *row, struct tf_error *err)
{
	enum tf_code rc = tf_nodes_find(f->w->db, parent, name, n, row, err);

	return rc == TF_NOTFOUND ?
	    tf_fail(err, rc, "the ledger has an entry about a missing name") :
	    rc;
}

/* Cut the first name off the path. */
static struct tf_str
next_name(struct tf_str *path)
{
	const char *slash = memchr(path->p, '/', path->n);
	struct tf_str name = { path->p,
		slash == NULL ? path->n : (size_t)(slash - path->p) };

	path->p += name.n + (slash != NULL);
	path->n -= name.n + (slash != NULL);
	return name;
}

static bool
is_same(const char *kept, struct tf_str name)
{
	return strlen(kept) == name.n && memcmp(kept, name.p, name.n) == 0;
}

/* Find trail and workflow of a path of two names or more; *path becomes the
 * rest. */
static enum tf_code
find_workflow(struct follow *f, struct tf_str *path, struct tf_error *err)
{
	struct tf_str trail = next_name(path), workflow = next_name(path);
	struct tf_node_row row;
	enum tf_code rc;

	if (f->workflow_id != 0 && is_same(f->trail, trail) &&
	    is_same(f->workflow, workflow))
		return TF_OK;
	f->workflow_id = 0;
	if (f->trail_id == 0 || !is_same(f->trail, trail)) {
		f->trail_id = 0;
		rc = find_child(f, TF_ROOT_ID, trail.p, trail.n, &row, err);
		if (rc != TF_OK)
			return rc;
		f->trail_id = row.attr.id;
		(void)snprintf(f->trail, sizeof(f->trail), "%.*s", (int)trail.n,
		    trail.p);
	}
	rc = find_child(f, f->trail_id, workflow.p, workflow.n, &row, err);
	if (rc != TF_OK)
		return rc;
	f->workflow_id = row.attr.id;
	f->workflow_item = row.entry;
	(void)snprintf(f->workflow, sizeof(f->workflow), "%.*s",
	    (int)workflow.n, workflow.p);
	return TF_OK;
}

/* Find the item of a trail, workflow or attestation by its path. */
static enum tf_code
find_item(struct follow *f, struct tf_str path, uint64_t *item,
    struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc;

	if (memchr(path.p, '/', path.n) == NULL) {
		rc = find_child(f, TF_ROOT_ID, path.p, path.n, &row, err);
		*item = row.entry;
		return rc;
	}
	if ((rc = find_workflow(f, &path, err)) != TF_OK)
		return rc;
	*item = f->workflow_item;
	if (path.n == 0)
		return TF_OK;
	rc = find_child(f, f->workflow_id, path.p, path.n, &row, err);
	if (rc == TF_OK)
		*item = row.entry;
	return rc;
}

/* --- facts --------------------------------------------------------------------- */

struct adding {
	struct follow *f;
	uint64_t item;
};

static enum tf_code
add_fact(void *arg, enum tf_find_kind kind, struct tf_str value,
    struct tf_error *err)
{
	struct adding *a = arg;

	return tf_search_add(a->f->s, kind, value.p, value.n, a->item, err);
}

static enum tf_code
add_created(struct follow *f, const struct tf_entry *e, struct tf_error *err)
{
	const char *slash = memrchr(e->path.p, '/', e->path.n);
	const char *name = slash != NULL ? slash + 1 : e->path.p;
	enum tf_code rc = tf_search_add_path(f->s, e->path, e->seq, err);

	if (rc == TF_OK)
		rc = tf_search_add(f->s, TF_FIND_NAME, name,
		    (size_t)(e->path.p + e->path.n - name), e->seq, err);
	return rc;
}

static enum tf_code
set_due(struct follow *f, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_str path = e->path;
	enum tf_code rc;

	if (memchr(path.p, '/', path.n) == NULL)
		return TF_OK;
	rc = find_workflow(f, &path, err);
	return rc == TF_OK ?
	    tf_search_set_due(f->s, f->workflow_item, f->workflow_id, err) :
	    rc;
}

/* The facts of the slot of an attestation are known when it begins: its
 * workflow keeps its template for ever. */
static enum tf_code
add_slot(struct follow *f, const struct tf_entry *e, struct tf_error *err)
{
	struct adding a = { f, e->seq };
	struct tf_str path = e->path;
	enum tf_code rc = find_workflow(f, &path, err);

	if (rc == TF_OK && f->template_of != f->workflow_id) {
		f->template_of = f->workflow_id;
		rc = tf_find_template(f->w, f->workflow_id, &f->template, err);
	}
	return rc == TF_OK ?
	    tf_find_slot_facts(f->template, path, add_fact, &a, err) :
	    rc;
}

static enum tf_code
add_entry(struct follow *f, const struct tf_entry *e, struct tf_error *err)
{
	const bool creates = tf_find_creates(e->type);
	struct adding a = { f, e->seq };
	enum tf_code rc = TF_OK;

	if (!creates && !tf_find_adds(e->type))
		return TF_OK;
	if (creates)
		rc = add_created(f, e, err);
	else
		rc = find_item(f, e->path, &a.item, err);
	if (rc == TF_OK)
		rc = tf_find_facts(e, add_fact, &a, err);
	if (rc == TF_OK && e->type == TF_ATTESTATION_BEGUN)
		rc = add_slot(f, e, err);
	return rc == TF_OK ? set_due(f, e, err) : rc;
}

static enum tf_code
take_entry(void *arg, uint64_t idx, uint64_t off, const void *body, size_t n,
    struct tf_error *err)
{
	struct follow *f = arg;
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc;

	(void)off;
	if (idx >= f->end)
		return TF_NODATA; /* ends the walk */
	/* An entry that is malformed, or about a name that is missing, has no
	 * facts: trailctl verify reports it. */
	rc = tf_entry_decode(&d, body, n, err);
	if (rc == TF_OK && d.e.path.p != NULL && d.e.seq == idx)
		rc = add_entry(f, &d.e, err);
	tf_entry_decoded_free(&d);
	if (rc == TF_INVALID || rc == TF_NOTFOUND)
		rc = TF_OK;
	if (rc != TF_OK)
		return rc;
	tf_entry_leaf(body, n, &f->last);
	f->next = idx + 1;
	return TF_OK;
}

/* --- batches ------------------------------------------------------------------- */

/* Is the last entry that the index covers still the same? */
static enum tf_code
check_cursor(struct follow *f, struct tf_error *err)
{
	struct tf_buf body = { 0 };
	struct tf_hash leaf;
	enum tf_code rc = TF_OK;

	if (f->next == 0)
		return TF_OK;
	if (f->next > f->w->entries)
		return tf_fail(err, TF_TAMPER,
		    "the search index is ahead of the ledger");
	rc = tf_entries_get(f->w->db, f->next - 1, &body, NULL, err);
	if (rc == TF_OK) {
		tf_entry_leaf(body.p, body.n, &leaf);
		if (memcmp(&leaf, &f->last, sizeof(leaf)) != 0)
			rc = TF_NOTFOUND;
	}
	tf_buf_free(&body);
	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_TAMPER, "the search index is of another ledger") :
	    rc;
}

static enum tf_code
take_batch(struct follow *f, struct tf_error *err)
{
	enum tf_code rc = tf_search_begin(f->s, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_entries_each(f->w->db, f->next, take_entry, f, err);
	if (rc == TF_NODATA)
		rc = TF_OK;
	if (rc == TF_OK)
		rc = tf_search_set_cursor(f->s, f->next, &f->last, err);
	if (rc == TF_OK)
		rc = tf_search_commit(f->s, err);
	if (rc != TF_OK)
		tf_search_rollback(f->s);
	return rc;
}

enum tf_code
tf_find_follow(struct tf_vault *v, struct tf_search_db *s, uint64_t *entries,
    bool *more, struct tf_error *err)
{
	struct follow f = { .s = s };
	enum tf_code rc = tf_view_open(v, NULL, &f.w, err);

	if (rc == TF_OK)
		rc = tf_search_cursor(s, &f.next, &f.last, err);
	if (rc == TF_OK)
		rc = check_cursor(&f, err);
	if (rc == TF_OK && f.next < f.w->entries) {
		f.end = f.w->entries - f.next > BATCH_ENTRIES ?
		    f.next + BATCH_ENTRIES :
		    f.w->entries;
		rc = take_batch(&f, err);
	}
	if (rc == TF_OK) {
		*entries = f.next;
		tf_progress(f.next, f.w->entries);
		*more = f.next < f.w->entries;
	}
	tf_view_close(f.w);
	return rc;
}

enum tf_code
tf_find_covers(struct tf_vault *v, struct tf_search_db *s, bool *covers,
    struct tf_error *err)
{
	struct follow f = { .s = s };
	struct tf_search_due due;
	size_t n = 0;
	enum tf_code rc = tf_view_open(v, NULL, &f.w, err);

	if (rc == TF_OK)
		rc = tf_search_cursor(s, &f.next, &f.last, err);
	if (rc == TF_OK)
		rc = check_cursor(&f, err);
	if (rc == TF_OK)
		rc = tf_search_due(s, &due, 1, &n, err);
	if (rc == TF_OK)
		*covers = f.next == f.w->entries && n == 0;
	tf_view_close(f.w);
	return rc;
}

/* --- statuses --------------------------------------------------------------------- */

#define MANY_WORDS 100000

void
tf_find_words_free(struct tf_find_words *x)
{
	free(x->word);
	*x = (struct tf_find_words){ 0 };
}

static enum tf_code
add_word(struct tf_find_words *x, uint64_t item, const char *word,
    struct tf_error *err)
{
	if (!tf_array_room(&x->word, x->n_words, &x->cap, sizeof(*x->word)))
		return tf_nomem(err);
	x->word[x->n_words++] = (struct tf_find_word){ item, word };
	return TF_OK;
}

static enum tf_code
judge_workflow(struct tf_view *w, uint64_t id, struct tf_find_words *x,
    struct tf_error *err)
{
	struct tf_judgement f = { 0 };
	struct tf_node_row row;
	enum tf_code rc = tf_view_row(w, id, TF_KIND_WORKFLOW, &row, err);

	if (rc == TF_OK)
		rc = tf_verdict_judge(w, &row, &f, err);
	if (rc == TF_OK)
		rc = add_word(x, row.entry, tf_compliance_word(f.status.word),
		    err);
	for (size_t i = 0; rc == TF_OK && i < f.n; i++)
		rc = add_word(x, f.a[i].begun, tf_find_attestation_word(&f, i),
		    err);
	tf_judgement_free(&f);
	return rc;
}

enum tf_code
tf_find_judge(struct tf_vault *v, struct tf_find_words *x,
    const atomic_bool *quit, struct tf_error *err)
{
	struct tf_view *w = NULL;
	size_t n = x->n;
	enum tf_code rc = tf_view_open(v, NULL, &w, err);

	x->n = 0;
	while (rc == TF_OK && x->n < n && x->n_words < MANY_WORDS &&
	    !atomic_load(quit)) {
		rc = judge_workflow(w, x->due[x->n].id, x, err);
		/* A damaged one has no status, as in the mount. */
		if (rc != TF_OK && !tf_code_undecided(rc))
			rc = TF_OK;
		x->n++;
	}
	tf_view_close(w);
	return rc;
}

enum tf_code
tf_find_put_words(struct tf_search_db *s, const struct tf_find_words *x,
    struct tf_error *err)
{
	enum tf_code rc = tf_search_begin(s, err);

	if (rc != TF_OK)
		return rc;
	for (size_t i = 0; rc == TF_OK && i < x->n_words; i++)
		rc = tf_search_set_word(s, x->word[i].item, x->word[i].word,
		    err);
	for (size_t i = 0; rc == TF_OK && i < x->n; i++)
		rc = tf_search_done(s, x->due[i].item, err);
	if (rc == TF_OK)
		rc = tf_search_commit(s, err);
	if (rc != TF_OK)
		tf_search_rollback(s);
	return rc;
}
