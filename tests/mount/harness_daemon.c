/* The daemon of a test: started, mounted, unmounted, killed. */
#include <stdint.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "core/control.h"
#include "harness.h"
#include "../faults/fault.h"
#include "harness_i.h"

/* The time limit of a daemon.  It is shorter than that of a test: a caller
 * whose request is never answered cannot be killed, so the daemon must end
 * first. */
#define DAEMON_S (80 * patience())
#define START_MS (30000 * (int)patience()) /* until the daemon serves */
#define END_MS (60000 * slowness())	   /* until the daemon has ended */

static pid_t daemon_pid; /* 0: none */
static bool works;	 /* the test waits for threads at idle priority */
static char daemon_options[256];
static bool prints_requests;
static struct rlimit daemon_files; /* rlim_max 0: no limit of its own */

void
daemon_works(void)
{
	works = true;
}

int
slowness(void)
{
	return (works ? 10 : 1) * (int)patience();
}

bool
tests_streams(void)
{
	const char *more = getenv("TRAILFS_TEST_OPTIONS");

	return more != NULL && strstr(more, "streams=on") != NULL;
}

static void
start_daemon(const char *options)
{
	int log;

	const char *more = getenv("TRAILFS_TEST_OPTIONS");
	char all[sizeof daemon_options + 128];

	snprintf(daemon_options, sizeof daemon_options, "%s", options);
	snprintf(all, sizeof all, "%s%s%s", options, more != NULL ? "," : "",
	    more != NULL ? more : "");
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
	    "-o", all, (char *)NULL);
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
		pause_between_looks();
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
unmount(const char *at)
{
	int64_t end = now_ms() + END_MS;

	while (umount2(at, UMOUNT_NOFOLLOW) < 0) {
		ck_assert_msg(errno == EBUSY && now_ms() < end, "umount %s: %s",
		    at, errno_name(errno));
		pause_between_looks();
	}
}

void
unmount_vault(void)
{
	unmount("mnt");
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

long
daemon_kib(const char *field)
{
	return atol(run(0, "sed -n 's/^%s:\t *//p' /proc/%d/status", field,
	    (int)vault_pid()));
}

bool
memory_counts(void)
{
	return FAULTS_WORK &&
	    strstr(run(0, "readlink /proc/%d/exe", (int)vault_pid()),
		"memcheck") == NULL;
}
