/* The daemon: its process, its descriptors, its control files, its messages. */
#include <dirent.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#include "attack.h"

/* --- E1: what the daemon keeps ------------------------------------------------------- */

/* Root reads what the kernel says of the daemon. */
static void
read_rights(void)
{
	static const char *const none[] = { "CapInh", "CapPrm", "CapEff",
		"CapBnd", "CapAmb" };
	char path[64], text[8192], want[64];
	int n;

	snprintf(path, sizeof path, "/proc/%ld/status", (long)world.daemon);
	n = read_bytes(path, text, sizeof text - 1);
	text[n < 0 ? 0 : n] = '\0';
	for (size_t i = 0; i < LEN(none); i++) {
		snprintf(want, sizeof want, "\n%s:\t0000000000000000\n",
		    none[i]);
		atomic_fetch_add(&shared->tries, 1);
		if (strstr(text, want) == NULL)
			gained("the daemon has capabilities: no%s", want);
	}
	if (strstr(text, "\nNoNewPrivs:\t1\n") == NULL)
		gained("a program gives the daemon rights");
}

/* --- E2: its keys ----------------------------------------------------------------------- */

static void
exchange_keys(void)
{
	static const char *const names[] = { "", "/log.pem", "/attester.pem",
		"/log.vkey", "/log.next.pem", "/signer.state" };
	char path[PATH_LEN];
	const char *p = path;

	if (world.store[0] == '\0') {
		skipped("the store is not known");
		return;
	}
	for (size_t i = 0; i < LEN(names); i++) {
		snprintf(path, sizeof path, "%s/keys%s", world.store, names[i]);
		REFUSED(try_open(p, O_RDONLY));
		REFUSED(try_open(p, O_WRONLY | O_CREAT));
		REFUSED(chmod(p, 0666));
		REFUSED(lchown(p, geteuid(), (gid_t)-1));
		REFUSED(unlink(p));
		REFUSED(rename(p, "stolen"));
		REFUSED(rename(DRAFT, p));
		REFUSED(symlink("/etc/passwd", p));
		REFUSED(link(p, "/tmp/trailfs-attack-key"));
	}
}

/* --- E3, E6: another process ---------------------------------------------------------------- */

static const char *
proc_of_daemon(const char *name)
{
	static char path[96];

	snprintf(path, sizeof path, "/proc/%ld/%s", (long)world.daemon, name);
	return path;
}

void
read_memory(void)
{
	static const char *const names[] = { "mem", "environ", "maps", "fd",
		"auxv", "syscall", "stack", "io", "fd/0", "cwd", "root", "exe",
		"map_files", "ns/mnt", "fdinfo", "pagemap" };
	char byte[8];
	struct iovec local = { byte, sizeof byte };
	struct iovec remote = { (void *)&shared, sizeof byte };
	struct rlimit limit = { 3, 3 };
	cpu_set_t set;
	int pidfd;

	for (size_t i = 0; i < LEN(names); i++)
		REFUSED(try_open(proc_of_daemon(names[i]), O_RDONLY));
	REFUSED(try_open(proc_of_daemon("mem"), O_RDWR));
	REFUSED(try_open(proc_of_daemon("oom_score_adj"), O_WRONLY));
	REFUSED(try_open(proc_of_daemon("timers"), O_WRONLY));
	REFUSED(process_vm_readv(world.daemon, &local, 1, &remote, 1, 0));
	REFUSED(process_vm_writev(world.daemon, &local, 1, &remote, 1, 0));
	REFUSED(ptrace(PTRACE_ATTACH, world.daemon, NULL, NULL));
	REFUSED(ptrace(PTRACE_SEIZE, world.daemon, NULL, NULL));
	REFUSED(prlimit(world.daemon, RLIMIT_NOFILE, &limit, NULL));
	REFUSED(setpriority(PRIO_PROCESS, (id_t)world.daemon, 19));
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	REFUSED(sched_setaffinity(world.daemon, sizeof set, &set));
	pidfd = (int)syscall(SYS_pidfd_open, world.daemon, 0);
	if (pidfd >= 0) {
		for (int fd = 0; fd < 32; fd++)
			REFUSED(syscall(SYS_pidfd_getfd, pidfd, fd, 0));
		REFUSED(syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL,
		    0));
		close(pidfd);
	}
}

