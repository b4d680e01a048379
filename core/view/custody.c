/*
 * custody.jsonl: the life of a directory and of what is below it.
 *
 * Each entry about the directory, about a node below it or about a directory
 * above it is a line, with the members of the entry that matter to people.
 * evidence.read is not: its list of readers is taken apart, and each opening of
 * such a node is a line.  The order is that of the ledger.
 *
 * A reader sees a line if he may read the node that it is about; holds and
 * retentions above the directory are for everybody who may read the directory,
 * as in `holds` and `retention`.
 */
#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../ledger/entry.h"
#include "../node/paths.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/definitions.h"
#include "../store/nodes.h"
#include "entry_json.h"
#include "events.h"
#include "object.h"
#include "readable.h"
#include "unindexed.h"
#include "view.h"

#define ALL_LEVELS 1024
#define PIECE 65536 /* bytes */

struct custody {
	struct tf_view *w;
	const struct tf_sink *out;
	struct tf_str path; /* of the directory */
	struct tf_buf piece;
	struct tf_seqs seqs;
};

/* Is path the directory's, or below or above it?  The names of directories down
 * to an attestation hold no character that JSON escapes. */
static bool
is_related(const struct custody *c, struct tf_str path)
{
	const struct tf_str *a = &path, *b = &c->path;

	if (path.n > c->path.n) {
		a = &c->path;
		b = &path;
	}
	return tf_str_same(path, (struct tf_str){ ".", 1 }) ||
	    (a->n > 0 && memcmp(a->p, b->p, a->n) == 0 &&
		(a->n == b->n || b->p[a->n] == '/'));
}

static const char *
event_of(const struct tf_entry *e)
{
	static const char *const words[TF_TYPES] = {
		[TF_TRAIL_CREATED] = "recorded",
		[TF_WORKFLOW_BEGUN] = "recorded",
		[TF_ATTESTATION_BEGUN] = "recorded",
		[TF_DIRECTORY_CREATED] = "recorded",
		[TF_EVIDENCE_SEALED] = "sealed",
		[TF_EVIDENCE_FLUSHED] = "flushed",
		[TF_EVIDENCE_GROWN] = "part entered",
		[TF_EVIDENCE_INTERRUPTED] = "interrupted",
		[TF_EVIDENCE_READ] = "read",
		[TF_ATTESTATION_SEALED] = "sealed",
		[TF_WORKFLOW_SEALED] = "sealed",
		[TF_TRAIL_SEALED] = "sealed",
		[TF_ATTESTATION_OVERRIDDEN] = "overridden",
		[TF_ACCESS_CHANGED] = "access changed",
		[TF_PACKAGE_MADE] = "packaged",
		[TF_REDACTION_DONE] = "redacted",
		[TF_HOLD_PLACED] = "hold placed",
		[TF_HOLD_RELEASED] = "hold released",
		[TF_RETENTION_SET] = "retention set",
		[TF_VERIFY_DONE] = "verified",
		[TF_VERIFY_FAILED] = "verification failed",
	};
	const char *word = words[e->type];

	/* A package that was made for somebody. */
	if (e->type == TF_PACKAGE_MADE && e->to.p != NULL)
		word = "handed over";
	return word != NULL ? word : e->type_name.p;
}

/* End the line, and pass on what is long enough. */
static enum tf_code
end_line(struct custody *c, struct tf_json *j, struct tf_error *err)
{
	enum tf_code rc;

	tf_json_object_end(j);
	if ((rc = tf_json_end(j, err)) != TF_OK)
		return rc;
	tf_buf_add(&c->piece, "\n", 1);
	return c->piece.n >= PIECE ? tf_sink_buf(c->out, &c->piece, err) :
				     TF_OK;
}

/* As in events.jsonl. */
static enum tf_code
put_damaged(struct custody *c, uint64_t seq, struct tf_error *err)
{
	struct tf_json j;

	tf_json_begin(&j, &c->piece);
	tf_json_object(&j);
	tf_put_uint(&j, "damaged", seq);
	return end_line(c, &j, err);
}

/* --- an entry ---------------------------------------------------------------- */

/* Copy the members of the entry that are in the list, with the two of the line
 * between them. */
static enum tf_code
put_entry(struct custody *c, const struct tf_loaded_entry *t,
    struct tf_error *err)
{
	static const char *const keys[] = { "access", "actor", "at", "cause",
		"clock", "compliant", "content", "created", "draft",
		"encryption", "event", "flushed", "hold", "index", "package",
		"path", "reason", "retention", "to", "tree", "type", "until",
		"what" };
	const struct tf_entry *e = &t->d.e;
	struct tf_json j;
	int at;

