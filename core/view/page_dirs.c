/*
 * The pages of the vault and of a trail: tables of trails or workflows.
 *
 * A trail may have more workflows than a browser can show, so a page keeps the
 * newest ones in a ring while it walks over all of them, and says how many
 * there are.  Workflows that are not compliant have a ring of their own: an old
 * one must not vanish from the page because many good ones followed.  Sums
 * count all workflows that the asker may read, also those without a row.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/html.h"
#include "../ledger/status.h"
#include "../ledger/status_words.h"
#include "../node/children.h"
#include "../node/protection.h"
#include "../node/vault_i.h"
#include "../definition.h"
#include "../page.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "anchors.h"
#include "events.h"
#include "machine.h"
#include "page.h"
#include "page_anchors.h"
#include "page_dirs.h"
#include "page_events.h"
#include "page_links.h"
#include "readable.h"
#include "redactions.h"
#include "refusals.h"
#include "template.h"
#include "verdicts.h"
#include "results.h"
#include "view.h"

static const struct tf_str none = { NULL, 0 };

/* --- the newest of many --------------------------------------------------- */

#define COUNT_MAX 10000	 /* workflows per trail that the vault's page counts */
#define FLOWS_MAX 10000	 /* newest workflows of a trail that are listed */
#define FLOWS_PART 100	 /* rows that a browser lays out together: page.css */
#define LACKING_MAX 100	 /* newest workflows whose missing names are listed */
#define LACKING_NAMES 20 /* names for each of them */
#define SPOILED_MAX 100	 /* older non-compliant workflows that are listed */

/* A row of a table: a trail or a workflow. */
struct line {
	char name[256];
	size_t name_len;
	uint64_t id, entry;
	bool sealed;
	enum tf_compliance word;
	size_t attestations;
	struct tf_tally tally;
};

/* The last `cap` of all lines that were added.  `all` counts also those that
 * were replaced, so the page can say what it leaves out. */
struct recent {
	struct line *l;
	size_t cap;
	uint64_t all;
};

/* Trails that the asker may read. */
struct trails {
	struct tf_view *w;
	struct recent r;
	size_t withheld;
};

/* Add a line in place of the oldest one.  tf_each_child passes rows in order of
 * id, which is the order in which they were created. */
static void
keep(struct recent *r, const struct line *l)
{
	r->l[r->all++ % r->cap] = *l;
}

/* The number of lines that the ring holds. */
static size_t
n_recent(const struct recent *r)
{
	return r->all < r->cap ? (size_t)r->all : r->cap;
}

/* The i-th line, newest first. */
static const struct line *
newest(const struct recent *r, size_t i)
{
	return &r->l[(r->all - 1 - i) % r->cap];
}

static enum tf_code
recent_new(struct recent *r, size_t cap, struct tf_error *err)
{
	*r = (struct recent){ .l = calloc(cap, sizeof(*r->l)), .cap = cap };
	return r->l != NULL ? TF_OK : tf_nomem(err);
}

/*
 * Copy what a line needs from a row: the row is valid only during the callback.
 */
static struct line
line_of(const struct tf_node_row *row)
{
	struct line l = { .id = row->attr.id,
		.entry = row->entry,
		.name_len = row->name_len,
		.sealed = row->seal != TF_NO_SEQ };

	memcpy(l.name, row->name, row->name_len + 1);
	return l;
}

/*
 * Write the first cell of a row, a link to the page of the trail or workflow.
 */
static void
put_name(struct tf_page *p, const struct line *l)
{
	struct tf_str name = { l->name, l->name_len };

	tf_html(&p->b, "<tr><th scope=\"row\">");
	tf_page_link(p, TF_PAGE_BELOW, name, none, name);
	tf_html(&p->b, "</th>");
}

/* Write when the directory of the loaded entry began.  The time of what was
 * imported is that of the import. */
static void
put_begun(struct tf_page *p)
{
	tf_page_time(p, &p->loaded);
	if (p->loaded.d.e.imported.p != NULL)
		tf_html(&p->b, ", imported");
}

/* --- the vault ------------------------------------------------------------ */

/* Count a trail that the asker may not read instead of showing it. */
static enum tf_code
add_trail(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct line l = line_of(row);
	struct trails *t = arg;
	bool may;
	enum tf_code rc = tf_may_read_row(t->w, row, &may, err);

	if (rc == TF_OK && may)
		keep(&t->r, &l);
	else
		t->withheld++;
	return rc;
}

