/* Files in the mount: created, sealed, and their attributes. */
#include <limits.h>
#include <stdint.h>
#include <sys/xattr.h>

#include "core/control.h"
#include "harness.h"
#include "harness_i.h"

#define STATE_MS (15000 * (int)patience()) /* until a file has a state */

int
rename_flags(const char *from, const char *to, unsigned flags)
{
	return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags);
}

int
try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : close(fd);
}

void
make_attestation(void)
{
	allowed(mkdir("mnt/t", 0755));
	allowed(mkdir(W, 0755));
	allowed(mkdir(A, 0755));
}

static int
begin_in(const char *path, int mode)
{
	int fd = open(path, mode | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	ck_assert_msg(fd >= 0, "create %s: %s", path, errno_name(errno));
	return fd;
}

int
begin(const char *path)
{
	return begin_in(path, tests_streams() ? O_WRONLY : O_RDWR);
}

int
begin_both(const char *path)
{
	return begin_in(path, O_RDWR);
}

static void
add_bytes(int fd, const void *p, size_t n)
{
	ssize_t done = write(fd, p, n);

	ck_assert_msg(done == (ssize_t)n, "write of %zu: %zd (%s)", n, done,
	    errno_name(errno));
}

void
add(int fd, const char *text)
{
	add_bytes(fd, text, strlen(text));
}

void
put_bytes(const char *path, const void *p, size_t n)
{
	int fd = begin(path);

	add_bytes(fd, p, n);
	ck_assert_msg(close(fd) == 0, "close %s: %s", path, errno_name(errno));
}

void
put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

void
put_sealed(const char *path, const char *text)
{
	put(path, text);
	sync_dir("mnt");
	has_state(path, "sealed");
}

void
seal(const char *dir, mode_t mode)
{
	allowed(chmod(dir, mode));
	sync_dir(dir);
}

void
sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "open %s: %s", dir, errno_name(errno));
	ck_assert_msg(fsync(fd) == 0, "fsync %s: %s", dir, errno_name(errno));
	close(fd);
}

bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

struct stat
stat_of(const char *path)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == 0, "stat %s: %s", path,
	    errno_name(errno));
	return st;
}

const char *
fact(const char *path, const char *name)
{
	char full[256], value[4096];
	ssize_t n;

	snprintf(full, sizeof full, TF_XATTR_PREFIX "%s", name);
	n = getxattr(path, full, value, sizeof value);
	if (n < 0)
		return keep_text("(%s)", errno_name(errno));
	return keep_text("%.*s", (int)n, value);
}

void
fact_becomes(const char *path, const char *name, const char *want)
{
	int64_t end = now_ms() + STATE_MS;
	const char *now;

	while (strcmp(now = fact(path, name), want) != 0) {
		ck_assert_msg(now_ms() < end, "%s of %s is still %s, not %s",
		    name, path, now, want);
		pause_between_looks();
	}
}

void
becomes(const char *path, const char *state)
{
	fact_becomes(path, "state", state);
}
