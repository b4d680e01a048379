/*
 * Redactions as control files and pages show them: see redactions.h.
 *
 * Rows say which entries count, and the entries say the rest.  There are few
 * redactions, so all are looked at for each directory.
 */
#include "redactions.h"

#include <stdio.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../ledger/redaction.h"
#include "../ledger/withheld.h"
#include "../node/load_entry.h"
#include "../node/paths.h"
#include "../node/protection.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "damage.h"
#include "entry_json.h"
#include "readable.h"
#include "view.h"

struct listing {
	struct tf_view *w;
	struct tf_json *j;
	uint64_t id;
	bool done, any;
};

/* Is node at or below top, and may the asker read it? */
static enum tf_code
is_shown(struct tf_view *w, uint64_t node, uint64_t top, bool *is,
    struct tf_error *err)
{
	struct tf_node_row row;
	uint64_t at = node;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && at != top && at != TF_ROOT_ID) {
		rc = tf_nodes_get(w->db, at, &row, err);
		at = rc == TF_OK ? row.attr.parent : at;
	}
	*is = rc == TF_OK && at == top;
	if (*is)
		return tf_may_read(w, node, is, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* {"at":...,"by":...,"index":...} of the entry. */
static void
put_person(struct tf_json *j, const char *key, const struct tf_entry *e)
{
	tf_json_key(j, key);
	tf_json_object(j);
	tf_put_time(j, "at", e->at);
	if (e->actor.p != NULL)
		tf_put_raw(j, "by", e->actor);
	tf_put_clock(j, "clock", e);
	tf_put_uint(j, "index", e->seq);
	tf_json_object_end(j);
}

/* Has it lapsed?  By the clock, as the vault judges when somebody approves. */
static bool
has_lapsed(const struct tf_entry *e)
{
	struct tf_time end = tf_redaction_when(e);

	end.s += (int64_t)TF_REDACTION_DAYS * 24 * 60 * 60;
	return tf_time_cmp(tf_protection_now(), end) > 0;
}

/* text: what people call the text, or NULL for evidence. */
static void
put_redaction(struct tf_json *j, const struct tf_entry *p,
    const struct tf_entry *d, const struct tf_buf *path, const char *text)
{
	tf_json_object(j);
	if (d != NULL)
		put_person(j, "approved", d);
	if (text != NULL)
		tf_put_uint(j, "entry", p->target);
	if (d != NULL && d->has_count)
		tf_put_uint(j, "others", d->count);
	tf_put_str(j, "path", (struct tf_str){ path->p, path->n });
	put_person(j, "proposed", p);
	if (p->reason.p != NULL)
		tf_put_str(j, "reason", p->reason);
	tf_put_cstr(j, "state",
	    d != NULL	      ? "redacted" :
		has_lapsed(p) ? "lapsed" :
				"proposed");
	if (text != NULL && text[0] != '\0')
		tf_put_cstr(j, "text", text);
	tf_put_str(j, "what", p->what);
	tf_json_object_end(j);
}

/* Read the newest proposal about a node, or about a text with its digest as
 * name, and its approval; seq of either becomes TF_NO_SEQ if there is none. */
static enum tf_code
find_entries(struct tf_view *w, uint64_t node, struct tf_str text,
    uint64_t *proposed, uint64_t *done, struct tf_error *err)
{
	struct tf_definition_row p = { .node = node,
		.kind = text.n > 0 ? TF_ROW_TEXT_PROPOSAL : TF_ROW_PROPOSAL,
		.name = text };
	struct tf_definition_row d = p;
	enum tf_code rc = tf_definitions_get(w->db, &p, err);

	*proposed = rc == TF_OK ? p.entry : TF_NO_SEQ;
	*done = TF_NO_SEQ;
	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	d.kind = text.n > 0 ? TF_ROW_TEXT_REDACTED : TF_ROW_REDACTED;
	rc = tf_definitions_get(w->db, &d, err);
	*done = rc == TF_OK ? d.entry : TF_NO_SEQ;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

/* Both entries of a redaction. */
struct pair {
	struct tf_entry_decoded p, d;
	struct tf_buf p_body, d_body;
	bool done;
};

static void
pair_free(struct pair *x)
{
	tf_entry_decoded_free(&x->p);
	tf_entry_decoded_free(&x->d);
	tf_buf_free(&x->p_body);
	tf_buf_free(&x->d_body);
}

static enum tf_code
pair_load(struct tf_view *w, uint64_t proposed, uint64_t done, struct pair *x,
    struct tf_error *err)
{
	enum tf_code rc = tf_load_entry(w->db, proposed, &x->p_body, &x->p,
	    err);

	x->done = done != TF_NO_SEQ;
	if (rc == TF_OK && x->done)
		rc = tf_load_entry(w->db, done, &x->d_body, &x->d, err);
	return rc;
}

static void
put_pair(struct listing *l, const struct pair *x, const struct tf_buf *path,
    const char *text)
{
	if (!l->any) {
		tf_json_key(l->j, "redactions");
		tf_json_array(l->j);
	}
	l->any = true;
	put_redaction(l->j, &x->p.e, x->done ? &x->d.e : NULL, path, text);
}

static enum tf_code
list_one(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	struct listing *l = arg;
	struct tf_buf path = { 0 };
	struct pair x = { .done = false };
	uint64_t proposed, done = TF_NO_SEQ;
	bool may = false;
	enum tf_code rc = is_shown(l->w, r->node, l->id, &may, err);

	if (rc == TF_OK && may)
		rc = find_entries(l->w, r->node, (struct tf_str){ "", 0 },
		    &proposed, &done, err);
	if (rc != TF_OK || !may || (l->done && done == TF_NO_SEQ))
		return rc;
	rc = pair_load(l->w, proposed, done, &x, err);
	if (rc == TF_OK)
		rc = tf_path_of(l->w->v, l->w->db, r->node, &path, err);
	if (rc == TF_OK)
		put_pair(l, &x, &path, NULL);
	pair_free(&x);
	tf_buf_free(&path);
	return rc;
}

struct naming {
	const struct tf_hash *text;
	char name[TF_WITHHELD_NAME];
};

static enum tf_code
note_name(void *arg, const struct tf_withheld *x, struct tf_error *err)
{
	struct naming *n = arg;

	(void)err;
	if (memcmp(&x->sha256, n->text, sizeof(x->sha256)) == 0)
		(void)snprintf(n->name, sizeof(n->name), "%s", x->name);
	return TF_OK;
}

/* What people call the text of the proposal. */
static enum tf_code
name_text(struct tf_view *w, const struct tf_entry *p, struct naming *n,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	struct tf_buf body = { 0 };
	enum tf_code rc = tf_load_entry(w->db, p->target, &body, &d, err);

	n->text = &p->content.sha256;
	if (rc == TF_OK)
		rc = tf_withheld_named(&d.e, note_name, n, err);
	tf_entry_decoded_free(&d);
	tf_buf_free(&body);
	return rc;
}

/* The node that the entries are about. */
static enum tf_code
find_node(struct tf_view *w, struct tf_str path, uint64_t *id,
    struct tf_error *err)
{
	struct tf_node_row row;
	enum tf_code rc = TF_OK;

	*id = TF_ROOT_ID;
	if (path.n == 1 && path.p[0] == '.')
		return TF_OK;
	while (rc == TF_OK && path.n > 0) {
		const char *end = memchr(path.p, '/', path.n);
		const size_t n = end == NULL ? path.n : (size_t)(end - path.p);

		rc = tf_nodes_find(w->db, *id, path.p, n, &row, err);
		*id = row.attr.id;
		path.p += n + (end != NULL);
		path.n -= n + (end != NULL);
	}
	return rc;
}

static enum tf_code
list_text(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	struct listing *l = arg;
	struct naming name = { .text = NULL };
	struct tf_buf path = { 0 };
	struct pair x = { .done = false };
	uint64_t proposed, done, node;
	bool may = false;
	enum tf_code rc = find_entries(l->w, r->node, r->name, &proposed, &done,
	    err);

	if (rc != TF_OK || (l->done && done == TF_NO_SEQ))
		return rc;
	rc = pair_load(l->w, proposed, done, &x, err);
	if (rc == TF_OK)
		rc = find_node(l->w, x.p.e.path, &node, err);
	if (rc == TF_OK)
		rc = is_shown(l->w, node, l->id, &may, err);
	if (rc == TF_OK && may)
		rc = name_text(l->w, &x.p.e, &name, err);
	if (rc == TF_OK && may) {
		tf_buf_add(&path, x.p.e.path.p, x.p.e.path.n);
		rc = tf_buf_end(&path, err);
		put_pair(l, &x, &path, name.name);
	}
	pair_free(&x);
	tf_buf_free(&path);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_put_redactions(struct tf_view *w, struct tf_json *j, uint64_t id, bool done,
    struct tf_error *err)
{
	struct listing l = { .w = w, .j = j, .id = id, .done = done };
	enum tf_code rc;

	if (w->ledger_only)
		return TF_OK;
	rc = tf_definitions_of_kind(w->db, TF_ROW_PROPOSAL, list_one, &l, err);
	if (rc == TF_OK)
		rc = tf_definitions_of_kind(w->db, TF_ROW_TEXT_PROPOSAL,
		    list_text, &l, err);
	if (l.any)
		tf_json_array_end(j);
	return rc;
}

enum tf_code
tf_view_redactions(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_json j;
	enum tf_code rc;

	tf_json_begin(&j, &text);
	tf_json_object(&j);
	tf_put_uint(&j, "days", TF_REDACTION_DAYS);
	rc = tf_put_redactions(w, &j, id, false, err);
	tf_json_object_end(&j);
	if (rc == TF_OK)
		rc = tf_view_end_json(&j, out, err);
	tf_buf_free(&text);
	return rc;
}

/* --- for people ------------------------------------------------------------- */

/* "alice (1001)", or "uid 1001". */
static void
add_person(struct tf_buf *out, struct tf_str actor)
{
	struct tf_json_doc d = { 0 };
	struct tf_str name;
	int user, uid;

	if (actor.p == NULL ||
	    tf_json_parse(&d, actor.p, actor.n, NULL) != TF_OK) {
		tf_buf_str(out, "nobody");
		return;
	}
	user = tf_json_get(&d, 0, "user");
	uid = tf_json_get(&d, 0, "uid");
	if (user >= 0) {
		name = tf_json_text(&d, user);
		tf_buf_printf(out, "%.*s ", (int)name.n - 2, name.p + 1);
	}
	tf_buf_printf(out, user >= 0 ? "(%lld)" : "uid %lld",
	    uid >= 0 ? (long long)d.tok[uid].num : -1LL);
	tf_json_doc_free(&d);
}

static void
add_event(struct tf_buf *out, const char *verb, const struct tf_entry *e)
{
	char when[TF_TIME_LEN + 1];
	bool moved;

	tf_time_text(tf_entry_when(e, &moved), when);
	tf_buf_printf(out, "%s %.16sZ%s by ", verb, when,
	    moved ? " (by the clock)" : "");
	add_person(out, e->actor);
}

enum tf_code
tf_redaction_words(struct tf_view *w, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	struct tf_entry_decoded p = { 0 }, d = { 0 };
	struct tf_buf p_body = { 0 }, d_body = { 0 };
	uint64_t proposed, done = TF_NO_SEQ;
	enum tf_code rc;

	if (w->ledger_only)
		return TF_OK;
	rc = find_entries(w, id, (struct tf_str){ "", 0 }, &proposed, &done,
	    err);
	if (rc != TF_OK || done == TF_NO_SEQ)
		return rc;
	rc = tf_load_entry(w->db, proposed, &p_body, &p, err);
	if (rc == TF_OK)
		rc = tf_load_entry(w->db, done, &d_body, &d, err);
	if (rc == TF_OK) {
		add_event(out, "redacted: proposed", &p.e);
		add_event(out, ", approved", &d.e);
		if (d.e.reason.p != NULL)
			tf_buf_printf(out, ": %.*s", (int)d.e.reason.n,
			    d.e.reason.p);
	}
	tf_entry_decoded_free(&p);
	tf_entry_decoded_free(&d);
	tf_buf_free(&p_body);
	tf_buf_free(&d_body);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

struct walk {
	struct tf_view *w;
	uint64_t id;
	tf_redaction_fn fn;
	void *arg;
};

static enum tf_code
visit(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	const struct walk *k = arg;
	struct tf_buf path = { 0 }, words = { 0 };
	bool may;
	enum tf_code rc = is_shown(k->w, r->node, k->id, &may, err);

	if (rc == TF_OK && may)
		rc = tf_redaction_words(k->w, r->node, &words, err);
	if (rc == TF_OK && words.n > 0)
		rc = tf_path_of(k->w->v, k->w->db, r->node, &path, err);
	if (rc == TF_OK && words.n > 0)
		rc = k->fn(k->arg, (struct tf_str){ path.p, path.n },
		    (struct tf_str){ words.p, words.n }, err);
	tf_buf_free(&path);
	tf_buf_free(&words);
	return rc;
}

enum tf_code
tf_each_redaction(struct tf_view *w, uint64_t id, tf_redaction_fn fn, void *arg,
    struct tf_error *err)
{
	struct walk k = { w, id, fn, arg };

	if (w->ledger_only)
		return TF_OK;
	return tf_definitions_of_kind(w->db, TF_ROW_REDACTED, visit, &k, err);
}

struct count {
	struct tf_db *db;
	uint64_t n;
};

static enum tf_code
count_one(void *arg, const struct tf_definition_row *r, struct tf_error *err)
{
	struct count *c = arg;
	struct tf_node_row row;
	enum tf_code rc = tf_nodes_get(c->db, r->node, &row, err);

	/* The report of an attestation counts as part of the file. */
	c->n += rc == TF_OK && row.attr.kind == TF_KIND_EVIDENCE;
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_count_redactions(struct tf_db *db, uint64_t *n, struct tf_error *err)
{
	struct count c = { .db = db };
	enum tf_code rc = tf_definitions_of_kind(db, TF_ROW_REDACTED, count_one,
	    &c, err);

	*n = c.n;
	return rc;
}