void
send_signals(void)
{
	for (int sig = 1; sig < 32; sig++)
		REFUSED(kill(world.daemon, sig));
	REFUSED(syscall(SYS_tgkill, world.daemon, world.daemon, SIGSTOP));
}

/* --- E7: interrupted requests ----------------------------------------------------------------- */

static void
nothing(int sig)
{
	(void)sig;
}

_Noreturn static int
work_interrupted(void *name)
{
	struct itimerval every = { { 0, 700 }, { 0, 700 } };
	struct sigaction a = { .sa_handler = nothing };
	char own[96], buf[64];
	int fd;

	sigaction(SIGALRM, &a, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	for (int i = 0;; i++) {
		snprintf(own, sizeof own, "%s-%ld-%d.tmp", (char *)name,
		    (long)getpid(), i % 7);
		fd = open(own, O_RDWR | O_CREAT, 0644);
		if (fd >= 0) {
			(void)!write(fd, "interrupted\n", 12);
			(void)fsync(fd);
			close(fd);
		}
		(void)!read_bytes(BIG, buf, sizeof buf);
		(void)!read_bytes("../.trailfs/index.html", buf, sizeof buf);
		(void)rename(own, SEALED);
		(void)unlink(own);
	}
}

/* Each killed after a time of its own, at any point of a request. */
static void
kill_callers(void)
{
	unsigned long kills = world.requests / 250;
	pid_t pid[8];
	char name[64];

	if (kills < 40)
		kills = 40;
	fresh(name, "interrupted");
	for (unsigned long done = 0; done < kills; done += LEN(pid)) {
		for (size_t i = 0; i < LEN(pid); i++)
			pid[i] = child(work_interrupted, name);
		for (size_t i = 0; i < LEN(pid); i++) {
			nap_ms(1 + (unsigned)(done + 3 * i) % 9);
			(void)kill(pid[i], SIGKILL);
		}
		for (size_t i = 0; i < LEN(pid); i++) {
			if (ended(pid[i]) != -SIGKILL)
				fault("an interrupted process ended by itself");
			atomic_fetch_add(&shared->tries, 1);
		}
	}
}

/* --- E8: what the kernel forgets ---------------------------------------------------------------- */

static void
forget_much(void)
{
	unsigned long names = world.requests / 20;
	struct stat st;
	char name[64];

	fresh(name, "nothing");
	for (unsigned long i = 0; i < names; i++) {
		char path[128];

		snprintf(path, sizeof path, "%s-%lu", name, i);
		REFUSED(stat(path, &st));
		if (i % 4 == 0) {
			(void)stat(SEALED, &st);
			(void)try_open("../.trailfs/status", O_RDONLY);
		}
	}
	if (geteuid() == 0) {
		int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

		if (fd >= 0) {
			(void)!write(fd, "2", 1);
			close(fd);
		}
	}
}

/* --- E9: what the kernel drops while others read ----------------------------------------------- */

#define READERS 4
#define READ_NAMES 8

static char sealing[64];

/* Each seal drops names and pages; these processes have them in use. */
_Noreturn static int
read_always(void *unused)
{
	char path[96], value[64], text[256];
	struct stat st;
	int fd;

	(void)unused;
	for (unsigned i = 0;; i++) {
		snprintf(path, sizeof path, "%s-%u", sealing, i % READ_NAMES);
		(void)stat(path, &st);
		(void)getxattr(path, "user.trailfs.state", value, sizeof value);
		if ((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0) {
			void *p = mmap(NULL, sizeof text, PROT_READ, MAP_SHARED,
			    fd, 0);

			(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
			(void)!pread(fd, text, sizeof text, 0);
			if (p != MAP_FAILED)
				(void)munmap(p, sizeof text);
			close(fd);
		}
		if (i % 16 == 0)
			(void)read_bytes(".trailfs/SHA256SUMS", text,
			    sizeof text);
	}
}

static void
read_while_sealing(void)
{
	unsigned long rounds = world.requests / 2000 + 5;
	pid_t reader[READERS];
	char path[96];

	for (unsigned long r = 0; r < rounds; r++) {
		fresh(sealing, "dropped");
		for (int i = 0; i < READERS; i++)
			reader[i] = child(read_always, NULL);
		for (unsigned i = 0; i < READ_NAMES; i++) {
			snprintf(path, sizeof path, "%s-%u", sealing, i);
			WORKS(put(path, 200 + i, i));
			(void)sync_dir(".");
			check_digest(path);
			atomic_fetch_add(&shared->tries, 1);
		}
		for (int i = 0; i < READERS; i++) {
			(void)kill(reader[i], SIGKILL);
			if (ended(reader[i]) != -SIGKILL)
				fault("a reader ended by itself");
		}
	}
}

/* --- E10: requests that are rare, and the device ------------------------------------------------- */

#define FUSE_CLONE _IOR(229, 0, uint32_t)

static void
use_device(void)
{
	char options[64];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	uint32_t other = 0;

	for (int i = 0; i < 64 && fd >= 0; i++) {
		other = (uint32_t)i;
		REFUSED(ioctl(fd, FUSE_CLONE, &other));
	}
	for (int i = 0; i < 64; i++) {
		char name[16];

		snprintf(name, sizeof name, "fd/%d", i);
		REFUSED(try_open(proc_of_daemon(name), O_RDWR));
	}
	snprintf(options, sizeof options,
	    "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	REFUSED(mount("x", world.mnt, "fuse", 0, options));
	if (fd >= 0)
		close(fd);
}

static void
ask_rarely(void)
{
	struct fiemap map = { .fm_length = ~0ull };
	struct file_handle h = { .handle_bytes = 0 };
	int fd = open(SEALED, O_RDONLY), mount_id;
	struct statx x;

	(void)lseek(fd, 0, SEEK_DATA);
	(void)lseek(fd, 0, SEEK_HOLE);
	(void)lseek(fd, INT64_MAX, SEEK_SET);
	(void)ioctl(fd, FS_IOC_FIEMAP, &map);
	(void)ioctl(fd, FIBMAP, &mount_id);
	(void)syscall(SYS_statx, AT_FDCWD, SEALED, AT_STATX_FORCE_SYNC, ~0u,
	    &x);
	(void)name_to_handle_at(AT_FDCWD, SEALED, &h, &mount_id, 0);
	(void)syscall(SYS_readahead, fd, 0, 1 << 20);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	REFUSED(pwritev2(fd, &(struct iovec){ (void *)"x", 1 }, 1, 0, 0));
	REFUSED(syscall(SYS_open_by_handle_at, fd, &h, O_RDWR));
	REFUSED(fallocate(fd, 0x40, 0, 1));
	REFUSED(renameat2(AT_FDCWD, SEALED, AT_FDCWD, DRAFT, 0x80));
	close(fd);
}

#define CONNECTIONS "/sys/fs/fuse/connections"

static int
abort_as(void *unused)
{
	DIR *d = opendir(CONNECTIONS);
	const struct dirent *e;
	char path[PATH_LEN];
	const char *p = path;

	(void)unused;
	become(STRANGER, false);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, CONNECTIONS "/%.64s/abort",
		    e->d_name);
		REFUSED(try_open(p, O_WRONLY));
		snprintf(path, sizeof path, CONNECTIONS "/%.64s/max_background",
		    e->d_name);
		REFUSED(try_open(p, O_WRONLY));
	}
	return 0;
}

/* Writing there would end the mount.  Root shows it to a stranger. */
static void
abort_connection(void)
{
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    (mount("fusectl", CONNECTIONS, "fusectl", 0, NULL) < 0 &&
		errno != EBUSY))
		skipped("fusectl cannot be mounted");
	else
		(void)ended(child(abort_as, NULL));
}

/* --- E11: the store a second time -------------------------------------------------------------------- */

static int
mount_again(void *at)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	alarm(20);
	execl(world.trailfs, "trailfs", world.store, (char *)at, (char *)NULL);
	return 127;
}