	tf_json_begin(&j, &c->piece);
	tf_json_object(&j);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i], "event") == 0)
			tf_put_cstr(&j, "event", event_of(e));
		else if (strcmp(keys[i], "index") == 0)
			tf_put_uint(&j, "index", e->seq);
		else if ((at = tf_json_get(&t->d.doc, 0, keys[i])) >= 0)
			tf_put_raw(&j, keys[i], tf_json_text(&t->d.doc, at));
	}
	return end_line(c, &j, err);
}

/* --- a list of readers ------------------------------------------------------- */

/* The text of a string of JSON without its quotes. */
static struct tf_str
bare(const struct tf_json_doc *d, int t)
{
	struct tf_str s = { NULL, 0 };

	if (t < 0 || d->tok[t].type != TF_JSON_STRING)
		return s;
	s = tf_json_text(d, t);
	return (struct tf_str){ s.p + 1, s.n - 2 };
}

static enum tf_code
put_read(struct custody *c, const struct tf_entry *e, struct tf_str actor,
    const struct tf_json_doc *d, struct tf_error *err)
{
	static const char *const keys[] = { "count", "event", "first", "index",
		"last", "node", "path", "type", "what" };
	struct tf_json j;
	int at;

	tf_json_begin(&j, &c->piece);
	tf_json_object(&j);
	tf_put_raw(&j, "actor", actor);
	tf_put_time(&j, "at", e->at);
	tf_put_clock(&j, "clock", e);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i], "event") == 0)
			tf_put_cstr(&j, "event", event_of(e));
		else if (strcmp(keys[i], "index") == 0)
			tf_put_uint(&j, "index", e->seq);
		else if (strcmp(keys[i], "type") == 0)
			tf_put_str(&j, "type", e->type_name);
		else if ((at = tf_json_get(d, 0, keys[i])) >= 0)
			tf_put_raw(&j, keys[i], tf_json_text(d, at));
	}
	return end_line(c, &j, err);
}

/* Write a line of the list, if it is about a node of this directory that the
 * asker may read.  A line {"actor":...} changes *actor, which points into the
 * list. */
static enum tf_code
one_read(struct custody *c, const struct tf_entry *e, struct tf_str line,
    struct tf_str *actor, struct tf_error *err)
{
	struct tf_json_doc d = { 0 };
	bool may = false;
	int node, who;
	enum tf_code rc = tf_json_parse(&d, line.p, line.n, err);

	if (rc == TF_OK && (who = tf_json_get(&d, 0, "actor")) >= 0) {
		*actor = tf_json_text(&d, who);
	} else if (rc == TF_OK &&
	    is_related(c, bare(&d, tf_json_get(&d, 0, "path"))) &&
	    (node = tf_json_get(&d, 0, "node")) >= 0 &&
	    d.tok[node].type == TF_JSON_INT) {
		rc = tf_may_read(c->w, (uint64_t)d.tok[node].num, &may, err);
		if (rc == TF_NOTFOUND)
			rc = TF_OK;
		if (rc == TF_OK && may)
			rc = put_read(c, e, *actor, &d, err);
	}
	tf_json_doc_free(&d);
	return rc;
}

/* Openings of any trail that nobody could count. */
static enum tf_code
put_lost(struct custody *c, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_json j;

	tf_json_begin(&j, &c->piece);
	tf_json_object(&j);
	tf_put_time(&j, "at", e->at);
	tf_put_clock(&j, "clock", e);
	tf_put_cstr(&j, "event", event_of(e));
	tf_put_uint(&j, "index", e->seq);
	tf_put_uint(&j, "lost", e->reads_lost);
	tf_put_str(&j, "path", e->path);
	tf_put_str(&j, "type", e->type_name);
	return end_line(c, &j, err);
}

/* Most lines are about other directories: a search of the bytes rejects them
 * before parsing. */
static bool
may_matter(const struct custody *c, struct tf_str line)
{
	static const char actor[] = "{\"actor\":", package[] = "\"package\"";

	return memmem(line.p, line.n, c->path.p, c->path.n) != NULL ||
	    (line.n > sizeof(actor) &&
		memcmp(line.p, actor, sizeof(actor) - 1) == 0) ||
	    memmem(line.p, line.n, package, sizeof(package) - 1) != NULL;
}

