/*
 * The kernel caches the attributes of directories, and the daemon invalidates
 * them: right after a change stat(2) gives the values of the daemon.
 */
#include <fcntl.h>
#include <sys/xattr.h>

#include "harness.h"

#define D A "/d"
#define E D "/e"
#define DRAFT W "/.b"
#define B W "/b"

/* What is remembered, and with AT_STATX_FORCE_SYNC what is so. */
static struct statx
statx_of(const char *path, int flags)
{
	struct statx st;

	ck_assert_msg(statx(AT_FDCWD, path, flags, STATX_BASIC_STATS, &st) == 0,
	    "%s: %s", path, errno_name(errno));
	return st;
}

/* The same without its name, which the kernel might ask for. */
static struct statx
fstatx(int fd, int flags)
{
	struct statx st;

	ck_assert_int_eq(0,
	    statx(fd, "", AT_EMPTY_PATH | flags, STATX_BASIC_STATS, &st));
	return st;
}

static bool
same_time(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
same(const struct statx *a, const struct statx *b)
{
	return a->stx_mode == b->stx_mode && a->stx_uid == b->stx_uid &&
	    a->stx_gid == b->stx_gid &&
	    same_time(&a->stx_mtime, &b->stx_mtime) &&
	    same_time(&a->stx_ctime, &b->stx_ctime);
}

static const char *const known[] = { "mnt", "mnt/t", W, A, D, E, DRAFT,
	DRAFT "/x", B };
static struct statx before[LEN(known)];

/* Have the kernel remember all of them that are there. */
static void
remember(void)
{
	for (size_t i = 0; i < LEN(known); i++)
		if (exists(known[i]))
			before[i] = statx_of(known[i], 0);
}

/* What is remembered is so; changed, one of them or NULL, is not as before. */
static void
is_so(const char *changed)
{
	for (size_t i = 0; i < LEN(known); i++) {
		struct statx seen, real;

		if (!exists(known[i]))
			continue;
		seen = statx_of(known[i], 0);
		real = statx_of(known[i], AT_STATX_FORCE_SYNC);
		ck_assert_msg(same(&seen, &real), "%s is remembered wrongly",
		    known[i]);
		if (changed != NULL && strcmp(known[i], changed) == 0)
			ck_assert_msg(!same(&before[i], &real),
			    "%s is as before", changed);
	}
}

static void
make_directories(void)
{
	make_attestation();
	allowed(mkdir(D, 0777));
	allowed(mkdir(E, 0777));
	allowed(chmod(D, 0777)); /* whatever umask took */
	allowed(chmod(E, 0777));
}

START_TEST(new_names_are_seen_at_once)
{
	make_directories();
	put(E "/f", "x");
	remember();
	sync_dir("mnt");
	is_so(E); /* it has an entry now, and its time */
	put(E "/g", "x");
	remember();
	sync_dir("mnt");
	is_so(E);
	put(A "/h.tmp", "x");
	remember();
	allowed(rename(A "/h.tmp", A "/h"));
	is_so(A);
	put(D "/f", "x");
	remember();
	run(0, "trailctl sync mnt");
	is_so(D);
}
END_TEST

START_TEST(directories_follow_their_attestation)
{
	make_directories();
	remember();
	allowed(chmod(A, 0750)); /* nothing of it in the ledger */
	is_so(E);
	put(E "/f", "x");
	sync_dir("mnt");
	remember();
	allowed(chmod(A, 0770));
	is_so(D);
	remember();
	allowed(chown(A, 1234, 1235));
	is_so(E);
	remember();
	seal(A, 0550);
	has_state(A, "sealed");
	is_so(E);
	remember();
	allowed(chown(A, 0, 0)); /* also when it is sealed */
	is_so(E);
}
END_TEST

START_TEST(directories_of_a_draft)
{
	make_directories();
	allowed(mkdir(DRAFT, 0755));
	allowed(mkdir(DRAFT "/x", 0755));
	put(DRAFT "/x/f", "x");
	remember();
	allowed(chmod(DRAFT, 0700));
	is_so(DRAFT "/x");
	remember();
	allowed(rename(DRAFT, B));
	is_so(W);
}
END_TEST

static int
stranger_makes_none(void)
{
	as(1234);
	if (faccessat(AT_FDCWD, W "/c/e", X_OK, AT_EACCESS) < 0)
		return 1;
	return mkdir(W "/c/e/new", 0755) < 0 && errno == EACCES ? 0 : 2;
}

/* Known by its number, not by the name that is gone. */
START_TEST(renamed_files_are_seen_at_once)
{
	struct statx seen, real;
	int fd;

	make_directories();
	allowed(mkdir(DRAFT, 0755));
	allowed(mkdir(DRAFT "/x", 0755));
	put(DRAFT "/x/f", "x");
	fd = open(DRAFT "/x", O_PATH);
	ck_assert_int_ge(fd, 0);
	(void)fstatx(fd, 0);
	allowed(rename(DRAFT, B));
	seen = fstatx(fd, 0);
	real = statx_of(B "/x", AT_STATX_FORCE_SYNC);
	ck_assert(same(&seen, &real));
	close(fd);
	/* An empty one moves to where strangers may not write. */
	allowed(chmod("mnt/t", 0755));
	allowed(chmod(A, 0777));
	allowed(mkdir(W "/c", 0755));
	(void)statx_of(E, 0);
	allowed(rename(E, W "/c/e"));
	ck_assert_int_eq(0, child_ended(in_child(stranger_makes_none)));
	seen = statx_of(W "/c/e", 0);
	real = statx_of(W "/c/e", AT_STATX_FORCE_SYNC);
	ck_assert(same(&seen, &real));
	ck_assert_uint_eq(S_IFDIR | 0755, seen.stx_mode);
}
END_TEST

START_TEST(seals_by_a_command_are_seen_at_once)
{
	make_directories();
	put(D "/f", "x");
	remember();
	run(0, "trailctl seal " A);
	is_so(A);
	allowed(mkdir(B, 0755));
	put(B "/f", "x");
	remember();
	run(0, "trailctl seal " W);
	is_so(B);
}
END_TEST

/* What may happen to a file that was just made. */
static void
happens(int what, int fd, const char *path)
{
	switch (what) {
	case 0: /* nothing */
		break;
	case 1:
		add(fd, "text");
		break;
	case 2:
		allowed(ftruncate(fd, 5));
		break;
	case 3:
		allowed(posix_fallocate(fd, 0, 4096));
		break;
	case 4:
		allowed(fsetxattr(fd, "user.note", "x", 1, 0));
		break;
	default: /* by its name, which drafts only allow */
		if (strstr(path, ".tmp") != NULL)
			allowed(truncate(path, 7));
	}
}

/* Who may write there the kernel decides by what it remembers, also for one
 * who came by no name. */
START_TEST(a_directory_that_moves_follows_the_other)
{
	struct statx seen;
	int fd;

	make_directories();
	allowed(chmod(A, 0777));
	allowed(mkdir(W "/c", 0755));
	fd = open(E, O_PATH);
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(S_IFDIR | 0777, fstatx(fd, 0).stx_mode);
	allowed(rename(E, W "/c/e"));
	/* The kernel itself takes no more than the time for outdated. */
	ck_assert_int_eq(0,
	    statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_MODE, &seen));
	ck_assert_uint_eq(S_IFDIR | 0755, seen.stx_mode);
	close(fd);
}
END_TEST