/* The page of the vault counts the workflows of each trail; the count stops at
 * a limit, so that one huge trail cannot make the page slow. */
static enum tf_code
count(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	uint64_t *n = arg;

	(void)row;
	(void)err;
	return ++*n > COUNT_MAX ? TF_NODATA : TF_OK; /* ends the walk */
}

/* Write the row of a trail.  Its entry is read now and not during the walk:
 * only trails that are shown cost a read. */
static enum tf_code
put_trail(struct tf_page *p, const struct line *l, struct tf_error *err)
{
	uint64_t n = 0;
	enum tf_code rc = tf_loaded_entry_try(p->w, l->entry, &p->loaded, NULL,
	    err);

	if (rc == TF_OK)
		rc = tf_each_child(p->w->db, l->id, count, &n, err);
	if (rc != TF_OK && rc != TF_NODATA)
		return rc;
	put_name(p, l);
	tf_html(&p->b, "<td>");
	put_begun(p);
	tf_html(&p->b, "</td><td>");
	tf_page_who(p);
	tf_html(&p->b, "</td><td class=\"n\">%s%llu</td><td>%s</td></tr>\n",
	    n > COUNT_MAX ? "more than " : "",
	    (unsigned long long)(n > COUNT_MAX ? COUNT_MAX : n),
	    l->sealed ? "sealed" : "open");
	return tf_page_flush(p, err);
}

/* Write the table of trails, newest first, and say what it leaves out. */
static enum tf_code
put_trails(struct tf_page *p, struct tf_error *err)
{
	struct trails t = { .w = p->w };
	struct recent *r = &t.r;
	enum tf_code rc = recent_new(r, TF_PAGE_ROWS, err);

	if (rc == TF_OK)
		rc = tf_each_child(p->w->db, TF_ROOT_ID, add_trail, &t, err);
	if (rc == TF_OK) {
		tf_html(&p->b, "<h2>Trails</h2>\n");
		if (r->all > r->cap)
			tf_html(&p->b,
			    "<p class=\"soft\">This table shows the newest "
			    "%zu of %llu trails.</p>\n",
			    n_recent(r), (unsigned long long)r->all);
		tf_page_list(p, "Trails", "",
		    "Trail|Created|By|#Workflows|=State");
	}
	for (size_t i = 0; rc == TF_OK && i < n_recent(r); i++)
		rc = put_trail(p, newest(r, i), err);
	tf_page_table_end(p);
	tf_page_withheld(p, t.withheld, "trail");
	free(r->l);
	return rc;
}

#define LAST_READ 2000 /* entries, of which 100 are shown */

/* The page of the vault shows the last entries by number.  The path of an entry
 * does not matter there, so no search is needed. */
static enum tf_code
put_last_entries(struct tf_page *p, struct tf_error *err)
{
	uint64_t n = p->w->entries < LAST_READ ? p->w->entries : LAST_READ;
	uint64_t seq[LAST_READ];
	struct tf_seqs seqs = { seq, (size_t)n, LAST_READ };

	for (uint64_t i = 0; i < n; i++)
		seq[i] = p->w->entries - n + i;
	return tf_page_events(p, "Latest events",
	    "This table shows at most the last 100 events.", &seqs, 100, err);
}

/* Write who outside of this machine has seen the ledger, and how long ago. */
static enum tf_code
put_anchored(struct tf_page *p, struct tf_error *err)
{
	struct tf_vault *v = p->w->v;
	struct tf_buf words = { 0 };
	struct tf_guard_state g;
	enum tf_code rc;

	pthread_mutex_lock(&v->mu);
	g = v->guard_state;
	pthread_mutex_unlock(&v->mu);
	rc = tf_anchored_words(p->w->db, &g, &words, err);

	tf_html(&p->b, "<dt>Outside memory</dt>");
	for (size_t at = 0; rc == TF_OK && at < words.n;
	     at += strlen(words.p + at) + 1)
		tf_html(&p->b, "<dd>%s</dd>\n", words.p + at);
	tf_buf_free(&words);
	return rc == TF_OK ? tf_page_refusals(p, err) : rc;
}

/* Write how many holds stand and how many files were redacted anywhere, for who
 * may see all. */
