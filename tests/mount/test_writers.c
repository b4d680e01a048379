/*
 * Writers that are watched, and writers that come to a bad end: killed, cut off
 * by Ctrl-C, or left alone by the daemon.
 */
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <time.h>

#include "harness.h"

#define F A "/f"

/* --- watched ---------------------------------------------------------- */

static char seen[4096]; /* "create f|close f|" */

/* What has happened in there so far. */
static const char *
events_of(int in)
{
	static const struct {
		uint32_t mask;
		const char *word;
	} words[] = { { IN_CREATE, "create" }, { IN_CLOSE_WRITE, "close" },
		{ IN_MOVED_FROM, "from" }, { IN_MOVED_TO, "to" },
		{ IN_DELETE, "delete" }, { IN_ATTRIB, "attrib" } };
	_Alignas(struct inotify_event) char buf[8192];
	ssize_t n = read(in, buf, sizeof buf);
	size_t used = 0;

	seen[0] = '\0';
	for (char *p = buf; n > 0 && p < buf + n;) {
		struct inotify_event *e = (struct inotify_event *)p;

		for (size_t i = 0; i < LEN(words); i++)
			if ((e->mask & words[i].mask) != 0)
				used += (size_t)snprintf(seen + used,
				    sizeof seen - used, "%s %s|", words[i].word,
				    e->name);
		p += sizeof *e + e->len;
	}
	return seen;
}

/* Requests are answered before the kernel tells, so nothing is waited for. */
START_TEST(inotify_sees_changes_through_the_mount)
{
	int in = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), fd;

	make_attestation();
	allowed(mkdir(A "/d", 0755));
	ck_assert_int_ge(inotify_add_watch(in, A,
			     IN_CREATE | IN_CLOSE_WRITE | IN_MOVE | IN_DELETE |
				 IN_ATTRIB),
	    0);
	put(F, "x");
	ck_assert_str_eq("create f|close f|", events_of(in));
	fd = begin(A "/g.tmp");
	add(fd, "x");
	ck_assert_str_eq("create g.tmp|", events_of(in));
	allowed(close(fd));
	ck_assert_str_eq("close g.tmp|", events_of(in));
	allowed(rename(A "/g.tmp", A "/g"));
	ck_assert_str_eq("from g.tmp|to g|", events_of(in));
	put(A "/d/h", "x");
	allowed(rename(A "/d/h", A "/h"));
	ck_assert_str_eq("to h|", events_of(in));
	allowed(chmod(F, 0600));
	ck_assert_str_eq("attrib f|", events_of(in));
	put(A "/i.tmp", "");
	allowed(unlink(A "/i.tmp"));
	ck_assert_str_eq("create i.tmp|close i.tmp|delete i.tmp|",
	    events_of(in));
	/* What is refused has not happened. */
	refused(EPERM, unlink(F));
	refused(EPERM, try_open(F, O_WRONLY | O_TRUNC));
	refused(EPERM, rename(F, A "/f.tmp"));
	sync_dir("mnt");
	refused(EPERM, chmod(F, 0700));
	ck_assert_str_eq("", events_of(in));
	if (have("rsync")) {
		run(0, "echo text >r && rsync -a r " A "/");
		says(events_of(in), "to r|");
	}
	close(in);
}
END_TEST

/* --- killed ----------------------------------------------------------- */

#define PART 100000 /* bytes they were given when they are killed */

static const struct {
	const char *command; /* reads from "pipe", writes f */
	int signal;
} killed[] = {
	{ "exec cat pipe >" F, SIGKILL },
	{ "exec cat pipe >" F, SIGINT },
	{ "exec cat pipe >" F, SIGTERM },
	{ "cat pipe >" F "; echo never", SIGINT },
	{ "cat pipe | cat >" F, SIGINT },
	{ "exec cp pipe " F, SIGKILL },
	{ "exec cp pipe " F, SIGINT },
	{ "exec dd if=pipe of=" F " bs=1000 2>/dev/null", SIGINT },
	{ "exec dd if=pipe of=" F " bs=1000 2>/dev/null", SIGKILL },
	{ "exec tee " F " <pipe >/dev/null", SIGKILL },
};

/* A program in a process group of its own, as in a terminal. */
static pid_t
start(const char *command)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		setpgid(0, 0);
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	setpgid(pid, pid);
	return pid;
}

