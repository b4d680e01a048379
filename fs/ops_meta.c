/*
 * Metadata: attributes, extended attributes, space, and the requests on
 * directories that seal.
 */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "actor.h"
#include "attr.h"
#include "control.h"
#include "core/control.h"
#include "core/package.h"
#include "handle.h"
#include "loop.h"
#include "ops.h"
#include "report.h"
#include "worker.h"

#define WRITE_BITS 0222

/* --- attributes --------------------------------------------------------- */

static void
reply_attr(fuse_req_t req, const struct tf_attr *a)
{
	struct stat st;

	fs_attr_stat(a, &st);
	fuse_reply_attr(req, &st, fs_attr_timeout(a));
}

static void
reply_control(fuse_req_t req, uint64_t ino)
{
	struct stat st;
	struct tf_error err = { 0 };
	struct fs_asker who;
	enum tf_code rc;

	fs_asker_of(req, &who);
	rc = fs_control_stat(fs_of(req)->control, ino, &who, NULL, &st, &err);
	fs_asker_free(&who);
	fs_worker_answers(req);
	if (rc == TF_OK)
		fuse_reply_attr(req, &st, fs_attr_control_timeout(ino));
	else
		fs_report_error(req, "stat", rc, &err);
}

void
fs_meta_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct tf_attr a;
	struct tf_error err = { 0 };
	enum tf_code rc;

	(void)fi;
	if (fs_control_is(ino)) {
		fs_loop_await(fs->loop, 0);
		fs_worker_if_long(fs, req, ino, reply_control);
		return;
	}
	fs_loop_await(fs->loop, ino);
	rc = tf_vault_getattr(fs->vault, ino, &a, &err);
	if (rc == TF_OK)
		reply_attr(req, &a);
	else
		fs_report_error(req, "stat", rc, &err);
}

/* What SETATTR asks for in the vault's words. */
static unsigned
is_wanted(const struct stat *st, int to_set, struct tf_attr *want)
{
	unsigned mask = 0;

	memset(want, 0, sizeof *want);
	if ((to_set & FUSE_SET_ATTR_MODE) != 0) {
		mask |= TF_SET_MODE;
		want->mode = st->st_mode & 07777;
	}
	if ((to_set & FUSE_SET_ATTR_UID) != 0) {
		mask |= TF_SET_UID;
		want->uid = st->st_uid;
	}
	if ((to_set & FUSE_SET_ATTR_GID) != 0) {
		mask |= TF_SET_GID;
		want->gid = st->st_gid;
	}
	if ((to_set & FUSE_SET_ATTR_SIZE) != 0) {
		mask |= TF_SET_SIZE;
		want->size = (uint64_t)st->st_size;
	}
	if ((to_set & FUSE_SET_ATTR_MTIME_NOW) != 0) {
		mask |= TF_SET_MTIME;
		want->mtime = (struct tf_time){ INT64_MIN, 0 }; /* now */
	} else if ((to_set & FUSE_SET_ATTR_MTIME) != 0) {
		mask |= TF_SET_MTIME;
		want->mtime = (struct tf_time){ st->st_mtim.tv_sec,
			(uint32_t)st->st_mtim.tv_nsec };
	}
	return mask; /* 0: the access time, which nobody keeps */
}

void
fs_meta_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set,
    struct fuse_file_info *fi)
{
	struct tf_attempt try = { .operation = "change attributes", .id = ino };
	struct fs *fs = fs_of(req);
	struct fs_handle *h = fi != NULL ? fs_handle_of(fi) : NULL;
	struct tf_attr want, a;
	struct tf_actor who;
	struct tf_error err = { 0 };
	unsigned mask = is_wanted(st, to_set, &want);
	/* Of a directory this seals. */
	bool seals = (mask & TF_SET_MODE) != 0 && (want.mode & WRITE_BITS) == 0;
	enum tf_code rc;

