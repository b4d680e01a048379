/* Requests that write settable control files. */
#include <stdio.h>
#include <string.h>

#include "attr.h"
#include "control_i.h"
#include "core/control.h"

enum tf_code
fs_settable_stat(struct tf_vault *v, const struct fs_settable *set,
    const struct tf_attr *dir, struct stat *st, struct tf_error *err)
{
	struct tf_attr above;
	enum tf_code rc;

	if (set->by == FS_SET_BY_WRITERS) {
		st->st_mode = S_IFREG | (set->mode & dir->mode);
		return TF_OK;
	}
	if (set->by == FS_SET_BY_ANYONE) { /* core decides */
		st->st_mode = S_IFREG | (set->mode & (dir->mode | 0222));
		return TF_OK;
	}
	if ((rc = fs_settable_above(v, set, dir, &above, err)) != TF_OK)
		return rc;
	/* Its owner may write it, also when the directory is sealed. */
	st->st_mode = S_IFREG | (set->mode & (above.mode | 0600));
	st->st_uid = above.uid;
	st->st_gid = above.gid;
	return TF_OK;
}

/* --- what is settable ---------------------------------------------------- */

static enum tf_code
not_settable(struct tf_error *err)
{
	return tf_fail(err, TF_DENIED,
	    TF_CONTROL_DIR " is not changed by hand");
}

static enum tf_code
row_target(const struct tf_attr *dir, const struct fs_row *row,
    struct fs_target *out, struct tf_error *err)
{
	if (row->set == NULL)
		return not_settable(err);
	*out = (struct fs_target){ .set = row->set, .dir = dir->id };
	snprintf(out->label, sizeof out->label, "%s", row->name);
	return TF_OK;
}

static enum tf_code
target_of(struct fs_control *c, uint64_t ino, struct fs_target *out,
    struct tf_error *err)
{
	const struct fs_tree *tree = fs_row_tree(ino);
	const struct fs_row *row;
	struct tf_attr dir;
	uint64_t size;
	enum tf_code rc;

	if (fs_saves_find(c->saves, ino, out, &size))
		return TF_OK;
	if (fs_row_is_dir(ino) || (tree != NULL && tree->target == NULL))
		return not_settable(err);
	if (tree != NULL)
		return tree->target(c->vault, ino, out, err);
	rc = tf_vault_getattr(c->vault, fs_row_owner(ino), &dir, err);
	if (rc == TF_OK)
		rc = fs_row_of(ino, &dir, &row, err);
	return rc == TF_OK ? row_target(&dir, row, out, err) : rc;
}

enum tf_code
fs_control_settable(struct fs_control *c, uint64_t ino, struct tf_error *err)
{
	const struct fs_tree *tree = fs_row_tree(ino);
	struct fs_target t;

	if (tree != NULL && tree->create != NULL && tree->is_dir(ino))
		return TF_OK;
	return target_of(c, ino, &t, err);
}

/* A name that trailfs does not know, for example that of the temporary file of
 * an editor. */
static enum tf_code
no_such_file(struct tf_error *err)
{
	return tf_fail(err, TF_DENIED,
	    "no such control file: write the file itself, not another one to "
	    "rename");
}

/* The file name in directory parent, which is to be created. */
static enum tf_code
new_target(struct fs_control *c, uint64_t parent, const char *name,
    uint64_t *ino, struct fs_target *out, struct tf_error *err)
{
	const struct fs_tree *tree = fs_row_tree(parent);
	const struct fs_row *row;
	struct tf_attr dir;
	enum tf_code rc;

	if (tree != NULL)
		return tree->create == NULL ?
		    no_such_file(err) :
		    tree->create(c->vault, parent, name, ino, out, err);
	rc = tf_vault_getattr(c->vault, fs_row_owner(parent), &dir, err);
	if (rc != TF_OK)
		return rc;
	if (fs_row_find(&dir, name, ino, NULL) != TF_OK ||
	    fs_row_of(*ino, &dir, &row, NULL) != TF_OK)
		return no_such_file(err);
	return row_target(&dir, row, out, err);
}

/* --- requests ------------------------------------------------------------ */

enum tf_code
fs_control_open_save(struct fs_control *c, uint64_t ino, bool empty,
    const struct tf_actor *who, struct fs_save **out, struct tf_error *err)
{
	struct fs_target t;
	enum tf_code rc = target_of(c, ino, &t, err);

	/* The kernel keeps the size that the writer gives it. */
	if (rc == TF_OK && c->tells_sizes)
		fs_snapshots_retire_all(c->snapshots, ino);
	return rc == TF_OK ?
	    fs_save_open(c->saves, ino, &t, empty, who, out, err) :
	    rc;
}

enum tf_code
fs_control_create(struct fs_control *c, uint64_t parent, const char *name,
    const struct tf_actor *who, uint64_t *ino, struct fs_save **out,
    struct tf_error *err)
{
	struct fs_target t;
	enum tf_code rc = new_target(c, parent, name, ino, &t, err);

	return rc == TF_OK ?
	    fs_save_open(c->saves, *ino, &t, true, who, out, err) :
	    rc;
}

enum tf_code
fs_control_may_create(struct fs_control *c, uint64_t parent, const char *name,
    const struct tf_asker *who, struct tf_error *err)
{
	struct fs_target t;
	struct tf_attr dir;
	uint64_t ino;
	enum tf_code rc = new_target(c, parent, name, &ino, &t, err);

	if (rc != TF_OK || t.set->administers)
		return rc;
	rc = tf_vault_getattr(c->vault, t.dir, &dir, err);
	if (rc == TF_OK && !tf_asker_may(who, &dir, TF_MAY_WRITE))
		rc = tf_fail(err, TF_ACCESS,
		    "only who may write the directory may");
	return rc;
}

enum tf_code
fs_control_resize(struct fs_control *c, uint64_t ino, uint64_t size,
    const struct tf_actor *who, struct tf_error *err)
{
	struct fs_save *s;
	enum tf_code rc = fs_control_open_save(c, ino, false, who, &s, err);

	if (rc != TF_OK)
		return rc;
	rc = fs_save_resize(c->saves, s, size, err);
	if (rc == TF_OK)
		rc = fs_save_flush(c->saves, s, err);
	fs_save_close(c->saves, s);
	return rc;
}

struct fs_saves *
fs_control_saves(struct fs_control *c)
{
	return c->saves;
}
