/* Whom an entry names: the process that wrote, or nobody; never another one. */
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness.h"

#define F "t/w/a/f"
#define MF "mnt/" F

/* The number after "pid": in the last entry about path, or 0. */
static long
pid_in(const char *type, const char *path)
{
	const char *p = strstr(entry(type, path), "\"pid\":");

	return p == NULL ? 0 : strtol(p + 6, NULL, 10);
}

static void
has_no_hints(const char *line)
{
	static const char *const words[] = { "\"pid\"", "\"hints\"", "\"comm\"",
		"\"exe\"", "\"cgroup\"" };

	for (size_t i = 0; i < LEN(words); i++)
		ck_assert_msg(strstr(line, words[i]) == NULL, "%s in %s",
		    words[i], line);
}

/* --- threads ------------------------------------------------------------ */

static void *
write_it(void *arg)
{
	(void)arg;
	ck_assert_int_ne(getpid(), syscall(SYS_gettid));
	put(MF, "x");
	allowed(mkdir("mnt/t/w/dir", 0755));
	allowed(rename("mnt/t/w/a/draft.tmp", "mnt/t/w/a/draft"));
	return NULL;
}

static int
write_in_a_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, write_it, NULL) != 0 ||
	    pthread_join(t, NULL) != 0;
}

START_TEST(a_thread_is_recorded_as_its_process)
{
	pid_t child;

	make_attestation();
	put("mnt/t/w/a/draft.tmp", "x");
	child = in_child(write_in_a_thread);
	ck_assert_int_eq(0, child_ended(child));
	sync_dir("mnt");
	ck_assert_int_eq(child, pid_in("evidence.sealed", F));
	ck_assert_int_eq(child, pid_in("evidence.sealed", "t/w/a/draft"));
	ck_assert_int_eq(child, pid_in("attestation.begun", "t/w/dir"));
	says(entry("evidence.sealed", F), "\"comm\":\"test-mount\"");
	says(entry("evidence.sealed", F), "\"exe\":\"");
}
END_TEST

/* A chmod that seals nothing asks for no hints. */
static void *
chmod_it(void *arg)
{
	(void)arg;
	allowed(chmod("mnt/t/w", 0711));
	return NULL;
}

static int
chmod_in_a_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, chmod_it, NULL) != 0 ||
	    pthread_join(t, NULL) != 0;
}

static int
chmod_at_once(void)
{
	return chmod("mnt/t/w", 0700);
}

START_TEST(a_thread_is_never_recorded_as_a_process)
{
	pid_t child;

	make_attestation();
	ck_assert_int_eq(0, child_ended(in_child(chmod_in_a_thread)));
	ck_assert_int_eq(0, pid_in("access.changed", "t/w"));
	child = in_child(chmod_at_once);
	ck_assert_int_eq(0, child_ended(child));
	ck_assert_int_eq(child, pid_in("access.changed", "t/w"));
}
END_TEST

/* --- numbers that are given again --------------------------------------------- */

#define LAST_PID "/proc/sys/kernel/ns_last_pid"

static pid_t given; /* the number that the thread should get */

static int
write_draft(void)
{
	put(MF ".tmp", "x");
	return 0;
}

static void *
write_with_it(void *arg)
{
	bool *has_it = arg;

	if ((*has_it = gettid() == given))
		put(MF, "x");
	return NULL;
}

/* 2: another process was faster. */
static int
write_in_a_thread_with_it(void)
{
	bool has_it = false;
	pthread_t t;
	FILE *f;

	if ((f = fopen(LAST_PID, "w")) == NULL ||
	    fprintf(f, "%d", (int)given - 1) < 0 || fclose(f) != 0)
		return 1;
	if (pthread_create(&t, NULL, write_with_it, &has_it) != 0 ||
	    pthread_join(t, NULL) != 0)
		return 1;
	return has_it ? 0 : 2;
}

