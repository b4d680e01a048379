/*
 * The requests on control files: what names mean, what stat(2) shows, who may
 * open what.
 */
#include <stdlib.h>
#include <string.h>

#include "attr.h"
#include "control.h"
#include "control_rows.h"
#include "control_definition.h"
#include "control_i.h"

struct fs_control *
fs_control_new(struct tf_vault *v, const atomic_bool *stop)
{
	struct fs_control *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	fs_missing_forget();
	c->vault = v;
	c->walks = fs_walks_new();
	c->saves = fs_saves_new(v);
	c->snapshots = fs_snapshots_new(v, c->saves, stop);
	if (c->walks == NULL || c->saves == NULL || c->snapshots == NULL) {
		fs_control_free(c);
		return NULL;
	}
	return c;
}

void
fs_control_free(struct fs_control *c)
{
	if (c == NULL)
		return;
	fs_snapshots_free(c->snapshots);
	fs_saves_free(c->saves);
	fs_walks_free(c->walks);
	free(c);
}

bool
fs_control_is(uint64_t ino)
{
	return fs_control_kind(ino) != 0;
}

void
fs_control_close(struct fs_control *c, struct fs_snapshot *s)
{
	fs_snapshot_close(c->snapshots, s);
}

bool
fs_control_drop_packages(struct fs_control *c)
{
	return fs_snapshots_drop_packages(c->snapshots);
}

enum tf_code
fs_control_read(struct fs_control *c, const struct fs_snapshot *s, void *p,
    size_t n, uint64_t off, size_t *got, struct tf_error *err)
{
	return fs_snapshot_read(c->snapshots, s, p, n, off, got, err);
}

/* Set the size of edition ino in *st; 0 if the asker may not open it. */
static enum tf_code
size_of(struct fs_control *c, uint64_t ino, const struct fs_source *from,
    struct stat *st, struct tf_error *err)
{
	struct fs_snapshot *s;
	enum tf_code rc;

	st->st_size = 0;
	rc = fs_snapshot_get(c->snapshots, ino, from, &s, err);
	if (rc != TF_OK)
		return rc == TF_ACCESS ? TF_OK : rc;
	st->st_size = (off_t)fs_snapshot_size(s);
	fs_control_close(c, s);
	return TF_OK;
}

/* The same for a LOOKUP, where the kernel keeps the size that it gets first. */
static enum tf_code
first_size(struct fs_control *c, uint64_t edition, const struct fs_source *from,
    uint64_t *size, struct tf_error *err)
{
	struct fs_snapshot *s;
	enum tf_code rc;

	*size = 0;
	rc = fs_snapshot_get(c->snapshots, edition, from, &s, err);
	if (rc != TF_OK)
		return rc == TF_ACCESS ? TF_OK : rc;
	*size = fs_snapshot_size(s);
	fs_snapshot_tell(c->snapshots, s);
	fs_control_close(c, s);
	return TF_OK;
}

void
fs_control_tell_sizes(struct fs_control *c)
{
	c->tells_sizes = true;
}

/* Set the asker of a file that does not show the same to everybody. */
static void
set_asker(struct fs_source *from, struct fs_asker *asker)
{
	if (from->tree != NULL ? fs_tree_is_for_asker(from->tree) :
				 !from->row->same)
		from->asker = *fs_asker_get(asker);
}

/* The source of file ino for the asker. */
static enum tf_code
source_of(struct fs_control *c, uint64_t ino, struct fs_asker *asker,
    struct fs_source *out, struct tf_error *err)
{
	struct tf_attr dir;
	struct stat st;
	enum tf_code rc;

	*out = (struct fs_source){ .tree = fs_row_tree(ino) };
	if (out->tree != NULL) {
		set_asker(out, asker);
		return out->tree->stat(c->vault, ino, &st, err);
	}
	rc = tf_vault_getattr(c->vault, fs_row_owner(ino), &dir, err);
	if (rc != TF_OK)
		return rc;
	if ((rc = fs_row_of(ino, &dir, &out->row, err)) == TF_OK)
		set_asker(out, asker);
	return rc;
}

