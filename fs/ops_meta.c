/*
 * Metadata: attributes, extended attributes, space, and the ioctls of
 * directories.
 */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "attr.h"
#include "await.h"
#include "control.h"
#include "control_past.h"
#include "core/control.h"
#include "core/package.h"
#include "core/page.h"
#include "handle.h"
#include "loop.h"
#include "ops.h"
#include "report.h"
#include "request.h"
#include "stream.h"
#include "worker.h"

#define WRITE_BITS 0222

/* --- attributes ---------------------------------------------------------- */

static void
reply_attr(fuse_req_t req, const struct tf_attr *a, double timeout)
{
	struct stat st;

	fs_attr_stat(a, &st);
	fs_roles_mark(&fs_of(req)->roles, &st);
	fuse_reply_attr(req, &st, timeout);
}

static const struct fs_operation gets = { .name = "stat",
	.awaits = FS_AWAIT_NODE };

/* Also in a thread of worker.c, when the releases were waited for already. */
static void
reply_control(fuse_req_t req, uint64_t ino)
{
	static const struct fs_operation op = { .name = "stat" };
	struct fs_request r;
	struct stat st;
	struct fs_asker who;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	fs_asker_of(req, &who);
	rc = fs_control_stat(r.fs->control, ino, &who, NULL, &st, &r.err);
	fs_asker_free(&who);
	fs_worker_answers(req);
	if (fs_request_failed(&r, rc))
		return;
	fs_roles_mark(&r.fs->roles, &st);
	fuse_reply_attr(req, &st, fs_attr_control_timeout(ino));
}

/* Nothing that is being written is in .trailfs/at. */
static void
reply_past(fuse_req_t req, uint64_t ino)
{
	static const struct fs_operation op = { .name = "stat" };
	struct fs_request r;
	unsigned begun;
	struct stat st;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	begun = fs_lease_begin(&r.fs->past);
	rc = fs_past_stat(r.fs->vault, ino, &st, &r.err);
	if (fs_request_failed(&r, rc))
		return;
	fs_roles_mark(&r.fs->roles, &st);
	fuse_reply_attr(req, &st, fs_lease_grant(&r.fs->past, begun));
}

/* The kernel asks whether it may collect writes through h: see stream.h. */
static void
lease(fuse_req_t req, uint64_t ino, struct fs_handle *h)
{
	static const struct fs_operation op = { .name = "write",
		.changes = true,
		.awaits = FS_AWAIT_NODE };
	struct fs_request r;
	struct tf_attr a;
	double timeout = 0;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	rc = fs_stream_lease(r.fs, h, ino, &timeout, &r.err);
	if (rc == TF_OK)
		rc = tf_vault_getattr(r.fs->vault, ino, &a, &r.err);
	if (!fs_request_failed(&r, rc))
		reply_attr(req, &a, timeout);
}

void
fs_meta_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct fs_request r;
	struct tf_attr a;
	enum tf_code rc;

	if (fs_past_is_node(ino)) {
		reply_past(req, ino);
		return;
	}
	if (fs_control_is(ino)) {
		fs_stream_await(fs, 0);
		fs_loop_await(fs->loop, 0);
		fs_worker_if_long(fs, req, ino, reply_control);
		return;
	}
	if (fi != NULL && fs->streams && fs_handle_of(fi)->collects) {
		lease(req, ino, fs_handle_of(fi));
		return;
	}
	if (!fs_request_begin(&r, req, &gets, ino, NULL))
		return;
	rc = tf_vault_getattr(fs->vault, ino, &a, &r.err);
	if (!fs_request_failed(&r, rc))
		reply_attr(req, &a, fs_attr_timeout(fs_of(req), &a));
}

