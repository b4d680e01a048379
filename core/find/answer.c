/* The check of one name against a query, and its line: see answer.h. */
#include <string.h>

#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "../ledger/entry_scan.h"
#include "../ledger/status_words.h"
#include "../node/protection.h"
#include "../store/definitions.h"
#include "../store/entries.h"
#include "../store/nodes.h"
#include "../view/claimed.h"
#include "../view/compliance.h"
#include "../view/entry_json.h"
#include "../view/readable.h"
#include "../view/verdicts.h"
#include "../view/view.h"
#include "answer.h"
#include "terms.h"

/* What the ledger says about a name. */
struct name {
	struct tf_loaded_entry created, seal, claims;
	struct tf_node_row row;
	const char *word;	 /* its status; "": it has none */
	bool has[TF_FIND_FACTS]; /* the facts of the query that it has */
	bool begins;		 /* a digest begins as the query says */
};

static void
name_free(struct name *n)
{
	tf_loaded_entry_free(&n->created);
	tf_loaded_entry_free(&n->seal);
	tf_loaded_entry_free(&n->claims);
}

/* --- reading ------------------------------------------------------------------- */

/* The newest claims.set of a trail or workflow. */
static enum tf_code
read_claims(struct tf_view *w, struct name *n, struct tf_error *err)
{
	uint64_t seq;
	enum tf_code rc;

	if (n->row.attr.kind != TF_KIND_TRAIL &&
	    n->row.attr.kind != TF_KIND_WORKFLOW)
		return TF_OK;
	rc = tf_claimed_entry(w, &n->row, &seq, err);
	return rc == TF_OK ? tf_loaded_entry_read(w, seq, &n->claims, err) : rc;
}

/* A name in a workflow that is damaged has no status, as in the mount. */
static enum tf_code
read_word(struct tf_view *w, struct name *n, struct tf_error *err)
{
	const struct tf_attr *a = &n->row.attr;
	const struct tf_judgement *f;
	struct tf_verdict verdict;
	size_t at;
	enum tf_code rc = TF_OK;

	if (a->kind == TF_KIND_WORKFLOW) {
		rc = tf_verdict_of(w, &n->row, &verdict, err);
		if (rc == TF_OK)
			n->word = tf_compliance_word(verdict.word);
	} else if (a->kind == TF_KIND_ATTESTATION && n->row.seal == TF_NO_SEQ) {
		n->word = TF_FIND_OPEN;
	} else if (a->kind == TF_KIND_ATTESTATION) {
		rc = tf_judgement_of_attestation(w, &n->row, &f, &at, err);
		if (rc == TF_OK)
			n->word = tf_find_attestation_word(f, at);
	}
	return rc == TF_OK || tf_code_undecided(rc) ? rc : TF_OK;
}

/* --- matching ------------------------------------------------------------------ */

struct match {
	const struct tf_find_query *q;
	struct name *n;
};

static enum tf_code
note_fact(void *arg, enum tf_find_kind kind, struct tf_str value,
    struct tf_error *err)
{
	struct match *m = arg;

	(void)err;
	for (size_t i = 0; i < m->q->n_facts; i++)
		if (m->q->fact[i].kind == kind &&
		    tf_str_same(m->q->fact[i].value, value))
			m->n->has[i] = true;
	m->n->begins = m->n->begins || tf_find_begins(m->q, kind, value);
	return TF_OK;
}

/* A template says type and control of an attestation, without any entry of
 * it. */
static enum tf_code
match_slot(struct tf_view *w, struct match *m, struct tf_error *err)
{
	const struct tf_node_row *row = &m->n->row;
	const struct tf_template *t = NULL;
	bool asked = false;
	enum tf_code rc;

	for (size_t i = 0; i < m->q->n_facts; i++)
		asked = asked || m->q->fact[i].kind == TF_FIND_TYPE ||
		    m->q->fact[i].kind == TF_FIND_CONTROL;
	if (!asked || row->attr.kind != TF_KIND_ATTESTATION)
		return TF_OK;
	rc = tf_find_template(w, row->attr.parent, &t, err);
	return rc == TF_OK ?
	    tf_find_slot_facts(t, (struct tf_str){ row->name, row->name_len },
		note_fact, m, err) :
	    rc;
}

static enum tf_code
match_facts(struct tf_view *w, const struct tf_find_query *q, struct name *n,
    bool *is, struct tf_error *err)
{
	const bool any = q->n_facts > 0 || q->prefix.p != NULL;
	struct match m = { q, n };
	enum tf_code rc = TF_OK;

	if (any)
		rc = tf_find_facts(&n->created.d.e, note_fact, &m, err);
	if (rc == TF_OK && any && n->seal.is)
		rc = tf_find_facts(&n->seal.d.e, note_fact, &m, err);
	if (rc == TF_OK && any && n->claims.is)
		rc = tf_find_facts(&n->claims.d.e, note_fact, &m, err);
	if (rc == TF_OK)
		rc = match_slot(w, &m, err);
	*is = q->prefix.p == NULL || n->begins;
	for (size_t i = 0; i < q->n_facts; i++)
		*is = *is && n->has[i];
	return rc;
}

