/*
 * Proofs: .trailfs/proof of an attestation has PATH.tlog-proof for each sealed
 * file PATH of the attestation.  A name that is too long for the suffix is cut
 * off, and '~' and the inode number of the file are put before the suffix.
 *
 * Node ids, below the kind: the id of the evidence file, or of the directory
 * (the attestation for the topmost) whose proofs a directory holds.
 *
 * A proof leads to the newest checkpoint, so its bytes change with the log.
 * If a directory has the name that a proof would have, the name means the
 * directory.  If a cut name equals the name of another proof, it means that
 * other proof.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control_tree.h"
#include "core/control.h"
#include "fs.h"

#define SUFFIX TF_CONTROL_PROOF_SUFFIX
#define NAME_LEN TF_CONTROL_NAME_MAX

static uint64_t
top(uint64_t dir)
{
	return fs_control_id(FS_KIND_PROOF_DIR, dir);
}

static bool
is_dir(uint64_t ino)
{
	return fs_control_kind(ino) == FS_KIND_PROOF_DIR;
}

static bool
has_proof(const struct tf_attr *a)
{
	return a->kind == TF_KIND_EVIDENCE && a->state == TF_STATE_SEALED;
}

/* Is name a directory in dir? */
static enum tf_code
find_dir(struct tf_vault *v, uint64_t dir, const char *name, uint64_t *id,
    struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_lookup(v, dir, name, &a, err);

	if (rc == TF_OK && a.kind != TF_KIND_DIRECTORY)
		rc = tf_fail(err, TF_NOTFOUND, "no such directory");
	if (rc == TF_OK)
		*id = a.id;
	return rc;
}

/* The file in dir whose proof has the cut name `name`. */
static enum tf_code
find_cut(struct tf_vault *v, uint64_t dir, const char *name, struct tf_attr *a,
    struct tf_error *err)
{
	const char *tilde = strrchr(name, '~'), *last;
	char its[NAME_LEN + 1] = "", *end;
	struct tf_buf path = { 0 };
	enum tf_code rc = TF_NOTFOUND;
	uint64_t id = tilde == NULL ? 0 : strtoull(tilde + 1, &end, 10);

	if (id > 0 && id <= FS_ID_MASK && strcmp(end, SUFFIX) == 0)
		rc = tf_vault_getattr(v, id, a, err);
	if (rc == TF_OK && a->parent == dir)
		rc = tf_vault_path(v, id, &path, err);
	tf_buf_add(&path, "", 1);
	if (rc == TF_OK && path.failed)
		rc = tf_nomem(err);
	if (rc == TF_OK) {
		last = strrchr(path.p, '/');
		last = last == NULL ? path.p : last + 1;
		if (tf_control_proof_is_cut(last))
			tf_control_proof_name(last, id, its);
	}
	tf_buf_free(&path);
	if (rc == TF_OK ? strcmp(its, name) != 0 : rc == TF_NOTFOUND)
		rc = tf_fail(err, TF_NOTFOUND, "no such proof");
	return rc;
}

static enum tf_code
lookup(struct tf_vault *v, uint64_t parent, const char *name, uint64_t *ino,
    struct tf_error *err)
{
	uint64_t dir = parent & FS_NODE_MASK, id;
	char file[NAME_LEN + 1];
	struct tf_attr a;
	enum tf_code rc = find_dir(v, dir, name, &id, err);

	if (rc == TF_OK) {
		*ino = fs_control_id(FS_KIND_PROOF_DIR, id);
		return TF_OK;
	}
	if (rc != TF_NOTFOUND)
		return rc;
	if (!fs_tree_cut(name, SUFFIX, file))
		return tf_fail(err, TF_NOTFOUND, "no such proof");
	rc = tf_vault_lookup(v, dir, file, &a, err);
	if (rc == TF_NOTFOUND)
		rc = find_cut(v, dir, name, &a, err);
	if (rc != TF_OK)
		return rc;
	*ino = fs_control_id(FS_KIND_PROOF,
	    a.id); /* stat checks that it has a proof */
	return TF_OK;
}

static enum tf_code
parent(struct tf_vault *v, uint64_t ino, uint64_t *out, struct tf_error *err)
{
	return fs_tree_parent(v, ino, FS_KIND_PROOF_DIR, out, err);
}

/* A user who may read a file may read its proof. */
static enum tf_code
stat_proof(struct tf_vault *v, uint64_t ino, struct stat *st,
    struct tf_error *err)
{
	struct tf_attr a;
	enum tf_code rc = tf_vault_getattr(v, ino & FS_NODE_MASK, &a, err);

	if (rc != TF_OK)
		return rc;
	if (is_dir(ino) ?
		a.kind != TF_KIND_ATTESTATION && a.kind != TF_KIND_DIRECTORY :
		!has_proof(&a))
		return tf_fail(err, TF_NOTFOUND, "no such proof");
	fs_tree_stat(&a, ino, is_dir(ino), st);
	return TF_OK;
}

static enum tf_code
render(struct tf_vault *v, uint64_t ino, struct tf_buf *out,
    struct tf_error *err)
{
	return tf_vault_prove(v, ino & FS_NODE_MASK, out, err);
}

/* Add the name, if any, of entry e in dir.  False: the listing is full. */
static bool
add(struct tf_vault *v, uint64_t dir, const struct tf_dirent *e,
    const struct fs_names *names)
{
	char name[NAME_LEN + 1], file[NAME_LEN + 1];
	struct tf_attr a;
	uint64_t id;

	if (e->attr.kind == TF_KIND_DIRECTORY)
		return names->add(names->arg, e->attr.id, e->name,
		    fs_control_id(FS_KIND_PROOF_DIR, e->attr.id), S_IFDIR);
	if (!has_proof(&e->attr))
		return true;
	tf_control_proof_name(e->name, e->attr.id, name);
	if (find_dir(v, dir, name, &id, NULL) == TF_OK)
		return true;
	if (tf_control_proof_is_cut(e->name) &&
	    fs_tree_cut(name, SUFFIX, file) &&
	    tf_vault_lookup(v, dir, file, &a, NULL) == TF_OK)
		return true;
	return names->add(names->arg, e->attr.id, name,
	    fs_control_id(FS_KIND_PROOF, e->attr.id), S_IFREG);
}

static enum tf_code
list(struct tf_vault *v, uint64_t ino, const struct fs_names *names,
    struct tf_error *err)
{
	return fs_tree_list(v, ino & FS_NODE_MASK, names, add, err);
}

const struct fs_tree fs_proof_tree = {
	.first = FS_KIND_PROOF_DIR,
	.last = FS_KIND_PROOF,
	.final = false,
	.top = top,
	.is_dir = is_dir,
	.lookup = lookup,
	.parent = parent,
	.stat = stat_proof,
	.render = render,
	.list = list,
};
