/* What is tried on sealed evidence, or must not exist in a vault at all. */
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "attack.h"

#define OPEN(path, flags) REFUSED(try_open(path, flags))

/* A new draft of the one who tries. */
static const char *
mine(void)
{
	static char name[80];
	char base[64];

	snprintf(name, sizeof name, "%s.tmp", fresh(base, "mine"));
	WORKS(put_text(name, "another story\n"));
	return name;
}

static int
open_report(char again[64])
{
	int fd = open(SEALED, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fault("%s: %s", SEALED, strerror(errno));
	snprintf(again, 64, "/proc/self/fd/%d", fd);
	return fd;
}

/* --- C1, C2, C3: what no vault has ------------------------------------------------ */

static void
make_symlinks(void)
{
	char name[64];

	REFUSED(symlink(SEALED, fresh(name, "link")));
	REFUSED(symlink("/etc/passwd", fresh(name, "link")));
	REFUSED(symlink(SEALED, SEALED));
	REFUSED(symlink("x", "../.trailfs/x"));
	REFUSED(symlink("x", fresh(name, "../link")));
	REFUSED(symlinkat("..", AT_FDCWD, fresh(name, "link")));
}

static void
make_links(void)
{
	char name[64], again[64];
	int fd = open_report(again);
	const char *own = mine();

	REFUSED(link(SEALED, fresh(name, "other")));
	REFUSED(link(own, fresh(name, "other")));
	if (access(HELD, F_OK) == 0)
		REFUSED(link(HELD, fresh(name, "other")));
	REFUSED(link(own, SEALED));
	REFUSED(linkat(AT_FDCWD, again, AT_FDCWD, fresh(name, "other"),
	    AT_SYMLINK_FOLLOW));
	REFUSED(linkat(fd, "", AT_FDCWD, fresh(name, "other"), AT_EMPTY_PATH));
	REFUSED(link("/proc/self/exe", fresh(name, "other")));
	REFUSED(link(SEALED, "/tmp/trailfs-attack-link"));
	close(fd);
}

static int
bind_socket(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc, sys;

	fresh(a.sun_path, "socket");
	rc = bind(fd, (struct sockaddr *)&a, sizeof a);
	sys = errno;
	close(fd);
	errno = sys;
	return rc;
}

static int
run_it(void *fd)
{
	char *const argv[] = { (char *)PROGRAM, NULL };

	if (fd == NULL)
		execv(PROGRAM, argv);
	else
		fexecve(*(int *)fd, argv, argv + 1);
	return errno == EACCES ? 100 : 101;
}

static void
make_devices(void)
{
	struct statvfs s;
	char name[64];
	int fd = open(PROGRAM, O_RDONLY), rc;
	void *p;

	REFUSED(mkfifo(fresh(name, "fifo"), 0666));
	REFUSED(mkfifo(SEALED, 0666));
	REFUSED(mknod(fresh(name, "null"), S_IFCHR | 0666, makedev(1, 3)));
	REFUSED(mknod(fresh(name, "disk"), S_IFBLK | 0666, makedev(7, 0)));
	REFUSED(mknod(fresh(name, "sock"), S_IFSOCK | 0666, 0));
	REFUSED(bind_socket());
	if (statvfs(".", &s) < 0 ||
	    (s.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC)) !=
		(ST_NOSUID | ST_NODEV | ST_NOEXEC))
		fault("the mount is not nosuid, nodev, noexec");
	rc = ended(child(run_it, NULL));
	errno = rc == 100 ? EACCES : EIO;
	tried("execv(" PROGRAM ")", rc == 0 ? 0 : -1);
	rc = ended(child(run_it, &fd));
	errno = rc == 100 ? EACCES : EIO;
	tried("fexecve(" PROGRAM ")", rc == 0 ? 0 : -1);
	p = mmap(NULL, 10, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	tried("mmap(PROT_EXEC)", p == MAP_FAILED ? -1 : 0);
	close(fd);
}

/* --- C4 to C7: calls --------------------------------------------------------------- */

/* The rights bits of what is sealed may be given and taken by owner and root:
 * reading, with an entry.  These are others. */
static void
change_modes(void)
{
	char again[64];
	int fd = open_report(again), own;
	struct stat st;
	char name[64];

	REFUSED(chmod(SEALED, 04755));
	REFUSED(chmod(SEALED, 02755));
	REFUSED(chmod(SEALED, 01777));
	REFUSED(chmod(SEALED, 0777));
	REFUSED(fchmod(fd, 0777));
	REFUSED(chmod(again, 0777));
	REFUSED(chown(SEALED, STRANGER, (gid_t)-1));
	REFUSED(chown(SEALED, STRANGER, STRANGER));
	REFUSED(lchown(SEALED, 0, 0));
	REFUSED(fchown(fd, STRANGER, STRANGER));
	REFUSED(chown(again, STRANGER, STRANGER));
	close(fd);
	/* A program that keeps its setuid bit when others write it. */
	own = open(fresh(name, "setuid"), O_WRONLY | O_CREAT | O_EXCL, 0666);
	if (own < 0 || fchmod(own, 06755) < 0 || write(own, "x", 1) != 1 ||
	    fstat(own, &st) < 0)
		fault("%s: %s", name, strerror(errno));
	else if (geteuid() != 0 && (st.st_mode & 06000) != 0)
		gained("%s has mode %o after a write", name, st.st_mode);
	if (own >= 0)
		close(own);
}

static void
open_to_write(void)
{
	static const int flags[] = { O_WRONLY, O_RDWR, O_WRONLY | O_APPEND,
		O_RDWR | O_APPEND, O_WRONLY | O_TRUNC, O_RDONLY | O_TRUNC,
		O_RDWR | O_TRUNC, O_WRONLY | O_CREAT,
		O_WRONLY | O_CREAT | O_TRUNC, O_WRONLY | O_CREAT | O_EXCL,
		O_RDWR | O_DIRECT, O_WRONLY | O_SYNC | O_NONBLOCK,
		O_WRONLY | O_DSYNC, O_RDWR | O_NOATIME | O_NOFOLLOW };
	static const char *const files[] = { SEALED, BIG, PROGRAM };

	for (size_t f = 0; f < LEN(files); f++)
		for (size_t i = 0; i < LEN(flags); i++)
			OPEN(files[f], flags[i]);
	OPEN(".", O_WRONLY | O_TMPFILE);
	OPEN(".", O_RDWR | O_TMPFILE | O_EXCL);
}

static ssize_t
copy_range_into(int to)
{
	int from = open(BIG, O_RDONLY | O_CLOEXEC), sys;
	ssize_t n = copy_file_range(from, NULL, to, NULL, 4, 0);

	sys = errno;
	close(from);
	errno = sys;
	return n;
}

static ssize_t
send_into(int to)
{
	int from = open(BIG, O_RDONLY | O_CLOEXEC), sys;
	ssize_t n = sendfile(to, from, NULL, 4);

	sys = errno;
	close(from);
	errno = sys;
	return n;
}

static ssize_t
splice_into(int to)
{
	int ends[2], sys;
	ssize_t n;

	if (pipe(ends) < 0 || write(ends[1], "x", 1) != 1)
		return -1;
	n = splice(ends[0], NULL, to, NULL, 1, 0);
	sys = errno;
	close(ends[0]);
	close(ends[1]);
	errno = sys;
	return n;
}

static void
change_size(void)
{
	char again[64];
	int fd = open_report(again);

	REFUSED(truncate(SEALED, 0));
	REFUSED(truncate(SEALED, 3));
	REFUSED(truncate(SEALED, 1 << 20));
	REFUSED(truncate(again, 0));
	REFUSED(ftruncate(fd, 0));
	REFUSED(write(fd, "x", 1));
	REFUSED(pwrite(fd, "x", 1, 0));
	REFUSED(fallocate(fd, 0, 0, 100));
	REFUSED(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
	    4));
	REFUSED(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, 4));
	REFUSED(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096));
	REFUSED(fallocate(fd, FALLOC_FL_INSERT_RANGE, 0, 4096));
	REFUSED(copy_range_into(fd));
	REFUSED(send_into(fd));
	REFUSED(splice_into(fd));
	close(fd);
}

