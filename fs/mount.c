/*
 * The mount point: checks before mounting, protection, and unmounting.
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

/* Run fusermount3, which may unmount for an ordinary user. */
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

void
fs_mount_abort(const char *mnt)
{
	/* The kernel aborts before it sees that files are open. */
	(void)umount2(mnt, UMOUNT_NOFOLLOW | MNT_FORCE);
}

bool
fs_mount_is_dead(const char *mnt)
{
	struct statfs s;

	/* Not stat(2), which the kernel can answer from its cache. */
	return statfs(mnt, &s) < 0 && errno == ENOTCONN;
}

/* --- the mounts of this namespace ---------------------------------------- */

/* Decode the \\ooo of mountinfo, in place. */
static void
unescape(char *s)
{
	char *o = s;

	for (; *s != '\0'; o++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' &&
		    s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
			*o = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0'));
			s += 4;
		} else {
			*o = *s++;
		}
	}
	*o = '\0';
}

/*
 * Search mountinfo for a mount at mnt and set its numbers in *w; with mnt NULL,
 * for a mount with the numbers in *w.  1: found; 0: not found; -1: unreadable.
 */
static int
find_mount(struct fs_mount_watch *w, const char *mnt)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	unsigned major, minor;
	char *line = NULL, *at;
	size_t cap = 0;
	int found = 0;

	if (f == NULL)
		return -1;
	while (getline(&line, &cap, f) > 0) {
		at = NULL;
		if (sscanf(line, "%*d %*d %u:%u %*s %ms", &major, &minor,
			&at) != 3) {
			free(at);
			continue;
		}
		unescape(at);
		if (mnt != NULL && strcmp(at, mnt) == 0) {
			/* The last mount at a path hides those before it. */
			w->major = major;
			w->minor = minor;
			found = 1;
		} else if (mnt == NULL && major == w->major &&
		    minor == w->minor) {
			found = 1;
		}
		free(at);
	}
	if (ferror(f))
		found = -1;
	free(line);
	fclose(f);
	return found;
}

void
fs_mount_watch(struct fs_mount_watch *w, const char *mnt)
{
	char part[4096];

	*w = (struct fs_mount_watch){ .fd = -1 };
	if (find_mount(w, mnt) != 1)
		return;
	w->fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	/* The kernel reports changes after the first read. */
	if (w->fd >= 0)
		(void)!read(w->fd, part, sizeof part);
}

bool
fs_mount_is_here(const struct fs_mount_watch *w)
{
	struct fs_mount_watch same = *w;

	return find_mount(&same, NULL) != 0;
}

void
fs_mount_watch_end(struct fs_mount_watch *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* realpath(3) of a path whose last part is a dead mount: resolve only what is
 * above that part. */
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

/* --- the mount point and the store --------------------------------------- */

#define DEPTH_MAX 4096	/* levels of directories: PATH_MAX */
#define OBJECT_DIRS 256 /* objects/00 to objects/ff */

/* Directories by device and inode, because a bind mount gives them other
 * paths. */
struct dir_set {
	struct stat st[4 + OBJECT_DIRS];
	size_t n;
};

static void
add_dir(struct dir_set *p, const char *path)
{
	if (stat(path, &p->st[p->n]) == 0)
		p->n++;
}

/* Add every directory of the store: each can be the root of a bind mount. */
static void
add_store(struct dir_set *p, const char *store)
{
	static const char *const names[] = { "", "keys", "stage", "objects" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", store, names[i]);
		add_dir(p, path);
	}
	for (unsigned i = 0; i < OBJECT_DIRS; i++) {
		snprintf(path, sizeof path, "%s/objects/%02x", store, i);
		add_dir(p, path);
	}
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Is dir in the set, or below one of them? */
static bool
is_within(const char *dir, const struct dir_set *p)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), up;
	struct stat st, last = { 0 };
	bool found = false;

	for (int i = 0; i < DEPTH_MAX && fd >= 0 && fstat(fd, &st) == 0; i++) {
		for (size_t k = 0; k < p->n && !found; k++)
			found = is_same(&st, &p->st[k]);
		if (found || (i > 0 && is_same(&st, &last)))
			break; /* found, or this is the root */
		last = st;
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(fd);
		fd = up;
	}
	if (fd >= 0)
		close(fd);
	return found;
}

/* The daemon's writes to its store must not become requests to the daemon. */
static enum tf_code
check_apart(const char *store, const char *mnt, struct tf_error *err)
{
	struct dir_set *p = calloc(1, sizeof *p);
	bool inside, around;

	if (p == NULL)
		return tf_nomem(err);
	add_store(p, store);
	inside = is_within(mnt, p);
	p->n = 0;
	add_dir(p, mnt);
	around = is_within(store, p);
	free(p);
	errno = 0;
	if (inside)
		return tf_fail(err, TF_USAGE,
		    "mount point %s is inside the store", mnt);
	if (around)
		return tf_fail(err, TF_USAGE,
		    "the store is inside the mount point %s", mnt);
	return TF_OK;
}

/* mnt must be an empty directory, and no mount of an empty store. */
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
			rc = tf_fail(err, TF_IO, "unmount the dead mount at %s",
			    path);
		else
			fs_report_line(LOG_NOTICE,
			    "unmounted a dead mount at %s", path);
	}
	errno = 0;
	if (rc == TF_OK)
		rc = check_apart(store, path, err);
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
	int fd, flags, changed;
	bool done = false;

	fd = open(mnt, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		changed = on ? flags | FS_IMMUTABLE_FL :
			       flags & ~FS_IMMUTABLE_FL;
		done = changed != flags &&
		    ioctl(fd, FS_IOC_SETFLAGS, &changed) == 0;
	}
	close(fd);
	return done;
}

bool
fs_mount_protect(const char *mnt)
{
	return geteuid() == 0 && set_immutable(mnt, true);
}

void
fs_mount_unprotect(const char *mnt)
{
	(void)set_immutable(mnt, false);
}
