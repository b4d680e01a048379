/*
 * Permissions of a view's asker, from the root down: see readable.h.
 *
 * The kernel checks permissions on the path that a program opens, but a control
 * file tells about other nodes than the one it is in.  This file therefore
 * makes the same decision for each node that a control file would show.  Rows
 * and pending nodes both count, because a mode may have been changed a moment
 * ago; the vault's lock is held only while memory is read.
 *
 * When no decision is possible the answer is "no" or an error, never "yes".
 */
#include <pthread.h>
#include <string.h>

#include "../asker.h"
#include "../base/bytes.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"
#include "../ledger/entry_scan.h"
#include "../ledger/name.h"
#include "../node/attr.h"
#include "../node/children.h"
#include "../node/evidence.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../node/pending_table.h"
#include "../node/vault_i.h"
#include "../page.h"
#include "../store/nodes.h"
#include "readable.h"
#include "view.h"

/* --- directories ------------------------------------------------------------- */

/* Find out whether the asker may enter and list directory id.  The result is
 * cached by id, because successive look-ups are mostly in one directory.  The
 * slot is written last, after the recursion to the parent, which may use the
 * same slot. */
static enum tf_code
look_at(struct tf_view *w, uint64_t id, const struct tf_seen_dir **out,
    struct tf_error *err)
{
	struct tf_seen_dir *d = &w->seen[id % TF_SEEN_DIRS];
	const struct tf_seen_dir *up;
	struct tf_attr a;
	bool comes = true;
	enum tf_code rc;

	*out = d;
	if (d->id == id)
		return TF_OK;
	rc = tf_attr_unlocked(w->v, w->db, id, &a, err);
	if (rc == TF_OK && id != TF_ROOT_ID) {
		rc = look_at(w, a.parent, &up, err);
		comes = rc == TF_OK && up->comes;
	}
	if (rc != TF_OK)
		return rc;
	*d = (struct tf_seen_dir){ .id = id,
		.comes = comes && tf_asker_may(&w->who, &a, TF_MAY_SEARCH) };
	d->lists = d->comes && tf_asker_may(&w->who, &a, TF_MAY_READ);
	return TF_OK;
}

/* --- nodes --------------------------------------------------------------------- */

/* A file needs search on every directory above it and read on itself; a
 * directory needs search on itself too, because its list shows what a look-up
 * in it finds. */
static enum tf_code
may_read_attr(struct tf_view *w, const struct tf_attr *a, bool *may,
    struct tf_error *err)
{
	bool dir = a->kind != TF_KIND_EVIDENCE;
	const struct tf_seen_dir *d;
	enum tf_code rc = look_at(w, dir ? a->id : a->parent, &d, err);

	*may = rc == TF_OK &&
	    (dir ? d->lists :
		   d->comes && tf_asker_may(&w->who, a, TF_MAY_READ));
	return rc;
}

enum tf_code
tf_may_read_row(struct tf_view *w, const struct tf_node_row *row, bool *may,
    struct tf_error *err)
{
	*may = true;
	return w->all ? TF_OK : may_read_attr(w, &row->attr, may, err);
}

enum tf_code
tf_may_read(struct tf_view *w, uint64_t id, bool *may, struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc;

	*may = true;
	if (w->all)
		return TF_OK;
	rc = tf_attr_unlocked(w->v, w->db, id, &a, err);
	return rc == TF_OK ? may_read_attr(w, &a, may, err) : rc;
}

enum tf_code
tf_may_read_template(struct tf_view *w, uint64_t trail, bool *may,
    struct tf_error *err)
{
	const struct tf_seen_dir *d;
	struct tf_attr a;
	enum tf_code rc;

	*may = true;
	if (w->all)
		return TF_OK;
	rc = tf_attr_unlocked(w->v, w->db, trail, &a, err);
	if (rc == TF_OK)
		rc = look_at(w, trail, &d, err);
	if (rc != TF_OK)
		return rc;
	a.mode &= 0440; /* as the control file has it */
	*may = d->comes && tf_asker_may(&w->who, &a, TF_MAY_READ);
	return TF_OK;
}

bool
tf_path_to_show(struct tf_view *w, uint64_t id, struct tf_buf *path,
    struct tf_json *j)
{
	bool may = false;
	enum tf_code rc = tf_may_read(w, id, &may, NULL);

	path->n = 0;
	if (rc == TF_OK && may)
		rc = tf_path_of(w->v, w->db, id, path, NULL);
	/* An error must not look like an absent node. */
	j->out->failed = j->out->failed || tf_code_undecided(rc);
	return rc == TF_OK && may;
}

