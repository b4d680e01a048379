/*
 * Answers of calls on names and files, held against those of the file system
 * that the test runs on.  In a draft attestation, where everything may be
 * changed, they are the same; where trailfs has rules of its own, other suites
 * look.
 */
#include <dirent.h>
#include <limits.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "harness.h"

/* "f" holds text, "e" nothing; "d" and "g" are empty, "n" holds n/f and n/s. */
static void
make_tree(const char *dir)
{
	run(0,
	    "mkdir -p %s && cd %s && printf text >f && : >e && mkdir -p d g"
	    " n/s && printf more >n/f",
	    dir, dir);
}

static char long_name[301]; /* a name of 300 bytes, which is too long */
static char fits[256];	    /* one of 255, which is not */

/* --- calls ------------------------------------------------------------- */

enum call {
	OPEN,
	RENAME,
	UNLINK,
	RMDIR,
	MKDIR,
	MKNOD,
	TRUNCATE,
	STAT,
	LSTAT,
	ACCESS,
	CHMOD,
	UTIMENS,
	LIST,
	CHDIR,
	READLINK,
	STATFS,
	CREATE_IN, /* open with O_CREAT below a name */
};

static int
do_rename(const char *a, const char *b, int flags)
{
	return renameat2(AT_FDCWD, a, AT_FDCWD, b, (unsigned)flags);
}

static int
do_list(const char *path)
{
	DIR *d = opendir(path);

	return d == NULL ? -1 : closedir(d);
}

static int
do_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : close(fd);
}

static int
do_call(enum call call, const char *a, const char *b, int flags)
{
	struct statvfs v;
	struct stat st;
	char to[16];

	switch (call) {
	case OPEN:
	case CREATE_IN:
		return do_open(a, flags);
	case RENAME:
		return do_rename(a, b, flags);
	case UNLINK:
		return unlink(a);
	case RMDIR:
		return rmdir(a);
	case MKDIR:
		return mkdir(a, 0755);
	case MKNOD:
		return mknod(a, S_IFREG | 0644, 0);
	case TRUNCATE:
		return truncate(a, flags);
	case STAT:
		return stat(a, &st);
	case LSTAT:
		return lstat(a, &st);
	case ACCESS:
		return access(a, flags);
	case CHMOD:
		return chmod(a, 0700);
	case UTIMENS:
		return utimensat(AT_FDCWD, a, NULL, 0);
	case LIST:
		return do_list(a);
	case CHDIR:
		return chdir(a);
	case READLINK:
		return readlink(a, to, sizeof to) < 0 ? -1 : 0;
	case STATFS:
		return statvfs(a, &v);
	}
	return -1;
}

#define LONG "\1" /* stands for long_name, alone or behind a directory */
#define FITS "\2"