/* The answer to its creation may be remembered until something happens. */
START_TEST(a_file_just_made)
{
	char path[64], same_file[64];

	make_attestation();
	for (int what = 0; what < 12; what++) {
		int fd, eye;

		snprintf(path, sizeof path, A "/new%d%s", what,
		    what % 2 == 0 ? "" : ".tmp");
		fd = begin(path);
		snprintf(same_file, sizeof same_file, "/proc/self/fd/%d", fd);
		eye = open(same_file, O_PATH); /* without asking for it */
		ck_assert_int_ge(eye, 0);
		happens(what / 2, fd, path);
		for (int closed = 0; closed < 2; closed++) {
			struct statx seen = fstatx(eye, 0);
			struct statx real = fstatx(eye, AT_STATX_FORCE_SYNC);

			ck_assert_msg(same(&seen, &real), "%s, %s", path,
			    closed == 0 ? "open" : "closed");
			ck_assert_uint_eq(seen.stx_size, real.stx_size);
			if (closed == 0)
				allowed(close(fd));
		}
		close(eye);
	}
}
END_TEST

/* The sealer seals without any request.  A state is seen when it is committed, and
 * the notification of the kernel follows that, before the next commit. */
START_TEST(seals_by_the_daemon_are_seen_at_once)
{
	unmount_vault();
	mount_vault("settle=0,quiet=1");
	make_directories();
	put(E "/f", "x");
	do
		remember();
	while (strcmp("sealed", state_of(E "/f")) != 0);
	allowed(mkdir(B, 0755));
	is_so(NULL);
	do
		remember();
	while (strcmp("sealed", state_of(A)) != 0);
	allowed(mkdir(W "/c", 0755));
	is_so(NULL);
}
END_TEST