/* Can it take long to make, in some vault? */
static bool
is_long(const struct fs_source *from)
{
	const struct fs_row *row = from->row;

	if (from->tree != NULL)
		return fs_tree_is_for_asker(from->tree);
	if (row->last_error ||
	    (row->size != NULL && tf_asker_may_all(&from->asker)))
		return false;
	return row->render == NULL || row->slow;
}

bool
fs_control_takes_long(struct fs_control *c, uint64_t ino,
    struct fs_asker *asker)
{
	struct fs_source from;

	if (fs_row_is_dir(ino) ||
	    source_of(c, ino, asker, &from, NULL) != TF_OK || !is_long(&from))
		return false;
	return !fs_snapshot_is_ready(c->snapshots, ino, &from.asker);
}

enum tf_code
fs_control_open(struct fs_control *c, uint64_t ino, struct fs_asker *asker,
    struct fs_snapshot **out, struct tf_error *err)
{
	struct fs_source from;
	enum tf_code rc = source_of(c, ino, asker, &from, err);

	if (rc == TF_OK)
		rc = fs_snapshot_get(c->snapshots, ino, &from, out, err);
	if (rc == TF_OK && from.row != NULL && from.row->walk)
		fs_walks_begin(c->walks, asker->caller, fs_snapshot_text(*out));
	return rc;
}

enum tf_code
fs_control_evidence(struct fs_control *c, uint64_t ino, struct fs_asker *asker,
    uint64_t parts[TF_REPLAY_PARTS], size_t *n, struct tf_error *err)
{
	return fs_row_tree(ino)->evidence(c->vault, ino, fs_asker_get(asker),
	    parts, n, err);
}

/* --- names --------------------------------------------------------------- */

/* stat(2) of the .trailfs of dir, or of a file of a row in it.  asker NULL: the
 * size does not matter. */
static enum tf_code
stat_row(struct fs_control *c, uint64_t ino, const struct tf_attr *dir,
    struct fs_asker *asker, struct fs_source *from, struct stat *st,
    struct tf_error *err)
{
	enum tf_code rc;

	fs_attr_stat(dir, st);
	st->st_ino = ino;
	if (fs_control_kind(ino) == FS_KIND_DIR) {
		/* Who may write the directory may create settable files. */
		st->st_mode = S_IFDIR |
		    ((fs_row_any_settable(dir) ? 0775 : 0555) & dir->mode);
		return TF_OK;
	}
	if ((rc = fs_row_of(ino, dir, &from->row, err)) != TF_OK)
		return rc;
	if (asker != NULL)
		set_asker(from, asker);
	st->st_mode = S_IFREG | (from->row->mode & dir->mode);
	st->st_nlink = 1;
	st->st_size = -1;
	if (from->row->set == NULL)
		return TF_OK;
	return fs_settable_stat(c->vault, from->row->set, dir, st, err);
}

/* stat(2) of a file that is being written, as its last writer sees it. */
static enum tf_code
stat_save(struct fs_control *c, uint64_t ino, const struct fs_target *t,
    uint64_t size, struct stat *st, struct tf_error *err)
{
	struct tf_attr dir;
	enum tf_code rc = tf_vault_getattr(c->vault, t->dir, &dir, err);

	if (rc != TF_OK)
		return rc;
	fs_attr_stat(&dir, st);
	st->st_ino = ino;
	st->st_nlink = 1;
	st->st_size = (off_t)size;
	return fs_settable_stat(c->vault, t->set, &dir, st, err);
}

/* Promise an edition that nobody is writing. */
static enum tf_code
promise(struct fs_control *c, uint64_t ino, const struct fs_source *from,
    uint64_t *edition, uint64_t *size, struct tf_error *err)
{
	struct fs_target t;
	uint64_t written;
	enum tf_code rc;

	while ((rc = fs_snapshot_promise(c->snapshots, ino, from, edition, size,
		    err)) == TF_OK &&
	    fs_saves_find(c->saves, *edition, &t, &written))
		fs_snapshots_retire(c->snapshots, *edition, from);
	return rc;
}

