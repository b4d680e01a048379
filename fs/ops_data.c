/*
 * Content: create, open, read, write, close.
 *
 * FLUSH makes the content durable and reports failure to close(2); a thread of
 * the vault may send its answer.  RELEASE freezes the content.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>

#include "actor.h"
#include "attr.h"
#include "await.h"
#include "barrier.h"
#include "control.h"
#include "control_past.h"
#include "handle.h"
#include "loop.h"
#include "ops.h"
#include "pages.h"
#include "passthrough.h"
#include "report.h"
#include "request.h"
#include "stream.h"
#include "worker.h"

/* A request of more bytes hands reading over to another worker. */

static void
set_handle(struct fuse_file_info *fi, struct fs_handle *h)
{
	fi->fh = (uintptr_t)h;
}

/* The caller has opened sealed evidence, or a package: record it if wanted. */
static void
note_read(fuse_req_t req, uint64_t node)
{
	struct fs *fs = fs_of(req);
	struct tf_actor who;

	if (!tf_vault_notes_reads(fs->vault))
		return;
	fs_actor_of_reader(fs->actors, req, &who);
	tf_vault_note_read(fs->vault, node, &who);
}

/* The caller has opened a control file that shows evidence. */
static void
note_shown(fuse_req_t req, uint64_t ino, struct fs_asker *who)
{
	struct fs *fs = fs_of(req);
	uint64_t parts[TF_REPLAY_PARTS];
	size_t n = 0;

	if (!tf_vault_notes_reads(fs->vault) ||
	    fs_control_evidence(fs->control, ino, who, parts, &n, NULL) !=
		TF_OK)
		return;
	for (size_t i = 0; i < n; i++)
		note_read(req, parts[i]);
}

static enum tf_code
open_read(fuse_req_t req, uint64_t ino, struct fs_handle *h,
    struct fuse_file_info *fi, struct tf_error *err)
{
	bool fresh = true; /* stays true for a file that is not sealed */
	enum tf_code rc;

	rc = tf_vault_open_read(fs_of(req)->vault, ino, fuse_req_ctx(req)->uid,
	    &h->reader, &fresh, err);
	if (rc == TF_OK && tf_reader_is_sealed(h->reader))
		note_read(req, ino);
	fi->keep_cache = rc == TF_OK && !fresh;
	fi->noflush = 1; /* the close of a reader has nothing to report */
	return rc;
}

/* Enter h as an open file of ino, with its object if the kernel could read that
 * itself. */
static void
enter(struct fs *fs, uint64_t ino, struct fs_handle *h)
{
	struct tf_open_object held = { .fd = -1 };
	/* An object that cannot be opened is reported by READ. */
	bool passable = h->reader != NULL && tf_reader_is_long(h->reader) &&
	    fs_passthrough_may_pass(fs->passthrough, ino) &&
	    tf_reader_object(h->reader, NULL) == TF_OK &&
	    tf_reader_hold(h->reader, &held);

	fs_passthrough_enter(fs->passthrough, h, ino, held.fd);
	if (passable)
		tf_vault_let_go(fs->vault, &held);
}

/* Does the open ask for more than reading? */
static bool
is_writing(const struct fuse_file_info *fi)
{
	return (fi->flags & O_ACCMODE) != O_RDONLY ||
	    (fi->flags & O_TRUNC) != 0;
}

/* open(O_RDONLY | O_CREAT): other writers and the seal of the attestation wait
 * for writers, so a file that is only read must not count as one. */
static enum tf_code
become_reader(fuse_req_t req, uint64_t ino, struct fs_handle *h,
    struct fuse_file_info *fi, struct tf_error *err)
{
	struct fs *fs = fs_of(req);
	enum tf_code rc = open_read(req, ino, h, fi, err), closed;

	/* The close of a reader reports nothing, so report the error now. */
	closed = tf_file_close(fs->vault, h->file, rc == TF_OK ? err : NULL);
	h->file = NULL;
	return rc == TF_OK ? closed : rc;
}