#define SEEN 100
static char sealing[sizeof W + 16];

static int
seal_it(void)
{
	char command[sizeof sealing + 32];

	snprintf(command, sizeof command, "trailctl seal %s", sealing);
	return system(command);
}

/* Drop the cached names, so that invalidations find nothing. */
static bool
forget(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, "2", 1) == 1;

	if (fd >= 0)
		close(fd);
	return done;
}

static const char *
seen_path(unsigned round, unsigned i, const char *rest)
{
	static char path[sizeof W + 64];

	snprintf(path, sizeof path, W "/s%u/d%u%s", round, i, rest);
	return path;
}

/* An answer from before the seal must not be taken for one of after it: that
 * would be remembered for ever.  In each round somebody else comes at another
 * time of the sealing. */
START_TEST(directories_first_seen_beside_a_seal)
{
	unsigned rounds = long_run() ? 200 : 10;
	pid_t pid;

	skip_unless(forget(), "the kernel lets nobody drop its names");
	make_attestation();
	for (unsigned r = 0; r < rounds; r++) {
		snprintf(sealing, sizeof sealing, W "/s%u", r);
		allowed(mkdir(sealing, 0755));
		for (unsigned i = 0; i < SEEN; i++) {
			allowed(mkdir(seen_path(r, i, ""), 0755));
			put(seen_path(r, i, "/f"), "x");
		}
		forget();
		pid = in_child(seal_it);
		usleep(r % 20 * 1000);
		for (unsigned i = 0; i < SEEN; i++)
			statx_of(seen_path(r, i, ""), 0);
		ck_assert_int_eq(0, child_ended(pid));
	}
	sleep(2); /* what was remembered for a moment only */
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned i = 0; i < SEEN; i++) {
			const char *path = seen_path(r, i, "");
			struct statx seen = statx_of(path, 0);
			struct statx real = statx_of(path, AT_STATX_FORCE_SYNC);

			ck_assert_msg(same(&seen, &real),
			    "%s is remembered wrongly", path);
		}
}
END_TEST

/* --- owners of directories, which are those of their attestations --------- */

#define OLD 1234
#define NEW 1235
static int open_dir = -1;
static const char *dir_path;

/* The kernel compares with the owner that it remembers.  A descriptor makes it
 * ask for nobody's name. */
static int
old_owner_is_refused(void)
{
	as(OLD);
	if (fchmod(open_dir, 0700) == 0 || errno != EPERM)
		return 1;
	return chmod(dir_path, 0700) < 0 && errno == EPERM ? 0 : 2;
}

static int
new_owner_changes_the_mode(void)
{
	as(NEW);
	return chmod(dir_path, 0750) < 0;
}

static int
new_owner_is_allowed(void)
{
	char path[64];

	if (new_owner_changes_the_mode() != 0)
		return 1;
	snprintf(path, sizeof path, "%s/new", dir_path);
	return mkdir(path, 0755) == 0 ? 0 : 2;
}