static enum tf_code
put_reads(struct custody *c, const struct tf_entry *e, struct tf_error *err)
{
	struct tf_buf list = { 0 };
	struct tf_str rest, line, actor = { NULL, 0 };
	const char *end;
	enum tf_code rc = tf_view_object(c->w, &e->reads, "a list of readers",
	    &list, err);

	if (rc == TF_TAMPER && !c->w->ledger_only) {
		tf_buf_free(&list);
		return put_damaged(c, e->seq, err);
	}
	rest = tf_buf_bytes(&list);
	while (rc == TF_OK && rest.n > 0) {
		end = memchr(rest.p, '\n', rest.n);
		line = (struct tf_str){ rest.p,
			end == NULL ? rest.n : (size_t)(end - rest.p) };
		rest.p += line.n + (end != NULL);
		rest.n -= line.n + (end != NULL);
		if (may_matter(c, line))
			rc = one_read(c, e, line, &actor, err);
	}
	if (rc == TF_OK && e->reads_lost > 0)
		rc = put_lost(c, e, err);
	tf_buf_free(&list);
	return rc;
}

/* --- all of them ------------------------------------------------------------- */

/* May the asker see an entry about this directory? */
static enum tf_code
may_show(struct custody *c, const struct tf_loaded_entry *t, bool *may,
    struct tf_error *err)
{
	enum tf_entry_kind type = t->d.e.type;

	*may = (type == TF_HOLD_PLACED || type == TF_HOLD_RELEASED ||
		   type == TF_RETENTION_SET) &&
	    t->d.e.path.n <= c->path.n;
	return *may ? TF_OK : tf_may_read_entry(c->w, &t->text, may, err);
}

/* Of the root, only holds and verifications are about what is below. */
static bool
is_of_root_only(const struct tf_entry *e)
{
	return tf_str_same(e->path, tf_str_of(".")) &&
	    e->type != TF_HOLD_PLACED && e->type != TF_HOLD_RELEASED &&
	    e->type != TF_VERIFY_DONE && e->type != TF_VERIFY_FAILED;
}

static enum tf_code
put_one(struct custody *c, uint64_t seq, struct tf_error *err)
{
	struct tf_loaded_entry t = { 0 };
	bool may = false;
	enum tf_code rc = tf_loaded_entry_try(c->w, seq, &t, NULL, err);

	if (rc == TF_OK && t.damaged) {
		rc = put_damaged(c, seq, err);
	} else if (rc == TF_OK && t.is && is_related(c, t.d.e.path) &&
	    !is_of_root_only(&t.d.e)) {
		if (t.d.e.type == TF_EVIDENCE_READ)
			rc = put_reads(c, &t.d.e, err);
		else if ((rc = may_show(c, &t, &may, err)) == TF_OK && may)
			rc = put_entry(c, &t, err);
	}
	tf_loaded_entry_free(&t);
	return rc;
}

static enum tf_code
add_hold(void *arg, const struct tf_definition_row *row, struct tf_error *err)
{
	struct custody *c = arg;

	return tf_seqs_add(&c->seqs, row->entry, err);
}

/* Entries about the directories above.  Of the root: its holds, whose rows name
 * them, and what is newer than the directory. */
static enum tf_code
collect_above(struct custody *c, uint64_t id, struct tf_error *err)
{
	static char dot[] = ".";
	const struct tf_buf root = { .p = dot, .n = 1 };
	struct tf_node_row row = { 0 };
	enum tf_code rc = tf_definitions_since(c->w->db, TF_ROOT_ID,
	    TF_ROW_HOLD, 0, add_hold, c, err);

	if (rc == TF_OK)
		rc = tf_nodes_get(c->w->db, id, &row, err);
	if (rc == TF_OK)
		rc = tf_view_unindexed(c->w, &root, row.entry, &c->seqs, err);
	while (rc == TF_OK && row.attr.parent != TF_ROOT_ID) {
		rc = tf_view_collect(c->w, row.attr.parent, 0, false, &c->seqs,
		    err);
		if (rc == TF_OK)
			rc = tf_nodes_get(c->w->db, row.attr.parent, &row, err);
	}
	return rc == TF_NOTFOUND ? TF_OK : rc; /* not in the ledger yet */
}

enum tf_code
tf_view_custody(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	struct custody c = { .w = w, .out = out };
	struct tf_buf path = { 0 };
	enum tf_code rc = tf_path_of(w->v, w->db, id, &path, err);

	if (rc == TF_OK)
		rc = tf_buf_end(&path, err);
	c.path = tf_buf_bytes(&path);
	if (rc == TF_OK)
		rc = collect_above(&c, id, err);
	if (rc == TF_OK)
		rc = tf_view_collect(w, id, ALL_LEVELS, false, &c.seqs, err);
	tf_seqs_sort(&c.seqs);
	for (size_t i = 0; rc == TF_OK && i < c.seqs.n; i++)
		if (c.seqs.p[i] < w->entries)
			rc = put_one(&c, c.seqs.p[i], err);
	if (rc == TF_OK)
		rc = tf_sink_buf(out, &c.piece, err);
	tf_seqs_free(&c.seqs);
	tf_buf_free(&c.piece);
	tf_buf_free(&path);
	return rc;
}