static void
rename_and_remove(void)
{
	char name[64];
	const char *own = mine();

	REFUSED(unlink(SEALED));
	REFUSED(unlink(BIG));
	if (access(HELD, F_OK) == 0)
		REFUSED(unlink(HELD));
	REFUSED(rmdir(SEALED));
	REFUSED(rmdir("../ev"));
	REFUSED(rmdir("../../w"));
	REFUSED(rename(SEALED, fresh(name, "other")));
	REFUSED(rename(SEALED, fresh(name, "../other")));
	REFUSED(rename(SEALED, "report.tmp"));
	REFUSED(rename(SEALED, BIG));
	REFUSED(rename(own, SEALED));
	if (access(HELD, F_OK) == 0)
		REFUSED(rename(own, HELD));
	REFUSED(renameat2(AT_FDCWD, own, AT_FDCWD, SEALED, RENAME_NOREPLACE));
	REFUSED(renameat2(AT_FDCWD, own, AT_FDCWD, SEALED, RENAME_EXCHANGE));
	REFUSED(renameat2(AT_FDCWD, SEALED, AT_FDCWD, own, RENAME_EXCHANGE));
	REFUSED(renameat2(AT_FDCWD, SEALED, AT_FDCWD, fresh(name, "other"),
	    RENAME_WHITEOUT));
	REFUSED(rename("../ev", "../ev2"));
	REFUSED(rename("../../w", "../../w2"));
	REFUSED(rename("../ev", "../.ev"));
	REFUSED(mkdir(SEALED, 0777));
	if (geteuid() != 0 && geteuid() != VICTIM) {
		REFUSED(unlink(DRAFT)); /* of another user */
		REFUSED(rename(DRAFT, fresh(name, "stolen")));
		REFUSED(rename(own, DRAFT));
	}
}

