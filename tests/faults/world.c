/* The store under test, its daemon, and the disks that lose power. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/control.h"
#include "faults.h"

#define DAEMON_S 120 /* a daemon lives, at most */
#define START_US 30000000
#define END_MS 60000
#define LOOK_US 500
#define ATTEND_US 50

struct fault *fault;
static pid_t daemon_pid; /* 0: none */

/* --- disks ------------------------------------------------------------ */

/* Make a block device in memory, so that only the file system itself can lose
 * data.  The device disappears with its last user. */
struct disk {
	const char *at; /* mount point */
	char device[32];
	int loop, bytes;
};
static struct disk disk[2] = { { .at = "store", .loop = -1, .bytes = -1 },
	{ .at = "objects", .loop = -1, .bytes = -1 } };
static enum disks disks;
bool world_encrypts;

static const struct {
	const char *type, *make;
	off_t size;
} kinds[] = {
	[DISKS_EXT4] = { "ext4", "mkfs.ext4 -q -F -E nodiscard", 128 << 20 },
	[DISKS_XFS] = { "xfs", "mkfs.xfs -q -f -K", 320 << 20 },
};

static void
attach(struct disk *d, off_t size)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config c = { .info.lo_flags = LO_FLAGS_AUTOCLEAR };

	d->bytes = memfd_create(d->at, MFD_CLOEXEC);
	if (control < 0 || d->bytes < 0 || ftruncate(d->bytes, size) < 0)
		die("no loop device");
	c.fd = (unsigned)d->bytes;
	/* Another process may take the free device first. */
	for (int i = 0; i < 100; i++) {
		int n = ioctl(control, LOOP_CTL_GET_FREE);

		snprintf(d->device, sizeof d->device, "/dev/loop%d", n);
		d->loop = n < 0 ? -1 : open(d->device, O_RDWR | O_CLOEXEC);
		if (d->loop >= 0 && ioctl(d->loop, LOOP_CONFIGURE, &c) == 0)
			break;
		if (d->loop >= 0)
			close(d->loop);
		d->loop = -1;
	}
	close(control);
	if (d->loop < 0)
		die("no free loop device");
}

static void
detach(struct disk *d)
{
	if (d->loop < 0)
		return;
	(void)umount2(d->at, 0);
	close(d->loop);
	close(d->bytes);
	d->loop = d->bytes = -1;
}

static void
disks_mount(void)
{
	for (int i = 0; i < 2; i++)
		if (mount(disk[i].device, disk[i].at, kinds[disks].type, 0,
			NULL) < 0 ||
		    access(disk[i].at, W_OK) < 0)
			die("mount %s", disk[i].at);
}

static void
disks_unmount(void)
{
	for (int i = 0; i < 2; i++)
		for (int64_t end = now_us() + START_US;
		     umount2(disk[i].at, 0) < 0;) {
			if (errno != EBUSY || now_us() > end)
				die("umount %s", disk[i].at);
			wait_us(LOOK_US);
		}
}

static void
disks_begin(void)
{
	for (int i = 0; i < 2; i++) {
		attach(&disk[i], kinds[disks].size);
		if (mkdir(disk[i].at, 0700) < 0 ||
		    shell("%s %s", kinds[disks].make, disk[i].device) != 0) {
			show_daemon_log();
			die("mkfs %s", disk[i].device);
		}
	}
	disks_mount();
	if (shell("rm -rf store/lost+found objects/lost+found") != 0)
		die("rmdir lost+found");
}

/* Does any block of the disk hold MARK?  Holes of its memory are not read. */
static bool
has_mark(const struct disk *d)
{
	off_t from = 0, to, size = kinds[disks].size;
	char *image = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, d->bytes,
	    0);
	bool found = false;

	if (image == MAP_FAILED)
		die("the image of %s", d->at);
	while (!found && (from = lseek(d->bytes, from, SEEK_DATA)) >= 0) {
		if ((to = lseek(d->bytes, from, SEEK_HOLE)) < 0)
			die("the image of %s", d->at);
		found = memmem(image + from, (size_t)(to - from), MARK,
			    strlen(MARK)) != NULL;
		from = to;
	}
	munmap(image, (size_t)size);
	return found;
}