/* The values that SETATTR sets.  Returns the mask of TF_SET_*. */
static unsigned
values_of(const struct stat *st, int to_set, struct tf_attr *values)
{
	unsigned mask = 0;

	memset(values, 0, sizeof *values);
	if ((to_set & FUSE_SET_ATTR_MODE) != 0) {
		mask |= TF_SET_MODE;
		values->mode = st->st_mode & 07777;
	}
	if ((to_set & FUSE_SET_ATTR_UID) != 0) {
		mask |= TF_SET_UID;
		values->uid = st->st_uid;
	}
	if ((to_set & FUSE_SET_ATTR_GID) != 0) {
		mask |= TF_SET_GID;
		values->gid = st->st_gid;
	}
	if ((to_set & FUSE_SET_ATTR_SIZE) != 0) {
		mask |= TF_SET_SIZE;
		values->size = (uint64_t)st->st_size;
	}
	if ((to_set & FUSE_SET_ATTR_MTIME_NOW) != 0) {
		mask |= TF_SET_MTIME;
		values->mtime = (struct tf_time){ INT64_MIN, 0 }; /* now */
	} else if ((to_set & FUSE_SET_ATTR_MTIME) != 0) {
		mask |= TF_SET_MTIME;
		values->mtime = (struct tf_time){ st->st_mtim.tv_sec,
			(uint32_t)st->st_mtim.tv_nsec };
	}
	return mask; /* 0: only the access time, which is not kept */
}

/* Programs compute modes from the mode that they saw.  *closes: the mode would
 * close a directory, which the request does not say. */
static enum tf_code
unmark(struct fs *fs, uint64_t ino, struct tf_attr *values, bool *closes)
{
	const unsigned asked = values->mode;
	struct tf_attr a;
	enum tf_code rc;

	*closes = false;
	if (!fs_roles_any(&fs->roles))
		return TF_OK;
	if ((rc = tf_vault_getattr(fs->vault, ino, &a, NULL)) != TF_OK)
		return rc;
	values->mode = fs_roles_unmark(&fs->roles, a.mode, asked);
	*closes = a.kind != TF_KIND_EVIDENCE &&
	    fs_roles_closes(&fs->roles, a.mode, asked);
	return TF_OK;
}

/* Set what mask names, through h or by path (NULL); *out becomes the result.
 * closes: see unmark().  False: it was refused and answered. */
static bool
set_attributes(fuse_req_t req, uint64_t ino, struct fs_handle *h, unsigned mask,
    const struct tf_attr *values, bool closes, struct tf_attr *out)
{
	static const struct fs_operation changes = {
		.name = "change attributes",
		.changes = true,
		.awaits = FS_AWAIT_NODE,
		.interruptible = true,
		.actor = FS_ACTOR,
	};
	/* The mode of a directory without write bits seals it. */
	static const struct fs_operation seals = {
		.name = "change attributes",
		.changes = true,
		.awaits = FS_AWAIT_ALL,
		.interruptible = true,
		.actor = FS_ACTOR_HINTS,
	};
	bool read_only = (mask & TF_SET_MODE) != 0 &&
	    (values->mode & WRITE_BITS) == 0;
	struct tf_attr before;
	struct fs_request r;
	bool changes_owner;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, read_only ? &seals : &changes, ino,
		NULL))
		return false;
	if (closes)
		return !fs_request_failed(&r,
		    tf_fail(&r.err, TF_DENIED,
			"this mode leaves the right to write to a group that "
			"gets it only by a second request, so it would close "
			"the directory: chmod a-w closes it"));
	if (h != NULL && (mask & TF_SET_SIZE) != 0)
		atomic_fetch_add(&h->changes, 1);
	/* If it fails here, the change fails, too. */
	changes_owner = (mask & TF_SET_UID) != 0 &&
	    tf_vault_getattr(r.fs->vault, ino, &before, NULL) == TF_OK &&
	    before.kind == TF_KIND_ATTESTATION && before.uid != values->uid;
	rc = tf_vault_setattr(r.fs->vault, ino, h != NULL ? h->file : NULL,
	    mask, values, &r.who, out, &r.err);
	if (rc == TF_OK && changes_owner)
		fs_lease_expire(&r.fs->lease);
	/* The tree as it was has the rights of today. */
	if (rc == TF_OK &&
	    (mask & (TF_SET_MODE | TF_SET_UID | TF_SET_GID)) != 0)
		fs_lease_expire(&r.fs->past);
	return !fs_request_failed(&r, rc);
}

/* Does the kernel tell us when it collected the last write?  What programs set
 * comes without a handle. */
static bool
is_time_of_writes(const struct fs *fs, unsigned mask, int to_set,
    const struct fuse_file_info *fi)
{
	return fs->streams && fi != NULL && mask == TF_SET_MTIME &&
	    (to_set & FUSE_SET_ATTR_CTIME) != 0 &&
	    fs_handle_of(fi)->file != NULL;
}

