/* Nodes stay who they are, and listings miss none. */
#include <dirent.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#include "harness.h"

#define FILES (long_run() ? 100000u : 8000u)

static void
same_identity(const struct stat *a, const struct stat *b, bool times)
{
	ck_assert_uint_eq(a->st_ino, b->st_ino);
	ck_assert_uint_eq(a->st_mode, b->st_mode);
	ck_assert_uint_eq(a->st_nlink, b->st_nlink);
	ck_assert_uint_eq(a->st_uid, b->st_uid);
	ck_assert_uint_eq(a->st_gid, b->st_gid);
	ck_assert_int_eq(a->st_size, b->st_size);
	ck_assert_int_eq(a->st_blocks, b->st_blocks);
	if (!times)
		return;
	ck_assert_int_eq(a->st_mtim.tv_sec, b->st_mtim.tv_sec);
	ck_assert_int_eq(a->st_mtim.tv_nsec, b->st_mtim.tv_nsec);
	ck_assert_int_eq(a->st_ctim.tv_sec, b->st_ctim.tv_sec);
	ck_assert_int_eq(a->st_ctim.tv_nsec, b->st_ctim.tv_nsec);
}

START_TEST(attributes_of_sealed_evidence_never_change)
{
	static const char *const paths[] = { "mnt", "mnt/t", W, A, A "/d",
		A "/f", A "/d/big" };
	struct stat before[LEN(paths)];

	make_attestation();
	allowed(mkdir(A "/d", 0755));
	put(A "/f", "text");
	put_bytes(A "/d/big", noise(200000, 2), 200000);
	sync_dir("mnt");
	for (size_t i = 0; i < LEN(paths); i++)
		before[i] = stat_of(paths[i]);
	content(A "/f", NULL);
	content(A "/d/big", NULL);
	run(0, "ls -lR mnt && trailctl verify store && trailctl show " A "/f");
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < LEN(paths); i++) {
			struct stat now = stat_of(paths[i]);

			same_identity(&before[i], &now, true);
		}
		if (round == 0) {
			remount_vault();
		} else if (round == 1) {
			crash_vault();
			mount_vault("settle=0");
		}
	}
	/* Sealing what is above changes that, not the evidence. */
	allowed(chmod(A, 0555));
	for (size_t i = 5; i < LEN(paths); i++) {
		struct stat now = stat_of(paths[i]);

		same_identity(&before[i], &now, true);
	}
}
END_TEST

START_TEST(sealing_changes_neither_number_nor_times)
{
	struct stat frozen, sealed;

	make_attestation();
	put(A "/f", "text");
	frozen = stat_of(A "/f");
	sync_dir("mnt");
	sealed = stat_of(A "/f");
	same_identity(&frozen, &sealed, true);
	put(A "/g.tmp", "text");
	frozen = stat_of(A "/g.tmp");
	allowed(rename(A "/g.tmp", A "/g"));
	sealed = stat_of(A "/g");
	same_identity(&frozen, &sealed, false);
	ck_assert_int_eq(frozen.st_mtim.tv_sec, sealed.st_mtim.tv_sec);
	ck_assert_int_eq(frozen.st_mtim.tv_nsec, sealed.st_mtim.tv_nsec);
}
END_TEST

/* A program that has seen a number may believe it for ever. */
/* The time of change of a directory is that of this entry. */
static void
changed_by(const char *dir, const char *type, const char *path)
{
	const struct timespec t = stat_of(dir).st_mtim;
	char at[64];
	size_t n = strftime(at, sizeof at, "\"at\":\"%Y-%m-%dT%H:%M:%S",
	    gmtime(&t.tv_sec));

	snprintf(at + n, sizeof at - n, ".%09ldZ\"", t.tv_nsec);
	says(entry(type, path), at);
}

START_TEST(a_directory_changes_with_the_entries_in_it)
{
	const struct timespec long_ago[2] = { { 1, 0 }, { 1, 0 } };

	make_attestation();
	changed_by("mnt/t", "workflow.begun", "t/w");
	allowed(mkdir(A "/d", 0755));
	put_sealed(A "/d/f", "text");
	put_sealed(A "/f", "text");
	put_sealed(A "/d/g", "text");
	for (int i = 0; i < 2; i++) {
		changed_by(W, "attestation.begun", "t/w/a");
		changed_by(A, "evidence.sealed", "t/w/a/f");
		changed_by(A "/d", "evidence.sealed", "t/w/a/d/g");
		allowed(utimensat(AT_FDCWD, A, long_ago, 0));
		allowed(utimensat(AT_FDCWD, A "/d", NULL, 0));
		if (i == 0)
			remount_vault();
	}
	changed_by(A, "evidence.sealed", "t/w/a/f");
	changed_by(A "/d", "evidence.sealed", "t/w/a/d/g");
	seal(A, 0555);
	/* Sealing makes no name. */
	changed_by(A, "evidence.sealed", "t/w/a/f");
	changed_by(W, "attestation.begun", "t/w/a");
}
END_TEST