void
fs_data_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_file_info *fi)
{
	static const struct fs_operation op = { .name = "create",
		.changes = true,
		.starts = true,
		.actor = FS_ACTOR_HINTS };
	struct fuse_entry_param e;
	struct fs_request r;
	struct fs_handle *h;
	struct tf_attr a;
	enum tf_code rc = TF_NOMEM;

	if (fs_control_is(parent)) {
		fs_set_create(req, parent, name, fi);
		return;
	}
	if (!fs_request_begin(&r, req, &op, parent, name))
		return;
	if ((h = fs_handle_new(r.fs)) != NULL) {
		rc = tf_vault_create(r.fs->vault, parent, name,
		    fs_roles_unmark_new(&r.fs->roles, mode & 07777), &r.who, &a,
		    &h->file, &r.err);
		if (rc == TF_OK && !is_writing(fi))
			rc = become_reader(req, a.id, h, fi, &r.err);
	}
	if (rc != TF_OK)
		fs_handle_free(r.fs, h);
	if (fs_request_failed(&r, rc))
		return;
	set_handle(fi, h);
	fs_stream_open(r.fs, h, a.id, fi);
	fs_passthrough_enter(r.fs->passthrough, h, a.id, -1);
	fs_attr_entry(r.fs, &a, &e);
	/* It has no content yet. */
	e.attr_timeout = h->collects ? 0 : FS_ATTR_TIMEOUT_S;
	/* The open was interrupted: there will be no RELEASE. */
	if (fuse_reply_create(req, &e, fi) == -ENOENT)
		fs_handle_free(r.fs, h);
}

/* --- OPEN ---------------------------------------------------------------- */

/* Also in a thread of worker.c, when the releases were waited for already. */
static void
open_control(fuse_req_t req, uint64_t ino)
{
	static const struct fs_operation op = { .name = "open" };
	struct fuse_file_info fi = { .noflush = 1 };
	struct fs_request r;
	struct fs_handle *h;
	struct fs_asker who;
	uint64_t dir;
	enum tf_code rc = TF_NOMEM;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	fs_asker_of(req, &who);
	fi.keep_cache = fs_control_is_final(ino);
	fi.direct_io = !fi.keep_cache;
	if ((h = fs_handle_new(r.fs)) != NULL)
		rc = fs_control_open(r.fs->control, ino, &who, &h->snapshot,
		    &r.err);
	if (rc == TF_OK && fs_control_is_package(ino, &dir))
		note_read(req, dir);
	if (rc == TF_OK && fs_control_has_evidence(ino))
		note_shown(req, ino, &who);
	fs_asker_free(&who);
	fs_worker_answers(req);
	if (rc != TF_OK)
		fs_handle_free(r.fs, h);
	if (fs_request_failed(&r, rc))
		return;
	set_handle(&fi, h);
	if (fuse_reply_open(req, &fi) == -ENOENT)
		fs_handle_free(r.fs, h); /* interrupted, as in create */
}

/* Evidence in .trailfs/at has the object of today.  Its bytes are not cached: a
 * redaction drops only those of today's node. */
static void
open_past(fuse_req_t req, uint64_t ino)
{
	static const struct fs_operation op = { .name = "open",
		.interruptible = true };
	struct fuse_file_info fi = { .flags = O_RDONLY };
	struct fs_request r;
	struct fs_handle *h;
	struct stat st;
	enum tf_code rc;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	if ((h = fs_handle_new(r.fs)) == NULL)
		rc = TF_NOMEM;
	else
		rc = fs_past_stat(r.fs->vault, ino, &st, &r.err);
	if (rc == TF_OK)
		rc = open_read(req, fs_past_node(ino), h, &fi, &r.err);
	fi.keep_cache = 0;
	fi.direct_io = 1;
	if (rc != TF_OK)
		fs_handle_free(r.fs, h);
	if (fs_request_failed(&r, rc))
		return;
	set_handle(&fi, h);
	if (fuse_reply_open(req, &fi) == -ENOENT)
		fs_handle_free(r.fs, h); /* interrupted, as in create */
}

/* The helper wants the kernel to drop the pages of ino (pages.h): it does, because
 * the answer does not have FOPEN_KEEP_CACHE.  Nobody has looked at the content. */
