/*
 * trailctl doctor: the machine.  What trailfs needs is a finding if it is not
 * there; what only makes it faster or safer is a note.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "doctor.h"

#define NOFILE_NEEDED 4096
#define LANDLOCK_VERSION 1u /* a flag of landlock_create_ruleset(2) */

/* --- FUSE ----------------------------------------------------------------- */

/* Does a line of the file have this word?  A comment has none. */
static bool
file_has_word(const char *path, const char *word)
{
	char line[512], *p, *save;
	bool found = false;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "#")] = '\0';
		for (p = strtok_r(line, " \t\r\n", &save); p != NULL && !found;
		     p = strtok_r(NULL, " \t\r\n", &save))
			found = strcmp(p, word) == 0;
	}
	fclose(f);
	return found;
}

static void
look_at_fuse(const struct tf_doctor *d)
{
	int fd;

	if (!file_has_word("/proc/filesystems", "fuse")) {
		tf_doctor_say(d, "host", TF_DOCTOR_WRONG, "modprobe fuse",
		    "the kernel has no FUSE");
		return;
	}
	/* Opening it mounts nothing. */
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		tf_doctor_say(d, "host", TF_DOCTOR_WRONG,
		    errno == ENOENT || errno == ENXIO ?
			"modprobe fuse; a container needs the device: "
			"--device /dev/fuse" :
			"chmod 0666 /dev/fuse; a container needs the device: "
			"--device /dev/fuse",
		    "/dev/fuse: %s", strerror(errno));
		return;
	}
	close(fd);
	tf_doctor_say(d, "host", TF_DOCTOR_OK, NULL,
	    "FUSE and /dev/fuse are there");
}

/* The program that mounts for ordinary users. */
static void
look_at_fusermount(const struct tf_doctor *d)
{
	const char *path = getenv("PATH");
	char *dirs = strdup(path != NULL ? path : "/usr/bin:/bin"), *save, *p;
	char name[4096] = "";
	struct stat st;

	for (p = dirs == NULL ? NULL : strtok_r(dirs, ":", &save); p != NULL;
	     p = strtok_r(NULL, ":", &save)) {
		(void)snprintf(name, sizeof(name), "%s/fusermount3", p);
		if (access(name, X_OK) == 0)
			break;
	}
	if (p == NULL || stat(name, &st) < 0)
		tf_doctor_say(d, "host", TF_DOCTOR_WRONG,
		    "install the package fuse3",
		    "fusermount3 is not found, so that only root can mount");
	else if (st.st_uid != 0 || (st.st_mode & S_ISUID) == 0)
		tf_doctor_say(d, "host", TF_DOCTOR_WRONG,
		    "install the package fuse3 again: it must be setuid root",
		    "%s cannot mount: owner %u, mode %04o", name,
		    (unsigned)st.st_uid, (unsigned)st.st_mode & 07777);
	free(dirs);
	if (access("/etc/mtab", F_OK) < 0)
		tf_doctor_say(d, "host", TF_DOCTOR_NOTE,
		    "root: ln -s ../proc/self/mounts /etc/mtab; umount works "
		    "without it",
		    "fusermount3 -u cannot unmount: there is no /etc/mtab");
	if (!file_has_word("/etc/fuse.conf", "user_allow_other"))
		tf_doctor_say(d, "host", TF_DOCTOR_NOTE,
		    "root adds a line user_allow_other to /etc/fuse.conf",
		    "you cannot let other users into a mount of yours "
		    "(allow_other)");
}

/* --- the kernel ----------------------------------------------------------- */

static void
look_at_kernel(const struct tf_doctor *d)
{
	unsigned major = 0, minor = 0;
	struct utsname u;
	long abi;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) != 2) {
		tf_doctor_say(d, "kernel", TF_DOCTOR_UNSEEN, NULL,
		    "its version is unknown");
		return;
	}
	if (major < 6 || (major == 6 && minor < 9))
		tf_doctor_say(d, "kernel", TF_DOCTOR_NOTE,
		    "Linux 6.9 reads long sealed files faster",
		    "%s %s has no passthrough of FUSE", u.sysname, u.release);
	else
		tf_doctor_say(d, "kernel", TF_DOCTOR_OK, NULL,
		    "%s %s, with passthrough of FUSE", u.sysname, u.release);
	abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
	if (abi < 0)
		tf_doctor_say(d, "kernel", TF_DOCTOR_NOTE,
		    "boot with lsm=landlock,... or a kernel that has it",
		    "no Landlock: %s", strerror(errno));
	else
		tf_doctor_say(d, "kernel", TF_DOCTOR_OK, NULL,
		    "Landlock, version %ld", abi);
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		tf_doctor_say(d, "kernel", TF_DOCTOR_NOTE,
		    "use a kernel that has it (CONFIG_SECCOMP_FILTER)",
		    "no seccomp: %s", strerror(errno));
	else
		tf_doctor_say(d, "kernel", TF_DOCTOR_OK, NULL, "seccomp");
}

static void
look_at_clock(const struct tf_doctor *d)
{
	const char *source = tf_clock_source("/run");
	struct tf_clock_state c;

	tf_clock_state(&c);
	if (!c.known)
		tf_doctor_say(d, "clock", TF_DOCTOR_UNSEEN, NULL,
		    "the kernel does not say whether the clock is "
		    "synchronised");
	else if (!c.synchronised)
		tf_doctor_say(d, "clock", TF_DOCTOR_WRONG,
		    "run chrony or systemd-timesyncd on the host",
		    "the clock is not synchronised: the times of entries are "
		    "only as good as it is");
	else
		tf_doctor_say(d, "clock", TF_DOCTOR_OK, NULL,
		    "the clock is synchronised%s%s",
		    *source != '\0' ? " by " : "", source);
}

void
doctor_host(const struct tf_doctor *d)
{
	look_at_fuse(d);
	if (geteuid() != 0)
		look_at_fusermount(d);
	look_at_kernel(d);
	look_at_clock(d);
}

/* --- limits --------------------------------------------------------------- */

void
doctor_limits(const struct tf_doctor *d, int32_t pid)
{
	struct rlimit r;

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &r) < 0) {
		tf_doctor_say(d, "limits", TF_DOCTOR_UNSEEN,
		    errno == EPERM || errno == EACCES ?
			"run this as root or as the user of the mount" :
			NULL,
		    "how many files process %d may open: %s", (int)pid,
		    strerror(errno));
		return;
	}
	/* trailfs raises the limit to the hard one. */
	if (r.rlim_max < NOFILE_NEEDED)
		tf_doctor_say(d, "limits", TF_DOCTOR_WRONG,
		    "LimitNOFILE=65536 in the unit of the mount, or a higher "
		    "hard limit in /etc/security/limits.conf",
		    "%s may open %llu files, %u are needed",
		    pid == 0 ? "a program started from here" : "the mount",
		    (unsigned long long)r.rlim_max, NOFILE_NEEDED);
	else
		tf_doctor_say(d, "limits", TF_DOCTOR_OK, NULL,
		    "%s may open %llu files",
		    pid == 0 ? "a program started from here" : "the mount",
		    (unsigned long long)r.rlim_max);
}