/* --- C8: mappings ------------------------------------------------------------------- */

static long
mapped(void *p)
{
	return p == MAP_FAILED ? -1 : 0;
}

/* A file of one's own is not sealed while it is mapped. */
static void
store_after_close(void)
{
	char name[64], got[4] = "";
	int fd = open(fresh(name, "mapped"), O_RDWR | O_CREAT | O_EXCL, 0666);
	char *p;

	if (fd < 0 || write(fd, "good", 4) != 4) {
		fault("%s: %s", name, strerror(errno));
		return;
	}
	p = mmap(NULL, 4, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	(void)sync_dir(".");
	atomic_fetch_add(&shared->tries, 1);
	if (p != MAP_FAILED && strcmp(fact(name, "state"), "sealed") == 0)
		gained("%s is sealed while it is mapped", name);
	if (p != MAP_FAILED) {
		memcpy(p, "more", 4);
		munmap(p, 4);
		(void)sync_dir(".");
	}
	if (read_bytes(name, got, 4) != 4 ||
	    memcmp(got, p == MAP_FAILED ? "good" : "more", 4) != 0)
		fault("%s is not what was stored", name);
	check_digest(name);
}

static void
map_to_write(void)
{
	char again[64];
	int fd = open_report(again);
	char *p;

	REFUSED(mapped(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0)));
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED) {
		REFUSED(mprotect(p, 4096, PROT_READ | PROT_WRITE));
		munmap(p, 4096);
	}
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	if (p != MAP_FAILED) {
		p[0] = 'X';
		munmap(p, 4096);
	}
	close(fd);
	store_after_close();
}

/* --- C11: opened again --------------------------------------------------------------- */

_Noreturn static int
sleep_with(void *fd)
{
	(void)fd;
	for (;;)
		pause();
}

static void
open_again(void)
{
	char again[64], of_child[64];
	int fd = open_report(again);
	pid_t pid = child(sleep_with, &fd);

	OPEN(again, O_WRONLY);
	OPEN(again, O_RDWR);
	OPEN(again, O_RDONLY | O_TRUNC);
	OPEN(again, O_RDWR | O_APPEND);
	snprintf(of_child, sizeof of_child, "/proc/%ld/fd/%d", (long)pid, fd);
	if (pid > 0) {
		OPEN(of_child, O_RDWR);
		OPEN(of_child, O_WRONLY | O_TRUNC);
		kill(pid, SIGKILL);
		(void)ended(pid);
	}
	close(fd);
}

/* --- C16, C17, C18: attributes, requests, times ------------------------------------------ */

#define SETX(name, value) setxattr(SEALED, name, value, strlen(value), 0)

