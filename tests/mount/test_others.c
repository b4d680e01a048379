/*
 * What one user asks for takes long; the others do not wait.
 *
 * The mount has two workers.  While the long work of one user is provably
 * still under way, another user looks at things, lists and writes; how fast
 * that is does not matter here.
 */
#include <dirent.h>
#include <sys/wait.h>

#include "harness.h"

#define TWO "threads=2,settle=60"
#define BOBS "mnt/t/bob"
#define ROUNDS 20
/* Seconds of hashing for any machine, and no bytes on its disk. */
#define HOLE ((off_t)6 << 30)

static void
make_vault(void)
{
	as(0);
	mount_vault(TWO);
	make_attestation();
	ck_assert_int_eq(0, mkdir(BOBS, 0755));
	ck_assert_int_eq(0, mkdir(BOBS "/a", 0755));
	allowed(chmod("mnt/t", 0755));
	allowed(chmod(W, 0755));
	allowed(chown(A, ALICE, ALICE));
	allowed(chown(BOBS "/a", BOB, BOB));
}

/* --- somebody else -------------------------------------------------------- */

static bool
is_under_way(pid_t pid)
{
	siginfo_t si = { .si_pid = 0 };

	ck_assert_int_eq(0,
	    waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT));
	return si.si_pid == 0;
}

/* What an ordinary user does all day. */
static void
do_a_round(unsigned n)
{
	static char text[4096];
	char path[64];
	struct stat st;
	DIR *d;

	allowed(stat(W, &st));
	allowed(stat(A, &st));
	ck_assert_ptr_nonnull(d = opendir(BOBS "/a"));
	while (readdir(d) != NULL)
		;
	closedir(d);
	snprintf(path, sizeof path, BOBS "/a/%u", n);
	put_bytes(path, text, sizeof text);
}

/* Bob's rounds come to their end while both of them are still at work. */
static void
bob_works_while(pid_t a, pid_t b)
{
	static unsigned n;

	as(BOB);
	for (unsigned i = 0; i < ROUNDS; i++) {
		do_a_round(n++);
		ck_assert_msg(is_under_way(a) && is_under_way(b),
		    "the long work ended before round %u of Bob", i);
	}
	as(0);
}

/* --- hashing -------------------------------------------------------------- */

static const char *path_in_child;

static int
close_a_hole(void)
{
	int fd;

	as(ALICE);
	fd = open(path_in_child, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0 || ftruncate(fd, HOLE) < 0)
		return 1;
	return close(fd) == 0 ? 0 : 2;
}

static pid_t
child_with(int (*what)(void), const char *path)
{
	path_in_child = path;
	return in_child(what);
}

static void
await_size(const char *path, off_t size)
{
	struct stat st;

	do
		usleep(1000);
	while (stat(path, &st) < 0 || st.st_size != size);
}

START_TEST(the_close_of_a_hole_keeps_nobody_waiting)
{
	pid_t a, b;

	make_vault();
	a = child_with(close_a_hole, A "/one.tmp");
	b = child_with(close_a_hole, A "/two.tmp");
	await_size(A "/one.tmp", HOLE);
	await_size(A "/two.tmp", HOLE);
	bob_works_while(a, b);
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	(void)unlink(A "/one.tmp");
	(void)unlink(A "/two.tmp");
	(void)child_ended(a);
	(void)child_ended(b);
}
END_TEST

Suite *
suite_others(void)
{
	Suite *s = suite_create("others");
	TCase *t = stored_case(s, "hashing");

	tcase_add_test(t, the_close_of_a_hole_keeps_nobody_waiting);
	return s;
}
