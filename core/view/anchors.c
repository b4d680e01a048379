/*
 * Anchors as control files, status and the page of the vault show them.  Rows
 * find the entries, and the entries say the rest.  An entry that was altered
 * hides no other anchor: then only the row is shown.
 */
#include "anchors.h"

#include <stdlib.h>
#include <string.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../base/clock.h"
#include "../base/member.h"
#include "../ledger/cosigned.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../node/base.h"
#include "../node/guard_state.h"
#include "../node/load_entry.h"
#include "../node/receipt.h"
#include "../node/vault_i.h"
#include "../store/anchors.h"
#include "../store/entries.h"
#include "object.h"
#include "view.h"

#define LISTED_MAX 1000

/* --- one anchor ------------------------------------------------------------ */

/* An anchor while it is shown.  {0} before tf_load_entry. */
struct shown {
	struct tf_buf text;
	struct tf_entry_decoded d;
	bool damaged;
	int64_t age;  /* seconds, by the host's clock; -1: unknown */
	bool current; /* see receipt.h; only in the list of all */
};

static void
free_shown(struct shown *s)
{
	tf_entry_decoded_free(&s->d);
	tf_buf_free(&s->text);
}

static enum tf_code
load(struct tf_db *db, const struct tf_anchor_row *r, struct shown *s,
    struct tf_error *err)
{
	struct tf_error e = { .code = TF_OK };
	enum tf_code rc = tf_load_entry(db, r->seq, &s->text, &s->d, &e);
	bool moved;

	s->age = -1;
	s->damaged = rc == TF_TAMPER ||
	    (rc == TF_OK && s->d.e.type != TF_ANCHOR_ADDED);
	if (s->damaged)
		return TF_OK;
	if (rc != TF_OK)
		return tf_fail_as(err, &e);
	s->age = tf_clock_now().s - tf_entry_when(&s->d.e, &moved).s;
	if (s->age < 0)
		s->age = 0;
	return TF_OK;
}

/* The members whose keys are before "kind", or after it. */
static void
put_entry(struct tf_json *j, const struct shown *s, uint64_t seq)
{
	if (!s->damaged) {
		tf_put_uint(j, "age", (uint64_t)s->age);
		tf_put_time(j, "at", s->d.e.at);
	}
	if (s->current)
		tf_put_bool(j, "current", true);
	tf_put_uint(j, "index", seq);
}

/* --- status and page ------------------------------------------------------- */

struct listing {
	struct tf_db *db;
	struct tf_json *j;  /* or NULL */
	struct tf_buf *out; /* or NULL */
	bool any, all;
	uint64_t before; /* only rows of earlier entries; 0: of any */
	uint64_t last;	 /* entry of the last row */
};

static enum tf_code
put_one(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct listing *l = arg;
	struct shown s = { .text = { 0 } };
	enum tf_code rc;

	if (l->before != 0 && r->seq >= l->before)
		return TF_OK;
	l->last = r->seq;
	rc = load(l->db, r, &s, err);
	if (rc == TF_OK && l->all && !s.damaged)
		rc = tf_receipt_is_current(l->db, &s.d.e, &s.current, err);
	if (rc == TF_OK && l->out != NULL) {
		tf_anchor_words(tf_str_of(r->kind), tf_str_of(r->name), r->size,
		    s.age, l->out);
		tf_buf_add(l->out, "", 1);
	} else if (rc == TF_OK) {
		if (!l->any && !l->all)
			tf_put_bool(l->j, "anchored", true);
		if (!l->any) {
			tf_json_key(l->j, "anchors");
			tf_json_array(l->j);
		}
		tf_json_object(l->j);
		put_entry(l->j, &s, r->seq);
		if (l->all && !s.damaged && s.d.e.anchor_key.p != NULL)
			tf_put_str(l->j, "key", s.d.e.anchor_key);
		tf_put_cstr(l->j, "kind", r->kind);
		tf_put_cstr(l->j, "name", r->name);
		if (l->all && !s.damaged)
			tf_put_hash(l->j, "sha256", &s.d.e.content.sha256);
		tf_put_uint(l->j, "size", r->size);
		tf_json_object_end(l->j);
	}
	l->any = true;
	free_shown(&s);
	return rc;
}

int64_t
tf_guard_age(const struct tf_guard_state *g)
{
	int64_t age = tf_clock_now().s - g->at.s;

	return g->size == 0 ? -1 : age < 0 ? 0 : age;
}

enum tf_code
tf_put_anchored(struct tf_db *db, const struct tf_guard_state *g,
    struct tf_json *j, struct tf_error *err)
{
	struct listing l = { .db = db, .j = j };
	enum tf_code rc = tf_anchors_newest(db, put_one, &l, err);

	if (l.any)
		tf_json_array_end(j);
	else
		tf_put_bool(j, "anchored", g->size > 0);
	return rc;
}

enum tf_code
tf_anchored_words(struct tf_db *db, const struct tf_guard_state *g,
    struct tf_buf *out, struct tf_error *err)
{
	struct listing l = { .db = db, .out = out };
	enum tf_code rc;

