/* Users, groups, namespaces, and what others can see. */
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "attack.h"

/* --- C24: options of the mount ------------------------------------------------------------ */

static void
read_options(void)
{
	char line[4096], at[PATH_LEN];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	atomic_fetch_add(&shared->tries, 1);
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "%*s %*s %*s %*s %511s", at) == 1 &&
		    strcmp(at, world.mnt) == 0 &&
		    strstr(line, "default_permissions") == NULL)
			fault("others may enter, and the kernel checks no "
			      "permissions");
	if (f != NULL)
		fclose(f);
}

/* --- C25: a right that was taken away ------------------------------------------------------- */

#define TOGGLES 100

static int asked[2], answered[2];

static int
look_when_asked(void *dir)
{
	char path[128], c;
	int seen = 0;

	become(STRANGER, false);
	snprintf(path, sizeof path, "%s/f", (char *)dir);
	while (read(asked[0], &c, 1) == 1 && c != 'e') {
		int ok = try_open(path, O_RDONLY) >= 0;

		seen += ok && c == 'n';
		if (write(answered[1], ok ? "y" : "n", 1) != 1)
			break;
	}
	return seen > 200 ? 200 : seen;
}

static void
take_rights_away(void)
{
	char dir[64], path[80], c;
	pid_t pid;

	snprintf(path, sizeof path, "%s/f", fresh(dir, "../rights"));
	if (mkdir(dir, 0755) < 0 || put_text(path, "x") < 0 ||
	    pipe(asked) < 0 || pipe(answered) < 0) {
		fault("%s: %s", dir, strerror(errno));
		return;
	}
	pid = child(look_when_asked, dir);
	for (int i = 0; i < TOGGLES; i++) {
		mode_t mode = i % 2 == 0 ? 0700 : 0755;

		WORKS(chmod(dir, mode));
		if (write(asked[1], i % 2 == 0 ? "n" : "y", 1) != 1 ||
		    read(answered[0], &c, 1) != 1)
			break;
		atomic_fetch_add(&shared->tries, 1);
		if (i % 2 != 0 && c != 'y')
			fault("a right that was given is not there");
	}
	(void)!write(asked[1], "e", 1);
	if (ended(pid) != 0)
		gained("a right outlived the chmod(2) that took it away");
	WORKS(chmod(dir, 0700));
}

/* --- C26, C27: who it was, and groups --------------------------------------------------------- */

static void
is_recorded_as(const char *name, uid_t uid)
{
	struct stat st;
	char want[32];

	snprintf(want, sizeof want, "\"uid\":%u", uid);
	atomic_fetch_add(&shared->tries, 1);
	WORKS(sync_dir("."));
	if (stat(name, &st) < 0 || strstr(fact(name, "actor"), want) == NULL)
		gained("%s is recorded as of %s, not of %u", name,
		    fact(name, "actor"), uid);
}

/* The root of a namespace sees its own numbers; the entry has those of the
 * machine. */
static void
write_as(void)
{
	char name[64];
	int fd;

	if (is_root() && setfsuid(STRANGER) == 0) {
		/* Real root: with the uid of another for files only. */
		(void)setfsgid(STRANGER);
		WORKS(put_text(fresh(name, "setfsuid"), "x"));
		(void)setfsuid(0);
		(void)setfsgid(0);
		is_recorded_as(name, STRANGER);
		return;
	}
	/* A directory tells by its mode who may write in it. */
	fd = open(fresh(name, "by-ns"), O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) < 0)
		fault("%s: %s", name, strerror(errno));
	is_recorded_as(name, STRANGER);
	REFUSED(chown(SEALED, 0, 0));
	REFUSED(setxattr(SEALED, "trusted.x", "x", 1, 0));
	REFUSED(chroot(world.secret));
}

