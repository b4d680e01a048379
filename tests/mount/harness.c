/* See harness.h.  Every wait polls its condition and has a limit. */
#include "harness.h"

#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <linux/fs.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#include "core/control.h"

#define TEST_S (long_run() ? 2000 : 100) /* one test; Check adds its factor */
/* Its daemon: a caller whose request is never answered cannot even be killed,
 * so this comes first. */
#define DAEMON_S (80 * patience())
#define WORK_S (900 * patience()) /* where others may take all processors */
#define START_MS (30000 * (int)patience()) /* until the daemon serves */
#define END_MS \
	(60000 * ((works ? 10 : 1) * (int)patience())) /* until it has ended */
#define COMMAND_MS \
	(90000 * ((works ? 10 : 1) * (int)patience())) /* one command */
#define STATE_MS (15000 * (int)patience()) /* until a file has a state */
#define LOOK_MS 2			   /* between two looks */
#define NO_SEAL "settle=60" /* longer than any test takes to look */

bool
long_run(void)
{
	return getenv("TRAILFS_LONG") != NULL;
}

/* The factor for all time limits: more in long runs, and if Check has a
 * multiplier. */
static unsigned
patience(void)
{
	const char *factor = getenv("CK_TIMEOUT_MULTIPLIER");
	unsigned multiplier = factor == NULL ? 0 : (unsigned)atoi(factor);
	unsigned n = long_run() ? 20 : 1;

	return multiplier > n ? multiplier : n;
}

static char top[PATH_MAX];  /* of this run; all tests are below */
static const char *missing; /* why nothing can be mounted, or NULL */
static char here[PATH_MAX]; /* of this test */
static pid_t daemon_pid;    /* 0: none */
static bool works;	    /* it does so in the background */
static char daemon_options[256];
static bool prints_requests;
static struct rlimit daemon_files; /* rlim_max 0: no limit of its own */
static bool no_verify;

/* --- texts that stay until the test ends ------------------------------ */

/* A list, so that the leak checker finds every text. */
static struct saved {
	struct saved *next;
	char text[];
} * all_saved;

static char *
keep(size_t n)
{
	struct saved *k = malloc(sizeof *k + n + 1);

	ck_assert_ptr_nonnull(k);
	k->next = all_saved;
	all_saved = k;
	k->text[n] = '\0';
	return k->text;
}