/* What is remembered of a process ends with it, whoever has its number now. */
START_TEST(a_reused_pid_is_another_process)
{
	int status = 2;
	pid_t child = 0;

	skip_unless(access(LAST_PID, W_OK) == 0, "cannot choose a number");
	make_attestation();
	for (int i = 0; status == 2 && i < 100; i++) {
		run(0, "rm -f " MF ".tmp");
		given = in_child(write_draft);
		ck_assert_int_eq(0, child_ended(given));
		child = in_child(write_in_a_thread_with_it);
		status = child_ended(child);
	}
	skip_unless(status == 0, "others take the number each time");
	sync_dir("mnt");
	ck_assert_int_eq(child, pid_in("evidence.sealed", F));
}
END_TEST

/* --- other users and namespaces -------------------------------------------- */

static int
write_as_alice(void)
{
	if (setgid(ALICE) < 0 || setuid(ALICE) < 0)
		return 1;
	put(MF, "x");
	return 0;
}

START_TEST(a_process_that_changed_its_ids_is_recorded_with_the_new_ids)
{
	pid_t child;

	make_attestation();
	run(0, "chmod 0755 mnt/t mnt/t/w && chmod 0777 mnt/t/w/a");
	child = in_child(write_as_alice);
	ck_assert_int_eq(0, child_ended(child));
	sync_dir("mnt");
	ck_assert_int_eq(child, pid_in("evidence.sealed", F));
	says(entry("evidence.sealed", F), "\"uid\":1001");
	says(entry("evidence.sealed", F), "\"comm\":\"test-mount\"");
}
END_TEST

/* Root of a user namespace is Alice. */
START_TEST(root_of_a_user_namespace_is_who_made_it)
{
	skip_unless(system("setpriv --reuid 1001 --clear-groups unshare "
			   "--user --map-root-user true 2>&-") == 0,
	    "the kernel lets users make no user namespaces");
	make_attestation();
	run(0, "chmod 0755 mnt/t mnt/t/w && chmod 0777 " A);
	run(0,
	    "setpriv --reuid 1001 --regid 1001 --clear-groups unshare --user "
	    "--map-root-user sh -c '[ $(id -u) = 0 ] && echo x >" MF "'");
	sync_dir("mnt");
	says(entry("evidence.sealed", F), "\"uid\":1001}");
	says(entry("evidence.sealed", F), "\"comm\":\"sh\"");
	/* Nor may it what root may. */
	run(2,
	    "setpriv --reuid 1001 --clear-groups unshare --user "
	    "--map-root-user sh -c 'echo x >mnt/t/w/f'");
}
END_TEST

/* The child knows the number that its own child has out here. */
static int
write_in_a_pid_namespace(void)
{
	pid_t pid;
	FILE *f;
	int status;

	if (unshare(CLONE_NEWPID) < 0 || (pid = fork()) < 0)
		return 1;
	if (pid == 0) {
		put(MF, "x");
		_exit(0);
	}
	if ((f = fopen("pid", "w")) == NULL || fprintf(f, "%d", pid) < 0 ||
	    fclose(f) != 0)
		return 1;
	return waitpid(pid, &status, 0) != pid || status != 0;
}

START_TEST(a_process_of_a_pid_namespace_has_our_number)
{
	make_attestation();
	ck_assert_int_eq(0, child_ended(in_child(write_in_a_pid_namespace)));
	sync_dir("mnt");
	ck_assert_int_eq(strtol(content("pid", NULL), NULL, 10),
	    pid_in("evidence.sealed", F));
	says(entry("evidence.sealed", F), "\"comm\":\"test-mount\"");
}
END_TEST

/* Its path would name another file here, or none. */
START_TEST(an_exe_of_another_mount_namespace_is_left_out)
{
	static const char *const ways[] = { "unshare -m",
		"unshare --pid --fork --mount-proc" };
	char path[64];

	make_attestation();
	for (size_t i = 0; i < LEN(ways); i++) {
		run(0, "%s sh -c 'echo x >" MF "%zu'", ways[i], i);
		(void)snprintf(path, sizeof path, "mnt/" F "%zu", i);
		sync_dir("mnt");
		says(entry("evidence.sealed", path + 4), "\"comm\":\"sh\"");
		ck_assert_ptr_null(strstr(entry("evidence.sealed", path + 4),
		    "\"exe\""));
		ck_assert_int_gt(pid_in("evidence.sealed", path + 4), 2);
	}
	run(0, "sh -c 'echo x >" MF "'");
	sync_dir("mnt");
	says(entry("evidence.sealed", F), "\"exe\":\"/");
}
END_TEST