/* Does the hold stand on the node or above it? */
static enum tf_code
match_hold(struct tf_view *w, struct tf_str hold, const struct tf_node_row *row,
    bool *is, struct tf_error *err)
{
	struct tf_definition_row stands = { .kind = TF_ROW_HOLD };
	struct tf_node_row up = *row;
	enum tf_code rc;

	*is = false;
	for (;;) {
		stands.node = up.attr.id;
		stands.name = hold;
		stands.version = 0; /* the newest */
		rc = tf_definitions_get(w->db, &stands, err);
		if (rc != TF_OK && rc != TF_NOTFOUND)
			return rc;
		*is = rc == TF_OK && stands.version % 2 != 0;
		if (*is || up.attr.id == TF_ROOT_ID)
			return TF_OK;
		rc = tf_nodes_get(w->db, up.attr.parent, &up, err);
		if (rc != TF_OK)
			return rc == TF_NOTFOUND ? TF_OK : rc;
	}
}

static enum tf_code
match_protection(struct tf_view *w, const struct tf_find_query *q,
    const struct tf_node_row *row, bool *is, struct tf_error *err)
{
	struct tf_protection p;
	enum tf_code rc = TF_OK;

	if (q->hold.p != NULL)
		rc = match_hold(w, q->hold, row, is, err);
	if (rc != TF_OK || !*is || !q->expired)
		return rc;
	rc = tf_protected(w->db, row->attr.id, tf_protection_now(), &p, err);
	*is = rc == TF_OK && p.kept == TF_KEPT_OVER && !p.is_protected;
	return rc;
}

static bool
match_path(const struct tf_find_query *q, const struct tf_entry *e)
{
	const struct tf_str *top = &q->below;

	/* The strings of a decoded entry end in a NUL. */
	if (top->p != NULL &&
	    (e->path.n < top->n || memcmp(e->path.p, top->p, top->n) != 0 ||
		(e->path.n > top->n && e->path.p[top->n] != '/')))
		return false;
	return tf_find_glob_matches(q, e->path.p);
}

/* --- the line ------------------------------------------------------------------ */

static const char *
kind_word(enum tf_kind kind)
{
	static const char *const words[] = { "root", "trail", "workflow",
		"attestation", "directory", "evidence" };

	return words[kind];
}

static enum tf_code
put_line(const struct name *n, struct tf_buf *out, struct tf_error *err)
{
	const struct tf_entry *e = &n->created.d.e;
	const bool file = n->row.attr.kind == TF_KIND_EVIDENCE;
	const bool sealed = file || n->seal.is;
	const struct tf_str claims = n->seal.is ? n->seal.d.e.claims :
	    n->claims.is			? n->claims.d.e.claims :
						  (struct tf_str){ NULL, 0 };
	struct tf_buf behalf = { 0 };
	struct tf_json j;
	enum tf_code rc = TF_OK;

	if (claims.p != NULL)
		rc = tf_find_behalf(claims, &behalf, err);
	if (rc == TF_OK)
		rc = tf_buf_end(&behalf, err);
	if (rc != TF_OK) {
		tf_buf_free(&behalf);
		return rc;
	}
	tf_json_begin(&j, out);
	tf_json_object(&j);
	tf_put_raw(&j, "actor", e->actor);
	tf_put_time(&j, "at", e->at);
	tf_put_raw(&j, "claims", claims);
	tf_put_clock(&j, "clock", e);
	tf_put_uint(&j, "index", e->seq);
	tf_put_cstr(&j, "kind", kind_word(n->row.attr.kind));
	if (behalf.n > 0)
		tf_put_str(&j, "on_behalf_of",
		    (struct tf_str){ behalf.p, behalf.n });
	tf_put_str(&j, "path", e->path);
	if (n->seal.is) {
		tf_put_time(&j, "sealed_at", n->seal.d.e.at);
		tf_put_clock(&j, "sealed_clock", &n->seal.d.e);
		tf_put_uint(&j, "sealed_index", n->seal.d.e.seq);
	}
	if (file) {
		tf_put_hash(&j, "sha256", &e->content.sha256);
		tf_put_uint(&j, "size", e->content.size);
	}
	tf_put_cstr(&j, "state", sealed ? "sealed" : "open");
	if (n->word[0] != '\0')
		tf_put_cstr(&j, "status", n->word);
	tf_json_object_end(&j);
	rc = tf_json_end(&j, err);
	tf_buf_free(&behalf);
	tf_buf_add(out, "\n", 1);
	return rc;
}

