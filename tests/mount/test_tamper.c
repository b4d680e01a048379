/*
 * Every way in, tried by everybody on what is frozen and on what is sealed:
 * no success, the errno of trailfs(8), and afterwards nothing is different,
 * the head of the ledger neither.
 */
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/xattr.h>

#include "harness.h"

#define F A "/report"
#define OTHER A "/other"    /* nothing has that name */
#define DRAFT A "/mine.tmp" /* of him who tries */
#define TEXT "what happened\n"

/* --- who, and on what ------------------------------------------------- */

static const struct caller {
	uid_t who;
	uid_t writer;
	bool shared; /* modes let everybody do everything */
	const char *state;
} callers[] = {
	{ 0, 0, false, "frozen" },
	{ 0, 0, false, "sealed" },
	{ 0, ALICE, false, "sealed" },
	{ ALICE, ALICE, false, "frozen" },
	{ ALICE, ALICE, false, "sealed" },
	{ BOB, ALICE, false, "frozen" },
	{ BOB, ALICE, false, "sealed" },
	{ BOB, ALICE, true, "frozen" },
	{ BOB, ALICE, true, "sealed" },
};

/* What he has in hand: a descriptor for reading, from before. */
static int in_hand;
static char again[64]; /* its name in /proc */
static struct stat before;
static char *head;

static char *
ledger_head(void)
{
	uid_t who = geteuid();
	char *text;

	as(0);
	text = content("mnt/.trailfs/checkpoint", NULL);
	as(who);
	return text;
}

static void
stand_in(const struct caller *c)
{
	static const char *const dirs[] = { "mnt/t", W, A };

	umask(0);
	make_attestation();
	for (size_t i = 0; i < LEN(dirs); i++) {
		allowed(chown(dirs[i], c->writer, c->writer));
		allowed(chmod(dirs[i], c->shared ? 0777 : 0755));
	}
	put(DRAFT, "another story\n");
	allowed(chown(DRAFT, c->who, c->who));
	as(c->writer);
	put(F, TEXT);
	allowed(chmod(F, c->shared ? 0666 : 0644));
	if (strcmp(c->state, "sealed") == 0)
		sync_dir("mnt");
	has_state(F, c->state);
	as(c->who);
	in_hand = open(F, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(in_hand, 0);
	snprintf(again, sizeof again, "/proc/self/fd/%d", in_hand);
	before = stat_of(F);
	head = ledger_head();
}

static void
unchanged(const char *attack, const char *state)
{
	struct stat now = stat_of(F);

	ck_assert_msg(strcmp(TEXT, content(F, NULL)) == 0 &&
		strcmp(state, state_of(F)) == 0 &&
		now.st_ino == before.st_ino && now.st_mode == before.st_mode &&
		now.st_uid == before.st_uid && now.st_gid == before.st_gid &&
		now.st_nlink == 1 && now.st_size == before.st_size &&
		memcmp(&now.st_mtim, &before.st_mtim, sizeof now.st_mtim) ==
		    0 &&
		memcmp(&now.st_ctim, &before.st_ctim, sizeof now.st_ctim) == 0,
	    "%s changed it", attack);
	ck_assert_msg(!exists(OTHER), "%s made another name", attack);
	ck_assert_msg(strcmp(head, ledger_head()) == 0, "%s has an entry",
	    attack);
}

/* --- ways in ---------------------------------------------------------- */

static int
set_times(const char *path, time_t atime, time_t mtime)
{
	struct timespec t[2] = { { atime, 0 }, { mtime, 0 } };

	return utimensat(AT_FDCWD, path, t, 0);
}

static int
map_shared(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, in_hand,
	    0);

	return p == MAP_FAILED ? -1 : 0;
}

static int
map_and_protect(void)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, in_hand, 0);
	int rc = p == MAP_FAILED ? 0 :
				   mprotect(p, 4096, PROT_READ | PROT_WRITE);

	if (p != MAP_FAILED) {
		int sys = errno;

		munmap(p, 4096);
		errno = sys;
	}
	return rc;
}

static int
open_by_handle(void)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} u = { .h.handle_bytes = MAX_HANDLE_SZ };
	int mount_id, dir, fd, sys;

	if (name_to_handle_at(AT_FDCWD, F, &u.h, &mount_id, 0) < 0)
		return 0;
	dir = open("mnt", O_RDONLY | O_DIRECTORY);
	fd = open_by_handle_at(dir, &u.h, O_RDWR);
	sys = errno;
	close(dir);
	errno = sys;
	return fd;
}

