/*
 * Names: look up, create, remove, rename.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "attr.h"
#include "await.h"
#include "control.h"
#include "control_past.h"
#include "core/control.h"
#include "loop.h"
#include "ops.h"
#include "report.h"
#include "request.h"
#include "worker.h"

/* begun: of fs_lease_begin, before a was read. */
static void
reply_entry(fuse_req_t req, const struct tf_attr *a, unsigned begun)
{
	struct fs *fs = fs_of(req);
	struct fuse_entry_param e;

	fs_attr_entry(fs, a, &e);
	if (a->kind == TF_KIND_DIRECTORY)
		e.entry_timeout = fs_lease_grant(&fs->lease, begun);
	fuse_reply_entry(req, &e);
}

#define FS_PAST_TIMEOUT_S 86400.0

/* --- LOOKUP -------------------------------------------------------------- */

static const struct fs_operation looks_up = { .name = "look up",
	.awaits = FS_AWAIT_NAME };
/* Control files show what is frozen, so these wait for all releases. */
static const struct fs_operation looks_up_control = { .name = "look up",
	.awaits = FS_AWAIT_ALL };

/* Answer with control file ino, in the state that it has now. */
static void
reply_control(fuse_req_t req, uint64_t ino, struct fs_request *r)
{
	struct fuse_entry_param e;
	struct fs_asker who;
	struct stat st;
	uint64_t edition = 0;
	enum tf_code rc;

	fs_asker_of(req, &who);
	rc = fs_control_stat(r->fs->control, ino, &who, &edition, &st, &r->err);
	fs_asker_free(&who);
	fs_worker_answers(req);
	if (fs_request_failed(r, rc))
		return;
	fs_attr_control_entry(r->fs, &st, &e);
	e.ino = edition;
	fuse_reply_entry(req, &e);
}

/* The same in a thread of worker.c, where the content may be made. */
static void
reply_made(fuse_req_t req, uint64_t ino)
{
	static const struct fs_operation op = { .name = "look up" };
	struct fs_request r;

	if (fs_request_begin(&r, req, &op, ino, NULL))
		reply_control(req, ino, &r);
}

static void
lookup_control(fuse_req_t req, uint64_t parent, const char *name)
{
	struct fs_request r;
	uint64_t ino = 0;
	enum tf_code rc;

	fs_loop_hand_over();
	if (!fs_request_begin(&r, req, &looks_up_control, parent, name))
		return;
	rc = fs_control_lookup(r.fs->control, parent, name,
	    fuse_req_ctx(req)->uid, &ino, &r.err);
	if (rc != TF_OK)
		(void)fs_request_failed(&r, rc);
	else if (r.fs->streams) /* to know its size takes making it */
		fs_worker_if_long(r.fs, req, ino, reply_made);
	else
		reply_control(req, ino, &r);
}

/* A name of .trailfs/at, of a directory or evidence: its node keeps it for ever,
 * but who may read that changes with the node of today, so the kernel has the
 * attributes on lease: see set_attributes() in ops_meta.c. */
static void
lookup_past(fuse_req_t req, uint64_t parent, const char *name)
{
	static const struct fs_operation op = { .name = "look up" };
	struct fuse_entry_param e = { .generation = 1,
		.entry_timeout = FS_PAST_TIMEOUT_S };
	struct fs_request r;
	unsigned begun;
	uint64_t ino;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, parent, name))
		return;
	begun = fs_lease_begin(&r.fs->past);
	rc = fs_past_lookup(r.fs->vault, parent, name, &ino, &e.attr, &r.err);
	if (fs_request_failed(&r, rc))
		return;
	e.ino = ino;
	e.attr_timeout = fs_lease_grant(&r.fs->past, begun);
	fs_roles_mark(&r.fs->roles, &e.attr);
	fuse_reply_entry(req, &e);
}

