/*
 * .trailfs/at: the tree as it was, see control_past.h.
 *
 * Ids.  FS_KIND_AT: the directory that has the .trailfs.  FS_KIND_PAST and
 * following: the highest bit is set, then from above
 *
 *	1 bit	it is the .trailfs of the node
 *	2 bits	the kind of the directory whose .trailfs/at leads there: a
 *		directory has one parent, so each way has nodes of its own
 *	30 bits	the moment, a number of entries
 *	30 bits	the node of the vault
 *
 * A moment or a node that does not fit does not exist here.
 *
 * FS_KIND_PAST_FILE: a file in a .trailfs.  Its id would need an edition too, as
 * each asker sees his own, so its text "/ID/ROW" is remembered, where ID is that
 * of the .trailfs (fs_remember).  No query has such a text.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "attr.h"
#include "control_past.h"
#include "control_rows.h"
#include "core/base/mutant.h"
#include "core/control.h"
#include "core/past.h"

#define BATCH 64 /* names asked of the vault at a time */
#define BITS 30
#define MASK ((UINT64_C(1) << BITS) - 1)
#define IS_PAST (UINT64_C(1) << 63)
#define IS_DOT (UINT64_C(1) << 62)
#define WAY_SHIFT 60
#define WAY_MASK 3u

static bool
is_past(uint64_t ino)
{
	return (ino & IS_PAST) != 0;
}

static uint64_t
size_of(uint64_t ino)
{
	return ino >> BITS & MASK;
}

uint64_t
fs_past_node(uint64_t ino)
{
	return ino & MASK;
}

static enum tf_kind
way_of(uint64_t ino)
{
	return (enum tf_kind)(ino >> WAY_SHIFT & WAY_MASK);
}

bool
fs_past_is_node(uint64_t ino)
{
	return is_past(ino) && (ino & IS_DOT) == 0;
}

/* Node id at the moment of other, reached the same way. */
static enum tf_code
node_beside(uint64_t other, uint64_t id, uint64_t *ino, struct tf_error *err)
{
	if (id > MASK)
		return tf_fail(err, TF_NOTFOUND, "its number is too high");
	*ino = (other & ~(IS_DOT | MASK)) | id;
	return TF_OK;
}

/* --- directories and evidence --------------------------------------------------- */

static void
fill(const struct tf_attr *a, uint64_t ino, struct stat *st)
{
	fs_attr_stat(a, st);
	st->st_ino = ino;
	if (TF_IS_MUTANT(TF_PAST_MODES_THEN))
		st->st_mode |= S_ISDIR(st->st_mode) ? 0555 : 0444;
}

enum tf_code
fs_past_lookup(struct tf_vault *v, uint64_t parent, const char *name,
    uint64_t *ino, struct stat *st, struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_past_lookup(v, size_of(parent),
	    fs_past_node(parent), name, &a, err);

	if (rc == TF_OK)
		rc = node_beside(parent, a.id, ino, err);
	if (rc == TF_OK)
		fill(&a, *ino, st);
	return rc;
}

enum tf_code
fs_past_stat(struct tf_vault *v, uint64_t ino, struct stat *st,
    struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_past_getattr(v, size_of(ino), fs_past_node(ino),
	    &a, err);

	if (rc == TF_OK)
		fill(&a, ino, st);
	return rc;
}

enum tf_code
fs_past_xattr(struct tf_vault *v, uint64_t ino, const char *name,
    struct tf_buf *out, struct tf_error *err)
{
	return name == NULL ?
	    tf_past_xattr_list(v, size_of(ino), fs_past_node(ino), out, err) :
	    tf_past_xattr(v, size_of(ino), fs_past_node(ino), name, out, err);
}

/* --- files in a .trailfs ---------------------------------------------------------- */

static enum tf_code
remember_row(uint64_t dot, unsigned number, uint32_t uid, uint64_t *ino,
    struct tf_error *err)
{
	char text[FS_TEXT_MAX + 1];

	(void)snprintf(text, sizeof text, "/%" PRIx64 "/%u", dot, number);
	return fs_remember(text, uid, FS_KIND_PAST_FILE, ino, err);
}

/* The .trailfs that has file ino, its row, and its directory as it was. */
static enum tf_code
recall_row(struct tf_vault *v, uint64_t ino, uint64_t *dot,
    const struct fs_row **row, struct tf_attr *dir, struct tf_error *err)
{
	char text[FS_TEXT_MAX + 1];
	unsigned number;
	enum tf_code rc = fs_recall(ino, text, err);

	if (rc == TF_OK &&
	    (sscanf(text, "/%" SCNx64 "/%u", dot, &number) != 2 ||
		!is_past(*dot)))
		rc = tf_fail(err, TF_NOTFOUND, "no such control file");
	if (rc == TF_OK)
		rc = tf_past_getattr(v, size_of(*dot), fs_past_node(*dot), dir,
		    err);
	return rc == TF_OK ? fs_row_past(dir, number, row, err) : rc;
}

