/*
 * What all control files read and write: see view.h.
 *
 * The database may have been damaged.  A row that names an entry which is
 * missing or malformed is TF_TAMPER and not TF_NOTFOUND: a reader must not
 * conclude that there never was anything.
 */
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../node/clear_text.h"
#include "../node/load_entry.h"
#include "../store/nodes.h"
#include "damage.h"
#include "view.h"

enum tf_code
tf_view_row(struct tf_view *w, uint64_t id, enum tf_kind kind,
    struct tf_node_row *out, struct tf_error *err)
{
	enum tf_code rc = tf_nodes_get(w->db, id, out, err);

	if (rc == TF_NOTFOUND || (rc == TF_OK && out->attr.kind != kind))
		return tf_fail(err, TF_NOTFOUND, "it is not in the ledger yet");
	return rc;
}

enum tf_code
tf_sink_buf(const struct tf_sink *s, struct tf_buf *b, struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	if (b->failed)
		return tf_nomem(err);
	if (b->n > 0)
		rc = s->put(s->arg, b->p, b->n, err);
	b->n = 0;
	return rc;
}

void
tf_loaded_entry_free(struct tf_loaded_entry *t)
{
	tf_entry_decoded_free(&t->d);
	tf_buf_free(&t->text);
	tf_buf_free(&t->clear);
	t->is = t->damaged = false;
}

/* The buffer of *t is used again, as a list reads one entry per row. */
enum tf_code
tf_loaded_entry_read(struct tf_view *w, uint64_t seq, struct tf_loaded_entry *t,
    struct tf_error *err)
{
	enum tf_code rc;

	tf_entry_decoded_free(&t->d);
	t->text.n = t->clear.n = 0;
	t->is = t->damaged = false;
	t->seq = seq;
	if (seq == TF_NO_SEQ)
		return TF_OK;
	rc = tf_load_entry(w->db, seq, &t->text, &t->d, err);
	if (rc == TF_OK)
		rc = tf_clear_decoded(w->db, t->text.p, t->text.n, &t->d,
		    &t->clear, err);
	t->is = rc == TF_OK;
	if (rc != TF_OK)
		tf_entry_decoded_free(&t->d); /* half of it may be there */
	return rc;
}

enum tf_code
tf_loaded_entry_try(struct tf_view *w, uint64_t seq, struct tf_loaded_entry *t,
    struct tf_damage *d, struct tf_error *err)
{
	struct tf_damage unused = { 0 };
	struct tf_error why = { 0 };
	enum tf_code rc = tf_loaded_entry_read(w, seq, t, &why);

	if (rc == TF_OK)
		return TF_OK;
	rc = tf_damage_note(w, d != NULL ? d : &unused, seq, &why, err);
	t->damaged = rc == TF_OK;
	tf_damage_free(&unused);
	return rc;
}

/* Entries that are tried for the newest time: most of those before a damaged
 * one are whole. */
#define NOW_TRIES 64

/* The next entry could not get an earlier time either, so a clock that was set
 * back cannot make a missed deadline look as if it were still open. */
enum tf_code
tf_view_raise_now(struct tf_view *w, struct tf_error *err)
{
	struct tf_loaded_entry t = { 0 };
	enum tf_code rc = TF_OK;

	if (w->raised)
		return TF_OK;
	for (uint64_t i = 1;
	     rc == TF_OK && !t.is && i <= w->entries && i <= NOW_TRIES; i++)
		rc = tf_loaded_entry_try(w, w->entries - i, &t, NULL, err);
	if (rc == TF_OK && t.is && tf_time_cmp(w->now, t.d.e.at) < 0)
		w->now = t.d.e.at;
	w->raised = rc == TF_OK;
	tf_loaded_entry_free(&t);
	return rc;
}

/* The actor in an entry is raw JSON that the decoder has already checked, so a
 * failed parse can only mean that memory is short. */
static void
who(const struct tf_entry *e, bool login, struct tf_buf *out)
{
	struct tf_json_doc d = { 0 };
	struct tf_str user;
	int uid, by;

	if (e->actor.p == NULL) {
		tf_buf_str(out, "trailfs");
		return;
	}
	if (tf_json_parse(&d, e->actor.p, e->actor.n, NULL) != TF_OK) {
		out->failed = true; /* the entry is valid: no memory */
		return;
	}
	uid = tf_json_get(&d, 0, "uid");
	user = tf_json_text(&d, tf_json_get(&d, 0, "user"));
	/* User names in entries hold no quotes and no backslashes. */
	if (user.p != NULL && user.n > 2)
		tf_buf_printf(out, "%.*s (%lld)", (int)user.n - 2, user.p + 1,
		    (long long)d.tok[uid].num);
	else
		tf_buf_printf(out, "uid %lld", (long long)d.tok[uid].num);
	by = tf_json_get(&d, tf_json_get(&d, 0, "hints"), "loginuid");
	if (login && by >= 0 && d.tok[by].num != d.tok[uid].num)
		tf_buf_printf(out, ", login uid %lld",
		    (long long)d.tok[by].num);
	tf_json_doc_free(&d);
}

void
tf_who(const struct tf_entry *e, struct tf_buf *out)
{
	who(e, false, out);
}

void
tf_who_in_full(const struct tf_entry *e, struct tf_buf *out)
{
	who(e, true, out);
}

enum tf_code
tf_behalf(const struct tf_loaded_entry *seal, struct tf_buf *out,
    struct tf_error *err)
{
	const struct tf_json_doc *d = &seal->d.doc;
	int t = seal->is ? tf_json_get(d, 0, "claims") : -1;

	t = tf_json_get(d, t, "onBehalfOf");
	if (t < 0 || d->tok[t].type != TF_JSON_STRING)
		return TF_OK;
	return tf_json_string(d, t, out, err);
}

enum tf_code
tf_view_end_json(struct tf_json *j, const struct tf_sink *out,
    struct tf_error *err)
{
	enum tf_code rc = tf_json_end(j, err);

	if (rc == TF_OK)
		rc = tf_json_drain(j, out, err);
	return rc == TF_OK ? out->put(out->arg, "\n", 1, err) : rc;
}