/* The entry of node ino, of .trailfs or of the vault. */
static enum tf_code
entry_of(struct fs_request *r, uint64_t ino, struct fuse_entry_param *e)
{
	struct fs_asker who;
	struct stat st;
	struct tf_attr a;
	enum tf_code rc;

	if (fs_control_is(ino)) {
		fs_asker_of(r->req, &who);
		rc = fs_control_stat(r->fs->control, ino, &who, NULL, &st,
		    &r->err);
		fs_asker_free(&who);
		if (rc == TF_OK)
			fs_attr_control_entry(r->fs, &st, e);
		return rc;
	}
	if ((rc = tf_vault_getattr(r->fs->vault, ino, &a, &r->err)) == TF_OK)
		fs_attr_entry(r->fs, &a, e);
	return rc;
}

/* "." and "..", which only an NFS server looks up. */
static void
lookup_dots(fuse_req_t req, uint64_t ino, bool up)
{
	struct fuse_entry_param e;
	struct fs_request r;
	struct tf_attr a;
	enum tf_code rc = TF_OK;

	fs_loop_hand_over();
	if (!fs_request_begin(&r, req, &looks_up_control, ino, NULL))
		return;
	if (up && fs_control_is(ino)) {
		rc = fs_control_parent(r.fs->control, ino, &ino, &r.err);
	} else if (up) {
		rc = tf_vault_getattr(r.fs->vault, ino, &a, &r.err);
		ino = a.parent;
	}
	if (rc == TF_OK)
		rc = entry_of(&r, ino, &e);
	if (!fs_request_failed(&r, rc))
		fuse_reply_entry(req, &e);
}

void
fs_name_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs_request r;
	struct tf_attr a;
	unsigned begun;
	enum tf_code rc;

	/* The kernel looks a name up before it creates one, too. */
	if (strlen(name) > FS_NAME_MAX) {
		fuse_reply_err(req, ENAMETOOLONG);
		return;
	}
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		lookup_dots(req, parent, name[1] == '.');
		return;
	}
	if (fs_past_is_node(parent) && strcmp(name, TF_CONTROL_DIR) != 0) {
		lookup_past(req, parent, name);
		return;
	}
	if (fs_control_is(parent) || strcmp(name, TF_CONTROL_DIR) == 0) {
		lookup_control(req, parent, name);
		return;
	}
	if (!fs_request_begin(&r, req, &looks_up, parent, name))
		return;
	begun = fs_lease_begin(&r.fs->lease);
	rc = tf_vault_lookup(r.fs->vault, parent, name, &a, &r.err);
	if (!fs_request_failed(&r, rc))
		reply_entry(req, &a, begun);
}

/* --- create -------------------------------------------------------------- */

void
fs_name_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	static const struct fs_operation op = { .name = "mkdir",
		.changes = true,
		.starts = true,
		.actor = FS_ACTOR_HINTS };
	struct fs_request r;
	struct tf_attr a;
	unsigned begun;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, parent, name))
		return;
	begun = fs_lease_begin(&r.fs->lease);
	rc = tf_vault_mkdir(r.fs->vault, parent, name,
	    fs_roles_unmark_new(&r.fs->roles, mode & 07777), &r.who, &a,
	    &r.err);
	if (!fs_request_failed(&r, rc))
		reply_entry(req, &a, begun);
}

/* Refuse a kind of node that trailfs never holds. */
static void
refuse_node(fuse_req_t req, const struct fs_operation *op, uint64_t parent,
    const char *name)
{
	struct fs_request r;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, op, parent, name))
		return;
	rc = tf_vault_refuse(r.fs->vault, parent, name, &r.err);
	fs_request_end(&r, rc != TF_OK ? rc : TF_DENIED);
}