/* --- all below one ----------------------------------------------------------------- */

/* The walk of tf_may_read_whole. */
struct whole {
	struct tf_view *w;
	bool may;
};

/* TF_NODATA ends the walk at the first node that the asker may not read: the
 * rest cannot change the answer. */
static enum tf_code
check_row(void *arg, const struct tf_node_row *row, struct tf_error *err)
{
	struct whole *x = arg;
	enum tf_code rc = may_read_attr(x->w, &row->attr, &x->may, err);

	if (rc == TF_OK && x->may && row->attr.kind != TF_KIND_EVIDENCE)
		rc = tf_each_child(x->w->db, row->attr.id, check_row, x, err);
	return rc == TF_OK && !x->may ? TF_NODATA : rc; /* ends the walk */
}

enum tf_code
tf_may_read_whole(struct tf_view *w, uint64_t id, bool *may,
    struct tf_error *err)
{
	struct whole x = { w, true };
	enum tf_code rc = tf_may_read(w, id, &x.may, err);

	if (rc == TF_OK && x.may && !w->all)
		rc = tf_each_child(w->db, id, check_row, &x, err);
	*may = x.may;
	return rc == TF_NODATA && !x.may ? TF_OK : rc;
}

enum tf_code
tf_view_check_whole(struct tf_view *w, uint64_t id, struct tf_error *err)
{
	bool may;
	enum tf_code rc = tf_may_read_whole(w, id, &may, err);

	if (rc == TF_OK && !may)
		rc = tf_fail(err, TF_ACCESS,
		    "it is about evidence that you may not read");
	return rc;
}

/* The filter of tf_evidence_list: it counts the files that it leaves out, so a
 * control file can say how many they are. */
static enum tf_code
wants(void *arg, const struct tf_node_row *row, bool *wanted,
    struct tf_error *err)
{
	return tf_may_read_row(arg, row, wanted, err);
}

enum tf_code
tf_readable_evidence(struct tf_view *w, uint64_t id, struct tf_evidence *e,
    struct tf_error *err)
{
	if (!w->all) {
		e->wants = wants;
		e->arg = w;
	}
	return tf_evidence_list(w->db, id, e, err);
}

/* --- what an entry speaks of ---------------------------------------------------------- */

/* Unescape the next name of an entry's path to name.  Names hold no character
 * whose JSON escape is more than a '\' before it. */
static struct tf_str
next_name(struct tf_str *path, char name[TF_NAME_MAX + 1])
{
	struct tf_str s = { name, 0 };
	size_t i = 0;

	for (; i < path->n && path->p[i] != '/'; i++) {
		if (path->p[i] == '\\' && ++i == path->n)
			break;
		if (s.n < TF_NAME_MAX)
			name[s.n++] = path->p[i];
	}
	name[s.n] = '\0';
	i += i < path->n;
	path->p += i;
	path->n -= i;
	return s;
}

/* Find the directory that holds the path's last name; *path becomes that name.
 * TF_NOTFOUND. */
static enum tf_code
find_dir(struct tf_view *w, struct tf_str *path, uint64_t *id,
    struct tf_error *err)
{
	char name[TF_NAME_MAX + 1];
	struct tf_node_row row;
	enum tf_code rc;

	*id = TF_ROOT_ID;
	while (memchr(path->p, '/', path->n) != NULL) {
		struct tf_str s = next_name(path, name);

		rc = tf_nodes_find(w->db, *id, s.p, s.n, &row, err);
		if (rc != TF_OK)
			return rc;
		*id = row.attr.id;
	}
	return TF_OK;
}

/* Find the attributes of a pending name.  They are copied under the lock: the
 * pending node may be freed once the lock is released. */
static enum tf_code
find_pending(struct tf_view *w, uint64_t dir, struct tf_str name,
    struct tf_attr *out)
{
	const struct tf_pending *l;

	pthread_mutex_lock(&w->v->mu);
	l = tf_pending_find(&w->v->pending, dir, name.p, name.n);
	if (l != NULL)
		*out = tf_pending_shown(l);
	pthread_mutex_unlock(&w->v->mu);
	return l != NULL ? TF_OK : TF_NOTFOUND;
}

/* The remains of an interrupted file are a draft, as long as it exists.  The
 * name in the entry's path may belong to another file now. */