/* Make the content now.  TF_NOTFOUND if there is none for this asker. */
static enum tf_code
make_found(struct fs_control *c, uint64_t edition, const struct fs_source *from,
    uint64_t *size, struct tf_error *err)
{
	struct fs_snapshot *s;
	enum tf_code rc = fs_snapshot_get(c->snapshots, edition, from, &s, err);

	if (rc != TF_OK)
		return rc;
	*size = fs_snapshot_size(s);
	fs_control_close(c, s);
	return *size > 0 ? TF_OK :
			   tf_fail(err, TF_NOTFOUND, "no such control file");
}

enum tf_code
fs_control_stat(struct fs_control *c, uint64_t ino, struct fs_asker *asker,
    uint64_t *edition, struct stat *st, struct tf_error *err)
{
	struct fs_source from = { .tree = fs_row_tree(ino) };
	struct fs_target target;
	uint64_t size = 0;
	struct tf_attr dir;
	enum tf_code rc;

	if (edition == NULL && fs_saves_find(c->saves, ino, &target, &size)) {
		rc = stat_save(c, ino, &target, size, st, err);
	} else if (from.tree != NULL) {
		set_asker(&from, asker);
		rc = from.tree->stat(c->vault, ino, st, err);
	} else {
		rc = tf_vault_getattr(c->vault, fs_row_owner(ino), &dir, err);
		if (rc == TF_OK)
			rc = stat_row(c, ino, &dir, asker, &from, st, err);
	}
	if (edition != NULL)
		*edition = ino;
	if (rc == TF_OK && edition != NULL && fs_row_has_editions(ino)) {
		rc = promise(c, ino, &from, edition, &size, err);
		if (rc == TF_OK && from.tree != NULL && from.tree->hides)
			rc = make_found(c, *edition, &from, &size, err);
		else if (rc == TF_OK && c->tells_sizes)
			rc = first_size(c, *edition, &from, &size, err);
		st->st_size = (off_t)size;
	} else if (rc == TF_OK && st->st_size < 0) {
		rc = size_of(c, ino, &from, st, err);
	}
	st->st_ino = fs_row_base(ino);
	if (rc == TF_OK)
		st->st_blocks = (st->st_size + 511) / 512;
	return rc;
}

/* May members of admins= set file ino of a tree, or create files in it? */
static bool
tree_is_administered(struct fs_control *c, const struct fs_tree *tree,
    uint64_t ino)
{
	struct fs_target t;

	if (tree->is_dir(ino))
		return tree->create != NULL;
	return tree->target != NULL &&
	    tree->target(c->vault, ino, &t, NULL) == TF_OK &&
	    t.set->administers;
}

enum tf_code
fs_control_mode(struct fs_control *c, uint64_t ino, struct stat *st,
    enum fs_admin *admin, struct tf_error *err)
{
	struct fs_source from = { .tree = fs_row_tree(ino) };
	struct fs_target t;
	struct tf_attr dir;
	uint64_t size;
	bool writes = false;
	enum tf_code rc;

	if (fs_saves_find(c->saves, ino, &t, &size)) {
		rc = stat_save(c, ino, &t, size, st, err);
		writes = t.set->administers;
	} else if (from.tree != NULL) {
		rc = from.tree->stat(c->vault, ino, st, err);
		writes = rc == TF_OK && tree_is_administered(c, from.tree, ino);
	} else {
		rc = tf_vault_getattr(c->vault, fs_row_owner(ino), &dir, err);
		if (rc == TF_OK)
			rc = stat_row(c, ino, &dir, NULL, &from, st, err);
		/* The .trailfs of a trail: its template does not exist yet. */
		writes = rc == TF_OK &&
		    (from.row == NULL ? dir.kind == TF_KIND_TRAIL :
					from.row->set != NULL &&
				from.row->set->administers);
	}
	*admin = writes ? FS_ADMIN_WRITES : FS_ADMIN_READS;
	return rc;
}

/* The directory of the vault that parent is the .trailfs of.  It is sealed
 * first if it is closed and name asks for what the seal makes. */