static void
open_twice(void)
{
	char at[] = "/tmp/trailfs-attack-XXXXXX";
	int rc;

	if (world.trailfs[0] == '\0' || world.store[0] == '\0') {
		skipped("no -t TRAILFS");
		return;
	}
	if (mkdtemp(at) == NULL)
		return;
	rc = ended(child(mount_again, at));
	errno = EACCES;
	tried("a second daemon of the store", rc == 0 ? 0 : -1);
	if (rc < 0 || rc == 127)
		fault("a second daemon ended with %d", rc);
	(void)umount2(at, MNT_DETACH);
	(void)rmdir(at);
}

/* --- E13: the clock ------------------------------------------------------------------------------------- */

static void
set_clock(void)
{
	struct timespec past = { 1000000000, 0 };
	struct timeval tv = { 1000000000, 0 };
	struct timex x = { .modes = ADJ_OFFSET, .offset = 100000 };

	(void)unshare(CLONE_NEWTIME); /* has no clock of the day */
	REFUSED(clock_settime(CLOCK_REALTIME, &past));
	REFUSED(settimeofday(&tv, NULL));
	REFUSED(adjtimex(&x));
	x = (struct timex){ .modes = ADJ_TAI, .constant = 100 };
	REFUSED(adjtimex(&x));
}