/* Some tools create regular files with mknod(2) and open them afterwards. */
void
fs_name_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    dev_t rdev)
{
	static const struct fs_operation other = { .name = "mknod",
		.changes = true };
	static const struct fs_operation regular = { .name = "mknod",
		.changes = true,
		.starts = true,
		.actor = FS_ACTOR_HINTS };
	struct fs_request r;
	struct tf_attr a;
	struct tf_file *file;
	enum tf_code rc;

	(void)rdev;
	if (!S_ISREG(mode)) {
		refuse_node(req, &other, parent, name);
		return;
	}
	if (!fs_request_begin(&r, req, &regular, parent, name))
		return;
	rc = tf_vault_create(r.fs->vault, parent, name,
	    fs_roles_unmark_new(&r.fs->roles, mode & 07777), &r.who, &a, &file,
	    &r.err);
	if (rc == TF_OK)
		rc = tf_file_close(r.fs->vault, file, &r.err);
	if (!fs_request_failed(&r, rc))
		reply_entry(req, &a, 0); /* no directory */
}

void
fs_name_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
    const char *name)
{
	static const struct fs_operation op = { .name = "symlink",
		.changes = true };

	(void)target;
	refuse_node(req, &op, parent, name);
}

void
fs_name_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
    const char *name)
{
	static const struct fs_operation op = { .name = "link",
		.changes = true };

	(void)ino;
	refuse_node(req, &op, parent, name);
}

/* --- remove and rename --------------------------------------------------- */

void
fs_name_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	static const struct fs_operation op = { .name = "unlink",
		.changes = true,
		.awaits = FS_AWAIT_NAME,
		.actor = FS_ACTOR };
	struct fs_request r;

	if (!fs_request_begin(&r, req, &op, parent, name))
		return;
	fs_request_end(&r,
	    tf_vault_unlink(r.fs->vault, parent, name, &r.who, &r.err));
}

void
fs_name_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	static const struct fs_operation op = { .name = "rmdir",
		.changes = true,
		.awaits = FS_AWAIT_NAME,
		.actor = FS_ACTOR };
	struct fs_request r;

	if (!fs_request_begin(&r, req, &op, parent, name))
		return;
	fs_request_end(&r,
	    tf_vault_rmdir(r.fs->vault, parent, name, &r.who, &r.err));
}

/* Has what is in directory a another owner than what is in b? */
static bool
other_owner(struct fs *fs, uint64_t a, uint64_t b)
{
	struct tf_attr of_a, of_b;

	return a != b &&
	    (tf_vault_getattr(fs->vault, a, &of_a, NULL) != TF_OK ||
		tf_vault_getattr(fs->vault, b, &of_b, NULL) != TF_OK ||
		of_a.uid != of_b.uid);
}

void
fs_name_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
	static const struct fs_operation op = { .name = "rename",
		.changes = true,
		.awaits = FS_AWAIT_NAME,
		.interruptible = true,
		.actor = FS_ACTOR_HINTS };
	const struct tf_attempt exchange = { .operation = op.name,
		.id = parent,
		.name = name,
		.to = new_parent,
		.to_name = new_name };
	struct fs_request r;
	uint64_t entries;
	enum tf_code rc;

	if ((flags & ~(unsigned)RENAME_NOREPLACE) != 0) {
		fs_report_refuse(req, &exchange, TF_INVALID,
		    "an exchange of names is not supported");
		return;
	}
	if (!fs_request_begin_move(&r, req, &op, parent, name, new_parent,
		new_name))
		return;
	entries = tf_vault_entries(r.fs->vault);
	rc = tf_vault_rename(r.fs->vault, parent, name, new_parent, new_name,
	    (flags & RENAME_NOREPLACE) != 0, &r.who, &r.err);
	if (rc == TF_OK && other_owner(r.fs, parent, new_parent))
		fs_lease_expire(&r.fs->lease); /* it may be a directory */
	/* A draft that stays one has no entry. */
	if (rc == TF_OK && tf_vault_entries(r.fs->vault) == entries)
		fs_request_end(&r, rc);
	else
		fs_await_end(&r, rc, false);
}