static const struct {
	enum call call;
	const char *a, *b;
	int flags;
} rows[] = {
	/* Names that are too long. */
	{ STAT, LONG, NULL, 0 },
	{ LSTAT, "d/" LONG, NULL, 0 },
	{ LSTAT, LONG "/f", NULL, 0 },
	{ ACCESS, LONG, NULL, F_OK },
	{ OPEN, LONG, NULL, O_RDONLY },
	{ OPEN, LONG, NULL, O_WRONLY | O_CREAT },
	{ UNLINK, LONG, NULL, 0 },
	{ RMDIR, LONG, NULL, 0 },
	{ MKDIR, LONG, NULL, 0 },
	{ MKNOD, LONG, NULL, 0 },
	{ TRUNCATE, LONG, NULL, 0 },
	{ CHMOD, LONG, NULL, 0 },
	{ UTIMENS, LONG, NULL, 0 },
	{ LIST, LONG, NULL, 0 },
	{ CHDIR, LONG, NULL, 0 },
	{ READLINK, LONG, NULL, 0 },
	{ STATFS, LONG, NULL, 0 },
	{ RENAME, LONG, "x", 0 },
	{ RENAME, "f", LONG, 0 },
	{ RENAME, "d", LONG, 0 },
	{ RENAME, "absent", LONG, 0 },
	{ RENAME, "f", LONG, RENAME_NOREPLACE },
	{ STAT, FITS, NULL, 0 },
	{ UNLINK, FITS, NULL, 0 },
	{ OPEN, FITS, NULL, O_WRONLY | O_CREAT },
	{ RENAME, "f", FITS, 0 },
	/* Directories where files are meant, and the other way. */
	{ OPEN, "f", NULL, O_RDONLY | O_DIRECTORY },
	{ OPEN, "d", NULL, O_RDONLY | O_DIRECTORY },
	{ OPEN, "d", NULL, O_WRONLY },
	{ OPEN, "d", NULL, O_RDWR },
	{ OPEN, "d", NULL, O_RDONLY | O_TRUNC },
	{ OPEN, "d", NULL, O_RDONLY | O_CREAT },
	{ OPEN, "f", NULL, O_WRONLY | O_CREAT | O_EXCL },
	{ OPEN, "d", NULL, O_WRONLY | O_CREAT | O_EXCL },
	{ OPEN, "absent", NULL, O_RDONLY | O_DIRECTORY },
	{ OPEN, "absent", NULL, O_RDWR },
	{ OPEN, "", NULL, O_RDONLY },
	{ CREATE_IN, "f/x", NULL, O_WRONLY | O_CREAT },
	{ CREATE_IN, "absent/x", NULL, O_WRONLY | O_CREAT },
	{ UNLINK, "d", NULL, 0 },
	{ UNLINK, "n", NULL, 0 },
	{ UNLINK, "absent", NULL, 0 },
	{ UNLINK, "f/x", NULL, 0 },
	{ UNLINK, ".", NULL, 0 },
	{ UNLINK, "", NULL, 0 },
	{ RMDIR, "f", NULL, 0 },
	{ RMDIR, "n", NULL, 0 },
	{ RMDIR, "d", NULL, 0 },
	{ RMDIR, ".", NULL, 0 },
	{ RMDIR, "d/.", NULL, 0 },
	{ RMDIR, "d/..", NULL, 0 },
	{ RMDIR, "absent", NULL, 0 },
	{ MKDIR, "f", NULL, 0 },
	{ MKDIR, "d", NULL, 0 },
	{ MKDIR, ".", NULL, 0 },
	{ MKDIR, "f/x", NULL, 0 },
	{ MKDIR, "absent/x", NULL, 0 },
	{ MKNOD, "f", NULL, 0 },
	{ MKNOD, "d/x", NULL, 0 },
	{ TRUNCATE, "d", NULL, 0 },
	{ TRUNCATE, "f", NULL, 2 },
	{ TRUNCATE, "f", NULL, -1 },
	{ TRUNCATE, "absent", NULL, 0 },
	{ LIST, "f", NULL, 0 },
	{ CHDIR, "f", NULL, 0 },
	{ STAT, "f/x", NULL, 0 },
	{ STAT, "f/.", NULL, 0 },
	{ STAT, "f/..", NULL, 0 },
	{ READLINK, "f", NULL, 0 },
	{ READLINK, "d", NULL, 0 },
	/* Slashes behind. */
	{ STAT, "f/", NULL, 0 },
	{ STAT, "d//", NULL, 0 },
	{ OPEN, "f/", NULL, O_RDONLY },
	{ OPEN, "x/", NULL, O_WRONLY | O_CREAT },
	{ OPEN, "d/", NULL, O_RDONLY },
	{ UNLINK, "f/", NULL, 0 },
	{ UNLINK, "d/", NULL, 0 },
	{ RMDIR, "d/", NULL, 0 },
	{ RMDIR, "f/", NULL, 0 },
	{ MKDIR, "x/", NULL, 0 },
	{ MKNOD, "x/", NULL, 0 },
	{ RENAME, "f/", "x", 0 },
	{ RENAME, "f", "x/", 0 },
	{ RENAME, "d/", "x/", 0 },
	{ RENAME, "d", "x/", 0 },
	/* Renaming. */
	{ RENAME, "f", "x", 0 },
	{ RENAME, "f", "e", 0 },
	{ RENAME, "f", "f", 0 },
	{ RENAME, "d", "d", 0 },
	{ RENAME, "f", "f", RENAME_NOREPLACE },
	{ RENAME, "f", "e", RENAME_NOREPLACE },
	{ RENAME, "d", "g", RENAME_NOREPLACE },
	{ RENAME, "d", "x", 0 },
	{ RENAME, "d", "g", 0 },
	{ RENAME, "n", "g", 0 },
	{ RENAME, "d", "n/s", 0 },
	{ RENAME, "n/s", "d", 0 },
	{ RENAME, "d", "n", 0 },
	{ RENAME, "f", "d", 0 },
	{ RENAME, "f", "n", 0 },
	{ RENAME, "d", "f", 0 },
	{ RENAME, "n", "f", 0 },
	{ RENAME, "n", "n/s", 0 },
	{ RENAME, "n", "n/s/x", 0 },
	{ RENAME, "n", "n/x", 0 },
	{ RENAME, "n/s", "n", 0 },
	{ RENAME, "n/f", "n", 0 },
	{ RENAME, "absent", "x", 0 },
	{ RENAME, "absent", "f", 0 },
	{ RENAME, "absent", "absent", 0 },
	{ RENAME, "f", "absent/x", 0 },
	{ RENAME, "f", "e/x", 0 },
	{ RENAME, "f/x", "x", 0 },
	{ RENAME, ".", "x", 0 },
	{ RENAME, "d/.", "x", 0 },
	{ RENAME, "d", ".", 0 },
	{ RENAME, "d", "..", 0 },
	{ RENAME, "f", "", 0 },
	{ RENAME, "f", "n/f", 0 },
	{ RENAME, "f", "n/x", 0 },
	{ RENAME, "f", "x", 1u << 20 },
	{ RENAME, "f", "x", RENAME_NOREPLACE | RENAME_EXCHANGE },
};