static int
range_into(void)
{
	int from = open(F, O_RDONLY);
	ssize_t n = copy_file_range(from, NULL, in_hand, NULL, 4, 0);
	int sys = errno;

	close(from);
	errno = sys;
	return (int)n;
}

static int
set_flags(void)
{
	int flags = FS_IMMUTABLE_FL;

	return ioctl(in_hand, FS_IOC_SETFLAGS, &flags);
}

#define OPEN(flags) try_open(F, flags)
#define SETX(name, value, n) setxattr(F, name, value, n, 0)

/* The kernel's answer depends on its settings: EPERM or EACCES. */
#define EITHER (-1)

/*
 * The errors for root and the writer; for a stranger, from the kernel, by the
 * modes; and for a user to whom the modes allow everything.  SETTLES: root and
 * the writer may do it while the file is frozen.
 */
#define SETTLES true
/* clang-format off */
#define ATTACKS(X)                                                            \
 X(open_w, EPERM, EACCES, EPERM, 0, OPEN(O_WRONLY))                           \
 X(open_rw, EPERM, EACCES, EPERM, 0, OPEN(O_RDWR))                            \
 X(open_append, EPERM, EACCES, EPERM, 0, OPEN(O_WRONLY | O_APPEND))           \
 X(open_rw_append, EPERM, EACCES, EPERM, 0, OPEN(O_RDWR | O_APPEND))          \
 X(open_trunc, EPERM, EACCES, EPERM, 0, OPEN(O_WRONLY | O_TRUNC))             \
 X(open_r_trunc, EPERM, EACCES, EPERM, 0, OPEN(O_RDONLY | O_TRUNC))           \
 X(open_creat, EPERM, EACCES, EPERM, 0, OPEN(O_WRONLY | O_CREAT))             \
 X(open_creat_trunc, EPERM, EACCES, EPERM, 0,                                 \
     OPEN(O_WRONLY | O_CREAT | O_TRUNC))                                      \
 X(open_excl, EEXIST, EEXIST, EEXIST, 0, OPEN(O_WRONLY | O_CREAT | O_EXCL))   \
 X(open_sync, EPERM, EACCES, EPERM, 0, OPEN(O_WRONLY | O_SYNC | O_NONBLOCK))  \
 X(open_direct, EPERM, EACCES, EPERM, 0, OPEN(O_RDWR | O_DIRECT))             \
 X(open_again_w, EPERM, EACCES, EPERM, 0, try_open(again, O_WRONLY))          \
 X(open_again_rw, EPERM, EACCES, EPERM, 0, try_open(again, O_RDWR))           \
 X(open_again_trunc, EPERM, EACCES, EPERM, 0,                                 \
     try_open(again, O_RDONLY | O_TRUNC))                                     \
 X(open_handle, EPERM, EPERM, EPERM, 0, open_by_handle())                     \
 X(truncate_0, EPERM, EACCES, EPERM, 0, truncate(F, 0))                       \
 X(truncate_less, EPERM, EACCES, EPERM, 0, truncate(F, 3))                    \
 X(truncate_more, EPERM, EACCES, EPERM, 0, truncate(F, 1 << 20))              \
 X(truncate_again, EPERM, EACCES, EPERM, 0, truncate(again, 0))               \
 X(ftruncate_r, EINVAL, EINVAL, EINVAL, 0, ftruncate(in_hand, 0))             \
 X(write_r, EBADF, EBADF, EBADF, 0, write(in_hand, "x", 1))                   \
 X(pwrite_r, EBADF, EBADF, EBADF, 0, pwrite(in_hand, "x", 1, 0))              \
 X(range_r, EBADF, EBADF, EBADF, 0, range_into())                             \
 X(allocate_r, EBADF, EBADF, EBADF, 0, fallocate(in_hand, 0, 0, 100))         \
 X(punch_r, EBADF, EBADF, EBADF, 0, fallocate(in_hand,                        \
     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4))                       \
 X(map, EACCES, EACCES, EACCES, 0, map_shared())                              \
 X(map_protect, EACCES, EACCES, EACCES, 0, map_and_protect())                 \
 X(unlink_it, EPERM, EACCES, EPERM, 0, unlink(F))                             \
 X(rmdir_it, ENOTDIR, EACCES, ENOTDIR, 0, rmdir(F))                           \
 X(rmdir_above, EPERM, EACCES, EPERM, 0, rmdir(A))                            \
 X(rename_away, EPERM, EACCES, EPERM, SETTLES, rename(F, OTHER))              \
 X(rename_noreplace, EPERM, EACCES, EPERM, SETTLES,                           \
     rename_flags(F, OTHER, RENAME_NOREPLACE))                                \
 X(rename_up, EPERM, EACCES, EPERM, 0, rename(F, W "/report"))                \
 X(rename_draft, EPERM, EACCES, EPERM, 0, rename(F, A "/report.tmp"))         \
 X(rename_onto, EPERM, EACCES, EPERM, 0, rename(DRAFT, F))                    \
 X(rename_onto_noreplace, EEXIST, EEXIST, EEXIST, 0,                          \
     rename_flags(DRAFT, F, RENAME_NOREPLACE))                                \
 X(exchange, EINVAL, EACCES, EINVAL, 0,                                       \
     rename_flags(DRAFT, F, RENAME_EXCHANGE))                                 \
 X(exchange_back, EINVAL, EACCES, EINVAL, 0,                                  \
     rename_flags(F, DRAFT, RENAME_EXCHANGE))                                 \
 X(rename_above, EPERM, EACCES, EPERM, 0, rename(A, W "/b"))                  \
 X(link_it, EPERM, EITHER, EPERM, 0, link(F, OTHER))                          \
 X(link_again, EPERM, EITHER, EPERM, 0,                                       \
     linkat(AT_FDCWD, again, AT_FDCWD, OTHER, AT_SYMLINK_FOLLOW))             \
 X(link_onto, EEXIST, EEXIST, EEXIST, 0, link(DRAFT, F))                      \
 X(symlink_onto, EEXIST, EEXIST, EEXIST, 0, symlink("x", F))                  \
 X(symlink_beside, EPERM, EACCES, EPERM, 0, symlink("report", OTHER))         \
 X(mkdir_onto, EEXIST, EEXIST, EEXIST, 0, mkdir(F, 0777))                     \
 X(fifo_onto, EEXIST, EEXIST, EEXIST, 0, mkfifo(F, 0666))                     \
 X(chmod_it, EPERM, EPERM, EPERM, SETTLES, chmod(F, 0700))                    \
 X(chmod_setuid, EPERM, EPERM, EPERM, SETTLES, chmod(F, 04755))               \
 X(fchmod_r, EPERM, EPERM, EPERM, SETTLES, fchmod(in_hand, 0777))             \
 X(chown_it, EPERM, EPERM, EPERM, SETTLES, chown(F, BOB, BOB))                \
 X(chown_alone, EPERM, EPERM, EPERM, SETTLES, chown(F, BOB, (gid_t)-1))       \
 X(fchown_r, EPERM, EPERM, EPERM, SETTLES, fchown(in_hand, BOB, BOB))         \
 X(times, EPERM, EPERM, EPERM, SETTLES, set_times(F, 1, 1))                   \
 X(times_now, EPERM, EACCES, EPERM, SETTLES,                                  \
     utimensat(AT_FDCWD, F, NULL, 0))                                         \
 X(times_now_r, EPERM, EACCES, EPERM, SETTLES, futimens(in_hand, NULL))       \
 X(set_xattr, EPERM, EACCES, EPERM, SETTLES, SETX("user.note", "x", 1))       \
 X(set_state, EPERM, EACCES, EPERM, 0, SETX("user.trailfs.state", "open", 4)) \
 X(set_digest, EPERM, EACCES, EPERM, 0, SETX("user.trailfs.sha256", "0", 1))  \
 X(remove_xattr, EPERM, EACCES, EPERM, SETTLES, removexattr(F, "user.note"))  \
 X(remove_state, EPERM, EACCES, EPERM, 0,                                     \
     removexattr(F, "user.trailfs.state"))                                    \
 X(flags, ENOTTY, EPERM, EPERM, 0, set_flags())