START_TEST(no_inode_number_is_used_twice)
{
	ino_t last = 0;

	make_attestation();
	for (int i = 0; i < 30; i++) {
		struct stat st;

		put(A "/x.tmp", "x");
		st = stat_of(A "/x.tmp");
		ck_assert_uint_gt(st.st_ino, last);
		last = st.st_ino;
		allowed(unlink(A "/x.tmp"));
		allowed(mkdir(A "/d", 0755));
		st = stat_of(A "/d");
		ck_assert_uint_gt(st.st_ino, last);
		last = st.st_ino;
		allowed(rmdir(A "/d"));
		if (i == 10) {
			remount_vault();
		} else if (i == 20) {
			crash_vault();
			mount_vault("settle=60");
		}
	}
}
END_TEST

/* What an NFS server keeps: a number that is good in the next mount, too. */
START_TEST(a_file_handle_outlives_the_mount)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} dir = { 0 }, file = { 0 };
	char text[16] = "";
	int id, mnt, fd;

	make_attestation();
	put_sealed(A "/f", "text");
	dir.h.handle_bytes = file.h.handle_bytes = MAX_HANDLE_SZ;
	allowed(name_to_handle_at(AT_FDCWD, A, &dir.h, &id, 0));
	allowed(name_to_handle_at(AT_FDCWD, A "/f", &file.h, &id, 0));
	remount_vault();
	mnt = open("mnt", O_RDONLY | O_DIRECTORY);
	fd = open_by_handle_at(mnt, &file.h, O_RDONLY);
	ck_assert_msg(fd >= 0, "file: %s", errno_name(errno));
	ck_assert_int_eq(4, read(fd, text, sizeof text));
	ck_assert_str_eq("text", text);
	close(fd);
	refused(EPERM, open_by_handle_at(mnt, &file.h, O_WRONLY));
	fd = open_by_handle_at(mnt, &dir.h, O_RDONLY | O_DIRECTORY);
	ck_assert_msg(fd >= 0, "directory: %s", errno_name(errno));
	allowed(faccessat(fd, "f", F_OK, 0));
	allowed(faccessat(fd, "../../w/a/f", F_OK, 0));
	close(fd);
	close(mnt);
}
END_TEST

START_TEST(stat_makes_sense_to_tools)
{
	struct stat st;

	make_attestation();
	put_bytes(A "/f", noise(1000, 1), 1000);
	for (int sealed = 0; sealed < 2; sealed++) {
		st = stat_of(A "/f");
		ck_assert_uint_eq(S_IFREG | 0644, st.st_mode);
		ck_assert_uint_eq(1, st.st_nlink);
		ck_assert_int_eq(1000, st.st_size);
		ck_assert_int_eq(2, st.st_blocks);
		ck_assert_int_ge(st.st_blksize, 65536);
		ck_assert_uint_eq(st.st_dev, stat_of("mnt").st_dev);
		ck_assert_int_eq(st.st_mtim.tv_nsec, st.st_atim.tv_nsec);
		sync_dir("mnt");
	}
	ck_assert_uint_eq(2, stat_of(A).st_nlink);
	ck_assert_uint_eq(1, stat_of("mnt").st_ino);
}
END_TEST

/* --- listing ---------------------------------------------------------- */

