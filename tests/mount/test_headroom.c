/* One user fills the disk, or max_store, in every way that there is: the others
 * go on, and everything that was accepted is sealed. */
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "core/base/bytes.h"
#include "core/control.h"
#include "harness.h"

#define MIB ((size_t)1 << 20)
#define ALICES "mnt/t/alice"
#define BOBS "mnt/t/bob"

static void
begin_on(const char *disk, const char *options)
{
	run(0, "rm -rf store && mkdir store");
	allowed(mount("tmpfs", "store", "tmpfs", 0, disk));
	run(0, "trailctl init --origin example.org/small store");
	mount_vault(options);
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(mkdir(ALICES, 0755));
	allowed(mkdir(BOBS, 0755));
	allowed(chown(ALICES, ALICE, ALICE));
	allowed(chown(BOBS, BOB, BOB));
	as(ALICE);
	allowed(mkdir(ALICES "/a", 0755));
	as(BOB);
	allowed(mkdir(BOBS "/a", 0755));
	put(BOBS "/a/early", "before the flood");
}

/* --- ways to fill it ------------------------------------------------------- */

/* A part of a write is no answer: the rest of it is refused. */
static int
write_all(int fd, const char *text, size_t n)
{
	ssize_t did = 1;
	int sys;

	for (size_t at = 0; at < n && did > 0; at += (size_t)did)
		did = write(fd, text + at, n - at);
	if (did > 0)
		return close(fd);
	sys = errno;
	(void)close(fd);
	errno = sys;
	return -1;
}

static int
write_long(unsigned n)
{
	static char text[256 * 1024];
	char path[64];
	int fd;

	snprintf(path, sizeof path, ALICES "/a/%u", n);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return -1;
	memcpy(text, &n, sizeof n);
	return write_all(fd, text, sizeof text);
}

static int
write_short(unsigned n)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, ALICES "/a/%u", n);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return -1;
	return write_all(fd, path, strlen(path));
}

static int
make_directory(unsigned n)
{
	char path[64];

	snprintf(path, sizeof path, ALICES "/%u", n);
	return mkdir(path, 0755);
}

static int
change_mode(unsigned n)
{
	(void)n;
	return chmod(ALICES, (stat_of(ALICES).st_mode & 07777) ^ 1);
}

static int
set_attribute(unsigned n)
{
	char value[200];

	memset(value, 'a' + (int)(n % 26), sizeof value);
	memcpy(value, &n, sizeof n);
	for (size_t i = 0; i < sizeof n; i++)
		value[i] = (char)('a' + (n >> (4 * i)) % 16);
	return setxattr(ALICES, "user.trailfs.annotation.note", value,
	    sizeof value, 0);
}

static int
make_draft(unsigned n)
{
	static char text[64 * 1024];
	char path[64];
	int fd;

	snprintf(path, sizeof path, ALICES "/a/%u.tmp", n);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	if (fd < 0)
		return -1;
	return write_all(fd, text, sizeof text);
}

/* The root and the size of the tree of a recent checkpoint. */
static void
tree_now(struct tf_ioc_package *made)
{
	char *line[3], *text;

	as(0);
	text = content("mnt/.trailfs/checkpoint", NULL);
	as(ALICE);
	for (size_t i = 0; i < LEN(line); i++)
		line[i] = strsep(&text, "\n");
	made->tree_size = strtoull(line[1], NULL, 10);
	ck_assert(tf_unbase64_exact(line[2], strlen(line[2]), made->root,
	    sizeof made->root));
}

/* Say that a package was made. */
static int
say_packaged(unsigned n)
{
	static struct tf_ioc_package made;
	int dir = open(ALICES, O_RDONLY | O_DIRECTORY), rc, sys;

	if (made.tree_size == 0)
		tree_now(&made);
	made.size = n;
	rc = ioctl(dir, TF_IOC_PACKAGED, &made);
	sys = errno;
	close(dir);
	errno = sys;
	return rc;
}

static const struct {
	const char *how;
	int (*take)(unsigned n);
} ways[] = {
	{ "long files", write_long },
	{ "short files", write_short },
	{ "directories", make_directory },
	{ "modes", change_mode },
	{ "attributes", set_attribute },
	{ "drafts", make_draft },
	{ "packages", say_packaged },
};

/* Behind the daemon's back, to this much above the reserve for sealing. */
static void
fill_disk(size_t but)
{
	static char zeros[65536];
	int fd = open("store/filler", O_WRONLY | O_CREAT | O_APPEND, 0600);
	struct statvfs s;
	size_t n;

	while (statvfs("store", &s) == 0 &&
	    (n = (size_t)s.f_bavail * s.f_frsize) > but) {
		n = n - but < sizeof zeros ? n - but : sizeof zeros;
		if (write(fd, zeros, n) < 0)
			break;
	}
	close(fd);
	usleep(300000); /* a reading of the free space is valid for 200 ms */
}