/* --- the whole ----------------------------------------------------------------- */

/* By the clock, as people see the times of entries. */
static bool
match_time(const struct tf_find_query *q, const struct tf_entry *e)
{
	bool moved;
	struct tf_time when = tf_entry_when(e, &moved);

	return (!q->has_since || tf_time_cmp(when, q->since) >= 0) &&
	    (!q->has_until || tf_time_cmp(when, q->until) <= 0);
}

/* Can the entry be one that the query is about?  Fast, as some queries look at
 * every entry. */
static enum tf_code
read_created(struct tf_view *w, const struct tf_find_query *q, uint64_t seq,
    struct name *n, bool *is, struct tf_error *err)
{
	const struct tf_entry *e = &n->created.d.e;
	enum tf_code rc = tf_loaded_entry_read(w, seq, &n->created, err);

	*is = false;
	/* trailctl verify reports a damaged entry; a search goes on. */
	if (rc == TF_TAMPER)
		return TF_OK;
	if (rc != TF_OK || e->path.p == NULL || !e->has_node ||
	    !tf_find_creates(e->type) || !match_time(q, e) || !match_path(q, e))
		return rc;
	rc = tf_nodes_get(w->db, e->node, &n->row, err);
	*is = rc == TF_OK && n->row.entry == seq;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

static enum tf_code
consider(struct tf_view *w, const struct tf_find_query *q, uint64_t seq,
    struct name *n, struct tf_buf *out, bool *is, struct tf_error *err)
{
	enum tf_code rc = read_created(w, q, seq, n, is, err);

	if (rc == TF_OK && *is)
		rc = tf_may_read_row(w, &n->row, is, err);
	if (rc == TF_OK && *is && n->row.attr.kind != TF_KIND_EVIDENCE)
		rc = tf_loaded_entry_read(w, n->row.seal, &n->seal, err);
	/* The claims of a seal are readable as its entry is. */
	if (rc == TF_OK && *is && n->seal.is)
		rc = tf_may_read_entry(w, &n->seal.text, is, err);
	if (rc == TF_OK && *is)
		rc = read_claims(w, n, err);
	if (rc == TF_OK && *is)
		rc = match_facts(w, q, n, is, err);
	if (rc == TF_OK && *is)
		rc = match_protection(w, q, &n->row, is, err);
	if (rc == TF_OK && *is)
		rc = read_word(w, n, err);
	if (rc == TF_OK && *is && q->status != NULL)
		*is = strcmp(q->status, n->word) == 0;
	return rc == TF_OK && *is ? put_line(n, out, err) : rc;
}

enum tf_code
tf_find_consider(struct tf_view *w, const struct tf_find_query *q, uint64_t seq,
    struct tf_buf *out, bool *is, struct tf_error *err)
{
	struct name n = { .word = "" };
	enum tf_code rc = consider(w, q, seq, &n, out, is, err);

	name_free(&n);
	if (rc == TF_TAMPER) { /* a seal or claim that is damaged */
		*is = false;
		rc = TF_OK;
	}
	return rc;
}

/* --- times --------------------------------------------------------------------- */

/* *out becomes the lowest entry of the first `end` that is at or after t, or
 * with `behind` after t; times never fall from entry to entry. */
static enum tf_code
entry_at(struct tf_view *w, struct tf_time t, bool behind, uint64_t end,
    uint64_t *out, struct tf_error *err)
{
	struct tf_loaded_entry e = { 0 };
	uint64_t low = 0, mid;
	enum tf_code rc = TF_OK;
	int c;

	while (rc == TF_OK && low < end) {
		mid = low + (end - low) / 2;
		if ((rc = tf_loaded_entry_read(w, mid, &e, err)) != TF_OK)
			break;
		c = tf_time_cmp(e.d.e.at, t);
		if (c < 0 || (behind && c == 0))
			low = mid + 1;
		else
			end = mid;
	}
	*out = low;
	tf_loaded_entry_free(&e);
	return rc;
}

enum tf_code
tf_find_range(struct tf_view *w, const struct tf_find_query *q,
    uint64_t last_moved, uint64_t *first, uint64_t *end, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	*first = 0;
	*end = w->entries;
	if (q->has_since)
		rc = entry_at(w, q->since, false, w->entries, first, err);
	if (rc == TF_OK && q->has_until)
		rc = entry_at(w, tf_time_add_ns(q->until, TF_SECOND), true,
		    w->entries, end, err);
	/* Entries whose clock was behind may stand later. */
	if (*end <= last_moved && last_moved < w->entries)
		*end = last_moved + 1;
	if (q->before < *end)
		*end = q->before;
	return rc;
}