/* --- E14: messages ------------------------------------------------------------------------------------ */

static void
inject(void)
{
	static const char *const names[] = { "x\n{\"forged\":true}",
		"x\", \"uid\":0, \"y\":\"", "x\033[2J\033[H VERIFIED",
		"x\xc2\x9b"
		"2J",
		"x\xe2\x80\xae"
		"txt.exe",
		"\xff\xfe" };

	for (size_t i = 0; i < LEN(names); i++) {
		REFUSED(rename(SEALED, names[i]));
		REFUSED(rename(names[i], SEALED));
		REFUSED(symlink("x", names[i]));
		REFUSED(mkdir(names[i], 0777) < 0 ? -1 :
						    rename(names[i], SEALED));
	}
}

/* Each line that the vault shows of this is one line, without a byte that a
 * terminal acts on. */
static void
check_messages(void)
{
	static const char *const files[] = { "denied.jsonl", "status.json",
		"events.jsonl", "index.html", "metrics" };
	static char all[4 << 20];
	char path[PATH_LEN + 64];
	int n;

	for (size_t f = 0; f < LEN(files); f++) {
		snprintf(path, sizeof path, "%s/.trailfs/%s", world.mnt,
		    files[f]);
		n = read_bytes(path, all, sizeof all);
		if (n < 0)
			fault("%s: %s", path, strerror(errno));
		for (int i = 0; i < n; i++) {
			unsigned char c = (unsigned char)all[i];

			if ((c < ' ' && c != '\n' && c != '\t') || c == 127)
				gained("byte %u in %s", c, path);
			if (strstr(files[f], "jsonl") != NULL &&
			    (i == 0 || all[i - 1] == '\n') && c != '{')
				gained("a line of %s is no object", path);
		}
		if (n > 0 &&
		    memmem(all, (size_t)n, "\n{\"forged\"", 10) != NULL)
			gained("%s has a forged line", path);
	}
}

/* --- E15: control files ---------------------------------------------------------------------------------- */

