/*
 * The control files of the root about anchors: the settable file anchor, and
 * what was recorded.  cosigned/ and stamps/ have a file for each anchor.
 *
 * Node ids, below the kind: 0 for a directory, the number of the entry
 * anchor.added for a file.  The bytes of an anchor never change.
 */
#include "control_anchor.h"

#include "control_tree.h"
#include "core/anchor.h"
#include "fs.h"

/* --- the settable file ---------------------------------------------------- */

static enum tf_code
load(struct tf_vault *v, uint64_t dir, const char *name, struct tf_buf *out,
    struct tf_error *err)
{
	(void)v;
	(void)dir;
	(void)name;
	(void)out;
	return tf_fail(err, TF_NOTFOUND, "requests are not kept");
}

static enum tf_code
save(struct tf_vault *v, uint64_t dir, const char *name, const void *p,
    size_t n, const struct tf_actor *who, struct tf_buf *warnings,
    struct tf_error *err)
{
	(void)dir;
	(void)name;
	(void)warnings;
	return tf_vault_anchor_json(v, p, n, who, err);
}

const struct fs_settable fs_anchor_settable = { .max = TF_ANCHOR_REQUEST_MAX,
	.mode = 0600,
	.by = FS_SET_BY_TRAIL,
	.load = load,
	.save = save };

enum tf_code
fs_anchor_empty(struct tf_vault *v, uint64_t dir, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	(void)v;
	(void)dir;
	(void)asker;
	(void)out;
	(void)err;
	return TF_OK;
}

/* --- what was recorded ---------------------------------------------------- */

enum tf_code
fs_anchors(struct tf_vault *v, uint64_t dir, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	(void)dir;
	(void)asker;
	return tf_vault_anchors(v, out, err);
}

enum tf_code
fs_cosigned(struct tf_vault *v, uint64_t dir, const struct tf_asker *asker,
    struct tf_buf *out, struct tf_error *err)
{
	(void)dir;
	(void)asker;
	return tf_vault_cosigned(v, out, err);
}

enum tf_code
fs_has_cosigned(struct tf_vault *v, const struct tf_attr *dir,
    struct tf_error *err)
{
	struct tf_buf note = { 0 };
	enum tf_code rc = tf_vault_cosigned(v, &note, err);

	(void)dir;
	tf_buf_free(&note);
	return rc;
}

/* --- cosigned/ and stamps/ ------------------------------------------------ */

static bool
is_stamps(uint64_t ino)
{
	return fs_control_kind(ino) >= FS_KIND_STAMPS_DIR;
}

static bool
is_dir(uint64_t ino)
{
	return fs_control_kind(ino) == FS_KIND_COSIGNED_DIR ||
	    fs_control_kind(ino) == FS_KIND_STAMPS_DIR;
}

/* A kind for each part of a stamp. */
static enum tf_anchor_part
part_of(uint64_t ino)
{
	return is_stamps(ino) ? fs_control_kind(ino) - FS_KIND_STAMP :
				TF_ANCHOR_BYTES;
}

static uint64_t
file_id(bool stamps, uint64_t seq, enum tf_anchor_part part)
{
	return fs_control_id(stamps ? FS_KIND_STAMP + part : FS_KIND_COSIGNED,
	    seq);
}

static uint64_t
top_cosigned(uint64_t dir)
{
	(void)dir; /* the root */
	return fs_control_id(FS_KIND_COSIGNED_DIR, 0);
}

static uint64_t
top_stamps(uint64_t dir)
{
	(void)dir; /* the root */
	return fs_control_id(FS_KIND_STAMPS_DIR, 0);
}

static enum tf_code
lookup(struct tf_vault *v, uint64_t parent, const char *name, uint64_t *ino,
    struct tf_error *err)
{
	enum tf_anchor_part part;
	uint64_t seq;
	enum tf_code rc = tf_vault_anchor_find(v, is_stamps(parent), name, &seq,
	    &part, err);

	if (rc == TF_OK)
		*ino = file_id(is_stamps(parent), seq, part);
	return rc;
}

static enum tf_code
parent(struct tf_vault *v, uint64_t ino, uint64_t *out, struct tf_error *err)
{
	(void)v;
	(void)err;
	*out = is_dir(ino) ? fs_control_id(FS_KIND_DIR, TF_ROOT_ID) :
	    is_stamps(ino) ? top_stamps(TF_ROOT_ID) :
			     top_cosigned(TF_ROOT_ID);
	return TF_OK;
}

static enum tf_code
render(struct tf_vault *v, uint64_t ino, struct tf_buf *out,
    struct tf_error *err)
{
	return tf_vault_anchor_read(v, ino & FS_ID_MASK, part_of(ino), out,
	    err);
}

static enum tf_code
stat_anchor(struct tf_vault *v, uint64_t ino, struct stat *st,
    struct tf_error *err)
{
	struct tf_attr root;
	struct tf_buf bytes = { 0 };
	enum tf_code rc = tf_vault_getattr(v, TF_ROOT_ID, &root, err);

	/* The kernel caches the size, which is final. */
	if (rc == TF_OK && !is_dir(ino))
		rc = render(v, ino, &bytes, err);
	if (rc == TF_OK) {
		fs_tree_stat(&root, ino, is_dir(ino), st);
		st->st_nlink = 1;
		st->st_size = (off_t)bytes.n;
	}
	tf_buf_free(&bytes);
	return rc;
}

struct listing {
	const struct fs_names *names;
	bool stamps;
};

/* The place of a name is made of the number of its entry and the part. */
#define PARTS 3

static bool
add(void *arg, uint64_t seq, enum tf_anchor_part part, const char *name)
{
	const struct listing *l = arg;
	uint64_t at = seq * PARTS + part;

	return at < l->names->at ||
	    l->names->add(l->names->arg, at, name,
		file_id(l->stamps, seq, part), S_IFREG);
}

static enum tf_code
list(struct tf_vault *v, uint64_t ino, const struct fs_names *names,
    struct tf_error *err)
{
	struct listing l = { names, is_stamps(ino) };

	return tf_vault_anchor_list(v, l.stamps, names->at / PARTS, add, &l,
	    err);
}

const struct fs_tree fs_cosigned_tree = {
	.first = FS_KIND_COSIGNED_DIR,
	.last = FS_KIND_COSIGNED,
	.final = true,
	.top = top_cosigned,
	.is_dir = is_dir,
	.lookup = lookup,
	.parent = parent,
	.stat = stat_anchor,
	.render = render,
	.list = list,
};

const struct fs_tree fs_stamps_tree = {
	.first = FS_KIND_STAMPS_DIR,
	.last = FS_KIND_STAMP_LAST,
	.final = true,
	.top = top_stamps,
	.is_dir = is_dir,
	.lookup = lookup,
	.parent = parent,
	.stat = stat_anchor,
	.render = render,
	.list = list,
};