/* --- a descriptor that another process writes to ------------------------------ */

static int pair[2];

static int
send_fd(int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { CMSG_LEN(sizeof(int)), SOL_SOCKET,
			  SCM_RIGHTS } };
	char c = 'x';
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };

	memcpy(CMSG_DATA(&control.head), &fd, sizeof fd);
	return sendmsg(pair[0], &m, 0) == 1 ? 0 : 1;
}

static int
receive_fd(void)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	char c;
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control };
	int fd = -1;

	if (recvmsg(pair[1], &m, 0) == 1 && m.msg_controllen > 0)
		memcpy(&fd, CMSG_DATA(&control.head), sizeof fd);
	return fd;
}

/* Opens the file, sends it away and ends. */
static int
open_and_send(void)
{
	int fd = open(MF, O_WRONLY | O_CREAT, 0644);

	return fd < 0 ? 1 : send_fd(fd);
}

static int
write_plainly(int fd)
{
	return write(fd, "x", 1) == 1 ? 0 : 1;
}

static int
write_by_splice(int fd)
{
	int p[2];

	return pipe(p) == 0 && write(p[1], "x", 1) == 1 &&
		splice(p[0], NULL, fd, NULL, 1, 0) == 1 ?
	    0 :
	    1;
}

static int (*const passed_ways[])(int fd) = { write_plainly, write_by_splice };
static int passed_way;

/* Bob gets it and closes it last. */
static int
receive_and_write(void)
{
	int fd;

	as(BOB);
	return (fd = receive_fd()) < 0 || passed_ways[passed_way](fd) != 0 ||
	    close(fd) != 0;
}

START_TEST(who_opened_a_file_is_recorded_and_not_who_got_it)
{
	pid_t opener, writer;

	passed_way = _i;
	make_attestation();
	allowed(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	writer = in_child(receive_and_write);
	opener = in_child(open_and_send);
	ck_assert_int_eq(0, child_ended(opener));
	ck_assert_int_eq(0, child_ended(writer));
	run(0, "trailctl sync mnt");
	ck_assert_int_eq(opener, pid_in("evidence.sealed", F));
	says(entry("evidence.sealed", F), "\"uid\":0,\"user\"");
	says_not(entry("evidence.sealed", F), ":1002,");
}
END_TEST

/* --- io_uring --------------------------------------------------------------- */

/* Do one operation in a ring of its own, by a thread of the kernel. */
static int
do_in_ring(struct io_uring_sqe op)
{
	struct io_uring_params p = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p), result = -EIO;
	size_t n = p.sq_off.array + p.sq_entries * sizeof(unsigned);
	size_t m = p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe);
	char *sq = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
	    IORING_OFF_SQ_RING);
	char *cq = mmap(NULL, m, PROT_READ | PROT_WRITE, MAP_SHARED, ring,
	    IORING_OFF_CQ_RING);
	struct io_uring_sqe *sqe = mmap(NULL, sizeof *sqe,
	    PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);

	if (sq == MAP_FAILED || cq == MAP_FAILED || sqe == MAP_FAILED)
		return -errno;
	*sqe = op;
	sqe->flags = IOSQE_ASYNC;
	*(unsigned *)(void *)(sq + p.sq_off.array) = 0;
	atomic_store((atomic_uint *)(void *)(sq + p.sq_off.tail), 1);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS,
		NULL, 0) == 1 &&
	    atomic_load((atomic_uint *)(void *)(cq + p.cq_off.tail)) == 1)
		result =
		    ((struct io_uring_cqe *)(void *)(cq + p.cq_off.cqes))->res;
	close(ring);
	return result;
}

static int
write_with_ring(void)
{
	int fd = open(MF, O_WRONLY | O_CREAT, 0644);
	struct io_uring_sqe op = { .opcode = IORING_OP_WRITE,
		.fd = fd,
		.addr = (uintptr_t) "x",
		.len = 1 };

	return fd < 0 || do_in_ring(op) != 1 || close(fd) != 0;
}

