/*
 * The blobs of the engine `dir:`: see dir.h.
 *
 * A blob is written to a file without a name, which is synced and then linked: a
 * process that is killed leaves nothing behind, and no name ever has other bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/bytes.h"
#include "../base/crypto.h"
#include "../base/file.h"
#include "../base/mutant.h"
#include "../store/objects.h"
#include "dir.h"

#define CHUNK 65536

struct dir_blobs {
	struct tf_blobs base; /* first: see engine.h */
	int objects, log;
	enum tf_org_how how;
};

static struct dir_blobs *
blobs_of(struct tf_blobs *b)
{
	return (struct dir_blobs *)b;
}

/* --- making and opening ------------------------------------------------------ */

static enum tf_code
blobs_create(const char *uri, struct tf_error *err)
{
	static const char *const names[] = { "objects", "log" };
	const char *path = tf_dir_path(uri);
	enum tf_code rc;
	int fd;

	if (*path == '\0')
		return tf_fail(err, TF_INVALID, "dir: needs a path behind it");
	rc = tf_file_mkdir(AT_FDCWD, path, err);
	if (rc != TF_OK && rc != TF_EXISTS)
		return rc;
	if ((fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", path,
		    strerror(errno));
	rc = TF_OK;
	for (size_t i = 0; rc == TF_OK && i < 2; i++) {
		rc = tf_file_mkdir(fd, names[i], err);
		rc = rc == TF_EXISTS ? TF_OK : rc;
	}
	if (rc == TF_OK)
		rc = tf_file_sync_dir(fd, ".", err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(fd, "..", err);
	(void)close(fd); /* only read */
	return rc;
}

static void
blobs_close(struct tf_blobs *blobs)
{
	struct dir_blobs *b = blobs_of(blobs);

	if (b->objects >= 0)
		(void)close(b->objects); /* only read, both */
	if (b->log >= 0)
		(void)close(b->log);
	free(b);
}

static enum tf_code
open_below(const char *path, const char *name, int *out, struct tf_error *err)
{
	char whole[PATH_MAX];

	if ((size_t)snprintf(whole, sizeof(whole), "%s/%s", path, name) >=
	    sizeof(whole))
		return tf_fail(err, TF_NAMETOOLONG, "%.100s is too long", path);
	*out = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*out < 0)
		return tf_fail(err, tf_code_of_open(errno), "%.100s: %s", whole,
		    strerror(errno));
	return TF_OK;
}

static enum tf_code
blobs_open(const char *uri, enum tf_org_how how, struct tf_blobs **out,
    struct tf_error *err)
{
	struct dir_blobs *b = calloc(1, sizeof(*b));
	enum tf_code rc;

	if (b == NULL)
		return tf_nomem(err);
	b->base.ops = &tf_dir_blob_ops;
	b->how = how;
	b->objects = b->log = -1;
	rc = open_below(tf_dir_path(uri), "objects", &b->objects, err);
	if (rc == TF_OK)
		rc = open_below(tf_dir_path(uri), "log", &b->log, err);
	if (rc != TF_OK) {
		blobs_close(&b->base);
		return rc;
	}
	*out = &b->base;
	return TF_OK;
}

static enum tf_code
may(const struct dir_blobs *b, enum tf_org_how how, struct tf_error *err)
{
	return b->how >= how ?
	    TF_OK :
	    tf_fail(err, TF_DENIED, "the blobs were not opened for that");
}

/* --- blobs ------------------------------------------------------------------- */

/* Copy the whole of one file to another one, and digest what was read. */
static enum tf_code
copy(int from, int to, struct tf_hash *digest, uint64_t *size,
    struct tf_error *err)
{
	struct tf_sha256 *h = tf_sha256_new();
	char *buf = malloc(CHUNK);
	size_t got = 1;
	enum tf_code rc = h == NULL || buf == NULL ? tf_nomem(err) : TF_OK;

	for (*size = 0; rc == TF_OK && got > 0; *size += got) {
		rc = tf_file_pread(from, buf, CHUNK, *size, &got, err);
		if (rc != TF_OK || got == 0)
			break;
		tf_sha256_add(h, buf, got);
		rc = tf_file_pwrite(to, buf, got, *size, err);
	}
	if (rc == TF_OK)
		tf_sha256_peek(h, digest);
	tf_sha256_free(h);
	free(buf);
	return rc;
}

static bool
same_hash(const struct tf_hash *a, const struct tf_hash *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

/* tf_object_open() calls a missing object damaged, which one store may do. */
static enum tf_code
open_blob(struct dir_blobs *b, const struct tf_hash *sha256, int *fd,
    struct tf_error *err)
{
	uint64_t ino;
	enum tf_code rc = tf_object_inode(b->objects, sha256, &ino, err);

	*fd = -1;
	if (rc == TF_OK && ino == 0)
		return tf_fail(err, TF_NOTFOUND, "there is no such blob");
	return rc == TF_OK ? tf_object_open(b->objects, sha256, fd, err) : rc;
}

/*
 * Is the blob there with the right bytes?  They are then synced: who linked it
 * may have been killed before that.  A damaged one is put aside, so that a right
 * one can take its name.
 */
static enum tf_code
is_there(struct dir_blobs *b, const struct tf_hash *sha256, bool *yes,
    struct tf_error *err)
{
	char aside[TF_OBJECT_ASIDE];
	struct tf_hash h;
	struct stat st;
	uint64_t size;
	int fd;
	enum tf_code rc = open_blob(b, sha256, &fd, err);

	*yes = false;
	if (rc == TF_NOTFOUND)
		return TF_OK;
	if (rc == TF_OK)
		rc = tf_hash_fd(fd, &h, &size, err);
	if (rc == TF_OK && fstat(fd, &st) < 0)
		rc = tf_fail(err, TF_IO, "a blob: %s", strerror(errno));
	*yes = rc == TF_OK && same_hash(&h, sha256);
	if (*yes)
		rc = tf_file_sync(fd, err);
	else if (rc == TF_OK) {
		rc = tf_object_put_aside(b->objects, sha256, st.st_ino, aside,
		    err);
		rc = rc == TF_NOTFOUND ? TF_OK : rc;
	}
	if (fd >= 0)
		(void)close(fd); /* only read */
	return rc;
}

/* The directory of a blob, and its name in it. */
static void
blob_name(const struct tf_hash *sha256, char dir[3], char name[67])
{
	char hex[65];

	tf_hex(sha256->b, sizeof(sha256->b), hex);
	(void)snprintf(dir, 3, "%.2s", hex);
	(void)snprintf(name, 67, "%.2s/%s", hex, hex + 2);
}

static enum tf_code
link_blob(struct dir_blobs *b, int fd, const struct tf_hash *sha256,
    struct tf_error *err)
{
	char from[32], dir[3], name[67];
	enum tf_code rc;

	blob_name(sha256, dir, name);
	rc = tf_file_mkdir(b->objects, dir, err);
	if (rc != TF_OK && rc != TF_EXISTS)
		return rc;
	if (fchmod(fd, 0400) < 0)
		return tf_fail(err, TF_IO, "chmod blob %s", name);
	if ((rc = tf_file_sync(fd, err)) != TF_OK)
		return rc;
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", fd);
	/* linkat never replaces: who comes second finds the same bytes. */
	if (linkat(AT_FDCWD, from, b->objects, name, AT_SYMLINK_FOLLOW) < 0 &&
	    errno != EEXIST)
		return tf_fail(err, TF_IO, "link blob %s", name);
	return TF_OK;
}

static enum tf_code
sync_name(struct dir_blobs *b, const struct tf_hash *sha256,
    struct tf_error *err)
{
	char dir[3], name[67];
	enum tf_code rc;

	blob_name(sha256, dir, name);
	rc = tf_file_sync_dir(b->objects, dir, err);
	return rc == TF_OK ? tf_file_sync_dir(b->objects, ".", err) : rc;
}

static enum tf_code
put_new(struct dir_blobs *b, const struct tf_hash *sha256, uint64_t size,
    int from, struct tf_error *err)
{
	struct tf_hash h;
	uint64_t n;
	enum tf_code rc;
	int fd = openat(b->objects, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EOPNOTSUPP ?
		    tf_fail(err, TF_UNSUPPORTED,
			"its file system has no files without a name") :
		    tf_fail(err, TF_IO, "make a blob: %s", strerror(errno));
	rc = copy(from, fd, &h, &n, err);
	if (rc == TF_OK && (n != size || !same_hash(&h, sha256)))
		rc = tf_fail(err, TF_TAMPER,
		    "the bytes are not those of the digest");
	if (rc == TF_OK)
		rc = link_blob(b, fd, sha256, err);
	(void)close(fd); /* synced before */
	return rc;
}

static enum tf_code
put(struct tf_blobs *blobs, const struct tf_hash *sha256, uint64_t size, int fd,
    int64_t retain_until, struct tf_error *err)
{
	struct dir_blobs *b = blobs_of(blobs);
	bool there = false;
	enum tf_code rc = may(b, TF_ORG_MEMBER, err);

	(void)retain_until; /* a directory has no locks */
	if (rc == TF_OK)
		rc = is_there(b, sha256, &there, err);
	if (rc == TF_OK && !there)
		rc = put_new(b, sha256, size, fd, err);
	return rc == TF_OK ? sync_name(b, sha256, err) : rc;
}

static enum tf_code
get(struct tf_blobs *blobs, const struct tf_hash *sha256, int to,
    uint64_t *size, struct tf_error *err)
{
	struct dir_blobs *b = blobs_of(blobs);
	struct tf_hash h;
	int fd;
	enum tf_code rc = open_blob(b, sha256, &fd, err);

	if (rc == TF_OK)
		rc = copy(fd, to, &h, size, err);
	if (rc == TF_OK && !same_hash(&h, sha256) &&
	    !TF_IS_MUTANT(TF_BELIEVE_BYTES))
		rc = tf_fail(err, TF_TAMPER, "the blob has other bytes");
	if (fd >= 0)
		(void)close(fd); /* only read */
	return rc;
}

static enum tf_code
get_range(struct tf_blobs *blobs, const struct tf_hash *sha256, uint64_t off,
    size_t n, struct tf_buf *out, struct tf_error *err)
{
	struct dir_blobs *b = blobs_of(blobs);
	size_t got = 0;
	int fd;
	enum tf_code rc = open_blob(b, sha256, &fd, err);

	if (rc == TF_OK && !tf_buf_room(out, n))
		rc = tf_nomem(err);
	if (rc == TF_OK)
		rc = off > INT64_MAX ?
		    TF_OK :
		    tf_file_pread(fd, out->p + out->n, n, off, &got, err);
	if (rc == TF_OK && got < n)
		rc = tf_fail(err, TF_TAMPER, "a bundle is too short");
	if (rc == TF_OK)
		out->n += n;
	if (fd >= 0)
		(void)close(fd); /* only read */
	return rc;
}

static enum tf_code
blob_stat(struct tf_blobs *blobs, const struct tf_hash *sha256,
    struct tf_blob_info *out, struct tf_error *err)
{
	struct stat st;
	int fd;
	enum tf_code rc = open_blob(blobs_of(blobs), sha256, &fd, err);

	if (rc == TF_OK && fstat(fd, &st) < 0)
		rc = tf_fail(err, TF_IO, "a blob: %s", strerror(errno));
	if (rc == TF_OK)
		*out = (struct tf_blob_info){ .size = (uint64_t)st.st_size };
	if (fd >= 0)
		(void)close(fd); /* only read */
	return rc;
}

/* --- named texts ------------------------------------------------------------- */

/* Open the directory of name, made if that is asked for, and set *last to the
 * last part.  Each directory on the way is synced: another process may have made
 * it and been killed. */
static enum tf_code
open_parent(int log, const char *name, bool make, int *out, const char **last,
    struct tf_error *err)
{
	char part[256];
	const char *slash;
	enum tf_code rc = TF_OK;
	int dir = dup(log), next;

	*out = -1;
	if (dir < 0)
		return tf_fail(err, TF_IO, "dup");
	while (rc == TF_OK && (slash = strchr(name, '/')) != NULL) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - name),
		    name);
		rc = make ? tf_file_mkdir(dir, part, err) : TF_OK;
		rc = rc == TF_EXISTS ? TF_OK : rc;
		if (rc == TF_OK && make)
			rc = tf_file_sync_dir(dir, ".", err);
		next = rc == TF_OK ?
		    openat(dir, part,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) :
		    -1;
		if (rc == TF_OK && next < 0)
			rc = tf_fail(err, tf_code_of_open(errno), "%s: %s",
			    name, strerror(errno));
		(void)close(dir);
		dir = next;
		name = slash + 1;
	}
	*last = name;
	*out = dir;
	return rc;
}

