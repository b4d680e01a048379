/*
 * File access: see file.h.  I2 and I4 rest on this file: data that it reports
 * as synced survives power loss.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "file.h"
#include "mutant.h"

enum tf_code
tf_file_datasync(int fd, struct tf_error *err)
{
	if (TF_IS_MUTANT(TF_NO_DATA_FSYNC))
		return TF_OK;
	if (fdatasync(fd) < 0)
		return tf_fail(err, TF_IO, "fdatasync failed");
	return TF_OK;
}

void
tf_file_start_writing(int fd, uint64_t off, uint64_t n)
{
	/* A failure is the sync's to report. */
	(void)sync_file_range(fd, (off_t)off, (off_t)n, SYNC_FILE_RANGE_WRITE);
}

void
tf_file_await_writing(int fd)
{
	(void)sync_file_range(fd, 0, 0,
	    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
		SYNC_FILE_RANGE_WAIT_AFTER);
}

enum tf_code
tf_file_sync(int fd, struct tf_error *err)
{
	if (fsync(fd) < 0)
		return tf_fail(err, TF_IO, "fsync failed");
	return TF_OK;
}

enum tf_code
tf_file_sync_dir(int dirfd, const char *name, struct tf_error *err)
{
	enum tf_code rc;
	int fd;

	if (TF_IS_MUTANT(TF_NO_DIRECTORY_FSYNC))
		return TF_OK;
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return tf_fail(err, TF_IO, "open directory %s", name);
	rc = tf_file_sync(fd, err);
	(void)close(fd);
	return rc;
}

enum tf_code
tf_file_pwrite(int fd, const void *p, size_t n, uint64_t off,
    struct tf_error *err)
{
	const char *s = p;
	ssize_t got;

	while (n > 0) {
		got = pwrite(fd, s, n, (off_t)off);
		if (TF_IS_MUTANT(TF_IGNORE_WRITE))
			return TF_OK;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return tf_fail(err, TF_IO, "write failed");
		if (got == 0) {
			errno = ENOSPC;
			return tf_fail(err, TF_IO, "write took no bytes");
		}
		s += got;
		n -= (size_t)got;
		off += (uint64_t)got;
	}
	return TF_OK;
}

enum tf_code
tf_file_pread(int fd, void *p, size_t n, uint64_t off, size_t *got,
    struct tf_error *err)
{
	char *s = p;
	ssize_t r;

	*got = 0;
	while (n > 0) {
		r = pread(fd, s, n, (off_t)off);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return tf_fail(err, TF_IO, "read failed");
		if (r == 0)
			break;
		s += r;
		n -= (size_t)r;
		off += (uint64_t)r;
		*got += (size_t)r;
	}
	return TF_OK;
}

/*
 * Give fd, which was just made at path below dirfd, to the owner of its
 * directory: a daemon that runs as that user must be able to use what root makes
 * beside it.
 */
static enum tf_code
set_owner(int dirfd, const char *path, int fd, struct tf_error *err)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX] = ".";
	struct stat st;

	if (geteuid() != 0)
		return TF_OK;
	if (slash != NULL)
		(void)snprintf(dir, sizeof(dir), "%.*s",
		    slash == path ? 1 : (int)(slash - path), path);
	if (fstatat(dirfd, dir, &st, 0) == 0 &&
	    (st.st_uid == 0 || fchown(fd, st.st_uid, st.st_gid) == 0))
		return TF_OK;
	return tf_fail(err, TF_IO, "set the owner of %.100s", path);
}