	if (mask == 0) {
		fs_meta_getattr(req, ino, fi);
		return;
	}
	if (fs_ops_reserved(req, &try))
		return;
	if (h != NULL && (mask & TF_SET_SIZE) != 0)
		atomic_fetch_add(&h->changes, 1);
	fs_loop_await(fs->loop, seals ? 0 : ino);
	fs_loop_serves(req);
	fs_actor_of(fs->actors, req, seals, &who);
	rc = tf_vault_setattr(fs->vault, ino, h != NULL ? h->file : NULL, mask,
	    &want, &who, &a, &err);
	if (rc == TF_OK)
		reply_attr(req, &a);
	else
		fs_report_attempt(req, &try, rc, &err);
}

/* --- extended attributes ------------------------------------------------ */

/* Only user.* is kept. */
static bool
foreign_xattr(const char *name)
{
	return strncmp(name, "user.", 5) != 0;
}

/* Answer with a value, or with its size when size is 0.  Frees b. */
static void
reply_sized(fuse_req_t req, struct tf_buf *b, size_t size)
{
	if (b->failed)
		fs_report_error(req, "read attribute", TF_NOMEM, NULL);
	else if (size == 0)
		fuse_reply_xattr(req, b->n);
	else if (b->n > size)
		fuse_reply_err(req, ERANGE);
	else
		fuse_reply_buf(req, b->p, b->n);
	tf_buf_free(b);
}

void
fs_meta_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct fs *fs = fs_of(req);
	struct tf_buf b = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc;

	/* The kernel asks for this before each write. */
	if (strcmp(name, "security.capability") == 0) {
		fuse_reply_err(req, ENODATA);
		return;
	}
	if (foreign_xattr(name)) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (fs_control_is(ino)) {
		fuse_reply_err(req, ENODATA);
		return;
	}
	fs_loop_await(fs->loop, ino);
	rc = tf_vault_xattr_get(fs->vault, ino, name, &b, &err);
	if (rc == TF_OK) {
		reply_sized(req, &b, size);
		return;
	}
	tf_buf_free(&b);
	fs_report_error(req, "read attribute", rc, &err);
}

void
fs_meta_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct fs *fs = fs_of(req);
	struct tf_buf b = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc = TF_OK;

	if (!fs_control_is(ino)) {
		fs_loop_await(fs->loop, ino);
		rc = tf_vault_xattr_list(fs->vault, ino, &b, &err);
	}
	if (rc == TF_OK) {
		reply_sized(req, &b, size);
		return;
	}
	tf_buf_free(&b);
	fs_report_error(req, "list attributes", rc, &err);
}

void
fs_meta_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
    const char *value, size_t size, int flags)
{
	struct tf_attempt try = { .operation = "set attribute", .id = ino };
	struct fs *fs = fs_of(req);
	struct tf_actor who;
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (foreign_xattr(name)) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (fs_ops_reserved(req, &try))
		return;
	fs_loop_await(fs->loop, ino);
	fs_actor_of(fs->actors, req, false, &who);
	rc = tf_vault_xattr_set(fs->vault, ino, name, value, size, flags, &who,
	    &err);
	if (rc == TF_OK)
		fuse_reply_err(req, 0);
	else if (rc == TF_TOOBIG)
		fs_report_error_as(req, "set attribute", rc, &err, E2BIG);
	else
		fs_report_attempt(req, &try, rc, &err);
}

void
fs_meta_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct tf_attempt try = { .operation = "remove attribute", .id = ino };
	struct fs *fs = fs_of(req);
	struct tf_actor who;
	struct tf_error err = { 0 };
	enum tf_code rc;

	if (foreign_xattr(name)) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (fs_ops_reserved(req, &try))
		return;
	fs_loop_await(fs->loop, ino);
	fs_actor_of(fs->actors, req, false, &who);
	rc = tf_vault_xattr_remove(fs->vault, ino, name, &who, &err);
	if (rc == TF_OK)
		fuse_reply_err(req, 0);
	else
		fs_report_attempt(req, &try, rc, &err);
}

/* --- the store, and directories ----------------------------------------- */

void
fs_meta_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct tf_space space;
	struct statvfs s = { 0 };
	struct tf_error err = { 0 };
	enum tf_code rc;

	(void)ino;
	rc = tf_vault_space(fs_of(req)->vault, fuse_req_ctx(req)->uid, &space,
	    &err);
	if (rc != TF_OK) {
		fs_report_error(req, "statfs", rc, &err);
		return;
	}
	s.f_bsize = s.f_frsize = space.block_size;
	s.f_blocks = space.blocks;
	s.f_bfree = space.free;
	s.f_bavail = space.available;
	s.f_files = space.files;
	s.f_ffree = s.f_favail = space.files_free;
	s.f_namemax = FS_NAME_MAX;
	fuse_reply_statfs(req, &s);
}

