/*
 * The key directory: see key_dir.h.  Who can write there can exchange the keys,
 * and sign a history of their own from then on.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/file.h"
#include "config_file.h"
#include "key_dir.h"

#define INSIDE "keys" /* in the store */

bool
tf_config_is_keys(const char *key, const char *value)
{
	return strcmp(key, "keys") == 0 && value[0] == '/';
}

/* Keep the last key directory that the config names; the last line counts. */
static enum tf_code
take_keys(void *arg, const char *key, const char *value, struct tf_error *err)
{
	char *path = arg;

	if (!tf_config_is_keys(key, value))
		return TF_OK;
	if (snprintf(path, PATH_MAX, "%s", value) < PATH_MAX)
		return TF_OK;
	return tf_fail(err, TF_USAGE, "config: keys is too long");
}

/* Why the directory cannot be opened, and what to do about it. */
static enum tf_code
not_opened(int dirfd, const char *path, struct tf_error *err)
{
	struct stat st;
	int sys = errno;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode)) {
		errno = 0;
		return tf_fail(err, TF_FOREIGN,
		    "the key directory %.80s is a symbolic link: name the "
		    "directory itself",
		    path);
	}
	errno = 0;
	if (sys == ENOTDIR)
		return tf_fail(err, TF_FOREIGN,
		    "the key directory %.80s is not a directory", path);
	if (sys == ENOENT && dirfd == AT_FDCWD)
		return tf_fail(err, TF_NOTFOUND,
		    "the key directory %.80s is missing: mount its disk, or "
		    "restore it from its backup",
		    path);
	if (sys == ENOENT)
		return tf_fail(err, TF_FOREIGN, "the store lacks keys/");
	return tf_fail(err, sys == EACCES ? TF_ACCESS : TF_IO,
	    "the key directory %.80s: %s", path, strerror(sys));
}

/* The owner of the store, who may have its keys, too. */
static uid_t
owner_of(int dirfd)
{
	struct stat st;

	return fstat(dirfd, &st) == 0 ? st.st_uid : geteuid();
}

/* Check owner and mode of the open directory. */
static enum tf_code
fit(int fd, const char *path, bool outside, uid_t owner, struct tf_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return tf_fail(err, TF_IO, "stat %.100s", path);
	errno = 0;
	if (st.st_uid != 0 && st.st_uid != owner && st.st_uid != geteuid())
		return tf_fail(err, TF_FOREIGN,
		    "the key directory %.80s belongs to uid %u: chown %u it",
		    path, (unsigned)st.st_uid, (unsigned)owner);
	if ((st.st_mode & 022) != 0)
		return tf_fail(err, TF_FOREIGN,
		    "others may exchange the keys: %.60s has mode %04o.  Are "
		    "they still yours?  Then chmod 0700 it",
		    path, (unsigned)st.st_mode & 07777);
	if (outside && (st.st_mode & 055) != 0)
		return tf_fail(err, TF_FOREIGN,
		    "the key directory %.80s is open to others: chmod 0700 it",
		    path);
	return TF_OK;
}

static enum tf_code
open_checked(int dirfd, const char *path, bool outside, int *fd,
    struct tf_error *err)
{
	const int at = outside ? AT_FDCWD : dirfd;
	const int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	enum tf_code rc;

	/* A daemon without capabilities cannot open what root could, but it can
	 * say whom it belongs to. */
	*fd = openat(at, path, O_PATH | flags);
	if (*fd >= 0) {
		rc = fit(*fd, path, outside, owner_of(dirfd), err);
		(void)close(*fd);
		*fd = -1;
		if (rc != TF_OK)
			return rc;
	}
	*fd = openat(at, path, O_RDONLY | flags);
	if (*fd < 0)
		return not_opened(at, path, err);
	if ((rc = fit(*fd, path, outside, owner_of(dirfd), err)) != TF_OK) {
		(void)close(*fd);
		*fd = -1;
	}
	return rc;
}

enum tf_code
tf_key_dir_open(int dirfd, int *fd, struct tf_error *err)
{
	char path[PATH_MAX] = "";
	enum tf_code rc = tf_config_each(dirfd, take_keys, path, err);

	*fd = -1;
	if (rc != TF_OK)
		return rc;
	return path[0] == '\0' ? open_checked(dirfd, INSIDE, false, fd, err) :
				 open_checked(dirfd, path, true, fd, err);
}

/* Can a line of the config name it? */
static bool
is_nameable(const char *path)
{
	size_t n = strlen(path);

	return path[0] == '/' && n < PATH_MAX &&
	    strpbrk(path, "\n\r") == NULL && strchr(" \t", path[n - 1]) == NULL;
}

/* Refuse a directory in the store, or one that has keys: those of another store
 * would then sign two logs. */
static enum tf_code
check_new(int dirfd, int fd, const char *path, struct tf_error *err)
{
	static const char *const names[] = { TF_LOG_SECRET,
		TF_ATTESTER_SECRET };
	struct stat st, store;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0 || fstat(dirfd, &store) < 0)
		return tf_fail(err, TF_IO, "%.100s: %s", path, strerror(errno));
	if (tf_dir_is_below(copy, &store))
		return tf_fail(err, TF_USAGE,
		    "%.80s is in the store: whoever copies one would have the "
		    "other",
		    path);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (fstatat(fd, names[i], &st, AT_SYMLINK_NOFOLLOW) == 0 ||
		    errno != ENOENT)
			return tf_fail(err, TF_EXISTS,
			    "%.80s has a %s: each store needs keys of its own",
			    path, names[i]);
	return TF_OK;
}

enum tf_code
tf_key_dir_make(int dirfd, const char *path, int *fd, bool *made,
    struct tf_error *err)
{
	enum tf_code rc;

	*fd = -1;
	*made = false;
	if (!is_nameable(path))
		return tf_fail(err, TF_USAGE,
		    "the key directory needs an absolute path");
	*made = mkdir(path, 0700) == 0;
	if (!*made && errno != EEXIST)
		return tf_fail(err, TF_IO, "make %.100s: %s", path,
		    strerror(errno));
	if ((rc = open_checked(dirfd, path, true, fd, err)) != TF_OK)
		return rc;
	/* The umask may have taken bits that the owner needs. */
	if (*made && fchmod(*fd, 0700) < 0)
		return tf_fail(err, TF_IO, "chmod %.100s: %s", path,
		    strerror(errno));
	rc = check_new(dirfd, *fd, path, err);
	return rc == TF_OK && *made ? tf_file_sync_dir(*fd, "..", err) : rc;
}