static int
old_owner_makes_none(void)
{
	char path[64];

	as(OLD);
	snprintf(path, sizeof path, "%s/old", dir_path);
	return mkdir(path, 0755) < 0 && errno == EACCES ? 0 : 1;
}

/* The kernel has just looked the name up, and remembers it for a moment. */
/* Directories that every user reaches. */
static void
make_ways(void)
{
	make_directories();
	allowed(chmod("mnt/t", 0755));
	allowed(chmod(A, 0755));
}

START_TEST(a_new_owner_of_an_attestation_owns_its_directories)
{
	make_ways();
	put(E "/f", "x");
	sync_dir("mnt");
	for (int i = 0; i < 2; i++) {
		dir_path = i == 0 ? D : E; /* with files in it, and without */
		allowed(chown(A, OLD, OLD));
		open_dir = open(dir_path, O_RDONLY | O_DIRECTORY);
		ck_assert_int_ge(open_dir, 0);
		ck_assert_uint_eq(OLD, statx_of(dir_path, 0).stx_uid);
		allowed(chown(A, NEW, NEW));
		ck_assert_int_eq(0,
		    child_ended(in_child(new_owner_is_allowed)));
		ck_assert_int_eq(0,
		    child_ended(in_child(old_owner_makes_none)));
		allowed(chown(A, OLD, OLD));
		(void)fstatx(open_dir, AT_STATX_FORCE_SYNC);
		allowed(chown(A, NEW, NEW));
		ck_assert_int_eq(0,
		    child_ended(in_child(old_owner_is_refused)));
		allowed(chmod(dir_path, 0777)); /* the way to the other */
		close(open_dir);
	}
}
END_TEST

START_TEST(a_new_owner_of_a_sealed_attestation_owns_its_directories)
{
	make_ways();
	put(D "/f", "x");
	allowed(chown(A, OLD, OLD));
	run(0, "trailctl seal " A);
	dir_path = D;
	open_dir = open(D, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(open_dir, 0);
	ck_assert_uint_eq(OLD, statx_of(D, AT_STATX_FORCE_SYNC).stx_uid);
	allowed(chown(A, NEW, NEW));
	ck_assert_int_eq(0, child_ended(in_child(new_owner_changes_the_mode)));
	ck_assert_int_eq(0, child_ended(in_child(old_owner_is_refused)));
	close(open_dir);
}
END_TEST

/* A directory that moves gets the owner of the other attestation. */
START_TEST(a_moved_directory_has_the_other_owner)
{
	make_ways();
	allowed(chown(A, OLD, OLD));
	allowed(mkdir(W "/c", 0755));
	allowed(chown(W "/c", NEW, NEW));
	open_dir = open(E, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(open_dir, 0);
	ck_assert_uint_eq(OLD, statx_of(E, 0).stx_uid);
	dir_path = W "/c/e";
	allowed(rename(E, dir_path));
	ck_assert_int_eq(0, child_ended(in_child(new_owner_is_allowed)));
	ck_assert_int_eq(0, child_ended(in_child(old_owner_makes_none)));
	ck_assert_int_eq(0, child_ended(in_child(old_owner_is_refused)));
	close(open_dir);
}
END_TEST

Suite *
suite_remembered(void)
{
	Suite *s = suite_create("remembered");
	TCase *t = mounted_case(s, "remembered");

	tcase_add_test(t, new_names_are_seen_at_once);
	tcase_add_test(t, directories_follow_their_attestation);
	tcase_add_test(t, directories_of_a_draft);
	tcase_add_test(t, renamed_files_are_seen_at_once);
	tcase_add_test(t, a_directory_that_moves_follows_the_other);
	tcase_add_test(t, seals_by_a_command_are_seen_at_once);
	tcase_add_test(t, a_file_just_made);
	tcase_add_test(t, seals_by_the_daemon_are_seen_at_once);
	tcase_add_test(t, directories_first_seen_beside_a_seal);
	tcase_add_test(t, a_new_owner_of_an_attestation_owns_its_directories);
	tcase_add_test(t,
	    a_new_owner_of_a_sealed_attestation_owns_its_directories);
	tcase_add_test(t, a_moved_directory_has_the_other_owner);
	return s;
}
