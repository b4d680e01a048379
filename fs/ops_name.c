/*
 * Names: look up, create, remove, rename.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "actor.h"
#include "attr.h"
#include "control.h"
#include "core/control.h"
#include "loop.h"
#include "ops.h"
#include "report.h"

/*
 * Wait for releases under way of the node that name means now; of a directory,
 * of all, for what is in it counts.
 */
static void
await_name(struct fs *fs, uint64_t parent, const char *name)
{
	struct tf_attr a;

	if (!fs_loop_releasing(fs->loop) ||
	    tf_vault_lookup(fs->vault, parent, name, &a, NULL) != TF_OK)
		return;
	fs_loop_await(fs->loop, a.kind == TF_KIND_EVIDENCE ? a.id : 0);
}

static void
reply_entry(fuse_req_t req, const struct tf_attr *a)
{
	struct fuse_entry_param e;

	fs_attr_entry(a, &e);
	fuse_reply_entry(req, &e);
}

/* --- LOOKUP ------------------------------------------------------------- */

static void
reply_control(fuse_req_t req, uint64_t ino)
{
	struct fuse_entry_param e;
	struct stat st;
	struct tf_error err = { 0 };
	struct fs_asker who;
	uint64_t edition;
	enum tf_code rc;

	fs_asker_of(req, &who);
	rc = fs_control_stat(fs_of(req)->control, ino, &who, &edition, &st,
	    &err);
	fs_asker_free(&who);
	if (rc != TF_OK) {
		fs_report_error(req, "look up", rc, &err);
		return;
	}
	fs_attr_control_entry(&st, &e);
	e.ino = edition;
	fuse_reply_entry(req, &e);
}

static void
lookup_control(fuse_req_t req, uint64_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	struct tf_error err = { 0 };
	uint64_t ino = 0;
	enum tf_code rc;

	fs_loop_pass();
	fs_loop_await(fs->loop, 0);
	rc = fs_control_lookup(fs->control, parent, name, &ino, &err);
	if (rc != TF_OK)
		fs_report_error(req, "look up", rc, &err);
	else
		reply_control(req, ino);
}

/* "." and "..", which only an NFS server asks for. */
static void
lookup_dots(fuse_req_t req, uint64_t ino, bool up)
{
	struct fs *fs = fs_of(req);
	struct fuse_entry_param e;
	struct fs_asker who;
	struct stat st;
	struct tf_attr a;
	struct tf_error err = { 0 };
	enum tf_code rc = TF_OK;

	fs_loop_pass();
	fs_loop_await(fs->loop, 0);
	if (up && fs_control_is(ino)) {
		rc = fs_control_parent(fs->control, ino, &ino, &err);
	} else if (up) {
		rc = tf_vault_getattr(fs->vault, ino, &a, &err);
		ino = a.parent;
	}
	if (rc == TF_OK && fs_control_is(ino)) {
		fs_asker_of(req, &who);
		rc = fs_control_stat(fs->control, ino, &who, NULL, &st, &err);
		fs_asker_free(&who);
		if (rc == TF_OK)
			fs_attr_control_entry(&st, &e);
	} else if (rc == TF_OK) {
		rc = tf_vault_getattr(fs->vault, ino, &a, &err);
		if (rc == TF_OK)
			fs_attr_entry(&a, &e);
	}
	if (rc == TF_OK)
		fuse_reply_entry(req, &e);
	else
		fs_report_error(req, "look up", rc, &err);
}

void
fs_name_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct fs *fs = fs_of(req);
	struct tf_attr a;
	struct tf_error err = { 0 };
	enum tf_code rc;

	/* The kernel looks up what it is to change, too. */
	if (strlen(name) > FS_NAME_MAX) {
		fuse_reply_err(req, ENAMETOOLONG);
		return;
	}
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		lookup_dots(req, parent, name[1] == '.');
		return;
	}
	if (fs_control_is(parent) || strcmp(name, TF_CONTROL_DIR) == 0) {
		lookup_control(req, parent, name);
		return;
	}
	await_name(fs, parent, name);
	rc = tf_vault_lookup(fs->vault, parent, name, &a, &err);
	if (rc == TF_OK)
		reply_entry(req, &a);
	else
		fs_report_error(req, "look up", rc, &err);
}

/* --- making and taking away --------------------------------------------- */