/* clang-format on */

#define FUNCTION(name, mine, stranger, guest, settles, call) \
	static long name(void)                               \
	{                                                    \
		return (long)(call);                         \
	}
ATTACKS(FUNCTION)

#define ROW(name, mine, stranger, guest, settles, call) \
	{ #call, name, { mine, stranger, guest }, settles },
static const struct {
	const char *call;
	long (*attack)(void);
	int refusal[3]; /* mine, a stranger's, a guest's */
	bool settles;
} attacks[] = { ATTACKS(ROW) };

START_TEST(nobody_gets_in)
{
	const struct caller *c = &callers[_i];
	bool mine = c->who == 0 || c->who == c->writer;
	unsigned tried = 0;

	stand_in(c);
	for (size_t i = 0; i < LEN(attacks); i++) {
		int want = attacks[i].refusal[mine ? 0 : c->shared ? 2 : 1];
		long got;

		if (mine && attacks[i].settles &&
		    strcmp(c->state, "frozen") == 0)
			continue;
		errno = 0;
		got = attacks[i].attack();
		ck_assert_msg(got < 0, "%s succeeded", attacks[i].call);
		ck_assert_msg(errno == want ||
			(want == EITHER && (errno == EPERM || errno == EACCES)),
		    "%s: %s, not %s", attacks[i].call, errno_name(errno),
		    errno_name(want));
		unchanged(attacks[i].call, c->state);
		tried++;
	}
	close(in_hand);
	ck_assert_uint_ge(tried, 40);
	as(0);
	sync_dir("mnt");
	holds(F, TEXT);
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/report"));
}
END_TEST

/* --- a descriptor that travels ---------------------------------------- */

static int pair[2];

static void
send_fd(int fd)
{
	char c = 'x', room[CMSG_SPACE(sizeof fd)] = { 0 };
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof room };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
	ck_assert_int_eq(1, sendmsg(pair[0], &m, 0));
}