/* The path with its long names; good until the next but one. */
static const char *
spelt(const char *path)
{
	static char out[2][2 * PATH_MAX];
	static int turn;
	char *p = out[turn = 1 - turn];
	size_t n = 0;

	for (; *path != '\0'; path++)
		n += (size_t)sprintf(p + n, "%s%s",
		    *path == LONG[0]	 ? long_name :
			*path == FITS[0] ? fits :
					   "",
		    *path == LONG[0] || *path == FITS[0] ?
			"" :
			(char[]){ *path, '\0' });
	p[n] = '\0';
	return p;
}

/* What the call answers in dir. */
static int
answer_in(const char *dir, int i)
{
	const char *b = rows[i].b == NULL ? NULL : spelt(rows[i].b);
	int top = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), sys;

	ck_assert_int_ge(top, 0);
	allowed(chdir(dir));
	errno = 0;
	sys = do_call(rows[i].call, spelt(rows[i].a), b, rows[i].flags) < 0 ?
	    errno :
	    0;
	allowed(fchdir(top));
	close(top);
	return sys;
}

static char *
names_in(const char *dir)
{
	return strdup(run(0,
	    "cd %s && find . -printf '%%p %%y %%s\\n' | sed '/ d /s/[0-9]*$//'"
	    " | sort",
	    dir));
}

static void
compare_row(int i)
{
	char in_here[32], in_there[32];
	char *names_here, *names_there;
	int here, there;

	snprintf(in_here, sizeof in_here, "here%d", i);
	snprintf(in_there, sizeof in_there, W "/.d%d", i);
	make_tree(in_here);
	make_tree(in_there);
	here = answer_in(in_here, i);
	there = answer_in(in_there, i);
	ck_assert_msg(here == there, "row %d, %s %s: %s, here %s", i, rows[i].a,
	    rows[i].b == NULL ? "" : rows[i].b, errno_name(there),
	    errno_name(here));
	names_here = names_in(in_here);
	names_there = names_in(in_there);
	ck_assert_str_eq(names_here, names_there);
	free(names_here);
	free(names_there);
}

#define AT_ONCE 20 /* rows that share a mount */

/* Loop test. */
START_TEST(answers_are_those_of_other_file_systems)
{
	memset(long_name, 'n', sizeof long_name - 1);
	memset(fits, 'm', sizeof fits - 1);
	make_attestation();
	for (int i = _i * AT_ONCE; i < (_i + 1) * AT_ONCE; i++)
		if (i < (int)LEN(rows))
			compare_row(i);
}
END_TEST

/* In trails and workflows, and in .trailfs, a name is no longer either. */
START_TEST(a_long_name_is_too_long_everywhere)
{
	static const char *const dirs[] = { "mnt", "mnt/t", W, A, A "/.trailfs",
		"mnt/.trailfs", W "/.trailfs", A "/.trailfs/proof" };
	char path[512];
	struct stat st;

	memset(long_name, 'n', sizeof long_name - 1);
	make_attestation();
	put(A "/f.tmp", "x");
	for (size_t i = 0; i < LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s/%s", dirs[i], long_name);
		refused(ENAMETOOLONG, stat(path, &st));
		refused(ENAMETOOLONG, lstat(path, &st));
		refused(ENAMETOOLONG, access(path, F_OK));
		refused(ENAMETOOLONG, unlink(path));
		refused(ENAMETOOLONG, rmdir(path));
		refused(ENAMETOOLONG, mkdir(path, 0755));
		refused(ENAMETOOLONG, rename(path, A "/x"));
		refused(ENAMETOOLONG, rename(A "/f.tmp", path));
		refused(ENAMETOOLONG, try_open(path, O_RDONLY));
		refused(ENAMETOOLONG, try_open(path, O_WRONLY | O_CREAT));
	}
}
END_TEST