static void
open_to_drop(fuse_req_t req, uint64_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fs_of(req);
	struct fs_handle *h = fs_handle_new(fs);

	if (h == NULL || !fs_pages_opened(fs->pages, ino)) {
		fs_handle_free(fs, h);
		fuse_reply_err(req, ENOMEM);
		return;
	}
	set_handle(fi, h);
	h->drops = true;
	fi->noflush = 1;
	fi->keep_cache = fi->direct_io = (fi->flags & FS_PAGES_KEEP) != 0;
	fs_passthrough_enter(fs->passthrough, h, ino, -1);
	if (fs_passthrough_reply_open(req, h, fi) == -ENOENT) {
		fs_pages_released(fs->pages, ino);
		fs_handle_free(fs, h); /* interrupted, as in create */
	}
}

void
fs_data_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	static const struct fs_operation reads = { .name = "open",
		.awaits = FS_AWAIT_NODE,
		.interruptible = true };
	static const struct fs_operation writes = { .name = "open for writing",
		.changes = true,
		.starts = true,
		.awaits = FS_AWAIT_NODE,
		.interruptible = true,
		.actor = FS_ACTOR_HINTS };
	struct fs *fs = fs_of(req);
	bool writing = is_writing(fi);
	struct fs_request r;
	struct fs_handle *h;
	enum tf_code rc = TF_NOMEM;

	if (!writing && fs_past_is_node(ino)) {
		open_past(req, ino);
		return;
	}
	if (fs_pages_asks(fs->pages, fuse_req_ctx(req)->pid)) {
		open_to_drop(req, ino, fi);
		return;
	}
	if (!writing && fs_control_is(ino)) {
		fs_loop_hand_over();
		fs_stream_await(fs, 0);
		fs_loop_await(fs->loop, 0); /* status counts what is frozen */
		fs_worker_if_long(fs, req, ino, open_control);
		return;
	}
	if (fs_control_is(ino)) {
		fs_set_open(req, ino, fi);
		return;
	}
	if (!fs_request_begin(&r, req, writing ? &writes : &reads, ino, NULL))
		return;
	if ((h = fs_handle_new(fs)) != NULL)
		rc = writing ?
		    tf_vault_open_write(fs->vault, ino,
			(fi->flags & O_TRUNC) != 0, &r.who, &h->file, &r.err) :
		    open_read(req, ino, h, fi, &r.err);
	if (rc != TF_OK)
		fs_handle_free(fs, h);
	if (fs_request_failed(&r, rc))
		return;
	set_handle(fi, h);
	fs_stream_open(fs, h, ino, fi);
	enter(fs, ino, h);
	if (fs_passthrough_reply_open(req, h, fi) == -ENOENT)
		fs_handle_free(fs, h); /* interrupted, as in create */
}

/* --- READ and WRITE ------------------------------------------------------ */

void
fs_data_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	static const struct fs_operation op = { .name = "read",
		.interruptible = true };
	struct fs_handle *h = fs_handle_of(fi);
	struct fuse_bufvec v = FUSE_BUFVEC_INIT(size);
	struct tf_open_object held;
	struct fs_request r;
	char *buf;
	size_t got = 0;
	enum tf_code rc;

	if (h->save != NULL) {
		fs_set_read(req, size, off, fi);
		return;
	}
	if (h->reader == NULL && h->file == NULL && h->snapshot == NULL) {
		fuse_reply_err(req, EBADF); /* of open_to_drop() */
		return;
	}
	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	if (size > FS_LOOP_LONG)
		fs_loop_hand_over();
	if (h->reader != NULL && tf_reader_hold(h->reader, &held)) {
		v.buf[0].flags = FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK;
		v.buf[0].fd = held.fd;
		v.buf[0].pos = off;
		fuse_reply_data(req, &v, 0);
		/* Once answered, another thread may have released h. */
		tf_vault_let_go(r.fs->vault, &held);
		return;
	}
	if ((buf = malloc(size > 0 ? size : 1)) == NULL)
		rc = TF_NOMEM;
	else if (h->snapshot != NULL)
		rc = fs_control_read(r.fs->control, h->snapshot, buf, size,
		    (uint64_t)off, &got, &r.err);
	else if (h->reader != NULL)
		rc = tf_reader_read(h->reader, buf, size, (uint64_t)off, &got,
		    &r.err);
	else
		rc = tf_file_read_at(h->file, buf, size, (uint64_t)off, &got,
		    &r.err);
	if (!fs_request_failed(&r, rc))
		fuse_reply_buf(req, buf, got);
	free(buf);
}