static enum tf_code
sync_dir(fuse_req_t req, uint64_t ino, bool hints, struct tf_error *err)
{
	struct fs *fs = fs_of(req);
	struct tf_actor who;

	fs_loop_await(fs->loop, 0); /* what was closed below is frozen */
	fs_loop_serves(req);
	fs_actor_of(fs->actors, req, hints, &who);
	return tf_vault_sync(fs->vault, ino, &who, err);
}

void
fs_meta_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
    struct fuse_file_info *fi)
{
	struct tf_error err = { 0 };
	enum tf_code rc = TF_OK;

	(void)datasync;
	(void)fi;
	if (!fs_control_is(ino) && !fs_of(req)->read_only)
		rc = sync_dir(req, ino, false, &err);
	if (rc == TF_OK)
		fuse_reply_err(req, 0);
	else
		fs_report_error(req, "fsync of a directory", rc, &err);
}

/* Sealing by ioctl(2): the kernel has not looked at the caller, so that is
 * done here as it does for chmod(2). */
static enum tf_code
seal_dir(fuse_req_t req, uint64_t ino, struct tf_error *err)
{
	struct fs *fs = fs_of(req);
	struct tf_actor who;
	struct tf_attr a;
	enum tf_code rc;

	fs_loop_await(fs->loop, 0);
	fs_loop_serves(req);
	fs_actor_of(fs->actors, req, true, &who);
	rc = tf_vault_getattr(fs->vault, ino, &a, err);
	if (rc != TF_OK)
		return rc;
	if (who.uid != 0 && who.uid != a.uid)
		return tf_fail(err, TF_DENIED,
		    "only its owner and root may seal a directory");
	return tf_vault_seal(fs->vault, ino, &who, err);
}

/* What the kernel copied in is as long as cmd says, or it is not ours. */
static enum tf_code
record_package(fuse_req_t req, uint64_t ino, const void *in, size_t in_size,
    struct tf_error *err)
{
	struct fs *fs = fs_of(req);
	struct tf_package_made made = { .size = 0 };
	struct tf_ioc_package p;
	struct tf_actor who;

	if (in_size != sizeof p)
		return tf_fail(err, TF_INVALID, "no package is told");
	memcpy(&p, in, sizeof p);
	memcpy(made.sha256.b, p.sha256, sizeof p.sha256);
	memcpy(made.tree_root.b, p.root, sizeof p.root);
	made.size = p.size;
	made.tree_size = p.tree_size;
	fs_loop_await(fs->loop, 0);
	fs_actor_of(fs->actors, req, true, &who);
	return tf_vault_packaged(fs->vault, ino, &made, &who, err);
}

void
fs_meta_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg,
    struct fuse_file_info *fi, unsigned flags, const void *in, size_t in_size,
    size_t out_size)
{
	struct tf_attempt try = {
		.operation = cmd == TF_IOC_SEAL ? "seal" :
		    cmd == TF_IOC_PACKAGED	? "package" :
						  "sync",
		.id = ino,
	};
	struct tf_error err = { 0 };
	enum tf_code rc;

	(void)arg;
	(void)fi;
	(void)out_size;
	if ((flags & FUSE_IOCTL_DIR) == 0 || fs_control_is(ino) ||
	    (cmd != TF_IOC_SEAL && cmd != TF_IOC_SYNC &&
		cmd != TF_IOC_PACKAGED)) {
		fuse_reply_err(req, ENOTTY);
		return;
	}
	if (cmd == TF_IOC_SEAL) {
		rc = seal_dir(req, ino, &err);
	} else if (cmd == TF_IOC_PACKAGED) {
		rc = record_package(req, ino, in, in_size, &err);
	} else {
		rc = sync_dir(req, ino, true, &err);
	}
	if (rc == TF_OK)
		fuse_reply_ioctl(req, 0, NULL, 0);
	else
		fs_report_attempt(req, &try, rc, &err);
}