static int
open_with_ring(void)
{
	struct io_uring_sqe op = { .opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)MF "2",
		.len = 0644,
		.open_flags = O_WRONLY | O_CREAT };
	int fd = do_in_ring(op);

	return fd < 0 || write(fd, "x", 1) != 1 || close(fd) != 0;
}

/* Its threads write for the process that opened; what they open themselves names
 * the user, and guesses no process. */
START_TEST(threads_of_io_uring_are_nobody)
{
	struct io_uring_params p = { 0 };
	long ring = syscall(SYS_io_uring_setup, 1, &p);
	pid_t child;

	skip_unless(ring >= 0, "the kernel has no io_uring for us");
	close((int)ring);
	make_attestation();
	child = in_child(write_with_ring);
	ck_assert_int_eq(0, child_ended(child));
	ck_assert_int_eq(0, child_ended(in_child(open_with_ring)));
	sync_dir("mnt");
	ck_assert_int_eq(child, pid_in("evidence.sealed", F));
	says(entry("evidence.sealed", F), "\"comm\":\"test-mount\"");
	says(entry("evidence.sealed", F "2"), "\"uid\":0");
	has_no_hints(entry("evidence.sealed", F "2"));
}
END_TEST

/* --- a daemon in a pid namespace --------------------------------------------- */

#define IN_NAMESPACE                                                           \
	"sh -c 'trailfs store mnt -f -o settle=0 >log 2>&1 & for i in "        \
	"$(seq 600); do [ -e mnt/.trailfs/status.json ] && break; sleep 0.1; " \
	"done; mkdir -p mnt/t/w/a; echo x >" MF "; (echo y >" MF               \
	"2); chmod 0700 mnt/t; sync mnt/t/w/a; umount mnt; wait'"

/* The host's /proc/1 is not the process that has the number 1 here. */
START_TEST(with_a_foreign_proc_nobody_is_named)
{
	run(0, "unshare --pid --fork --kill-child " IN_NAMESPACE);
	has_no_hints(entry("evidence.sealed", F));
	has_no_hints(entry("evidence.sealed", F "2"));
	has_no_hints(entry("trail.created", "t"));
	has_no_hints(entry("access.changed", "t"));
	says(entry("evidence.sealed", F), "\"uid\":0");
	verify(0);
}
END_TEST

START_TEST(with_its_own_proc_everybody_is_named)
{
	run(0, "unshare --pid --fork --kill-child --mount-proc " IN_NAMESPACE);
	says(entry("evidence.sealed", F), "\"comm\":\"sh\"");
	says(entry("evidence.sealed", F), "\"exe\":\"/");
	ck_assert_int_eq(1, pid_in("evidence.sealed", F));
	ck_assert_int_gt(pid_in("evidence.sealed", F "2"), 1);
	verify(0);
}
END_TEST

/* --- what a daemon that is not root sees ------------------------------------- */

/* A /proc that hides the processes of others from an ordinary user: they are named
 * by the request alone, and the vault says that it knows no login uids. */
static const char hiding[] =
    "as() { u=$1; shift; setpriv --reuid $u --regid $u --clear-groups \"$@\"; }\n"
    "mount -t proc -o $HIDING proc /proc &&\n"
    "mknod -m 666 fuse c 10 229 && mount --bind fuse /dev/fuse &&\n"
    "echo user_allow_other >conf && mount --bind conf /etc/fuse.conf &&\n"
    "here=$PWD && mount -t tmpfs tmpfs /srv && mkdir /srv/home &&\n"
    "chmod 755 /srv && cd /srv/home && chown 65534 . &&\n"
    "as 65534 sh -c 'trailctl init --origin example.org/h store >vkey &&\n"
    "mkdir mnt && trailfs store mnt -o allow_other,settle=0 &&\n"
    "mkdir -p mnt/t/w/a && chmod 755 mnt/t mnt/t/w && chmod 777 mnt/t/w/a &&\n"
    "echo x >mnt/t/w/a/own' &&\n"
    "as 1002 sh -c 'echo x >mnt/t/w/a/bob' && echo x >mnt/t/w/a/root &&\n"
    "as 65534 sh -c 'trailctl sync mnt && cp mnt/.trailfs/events.jsonl . &&\n"
    "trailctl status mnt >status'\n"
    "e=$?; mkdir $here/home; cp events.jsonl status $here/home\n"
    "as 65534 fusermount3 -u mnt; exit $e";

