/*
 * Recordings of terminal sessions: .trailfs/replay of an attestation has
 * PATH.html for each sealed file PATH of the attestation that is a recording
 * (core/page.h), a page that replays it.
 *
 * Node ids, below the kind: the id of the evidence file, or of the directory
 * (the attestation for the topmost) whose pages a directory holds.
 *
 * If a directory has the name that a page would have, the name means the
 * directory.  Listings name the pages of all recordings; a page that the asker
 * may not have, because a part of the recording is not readable, does not exist
 * for that asker when it is opened.
 */
#include <stdio.h>
#include <string.h>

#include "control_tree.h"
#include "core/control.h"
#include "core/page.h"
#include "fs.h"

#define SUFFIX TF_CONTROL_REPLAY_SUFFIX
#define NAME_LEN TF_CONTROL_NAME_MAX

static uint64_t
top(uint64_t dir)
{
	return fs_control_id(FS_KIND_REPLAY_DIR, dir);
}

static bool
is_dir(uint64_t ino)
{
	return fs_control_kind(ino) == FS_KIND_REPLAY_DIR;
}

static enum tf_code
no_page(struct tf_error *err)
{
	return tf_fail(err, TF_NOTFOUND, "no such page");
}

/* TF_NOTFOUND if evidence id is no recording. */
static enum tf_code
check_page(struct tf_vault *v, uint64_t id, struct tf_error *err)
{
	struct tf_view *w = NULL;
	uint64_t parts[TF_REPLAY_PARTS];
	size_t n = 0;
	enum tf_code rc = tf_view_open(v, NULL, &w, err);

	if (rc == TF_OK)
		rc = tf_view_replay_parts(w, id, parts, &n, err);
	tf_view_close(w);
	return rc == TF_OK && n == 0 ? no_page(err) : rc;
}

static enum tf_code
lookup(struct tf_vault *v, uint64_t parent, const char *name, uint64_t *ino,
    struct tf_error *err)
{
	uint64_t dir = parent & FS_NODE_MASK;
	char file[NAME_LEN + 1];
	struct tf_attr a;
	enum tf_code rc = tf_vault_lookup(v, dir, name, &a, err);

	if (rc == TF_OK && a.kind == TF_KIND_DIRECTORY) {
		*ino = fs_control_id(FS_KIND_REPLAY_DIR, a.id);
		return TF_OK;
	}
	if (rc != TF_OK && rc != TF_NOTFOUND)
		return rc;
	if (!fs_tree_cut(name, SUFFIX, file))
		return no_page(err);
	if ((rc = tf_vault_lookup(v, dir, file, &a, err)) != TF_OK)
		return rc;
	*ino = fs_control_id(FS_KIND_REPLAY, a.id); /* stat checks the rest */
	return TF_OK;
}

static enum tf_code
parent(struct tf_vault *v, uint64_t ino, uint64_t *out, struct tf_error *err)
{
	return fs_tree_parent(v, ino, FS_KIND_REPLAY_DIR, out, err);
}

/* A user who may read a recording may read its page. */
static enum tf_code
stat_replay(struct tf_vault *v, uint64_t ino, struct stat *st,
    struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_getattr(v, ino & FS_NODE_MASK, &a, err);

	if (rc != TF_OK)
		return rc;
	if (is_dir(ino) && a.kind != TF_KIND_ATTESTATION &&
	    a.kind != TF_KIND_DIRECTORY)
		return no_page(err);
	if (!is_dir(ino) &&
	    (rc = check_page(v, ino & FS_NODE_MASK, err)) != TF_OK)
		return rc;
	fs_tree_stat(&a, ino, is_dir(ino), st);
	return TF_OK;
}

static enum tf_code
write_page(struct tf_view *w, uint64_t ino, const struct tf_sink *out,
    struct tf_error *err)
{
	return tf_view_replay(w, ino & FS_NODE_MASK, NULL, out, err);
}

static enum tf_code
evidence(struct tf_vault *v, uint64_t ino, const struct tf_asker *asker,
    uint64_t parts[TF_REPLAY_PARTS], size_t *n, struct tf_error *err)
{
	struct tf_view *w = NULL;
	enum tf_code rc = tf_view_open(v, asker, &w, err);

	*n = 0;
	if (rc == TF_OK)
		rc = tf_view_replay_parts(w, ino & FS_NODE_MASK, parts, n, err);
	tf_view_close(w);
	return rc;
}

/* Add the name, if any, of entry e in dir.  False: the listing is full. */
static bool
add(struct tf_vault *v, uint64_t dir, const struct tf_dirent *e,
    const struct fs_names *names)
{
	char name[NAME_LEN + 1];
	struct tf_attr a;
	int n;

	if (e->attr.kind == TF_KIND_DIRECTORY)
		return names->add(names->arg, e->attr.id, e->name,
		    fs_control_id(FS_KIND_REPLAY_DIR, e->attr.id), S_IFDIR);
	if (e->attr.state != TF_STATE_SEALED ||
	    !tf_replay_has_name((struct tf_str){ e->name, strlen(e->name) }) ||
	    check_page(v, e->attr.id, NULL) != TF_OK)
		return true;
	n = snprintf(name, sizeof name, "%s" SUFFIX, e->name);
	if (n < 0 || (size_t)n >= sizeof name ||
	    (tf_vault_lookup(v, dir, name, &a, NULL) == TF_OK &&
		a.kind == TF_KIND_DIRECTORY))
		return true;
	return names->add(names->arg, e->attr.id, name,
	    fs_control_id(FS_KIND_REPLAY, e->attr.id), S_IFREG);
}

static enum tf_code
list(struct tf_vault *v, uint64_t ino, const struct fs_names *names,
    struct tf_error *err)
{
	return fs_tree_list(v, ino & FS_NODE_MASK, names, add, err);
}

const struct fs_tree fs_replay_tree = {
	.first = FS_KIND_REPLAY_DIR,
	.last = FS_KIND_REPLAY,
	.final = false,
	.top = top,
	.is_dir = is_dir,
	.lookup = lookup,
	.parent = parent,
	.stat = stat_replay,
	.write_for = write_page,
	.evidence = evidence,
	.list = list,
};