static enum tf_code
put_counts(struct tf_page *p, struct tf_error *err)
{
	uint64_t holds = 0, redacted = 0;
	enum tf_code rc = TF_OK;

	if (p->w->all)
		rc = tf_count_holds(p->w->db, &holds, err);
	if (rc == TF_OK && p->w->all)
		rc = tf_count_redactions(p->w->db, &redacted, err);
	if (holds > 0)
		tf_html(&p->b, "<dt>Holds</dt><dd>%llu</dd>\n",
		    (unsigned long long)holds);
	if (redacted > 0)
		tf_html(&p->b, "<dt>Redacted files</dt><dd>%llu</dd>\n",
		    (unsigned long long)redacted);
	return rc;
}

/* What no entry says, and what protects today. */
static enum tf_code
put_present(struct tf_page *p, struct tf_error *err)
{
	enum tf_code rc;

	tf_page_machine(p);
	if ((rc = tf_page_results(p, err)) != TF_OK ||
	    (rc = put_anchored(p, err)) != TF_OK ||
	    (rc = tf_page_protection(p, err)) != TF_OK)
		return rc;
	return put_counts(p, err);
}

enum tf_code
tf_page_root(struct tf_page *p, struct tf_error *err)
{
	const bool packaged = p->w->ledger_only && !p->w->past;
	struct tf_hash root;
	char hex[65];
	uint64_t size;
	enum tf_code rc = tf_checkpoints_newest(p->w->db, &size, &root, NULL,
	    err);

	if (rc == TF_NOTFOUND)
		rc = tf_fail(err, rc, "no checkpoint yet");
	if (rc != TF_OK)
		return rc;
	tf_hex(root.b, sizeof(root.b), hex);
	tf_page_head(p, p->w->v->origin, NULL);
	tf_html(&p->b,
	    "<dl>\n<dt>Entries in the ledger</dt><dd>%llu</dd>\n"
	    "<dt>Root hash of the ledger</dt><dd><code>%s</code></dd>\n"
	    "<dt>Signed checkpoint</dt><dd>",
	    (unsigned long long)size, hex);
	tf_page_word(p, TF_PAGE_CHECKPOINT, none, none, "checkpoint");
	tf_html(&p->b, "</dd>\n");
	/* Where the store is, and how it is now, no package says. */
	if (!packaged)
		tf_html(&p->b, "<dt>Store</dt><dd><code>%s</code></dd>\n",
		    p->w->v->store);
	if (!p->w->past && !packaged && (rc = put_present(p, err)) != TF_OK)
		return rc;
	tf_html(&p->b, "</dl>\n");
	rc = put_trails(p, err);
	if (rc == TF_OK)
		rc = tf_page_anchors(p, TF_NO_SEQ, err);
	return rc != TF_OK ? rc : put_last_entries(p, err);
}

/* --- a trail -------------------------------------------------------------- */

struct trail {
	struct tf_page *p;
	struct recent all, spoiled, lacking;
	uint64_t n[TF_COMPLIANCES];
	uint64_t overdue; /* workflows with an overdue attestation */
	size_t withheld;
};

/* Count a workflow; its line keeps only numbers. */
static enum tf_code
add_workflow(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct trail *t = arg;
	struct tf_verdict verdict;
	struct line l = line_of(row);
	bool may;
	enum tf_code rc = tf_may_read_row(t->p->w, row, &may, err);

	if (rc != TF_OK || !may) {
		t->withheld++;
		return rc;
	}
	rc = tf_verdict_of(t->p->w, row, &verdict, err);
	if (rc == TF_OK) {
		l.word = verdict.word;
		l.attestations = verdict.names;
		l.tally = verdict.tally;
		t->n[l.word]++;
		t->overdue += l.tally.overdue > 0;
		keep(&t->all, &l);
		if (l.word == TF_NON_COMPLIANT || l.word == TF_DAMAGED)
			keep(&t->spoiled, &l);
		if (l.tally.lacking > 0)
			keep(&t->lacking, &l);
	}
	return rc;
}

