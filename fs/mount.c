/*
 * Checks and care of the mount point.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/fs.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/control.h"
#include "mount.h"
#include "report.h"

extern char **environ;

/* The helper that may unmount for an ordinary user. */
static bool
run_fusermount(const char *mnt, bool lazy)
{
	char *argv[] = { "fusermount3", "-q", lazy ? "-uz" : "-u", "--",
		(char *)(uintptr_t)mnt, NULL };
	int status;
	pid_t pid;

	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
		return false;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool
fs_mount_off(const char *mnt, bool lazy)
{
	if (geteuid() != 0)
		return run_fusermount(mnt, lazy);
	return umount2(mnt, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0;
}

bool
fs_mount_is_dead(const char *mnt)
{
	struct statfs s;

	/* stat(2) may be answered from what the kernel remembers. */
	return statfs(mnt, &s) < 0 && errno == ENOTCONN;
}

/* realpath(3) of a path whose last part is a dead mount: of what is above. */
static char *
real_parent(const char *path)
{
	char *dir = strdup(path), *base = strdup(path), *up = NULL, *out = NULL;

	if (dir != NULL && base != NULL)
		up = realpath(dirname(dir), NULL);
	if (up != NULL &&
	    asprintf(&out, "%s/%s", strcmp(up, "/") == 0 ? "" : up,
		basename(base)) < 0)
		out = NULL;
	free(dir);
	free(base);
	free(up);
	return out;
}

/* Is path a, or something in it?  Both are absolute and real. */
static bool
is_within(const char *path, const char *a)
{
	size_t n = strlen(a);

	if (strcmp(a, "/") == 0)
		return true;
	return strncmp(path, a, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* An empty directory, and not a mount of ours that happens to be empty. */
static enum tf_code
check_empty(const char *mnt, struct tf_error *err)
{
	struct dirent *d;
	struct stat st;
	DIR *dir = opendir(mnt);
	bool empty = true;

	if (dir == NULL)
		return tf_fail(err, errno == ENOTDIR ? TF_NOTDIR : TF_IO,
		    "mount point %s", mnt);
	if (fstatat(dirfd(dir), TF_CONTROL_DIR, &st, AT_SYMLINK_NOFOLLOW) ==
	    0) {
		closedir(dir);
		errno = 0;
		return tf_fail(err, TF_BUSY, "a store is mounted at %s", mnt);
	}
	while (empty && (d = readdir(dir)) != NULL)
		empty = strcmp(d->d_name, ".") == 0 ||
		    strcmp(d->d_name, "..") == 0;
	closedir(dir);
	errno = 0;
	return empty ?
	    TF_OK :
	    tf_fail(err, TF_NOTEMPTY, "mount point %s is not empty", mnt);
}

enum tf_code
fs_mount_check(const char *store, const char *mnt, char **out,
    struct tf_error *err)
{
	char *path = realpath(mnt, NULL);
	enum tf_code rc = TF_OK;

	if (path == NULL && errno == ENOTCONN)
		path = real_parent(mnt);
	if (path == NULL)
		return tf_fail(err, errno == ENOENT ? TF_NOTFOUND : TF_IO,
		    "mount point %s", mnt);

	if (fs_mount_is_dead(path)) {
		if (!fs_mount_off(path, true))
			rc = tf_fail(err, TF_IO, "take the dead mount off %s",
			    path);
		else
			fs_report_line(LOG_NOTICE, "took a dead mount off %s",
			    path);
	}
	errno = 0;
	if (rc == TF_OK && is_within(path, store))
		rc = tf_fail(err, TF_USAGE,
		    "mount point %s is inside the store", path);
	if (rc == TF_OK && is_within(store, path))
		rc = tf_fail(err, TF_USAGE,
		    "the store is inside the mount point %s", path);
	if (rc == TF_OK)
		rc = check_empty(path, err);
	if (rc != TF_OK) {
		free(path);
		return rc;
	}
	*out = path;
	return TF_OK;
}

/* Set or clear the immutable flag.  True: it was changed. */
static bool
set_immutable(const char *mnt, bool on)
{
	int fd, flags, want;
	bool done = false;

	fd = open(mnt, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		want = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
		done = want != flags && ioctl(fd, FS_IOC_SETFLAGS, &want) == 0;
	}
	close(fd);
	return done;
}

bool
fs_mount_protect(const char *mnt)
{
	if (geteuid() != 0 || !set_immutable(mnt, true))
		return false;
	fs_report_line(LOG_NOTICE,
	    "made the bare mount point %s immutable, so "
	    "that nothing is written there while it is not mounted; "
	    "chattr -i undoes it",
	    mnt);
	return true;
}

void
fs_mount_unprotect(const char *mnt)
{
	(void)set_immutable(mnt, false);
}
