/*
 * Copies of the mount in other mount namespaces, as service managers and
 * container runtimes make them without being asked.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness.h"

static struct {
	pid_t pid;
	int to, from; /* a byte each way */
} copy;

/* In the child: a namespace of its own, then one command per byte. */
static void
serve_copy(int in, int out)
{
	int fd = -1;
	char c;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    write(out, "r", 1) != 1)
		_exit(1);
	while (read(in, &c, 1) == 1) {
		if (c == 'o')
			fd = open(A "/late", O_WRONLY | O_CREAT, 0644);
		if ((c == 'o' && fd < 0) ||
		    (c == 'w' && write(fd, "late", 4) != 4) ||
		    (c == 'c' && close(fd) < 0))
			_exit(1);
		if (write(out, "k", 1) != 1)
			_exit(1);
	}
	_exit(0);
}

static void
ask_copy(char what)
{
	char c;

	allowed(write(copy.to, &what, 1));
	ck_assert_int_eq(1, read(copy.from, &c, 1));
}

/* False: mount namespaces cannot be made here. */
static bool
make_copy(void)
{
	int in[2], out[2];
	char c;

	allowed(pipe2(in, O_CLOEXEC));
	allowed(pipe2(out, O_CLOEXEC));
	copy.pid = fork();
	ck_assert_int_ge(copy.pid, 0);
	if (copy.pid == 0) {
		close(in[1]);
		close(out[0]);
		serve_copy(in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	copy.to = in[1];
	copy.from = out[0];
	return read(copy.from, &c, 1) == 1;
}

static void
end_copy(void)
{
	int status;

	close(copy.to);
	close(copy.from);
	allowed(waitpid(copy.pid, &status, 0));
	ck_assert_int_eq(0, status);
}

/* Otherwise the store stays locked by a mount that nobody here sees. */
START_TEST(umount_ends_the_daemon_though_a_copy_is_left)
{
	make_attestation();
	put(A "/f", "kept");
	skip_unless(make_copy(), "no mount namespaces");
	unmount_vault();
	says(content("log", NULL), "other mount namespaces are cut off");
	mount_vault("");
	holds(A "/f", "kept");
	has_state(A "/f", "sealed");
	end_copy();
}
END_TEST

/* Nothing that somebody has open is cut off. */
START_TEST(files_open_in_a_copied_mount_are_served_until_close)
{
	make_attestation();
	skip_unless(make_copy(), "no mount namespaces");
	ask_copy('o');
	allowed(umount2("mnt", UMOUNT_NOFOLLOW));
	sleep(3); /* an unused mount ends sooner than that */
	ask_copy('w');
	/* A second mount says who has the store, and that it is not seen. */
	says(run(3, TRAILFS " store mnt -f"), "not in this mount namespace");
	ask_copy('c');
	ck_assert_int_eq(0, vault_ended());
	mount_vault("");
	holds(A "/late", "late");
	end_copy();
}
END_TEST

/* A bind mount here is as good as the mount itself. */
START_TEST(a_bind_mount_here_keeps_the_daemon)
{
	make_attestation();
	put_sealed(A "/f", "kept");
	allowed(mkdir("bind", 0755));
	allowed(mount("mnt", "bind", NULL, MS_BIND, NULL));
	skip_unless(make_copy(), "no mount namespaces");
	allowed(umount2("mnt", UMOUNT_NOFOLLOW));
	for (int i = 0; i < 30; i++) {
		usleep(100000);
		holds("bind/t/w/a/f", "kept");
	}
	allowed(umount2("bind", UMOUNT_NOFOLLOW));
	ck_assert_int_eq(0, vault_ended());
	end_copy();
	mount_vault("");
}
END_TEST

Suite *
suite_copies(void)
{
	Suite *s = suite_create("copies");
	TCase *t = mounted_case(s, "copies");

	tcase_add_test(t, umount_ends_the_daemon_though_a_copy_is_left);
	tcase_add_test(t, files_open_in_a_copied_mount_are_served_until_close);
	tcase_add_test(t, a_bind_mount_here_keeps_the_daemon);
	return s;
}
