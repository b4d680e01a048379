/*
 * What /proc says about threads and processes: see proc.h.  These texts go
 * into entries as hints, never as proof: a process may change its name, and
 * its number may be another process by the time /proc is read.  What cannot be
 * read is left out.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../types.h"
#include "proc.h"

/* Flags of a thread in /proc/TID/stat (include/linux/sched.h). */
#define IS_IO_WORKER 0x00000010ul   /* of io_uring */
#define IS_USER_WORKER 0x00004000ul /* of the kernel, for a process */
#define IS_KERNEL_THREAD 0x00200000ul

#define PATH_SIZE 64

/* The path of file name of pid. */
static void
path_of(uint32_t pid, const char *name, char path[PATH_SIZE])
{
	if (pid == TF_PROC_SELF)
		snprintf(path, PATH_SIZE, "/proc/self/%s", name);
	else
		snprintf(path, PATH_SIZE, "/proc/%u/%s", pid, name);
}

/* Read file name of pid into buf and add a NUL.  Returns the length; 0:
 * nothing was read. */
static size_t
read_proc(uint32_t pid, const char *name, char *buf, size_t size)
{
	char path[PATH_SIZE];
	ssize_t n;
	int fd;

	path_of(pid, name, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	do
		n = read(fd, buf, size - 1);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n < 0)
		n = 0;
	buf[n] = '\0';
	return (size_t)n;
}

/* The kernel writes an unset number as 2^32-1. */
int64_t
tf_proc_number(uint32_t pid, const char *name)
{
	char buf[32], *end;
	unsigned long long v;

	if (read_proc(pid, name, buf, sizeof buf) == 0)
		return TF_AUDIT_UNKNOWN;
	errno = 0;
	v = strtoull(buf, &end, 10);
	if (errno != 0 || end == buf || v > UINT32_MAX)
		return TF_AUDIT_UNKNOWN;
	return v == UINT32_MAX ? TF_AUDIT_UNSET : (int64_t)v;
}

/* In a user namespace, the kernel shows a login uid that has no number there as
 * unset. */
static bool
has_all_ids(void)
{
	unsigned inside, outside, n;
	char buf[128];

	return read_proc(TF_PROC_SELF, "uid_map", buf, sizeof buf) > 0 &&
	    sscanf(buf, "%u %u %u", &inside, &outside, &n) == 3 &&
	    inside == 0 && outside == 0 && n == UINT32_MAX;
}

bool
tf_proc_has_login_uids(void)
{
	/* A /proc with hidepid= hides those of other users, also the first. */
	return tf_proc_is_ours() && has_all_ids() &&
	    tf_proc_number(TF_PROC_SELF, "loginuid") != TF_AUDIT_UNKNOWN &&
	    tf_proc_number(1, "loginuid") != TF_AUDIT_UNKNOWN;
}

void
tf_proc_comm(uint32_t pid, char *out, size_t size)
{
	size_t n = read_proc(pid, "comm", out, size);

	if (n > 0 && out[n - 1] == '\n')
		out[n - 1] = '\0';
	else
		out[0] = '\0'; /* cut off, or nothing was read */
}

void
tf_proc_link(uint32_t pid, const char *name, char *out, size_t size)
{
	char path[PATH_SIZE];
	ssize_t n;

	path_of(pid, name, path);
	n = readlink(path, out, size);
	if (n < 0 || (size_t)n >= size)
		n = 0;
	out[n] = '\0';
}

void
tf_proc_exe(uint32_t pid, const char *ours, char *out, size_t size)
{
	char mounts[64];

	tf_proc_link(pid, "ns/mnt", mounts, sizeof mounts);
	if (mounts[0] != '\0' && strcmp(mounts, ours) == 0)
		tf_proc_link(pid, "exe", out, size);
	else
		out[0] = '\0';
}

/* The value of a line "NAME:\t..." of /proc/id/status in buf, or NULL. */
static const char *
status_line(const char *buf, const char *name)
{
	const char *line = strstr(buf, name);

	return line == NULL ? NULL : line + strlen(name);
}

/* The flags of a thread; all bits set when they cannot be read. */
static unsigned long
read_flags(uint32_t tid)
{
	char buf[1024], *p;
	unsigned long flags;

	if (read_proc(tid, "stat", buf, sizeof buf) == 0 ||
	    (p = strrchr(buf, ')')) == NULL ||
	    sscanf(p, ") %*c %*d %*d %*d %*d %*d %lu", &flags) != 1)
		return ULONG_MAX;
	return flags;
}

uint32_t
tf_proc_process(uint32_t tid)
{
	char buf[4096];
	const char *tgid;

	if ((read_flags(tid) &
		(IS_IO_WORKER | IS_USER_WORKER | IS_KERNEL_THREAD)) != 0 ||
	    read_proc(tid, "status", buf, sizeof buf) == 0 ||
	    (tgid = status_line(buf, "\nTgid:\t")) == NULL)
		return 0;
	return (uint32_t)strtoul(tgid, NULL, 10);
}

/* In a pid namespace with the /proc of the host, each process has several
 * numbers in NSpid there. */
bool
tf_proc_is_ours(void)
{
	char buf[4096], link[32], *end;
	const char *numbers;
	uint32_t self = (uint32_t)getpid();
	ssize_t n = readlink("/proc/self", link, sizeof link - 1);

	link[n < 0 ? 0 : n] = '\0';
	if (strtoul(link, NULL, 10) != self ||
	    read_proc(self, "status", buf, sizeof buf) == 0)
		return false;
	numbers = status_line(buf, "\nNSpid:\t");
	return numbers == NULL ||
	    (strtoul(numbers, &end, 10) == self && *end == '\n');
}

void
tf_proc_cgroup(uint32_t pid, char *out, size_t size)
{
	char buf[8192], *line, *rest = buf, *path = NULL;
	size_t n = read_proc(pid, "cgroup", buf, sizeof buf);

	out[0] = '\0';
	if (n == sizeof buf - 1)
		return;
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *colon = strchr(line, ':');

		if (colon != NULL)
			colon = strchr(colon + 1, ':');
		if (colon == NULL)
			continue;
		if (path == NULL || strncmp(line, "0::", 3) == 0)
			path = colon + 1;
	}
	if (path != NULL && strlen(path) < size)
		memcpy(out, path, strlen(path) + 1);
}