enum tf_code
tf_file_mkdir(int dirfd, const char *path, struct tf_error *err)
{
	enum tf_code rc;
	int fd, sys;

	if (mkdirat(dirfd, path, 0700) < 0)
		return tf_fail(err, errno == EEXIST ? TF_EXISTS : TF_IO,
		    "make directory %.100s", path);
	fd = openat(dirfd, path,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	sys = errno;
	/* The umask may have removed bits that the owner needs. */
	rc = fd >= 0 && fchmod(fd, 0700) == 0 ?
	    set_owner(dirfd, path, fd, err) :
	    tf_fail(err, TF_IO, "chmod %.100s", path);
	if (fd >= 0)
		(void)close(fd);
	else
		errno = sys;
	return rc;
}

enum tf_code
tf_file_new(int dirfd, const char *path, int flags, int *fd,
    struct tf_error *err)
{
	enum tf_code rc;

	*fd = openat(dirfd, path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
	    0600);
	if (*fd < 0)
		return tf_fail(err, errno == EEXIST ? TF_EXISTS : TF_IO,
		    "create %.100s", path);
	rc = fchmod(*fd, 0600) == 0 ? set_owner(dirfd, path, *fd, err) :
				      tf_fail(err, TF_IO, "chmod %.100s", path);
	if (rc == TF_OK)
		return rc;
	(void)unlinkat(dirfd, path, 0);
	(void)close(*fd);
	*fd = -1;
	return rc;
}

/* Check that *fd is a regular file; if not, close it and set *fd to -1. */
static enum tf_code
require_plain(int *fd, const char *name, struct tf_error *err)
{
	struct stat st;
	enum tf_code rc;

	if (fstat(*fd, &st) < 0)
		rc = tf_fail(err, TF_IO, "stat %s", name);
	else if (S_ISDIR(st.st_mode))
		rc = tf_fail(err, TF_ISDIR, "%s is a directory", name);
	else if (!S_ISREG(st.st_mode))
		rc = tf_fail(err, TF_INVALID, "%s is not a plain file", name);
	else
		return TF_OK;
	(void)close(*fd);
	*fd = -1;
	return rc;
}

enum tf_code
tf_file_open(int dirfd, const char *name, int flags, int *fd,
    struct tf_error *err)
{
	enum tf_code rc;

	if ((flags & O_CREAT) != 0 &&
	    (rc = tf_file_new(dirfd, name, (flags & ~O_CREAT) | O_EXCL, fd,
		 err)) != TF_EXISTS)
		return rc;
	/* O_NONBLOCK: opening a FIFO would otherwise wait for its other end. */
	*fd = openat(dirfd, name,
	    (flags & ~O_CREAT) | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY |
		O_CLOEXEC);
	if (*fd >= 0)
		return require_plain(fd, name, err);
	if (errno == EISDIR)
		return tf_fail(err, TF_ISDIR, "%s is a directory", name);
	if (errno == ELOOP || errno == ENXIO)
		return tf_fail(err, TF_INVALID, "%s is not a plain file", name);
	return tf_fail(err,
	    errno == ENOENT	? TF_NOTFOUND :
		errno == EACCES ? TF_ACCESS :
				  TF_IO,
	    "open %s", name);
}

enum tf_code
tf_file_read(int dirfd, const char *name, size_t max, struct tf_buf *out,
    struct tf_error *err)
{
	enum tf_code rc;
	char chunk[16384];
	uint64_t off = 0;
	size_t got;
	int fd;

	if ((rc = tf_file_open(dirfd, name, O_RDONLY, &fd, err)) == TF_ISDIR) {
		errno = EISDIR;
		return tf_fail(err, TF_IO, "read %s", name);
	}
	if (rc != TF_OK)
		return rc;
	for (;;) {
		rc = tf_file_pread(fd, chunk, sizeof(chunk), off, &got, NULL);
		if (rc != TF_OK)
			rc = tf_fail(err, rc, "read %s", name);
		if (rc != TF_OK || got == 0)
			break;
		off += got;
		if (off > max) {
			rc = tf_fail(err, TF_TOOBIG, "%s is too long", name);
			break;
		}
		tf_buf_add(out, chunk, got);
	}
	(void)close(fd);
	if (rc == TF_OK && out->failed)
		rc = tf_nomem(err);
	return rc;
}

/* Give the synced temporary file tmp its final name. */
static enum tf_code
appear(int dirfd, const char *tmp, const char *name, bool exclusive,
    struct tf_error *err)
{
	if (!exclusive) {
		if (renameat(dirfd, tmp, dirfd, name) < 0)
			return tf_fail(err, TF_IO, "rename to %s", name);
		return TF_OK;
	}
	if (linkat(dirfd, tmp, dirfd, name, 0) < 0)
		return tf_fail(err, errno == EEXIST ? TF_EXISTS : TF_IO,
		    "link %s", name);
	(void)unlinkat(dirfd, tmp, 0);
	return TF_OK;
}

enum tf_code
tf_file_write(int dirfd, const char *name, const void *p, size_t n,
    unsigned mode, bool exclusive, struct tf_error *err)
{
	static atomic_uint counter;
	enum tf_code rc;
	char tmp[300];
	int fd;

	(void)snprintf(tmp, sizeof(tmp), "%s.%d.%u.tmp", name, (int)getpid(),
	    atomic_fetch_add(&counter, 1));
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return tf_fail(err, TF_IO, "create %s", tmp);
	/* The umask has removed bits, but the file must have exactly mode. */
	rc = fchmod(fd, mode) < 0 ? tf_fail(err, TF_IO, "chmod %s", tmp) :
				    set_owner(dirfd, tmp, fd, err);
	if (rc == TF_OK)
		rc = tf_file_pwrite(fd, p, n, 0, err);
	if (rc == TF_OK)
		rc = tf_file_sync(fd, err);
	if (close(fd) < 0 && rc == TF_OK)
		rc = tf_fail(err, TF_IO, "close %s", tmp);
	if (rc == TF_OK)
		rc = appear(dirfd, tmp, name, exclusive, err);
	if (rc == TF_OK)
		rc = tf_file_sync_dir(dirfd, ".", err);
	else
		(void)unlinkat(dirfd, tmp, 0);
	return rc;
}

enum tf_code
tf_file_free(int dirfd, uint64_t *bytes, uint64_t *files, struct tf_error *err)
{
	struct statvfs s;

	if (fstatvfs(dirfd, &s) < 0)
		return tf_fail(err, TF_IO, "statvfs");
	*bytes = (uint64_t)s.f_bavail * s.f_frsize;
	*files = s.f_files == 0 ? UINT64_MAX : (uint64_t)s.f_favail;
	return TF_OK;
}

static int
beneath(int dirfd, const char *path, uint64_t flags, unsigned mode)
{
	struct open_how how = { .flags = flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

	return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
}

enum tf_code
tf_file_create_beneath(int dirfd, const char *path, unsigned mode, int *fd,
    struct tf_error *err)
{
	*fd = beneath(dirfd, path, O_WRONLY | O_CREAT | O_EXCL, mode);
	if (*fd >= 0)
		return TF_OK;
	return tf_fail(err, errno == EEXIST ? TF_EXISTS : TF_IO, "%.100s: %s",
	    path, strerror(errno));
}

enum tf_code
tf_file_mkdir_beneath(int dirfd, const char *path, struct tf_error *err)
{
	const char *slash = strrchr(path, '/');
	char up[4096] = ".";
	int fd, sys = 0;

	if (slash != NULL && (size_t)(slash - path) >= sizeof(up))
		return tf_fail(err, TF_NAMETOOLONG, "%.100s", path);
	if (slash != NULL) {
		memcpy(up, path, (size_t)(slash - path));
		up[slash - path] = '\0';
	}
	fd = beneath(dirfd, up, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return tf_fail(err, TF_IO, "%.100s: %s", up, strerror(errno));
	if (mkdirat(fd, slash == NULL ? path : slash + 1, 0777) < 0 &&
	    errno != EEXIST)
		sys = errno;
	(void)close(fd);
	errno = sys;
	return sys == 0 ?
	    TF_OK :
	    tf_fail(err, TF_IO, "%.100s: %s", path, strerror(sys));
}

enum tf_code
tf_file_open_beneath(int dirfd, const char *path, int *fd, struct tf_error *err)
{
	struct stat st;
	int sys;

	*fd = beneath(dirfd, path, O_RDONLY | O_NONBLOCK, 0);
	if (*fd < 0)
		return tf_fail(err,
		    errno == ENOENT || errno == ENOTDIR || errno == ELOOP ?
			TF_NOTFOUND :
			errno == EACCES ? TF_ACCESS :
					  TF_IO,
		    "%s", strerror(errno));
	sys = fstat(*fd, &st) < 0 ? errno : 0;
	if (sys == 0 && S_ISREG(st.st_mode))
		return TF_OK;
	(void)close(*fd);
	*fd = -1;
	errno = sys;
	return sys != 0 ? tf_fail(err, TF_IO, "%s", strerror(sys)) :
			  tf_fail(err, TF_NOTFOUND, "is not a plain file");
}

/* A file in dirfd that loses its name at once. */
static int
scratch_in(int dirfd)
{
	static atomic_uint counter;
	char name[40];
	int fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	/* NFS, for example, has no O_TMPFILE. */
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	(void)snprintf(name, sizeof(name), "%d.%u.tmp", (int)getpid(),
	    atomic_fetch_add(&counter, 1));
	if (tf_file_new(dirfd, name, O_RDWR | O_EXCL, &fd, NULL) == TF_OK)
		(void)unlinkat(dirfd, name, 0);
	return fd;
}

enum tf_code
tf_file_scratch(int dirfd, int *fd, struct tf_error *err)
{
	char name[] = "/tmp/trailfs.XXXXXX";

	if (dirfd >= 0)
		*fd = scratch_in(dirfd);
	else if ((*fd = mkostemp(name, O_CLOEXEC)) >= 0)
		(void)unlink(name);
	return *fd < 0 ? tf_fail(err, TF_IO, "make a temporary file%s: %s",
			     dirfd < 0 ? " in /tmp" : "", strerror(errno)) :
			 TF_OK;
}

enum tf_code
tf_file_scratch_stream(FILE **out, struct tf_error *err)
{
	int fd;
	enum tf_code rc = tf_file_scratch(-1, &fd, err);

	*out = NULL;
	if (rc == TF_OK && (*out = fdopen(fd, "w+")) == NULL) {
		(void)close(fd);
		rc = tf_nomem(err);
	}
	return rc;
}

/* Goes up to the root, where ".." is the directory itself. */
bool
tf_dir_is_below(int dirfd, const struct stat *st)
{
	struct stat now = { 0 }, before;
	bool is = false;
	int up;

	do {
		before = now;
		if (fstat(dirfd, &now) < 0)
			break;
		is = now.st_dev == st->st_dev && now.st_ino == st->st_ino;
		up = openat(dirfd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		(void)close(dirfd);
		dirfd = up;
	} while (!is && dirfd >= 0 &&
	    (now.st_dev != before.st_dev || now.st_ino != before.st_ino));
	if (dirfd >= 0)
		(void)close(dirfd);
	return is;
}

/* Write zeros over the whole of fd. */
static enum tf_code
overwrite(int fd, uint64_t size, struct tf_error *err)
{
	static const char zeros[65536];
	enum tf_code rc = TF_OK;

	for (uint64_t off = 0; rc == TF_OK && off < size; off += sizeof(zeros))
		rc = tf_file_pwrite(fd, zeros,
		    size - off < sizeof(zeros) ? (size_t)(size - off) :
						 sizeof(zeros),
		    off, err);
	return rc == TF_OK ? tf_file_sync(fd, err) : rc;
}

enum tf_code
tf_file_wipe(int dirfd, const char *name, struct tf_error *err)
{
	struct stat st;
	int fd;
	enum tf_code rc = tf_file_open(dirfd, name, O_RDWR, &fd, err);

	if (rc != TF_OK)
		return rc == TF_NOTFOUND ? TF_OK : rc;
	if (fstat(fd, &st) < 0)
		rc = tf_fail(err, TF_IO, "stat %s", name);
	else if (st.st_nlink == 1)
		rc = overwrite(fd, (uint64_t)st.st_size, err);
	(void)close(fd); /* it is synced */
	if (rc == TF_OK && unlinkat(dirfd, name, 0) < 0)
		rc = tf_fail(err, TF_IO, "delete %s", name);
	return rc;
}