void
fs_name_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct tf_attempt try = { .operation = "mkdir",
		.id = parent,
		.name = name };
	struct fs *fs = fs_of(req);
	struct tf_actor who;
	struct tf_attr a;
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (fs_ops_reserved(req, &try) || fs_ops_stopping(req, &try))
		return;
	fs_actor_of(fs->actors, req, true, &who);
	rc = tf_vault_mkdir(fs->vault, parent, name, mode & 07777, &who, &a,
	    &err);
	if (rc == TF_OK)
		reply_entry(req, &a);
	else
		fs_report_attempt(req, &try, rc, &err);
}

/* What trailfs never holds. */
static void
refuse_node(fuse_req_t req, const struct tf_attempt *try)
{
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (fs_ops_reserved(req, try))
		return;
	rc = tf_vault_refuse(fs_of(req)->vault, try->id, try->name, &err);
	fs_report_attempt(req, try, rc != TF_OK ? rc : TF_DENIED, &err);
}

/* Some tools make regular files with mknod(2) and open them afterwards. */
void
fs_name_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    dev_t rdev)
{
	struct tf_attempt try = { .operation = "mknod",
		.id = parent,
		.name = name };
	struct fs *fs = fs_of(req);
	struct tf_actor who;
	struct tf_attr a;
	struct tf_file *file;
	struct tf_error err = { 0 };
	enum tf_code rc;

	(void)rdev;
	if (!S_ISREG(mode)) {
		refuse_node(req, &try);
		return;
	}
	if (fs_ops_reserved(req, &try) || fs_ops_stopping(req, &try))
		return;
	fs_actor_of(fs->actors, req, true, &who);
	rc = tf_vault_create(fs->vault, parent, name, mode & 07777, &who, &a,
	    &file, &err);
	if (rc == TF_OK)
		rc = tf_file_close(fs->vault, file, &err);
	if (rc == TF_OK)
		reply_entry(req, &a);
	else
		fs_report_attempt(req, &try, rc, &err);
}

void
fs_name_symlink(fuse_req_t req, const char *target, fuse_ino_t parent,
    const char *name)
{
	struct tf_attempt try = { .operation = "symlink",
		.id = parent,
		.name = name };

	(void)target;
	refuse_node(req, &try);
}

void
fs_name_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent,
    const char *name)
{
	struct tf_attempt try = { .operation = "link",
		.id = parent,
		.name = name };

	(void)ino;
	refuse_node(req, &try);
}

void
fs_name_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct tf_attempt try = { .operation = "unlink",
		.id = parent,
		.name = name };
	struct fs *fs = fs_of(req);
	struct tf_actor who;
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (fs_ops_reserved(req, &try))
		return;
	await_name(fs, parent, name);
	fs_actor_of(fs->actors, req, false, &who);
	rc = tf_vault_unlink(fs->vault, parent, name, &who, &err);
	if (rc == TF_OK)
		fuse_reply_err(req, 0);
	else
		fs_report_attempt(req, &try, rc, &err);
}

void
fs_name_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct tf_attempt try = { .operation = "rmdir",
		.id = parent,
		.name = name };
	struct fs *fs = fs_of(req);
	struct tf_actor who;
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (fs_ops_reserved(req, &try))
		return;
	await_name(fs, parent, name);
	fs_actor_of(fs->actors, req, false, &who);
	rc = tf_vault_rmdir(fs->vault, parent, name, &who, &err);
	if (rc == TF_OK)
		fuse_reply_err(req, 0);
	else
		fs_report_attempt(req, &try, rc, &err);
}

void
fs_name_rename(fuse_req_t req, fuse_ino_t parent, const char *name,
    fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
	struct tf_attempt try = {
		.operation = "rename",
		.id = parent,
		.name = name,
		.to = new_parent,
		.to_name = new_name,
	};
	struct fs *fs = fs_of(req);
	struct tf_actor who;
	struct tf_error err = { 0 };
	enum tf_code rc;

	if ((flags & ~(unsigned)RENAME_NOREPLACE) != 0) {
		fs_report_refuse(req, &try, TF_INVALID,
		    "names are not exchanged");
		return;
	}
	if (fs_ops_reserved(req, &try))
		return;
	await_name(fs, parent, name);
	await_name(fs, new_parent, new_name);
	fs_loop_serves(req);
	fs_actor_of(fs->actors, req, true, &who);
	rc = tf_vault_rename(fs->vault, parent, name, new_parent, new_name,
	    (flags & RENAME_NOREPLACE) != 0, &who, &err);
	if (rc == TF_OK)
		fuse_reply_err(req, 0);
	else
		fs_report_attempt(req, &try, rc, &err);
}