/* --- directories onto directories ---------------------------------------- */

START_TEST(an_empty_directory_is_replaced_by_another)
{
	make_attestation();
	allowed(mkdir(A "/d", 0755));
	allowed(mkdir(A "/g", 0755));
	allowed(mkdir(A "/n", 0755));
	put(A "/n/f.tmp", "x");
	run(0, "mv -T " A "/d " A "/g");
	ck_assert(!exists(A "/d"));
	refused(ENOTEMPTY, rename(A "/g", A "/n"));
	allowed(rename(A "/n", A "/g"));
	holds(A "/g/f.tmp", "x");
	ck_assert(!exists(A "/n"));
	remount_vault();
	holds(A "/g/f.tmp", "x");
	allowed(rename(A "/g/f.tmp", A "/g/f"));
	/* Now its name is in the ledger. */
	allowed(mkdir(A "/d", 0755));
	refused(EPERM, rename(A "/d", A "/g"));
	refused(EPERM, rename(A "/g", A "/d"));
	/* Draft attestations. */
	allowed(mkdir(W "/.x", 0755));
	allowed(mkdir(W "/.y", 0755));
	put(W "/.x/f", "x");
	refused(ENOTEMPTY, rename(W "/.y", W "/.x"));
	allowed(rename(W "/.x", W "/.y"));
	holds(W "/.y/f", "x");
	crash_vault();
	mount_vault("settle=60");
	holds(W "/.y/f", "x");
	ck_assert(!exists(W "/.x"));
	/* An attestation gives way to nothing. */
	allowed(mkdir(W "/b", 0755));
	refused(EPERM, rename(W "/.y", W "/b"));
	refused(EPERM, rename(W "/b", W "/.z"));
}
END_TEST

/* --- files that have no name any more ------------------------------------ */

static nlink_t
links_of(int fd)
{
	struct stat st;

	allowed(fstat(fd, &st));
	return st.st_nlink;
}

START_TEST(a_deleted_file_has_no_links)
{
	int fd, other, reader;

	make_attestation();
	fd = begin(A "/f.tmp");
	add(fd, "text");
	reader = open(A "/f.tmp", O_RDONLY);
	ck_assert_uint_eq(1, links_of(fd));
	allowed(unlink(A "/f.tmp"));
	ck_assert_uint_eq(0, links_of(fd));
	ck_assert_uint_eq(0, links_of(reader));
	add(fd, " more");
	ck_assert_uint_eq(0, links_of(fd));
	allowed(close(fd));
	ck_assert_uint_eq(0, links_of(reader));
	allowed(close(reader));
	/* What was replaced as well. */
	fd = begin(A "/g.tmp");
	other = begin(A "/h.tmp");
	add(other, "x");
	allowed(rename(A "/h.tmp", A "/g.tmp"));
	ck_assert_uint_eq(0, links_of(fd));
	ck_assert_uint_eq(1, links_of(other));
	allowed(close(fd));
	allowed(close(other));
}
END_TEST