static char *
keep_text(const char *fmt, ...)
{
	char text[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return strcpy(keep(strlen(text)), text);
}

/* --- time ------------------------------------------------------------- */

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until the next look. */
static void
breathe(void)
{
	struct timespec t = { 0, LOOK_MS * 1000000 };

	nanosleep(&t, NULL);
}

/* Wait for a child; false when that takes longer. */
static bool
ended_within(pid_t pid, int ms, int *status)
{
	struct pollfd p = { .fd = pidfd_open(pid, 0), .events = POLLIN };
	bool ended;

	ended = p.fd >= 0 && poll(&p, 1, ms) == 1;
	if (p.fd >= 0)
		close(p.fd);
	return ended && waitpid(pid, status, 0) == pid;
}

static int
plain_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* --- taking down by path ---------------------------------------------- */

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
take_mounts_off(const char *path)
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

static void
remove_tree(const char *path)
{
	take_mounts_off(path);
	(void)nftw(path, remove_one, 32, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* What the daemon said last, in a test that failed. */
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

/* Tests run one after the other, so what is there was left behind. */
static void
remove_leftovers(void)
{
	(void)nftw(top, remove_leftover, 8, FTW_PHYS | FTW_ACTIONRETVAL);
}

/* --- the runner ------------------------------------------------------- */

static const char *
find_missing(void)
{
	int fd;

	if (geteuid() != 0)
		return "only root can try all that root must not do";
	if ((fd = open("/dev/fuse", O_RDWR | O_CLOEXEC)) < 0)
		return "cannot open /dev/fuse";
	close(fd);
	if (access(TRAILFS, X_OK) != 0 || access(TRAILCTL, X_OK) != 0)
		return "the programs are not built";
	return NULL;
}

static void
set_environment(void)
{
	const char *path = getenv("PATH");
	char *dir = strdup(TRAILCTL), *with = NULL;

	*strrchr(dir, '/') = '\0';
	if (asprintf(&with, "%s:%s", dir,
		path != NULL ? path : "/usr/sbin:/usr/bin:/sbin:/bin") < 0)
		exit(EXIT_FAILURE);
	setenv("PATH", with, 1);
	setenv("LC_ALL", "C", 1);
	setenv("TZ", "UTC", 1);
	free(with);
	free(dir);
}

int
run_guarded(int (*suites)(void))
{
	const char *tmp = getenv("TMPDIR");
	siginfo_t si;
	sigset_t set;
	int status = 0;
	pid_t pid;

	missing = find_missing();
	set_environment();
	snprintf(top, sizeof top, "%s/mount.XXXXXX",
	    tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
	if (mkdtemp(top) == NULL) {
		perror(top);
		return EXIT_FAILURE;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fflush(NULL);
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		exit(suites());
	}
	while (pid > 0 && waitpid(pid, &status, WNOHANG) == 0)
		if (sigwaitinfo(&set, &si) > 0 && si.si_signo != SIGCHLD)
			kill(pid, si.si_signo);
	remove_leftovers();
	remove_tree(top);
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) :
					      EXIT_FAILURE;
}

const char *
run_directory(void)
{
	return top;
}

void
note_skipped(const char *func, const char *why)
{
	size_t n = strlen(func);

	if (n > 3 && strcmp(func + n - 3, "_fn") == 0)
		n -= 3; /* what Check adds */
	printf("SKIP %.*s: %s\n", (int)n, func, why);
	fflush(stdout);
}

bool
have(const char *program)
{
	char *dirs = strdup(getenv("PATH")), *rest = dirs, *dir, *path;
	bool found = false;

	while (!found && (dir = strsep(&rest, ":")) != NULL) {
		if (asprintf(&path, "%s/%s", dir, program) < 0)
			break;
		found = access(path, X_OK) == 0;
		free(path);
	}
	free(dirs);
	return found;
}

/* --- fixtures --------------------------------------------------------- */

static void
make_store(void)
{
	if (missing != NULL) {
		note_skipped("a test of the mount", missing);
		_exit(EXIT_SUCCESS);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	remove_leftovers();
	umask(022);
	ck_assert(snprintf(here, sizeof here, "%s/XXXXXX", top) <
	    (int)sizeof here);
	ck_assert_ptr_nonnull(mkdtemp(here));
	allowed(chmod(here, 0755)); /* relative paths work for ALICE too */
	allowed(chdir(here));
	run(0, "trailctl init --origin example.org/test store");
	allowed(mkdir("mnt", 0755));
}

static void
remove_store(void)
{
	allowed(chdir("/"));
	remove_tree(here);
}

static void
make_mounted(void)
{
	make_store();
	mount_vault(NO_SEAL);
}

static void
remove_mounted(void)
{
	as(0);
	if (daemon_pid > 0)
		unmount_vault();
	/* Whatever was tried, the vault is whole. */
	if (!no_verify)
		verify(0);
	remove_store();
}

/* What is not mounted any more verifies only if the test says so. */
static void
remove_stored(void)
{
	as(0);
	if (daemon_pid > 0)
		unmount_vault();
	remove_store();
}

static TCase *
new_case(Suite *s, const char *name, SFun begin_with, SFun end_with)
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, begin_with, end_with);
	tcase_set_timeout(t, TEST_S);
	suite_add_tcase(s, t);
	return t;
}

TCase *
mounted_case(Suite *s, const char *name)
{
	return new_case(s, name, make_mounted, remove_mounted);
}

TCase *
stored_case(Suite *s, const char *name)
{
	return new_case(s, name, make_store, remove_stored);
}

void
case_works(TCase *t)
{
	tcase_set_timeout(t, WORK_S + TEST_S);
}

void
daemon_works(void)
{
	works = true;
}

void
expect_no_verify(void)
{
	no_verify = true;
}

/* --- the daemon ------------------------------------------------------- */

static void
start_daemon(const char *options)
{
	int log;

	snprintf(daemon_options, sizeof daemon_options, "%s", options);
	fflush(NULL);
	daemon_pid = fork();
	ck_assert_int_ge(daemon_pid, 0);
	if (daemon_pid > 0)
		return;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	log = open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	alarm(works ? WORK_S : DAEMON_S);
	if (daemon_files.rlim_max > 0 &&
	    setrlimit(RLIMIT_NOFILE, &daemon_files) < 0)
		_exit(126);
	execl(TRAILFS, "trailfs", "store", "mnt", prints_requests ? "-d" : "-f",
	    "-o", daemon_options, (char *)NULL);
	_exit(127);
}

void
mount_vault(const char *options)
{
	int64_t end = now_ms() + START_MS;
	int status;

	start_daemon(options);
	while (access("mnt/" TF_CONTROL_DIR "/" TF_CONTROL_STATUS, F_OK) != 0) {
		if (ended_within(daemon_pid, 0, &status)) {
			daemon_pid = 0;
			ck_abort_msg("trailfs ended with %d:\n%s",
			    plain_status(status), content("log", NULL));
		}
		ck_assert_msg(now_ms() < end, "trailfs does not serve:\n%s",
		    content("log", NULL));
		breathe();
	}
}

int
vault_ended(void)
{
	int status = 0;
	pid_t pid = daemon_pid;

	ck_assert_msg(ended_within(pid, END_MS, &status),
	    "trailfs does not end:\n%s", content("log", NULL));
	daemon_pid = 0;
	return plain_status(status);
}

void
unmount_vault(void)
{
	int64_t end = now_ms() + END_MS;

	/* Somebody else may be looking at it just now. */
	while (umount2("mnt", UMOUNT_NOFOLLOW) < 0) {
		ck_assert_msg(errno == EBUSY && now_ms() < end, "umount: %s",
		    errno_name(errno));
		breathe();
	}
	ck_assert_int_eq(0, vault_ended());
}

void
remount_vault(void)
{
	char options[sizeof daemon_options];

	strcpy(options, daemon_options);
	unmount_vault();
	mount_vault(options);
}

void
crash_vault(void)
{
	allowed(kill(daemon_pid, SIGKILL));
	ck_assert_int_eq(-SIGKILL, vault_ended());
}

void
start_vault(const char *options)
{
	start_daemon(options);
}

void
crash_start(const char *options, int ms)
{
	int status;

	start_daemon(options);
	/* Nothing is hoped for: any moment will do. */
	if (ended_within(daemon_pid, ms, &status))
		ck_abort_msg("trailfs ended with %d:\n%s", plain_status(status),
		    content("log", NULL));
	crash_vault();
}

void
daemon_descriptors(unsigned soft, unsigned hard)
{
	daemon_files = (struct rlimit){ soft, hard };
}

void
daemon_prints_requests(void)
{
	prints_requests = true;
}

pid_t
vault_pid(void)
{
	return daemon_pid;
}

/* --- programs --------------------------------------------------------- */

/* Whoever we are for the moment, a program is that user in full. */
static void
be_in_full(void)
{
	uid_t uid = geteuid();

	if (uid == 0)
		return;
	if (seteuid(0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
		_exit(126);
}

/* By pread: what still runs in the background may write on. */
static char *
read_fd(int fd, size_t *n, bool whole)
{
	struct stat st;
	char *text;
	size_t cap, got = 0;
	ssize_t r = 1;

	ck_assert_int_eq(0, fstat(fd, &st));
	cap = (size_t)st.st_size + 1; /* one more, to meet the end */
	text = keep(cap);
	while (r > 0 && got < cap) {
		r = pread(fd, text + got, cap - got, (off_t)got);
		ck_assert_msg(r >= 0, "read: %s", errno_name(errno));
		got += (size_t)r;
	}
	ck_assert_msg(!whole || r == 0, "more than its st_size can be read");
	text[got] = '\0';
	if (n != NULL)
		*n = got;
	return text;
}

const char *
run(int status, const char *fmt, ...)
{
	int out = memfd_create("said", MFD_CLOEXEC), got = 0;
	char *command = NULL, *said;
	va_list ap;
	pid_t pid;

	va_start(ap, fmt);
	ck_assert_int_ge(vasprintf(&command, fmt, ap), 0);
	va_end(ap);
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		setpgid(0, 0);
		be_in_full();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	if (!ended_within(pid, COMMAND_MS, &got)) {
		kill(-pid, SIGKILL);
		ck_abort_msg("%s: does not end", command);
	}
	said = read_fd(out, NULL, false);
	close(out);
	ck_assert_msg(plain_status(got) == status,
	    "%s: ended with %d, not %d, and said:\n%s", command,
	    plain_status(got), status, said);
	free(command);
	return said;
}

const char *
run_any(const char *command)
{
	char *said = strdup(run(0, "(%s) >/dev/null 2>&1; printf %%s $?",
	    command));
	const char *status = keep_text("%s", said);

	free(said);
	return status;
}

/* --- calls ------------------------------------------------------------ */

const char *
errno_name(int sys)
{
	const char *name = sys == 0 ? "success" : strerrorname_np(sys);

	return name != NULL ? name : "?";
}

void
as(uid_t uid)
{
	ck_assert_int_eq(0, seteuid(0));
	ck_assert_int_eq(0, setgroups(0, NULL));
	ck_assert_int_eq(0, setegid(uid));
	ck_assert_int_eq(0, seteuid(uid));
	/* Both were taken away by that. */
	prctl(PR_SET_DUMPABLE, 1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

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

pid_t
in_child(int (*what)(void))
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(what());
	}
	return pid;
}

int
child_ended(pid_t pid)
{
	int status = 0;

	ck_assert_msg(ended_within(pid, COMMAND_MS, &status),
	    "a child does not end");
	return plain_status(status);
}

/* --- files ------------------------------------------------------------ */

void
make_attestation(void)
{
	allowed(mkdir("mnt/t", 0755));
	allowed(mkdir(W, 0755));
	allowed(mkdir(A, 0755));
}

int
begin(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	ck_assert_msg(fd >= 0, "create %s: %s", path, errno_name(errno));
	return fd;
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

char *
content(const char *path, size_t *n)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	ck_assert_msg(fd >= 0, "open %s: %s", path, errno_name(errno));
	text = read_fd(fd, n, true);
	close(fd);
	return text;
}

char *
noise(size_t n, unsigned seed)
{
	uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	char *p = keep(n);

	for (size_t i = 0; i < n; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p[i] = (char)(x >> 32);
	}
	return p;
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
becomes(const char *path, const char *state)
{
	int64_t end = now_ms() + STATE_MS;
	const char *now;

	while (strcmp(now = state_of(path), state) != 0) {
		ck_assert_msg(now_ms() < end, "%s is still %s, not %s", path,
		    now, state);
		breathe();
	}
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

/* --- the ledger ------------------------------------------------------- */

/* Whoever we are for the moment, root may read it. */
const char *
events(void)
{
	uid_t who = geteuid();
	const char *text;

	as(0);
	text = daemon_pid > 0 ? content("mnt/.trailfs/events.jsonl", NULL) :
				run(0, "trailctl log --json store");
	as(who);
	return text;
}

/* Is the line of that type and about that path? */
static bool
is_about(const char *line, const char *type, const char *path)
{
	char want[PATH_MAX];

	snprintf(want, sizeof want, "\"type\":\"%s\"", type);
	if (type != NULL && strstr(line, want) == NULL)
		return false;
	snprintf(want, sizeof want, "\"path\":\"%s\"", path);
	return path == NULL || strstr(line, want) != NULL;
}

static unsigned
find_entries(const char *type, const char *path, const char **last)
{
	char *text = keep_text("%s", ""), *line;
	const char *from = events();
	unsigned n = 0;

	text = strcpy(keep(strlen(from)), from);
	while ((line = strsep(&text, "\n")) != NULL) {
		if (!is_about(line, type, path))
			continue;
		*last = line;
		n++;
	}
	return n;
}

unsigned
entries(const char *type, const char *path)
{
	const char *last;

	return find_entries(type, path, &last);
}

const char *
entry(const char *type, const char *path)
{
	const char *last = NULL;

	ck_assert_msg(find_entries(type, path, &last) > 0,
	    "no entry %s about %s", type != NULL ? type : "",
	    path != NULL ? path : "anything");
	return last;
}

unsigned long
entry_seq(const char *line)
{
	const char *at = strstr(line, "\"seq\":");

	ck_assert_ptr_nonnull(at);
	return strtoul(at + 6, NULL, 10);
}

/* --- the store -------------------------------------------------------- */

void
tamper(const char *fmt, ...)
{
	char *sql = NULL, *why = NULL;
	sqlite3 *db;
	va_list ap;

	va_start(ap, fmt);
	ck_assert_int_ge(vasprintf(&sql, fmt, ap), 0);
	va_end(ap);
	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK,
	    "%s: %s", sql, why);
	ck_assert_msg(sqlite3_total_changes(db) > 0 ||
		strncmp(sql, "PRAGMA", 6) == 0 || strncmp(sql, "DROP", 4) == 0,
	    "%s: changed nothing", sql);
	sqlite3_close(db);
	free(sql);
}

void
flip_bit(const char *file, const char *bytes)
{
	size_t n;
	char *all = content(file, &n), *at, c;
	int fd;

	at = memmem(all, n, bytes, strlen(bytes));
	ck_assert_msg(at != NULL, "'%s' is not in %s", bytes, file);
	c = (char)(*at ^ 1);
	ck_assert_int_eq(0, chmod(file, 0600));
	fd = open(file, O_WRONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(1, pwrite(fd, &c, 1, at - all));
	close(fd);
}

const char *
verify(int status)
{
	return run(status, "trailctl verify store");
}