struct entry64 {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

/* Count each "fN" below n in seen; what else there is does not matter. */
static void
list(const char *dir, size_t buffer, unsigned char *seen, unsigned n)
{
	char *buf = malloc(buffer);
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	long got;

	ck_assert_int_ge(fd, 0);
	memset(seen, 0, n);
	while ((got = syscall(SYS_getdents64, fd, buf, buffer)) > 0) {
		for (long at = 0; at < got;) {
			struct entry64 *e = (struct entry64 *)(buf + at);
			unsigned i;
			int end = 0;

			at += e->reclen;
			if (sscanf(e->name, "f%u%n", &i, &end) != 1 ||
			    e->name[end] != '\0' || i >= n)
				continue;
			ck_assert_msg(seen[i]++ == 0, "%s twice", e->name);
			ck_assert_int_eq(DT_REG, e->type);
		}
	}
	ck_assert_int_eq(0, got);
	close(fd);
	free(buf);
}

static int
create_and_delete(void)
{
	char path[64];

	for (unsigned i = 0;; i++) {
		int fd;

		snprintf(path, sizeof path, A "/new%u%s", i,
		    i % 2 == 0 ? ".tmp" : "");
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			return 1;
		if (i % 3 == 0 && write(fd, "x", 1) != 1)
			return 2;
		close(fd);
		if (i % 4 == 0 && unlink(path) < 0)
			return 3;
	}
	return 0;
}

START_TEST(a_listing_has_each_name_once_while_others_create)
{
	unsigned char *seen = malloc(FILES);
	struct stat st;
	char path[64];
	pid_t pid;

	make_attestation();
	for (unsigned i = 0; i < FILES; i++) {
		snprintf(path, sizeof path, A "/f%u", i);
		/* Some in the ledger, some in memory. */
		put(path, i % 8 == 0 ? "x" : "");
		if (i % 1000 == 500)
			sync_dir("mnt");
	}
	pid = in_child(create_and_delete);
	for (int round = 0; round < 12; round++) {
		static const size_t buffers[] = { 200, 4096, 100000 };

		list(A, buffers[round % 3], seen, FILES);
		for (unsigned i = 0; i < FILES; i++)
			ck_assert_msg(seen[i] == 1, "f%u is missing", i);
		/* Between LOOKUPs the kernel asks for READDIRPLUS. */
		for (unsigned i = 0; i < 100; i++) {
			snprintf(path, sizeof path, A "/f%u", i * 7);
			st = stat_of(path);
			ck_assert(S_ISREG(st.st_mode));
		}
		if (round == 6)
			sync_dir("mnt"); /* from memory to the ledger */
	}
	kill(pid, SIGKILL);
	ck_assert_int_eq(-SIGKILL, child_ended(pid));
	free(seen);
}
END_TEST

START_TEST(a_listing_continues_at_its_offset)
{
	struct dirent *e;
	char name[300], path[64];
	long at;
	DIR *d;

	make_attestation();
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof path, A "/f%d", i);
		put(path, "x");
	}
	sync_dir("mnt");
	d = opendir(A);
	for (int i = 0; i < 100; i++)
		ck_assert_ptr_nonnull(readdir(d));
	at = telldir(d);
	ck_assert_ptr_nonnull(e = readdir(d));
	strcpy(name, e->d_name);
	while (readdir(d) != NULL)
		;
	seekdir(d, at);
	ck_assert_ptr_nonnull(e = readdir(d));
	ck_assert_str_eq(name, e->d_name);
	rewinddir(d);
	ck_assert_str_eq(".", readdir(d)->d_name);
	ck_assert_str_eq("..", readdir(d)->d_name);
	closedir(d);
	ck_assert_str_eq("300\n", run(0, "ls " A " | wc -l"));
	ck_assert_str_eq("0\n",
	    run(0,
		"find " A " -type f -printf '%%i %%p\\n' | while read i p; do "
		"[ $i = $(stat -c %%i $p) ] || echo $p; done | wc -l"));
}
END_TEST

/* The kernel caches the listing of a sealed directory: it must be right. */
START_TEST(a_sealed_listing_is_complete)
{
	unsigned char seen[200];
	char path[64];

	make_attestation();
	list(A, 4096, seen, 200);
	for (int i = 0; i < 200; i++) {
		snprintf(path, sizeof path, A "/f%d", i);
		put(path, "x");
		if (i == 100)
			list(A, 4096, seen, 200);
	}
	allowed(chmod(A, 0555));
	for (int round = 0; round < 3; round++) {
		list(A, 500, seen, 200);
		for (int i = 0; i < 200; i++)
			ck_assert_uint_eq(1, seen[i]);
	}
	remount_vault();
	list(A, 500, seen, 200);
	for (int i = 0; i < 200; i++)
		ck_assert_uint_eq(1, seen[i]);
}
END_TEST

Suite *
suite_identity(void)
{
	Suite *s = suite_create("identity");
	TCase *t = mounted_case(s, "identity");

	tcase_add_test(t, attributes_of_sealed_evidence_never_change);
	tcase_add_test(t, sealing_changes_neither_number_nor_times);
	tcase_add_test(t, a_directory_changes_with_the_entries_in_it);
	tcase_add_test(t, no_inode_number_is_used_twice);
	tcase_add_test(t, a_file_handle_outlives_the_mount);
	tcase_add_test(t, stat_makes_sense_to_tools);
	tcase_add_test(t, a_listing_has_each_name_once_while_others_create);
	tcase_add_test(t, a_listing_continues_at_its_offset);
	tcase_add_test(t, a_sealed_listing_is_complete);
	return s;
}