/* A name with keep is there already. */
static enum tf_code
compare_kept(int dir, const char *name, const void *p, size_t n,
    struct tf_error *err)
{
	struct tf_buf there = { 0 };
	enum tf_code rc = tf_file_read(dir, name, n, &there, err);

	if (rc == TF_TOOBIG ||
	    (rc == TF_OK &&
		!tf_str_same(tf_buf_bytes(&there), (struct tf_str){ p, n })))
		rc = tf_fail(err, TF_EXISTS, "%s has other bytes", name);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(dir, ".", err);
	tf_buf_free(&there);
	return rc;
}

/* A kept text has no write bits, and publish without keep leaves it alone too. */
static enum tf_code
write_text(int dir, const char *name, const void *p, size_t n, bool keep,
    struct tf_error *err)
{
	struct stat st;
	enum tf_code rc;

	if (!keep && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_mode & 0222) == 0)
		return compare_kept(dir, name, p, n, err);
	rc = tf_file_write(dir, name, p, n, keep ? 0444 : 0644, keep, err);
	return rc == TF_EXISTS ? compare_kept(dir, name, p, n, err) : rc;
}

static enum tf_code
publish(struct tf_blobs *blobs, const char *name, const void *p, size_t n,
    bool keep, struct tf_error *err)
{
	struct dir_blobs *b = blobs_of(blobs);
	const char *last;
	int dir;
	enum tf_code rc = may(b, TF_ORG_ORGANISER, err);

	if (rc == TF_OK && !tf_blob_name_ok(name))
		rc = tf_fail(err, TF_INVALID, "%.60s: no such names", name);
	if (rc != TF_OK)
		return rc;
	rc = open_parent(b->log, name, true, &dir, &last, err);
	if (rc == TF_OK)
		rc = write_text(dir, last, p, n, keep, err);
	if (dir >= 0)
		(void)close(dir); /* only read */
	return rc;
}

static enum tf_code
fetch(struct tf_blobs *blobs, const char *name, size_t max, struct tf_buf *out,
    struct tf_error *err)
{
	const char *last;
	int dir;
	enum tf_code rc;

	if (!tf_blob_name_ok(name))
		return tf_fail(err, TF_INVALID, "%.60s: no such names", name);
	rc = open_parent(blobs_of(blobs)->log, name, false, &dir, &last, err);
	if (rc == TF_OK)
		rc = tf_file_read(dir, last, max, out, err);
	if (dir >= 0)
		(void)close(dir); /* only read */
	return rc;
}

static enum tf_code
probe_worm(struct tf_blobs *b, enum tf_worm *verdict, struct tf_error *err)
{
	(void)b;
	(void)err;
	*verdict = TF_WORM_UNLOCKED;
	return TF_OK;
}

const struct tf_blob_ops tf_dir_blob_ops = {
	.create = blobs_create,
	.open = blobs_open,
	.close = blobs_close,
	.put = put,
	.get = get,
	.get_range = get_range,
	.stat = blob_stat,
	.publish = publish,
	.fetch = fetch,
	.probe_worm = probe_worm,
};