static enum tf_code
find_draft(struct tf_view *w, const struct tf_buf *entry, uint64_t dir,
    struct tf_attr *out, struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	enum tf_code rc = tf_entry_decode(&d, entry->p, entry->n, err);

	if (rc == TF_OK)
		rc = d.e.draft.p != NULL ?
		    find_pending(w, dir, d.e.draft, out) :
		    TF_NOTFOUND;
	tf_entry_decoded_free(&d);
	return rc;
}

/* The scan of an entry gives its type as text; no decode is needed to compare
 * it. */
static bool
is_type(struct tf_str type, enum tf_entry_kind t)
{
	return tf_str_same(type,
	    (struct tf_str){ tf_type_name(t), strlen(tf_type_name(t)) });
}

/* The file may not be sealed yet, below a directory without an entry, or be a
 * draft since it was interrupted, while another file has its name: only the
 * number in the entry is certain. */
static enum tf_code
find_grown(struct tf_view *w, const struct tf_buf *entry, struct tf_attr *out,
    struct tf_error *err)
{
	struct tf_entry_decoded d = { 0 };
	const struct tf_pending *l;
	struct tf_node_row row;
	enum tf_code rc = tf_entry_decode(&d, entry->p, entry->n, err);

	if (rc == TF_OK) {
		rc = tf_nodes_get(w->db, d.e.node, &row, err);
		if (rc == TF_OK)
			*out = row.attr;
	}
	if (rc == TF_NOTFOUND) {
		pthread_mutex_lock(&w->v->mu);
		l = tf_pending_get(&w->v->pending, d.e.node);
		if (l != NULL)
			*out = tf_pending_shown(l);
		pthread_mutex_unlock(&w->v->mu);
		rc = l != NULL ? TF_OK : TF_NOTFOUND;
	}
	tf_entry_decoded_free(&d);
	return rc;
}

/* Find the node that an entry is about, by its path, because not every entry
 * holds the number of a node.  Names in the ledger come first: such a name
 * stays with its node. */
static enum tf_code
find_thing(struct tf_view *w, const struct tf_buf *entry, struct tf_str type,
    struct tf_str path, struct tf_attr *out, struct tf_error *err)
{
	char name[TF_NAME_MAX + 1];
	struct tf_node_row row;
	struct tf_str s;
	uint64_t dir;
	enum tf_code rc;

	if (is_type(type, TF_EVIDENCE_GROWN) ||
	    is_type(type, TF_EVIDENCE_FLUSHED))
		return find_grown(w, entry, out, err);
	rc = find_dir(w, &path, &dir, err);
	if (rc != TF_OK)
		return rc;
	if (is_type(type, TF_EVIDENCE_INTERRUPTED))
		return find_draft(w, entry, dir, out, err);
	s = next_name(&path, name);
	rc = tf_nodes_find(w->db, dir, s.p, s.n, &row, err);
	if (rc == TF_NOTFOUND)
		return find_pending(w, dir, s, out);
	if (rc == TF_OK)
		*out = row.attr;
	return rc;
}

/* True for the types of entries that are about the vault itself.  Other bytes
 * without a path are no entry, and may hold anything. */
static bool
is_of_vault(struct tf_str type)
{
	return type.p != NULL &&
	    (is_type(type, TF_LEDGER_OPENED) ||
		is_type(type, TF_LEDGER_CLOSED) ||
		is_type(type, TF_KEY_ROTATED) ||
		is_type(type, TF_CLOCK_JUMPED) ||
		is_type(type, TF_CLOCK_OBSERVED) ||
		is_type(type, TF_ANCHOR_ADDED));
}

/* An entry about a seal holds digests of all files below, so its reader needs
 * all of them; any other entry needs its own node only. */
enum tf_code
tf_may_read_entry(struct tf_view *w, const struct tf_buf *entry, bool *may,
    struct tf_error *err)
{
	struct tf_str type, path;
	struct tf_attr a;
	enum tf_code rc;

	*may = true;
	if (w->all)
		return TF_OK;
	tf_entry_scan(entry->p, entry->n, &type, &path);
	*may = false;
	if (path.p == NULL || type.p == NULL) {
		*may = is_of_vault(type);
		return TF_OK;
	}
	rc = find_thing(w, entry, type, path, &a, err);
	if (rc == TF_NOTFOUND)
		return TF_OK; /* its owner is unknown: not readable */
	if (rc == TF_OK && is_type(type, TF_ATTESTATION_SEALED))
		return tf_may_read_whole(w, a.id, may, err);
	return rc == TF_OK ? may_read_attr(w, &a, may, err) : rc;
}