/* Write a table of workflows, newest first. */
static enum tf_code
put_workflows(struct tf_page *p, const char *label, const struct recent *r,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	tf_page_list(p, label, "flows",
	    "Workflow|=Status|Begun|By|#Attestations|#Missing|#Overdue|#Open|#Not compliant|State");
	for (size_t i = 0; rc == TF_OK && i < n_recent(r); i++) {
		const struct line *l = newest(r, i);

		rc = tf_loaded_entry_try(p->w, l->entry, &p->loaded, NULL, err);
		if (rc != TF_OK)
			break;
		if (i > 0 && i % FLOWS_PART == 0)
			tf_html(&p->b, "</tbody>\n<tbody>\n");
		put_name(p, l);
		tf_html(&p->b, "<td>");
		tf_page_badge(p, tf_compliance_word(l->word));
		tf_html(&p->b, "</td><td>");
		put_begun(p);
		tf_html(&p->b, "</td><td>");
		tf_page_who(p);
		tf_html(&p->b,
		    "</td><td>%zu</td><td>%zu</td><td>%zu</td><td>%zu</td>"
		    "<td>%zu</td><td>%s</td></tr>\n",
		    l->attestations, l->tally.lacking, l->tally.overdue,
		    l->tally.open, l->tally.spoiled,
		    l->sealed ? "sealed" : "open");
		rc = tf_page_flush(p, err);
	}
	tf_page_table_end(p);
	return rc;
}

/* Write the newest template, by which the next workflows are judged.  A damaged
 * one does not make the page of its trail unreadable. */
static enum tf_code
put_newest_template(struct tf_page *p, struct tf_error *err)
{
	struct tf_definition_row row = { .node = p->row.attr.id,
		.kind = TF_DEFINITION_TEMPLATE,
		.name = { "", 0 } };
	const struct tf_view_template *t;
	enum tf_code rc = tf_definitions_get(p->w->db, &row, err);

	if (rc == TF_OK)
		rc = tf_view_template(p->w, row.node, row.version, &t, NULL,
		    err);
	if (rc == TF_OK)
		tf_page_template(p, t, "");
	else if (rc == TF_TAMPER)
		tf_html(&p->b,
		    "<dt>Template</dt><dd>version %llu, which was altered: run "
		    "<code>trailctl verify</code></dd>\n",
		    (unsigned long long)row.version);
	return rc == TF_NOTFOUND || rc == TF_TAMPER ? TF_OK : rc;
}

/* Write the head of the page.  It needs sums over all workflows, so it is
 * written after the walk. */
static enum tf_code
put_trail_facts(struct tf_page *p, const struct trail *t, struct tf_error *err)
{
	struct tf_loaded_entry begun = { 0 }, sealed = { 0 };
	enum tf_code rc = tf_loaded_entry_try(p->w, p->row.entry, &begun, NULL,
	    err);

	if (rc == TF_OK)
		rc = tf_loaded_entry_try(p->w, p->row.seal, &sealed, NULL, err);
	tf_page_head(p, p->path.p, NULL);
	tf_html(&p->b, "<dl>\n");
	tf_page_event(p, "Created", &begun);
	tf_page_event(p, "Sealed", &sealed);
	if (rc == TF_OK)
		rc = put_newest_template(p, err);
	tf_html(&p->b,
	    "<dt>Workflows</dt><dd>%llu: ", (unsigned long long)t->all.all);
	for (int i = 0; i < TF_COMPLIANCES; i++) {
		if (i == TF_DAMAGED && t->n[i] == 0)
			continue;
		tf_html(&p->b, "%s%llu ", i > 0 ? ", " : "",
		    (unsigned long long)t->n[i]);
		tf_page_badge(p, tf_compliance_word((enum tf_compliance)i));
	}
	tf_html(&p->b, "</dd>\n");
	if (t->overdue > 0)
		tf_html(&p->b, "<dt>Overdue</dt><dd>%llu</dd>\n",
		    (unsigned long long)t->overdue);
	if (rc == TF_OK)
		rc = tf_page_protection(p, err);
	tf_page_programs(p);
	tf_loaded_entry_free(&begun);
	tf_loaded_entry_free(&sealed);
	return rc;
}

struct names {
	struct tf_page *p;
	size_t n;
};

static bool
put_lacking_name(void *arg, uint64_t at, struct tf_str name)
{
	struct names *l = arg;

	(void)at;
	if (l->n++ < LACKING_NAMES)
		tf_html(&l->p->b, "%s<bdi>%.*s</bdi>", l->n > 1 ? ", " : "",
		    (int)name.n, name.p);
	return true;
}

