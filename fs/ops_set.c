/*
 * Settable control files: create, open for writing, write, close.
 *
 * FLUSH records what was written and reports refusals to close(2).  Its entry
 * names the user who opened the file, as FLUSH must not read /proc.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "attr.h"
#include "control.h"
#include "control_save.h"
#include "handle.h"
#include "loop.h"
#include "ops.h"
#include "report.h"
#include "request.h"

static const struct fs_operation opens = { .name = "open for writing",
	.sets = true,
	.starts = true,
	.interruptible = true,
	.actor = FS_ACTOR_HINTS };
static const struct fs_operation truncates = { .name = "change attributes",
	.sets = true,
	.starts = true,
	.interruptible = true,
	.actor = FS_ACTOR_HINTS };

static void
set_handle(struct fuse_file_info *fi, struct fs_handle *h)
{
	fi->fh = (uintptr_t)h;
	fi->direct_io = 1;
	fi->keep_cache = 0;
}

/* Fill *e for node ino, which is being written. */
static enum tf_code
entry_of(struct fs_request *r, uint64_t ino, struct fuse_entry_param *e)
{
	struct fs_asker who;
	struct stat st;
	enum tf_code rc;

	fs_asker_of(r->req, &who);
	rc = fs_control_stat(r->fs->control, ino, &who, NULL, &st, &r->err);
	fs_asker_free(&who);
	if (rc == TF_OK) {
		fs_attr_control_entry(r->fs, &st, e);
		e->ino = ino;
	}
	return rc;
}

/* A member of admins= may create files in .trailfs, but not those that only who
 * writes the directory may set. */
static enum tf_code
may_create(struct fs_request *r, uint64_t parent, const char *name)
{
	struct fs_asker who;
	enum tf_code rc;

	if (!r->who.administers)
		return TF_OK;
	fs_asker_of(r->req, &who);
	rc = fs_control_may_create(r->fs->control, parent, name,
	    fs_asker_get(&who), &r->err);
	fs_asker_free(&who);
	return rc;
}

void
fs_set_create(fuse_req_t req, fuse_ino_t parent, const char *name,
    struct fuse_file_info *fi)
{
	static const struct fs_operation op = { .name = "create",
		.sets = true,
		.starts = true,
		.interruptible = true,
		.actor = FS_ACTOR_HINTS };
	struct fuse_entry_param e;
	struct fs_request r;
	struct fs_handle *h = NULL;
	uint64_t ino;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, parent, name))
		return;
	rc = may_create(&r, parent, name);
	if (rc == TF_OK)
		rc = (h = fs_handle_new(r.fs)) != NULL ? TF_OK : TF_NOMEM;
	if (rc == TF_OK) {
		rc = fs_control_create(r.fs->control, parent, name, &r.who,
		    &ino, &h->save, &r.err);
		if (rc == TF_OK)
			rc = entry_of(&r, ino, &e);
	}
	if (rc != TF_OK)
		fs_handle_free(r.fs, h);
	if (fs_request_failed(&r, rc))
		return;
	set_handle(fi, h);
	if (fuse_reply_create(req, &e, fi) == -ENOENT)
		fs_handle_free(r.fs, h); /* interrupted: no RELEASE comes */
}

void
fs_set_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs_request r;
	struct fs_handle *h;
	enum tf_code rc = TF_NOMEM;

	if (!fs_request_begin(&r, req, &opens, ino, NULL))
		return;
	if ((h = fs_handle_new(r.fs)) != NULL)
		rc = fs_control_open_save(r.fs->control, ino,
		    (fi->flags & O_TRUNC) != 0, &r.who, &h->save, &r.err);
	if (rc != TF_OK)
		fs_handle_free(r.fs, h);
	if (fs_request_failed(&r, rc))
		return;
	set_handle(fi, h);
	if (fuse_reply_open(req, fi) == -ENOENT)
		fs_handle_free(r.fs, h); /* interrupted: no RELEASE comes */
}

void
fs_set_read(fuse_req_t req, size_t size, off_t off, struct fuse_file_info *fi)
{
	char *p = malloc(size > 0 ? size : 1);
	size_t n;

	if (p == NULL) {
		fuse_reply_err(req, ENOMEM);
		return;
	}
	n = fs_save_read(fs_control_saves(fs_of(req)->control),
	    fs_handle_of(fi)->save, p, size, (uint64_t)off);
	fuse_reply_buf(req, p, n);
	free(p);
}

void
fs_set_write(fuse_req_t req, fuse_ino_t ino, const char *p, size_t n, off_t off,
    struct fuse_file_info *fi)
{
	static const struct fs_operation op = { .name = "write" };
	struct fs_request r;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	rc = fs_save_write(fs_control_saves(r.fs->control),
	    fs_handle_of(fi)->save, p, n, (uint64_t)off,
	    (fi->flags & O_APPEND) != 0, &r.err);
	if (!fs_request_failed(&r, rc))
		fuse_reply_write(req, n);
}

void
fs_set_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	static const struct fs_operation op = { .name = "close" };
	struct fs_request r;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	fs_loop_away();
	rc = fs_save_flush(fs_control_saves(r.fs->control),
	    fs_handle_of(fi)->save, &r.err);
	fs_request_end(&r, rc);
}

/* Change the size, through the handle or by path. */
static enum tf_code
resize(struct fs_request *r, uint64_t ino, off_t size,
    struct fuse_file_info *fi)
{
	struct fs_save *s = fi != NULL ? fs_handle_of(fi)->save : NULL;

	if (s != NULL)
		return fs_save_resize(fs_control_saves(r->fs->control), s,
		    (uint64_t)size, &r->err);
	return fs_control_resize(r->fs->control, ino, (uint64_t)size, &r->who,
	    &r->err);
}

void
fs_set_attr(fuse_req_t req, fuse_ino_t ino, off_t size,
    struct fuse_file_info *fi)
{
	struct fuse_entry_param e;
	struct fs_request r;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &truncates, ino, NULL))
		return;
	rc = fs_control_settable(r.fs->control, ino, &r.err);
	if (rc == TF_OK && size >= 0)
		rc = resize(&r, ino, size, fi);
	if (rc == TF_OK)
		rc = entry_of(&r, ino, &e);
	if (!fs_request_failed(&r, rc))
		fuse_reply_attr(req, &e.attr, e.attr_timeout);
}