static void
set_attributes(void)
{
	static const char *const names[] = { "user.note", "user.trailfs.state",
		"user.trailfs.sha256", "user.trailfs.index",
		"user.trailfs.actor", "user.trailfs.whatever",
		"security.capability", "security.selinux", "trusted.x",
		"system.posix_acl_access", "system.posix_acl_default",
		"system.nfs4_acl", "x", "user.", "" };
	static char large[65537];
	const char *own = mine();
	char name[300];

	for (size_t i = 0; i < LEN(names); i++) {
		REFUSED(SETX(names[i], "x"));
		/* The kernel answers that a file has none of these. */
		if (strcmp(names[i], "system.posix_acl_default") == 0)
			continue;
		REFUSED(setxattr(SEALED, names[i], "", 0, XATTR_CREATE));
		REFUSED(setxattr(SEALED, names[i], "x", 1, XATTR_REPLACE));
		REFUSED(removexattr(SEALED, names[i]));
	}
	memset(large, 'x', sizeof large);
	memset(name, 'x', sizeof name);
	memcpy(name, "user.", 5);
	name[299] = '\0';
	REFUSED(setxattr(own, "user.large", large, sizeof large, 0));
	REFUSED(setxattr(own, name, "x", 1, 0));
	REFUSED(setxattr(own, "user.trailfs.state", "sealed", 6, 0));
	REFUSED(setxattr(own, "security.capability", large, 20, 0));
}

static void
make_requests(void)
{
	char again[64];
	int fd = open_report(again), from = open(BIG, O_RDONLY);
	struct fsxattr x = { .fsx_xflags = FS_XFLAG_IMMUTABLE };
	struct file_clone_range c = { .src_fd = from };
	struct fsverity_enable_arg v = { .version = 1 };
	long flags = FS_IMMUTABLE_FL;

	REFUSED(ioctl(fd, FS_IOC_SETFLAGS, &flags));
	REFUSED(ioctl(fd, FS_IOC_FSSETXATTR, &x));
	REFUSED(ioctl(fd, FICLONE, from));
	REFUSED(ioctl(fd, FICLONERANGE, &c));
	REFUSED(ioctl(fd, FS_IOC_ENABLE_VERITY, &v));
	REFUSED(ioctl(fd, FIFREEZE, 0));
	REFUSED(ioctl(fd, FITRIM, &v));
	REFUSED(ioctl(fd, _IOW('f', 200, long), &flags));
	REFUSED(ioctl(fd, _IOWR('T', 1, long), &flags));
	/* Local: they hinder nobody.  The probe goes on meanwhile. */
	(void)fcntl(fd, F_SETLEASE, F_RDLCK);
	(void)fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_RDLCK });
	close(from);
	close(fd);
}

static int
set_times(const char *path, time_t atime, time_t mtime)
{
	struct timespec t[2] = { { atime, 0 }, { mtime, 0 } };

	return utimensat(AT_FDCWD, path, t, 0);
}

static void
set_dates(void)
{
	char again[64], name[64];
	int fd = open_report(again), own;

	REFUSED(set_times(SEALED, 1, 1));
	REFUSED(set_times(SEALED, 1, INT32_MAX));
	REFUSED(set_times(again, 1, 1));
	REFUSED(utimensat(AT_FDCWD, SEALED, NULL, 0));
	REFUSED(futimens(fd, NULL));
	close(fd);
	/* What its writer says of a new file is mtime, and nothing else. */
	if ((own = open(fresh(name, "dated"), O_WRONLY | O_CREAT, 0644)) < 0 ||
	    write(own, "x", 1) != 1 ||
	    futimens(own, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }) < 0)
		fault("%s: %s", name, strerror(errno));
	close(own);
	(void)sync_dir(".");
	if (strcmp(fact(name, "sealed-at"), "2020") < 0)
		gained("%s was sealed at %s", name, fact(name, "sealed-at"));
}

const struct row sealed_rows[] = {
	{ "C1", "symbolic links", make_symlinks, EVERYBODY, NULL },
	{ "C2", "hard links", make_links, EVERYBODY, NULL },
	{ "C3", "devices, pipes, sockets, programs", make_devices, EVERYBODY,
	    NULL },
	{ "C4", "modes and owners of what is sealed", change_modes, EVERYBODY,
	    NULL },
	{ "C5", "opening what is sealed to write", open_to_write, EVERYBODY,
	    NULL },
	{ "C6", "truncating, punching, copying onto what is sealed",
	    change_size, EVERYBODY, NULL },
	{ "C7", "renaming, exchanging, removing", rename_and_remove, EVERYBODY,
	    NULL },
	{ "C8", "mappings", map_to_write, EVERYBODY, NULL },
	{ "C11", "opening again what was opened to read", open_again, EVERYBODY,
	    NULL },
	{ "C16", "extended attributes", set_attributes, EVERYBODY, NULL },
	{ "C17", "ioctl, leases, locks", make_requests, EVERYBODY, NULL },
	{ "C18", "dates", set_dates, EVERYBODY, NULL },
	{ 0 },
};