static enum tf_code
forget_bytes(void *arg, const void *p, size_t n, struct tf_error *err)
{
	(void)arg, (void)p, (void)n, (void)err;
	return TF_OK;
}

/* Did the directory have the file?  It is small, if only some have it. */
static enum tf_code
check_has(struct tf_vault *v, uint64_t dot, const struct fs_row *row,
    struct tf_error *err)
{
	const struct tf_sink nowhere = { .put = forget_bytes };
	struct tf_view *w = NULL;
	enum tf_code rc;

	if (!row->some)
		return TF_OK;
	rc = tf_view_open_at(v, NULL, size_of(dot), &w, err);
	if (rc == TF_OK)
		rc = row->write(w, fs_past_node(dot), &nowhere, err);
	tf_view_close(w);
	return rc == TF_NOTFOUND ? rc : TF_OK; /* reading it says the rest */
}

/* --- the tree ------------------------------------------------------------------------ */

static uint64_t
top(uint64_t dir)
{
	return fs_control_id(FS_KIND_AT, dir);
}

/* What kind evidence has, the id does not say: of directories this is true, of
 * evidence only the callers ask who know which they have. */
static bool
is_dir(uint64_t ino)
{
	return fs_control_kind(ino) != FS_KIND_PAST_FILE;
}

/* at/MOMENT of the directory that top is of. */
static enum tf_code
lookup_moment(struct tf_vault *v, uint64_t at, const char *name, uint64_t *ino,
    struct tf_error *err)
{
	const uint64_t id = at & FS_NODE_MASK;
	uint64_t size = 0;
	struct tf_attr a;
	enum tf_code rc = tf_past_size(v, name, &size, err);

	if (rc == TF_OK && size > MASK)
		rc = tf_fail(err, TF_NOTFOUND, "its number is too high");
	if (rc == TF_OK)
		rc = tf_past_getattr(v, size, id, &a, err);
	if (rc != TF_OK)
		return rc;
	return node_beside(IS_PAST | (uint64_t)a.kind << WAY_SHIFT |
		size << BITS,
	    id, ino, err);
}

static enum tf_code
lookup(struct tf_vault *v, uint64_t parent, const char *name, uint32_t uid,
    uint64_t *ino, struct tf_error *err)
{
	const struct fs_row *row;
	struct tf_attr dir;
	struct stat st;
	unsigned number;
	enum tf_code rc;

	if (fs_control_kind(parent) == FS_KIND_AT)
		return lookup_moment(v, parent, name, ino, err);
	if (fs_past_is_node(parent) && strcmp(name, TF_CONTROL_DIR) != 0)
		return fs_past_lookup(v, parent, name, ino, &st, err);
	rc = tf_past_getattr(v, size_of(parent), fs_past_node(parent), &dir,
	    err);
	if (rc == TF_OK && dir.kind == TF_KIND_EVIDENCE)
		rc = tf_fail(err, TF_NOTDIR, "not a directory");
	if (rc == TF_OK && fs_past_is_node(parent)) {
		*ino = parent | IS_DOT;
		return TF_OK;
	}
	if (rc == TF_OK)
		rc = fs_row_find_past(&dir, name, &number, err);
	if (rc == TF_OK)
		rc = fs_row_past(&dir, number, &row, err);
	if (rc == TF_OK)
		rc = check_has(v, parent, row, err);
	return rc == TF_OK ? remember_row(parent, number, uid, ino, err) : rc;
}

static enum tf_code
parent_of(struct tf_vault *v, uint64_t ino, uint64_t *out, struct tf_error *err)
{
	const struct fs_row *row;
	struct tf_attr a;
	enum tf_code rc;

	if (fs_control_kind(ino) == FS_KIND_AT) {
		*out = fs_control_id(FS_KIND_DIR, ino & FS_NODE_MASK);
		return TF_OK;
	}
	if (fs_control_kind(ino) == FS_KIND_PAST_FILE)
		return recall_row(v, ino, out, &row, &a, err);
	if (!fs_past_is_node(ino)) {
		*out = ino & ~IS_DOT;
		return TF_OK;
	}
	rc = tf_past_getattr(v, size_of(ino), fs_past_node(ino), &a, err);
	if (rc != TF_OK)
		return rc;
	if (a.kind == way_of(ino)) {
		*out = top(a.id);
		return TF_OK;
	}
	return node_beside(ino, a.parent, out, err);
}

