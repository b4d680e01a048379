/*
 * What protects a directory, as control files show it: `holds`, `retention`
 * and members of the status files.
 *
 * Everything is read from the entries that set it.  Whatever is set on the
 * directory or above it is shown to all who may read the file, because it
 * decides about the directory; what is set below only to those who may read
 * that.
 */
#include "protection.h"

#include <string.h>

#include "../base/bytes.h"
#include "../base/member.h"
#include "../base/time_text.h"
#include "../ledger/entry.h"
#include "../node/paths.h"
#include "../node/protection.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/nodes.h"
#include "entry_json.h"
#include "readable.h"
#include "view.h"

struct listing {
	struct tf_view *w;
	struct tf_json *j;
	uint64_t id;
	bool names_only, any;
};

/* The path of the node, if it is at or above dir or the asker may read it. */
static enum tf_code
path_to_show(struct tf_view *w, uint64_t dir, uint64_t node,
    struct tf_buf *path, bool *may, struct tf_error *err)
{
	struct tf_node_row row;
	uint64_t up = dir;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && up != node && up != TF_ROOT_ID) {
		rc = tf_nodes_get(w->db, up, &row, err);
		up = rc == TF_OK ? row.attr.parent : up;
	}
	*may = rc == TF_OK && up == node;
	if (rc == TF_OK && !*may)
		rc = tf_may_read(w, node, may, err);
	if (rc == TF_OK && *may)
		rc = tf_path_of(w->v, w->db, node, path, err);
	return rc == TF_OK ? tf_buf_end(path, err) : rc;
}

static void
put_hold(struct listing *l, const struct tf_entry *e, const struct tf_buf *path)
{
	tf_json_object(l->j);
	tf_put_time(l->j, "at", e->at);
	tf_put_raw(l->j, "by", e->actor);
	tf_put_clock(l->j, "clock", e);
	tf_put_str(l->j, "hold", e->hold);
	tf_put_uint(l->j, "index", e->seq);
	tf_put_str(l->j, "path", (struct tf_str){ path->p, path->n });
	if (e->reason.p != NULL && !l->names_only)
		tf_put_str(l->j, "reason", e->reason);
	tf_json_object_end(l->j);
}

/* A hold whose entry cannot be read still stands: its row says so. */
static void
put_damaged_hold(struct listing *l, const struct tf_protector *p,
    const struct tf_buf *path)
{
	tf_json_object(l->j);
	tf_put_bool(l->j, "damaged", true);
	tf_put_str(l->j, "hold", p->hold);
	tf_put_uint(l->j, "index", p->entry);
	tf_put_str(l->j, "path", (struct tf_str){ path->p, path->n });
	tf_json_object_end(l->j);
}

static enum tf_code
list_hold(void *arg, const struct tf_protector *p, struct tf_error *err)
{
	struct listing *l = arg;
	struct tf_loaded_entry t = { 0 };
	struct tf_buf path = { 0 };
	bool may = false;
	enum tf_code rc;

	if (p->hold.p == NULL)
		return TF_OK;
	rc = path_to_show(l->w, l->id, p->node, &path, &may, err);
	if (rc == TF_OK && may)
		rc = tf_loaded_entry_try(l->w, p->entry, &t, NULL, err);
	if (rc == TF_OK && may) {
		if (!l->any) {
			tf_json_key(l->j, "holds");
			tf_json_array(l->j);
		}
		l->any = true;
		if (t.is)
			put_hold(l, &t.d.e, &path);
		else
			put_damaged_hold(l, p, &path);
	}
	tf_loaded_entry_free(&t);
	tf_buf_free(&path);
	return rc;
}

enum tf_code
tf_put_holds(struct tf_view *w, struct tf_json *j, uint64_t id,
    bool with_reasons, struct tf_error *err)
{
	struct listing l = { .w = w,
		.j = j,
		.id = id,
		.names_only = !with_reasons };
	enum tf_code rc;

	if (w->ledger_only)
		return TF_OK;
	rc = tf_each_protector(w->db, id, tf_protection_now(), list_hold, &l,
	    err);
	if (l.any)
		tf_json_array_end(j);
	return rc == TF_NOTFOUND ? TF_OK : rc; /* a draft has no row */
}

/* --- retention -------------------------------------------------------------- */