static int
try_without_group(void *unused)
{
	char path[PATH_LEN + 32];

	(void)unused;
	snprintf(path, sizeof path, "%s/" SEALED, world.team);
	if (chdir("/") < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(STRANGER, STRANGER, STRANGER) < 0 ||
	    setresuid(MEMBER, MEMBER, MEMBER) < 0)
		return 1;
	REFUSED(try_open(path, O_RDONLY));
	REFUSED(try_open(world.team, O_RDONLY | O_DIRECTORY));
	return 0;
}

static int
try_with_group(void *unused)
{
	char path[PATH_LEN + 32];

	(void)unused;
	become(MEMBER, true);
	snprintf(path, sizeof path, "%s/" SEALED, world.team);
	return try_open(path, O_RDONLY) >= 0 ? 0 : 1;
}

static void
use_groups(void)
{
	if (ended(child(try_with_group, NULL)) != 0)
		fault("a member may not read");
	if (ended(child(try_without_group, NULL)) != 0)
		fault("the row cannot change its groups");
}

static void
enter_team(void)
{
	char path[PATH_LEN + 32];
	const char *p = NULL;

	snprintf(path, sizeof path, "%s/" SEALED, world.team);
	p = path;
	REFUSED(try_open(p, O_RDONLY));
	REFUSED(try_open(world.team, O_RDONLY | O_DIRECTORY));
	REFUSED(try_open(world.secret, O_RDONLY | O_DIRECTORY));
	REFUSED(chdir(world.team));
	snprintf(path, sizeof path, "%s/new", world.team);
	REFUSED(try_open(p, O_WRONLY | O_CREAT));
	REFUSED(mkdir(p, 0777));
	REFUSED(chmod(world.team, 0777));
	REFUSED(chown(world.team, geteuid(), (gid_t)-1));
	/* Their own: no root of the vault lets strangers make trails. */
	snprintf(path, sizeof path, "%s/stranger", world.mnt);
	REFUSED(mkdir(p, 0777));
}

/* --- C28: callers that cannot go on ------------------------------------------------------------ */

#define STOPPED 20
#define EXECS 100

static int
write_on(void *name)
{
	char own[96];

	for (int i = 0; i < 100000; i++) {
		snprintf(own, sizeof own, "%s-%ld-%d.tmp", (char *)name,
		    (long)getpid(), i);
		(void)put_text(own, "x");
		(void)unlink(own);
	}
	return 0;
}

static int
be_traced(void *name)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		return 0;
	raise(SIGSTOP);
	return write_on(name);
}

/* FLUSH comes from inside execve(2). */
static int
exec_with_open_file(void *name)
{
	char own[96];
	int fd;

	snprintf(own, sizeof own, "%s-%ld.tmp", (char *)name, (long)getpid());
	fd = open(own, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "x", 1) != 1)
		return 1;
	execl("/bin/true", "true", (char *)NULL);
	return 2;
}

static void
stop_callers(void)
{
	pid_t stopped[STOPPED], traced[STOPPED];
	int status, started = 0;
	char name[64];

	fresh(name, "stopped");
	for (int i = 0; i < STOPPED; i++) {
		stopped[i] = child(write_on, name);
		traced[i] = child(be_traced, name);
		if (waitpid(traced[i], &status, WUNTRACED) == traced[i] &&
		    WIFSTOPPED(status))
			(void)ptrace(PTRACE_SYSCALL, traced[i], NULL, NULL);
	}
	nap_ms(20);
	for (int i = 0; i < STOPPED; i++)
		(void)kill(stopped[i], SIGSTOP);
	/* Each system call of the traced ones is its own stop. */
	for (int k = 0; k < 400; k++)
		for (int i = 0; i < STOPPED; i++)
			if (waitpid(traced[i], &status, WNOHANG) == traced[i] &&
			    WIFSTOPPED(status))
				(void)ptrace(PTRACE_SYSCALL, traced[i], NULL,
				    NULL);
	for (int i = 0; i < EXECS; i++) {
		atomic_fetch_add(&shared->tries, 1);
		started += ended(child(exec_with_open_file, name)) == 0;
	}
	if (started != EXECS)
		fault("only %d of %d programs ran", started, EXECS);
	nap_ms(500); /* the others work while these cannot go on */
	for (int i = 0; i < STOPPED; i++) {
		(void)kill(stopped[i], SIGKILL);
		(void)kill(traced[i], SIGKILL);
		(void)ended(stopped[i]);
		(void)ended(traced[i]);
	}
}