/* What an ordinary user does. */
static void
bob_works(const char *name)
{
	char path[64];

	as(BOB);
	snprintf(path, sizeof path, BOBS "/a/%s", name);
	put(path, "others still write");
	snprintf(path, sizeof path, BOBS "/%s", name);
	allowed(mkdir(path, 0700));
	allowed(chmod(path, 0755));
	allowed(setxattr(path, "user.trailfs.annotation.by", "bob", 3, 0));
	snprintf(path, sizeof path, BOBS "/a/%s.tmp", name);
	put(path, "a draft");
	allowed(setxattr(path, "user.x", "y", 1, 0));
	allowed(unlink(path));
}

static unsigned
take_all(int (*take)(unsigned), int sys)
{
	unsigned n = 0;

	while (take(n) == 0)
		ck_assert_uint_lt(++n, 20000);
	ck_assert_msg(errno == sys, "%s, not %s", errno_name(errno),
	    errno_name(sys));
	return n;
}

static void
all_is_sealed(void)
{
	as(0);
	(void)unlink("store/filler"); /* it is no part of a store */
	sync_dir("mnt");
	ck_assert_uint_eq(0,
	    (unsigned)atoi(run(0,
		"find mnt/t -type f ! -name '*.part' ! -name '*.tmp' | "
		"while read -r f; do [ \"$(getfattr --only-values -n "
		"user.trailfs.state $f)\" = sealed ] || echo $f; done | "
		"wc -l")));
	holds(BOBS "/a/early", "before the flood");
	unmount_vault();
	verify(0);
}

/* Loop test. */
START_TEST(who_fills_the_disk_leaves_room_for_others)
{
	begin_on("size=160m", "settle=60,max_unsealed=0");
	as(0);
	fill_disk(25 * MIB);
	as(ALICE);
	(void)take_all(ways[_i].take, EDQUOT);
	answers(EDQUOT, ways[_i].take(999999));
	bob_works("one");
	as(ALICE);
	answers(EDQUOT, ways[_i].take(999998));
	bob_works("two");
	/* Root sees to it that there is room. */
	as(0);
	put(A "/root", "root goes on");
	allowed(unlink("store/filler"));
	usleep(300000); /* as fill_disk() */
	as(ALICE);
	allowed(ways[_i].take(999997));
	as(0);
	remount_vault();
	all_is_sealed();
}
END_TEST

START_TEST(the_reason_is_said)
{
	begin_on("size=160m", "settle=60,max_unsealed=0");
	as(0);
	fill_disk(25 * MIB);
	as(ALICE);
	(void)take_all(write_long, EDQUOT);
	/* For trailctl why, and only for her. */
	says(content("mnt/.trailfs/denied.jsonl", NULL),
	    "has had its share of the last");
	as(BOB);
	says_not(content("mnt/.trailfs/denied.jsonl", NULL), "share");
	as(0);
	says(content("log", NULL), "the rest is for others");
}
END_TEST

/* Everybody takes a share: then the disk is full, for all but root. */
START_TEST(users_share_what_is_left)
{
	unsigned mine, theirs;
	char path[64];
	int fd;

	begin_on("size=160m", "settle=60,max_unsealed=0");
	as(0);
	fill_disk(25 * MIB);
	as(ALICE);
	mine = take_all(write_short, EDQUOT);
	as(BOB);
	for (theirs = 0; theirs < 200000; theirs++) {
		snprintf(path, sizeof path, BOBS "/a/%u", theirs);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			break;
		ck_assert_int_eq(1, write(fd, "x", 1));
		allowed(close(fd));
	}
	ck_assert_int_eq(EDQUOT, errno);
	ck_assert_uint_gt(theirs, 20);
	ck_assert_uint_gt(mine, theirs); /* and what was no head-room */
	all_is_sealed();
}
END_TEST

/* Loop test: the ways that add to the size of the store. */
START_TEST(who_fills_max_store_leaves_room_for_others)
{
	int fd;

	begin_on("size=256m", "settle=60,max_unsealed=0,max_store=20M");
	as(0);
	fd = begin(A "/most");
	allowed(ftruncate(fd, (off_t)(18 * MIB + 768 * 1024)));
	allowed(close(fd));
	as(ALICE);
	(void)take_all(ways[_i].take, EDQUOT);
	bob_works("one");
	as(ALICE);
	answers(EDQUOT, ways[_i].take(999998));
	bob_works("two");
	as(0);
	remount_vault();
	all_is_sealed();
}
END_TEST

START_TEST(who_takes_the_inodes_leaves_some_for_others)
{
	begin_on("size=256m,nr_inodes=1000", "settle=60,max_unsealed=0");
	as(ALICE);
	(void)take_all(write_long, EDQUOT);
	bob_works("one");
	as(BOB);
	put_bytes(BOBS "/a/long", noise(100000, 3), 100000);
	all_is_sealed();
}
END_TEST

