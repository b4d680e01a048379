/*
 * A log as files (C2SP tlog-tiles) as the source of an audit: an exported
 * directory, a mirror, or .trailfs of a mount.  If the caller names a directory
 * with the evidence, the audit reads each file there by its path.
 *
 * A log may grow while somebody copies it, so the files may be of different
 * ages.  The checkpoint decides what must be there: a wider tile has the same
 * first hashes and is as good, a narrower one means that the copy is older than
 * its checkpoint.  That is no fault of the log, so the last entries are then
 * not seen instead of missing.  A log has no table of names, so the check of
 * names is ABSENT.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../anchor.h"
#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../control.h"
#include "../ledger/checkpoint.h"
#include "../ledger/entry.h"
#include "../ledger/merkle.h"
#include "../ledger/replay.h"
#include "../ledger/tilepath.h"
#include "../verify.h"
#include "anchors.h"
#include "audit.h"
#include "file.h"
#include "findings.h"
#include "pool.h"

struct log {
	int dirfd, evidencefd;
};

/* --- contents ------------------------------------------------------------- */

static enum tf_code
hash(void *arg, void *self, const struct tf_task *t, struct tf_hash *h,
    uint64_t *size, struct tf_error *err)
{
	struct log *l = arg;

	(void)self;
	return tf_audit_hash_beneath(l->evidencefd, t->path, &t->want, t->where,
	    h, size, err);
}

/* Only evidence has bytes to hash. */
static enum tf_code
created(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	if (a->pool == NULL || x->kind != TF_KIND_EVIDENCE)
		return TF_OK;
	return tf_audit_content(a, e->seq, e->path, 0, &e->content, err);
}

/* The bytes of a receipt are beside the log of a mount, and seldom beside a copy
 * of it. */
static enum tf_code
said(struct tf_audit *a, const struct tf_entry *e,
    const struct tf_replay_effect *x, struct tf_error *err)
{
	struct log *l = a->self;
	char path[sizeof(TF_CONTROL_COSIGNED_DIR) + TF_ANCHOR_FILE_MAX];
	char name[TF_ANCHOR_FILE_MAX];
	struct tf_buf note = { 0 };
	struct tf_error why = { .code = TF_OK };
	struct tf_hash h;
	enum tf_code rc;

	(void)x;
	if (e->type != TF_ANCHOR_ADDED)
		return TF_OK;
	tf_audit_anchor_tree(a, e);
	if (!tf_str_same(e->anchor_kind, tf_str_of(TF_ANCHOR_MIRROR)) &&
	    !tf_str_same(e->anchor_kind, tf_str_of(TF_ANCHOR_WITNESS)))
		return TF_OK;
	tf_anchor_file(e->anchor_kind, e->tree_size, e->anchor_name,
	    TF_ANCHOR_BYTES, name);
	(void)snprintf(path, sizeof(path), "%s/%s", TF_CONTROL_COSIGNED_DIR,
	    name);
	rc = tf_file_read(l->dirfd, path, TF_ANCHOR_NOTE_MAX, &note, &why);
	if (rc == TF_OK) {
		tf_sha256(tf_buf_bytes(&note).p, note.n, &h);
		if (memcmp(&h, &e->content.sha256, sizeof(h)) == 0)
			tf_audit_cosigned(a, e, tf_buf_bytes(&note));
		else
			tf_audit_finding(a, TF_CHECK_WITNESS, e->seq,
			    tf_nowhere, TF_ANCHOR_WORDS " was altered",
			    TF_ANCHOR_ARGS(e));
	} else if (rc == TF_NOTFOUND) {
		tf_audit_uncosigned(a);
	} else {
		tf_audit_uncosigned(a);
		tf_audit_unread(a, TF_CHECK_WITNESS, e->seq, tf_nowhere,
		    why.text);
	}
	tf_buf_free(&note);
	return rc == TF_NOMEM ? tf_nomem(err) : TF_OK;
}

/* --- tiles ---------------------------------------------------------------- */