static enum tf_code
put_kept(struct tf_view *w, struct tf_json *j, uint64_t id,
    const struct tf_protection *p, struct tf_error *err)
{
	struct tf_loaded_entry t = { 0 };
	const struct tf_retention_ref *r = &t.d.e.retention;
	struct tf_buf path = { 0 };
	bool may = false;
	enum tf_code rc = tf_loaded_entry_try(w, p->kept_entry, &t, NULL, err);

	if (rc == TF_OK)
		rc = path_to_show(w, id, p->kept_node, &path, &may, err);
	if (rc == TF_OK) {
		if (p->kept <= TF_KEPT_UNTIL)
			tf_put_time(j, "ends", p->until);
		if (r->period.p != NULL)
			tf_put_str(j, "for", r->period);
		tf_put_uint(j, "index", p->kept_entry);
		tf_put_cstr(j, "kept", tf_kept_word(p->kept));
		if (t.is)
			tf_put_str(j, "mode", r->mode);
		if (may)
			tf_put_str(j, "path",
			    (struct tf_str){ path.p, path.n });
		tf_retention_put_rule(j, r);
		if (r->has_until)
			tf_put_time(j, "until", r->until);
	}
	tf_loaded_entry_free(&t);
	tf_buf_free(&path);
	return rc;
}

/* The protection of directory id; nothing for a draft, and in a package. */
static enum tf_code
protection_of(struct tf_view *w, uint64_t id, struct tf_protection *out,
    struct tf_error *err)
{
	enum tf_code rc;

	*out = (struct tf_protection){ .holds = 0 };
	if (w->ledger_only)
		return TF_OK;
	rc = tf_protected(w->db, id, tf_protection_now(), out, err);
	return rc == TF_NOTFOUND ? TF_OK : rc;
}

enum tf_code
tf_put_retention(struct tf_view *w, struct tf_json *j, uint64_t id,
    struct tf_error *err)
{
	struct tf_protection p;
	enum tf_code rc = protection_of(w, id, &p, err);

	if (rc != TF_OK || p.kept == TF_KEPT_NOT)
		return rc;
	tf_json_key(j, "retention");
	tf_json_object(j);
	rc = put_kept(w, j, id, &p, err);
	tf_json_object_end(j);
	return rc;
}

/* --- control files ---------------------------------------------------------- */

/* "protected" says whether anything of both kinds protects the directory. */
static enum tf_code
write_object(struct tf_view *w, uint64_t id, bool holds,
    const struct tf_sink *out, struct tf_error *err)
{
	struct tf_buf text = { 0 };
	struct tf_protection p;
	struct tf_json j;
	enum tf_code rc = protection_of(w, id, &p, err);

	tf_json_begin(&j, &text);
	tf_json_object(&j);
	if (rc == TF_OK && holds)
		rc = tf_put_holds(w, &j, id, true, err);
	tf_put_bool(&j, "protected", p.is_protected);
	if (rc == TF_OK && !holds)
		rc = tf_put_retention(w, &j, id, err);
	tf_json_object_end(&j);
	if (rc == TF_OK)
		rc = tf_view_end_json(&j, out, err);
	tf_buf_free(&text);
	return rc;
}

enum tf_code
tf_view_holds(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	return write_object(w, id, true, out, err);
}

enum tf_code
tf_view_retention(struct tf_view *w, uint64_t id, const struct tf_sink *out,
    struct tf_error *err)
{
	return write_object(w, id, false, out, err);
}

/* --- for people ------------------------------------------------------------- */

enum tf_code
tf_protection_words(struct tf_view *w, uint64_t id, struct tf_buf *out,
    struct tf_error *err)
{
	char until[TF_TIME_LEN + 1];
	struct tf_protection p;
	enum tf_code rc = protection_of(w, id, &p, err);

	if (rc != TF_OK)
		return rc;
	if (p.holds == 1)
		tf_buf_printf(out, "held: %s", p.hold);
	else if (p.holds > 1)
		tf_buf_printf(out, "held: %s and %llu more", p.hold,
		    (unsigned long long)p.holds - 1);
	if (p.holds > 0 && p.kept != TF_KEPT_NOT)
		tf_buf_str(out, "; ");
	tf_time_text(p.until, until);
	if (p.kept == TF_KEPT_UNTIL)
		tf_buf_printf(out, "kept until %.10s", until);
	else if (p.kept == TF_KEPT_OVER)
		tf_buf_printf(out, "kept until %.10s, which is over", until);
	else if (p.kept == TF_KEPT_OPEN)
		tf_buf_str(out, "kept; the time begins with the seal");
	else if (p.kept == TF_KEPT_FOREVER)
		tf_buf_str(out, "kept for ever");
	return tf_buf_end(out, err);
}

enum tf_code
tf_put_kept_word(struct tf_view *w, struct tf_json *j, uint64_t id,
    struct tf_error *err)
{
	struct tf_protection p;
	enum tf_code rc = protection_of(w, id, &p, err);

	if (rc == TF_OK && p.kept != TF_KEPT_NOT)
		tf_put_cstr(j, "kept", tf_kept_word(p.kept));
	if (rc == TF_OK && (p.kept == TF_KEPT_UNTIL || p.kept == TF_KEPT_OVER))
		tf_put_time(j, "kept_until", p.until);
	return rc;
}
