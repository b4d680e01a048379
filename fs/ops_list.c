/*
 * Directories: open, list, close.
 */
#include <errno.h>
#include <stdlib.h>

#include "attr.h"
#include "control.h"
#include "loop.h"
#include "ops.h"
#include "request.h"

#define BATCH 64 /* names asked of the vault at a time */

/* The answer to a READDIR, while it is filled. */
struct listing {
	fuse_req_t req;
	bool plus; /* READDIRPLUS */
	char *buf;
	size_t size, used;
};

/* Add a name; next is the cookie of the name after it.  False: no room. */
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

/* The cookie after a place is place + 3.  READDIRPLUS returns no attributes
 * either: every file would have to be made to know its size. */
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
	return fs_control_list(fs->control, ino, fs_asker_caller(l->req),
	    off <= 2 ? 0 : (uint64_t)off - 2, add_control, l, err);
}

/* The cookie after node id is id + 2: it rises, and is never 0, 1 or 2. */
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
					continue; /* removed meanwhile */
			}
			fs_attr_entry(fs, &a, &e);
			if (!add(l, batch[i].name, &e, (off_t)a.id + 2))
				return TF_OK;
		}
	} while (n > 0);
	return TF_OK;
}

static void
list(fuse_req_t req, uint64_t ino, size_t size, off_t off, bool plus)
{
	static const struct fs_operation op = { .name = "list" };
	struct listing l = { .req = req, .plus = plus, .size = size };
	struct fs_request r;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	if ((l.buf = malloc(size)) == NULL)
		rc = TF_NOMEM;
	else if (fs_control_is(ino))
		rc = list_control(&l, ino, off, &r.err);
	else
		rc = list_vault(&l, ino, off, &r.err);
	/* Names found before an error are returned; the next call meets the
	 * error again. */
	if (l.used > 0 || !fs_request_failed(&r, rc))
		fuse_reply_buf(req, l.buf, l.used);
	free(l.buf);
}

/* The names of a sealed directory never change, so the kernel may keep them. */
void
fs_list_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	static const struct fs_operation op = { .name = "open directory" };
	struct fs_request r;
	struct tf_attr a;
	enum tf_code rc;

	if (fs_control_is(ino)) {
		fuse_reply_open(req, fi);
		return;
	}
	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	rc = tf_vault_opendir(r.fs->vault, ino, &a, &r.err);
	if (fs_request_failed(&r, rc))
		return;
	if (a.state == TF_STATE_SEALED)
		fi->cache_readdir = fi->keep_cache = 1;
	/* Interrupted: there will be no RELEASEDIR. */
	if (fuse_reply_open(req, fi) == -ENOENT)
		tf_vault_closedir(r.fs->vault, ino);
}

void
fs_list_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	if (!fs_control_is(ino))
		tf_vault_closedir(fs_of(req)->vault, ino);
	fuse_reply_err(req, 0);
}

void
fs_list_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, false);
}

void
fs_list_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	(void)fi;
	list(req, ino, size, off, true);
}