void
fs_meta_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set,
    struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct tf_attr values, a;
	unsigned mask = values_of(st, to_set, &values);
	bool closes = false;
	enum tf_code rc;

	if (mask != 0 && is_time_of_writes(fs, mask, to_set, fi)) {
		tf_file_written_at(fs_handle_of(fi)->file, &values.mtime);
		mask = 0;
	}
	if (mask == 0) {
		fs_meta_getattr(req, ino, NULL);
		return;
	}
	if (fs_control_is(ino)) {
		fs_set_attr(req, ino,
		    (mask & TF_SET_SIZE) != 0 ? st->st_size : -1, fi);
		return;
	}
	if ((mask & TF_SET_MODE) != 0 &&
	    (rc = unmark(fs, ino, &values, &closes)) != TF_OK) {
		fs_report_error(req, "change attributes", rc, NULL);
		return;
	}
	/* The kernel keeps the list of a node as long as its attributes, and
	 * this request may have changed that list. */
	if (set_attributes(req, ino, fi != NULL ? fs_handle_of(fi) : NULL, mask,
		&values, closes, &a))
		reply_attr(req, &a,
		    fs_roles_any(&fs->roles) ? 0 :
					       fs_attr_timeout(fs_of(req), &a));
}

/* --- extended attributes ------------------------------------------------- */

/* Only attributes of user.* are stored. */
static bool
foreign_xattr(const char *name)
{
	return strncmp(name, "user.", 5) != 0;
}

/* An entry of its own may record a claim, with the program that made it. */
static bool
is_claim(const char *name)
{
	return strncmp(name, TF_XATTR_PREFIX, strlen(TF_XATTR_PREFIX)) == 0;
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

/* The list that the kernel checks for the members of a role. */
static void
reply_acl(fuse_req_t req, uint64_t ino, size_t size)
{
	static const struct fs_operation op = { .name = "read attribute" };
	unsigned char acl[FS_ACL_SIZE];
	enum fs_admin admin = FS_ADMIN_READS;
	struct tf_buf b = { 0 };
	struct fs_request r;
	struct tf_attr a;
	struct stat st;
	enum tf_code rc;
	size_t n;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	if (fs_control_is(ino)) {
		rc = fs_control_mode(r.fs->control, ino, &st, &admin, &r.err);
	} else if ((rc = tf_vault_getattr(r.fs->vault, ino, &a, &r.err)) ==
	    TF_OK) {
		fs_attr_stat(&a, &st);
		if (a.kind == TF_KIND_ROOT)
			admin = FS_ADMIN_WRITES; /* new trails */
	}
	if (fs_request_failed(&r, rc))
		return;
	if ((n = fs_roles_acl(&r.fs->roles, &st, admin, acl)) == 0) {
		fuse_reply_err(req, ENODATA);
		return;
	}
	tf_buf_add(&b, acl, n);
	reply_sized(req, &b, size);
}

/* A list that says what the modes and the roles say is a chmod(2): programs that
 * copy a node with its list set the list of the copy. */
static void
set_acl(fuse_req_t req, uint64_t ino, const char *value, size_t size)
{
	struct fs *fs = fs_of(req);
	struct tf_attr a, values = { 0 };
	unsigned mode;
	enum tf_code rc;
	bool closes;

	if (fs_control_is(ino) ||
	    !fs_roles_read_acl(&fs->roles, value, size, &mode)) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	rc = tf_vault_getattr(fs->vault, ino, &a, NULL);
	if (rc == TF_OK) {
		values.mode = (a.mode & ~0777u) | mode;
		rc = unmark(fs, ino, &values, &closes);
	}
	if (rc != TF_OK)
		fs_report_error(req, "change attributes", rc, NULL);
	else if (set_attributes(req, ino, NULL, TF_SET_MODE, &values, closes,
		     &a))
		fuse_reply_err(req, 0);
}

/* user.trailfs.status of a workflow: the word of .trailfs/status. */
static enum tf_code
status_word(struct fs_request *r, uint64_t ino, struct tf_buf *out)
{
	const struct tf_sink sink = tf_buf_sink(out);
	struct tf_view *w = NULL;
	struct tf_attr a;
	enum tf_code rc = tf_vault_getattr(r->fs->vault, ino, &a, &r->err);

	if (rc == TF_OK && a.kind != TF_KIND_WORKFLOW)
		rc = tf_fail(&r->err, TF_NODATA, "no such attribute");
	if (rc != TF_OK)
		return rc;
	fs_loop_away();
	if ((rc = tf_vault_finish(r->fs->vault, ino, &r->err)) == TF_OK)
		rc = tf_view_open(r->fs->vault, NULL, &w, &r->err);
	if (rc == TF_OK)
		rc = tf_view_status_word(w, ino, &sink, &r->err);
	tf_view_close(w);
	if (rc == TF_OK && out->n > 0)
		out->n--; /* without the LF */
	return rc;
}

void
fs_meta_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	static const struct fs_operation op = { .name = "read attribute",
		.awaits = FS_AWAIT_NODE };
	static const struct fs_operation status = { .name = "read attribute",
		.awaits = FS_AWAIT_ALL };
	bool is_status = strcmp(name, TF_XATTR_STATUS) == 0;
	struct fs_request r;
	struct tf_buf b = { 0 };
	enum tf_code rc;

	/* The kernel asks for this before each write. */
	if (strcmp(name, "security.capability") == 0) {
		fuse_reply_err(req, ENODATA);
		return;
	}
	if (fs_roles_any(&fs_of(req)->roles) &&
	    strcmp(name, FS_ACL_XATTR) == 0) {
		reply_acl(req, ino, size);
		return;
	}
	if (fs_roles_any(&fs_of(req)->roles) &&
	    strcmp(name, FS_DEFAULT_ACL_XATTR) == 0) {
		fuse_reply_err(req, ENODATA);
		return;
	}
	if (foreign_xattr(name)) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (fs_control_is(ino) && !fs_past_is_node(ino)) {
		fuse_reply_err(req, ENODATA);
		return;
	}
	fs_stream_await(fs_of(req), ino);
	if (!fs_request_begin(&r, req, is_status ? &status : &op, ino, NULL))
		return;
	rc = fs_past_is_node(ino) ?
	    fs_past_xattr(r.fs->vault, ino, name, &b, &r.err) :
	    is_status ? status_word(&r, ino, &b) :
			tf_vault_xattr_get(r.fs->vault, ino, name, &b, &r.err);
	if (fs_request_failed(&r, rc))
		tf_buf_free(&b);
	else
		reply_sized(req, &b, size);
}