/* --- C29: other ways to the same files --------------------------------------------------------- */

static void
try_through(const char *dir)
{
	char path[PATH_LEN];

	snprintf(path, sizeof path, "%s/" SEALED, dir);
	REFUSED(try_open(path, O_WRONLY));
	REFUSED(try_open(path, O_RDWR | O_TRUNC));
	REFUSED(truncate(path, 0));
	REFUSED(unlink(path));
	REFUSED(chmod(path, 04777));
	snprintf(path, sizeof path, "%s/" PROGRAM, dir);
	REFUSED(rename(path, SEALED));
}

static void
mount_elsewhere(void)
{
	char options[4 * PATH_LEN], name[64], upper[80], work[80];
	static const char dir[] = "/tmp";
	bool machine = is_root();

	if (machine && unshare(CLONE_NEWNS) < 0) {
		skipped("no mount namespaces");
		return;
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, NULL) < 0 ||
	    mkdir("/tmp/bound", 0777) < 0 ||
	    mount(".", "/tmp/bound", NULL, MS_BIND | MS_REC, NULL) < 0) {
		skipped("no mounts in a namespace");
		return;
	}
	if (!machine) {
		REFUSED(mount(NULL, "/tmp/bound", NULL, MS_REMOUNT | MS_BIND,
		    NULL)); /* suid, dev, exec */
		REFUSED(umount2(world.mnt, 0));
		REFUSED(umount2(world.mnt, MNT_DETACH));
	}
	try_through("/tmp/bound");
	/* An overlay whose upper part is in the vault: refused, or harmless. */
	snprintf(upper, sizeof upper, "%s-upper", fresh(name, "overlay"));
	snprintf(work, sizeof work, "%s-work", name);
	if (mkdir(upper, 0777) < 0 || mkdir(work, 0777) < 0 ||
	    mkdir("/tmp/over", 0777) < 0)
		return;
	snprintf(options, sizeof options,
	    "lowerdir=%s,upperdir=%s/%s,workdir=%s/%s", world.open, world.open,
	    upper, world.open, work);
	REFUSED(mount("overlay", "/tmp/over", "overlay", 0, options));
	/* Over it: what is written there stays there. */
	mkdir("/tmp/up", 0777);
	mkdir("/tmp/work", 0777);
	snprintf(options, sizeof options,
	    "lowerdir=%s,upperdir=/tmp/up,workdir=/tmp/work", world.open);
	if (mount("overlay", "/tmp/over", "overlay", 0, options) == 0)
		(void)put_text("/tmp/over/" SEALED ".new", "only here");
	/* As a disk. */
	REFUSED(try_open("/tmp/bound/" BIG, O_RDWR));
	REFUSED(mount("/tmp/bound/" BIG, "/tmp/up", "ext4", 0, NULL));
}

/* --- C30: away with the mount ------------------------------------------------------------------- */

static int
run_fusermount(void *option)
{
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDERR_FILENO);
	execlp("fusermount3", "fusermount3", (char *)option, world.mnt,
	    (char *)NULL);
	return 127;
}

static void
unmount_it(void)
{
	char path[PATH_LEN + 64];
	const char *p = path;

	REFUSED(umount2(world.mnt, 0));
	REFUSED(umount2(world.mnt, MNT_DETACH));
	REFUSED(umount2(world.mnt, MNT_FORCE));
	REFUSED(mount("tmpfs", world.mnt, "tmpfs", 0, NULL));
	REFUSED(mount("/tmp", world.mnt, NULL, MS_BIND, NULL));
	REFUSED(mount(NULL, world.mnt, NULL, MS_REMOUNT | MS_RDONLY, NULL));
	errno = EPERM;
	tried("fusermount3 -u",
	    ended(child(run_fusermount, (char *)"-u")) == 0 ? 0 : -1);
	errno = EPERM;
	tried("fusermount3 -uz",
	    ended(child(run_fusermount, (char *)"-uz")) == 0 ? 0 : -1);
	snprintf(path, sizeof path, "%s/../x", world.mnt);
	REFUSED(rename(world.mnt, p));
	REFUSED(rmdir(world.mnt));
}