/* Write which names the newest incomplete workflows lack.  Only these are judged
 * again for their names: a verdict that is kept has only numbers. */
static enum tf_code
put_lacking(struct tf_page *p, const struct recent *r, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (r->all == 0)
		return TF_OK;
	tf_html(&p->b, "<h2>What is missing</h2>\n");
	if (r->all > r->cap)
		tf_html(&p->b,
		    "<p class=\"soft\">This table shows the newest %zu of "
		    "%llu workflows that lack an attestation.</p>\n",
		    n_recent(r), (unsigned long long)r->all);
	tf_page_list(p, "What is missing", "", "Workflow|#Overdue|Missing");
	for (size_t i = 0; rc == TF_OK && i < n_recent(r); i++) {
		const struct line *l = newest(r, i);
		struct names names = { p, 0 };

		put_name(p, l);
		tf_html(&p->b, "<td class=\"n\">%zu</td><td>",
		    l->tally.overdue);
		rc = tf_view_missing(p->w, l->id, put_lacking_name, &names,
		    err);
		if (names.n > LACKING_NAMES)
			tf_html(&p->b, " and %zu more",
			    names.n - LACKING_NAMES);
		tf_html(&p->b, "</td></tr>\n");
		if (rc == TF_OK)
			rc = tf_page_flush(p, err);
	}
	tf_page_table_end(p);
	return rc;
}

/* Write the tables.  The table of workflows that are not compliant is shown
 * only if the other one does not have room for all workflows. */
static enum tf_code
put_trail_tables(struct tf_page *p, const struct trail *t, struct tf_error *err)
{
	struct tf_seqs seqs = { 0 };
	enum tf_code rc = TF_OK;

	if (t->all.all > t->all.cap && t->spoiled.all > 0) {
		tf_html(&p->b, "<h2>Not compliant</h2>\n");
		if (t->spoiled.all > t->spoiled.cap)
			tf_html(&p->b,
			    "<p class=\"soft\">This table shows the newest "
			    "%zu of %llu workflows that are not "
			    "compliant.</p>\n",
			    n_recent(&t->spoiled),
			    (unsigned long long)t->spoiled.all);
		rc = put_workflows(p, "Not compliant", &t->spoiled, err);
	}
	if (rc == TF_OK)
		rc = put_lacking(p, &t->lacking, err);
	tf_html(&p->b, "<h2>Workflows</h2>\n");
	if (t->all.all > t->all.cap) {
		tf_html(&p->b,
		    "<p class=\"soft\">This table shows the newest %zu of "
		    "%llu workflows. All workflows are in ",
		    n_recent(&t->all), (unsigned long long)t->all.all);
		tf_page_word(p, TF_PAGE_STATUS, none, none, "status.json");
		tf_html(&p->b, ".</p>\n");
	}
	if (rc == TF_OK)
		rc = put_workflows(p, "Workflows", &t->all, err);
	tf_page_withheld(p, t->withheld, "workflow");
	if (rc == TF_OK)
		rc = tf_page_anchors(p, TF_NO_SEQ, err);
	if (rc == TF_OK)
		rc = tf_view_collect(p->w, p->row.attr.id, 1, false, &seqs,
		    err);
	if (rc == TF_OK)
		rc = tf_page_events(p, "Latest events",
		    "This table shows the events of the trail and of its workflows, not those of attestations.",
		    &seqs, TF_PAGE_ROWS, err);
	tf_seqs_free(&seqs);
	return rc;
}

enum tf_code
tf_page_trail(struct tf_page *p, struct tf_error *err)
{
	struct trail t = { .p = p };
	enum tf_code rc = recent_new(&t.all, FLOWS_MAX, err);

	if (rc == TF_OK)
		rc = recent_new(&t.spoiled, SPOILED_MAX, err);
	if (rc == TF_OK)
		rc = recent_new(&t.lacking, LACKING_MAX, err);
	if (rc == TF_OK)
		rc = tf_each_child(p->w->db, p->row.attr.id, add_workflow, &t,
		    err);
	if (rc == TF_OK)
		rc = put_trail_facts(p, &t, err);
	if (rc == TF_OK)
		rc = put_trail_tables(p, &t, err);
	free(t.all.l);
	free(t.spoiled.l);
	free(t.lacking.l);
	return rc;
}
