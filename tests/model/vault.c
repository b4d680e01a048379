/* See vault.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "vault.h"

/* Guards against hanging, and no more: the machine may be very busy.  The daemon
 * is killed after this time, because callers of a hung daemon cannot die. */
#define DAEMON_S 1800
#define WAIT_MS 600000

#define MORE_FDS 24	   /* more than at the start: connections of threads */
#define MORE_KB (64 << 10) /* more than at the start: caches and content */

long long
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
breathe(void)
{
	struct timespec t = { 0, 1000000 };

	nanosleep(&t, NULL);
}

static bool
says(char *text, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, 512, fmt, ap);
	va_end(ap);
	return false;
}

/* The exit status of a child, -signal, or -1000 if it has not ended. */
static int
ended(pid_t pid)
{
	struct pollfd p = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	int n = p.fd < 0 ? 0 : poll(&p, 1, WAIT_MS), status;

	if (p.fd >= 0)
		close(p.fd);
	if (n != 1 || waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static pid_t
start(const char *log, const char *const argv[])
{
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	alarm(DAEMON_S);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

bool
vault_make(struct vault *v, char *text)
{
	const char *argv[] = { TRAILCTL, "init", "--origin",
		"example.org/model", "store", NULL };
	int status;

	vault_remove(v);
	if ((status = ended(start("out", argv))) != 0)
		return says(text, "trailctl init: %d", status);
	if (mkdir("mnt", 0755) < 0)
		return says(text, "mkdir mnt: %s", strerror(errno));
	return true;
}

static long
count_fds(pid_t pid)
{
	char path[64];
	long n = 0;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	if ((d = opendir(path)) == NULL)
		return -1;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static long
resident_kb(pid_t pid)
{
	char path[64], line[128];
	long kb = -1;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return -1;
	while (fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "VmRSS: %ld kB", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

bool
vault_mount(struct vault *v, char *text)
{
	const char *argv[] = { TRAILFS, "store", "mnt", "-f", "-o",
		v->settles ? "settle=60,threads=2" : "settle=0,threads=2",
		NULL };
	long long end = now_ms() + WAIT_MS;
	int status;

	v->pid = start("log", argv);
	while (access("mnt/.trailfs/status.json", F_OK) != 0) {
		if (waitpid(v->pid, &status, WNOHANG) == v->pid) {
			v->pid = 0;
			return says(text, "trailfs ended with status %x",
			    (unsigned)status);
		}
		if (now_ms() > end)
			return says(text, "trailfs does not serve");
		breathe();
	}
	v->fds = count_fds(v->pid);
	v->rss_kb = resident_kb(v->pid);
	return true;
}

bool
vault_is_lean(const struct vault *v, char *text)
{
	long fds = count_fds(v->pid), kb = resident_kb(v->pid);

	if (fds > v->fds + MORE_FDS)
		return says(text, "the daemon has %ld descriptors, had %ld",
		    fds, v->fds);
	if (kb > v->rss_kb + MORE_KB)
		return says(text, "the daemon has %ld KiB, had %ld", kb,
		    v->rss_kb);
	return true;
}

bool
vault_crash(struct vault *v, char *text)
{
	int status;

	kill(v->pid, SIGKILL);
	status = ended(v->pid);
	v->pid = 0;
	umount2("mnt", MNT_DETACH | UMOUNT_NOFOLLOW);
	return status == -SIGKILL ||
	    says(text, "before it was killed, trailfs ended with %d", status);
}

bool
vault_unmount(struct vault *v, char *text)
{
	long long end = now_ms() + WAIT_MS;
	int status;

	while (umount2("mnt", UMOUNT_NOFOLLOW) < 0) {
		if (errno != EBUSY || now_ms() > end)
			return says(text, "umount: %s", strerror(errno));
		breathe();
	}
	status = ended(v->pid);
	v->pid = 0;
	return status == 0 || says(text, "trailfs ended with %d", status);
}

bool
vault_verify(const char *checkpoint, char *text)
{
	const char *argv[] = { TRAILCTL, "verify", "store",
		checkpoint != NULL ? "--checkpoint" : NULL, checkpoint, NULL };
	char said[400] = "";
	int status, fd;

	(void)unlink("out");
	if ((status = ended(start("out", argv))) == 0)
		return true;
	if ((fd = open("out", O_RDONLY | O_CLOEXEC)) >= 0) {
		if (read(fd, said, sizeof said - 1) < 0)
			said[0] = '\0';
		close(fd);
	}
	return says(text, "trailctl verify: %d\n%s", status, said);
}

void
vault_remove(struct vault *v)
{
	const char *argv[] = { "/bin/rm", "-rf", "--one-file-system", "store",
		"store.log", "mnt", "log", "out", "kept", NULL };
	int fd, flags;

	if (v->pid > 0) {
		kill(v->pid, SIGKILL);
		(void)ended(v->pid);
	}
	v->pid = 0;
	while (umount2("mnt", MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		continue;
	/* trailfs makes the bare mount point immutable. */
	fd = open("mnt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0) {
		flags &= ~FS_IMMUTABLE_FL;
		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
	if (fd >= 0)
		close(fd);
	(void)ended(start("/dev/null", argv));
}
