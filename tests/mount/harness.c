/* The runner of the mount tests, and their fixtures. */
#include "harness.h"

#include <limits.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness_i.h"

#define TEST_S (long_run() ? 2000 : 100) /* one test; Check adds its factor */
#define NO_SEAL "settle=60" /* seconds; longer than any test needs */

static char top[PATH_MAX];  /* the directory of this run; tests are below */
static const char *missing; /* why nothing can be mounted, or NULL */
static char here[PATH_MAX]; /* the directory of this test */
static bool no_verify;

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
	if (vault_pid() > 0)
		unmount_vault();
	if (!no_verify)
		verify(0);
	remove_store();
}

static void
remove_stored(void)
{
	as(0);
	if (vault_pid() > 0)
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
verified_case(Suite *s, const char *name)
{
	return new_case(s, name, make_store, remove_mounted);
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
expect_no_verify(void)
{
	no_verify = true;
}
