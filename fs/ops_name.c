/*
 * Names: looking up, making, taking away, renaming, listing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actor.h"
#include "attr.h"
#include "control.h"
#include "core/control.h"
#include "loop.h"
#include "ops.h"
#include "report.h"

#define BATCH 64 /* names asked of the vault at a time */

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

/* --- listing ------------------------------------------------------------ */

/* The answer to a READDIR, as it fills up. */
struct listing {
	fuse_req_t req;
	bool plus; /* READDIRPLUS */
	char *buf;
	size_t size, used;
};

/* Add a name; next is the cookie to go on behind it.  False: no room. */
static bool
add(struct listing *l, const char *name, const struct fuse_entry_param *e,
    off_t next)
{
	char *at = l->buf + l->used;
	size_t room = l->size - l->used, n;

	n = l->plus ? fuse_add_direntry_plus(l->req, at, room, name, e, next) :
		      fuse_add_direntry(l->req, at, room, name, &e->attr, next);
	if (n > room)
		return false;
	l->used += n;
	return true;
}

/* "." and ".." have the cookies 1 and 2, and no node in READDIRPLUS. */
static bool
add_dots(struct listing *l, off_t off, uint64_t self, uint64_t parent)
{
	struct fuse_entry_param e = { .attr = { .st_mode = S_IFDIR } };

	e.attr.st_ino = self;
	if (off < 1 && !add(l, ".", &e, 1))
		return false;
	e.attr.st_ino = parent;
	return off >= 2 || add(l, "..", &e, 2);
}

/* The cookie behind a place is place + 3.  In READDIRPLUS too there are only
 * names: to make every file just to tell its size would be dear. */
static bool
add_control(void *arg, uint64_t place, const char *name, uint64_t ino,
    mode_t type)
{
	struct fuse_entry_param e = { .attr = { .st_ino = ino,
					  .st_mode = type } };

	return add(arg, name, &e, (off_t)place + 3);
}

static enum tf_code
list_control(struct listing *l, uint64_t ino, off_t off, struct tf_error *err)
{
	struct fs *fs = fs_of(l->req);
	uint64_t parent;
	enum tf_code rc;

	rc = fs_control_parent(fs->control, ino, &parent, err);
	if (rc != TF_OK || !add_dots(l, off, ino, parent))
		return rc;
	return fs_control_list(fs->control, ino, fs_ops_caller(l->req),
	    off <= 2 ? 0 : (uint64_t)off - 2, add_control, l, err);
}

/* The cookie behind node id is id + 2: it rises, and is never 0, 1 or 2. */
static enum tf_code
list_vault(struct listing *l, uint64_t ino, off_t off, struct tf_error *err)
{
	struct fs *fs = fs_of(l->req);
	uint64_t after = off <= 2 ? 0 : (uint64_t)off - 2;
	struct tf_dirent batch[BATCH];
	struct fuse_entry_param e;
	struct tf_attr a;
	size_t n;
	enum tf_code rc;

	if (off < 2) {
		rc = tf_vault_getattr(fs->vault, ino, &a, err);
		if (rc != TF_OK)
			return rc;
		if (!add_dots(l, off, ino,
			a.parent != 0 ? a.parent : TF_ROOT_ID))
			return TF_OK;
	}
	do {
		rc = tf_vault_list(fs->vault, ino, after, batch, BATCH, &n,
		    err);
		if (rc != TF_OK)
			return rc;
		for (size_t i = 0; i < n; i++) {
			a = batch[i].attr;
			after = a.id;
			if (l->plus && a.state != TF_STATE_SEALED &&
			    a.kind == TF_KIND_EVIDENCE &&
			    fs_loop_releasing(fs->loop)) {
				fs_loop_await(fs->loop, a.id);
				if (tf_vault_getattr(fs->vault, a.id, &a,
					NULL) != TF_OK)
					continue; /* gone meanwhile */
			}
			fs_attr_entry(&a, &e);
			if (!add(l, batch[i].name, &e, (off_t)a.id + 2))
				return TF_OK;
		}
	} while (n > 0);
	return TF_OK;
}

static void
list(fuse_req_t req, uint64_t ino, size_t size, off_t off, bool plus)
{
	struct listing l = { .req = req, .plus = plus, .size = size };
	struct tf_error err = { 0 };
	enum tf_code rc;

	if ((l.buf = malloc(size)) == NULL) {
		fs_report_error(req, "list", TF_NOMEM, NULL);
		return;
	}
	if (fs_control_is(ino))
		rc = list_control(&l, ino, off, &err);
	else
		rc = list_vault(&l, ino, off, &err);
	/* What was found before an error is given; the next call meets it. */
	if (rc == TF_OK || l.used > 0)
		fuse_reply_buf(req, l.buf, l.used);
	else
		fs_report_error(req, "list", rc, &err);
	free(l.buf);
}

/* A sealed directory's names never change: the kernel may keep them. */
void
fs_name_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct tf_attr a;
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (!fs_control_is(ino)) {
		rc = tf_vault_opendir(fs->vault, ino, &a, &err);
		if (rc != TF_OK) {
			fs_report_error(req, "open directory", rc, &err);
			return;
		}
		if (a.state == TF_STATE_SEALED)
			fi->cache_readdir = fi->keep_cache = 1;
	}
	/* Interrupted: nobody will close it. */
	if (fuse_reply_open(req, fi) == -ENOENT && !fs_control_is(ino))
		tf_vault_closedir(fs->vault, ino);
}

void
fs_name_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	if (!fs_control_is(ino))
		tf_vault_closedir(fs_of(req)->vault, ino);
	fuse_reply_err(req, 0);
}

void
fs_name_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, false);
}

void
fs_name_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, true);
}