void
world_search(void)
{
	bool found = false;

	if (disks == DISKS_NONE)
		return;
	for (int i = 0; i < 2; i++)
		found = has_mark(&disk[i]) || found;
	if (found && world_encrypts)
		red("a block of a disk holds text of encrypted evidence");
	else if (!found && !world_encrypts)
		red("no block of a disk holds what was written");
}

void
world_cut(unsigned ledger_flags, unsigned objects_flags)
{
	unsigned flags[2] = { ledger_flags, objects_flags };
	int status;

	/* Cut both disks at the same moment: calls that have begun end first.
	 * (An fsync during which its file system is shut down may still report
	 * success.)  Later results do not reach the writers. */
	fault->dark = 1;
	if (daemon_pid > 0 && kill(daemon_pid, SIGSTOP) == 0 &&
	    waitpid(daemon_pid, &status, WUNTRACED) == daemon_pid &&
	    !WIFSTOPPED(status))
		daemon_pid = 0;
	for (int i = 0; i < 2; i++) {
		int fd = open(disk[i].at, O_RDONLY | O_CLOEXEC);

		/* After a cut by the shim it cannot be opened. */
		if (fd >= 0 && ioctl(fd, CUT_POWER, &flags[i]) < 0 &&
		    errno != EIO)
			die("cut %s", disk[i].at);
		if (fd >= 0)
			close(fd);
	}
	vault_kill();
	fault->dark = 0;
	disks_unmount();
	/* Loop devices held open keep a cache, which a power cut loses. */
	for (int i = 0; i < 2; i++)
		if (ioctl(disk[i].loop, BLKFLSBUF) < 0)
			die("empty the cache of %s", disk[i].device);
	if (world_encrypts)
		world_search();
	disks_mount();
}

/* --- the store -------------------------------------------------------- */

void
world_begin(enum disks d)
{
	world_end();
	disks = d;
	if (fault == NULL) {
		int fd = open("fault", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fd < 0 || ftruncate(fd, sizeof *fault) < 0)
			die("fault");
		fault = mmap(NULL, sizeof *fault, PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
		if (fault == MAP_FAILED)
			die("fault");
		close(fd);
	}
	fault_none();
	if (disks != DISKS_NONE)
		disks_begin();
	if (shell("mkdir acks && { [ -d mnt ] || mkdir mnt; } &&"
		  " trailctl init --origin example.org/faults store >vkey") !=
	    0) {
		show_daemon_log();
		die("init");
	}
	/* Stage and objects must be on one file system: staged files are
	 * linked. */
	if (disks != DISKS_NONE &&
	    shell("for d in objects stage; do rmdir store/$d &&"
		  " mkdir objects/$d && ln -s \"$PWD/objects/$d\" store/$d ||"
		  " exit 1; done; sync") != 0)
		die("two disks");
	vault_mount("settle=60");
	if (mkdir("mnt/t", 0755) < 0 || mkdir("mnt/t/w", 0755) < 0)
		die("mkdir");
	if (world_encrypts &&
	    shell("rm -f age.key && age-keygen -o age.key 2>/dev/null &&"
		  " age-keygen -y age.key >mnt/t/.trailfs/recipients") != 0)
		die("recipients");
	if (vault_unmount() != 0)
		die("the daemon of a new store");
}

void
world_end(void)
{
	vault_kill();
	for (int i = 0; i < 2; i++)
		detach(&disk[i]);
	(void)shell("rm -rf store objects acks seen log vkey");
	check_forget();
}

/* --- the daemon ------------------------------------------------------- */

void
fault_none(void)
{
	memset(fault, 0, sizeof *fault);
}

/* Cut both disks at the same moment: calls that have begun end first, and no
 * other call begins.  (An fsync during which its file system is shut down may
 * still report success.) */
static void
cut_power(void)
{
	while (fault->busy > 0)
		sched_yield();
	for (int i = 0; i < 2; i++) {
		int fd = open(disk[i].at, O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && ioctl(fd, CUT_POWER, &fault->cut_flags[i]) == 0)
			fault->cut++;
	}
}

/* Start a process that cuts the power or kills the daemon when the shim asks
 * for it, and ends with the daemon: the sandbox of the daemon does not let the
 * shim do the one, nor that of the signer the other. */
static void
attend(pid_t daemon)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0) {
		(void)waitpid(pid, NULL, 0);
		return;
	}
	if (fork() != 0)
		_exit(0);
	while (kill(daemon, 0) == 0) {
		if (fault->dark != 0) {
			cut_power();
			(void)kill(daemon, SIGKILL);
			break;
		}
		if (fault->dying != 0) {
			(void)kill(daemon, SIGKILL);
			fault->dying = 0;
			break;
		}
		wait_us(ATTEND_US);
	}
	_exit(0);
}