static enum tf_code
stat_past(struct tf_vault *v, uint64_t ino, struct stat *st,
    struct tf_error *err)
{
	const struct fs_row *row;
	struct tf_attr a;
	uint64_t dot;
	enum tf_code rc;

	if (fs_past_is_node(ino))
		return fs_past_stat(v, ino, st, err);
	if (fs_control_kind(ino) == FS_KIND_PAST_FILE) {
		rc = recall_row(v, ino, &dot, &row, &a, err);
		if (rc != TF_OK)
			return rc;
		fs_tree_stat(&a, ino, false, st);
		st->st_mode = S_IFREG | (row->mode & a.mode & 0444);
		st->st_nlink = 1;
		return TF_OK;
	}
	rc = is_past(ino) ?
	    tf_past_getattr(v, size_of(ino), fs_past_node(ino), &a, err) :
	    tf_vault_getattr(v, ino & FS_NODE_MASK, &a, err);
	if (rc == TF_OK)
		fs_tree_stat(&a, ino, true, st);
	return rc;
}

static enum tf_code
view_at(struct tf_vault *v, uint64_t ino, const struct tf_asker *asker,
    struct tf_view **out, struct tf_error *err)
{
	const struct fs_row *row;
	struct tf_attr a;
	uint64_t dot;
	enum tf_code rc = recall_row(v, ino, &dot, &row, &a, err);

	if (rc != TF_OK)
		return rc;
	if (TF_IS_MUTANT(TF_PAST_VERDICT_NOW))
		return tf_view_open(v, asker, out, err);
	return tf_view_open_at(v, asker, size_of(dot), out, err);
}

static enum tf_code
write_file(struct tf_view *w, uint64_t ino, const struct tf_sink *out,
    struct tf_error *err)
{
	const struct fs_row *row;
	struct tf_attr a;
	uint64_t dot;
	enum tf_code rc = recall_row(tf_view_vault(w), ino, &dot, &row, &a,
	    err);

	return rc == TF_OK ? row->write(w, a.id, out, err) : rc;
}

/* The place of a name is the id of its node, as in the tree of today. */
static enum tf_code
list_names(struct tf_vault *v, uint64_t ino, const struct fs_names *names,
    struct tf_error *err)
{
	uint64_t after = names->at > 0 ? names->at - 1 : 0, id = 0;
	struct tf_dirent batch[BATCH];
	size_t n;
	enum tf_code rc;

	do {
		rc = tf_past_list(v, size_of(ino), fs_past_node(ino), after,
		    batch, BATCH, &n, err);
		for (size_t i = 0; rc == TF_OK && i < n; i++) {
			after = batch[i].attr.id;
			if (node_beside(ino, after, &id, NULL) != TF_OK)
				continue;
			if (!names->add(names->arg, after, batch[i].name, id,
				batch[i].attr.kind == TF_KIND_EVIDENCE ?
				    S_IFREG :
				    S_IFDIR))
				return TF_OK;
		}
	} while (rc == TF_OK && n > 0);
	return rc;
}

/* A file has an id once it is looked up; until then, that of its directory. */
static enum tf_code
list_files(struct tf_vault *v, uint64_t dot, const struct fs_names *names,
    struct tf_error *err)
{
	const struct fs_row *row;
	struct tf_attr dir;
	const char *name;
	uint64_t at = names->at;
	enum tf_code rc = tf_past_getattr(v, size_of(dot), fs_past_node(dot),
	    &dir, err);

	for (; rc == TF_OK && fs_row_next_past(&dir, &at, &name); at++)
		if (fs_row_past(&dir, (unsigned)at, &row, NULL) == TF_OK &&
		    check_has(v, dot, row, NULL) == TF_OK &&
		    !names->add(names->arg, at, name, dot, S_IFREG))
			break;
	return rc;
}

/* at itself lists nothing: each moment of the ledger is in it. */
static enum tf_code
list(struct tf_vault *v, uint64_t ino, const struct fs_names *names,
    struct tf_error *err)
{
	if (fs_control_kind(ino) == FS_KIND_AT)
		return TF_OK;
	return fs_past_is_node(ino) ? list_names(v, ino, names, err) :
				      list_files(v, ino, names, err);
}

const struct fs_tree fs_past_tree = {
	.first = FS_KIND_AT,
	.last = FS_KIND_PAST_LAST,
	.final = false,
	.top = top,
	.is_dir = is_dir,
	.lookup_for = lookup,
	.parent = parent_of,
	.stat = stat_past,
	.write_for = write_file,
	.view = view_at,
	.list = list,
};