/* The width that a file name in a directory of partial tiles means, or 0. */
static unsigned
width_of(const char *name)
{
	uint64_t w;

	return tf_decimal(name, strlen(name), TF_TILE_WIDTH - 1, &w) ?
	    (unsigned)w :
	    0;
}

/* Find the narrowest partial tile that is wider than width; if there is none,
 * the widest.  *have becomes its width, 0 if there is no partial tile. */
static enum tf_code
find_partial(struct log *l, unsigned level, uint64_t n, unsigned width,
    unsigned *have, struct tf_error *err)
{
	char path[TF_TILE_PATH_MAX];
	struct dirent *e;
	unsigned w;
	int fd;
	DIR *d;

	*have = 0;
	tf_tile_path(level, n, width, path);
	*strrchr(path, '/') = '\0';
	fd = openat(l->dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return TF_OK;
	if (fd < 0 || (d = fdopendir(fd)) == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return tf_fail(err, errno == EACCES ? TF_ACCESS : TF_IO,
		    "%s: %s", path, strerror(errno));
	}
	while ((errno = 0, e = readdir(d)) != NULL) {
		w = width_of(e->d_name);
		if (w > width ? *have <= width || w < *have :
				*have <= width && w > *have)
			*have = w;
	}
	w = (unsigned)errno;
	(void)closedir(d);
	errno = (int)w;
	return w == 0 ? TF_OK :
			tf_fail(err, TF_IO, "%s: %s", path, strerror(errno));
}

/*
 * Read a tile or bundle: the one of that width, else the full one, else a wider
 * one, because a log may grow during its copy, else the widest one.  *have
 * becomes its width.
 */
static enum tf_code
read_tile(struct log *l, unsigned level, uint64_t n, unsigned width, size_t max,
    struct tf_buf *out, unsigned *have, struct tf_error *err)
{
	char path[TF_TILE_PATH_MAX];
	enum tf_code rc;

	*have = width;
	tf_tile_path(level, n, width, path);
	rc = tf_file_read(l->dirfd, path, max, out, err);
	if (rc == TF_NOTFOUND && width < TF_TILE_WIDTH) {
		*have = TF_TILE_WIDTH;
		tf_tile_path(level, n, *have, path);
		rc = tf_file_read(l->dirfd, path, max, out, err);
	}
	if (rc == TF_NOTFOUND) {
		rc = find_partial(l, level, n,
		    width < TF_TILE_WIDTH ? width : TF_TILE_WIDTH - 1, have,
		    err);
		if (rc != TF_OK)
			return rc;
		rc = TF_NOTFOUND;
		tf_tile_path(level, n, *have, path);
		if (*have > 0)
			rc = tf_file_read(l->dirfd, path, max, out, err);
	}
	if (rc == TF_NOTFOUND) {
		tf_tile_path(level, n, width, path);
		rc = tf_fail(err, TF_TAMPER, "%s is missing", path);
	}
	return rc;
}

/* A tile that is too narrow counts as missing: the hashes that are not there
 * cannot be compared. */
static enum tf_code
tile(struct tf_audit *a, unsigned level, uint64_t n, unsigned width,
    struct tf_hash *out, struct tf_error *err)
{
	size_t want = width * sizeof(*out);
	char path[TF_TILE_PATH_MAX];
	struct tf_buf b = { 0 };
	unsigned have;
	enum tf_code rc;

	rc = read_tile(a->self, level, n, width, TF_TILE_WIDTH * sizeof(*out),
	    &b, &have, err);
	if (rc == TF_OK && have < width) {
		tf_tile_path(level, n, width, path);
		rc = tf_fail(err, TF_TAMPER, "%s is missing", path);
	}
	if (rc == TF_OK && b.n != have * sizeof(*out))
		rc = tf_fail(err, TF_TAMPER, "tile %u/%llu has a wrong size",
		    level, (unsigned long long)n);
	if (rc == TF_OK)
		memcpy(out, b.p, want);
	tf_buf_free(&b);
	return rc;
}

/* Check the entries of one bundle, up to width of them.  *older becomes true if
 * the bundle is from an earlier, shorter log. */
static enum tf_code
bundle(struct tf_audit *a, uint64_t n, unsigned width, bool *older,
    struct tf_error *err)
{
	struct tf_error why = { .code = TF_OK };
	struct tf_buf b = { 0 };
	size_t at = 0, len;
	unsigned i, have;
	enum tf_code rc;

	rc = read_tile(a->self, TF_TILE_ENTRIES, n, width,
	    (size_t)TF_TILE_WIDTH * (TF_ENTRY_MAX + 2), &b, &have, &why);
	if (rc != TF_OK) {
		tf_audit_trouble(a, TF_CHECK_TILES, UINT64_MAX, tf_nowhere, "",
		    &why);
		tf_buf_free(&b);
		return TF_OK;
	}
	*older = have < width;
	width = *older ? have : width;
	for (i = 0; rc == TF_OK && i < width; i++) {
		if (b.n - at < 2)
			break;
		len = tf_get_be16((const uint8_t *)b.p + at);
		if (b.n - at - 2 < len)
			break;
		rc = tf_audit_entry(a, n * TF_TILE_WIDTH + i, b.p + at + 2, len,
		    err);
		at += 2 + len;
	}
	if (rc == TF_OK && (i < width || (width == have && at != b.n)))
		tf_audit_finding(a, TF_CHECK_TILES, UINT64_MAX, tf_nowhere,
		    "bundle %llu is cut or has bytes after its entries",
		    (unsigned long long)n);
	tf_buf_free(&b);
	return rc;
}

/* True if bundle n is past the end of the log or no file holds it. */
static bool
ends_before(struct tf_audit *a, uint64_t n)
{
	unsigned width = tf_tile_width(a->head.size, 0, n), have;
	struct tf_buf b = { 0 };
	bool none = width == 0 ||
	    read_tile(a->self, TF_TILE_ENTRIES, n, width,
		(size_t)TF_TILE_WIDTH * (TF_ENTRY_MAX + 2), &b, &have,
		NULL) == TF_TAMPER;

	tf_buf_free(&b);
	return none;
}

/* Learn the rotations of the log's key from all bundles that are there; *unread:
 * one could not be read. */
static enum tf_code
learn(struct tf_audit *a, struct tf_error *unread, struct tf_error *err)
{
	struct tf_buf b = { 0 };
	enum tf_code rc = TF_OK;
	unsigned have = TF_TILE_WIDTH;

	for (uint64_t n = 0; rc == TF_OK && have == TF_TILE_WIDTH; n++) {
		struct tf_error e = { .code = TF_OK };
		size_t len;

		b.n = 0;
		rc = read_tile(a->self, TF_TILE_ENTRIES, n, TF_TILE_WIDTH,
		    (size_t)TF_TILE_WIDTH * (TF_ENTRY_MAX + 2), &b, &have, &e);
		if (rc != TF_OK) { /* the end, or the pass says what it is */
			if (rc == TF_NOMEM)
				rc = tf_nomem(err);
			else if (tf_code_undecided(rc))
				*unread = e;
			break;
		}
		for (size_t at = 0; rc == TF_OK && b.n - at >= 2;
		     at += 2 + len) {
			len = tf_get_be16((const uint8_t *)b.p + at);
			if (b.n - at - 2 < len)
				break;
			rc = tf_audit_learn(a, b.p + at + 2, len, err);
		}
	}
	tf_buf_free(&b);
	return rc == TF_NOMEM ? rc : TF_OK;
}

/* Read bundle after bundle up to the size in the checkpoint; files beyond it
 * are not of this audit. */
static enum tf_code
entries(struct tf_audit *a, struct tf_error *err)
{
	enum tf_code rc = TF_OK;
	bool older = false;
	uint64_t n;
	unsigned width;

	for (n = 0; rc == TF_OK && !older; n++) {
		width = tf_tile_width(a->head.size, 0, n);
		if (width == 0)
			break;
		rc = bundle(a, n, width, &older, err);
		/* If the next bundle exists, the copy is not older: entries
		 * are missing from its middle. */
		older = older && ends_before(a, n + 1);
	}
	if (rc == TF_OK && older)
		tf_audit_cut(a,
		    "the copy ends before this entry, which its checkpoint "
		    "has: copy the checkpoint first, then the tiles");
	return rc;
}

static const struct tf_source source = {
	.entries = entries,
	.tile = tile,
	.created = created,
	.said = said,
};

/* --- around it ------------------------------------------------------------ */

static enum tf_code
open_dir(const char *path, int *fd, struct tf_error *err)
{
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd >= 0)
		return TF_OK;
	return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", path,
	    strerror(errno));
}