/* A removed directory that is open, and one that another took the place of. */
START_TEST(a_removed_directory_has_no_links)
{
	struct stat before, st;
	int top, fd, other;

	make_attestation();
	allowed(mkdir(A "/d", 0750));
	allowed(mkdir(A "/d/e", 0700));
	top = open(A "/d", O_RDONLY | O_DIRECTORY);
	fd = open(A "/d/e", O_RDONLY | O_DIRECTORY);
	other = open(A "/d/e", O_RDONLY | O_DIRECTORY);
	allowed(fstat(fd, &before));
	allowed(rmdir(A "/d/e"));
	allowed(rmdir(A "/d"));
	ck_assert_uint_eq(0, links_of(top));
	allowed(fstat(fd, &st));
	ck_assert_uint_eq(0, st.st_nlink);
	ck_assert_uint_eq(before.st_ino, st.st_ino);
	ck_assert_uint_eq(before.st_mode, st.st_mode);
	allowed(fchmod(fd, 0500));
	allowed(fstat(fd, &st));
	ck_assert_uint_eq(S_IFDIR | 0500, st.st_mode);
	refused(ENOENT, mkdirat(fd, "x", 0700));
	refused(ENOENT, openat(fd, "x", O_CREAT | O_WRONLY, 0600));
	allowed(close(fd));
	ck_assert_uint_eq(0, links_of(other));
	allowed(close(other));
	allowed(close(top));
	/* What was replaced as well. */
	allowed(mkdir(A "/g", 0750));
	allowed(mkdir(A "/h", 0750));
	fd = open(A "/g", O_RDONLY | O_DIRECTORY);
	allowed(rename(A "/h", A "/g"));
	ck_assert_uint_eq(0, links_of(fd));
	allowed(close(fd));
	/* The names are free, and nothing comes back. */
	allowed(mkdir(A "/d", 0750));
	remount_vault();
	refused(ENOENT, access(A "/d/e", F_OK));
	refused(ENOENT, access(A "/h", F_OK));
}
END_TEST

/* --- files that are too large --------------------------------------------- */

#define MOST ((off_t)1 << 53)

START_TEST(a_size_beyond_the_maximum_is_efbig)
{
	int fd;

	unmount_vault();
	mount_vault(_i == 0 ? "settle=60" : "settle=60,max_file=1M");
	off_t most = _i == 0 ? MOST - 1 : 1 << 20;

	make_attestation();
	put(A "/f", "text");
	put(A "/e", "");
	put(A "/f.tmp", "text");
	refused(EFBIG, truncate(A "/f.tmp", most + 1));
	refused(EFBIG, truncate(A "/f", most + 1));
	refused(EFBIG, truncate(A "/e", most + 1));
	refused(EFBIG, truncate(A "/f.tmp", INT64_MAX));
	fd = begin(A "/g.tmp");
	refused(EFBIG, ftruncate(fd, most + 1));
	refused(EFBIG, fallocate(fd, 0, most, 1));
	refused(EFBIG, fallocate(fd, FALLOC_FL_KEEP_SIZE, most, 1));
	refused(EFBIG, fallocate(fd, 0, 0, INT64_MAX));
	add(fd, "good");
	allowed(close(fd));
	holds(A "/g.tmp", "good");
	fd = begin_both(A "/h.tmp");
	refused(EFBIG, pwrite(fd, "x", 1, most));
	(void)close(fd);
	holds(A "/f.tmp", "text");
}
END_TEST

static const char *bytes; /* the child must not write to Check's file */

static int
write_beyond_the_limit(void)
{
	struct rlimit l = { 1000, 1000 };
	int fd;

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &l) < 0 ||
	    (fd = open(A "/f", O_WRONLY | O_CREAT | O_EXCL, 0644)) < 0)
		return 1;
	if (pwrite(fd, "x", 1, 1000) != -1 || errno != EFBIG)
		return 2;
	if (ftruncate(fd, 1001) != -1 || errno != EFBIG)
		return 3;
	if (write(fd, bytes, 2000) != 1000)
		return 4;
	return close(fd) < 0 ? 5 : 0;
}

START_TEST(a_limit_of_the_process_is_the_kernels)
{
	make_attestation();
	bytes = noise(2000, 1);
	ck_assert_int_eq(0, child_ended(in_child(write_beyond_the_limit)));
	has_state(A "/f", "frozen");
	ck_assert_int_eq(1000, stat_of(A "/f").st_size);
}
END_TEST

Suite *
suite_posix(void)
{
	Suite *s = suite_create("posix");
	TCase *t = mounted_case(s, "posix");

	tcase_add_loop_test(t, answers_are_those_of_other_file_systems, 0,
	    (LEN(rows) + AT_ONCE - 1) / AT_ONCE);
	tcase_add_test(t, a_long_name_is_too_long_everywhere);
	tcase_add_test(t, an_empty_directory_is_replaced_by_another);
	tcase_add_test(t, a_deleted_file_has_no_links);
	tcase_add_test(t, a_removed_directory_has_no_links);
	tcase_add_loop_test(t, a_size_beyond_the_maximum_is_efbig, 0, 2);
	tcase_add_test(t, a_limit_of_the_process_is_the_kernels);
	return s;
}