/* --- C31, C32: equal bytes ------------------------------------------------------------------------ */

/* How the free space that the caller sees changes by a file. */
static bool
cost_of(const char *path, unsigned seed, struct statvfs *out)
{
	struct statvfs before, after;

	if (statvfs(".", &before) < 0 || put(path, BIG_SIZE, seed) < 0 ||
	    sync_dir(".") < 0 || statvfs(".", &after) < 0)
		return false;
	out->f_bfree = before.f_bfree - after.f_bfree;
	out->f_bavail = before.f_bavail - after.f_bavail;
	out->f_ffree = before.f_ffree - after.f_ffree;
	return true;
}

/* Others write meanwhile, so it takes several attempts to see the same. */
static void
probe_content(void)
{
	struct statvfs present = { 0 }, absent = { 0 };
	char name[64];
	int equal = 0;
	struct stat st;

	for (unsigned i = 0; i < 40 && equal == 0; i++) {
		if (!cost_of(fresh(name, "guess"), 7, &present) ||
		    stat(name, &st) < 0 ||
		    !cost_of(fresh(name, "guess"), 1000 + i, &absent)) {
			fault("%s: %s", name, strerror(errno));
			return;
		}
		atomic_fetch_add(&shared->tries, 1);
		equal += present.f_bfree == absent.f_bfree &&
		    present.f_bavail == absent.f_bavail &&
		    present.f_ffree == absent.f_ffree;
	}
	if (equal == 0)
		gained("known bytes cost %lu blocks, new ones %lu",
		    (unsigned long)present.f_bfree,
		    (unsigned long)absent.f_bfree);
	if (st.st_nlink != 1)
		gained("%s has %lu links", name, (unsigned long)st.st_nlink);
}

static void
write_the_same(void)
{
	static char big[BIG_SIZE];
	char name[64];
	struct stat st;

	pattern(big, sizeof big, 7);
	if (put_with_mode(fresh(name, "same"), big, sizeof big, 0604) < 0 ||
	    sync_dir(".") < 0 || stat(name, &st) < 0)
		fault("%s: %s", name, strerror(errno));
	else if ((st.st_mode & 0777) != 0604 || st.st_nlink != 1)
		fault("%s has the metadata of another", name);
	else
		acknowledged(name, sizeof big, 7);
	check_digest(name);
	REFUSED(try_open(name, O_WRONLY));
}

const struct row people_rows[] = {
	{ "C24", "allow_other without default_permissions", read_options,
	    STRANGERS, NULL },
	{ "C25", "a right that was taken away", take_rights_away, ROOT, NULL },
	{ "C26", "being recorded as somebody else", write_as, USERNS | ROOT,
	    NULL },
	{ "C27", "groups", use_groups, ROOT, NULL },
	{ "C27a", "trails of others", enter_team, STRANGERS | USERNS, NULL },
	{ "C28", "callers that are stopped, traced, in execve(2)", stop_callers,
	    STRANGERS | 1u << BY_MEMBER, NULL },
	{ "C29", "bind mounts, overlays, loop mounts", mount_elsewhere,
	    1u << BY_NAMESPACES | ROOT, NULL },
	{ "C30", "taking the mount away", unmount_it,
	    USERS & ~(1u << BY_NAMESPACES), NULL },
	{ "C31", "finding out by the free space what is there", probe_content,
	    STRANGERS | 1u << BY_MEMBER, NULL },
	{ "C32", "equal bytes by two users", write_the_same, EVERYBODY, NULL },
	{ 0 },
};