void
fs_meta_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	static const struct fs_operation op = { .name = "list attributes",
		.awaits = FS_AWAIT_NODE };
	struct fs_request r;
	struct tf_buf b = { 0 };
	enum tf_code rc;

	if (fs_control_is(ino) && !fs_past_is_node(ino)) {
		reply_sized(req, &b, size);
		return;
	}
	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	rc = fs_past_is_node(ino) ?
	    fs_past_xattr(r.fs->vault, ino, NULL, &b, &r.err) :
	    tf_vault_xattr_list(r.fs->vault, ino, &b, &r.err);
	if (fs_request_failed(&r, rc))
		tf_buf_free(&b);
	else
		reply_sized(req, &b, size);
}

void
fs_meta_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name,
    const char *value, size_t size, int flags)
{
	static const struct fs_operation sets = { .name = "set attribute",
		.changes = true,
		.awaits = FS_AWAIT_NODE,
		.actor = FS_ACTOR };
	static const struct fs_operation claims = { .name = "claim",
		.changes = true,
		.awaits = FS_AWAIT_NODE,
		.actor = FS_ACTOR_HINTS };
	const struct fs_operation *op = is_claim(name) ? &claims : &sets;
	struct fs_request r;
	enum tf_code rc;

	if (fs_roles_any(&fs_of(req)->roles) &&
	    strcmp(name, FS_ACL_XATTR) == 0) {
		set_acl(req, ino, value, size);
		return;
	}
	if (foreign_xattr(name)) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (!fs_request_begin(&r, req, op, ino, NULL))
		return;
	rc = tf_vault_xattr_set(r.fs->vault, ino, name, value, size, flags,
	    &r.who, &r.err);
	if (rc == TF_TOOBIG) /* setxattr(2) has its own errno for this */
		fs_report_error_as(req, op->name, rc, &r.err, E2BIG);
	else
		fs_request_end(&r, rc);
}