void
fs_data_write(fuse_req_t req, fuse_ino_t ino, const char *p, size_t n,
    off_t off, struct fuse_file_info *fi)
{
	static const struct fs_operation op = { .name = "write",
		.changes = true };
	struct fs_handle *h = fs_handle_of(fi);
	/* A page of a shared mapping is written at its own offset. */
	bool append = (fi->flags & O_APPEND) != 0 && !fi->writepage &&
	    !fs_of(req)->streams;
	struct fs_release collected = { 0 };
	struct fs_request r;
	enum tf_code rc;

	if (h->save != NULL) {
		fs_set_write(req, ino, p, n, off, fi);
		return;
	}
	if (h->file == NULL) {
		fuse_reply_err(req, EBADF);
		return;
	}
	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	if (n > FS_LOOP_LONG)
		fs_loop_hand_over();
	if (fi->writepage)
		fs_stream_begin(r.fs, &collected, ino);
	atomic_fetch_add(&h->changes, 1);
	if (fi->writepage && h->collects)
		rc = tf_file_write_collected(h->file, p, n, (uint64_t)off,
		    &r.err);
	else if (fi->writepage)
		rc = tf_file_write_mapped(h->file, p, n, (uint64_t)off, &r.err);
	else
		rc = tf_file_write_at(h->file, p, n, (uint64_t)off, append,
		    &r.err);
	if (rc != TF_OK)
		fs_stream_revoke(r.fs, ino);
	if (!fs_request_failed(&r, rc))
		fuse_reply_write(req, n);
	fs_stream_end(r.fs, &collected);
}

void
fs_data_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off,
    off_t len, struct fuse_file_info *fi)
{
	static const struct fs_operation op = { .name = "allocate",
		.changes = true };
	struct fs_handle *h = fs_handle_of(fi);
	struct fs_request r;

	if ((mode & ~FALLOC_FL_KEEP_SIZE) != 0 || h->save != NULL) {
		fuse_reply_err(req, EOPNOTSUPP);
		return;
	}
	if (h->file == NULL) {
		fuse_reply_err(req, EBADF);
		return;
	}
	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	atomic_fetch_add(&h->changes, 1);
	fs_request_end(&r,
	    tf_file_allocate(h->file, (uint64_t)off, (uint64_t)len, mode == 0,
		&r.err));
}

/* --- closing ------------------------------------------------------------- */

void
fs_data_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (fs_handle_of(fi)->save != NULL) {
		fs_set_flush(req, ino, fi);
		return;
	}
	fs_loop_serves_patiently(req);
	fs_stream_collect(fs_of(req), fs_handle_of(fi), ino);
	if (fs_handle_of(fi)->collects)
		fs_pages_await(fs_of(req)->pages, ino);
	fs_handle_flush(fs_of(req), fs_handle_of(fi), req, false);
}

/* sync(1) and other programs open a file for reading to have it on disk. */
static void
sync_read(fuse_req_t req, uint64_t ino)
{
	static const struct fs_operation op = { .name = "fsync",
		.awaits = FS_AWAIT_NODE,
		.interruptible = true,
		.actor = FS_ACTOR };
	struct fs_request r;

	if (!fs_request_begin(&r, req, &op, ino, NULL))
		return;
	fs_await_end(&r, tf_vault_sync_file(r.fs->vault, ino, &r.who, &r.err),
	    false);
}

void
fs_data_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
    struct fuse_file_info *fi)
{
	struct fs_handle *h = fs_handle_of(fi);

	(void)datasync;
	if (h->reader != NULL && fs_control_is(ino)) {
		fuse_reply_err(req, 0); /* in .trailfs/at: it is sealed */
		return;
	}
	if (h->reader != NULL) {
		sync_read(req, ino);
		return;
	}
	if (h->save != NULL) {
		fs_set_flush(req, ino, fi);
		return;
	}
	fs_loop_serves_patiently(req);
	fs_stream_collect(fs_of(req), h, ino);
	fs_handle_flush(fs_of(req), h, req, true);
}

/* The worker ends the release in the barrier when this returns. */
void
fs_data_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (fs_handle_of(fi)->drops)
		fs_pages_released(fs_of(req)->pages, ino);
	fs_handle_free(fs_of(req), fs_handle_of(fi));
	fuse_reply_err(req, 0);
}