void
vault_start(const char *options)
{
	const char *more = getenv("TRAILFS_TEST_OPTIONS");
	char all[512];
	int log;

	if (more != NULL) {
		snprintf(all, sizeof(all), "%s,%s", options, more);
		options = all;
	}
	fflush(NULL);
	fault->attended = fault->calls != 0 &&
	    (fault->kind == FAULT_CUT || fault->kind == FAULT_KILL);
	if ((daemon_pid = fork()) < 0)
		die("fork");
	if (daemon_pid > 0) {
		if (fault->attended)
			attend(daemon_pid);
		return;
	}
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	log = open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	setenv(FAULT_ENV, "fault", 1);
	if (fault->calls != 0)
		setenv("LD_PRELOAD", FAULTS_SHIM, 1);
	alarm(DAEMON_S);
	execl(TRAILFS, "trailfs", "store", "mnt", "-f", "-o", options,
	    (char *)NULL);
	_exit(127);
}

/* The exit status, or -signal. */
static int
plain(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

bool
vault_serves(int *status)
{
	int64_t end = now_us() + START_US;

	while (access("mnt/" TF_CONTROL_DIR "/checkpoint", F_OK) < 0) {
		if (ended(daemon_pid, 0, status)) {
			*status = plain(*status);
			daemon_pid = 0;
			vault_kill();
			return false;
		}
		if (now_us() > end) {
			red("a daemon neither serves nor ends");
			vault_kill();
			*status = 0;
			return false;
		}
		wait_us(LOOK_US);
	}
	return true;
}

void
vault_mount(const char *options)
{
	int status;

	vault_start(options);
	if (vault_serves(&status))
		return;
	red("the vault cannot be opened (it ended with %d)", status);
	(void)shell("tail -n 20 log");
	show_daemon_log();
}

void
vault_kill(void)
{
	int status;

	if (daemon_pid > 0) {
		(void)kill(daemon_pid, SIGKILL);
		(void)waitpid(daemon_pid, &status, 0);
	}
	daemon_pid = 0;
	/* Writers must see the dead mount, not the bare directory. */
	writers_end();
	(void)umount2("mnt", MNT_DETACH | UMOUNT_NOFOLLOW);
}

int
vault_unmount(void)
{
	int64_t end = now_us() + START_US;
	int status;

	if (daemon_pid == 0)
		return -1;
	while (umount2("mnt", UMOUNT_NOFOLLOW) < 0 && errno == EBUSY &&
	    now_us() < end)
		wait_us(LOOK_US);
	if (!ended(daemon_pid, END_MS, &status)) {
		red("the daemon does not end");
		vault_kill();
		return -1;
	}
	daemon_pid = 0;
	vault_kill(); /* a mount that died with it */
	return plain(status);
}

bool
vault_runs(void)
{
	return daemon_pid > 0;
}