static int
receive_fd(void)
{
	char c, room[CMSG_SPACE(sizeof(int))];
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof room };
	int fd;

	if (recvmsg(pair[1], &m, MSG_CMSG_CLOEXEC) != 1 ||
	    CMSG_FIRSTHDR(&m) == NULL)
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

/* On its way in a socket no process has it, and still it may be written. */
START_TEST(a_descriptor_in_a_socket_keeps_the_file_open)
{
	int fd, end;

	make_attestation();
	allowed(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	fd = begin(F);
	add(fd, "one\n");
	send_fd(fd);
	allowed(close(fd));
	has_state(F, "open");
	refused(EBUSY, chmod(A, 0555));
	sync_dir("mnt");
	has_state(F, "open");
	fd = receive_fd();
	ck_assert_int_ge(fd, 0);
	add(fd, "two\n");
	send_fd(fd);
	allowed(close(fd));
	has_state(F, "open");
	/* Nobody will ever take this one. */
	for (end = 0; end < 2; end++)
		allowed(close(pair[end]));
	has_state(F, "frozen");
	holds(F, "one\ntwo\n");
}
END_TEST

static int
keep_and_try(void)
{
	char path[64], c;
	int fd = receive_fd();

	if (fd < 0 || read(pair[1], &c, 1) != 1)
		return 1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	if (pread(fd, &c, 1, 0) != 1 || c != TEXT[0])
		return 2;
	if (write(fd, "x", 1) >= 0 || errno != EBADF)
		return 3;
	if (try_open(path, O_RDWR) >= 0 || errno != EPERM)
		return 4;
	if (try_open(path, O_WRONLY | O_TRUNC) >= 0 || errno != EPERM)
		return 5;
	if (fchmod(fd, 0777) >= 0 || errno != EPERM)
		return 6;
	if (mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED ||
	    errno != EACCES)
		return 7;
	return 0;
}

/* Opened for reading during the write, open in a child past the seal. */
START_TEST(a_descriptor_from_before_the_seal_cannot_write)
{
	pid_t pid;
	int fd, reader;

	make_attestation();
	allowed(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	fd = begin(F);
	add(fd, TEXT);
	reader = open(F, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(reader, 0);
	send_fd(reader);
	allowed(fcntl(fd, F_SETFD, FD_CLOEXEC));
	allowed(close(fd));
	pid = in_child(keep_and_try);
	allowed(close(reader));
	sync_dir("mnt");
	has_state(F, "sealed");
	before = stat_of(F);
	head = ledger_head();
	ck_assert_int_eq(1, write(pair[0], "g", 1));
	ck_assert_int_eq(0, child_ended(pid));
	unchanged("a kept descriptor", "sealed");
}
END_TEST

Suite *
suite_tamper(void)
{
	Suite *s = suite_create("tamper");
	TCase *t = mounted_case(s, "tamper");

	tcase_add_loop_test(t, nobody_gets_in, 0, (int)LEN(callers));
	tcase_add_test(t, a_descriptor_in_a_socket_keeps_the_file_open);
	tcase_add_test(t, a_descriptor_from_before_the_seal_cannot_write);
	return s;
}