void
fs_meta_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	static const struct fs_operation removes = { .name = "remove attribute",
		.changes = true,
		.awaits = FS_AWAIT_NODE,
		.actor = FS_ACTOR };
	static const struct fs_operation unclaims = { .name = "remove claim",
		.changes = true,
		.awaits = FS_AWAIT_NODE,
		.actor = FS_ACTOR_HINTS };
	struct fs_request r;

	/* No directory has a list for what is made in it.  Programs that copy
	 * a directory without one remove that of the copy. */
	if (fs_roles_any(&fs_of(req)->roles) &&
	    strcmp(name, FS_DEFAULT_ACL_XATTR) == 0) {
		fuse_reply_err(req, 0);
		return;
	}
	if (foreign_xattr(name)) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (!fs_request_begin(&r, req, is_claim(name) ? &unclaims : &removes,
		ino, NULL))
		return;
	fs_request_end(&r,
	    tf_vault_xattr_remove(r.fs->vault, ino, name, &r.who, &r.err));
}

/* --- the store, and directories ------------------------------------------ */

void
fs_meta_statfs(fuse_req_t req, fuse_ino_t ino)
{
	static const struct fs_operation op = { .name = "statfs" };
	struct fs_request r;
	struct tf_space space;
	struct statvfs s = { 0 };
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	rc = tf_vault_space(r.fs->vault, fuse_req_ctx(req)->uid, &space,
	    &r.err);
	if (fs_request_failed(&r, rc))
		return;
	s.f_bsize = s.f_frsize = space.block_size;
	s.f_blocks = space.blocks;
	s.f_bfree = space.free;
	s.f_bavail = space.available;
	s.f_files = space.files;
	s.f_ffree = s.f_favail = space.files_free;
	s.f_namemax = FS_NAME_MAX;
	fuse_reply_statfs(req, &s);
}

/* What is done to a directory waits for all releases, so that the files closed
 * in it are frozen. */
void
fs_meta_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
    struct fuse_file_info *fi)
{
	static const struct fs_operation op = { .name = "fsync of a directory",
		.awaits = FS_AWAIT_ALL,
		.interruptible = true,
		.actor = FS_ACTOR };
	struct fs_request r;

	(void)datasync;
	(void)fi;
	if (fs_control_is(ino) || fs_of(req)->read_only) {
		fuse_reply_err(req, 0);
		return;
	}
	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	fs_await_end(&r, tf_vault_sync(r.fs->vault, ino, &r.who, &r.err),
	    false);
}

/* --- IOCTL on directories ------------------------------------------------ */

static const struct fs_operation syncs = { .name = "sync",
	.changes = true,
	.awaits = FS_AWAIT_ALL,
	.interruptible = true,
	.actor = FS_ACTOR_HINTS };
static const struct fs_operation seals = { .name = "seal",
	.changes = true,
	.awaits = FS_AWAIT_ALL,
	.interruptible = true,
	.actor = FS_ACTOR_HINTS };
static const struct fs_operation packages = { .name = "package",
	.changes = true,
	.awaits = FS_AWAIT_ALL,
	.actor = FS_ACTOR_HINTS };

static const struct fs_operation failures = { .name = "verify",
	.changes = true,
	.awaits = FS_AWAIT_ALL,
	.actor = FS_ACTOR_HINTS };

static const struct fs_operation verifications = { .name = "verify",
	.changes = true,
	.awaits = FS_AWAIT_ALL,
	.actor = FS_ACTOR_HINTS };

/* It waits for no release: seals of files that are frozen may come after it. */
static const struct fs_operation rotations = { .name = "key rotate",
	.changes = true,
	.actor = FS_ACTOR_HINTS };

/* The kernel checks the caller of chmod(2), and not that of ioctl(2), so this
 * checks that the caller may change the directory. */
static enum tf_code
seal_dir(struct fs_request *r, uint64_t ino)
{
	struct tf_attr a;
	enum tf_code rc;

	rc = tf_vault_getattr(r->fs->vault, ino, &a, &r->err);
	if (rc != TF_OK)
		return rc;
	if (r->who.uid != 0 && r->who.uid != a.uid)
		return tf_fail(&r->err, TF_DENIED,
		    "only its owner and root may seal a directory");
	return tf_vault_seal(r->fs->vault, ino, &r->who, &r->err);
}

static enum tf_code
record_package(struct fs_request *r, uint64_t ino, const void *in)
{
	struct tf_package_made made = { .size = 0 };
	struct tf_ioc_package p;

	memcpy(&p, in, sizeof p);
	memcpy(made.sha256.b, p.sha256, sizeof p.sha256);
	memcpy(made.tree_root.b, p.root, sizeof p.root);
	made.size = p.size;
	made.tree_size = p.tree_size;
	if (memchr(p.to, '\0', sizeof p.to) == NULL)
		return tf_fail(&r->err, TF_INVALID, "the receiver has no end");
	made.to = p.to[0] != '\0' ? p.to : NULL;
	return tf_vault_packaged(r->fs->vault, ino, &made, &r->who, &r->err);
}