static enum tf_code
directory_of(struct fs_control *c, uint64_t parent, const char *name,
    struct tf_attr *dir, struct tf_error *err)
{
	enum tf_code rc = tf_vault_getattr(c->vault, fs_row_owner(parent), dir,
	    err);

	if (rc != TF_OK || dir->state != TF_STATE_OPEN ||
	    !fs_control_is(parent) || !fs_row_asks_for_seal(dir, name))
		return rc;
	if ((rc = tf_vault_finish(c->vault, dir->id, err)) != TF_OK)
		return rc;
	return tf_vault_getattr(c->vault, dir->id, dir, err);
}

/* TF_NOTFOUND if dir has no file of row ino yet. */
static enum tf_code
check_exists(struct fs_control *c, uint64_t ino, const struct tf_attr *dir,
    struct tf_error *err)
{
	const struct fs_row *row;

	if (fs_row_tree(ino) != NULL ||
	    fs_row_of(ino, dir, &row, NULL) != TF_OK || row->exists == NULL)
		return TF_OK;
	return row->exists(c->vault, dir, err);
}

enum tf_code
fs_control_lookup(struct fs_control *c, uint64_t parent, const char *name,
    uint32_t uid, uint64_t *ino, struct tf_error *err)
{
	const struct fs_tree *tree = fs_row_tree(parent);
	struct tf_attr dir;
	enum tf_code rc;

	if (fs_control_is(parent) && !fs_row_is_dir(parent))
		return tf_fail(err, TF_NOTDIR, "not a directory");
	if (tree != NULL && tree->lookup_for != NULL)
		return tree->lookup_for(c->vault, parent, name, uid, ino, err);
	if (tree != NULL)
		return tree->lookup(c->vault, parent, name, ino, err);
	rc = directory_of(c, parent, name, &dir, err);
	if (rc != TF_OK)
		return rc;
	if (dir.kind == TF_KIND_EVIDENCE)
		return tf_fail(err, TF_NOTDIR, "not a directory");
	*ino = fs_control_id(FS_KIND_DIR, dir.id);
	if (!fs_control_is(parent))
		return TF_OK;
	rc = fs_row_find(&dir, name, ino, err);
	if (rc == TF_NOTFOUND && dir.kind == TF_KIND_TRAIL)
		return fs_definition_find(c->vault, dir.id, name, ino, err);
	return rc == TF_OK ? check_exists(c, *ino, &dir, err) : rc;
}

enum tf_code
fs_control_parent(struct fs_control *c, uint64_t ino, uint64_t *parent,
    struct tf_error *err)
{
	const struct fs_tree *tree = fs_row_tree(ino);

	if (tree != NULL)
		return tree->parent(c->vault, ino, parent, err);
	*parent = fs_row_owner(ino);
	if (fs_control_kind(ino) != FS_KIND_DIR)
		*parent = fs_control_id(FS_KIND_DIR, *parent);
	return TF_OK;
}

#define AFTER_ROWS 256 /* more than there are rows */

enum tf_code
fs_control_list(struct fs_control *c, uint64_t ino, uint64_t caller,
    uint64_t at, fs_control_add add, void *arg, struct tf_error *err)
{
	const struct fs_tree *tree = fs_row_tree(ino);
	struct fs_names names = { at, caller, c->walks, add, arg };
	struct tf_attr dir;
	const char *name;
	uint64_t id;
	enum tf_code rc;

	if (!fs_row_is_dir(ino))
		return tf_fail(err, TF_NOTDIR, "not a directory");
	if (tree != NULL)
		return tree->list(c->vault, ino, &names, err);
	rc = tf_vault_getattr(c->vault, fs_row_owner(ino), &dir, err);
	if (rc != TF_OK)
		return rc;
	/* The place of a name is the number of its row. */
	for (; fs_row_next(&dir, &at, &name, &id); at++)
		if (check_exists(c, id, &dir, NULL) == TF_OK &&
		    !add(arg, at, name, id,
			fs_row_is_dir(id) ? S_IFDIR : S_IFREG))
			return TF_OK;
	return dir.kind == TF_KIND_TRAIL ?
	    fs_definition_list(c->vault, dir.id, AFTER_ROWS, &names, err) :
	    TF_OK;
}