/* Without a checkpoint nothing says how long the log is, and nobody can vouch
 * for it: that is a finding. */
static enum tf_code
run(struct tf_audit *a, struct tf_error *err)
{
	struct log *l = a->self;
	struct tf_pool_work w = { .hash = hash, .arg = l };
	struct tf_error unread = { .code = TF_OK };
	struct tf_buf note = { 0 }, cosigned = { 0 };
	enum tf_code rc;

	a->source = &source;
	a->r->check[TF_CHECK_NAMES] = TF_VERDICT_ABSENT;
	if (l->evidencefd < 0)
		a->r->check[TF_CHECK_CONTENTS] = TF_VERDICT_ABSENT;
	else if ((rc = tf_pool_new(&w, a->v->threads, &a->pool, err)) != TF_OK)
		return rc;
	/* Before the checkpoint, which may grow meanwhile. */
	rc = tf_file_read(l->dirfd, TF_CONTROL_COSIGNED, TF_NOTE_MAX, &cosigned,
	    err);
	if (tf_code_undecided(rc))
		return rc;
	rc = tf_file_read(l->dirfd, "checkpoint", TF_NOTE_MAX, &note, err);
	/* TF_INVALID: not a plain file.  That is a finding, as an empty note
	 * is. */
	if (rc == TF_NOTFOUND) {
		tf_audit_finding(a, TF_CHECK_SIGNATURE, UINT64_MAX, tf_nowhere,
		    "there is no checkpoint");
		rc = tf_audit_run(a, err);
	} else if (rc == TF_OK || rc == TF_INVALID) {
		if ((rc = learn(a, &unread, err)) != TF_OK ||
		    (rc = tf_audit_earlier(a, err)) != TF_OK)
			goto out;
		tf_audit_head(a, tf_buf_bytes(&note));
		if (cosigned.n > 0)
			tf_audit_cosigned_head(a, tf_buf_bytes(&cosigned));
		rc = tf_audit_run(a, err);
		/* The pass could read it, and a rotation in it is unknown. */
		if (rc == TF_OK && unread.code != TF_OK)
			rc = tf_fail_as(err, &unread);
	}
out:
	tf_buf_free(&cosigned);
	tf_buf_free(&note);
	return rc;
}

enum tf_code
tf_verify_log(const char *dir, const char *evidence, const struct tf_verify *v,
    struct tf_report *report, struct tf_error *err)
{
	struct log l = { .dirfd = -1, .evidencefd = -1 };
	struct tf_audit *a = NULL;
	enum tf_code rc = tf_audit_new(v, NULL, report, &a, err);

	if (rc == TF_OK)
		rc = open_dir(dir, &l.dirfd, err);
	if (rc == TF_OK && evidence != NULL)
		rc = open_dir(evidence, &l.evidencefd, err);
	if (rc == TF_OK) {
		a->self = &l;
		rc = run(a, err);
	}
	tf_audit_free(a);
	if (l.dirfd >= 0)
		(void)close(l.dirfd);
	if (l.evidencefd >= 0)
		(void)close(l.evidencefd);
	return rc;
}