static enum tf_code
record_verification(struct fs_request *r, uint64_t ino, const void *in)
{
	struct tf_verified made = { .size = 0 };
	struct tf_ioc_verified p;

	if (ino != TF_ROOT_ID)
		return tf_fail(&r->err, TF_UNSUPPORTED,
		    "only the whole vault is verified");
	memcpy(&p, in, sizeof p);
	memcpy(made.root.b, p.root, sizeof p.root);
	made.size = p.size;
	made.scope = (struct tf_verify_scope){ p.from, p.full, p.part,
		p.parts };
	made.seconds = p.seconds;
	return tf_vault_verified(r->fs->vault, &made, &r->who, &r->err);
}

static enum tf_code
record_failure(struct fs_request *r, uint64_t ino, const void *in)
{
	struct tf_verified made = { .size = 0 };
	struct tf_ioc_verify_failed p;

	if (ino != TF_ROOT_ID)
		return tf_fail(&r->err, TF_UNSUPPORTED,
		    "only the whole vault is verified");
	memcpy(&p, in, sizeof p);
	if (memchr(p.verdict, '\0', sizeof p.verdict) == NULL)
		return tf_fail(&r->err, TF_INVALID, "the verdict has no end");
	made.size = p.size;
	made.scope = (struct tf_verify_scope){ p.from, p.full, p.part,
		p.parts };
	made.seconds = p.seconds;
	made.verdict = p.verdict;
	made.findings = p.findings;
	return tf_vault_verify_failed(r->fs->vault, &made, &r->who, &r->err);
}

static enum tf_code
rotate_key(struct fs_request *r, uint64_t ino, const void *in)
{
	struct tf_ioc_rotate p;

	if (ino != TF_ROOT_ID)
		return tf_fail(&r->err, TF_UNSUPPORTED,
		    "keys are those of the whole vault");
	memcpy(&p, in, sizeof p);
	if (p.log > 1)
		return tf_fail(&r->err, TF_INVALID, "there is no such key");
	return tf_vault_rotate(r->fs->vault, p.log == 1, &r->who, &r->err);
}

void
fs_meta_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg,
    struct fuse_file_info *fi, unsigned flags, const void *in, size_t in_size,
    size_t out_size)
{
	const struct fs_operation *op = cmd == TF_IOC_SEAL ? &seals :
	    cmd == TF_IOC_PACKAGED			   ? &packages :
	    cmd == TF_IOC_VERIFIED			   ? &verifications :
	    cmd == TF_IOC_VERIFY_FAILED			   ? &failures :
	    cmd == TF_IOC_ROTATE			   ? &rotations :
	    cmd == TF_IOC_SYNC				   ? &syncs :
							     NULL;
	struct fs_request r;
	enum tf_code rc;

	(void)arg;
	(void)fi;
	(void)out_size;
	if ((flags & FUSE_IOCTL_DIR) == 0 || fs_control_is(ino) || op == NULL) {
		fuse_reply_err(req, ENOTTY);
		return;
	}
	if (!fs_request_begin(&r, req, op, ino, NULL))
		return;
	if (op == &seals)
		rc = seal_dir(&r, ino);
	else if (op == &syncs)
		rc = tf_vault_sync(r.fs->vault, ino, &r.who, &r.err);
	else if (op == &packages && in_size == sizeof(struct tf_ioc_package))
		rc = record_package(&r, ino, in);
	else if (op == &verifications &&
	    in_size == sizeof(struct tf_ioc_verified))
		rc = record_verification(&r, ino, in);
	else if (op == &failures &&
	    in_size == sizeof(struct tf_ioc_verify_failed))
		rc = record_failure(&r, ino, in);
	else if (op == &rotations && in_size == sizeof(struct tf_ioc_rotate))
		rc = rotate_key(&r, ino, in);
	else
		rc = tf_fail(&r.err, TF_INVALID, "the record has another size");
	if (op == &seals || op == &syncs)
		fs_await_end(&r, rc, true);
	else if (!fs_request_failed(&r, rc))
		fuse_reply_ioctl(req, 0, NULL, 0);
}