static void
write_control_files(void)
{
	static const char *const dirs[] = { ".", "..", "../..", "../../.." };
	static const char *const names[] = { "status.json", "events.jsonl",
		"denied.jsonl", "checkpoint", "log.vkey", "index.html",
		"metrics", "SHA256SUMS", "attestation.json", "package.zip",
		"custody.jsonl", "evaluation.json", "status", "last-error",
		"anchors.json", "missing", "checkpoint.cosigned",
		"trail-page.html", "at", "completeness.json", "health.json",
		"certificate.html", "replay", "replay/new.html", "proof/new",
		"tile/0/000", "find/new", "by-sha256/new", "missing/new" };
	/* Below the tree as it was. */
	static const char *const past[] = { "", "/new", "/" SEALED,
		"/.trailfs/index.html", "/.trailfs/new" };
	char path[PATH_LEN], at[64];
	const char *p = path;

	find_moment(at);
	for (size_t d = 0; d < LEN(dirs); d++) {
		for (size_t i = 0; i < LEN(past); i++) {
			snprintf(path, sizeof path, "%s/%s%s", dirs[d], at,
			    past[i]);
			REFUSED(try_open(p, O_WRONLY | O_CREAT));
			REFUSED(truncate(p, 0));
			REFUSED(unlink(p));
			REFUSED(rmdir(p));
			REFUSED(mkdir(p, 0777));
			REFUSED(rename(DRAFT, p));
			REFUSED(link(DRAFT, p));
			REFUSED(chmod(p, 0777));
			REFUSED(setxattr(p, "user.x", "x", 1, 0));
		}
		for (size_t i = 0; i < LEN(names); i++) {
			snprintf(path, sizeof path, "%s/.trailfs/%s", dirs[d],
			    names[i]);
			REFUSED(try_open(p, O_WRONLY));
			REFUSED(try_open(p, O_RDWR | O_TRUNC));
			REFUSED(truncate(p, 0));
			REFUSED(unlink(p));
			REFUSED(rename(DRAFT, p));
			REFUSED(chmod(p, 0777));
			REFUSED(setxattr(p, "user.x", "x", 1, 0));
		}
		snprintf(path, sizeof path, "%s/.trailfs", dirs[d]);
		REFUSED(rmdir(p));
		REFUSED(rename(p, "away"));
		REFUSED(chmod(p, 0777));
	}
	/* What only owners, administrators and root write. */
	if (geteuid() != 0 && geteuid() != VICTIM) {
		REFUSED(put_text("../../../.trailfs/anchor", "x"));
		REFUSED(try_open("../../../.trailfs/anchor", O_WRONLY));
		REFUSED(try_open("../../../.trailfs/holds", O_WRONLY));
		REFUSED(try_open("../../.trailfs/retention", O_WRONLY));
		REFUSED(try_open(".trailfs/retention", O_WRONLY));
		REFUSED(try_open(".trailfs/holds", O_WRONLY));
	}
}

const struct row daemon_rows[] = {
	{ "E1", "rights that the daemon keeps", read_rights, ROOT, NULL },
	{ "E2", "its keys in other files", exchange_keys, USERS, NULL },
	{ "E3", "memory and descriptors of the daemon", read_memory, USERS,
	    NULL },
	{ "E6", "signals for the daemon", send_signals, USERS, NULL },
	{ "E7", "interrupted and killed callers", kill_callers,
	    STRANGERS | 1u << BY_MEMBER, NULL },
	{ "E8", "names that are looked up and forgotten", forget_much,
	    STRANGERS | ROOT, NULL },
	{ "E9", "what is dropped while others read it", read_while_sealing,
	    STRANGERS | 1u << BY_MEMBER, NULL },
	{ "E10", "rare requests", ask_rarely, EVERYBODY, NULL },
	{ "E10a", "the device of the mount", use_device,
	    USERS & ~(1u << BY_NAMESPACES), NULL },
	{ "E10b", "ending the connection", abort_connection, ROOT, NULL },
	{ "E11", "a second daemon of the store", open_twice,
	    STRANGERS | USERNS | ROOT, NULL },
	{ "E13", "the clock of the machine", set_clock, USERS, NULL },
	{ "E14", "forged lines in messages", inject, EVERYBODY,
	    check_messages },
	{ "E15", "control files", write_control_files, EVERYBODY, NULL },
	{ 0 },
};
