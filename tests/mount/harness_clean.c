/* Removes what tests leave behind, by path: mounts, then files. */
#include <ftw.h>
#include <limits.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "harness.h"
#include "harness_i.h"

/* Undo the \ooo of mountinfo, in place. */
static void
unescape(char *s)
{
	char *o = s;

	for (; *s != '\0'; o++) {
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
			*o = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
			    (s[3] - '0'));
			s += 4;
		} else {
			*o = *s++;
		}
	}
	*o = '\0';
}

/* The last mount at or below path, into out. */
static bool
mount_below(const char *path, char out[PATH_MAX])
{
	char *line = NULL, at[PATH_MAX];
	size_t cap = 0, n = strlen(path);
	bool found = false;
	FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f != NULL && getline(&line, &cap, f) > 0) {
		if (sscanf(line, "%*s %*s %*s %*s %4095s", at) != 1)
			continue;
		unescape(at);
		if (strncmp(at, path, n) != 0 ||
		    (at[n] != '/' && at[n] != '\0'))
			continue;
		strcpy(out, at);
		found = true;
	}
	free(line);
	if (f != NULL)
		fclose(f);
	return found;
}

static void
unmount_below(const char *path)
{
	char at[PATH_MAX];

	for (int i = 0; i < 1000 && mount_below(path, at); i++)
		umount2(at, MNT_DETACH | UMOUNT_NOFOLLOW);
}

/* trailfs makes a bare mount point immutable. */
static void
make_mutable(const char *path)
{
	int flags, fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 &&
	    (flags & FS_IMMUTABLE_FL) != 0) {
		flags &= ~FS_IMMUTABLE_FL;
		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	close(fd);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)at;
	if (type == FTW_DP)
		make_mutable(path);
	(void)remove(path);
	return 0;
}

void
remove_tree(const char *path)
{
	unmount_below(path);
	(void)nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Print the last lines of the log of a test that failed. */
static void
show_log(const char *dir)
{
	char *path = NULL, *line = NULL, *last[40] = { NULL };
	size_t cap = 0, n = 0;
	FILE *f;

	if (asprintf(&path, "%s/log", dir) < 0)
		return;
	f = fopen(path, "re");
	while (f != NULL && getline(&line, &cap, f) > 0) {
		free(last[n % LEN(last)]);
		last[n++ % LEN(last)] = strdup(line);
	}
	if (n > 0)
		printf("the daemon of a test that failed said at last:\n");
	for (size_t i = 0; i < LEN(last); i++, n++) {
		if (last[n % LEN(last)] != NULL)
			printf("    %s", last[n % LEN(last)]);
		free(last[n % LEN(last)]);
	}
	fflush(stdout);
	if (f != NULL)
		fclose(f);
	free(line);
	free(path);
}

static int
remove_leftover(const char *path, const struct stat *st, int type,
    struct FTW *at)
{
	(void)st;
	if (at->level != 1)
		return FTW_CONTINUE;
	if (type == FTW_D || type == FTW_DNR) {
		show_log(path);
		remove_tree(path);
	}
	return FTW_SKIP_SUBTREE;
}

void
remove_leftovers(void)
{
	(void)nftw(run_directory(), remove_leftover, 8,
	    FTW_PHYS | FTW_ACTIONRETVAL);
}