static int
seal_report(void)
{
	int dir = open(ALICES "/tests", O_RDONLY | O_DIRECTORY), rc, sys;

	rc = ioctl(dir, TF_IOC_SEAL);
	sys = errno;
	close(dir);
	errno = sys;
	return rc;
}

/* A report is made at the seal, and may be longer than what it is about. */
START_TEST(the_report_about_evidence_needs_space_too)
{
	static char xml[20000];

	begin_on("size=160m", "settle=0,max_unsealed=0");
	as(ALICE);
	allowed(mkdir(ALICES "/tests", 0755));
	allowed(setxattr(ALICES "/tests", "user.trailfs.type", "junit", 5, 0));
	strcpy(xml, "<testsuite>");
	for (int i = 0; i < 300; i++)
		sprintf(xml + strlen(xml),
		    "<testcase name='case %d'><failure/></testcase>", i);
	put(ALICES "/tests/r.xml", strcat(xml, "</testsuite>"));
	as(0);
	fill_disk(25 * MIB);
	as(ALICE);
	(void)take_all(write_short, EDQUOT);
	answers(EDQUOT, seal_report());
	has_state(ALICES "/tests/r.xml", "sealed");
	bob_works("one");
	as(0);
	allowed(unlink("store/filler"));
	usleep(300000); /* as fill_disk() */
	as(ALICE);
	allowed(seal_report());
	has_state(ALICES "/tests", "sealed");
	all_is_sealed();
}
END_TEST

/* --- directories in which nothing is ----------------------------------------- */

START_TEST(empty_directories_count_for_their_maker)
{
	begin_on("size=96m", "settle=60,max_unsealed=20");
	as(ALICE);
	ck_assert_uint_eq(19, take_all(make_directory, EDQUOT)); /* and a */
	answers(EDQUOT, write_short(1));
	bob_works("one");
	as(0);
	allowed(chown(ALICES "/1", BOB, BOB)); /* who made it is who counts */
	as(ALICE);
	answers(EDQUOT, make_directory(1000));
	/* Something is in it now, or it will stay as it is. */
	as(0);
	put(ALICES "/2/f", "x");
	allowed(chmod(ALICES "/3", 0555));
	sync_dir(ALICES);
	as(ALICE);
	allowed(make_directory(1000));
	answers(EDQUOT, make_directory(1002));
	/* A start begins with none. */
	as(0);
	remount_vault();
	as(ALICE);
	allowed(make_directory(1002));
	all_is_sealed();
}
END_TEST

/* Pending names count, also after a restart, and for the owner whom root gives
 * them. */
START_TEST(directories_that_are_not_sealed_count)
{
	char path[64];

	begin_on("size=96m", "settle=60,max_unsealed=20");
	as(ALICE);
	put(ALICES "/a/x.tmp", "a draft");
	for (int i = 0; i < 19; i++) {
		snprintf(path, sizeof path,
		    i % 2 ? ALICES "/a/d%d" : ALICES "/.draft%d", i);
		allowed(mkdir(path, 0755));
	}
	refused(EDQUOT, mkdir(ALICES "/a/more", 0755));
	refused(EDQUOT, mkdir(ALICES "/.more", 0755));
	as(0);
	remount_vault();
	as(ALICE);
	refused(EDQUOT, mkdir(ALICES "/a/more", 0755));
	as(0);
	allowed(chown(ALICES "/a/x.tmp", BOB, BOB));
	as(ALICE);
	allowed(mkdir(ALICES "/a/more", 0755));
	refused(EDQUOT, mkdir(ALICES "/a/most", 0755));
	all_is_sealed();
}
END_TEST

/* Root has the limits of names, and no share of the last space. */
START_TEST(limits_of_names_are_those_of_root_too)
{
	char name[64] = W "/first";

	begin_on("size=96m", "settle=60,max_unsealed=10");
	as(0);
	for (int i = 0; mkdir(name, 0755) == 0; i++) {
		ck_assert_int_lt(i, 10);
		snprintf(name, sizeof name, W "/d%d", i);
	}
	ck_assert_int_eq(EDQUOT, errno);
	bob_works("one");
	all_is_sealed();
}
END_TEST

Suite *
suite_headroom(void)
{
	Suite *s = suite_create("headroom");
	TCase *t = stored_case(s, "headroom");

	tcase_add_loop_test(t, who_fills_the_disk_leaves_room_for_others, 0,
	    (int)LEN(ways));
	tcase_add_test(t, the_reason_is_said);
	tcase_add_test(t, the_report_about_evidence_needs_space_too);
	tcase_add_test(t, users_share_what_is_left);
	tcase_add_loop_test(t, who_fills_max_store_leaves_room_for_others, 0,
	    (int)LEN(ways));
	tcase_add_test(t, who_takes_the_inodes_leaves_some_for_others);
	tcase_add_test(t, empty_directories_count_for_their_maker);
	tcase_add_test(t, directories_that_are_not_sealed_count);
	tcase_add_test(t, limits_of_names_are_those_of_root_too);
	return s;
}