/* The actor of the file in the lines that the daemon of the user showed. */
static const char *
hidden_actor(const char *name)
{
	return run(0,
	    "grep '\"path\":\"t/w/a/%s\"' home/events.jsonl | "
	    "grep evidence.sealed | grep -o '\"actor\":{.*},\"at\"'",
	    name);
}

START_TEST(who_cannot_be_seen_is_not_guessed)
{
	skip_unless(have("fusermount3") &&
		system("unshare -m sh -c 'mount -t proc -o hidepid=2 proc "
		       "/proc && setpriv --reuid 65534 --regid 65534 "
		       "--clear-groups test ! -e /proc/1' 2>&-") == 0,
	    "the kernel hides no processes");
	run(0, "cat >hiding <<'EOF'\n%s\nEOF\nHIDING=%s unshare -m sh hiding",
	    hiding, _i == 0 ? "hidepid=2" : "hidepid=2,gid=65534");
	if (_i == 1) { /* The group of the daemon sees all processes. */
		says(hidden_actor("bob"), "\"comm\":\"sh\"");
		says(hidden_actor("bob"), "\"pid\":");
		says_not(content("home/status", NULL), "login_uids");
		return;
	}
	/* Landlock hides from the daemon also what its own user runs. */
	says(hidden_actor("own"), "\"uid\":65534");
	says(hidden_actor("bob"), "\"uid\":1002");
	has_no_hints(hidden_actor("bob"));
	says(hidden_actor("root"), "\"uid\":0");
	has_no_hints(hidden_actor("root"));
	says(content("home/status", NULL), "login_uids  unknown");
}
END_TEST

/* --- threads of the kernel ----------------------------------------------------- */

/* What a loop device writes is written by threads of the kernel, for nobody; who
 * named the file is in its entry. */
START_TEST(threads_of_the_kernel_are_nobody)
{
	skip_unless(have("losetup") &&
		system("test -b \"$(losetup -f 2>/dev/null)\"") == 0,
	    "there are no loop devices");
	make_attestation();
	put_bytes(MF ".tmp", noise(65536, 3), 65536);
	run(0,
	    "loop=$(losetup -f --show " MF ".tmp) || exit 77; "
	    "printf marked | dd of=$loop conv=notrunc,fsync status=none; "
	    "e=$?; losetup -d $loop; exit $e");
	run(0,
	    "until mv " MF ".tmp " MF
	    "; do sleep 0.1; done; trailctl sync mnt");
	says(run(0, "head -c 6 " MF), "marked");
	says(entry("evidence.sealed", F), "\"uid\":0");
	says_not(entry("evidence.sealed", F), "kworker");
	says_not(entry("evidence.sealed", F), "\"comm\":\"loop");
	verify(0);
}
END_TEST

Suite *
suite_actor(void)
{
	Suite *s = suite_create("actor");
	TCase *t = mounted_case(s, "actor");

	tcase_add_test(t, a_thread_is_recorded_as_its_process);
	tcase_add_test(t, a_thread_is_never_recorded_as_a_process);
	tcase_add_test(t, a_reused_pid_is_another_process);
	tcase_add_test(t,
	    a_process_that_changed_its_ids_is_recorded_with_the_new_ids);
	tcase_add_test(t, a_process_of_a_pid_namespace_has_our_number);
	tcase_add_test(t, an_exe_of_another_mount_namespace_is_left_out);
	tcase_add_test(t, root_of_a_user_namespace_is_who_made_it);
	tcase_add_loop_test(t, who_opened_a_file_is_recorded_and_not_who_got_it,
	    0, (int)LEN(passed_ways));
	tcase_add_test(t, threads_of_io_uring_are_nobody);
	tcase_add_test(t, threads_of_the_kernel_are_nobody);
	t = stored_case(s, "namespace");
	tcase_add_test(t, with_a_foreign_proc_nobody_is_named);
	tcase_add_test(t, with_its_own_proc_everybody_is_named);
	tcase_add_loop_test(t, who_cannot_be_seen_is_not_guessed, 0, 2);
	return s;
}