	if (g->size > 0) {
		tf_anchor_words(tf_str_of(TF_ANCHOR_GUARD), tf_str_of(""),
		    g->size, tf_guard_age(g), out);
		tf_buf_add(out, "", 1);
	}
	rc = tf_anchors_newest(db, put_one, &l, err);
	if (rc == TF_OK && !l.any && g->size == 0)
		tf_buf_add(out, TF_ANCHOR_NONE, sizeof(TF_ANCHOR_NONE));
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

enum tf_code
tf_vault_anchors(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	struct listing l = { .all = true };
	struct tf_json j;
	uint64_t n = 0;
	enum tf_code rc = tf_reader_db(v, &l.db, err);

	if (rc != TF_OK)
		return rc;
	tf_json_begin(&j, out);
	tf_json_object(&j);
	l.j = &j;
	rc = tf_anchors_last(l.db, LISTED_MAX, put_one, &l, err);
	/* One that is silent for long is not forgotten. */
	l.before = l.last;
	if (rc == TF_OK && l.any)
		rc = tf_anchors_newest(l.db, put_one, &l, err);
	if (l.any)
		tf_json_array_end(&j);
	if (rc == TF_OK)
		rc = tf_anchors_count(l.db, &n, err);
	tf_put_uint(&j, "count", n);
	tf_json_object_end(&j);
	if (rc == TF_OK)
		rc = tf_json_end(&j, err);
	tf_buf_add(out, "\n", 1);
	tf_reader_done(v, l.db);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

/* --- bytes ----------------------------------------------------------------- */

struct bytes {
	struct tf_view *w;
	enum tf_anchor_part part;
	struct tf_buf *out;
	bool found;
};

/* Append the note of a checkpoint that was stamped, which is no object. */
static enum tf_code
read_stamped(struct bytes *b, const struct tf_anchor_row *r,
    struct tf_error *err)
{
	struct tf_hash root;
	enum tf_code rc = tf_checkpoints_get(b->w->db, r->size, &root, b->out,
	    err);

	return rc == TF_NOTFOUND ?
	    tf_fail(err, TF_TAMPER, "the checkpoint of size %llu is missing",
		(unsigned long long)r->size) :
	    rc;
}

static enum tf_code
read_one(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct bytes *b = arg;
	struct shown s = { .text = { 0 } };
	bool chain = b->part == TF_ANCHOR_CHAIN;
	enum tf_code rc = load(b->w->db, r, &s, err);

	if (rc == TF_OK && s.damaged)
		rc = tf_fail(err, TF_TAMPER, "entry %llu is damaged",
		    (unsigned long long)r->seq);
	b->found = rc == TF_OK && (!chain || s.d.e.has_chain);
	if (b->found && b->part == TF_ANCHOR_STAMPED)
		rc = read_stamped(b, r, err);
	else if (b->found)
		rc = tf_view_object_row(b->w, chain ? r->chain : r->object,
		    chain ? &s.d.e.chain : &s.d.e.content, "an anchor", b->out,
		    err);
	free_shown(&s);
	return rc;
}

enum tf_code
tf_vault_anchor_read(struct tf_vault *v, uint64_t seq, enum tf_anchor_part part,
    struct tf_buf *out, struct tf_error *err)
{
	struct tf_view w = { .v = v, .all = true };
	struct bytes b = { &w, part, out, false };
	enum tf_code rc = tf_reader_db(v, &w.db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_anchors_get(w.db, seq, read_one, &b, err);
	tf_reader_done(v, w.db);
	if (rc == TF_OK && !b.found)
		rc = tf_fail(err, TF_NOTFOUND, "no such anchor");
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

/* Join the notes of one size: body and the log's line of the first one, then the
 * last line of each. */
static enum tf_code
join_one(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct bytes *b = arg;
	struct tf_buf note = { 0 };
	struct bytes one = { b->w, TF_ANCHOR_BYTES, &note, false };
	struct tf_str line;
	enum tf_code rc = read_one(&one, r, err);

	line = b->found ? tf_cosigned_line(tf_buf_bytes(&note)) :
			  tf_buf_bytes(&note);
	/* One key may stand in two rows: as a mirror and as a witness. */
	if (rc == TF_OK &&
	    (b->out->n == 0 ||
		memmem(b->out->p, b->out->n, line.p, line.n) == NULL))
		tf_buf_add(b->out, line.p, line.n);
	b->found = b->found || rc == TF_OK;
	tf_buf_free(&note);
	return rc;
}

enum tf_code
tf_vault_cosigned(struct tf_vault *v, struct tf_buf *out, struct tf_error *err)
{
	struct tf_view w = { .v = v, .all = true };
	struct bytes b = { &w, TF_ANCHOR_BYTES, out, false };
	uint64_t mirror = 0, witness = 0, size;
	enum tf_code rc = tf_reader_db(v, &w.db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_anchors_highest(w.db, TF_ANCHOR_MIRROR, &mirror, err);
	if (rc == TF_OK)
		rc = tf_anchors_highest(w.db, TF_ANCHOR_WITNESS, &witness, err);
	size = mirror > witness ? mirror : witness;
	if (rc == TF_OK && size == 0)
		rc = tf_fail(err, TF_NOTFOUND, "no checkpoint is cosigned");
	if (rc == TF_OK)
		rc = tf_anchors_of_size(w.db, TF_ANCHOR_MIRROR, size, join_one,
		    &b, err);
	if (rc == TF_OK)
		rc = tf_anchors_of_size(w.db, TF_ANCHOR_WITNESS, size, join_one,
		    &b, err);
	tf_reader_done(v, w.db);
	return rc == TF_OK ? tf_buf_end(out, err) : rc;
}

/* --- names ----------------------------------------------------------------- */

struct found {
	bool any, chain;
	uint64_t seq;
};

static enum tf_code
find_one(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	struct found *f = arg;

	(void)err;
	*f = (struct found){ true, r->chain != 0, r->seq };
	return TF_OK;
}

/* Split SIZE-NAME.SUFFIX; the NULs go into file. */
static bool
split(char *file, uint64_t *size, char **name, char **suffix)
{
	char *dash = strchr(file, '-'), *dot = strrchr(file, '.');

	if (dash == NULL || dot == NULL || dot < dash ||
	    strchr(dash, '/') != NULL ||
	    !tf_decimal(file, (size_t)(dash - file), TF_JSON_MAX, size))
		return false;
	*dot = '\0';
	*name = dash + 1;
	*suffix = dot + 1;
	for (char *p = *name; *p != '\0'; p++)
		if (*p == '=')
			*p = '/';
	return true;
}

/* What a suffix stands for. */
static const struct suffix {
	bool stamps;
	const char *text, *kind;
	enum tf_anchor_part part;
} suffixes[] = {
	{ false, TF_ANCHOR_MIRROR, TF_ANCHOR_MIRROR, TF_ANCHOR_BYTES },
	{ false, TF_ANCHOR_WITNESS, TF_ANCHOR_WITNESS, TF_ANCHOR_BYTES },
	{ true, "tsr", TF_ANCHOR_STAMP, TF_ANCHOR_BYTES },
	{ true, "pem", TF_ANCHOR_STAMP, TF_ANCHOR_CHAIN },
	{ true, "note", TF_ANCHOR_STAMP, TF_ANCHOR_STAMPED },
};
#define SUFFIXES (sizeof(suffixes) / sizeof(suffixes[0]))

enum tf_code
tf_vault_anchor_find(struct tf_vault *v, bool stamps, const char *name,
    uint64_t *seq, enum tf_anchor_part *part, struct tf_error *err)
{
	struct found f = { .any = false };
	char *file = strdup(name), *of, *suffix;
	const struct suffix *x = suffixes;
	struct tf_db *db;
	uint64_t size;
	enum tf_code rc = TF_OK;

	if (file == NULL)
		return tf_nomem(err);
	if (!split(file, &size, &of, &suffix))
		x += SUFFIXES;
	while (x < suffixes + SUFFIXES &&
	    (x->stamps != stamps || strcmp(x->text, suffix) != 0))
		x++;
	if (x < suffixes + SUFFIXES &&
	    (rc = tf_reader_db(v, &db, err)) == TF_OK) {
		*part = x->part;
		rc = tf_anchors_find(db, x->kind, of, size, find_one, &f, err);
		tf_reader_done(v, db);
	}
	free(file);
	*seq = f.seq;
	if (rc == TF_OK && (!f.any || (*part == TF_ANCHOR_CHAIN && !f.chain)))
		rc = tf_fail(err, TF_NOTFOUND, "no such anchor");
	return rc;
}

struct names {
	bool stamps;
	tf_anchor_file_fn fn;
	void *arg;
};

static enum tf_code
list_one(void *arg, const struct tf_anchor_row *r, struct tf_error *err)
{
	const struct names *l = arg;
	const struct tf_str kind = tf_str_of(r->kind);
	char name[TF_ANCHOR_FILE_MAX];

	(void)err;
	if (l->stamps != (strcmp(r->kind, TF_ANCHOR_STAMP) == 0))
		return TF_OK;
	for (int p = TF_ANCHOR_BYTES; p <= TF_ANCHOR_STAMPED; p++) {
		if ((p == TF_ANCHOR_CHAIN && r->chain == 0) ||
		    (p != TF_ANCHOR_BYTES && !l->stamps))
			continue;
		tf_anchor_file(kind, r->size, tf_str_of(r->name),
		    (enum tf_anchor_part)p, name);
		if (!l->fn(l->arg, r->seq, (enum tf_anchor_part)p, name))
			return TF_NODATA; /* ends the walk */
	}
	return TF_OK;
}

enum tf_code
tf_vault_anchor_list(struct tf_vault *v, bool stamps, uint64_t from,
    tf_anchor_file_fn fn, void *arg, struct tf_error *err)
{
	struct names l = { stamps, fn, arg };
	struct tf_db *db;
	enum tf_code rc = tf_reader_db(v, &db, err);

	if (rc != TF_OK)
		return rc;
	rc = tf_anchors_since(db, from, list_one, &l, err);
	tf_reader_done(v, db);
	return rc == TF_NODATA ? TF_OK : rc;
}