/* It has not said that it was done, and what it wrote is evidence of that. */
START_TEST(the_bytes_of_a_killed_writer_are_evidence)
{
	char *text = noise(PART, 3);
	pid_t pid;
	int to;

	make_attestation();
	allowed(mkfifo("pipe", 0600));
	pid = start(killed[_i].command);
	to = open("pipe", O_WRONLY | O_CLOEXEC);
	ck_assert_int_eq(PART, write(to, text, PART));
	while (!exists(F) || stat_of(F).st_size < PART)
		ck_assert_int_eq(0, waitpid(pid, NULL, WNOHANG));
	has_state(F, "open");
	allowed(kill(-pid, killed[_i].signal));
	(void)child_ended(pid);
	becomes(F, "frozen"); /* others of its group may end later */
	close(to);
	ck_assert_int_eq(PART, stat_of(F).st_size);
	ck_assert_int_eq(0, memcmp(text, content(F, NULL), PART));
	refused(EPERM, try_open(F, O_WRONLY | O_APPEND));
	sync_dir("mnt");
	has_state(F, "sealed");
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
}
END_TEST

/* Who writes a temporary name first leaves no evidence of half a file. */
START_TEST(rsync_cut_off_leaves_no_evidence)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGKILL };
	const char *command = "exec rsync -a --bwlimit=1000 big " F
			      " 2>/dev/null";
	const char *unlucky;
	pid_t pid;

	skip_unless(have("rsync"), "no rsync");
	make_attestation();
	run(0, "head -c 20000000 /dev/urandom >big");
	pid = start(command);
	while (atoi(run(0, "cat " A "/.f.* 2>/dev/null | wc -c")) < PART)
		ck_assert_int_eq(0, waitpid(pid, NULL, WNOHANG));
	/* One name in 180 looks like .env.sample, and is evidence. */
	unlucky = run(0, "ls -A " A " | grep -x '[.]f[.][a-z]*' || :");
	allowed(kill(-pid, signals[_i]));
	(void)child_ended(pid);
	if (unlucky[0] != '\0')
		return;
	sync_dir("mnt");
	ck_assert(!exists(F));
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	run(0, "rsync -a big " F " && cmp big " F);
	sync_dir("mnt");
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
}
END_TEST

/* --- disturbed --------------------------------------------------------- */

static void
note_signal(int number)
{
	(void)number;
}

/* The runtime of Go sends itself signals at any time.  The bytes arrive out of
 * order, so that the request hashes all of them.  Loop test: close and fsync. */
START_TEST(a_signal_that_is_survived_interrupts_no_close)
{
	const struct sigaction act = { .sa_handler = note_signal,
		.sa_flags = SA_RESTART };
	const struct itimerspec often = { .it_interval.tv_nsec = 1000000,
		.it_value.tv_nsec = 1000000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGURG };
	const size_t piece = (size_t)1 << 20;
	char *text = noise(piece, 5);
	timer_t timer;
	int fd, rc;

	make_attestation();
	fd = begin(F);
	for (int i = 127; i >= 0; i--)
		ck_assert_int_eq((ssize_t)piece,
		    pwrite(fd, text, piece, i * (off_t)piece));
	ck_assert_int_eq(0, sigaction(SIGURG, &act, NULL));
	ck_assert_int_eq(0, timer_create(CLOCK_MONOTONIC, &event, &timer));
	ck_assert_int_eq(0, timer_settime(timer, 0, &often, NULL));
	rc = (_i == 0 ? close(fd) : fsync(fd)) == 0 ? 0 : errno;
	allowed(timer_delete(timer));
	ck_assert_int_eq(0, rc);
	if (_i == 1)
		allowed(close(fd));
	sync_dir("mnt");
	has_state(F, "sealed");
}
END_TEST

Suite *
suite_writers(void)
{
	Suite *s = suite_create("writers");
	TCase *t = mounted_case(s, "writers");

	tcase_add_test(t, inotify_sees_changes_through_the_mount);
	tcase_add_loop_test(t, the_bytes_of_a_killed_writer_are_evidence, 0,
	    (int)LEN(killed));
	tcase_add_loop_test(t, rsync_cut_off_leaves_no_evidence, 0, 3);
	t = mounted_case(s, "disturbed");
	tcase_add_loop_test(t, a_signal_that_is_survived_interrupts_no_close, 0,
	    2);
	return s;
}
