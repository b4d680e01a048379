/* The tree: what may stand where, and be called what. */
#include <sys/sysmacros.h>

#include "harness.h"

/* Each level is made by mkdir, and is an entry when that returns. */
START_TEST(three_levels_of_directories_hold_evidence)
{
	make_attestation();
	ck_assert_uint_eq(1, entries("trail.created", "t"));
	ck_assert_uint_eq(1, entries("workflow.begun", "t/w"));
	ck_assert_uint_eq(1, entries("attestation.begun", "t/w/a"));
	put(A "/f", "evidence\n");
	allowed(mkdir(A "/d", 0755));
	allowed(mkdir(A "/d/e", 0755));
	put(A "/d/e/f", "more\n");
	holds(A "/f", "evidence\n");
	holds(A "/d/e/f", "more\n");
	ck_assert_uint_eq(0, entries("directory.created", NULL));
	sync_dir("mnt");
	ck_assert_uint_eq(1, entries("directory.created", "t/w/a/d"));
	ck_assert_uint_eq(1, entries("directory.created", "t/w/a/d/e"));
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/d/e/f"));
}
END_TEST

START_TEST(a_trail_is_private_until_its_mode_allows_others)
{
	umask(0);
	allowed(mkdir("mnt/t", 0777));
	allowed(mkdir(W, 0777));
	allowed(mkdir(A, 0777));
	ck_assert_uint_eq(S_IFDIR | 0770, stat_of("mnt/t").st_mode);
	ck_assert_uint_eq(S_IFDIR | 0777, stat_of(W).st_mode);
	ck_assert_uint_eq(S_IFDIR | 0777, stat_of(A).st_mode);
	says(entry("trail.created", "t"), "\"mode\":\"0770\"");
	umask(022);
	allowed(mkdir("mnt/u", 0777));
	ck_assert_uint_eq(S_IFDIR | 0750, stat_of("mnt/u").st_mode);
	as(ALICE);
	refused(EACCES, try_open("mnt/u/x", O_RDONLY));
	as(0);
	allowed(chmod("mnt/u", 0755));
	ck_assert_uint_eq(S_IFDIR | 0755, stat_of("mnt/u").st_mode);
	says(entry("access.changed", "u"), "\"mode\":\"0755\"");
	as(ALICE);
	refused(ENOENT, try_open("mnt/u/x", O_RDONLY));
}
END_TEST

START_TEST(files_stand_in_attestations_only)
{
	make_attestation();
	refused(EPERM, try_open("mnt/f", O_WRONLY | O_CREAT));
	refused(EPERM, try_open("mnt/t/f", O_WRONLY | O_CREAT));
	refused(EPERM, try_open(W "/f", O_WRONLY | O_CREAT));
	refused(EPERM, try_open(W "/.f.tmp", O_WRONLY | O_CREAT | O_EXCL));
	refused(EPERM, mknod(W "/f", S_IFREG | 0644, 0));
	put(A "/f", "x");
	put(A "/f.tmp", "x");
	refused(EPERM, rename(A "/f", W "/f"));
	refused(EPERM, rename(A "/f.tmp", W "/f"));
	refused(EPERM, rename(A "/f.tmp", "mnt/f.tmp"));
	holds(A "/f", "x");
	holds(A "/f.tmp", "x");
}
END_TEST

START_TEST(links_and_special_files_stand_nowhere)
{
	static const char *const dirs[] = { "mnt", "mnt/t", W, A, A "/d" };
	char path[64];

	make_attestation();
	allowed(mkdir(A "/d", 0755));
	put(A "/f", "x");
	for (size_t i = 0; i < LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s/new", dirs[i]);
		refused(EPERM, symlink("f", path));
		refused(EPERM, link(A "/f", path));
		refused(EPERM, mkfifo(path, 0644));
		refused(EPERM, mknod(path, S_IFSOCK | 0644, 0));
		refused(EPERM, mknod(path, S_IFCHR | 0644, makedev(1, 3)));
		refused(EPERM, mknod(path, S_IFBLK | 0644, makedev(7, 0)));
		ck_assert(!exists(path));
	}
	ck_assert_uint_eq(1, stat_of(A "/f").st_nlink);
}
END_TEST

START_TEST(names_of_the_upper_levels_are_plain)
{
	static const char *const bad[] = { ".a", "-a", "_a", "~a", "a b", "a+b",
		"a:b", "a\n", "\xc3\xbc", "a\x7f" };
	static const char *const parents[] = { "mnt", "mnt/t", W };
	char path[300];

	make_attestation();
	for (size_t p = 0; p < LEN(parents); p++)
		for (size_t i = 0; i < LEN(bad); i++) {
			/* In a workflow, that is a draft attestation. */
			if (p == 2 && strcmp(bad[i], ".a") == 0)
				continue;
			snprintf(path, sizeof path, "%s/%s", parents[p],
			    bad[i]);
			refused(EINVAL, mkdir(path, 0755));
			ck_assert(!exists(path));
		}
	refused(EINVAL, mkdir("mnt/a@2", 0755));
	refused(EINVAL, mkdir("mnt/t/a@2", 0755));
	allowed(mkdir("mnt/0a.B_c~d-e", 0755));
	allowed(mkdir("mnt/t/0a.B_c~d-e", 0755));
	allowed(mkdir(W "/0a.B_c~d-e", 0755));
}
END_TEST

START_TEST(evidence_has_any_name_that_can_be_shown)
{
	static const char *const good[] = { ".env", "a b", "\xc3\xbc", "-rf",
		"a\\b", "\"q\"", "...", "\xf0\x9f\x98\x80", "a@2", "CON" };
	static const char *const bad[] = { "a\n", "\t", "\x01", "\x7f",
		"\xc2\x80", "\xc2\x9f", "\xe2\x80\xa8", "\xe2\x80\xa9",
		"\xe2\x80\xae", "\xe2\x81\xa6", "\xd8\x9c", "\xe2\x80\x8f" };
	static const char *const not_utf8[] = { "\xff", "a\xc3", "\xc0\xaf",
		"\xed\xa0\x80", "\xf4\x90\x80\x80" };
	char path[300];

	make_attestation();
	put(A "/.f.tmp", "x");
	for (size_t i = 0; i < LEN(good); i++) {
		snprintf(path, sizeof path, A "/%s", good[i]);
		put(path, good[i]);
	}
	for (size_t i = 0; i < LEN(bad); i++) {
		snprintf(path, sizeof path, A "/%s", bad[i]);
		refused(EINVAL, try_open(path, O_WRONLY | O_CREAT));
		refused(EINVAL, mkdir(path, 0755));
		refused(EINVAL, rename(A "/.f.tmp", path));
	}
	for (size_t i = 0; i < LEN(not_utf8); i++) {
		snprintf(path, sizeof path, A "/%s", not_utf8[i]);
		refused(EILSEQ, try_open(path, O_WRONLY | O_CREAT));
		refused(EILSEQ, mkdir(path, 0755));
		refused(EILSEQ, rename(A "/.f.tmp", path));
	}
	sync_dir("mnt");
	for (size_t i = 0; i < LEN(good); i++) {
		snprintf(path, sizeof path, A "/%s", good[i]);
		has_state(path, "sealed");
		holds(path, good[i]);
	}
}
END_TEST

START_TEST(the_control_directory_is_reserved_everywhere)
{
	static const char *const dirs[] = { "mnt", "mnt/t", W, A, A "/d" };
	char path[64], in[80];

	make_attestation();
	allowed(mkdir(A "/d", 0755));
	put(A "/f.tmp", "x");
	for (size_t i = 0; i < LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s/.trailfs", dirs[i]);
		snprintf(in, sizeof in, "%s/new", path);
		/* It is there, so the kernel answers these itself. */
		refused(EEXIST, mkdir(path, 0755));
		refused(EEXIST, symlink("x", path));
		refused(EEXIST, mkfifo(path, 0644));
		refused(EPERM, rmdir(path));
		refused(EISDIR, unlink(path));
		refused(EISDIR, try_open(path, O_WRONLY));
		refused(EISDIR, rename(A "/f.tmp", path));
		refused(EPERM, rename(path, A "/g.tmp"));
		refused(EPERM, chmod(path, 0700));
		refused(EPERM, mkdir(in, 0755));
		refused(EPERM, try_open(in, O_WRONLY | O_CREAT));
		refused(EPERM, rename(A "/f.tmp", in));
		refused(EPERM, symlink("x", in));
	}
	holds(A "/f.tmp", "x");
}
END_TEST

START_TEST(a_name_has_255_bytes_at_most)
{
	static const char *const dirs[] = { "mnt", "mnt/t", W, A, A "/d" };
	char path[400];
	size_t n;

	make_attestation();
	allowed(mkdir(A "/d", 0755));
	for (size_t i = 0; i < LEN(dirs); i++) {
		n = (size_t)snprintf(path, sizeof path, "%s/", dirs[i]);
		memset(path + n, 'n', 256);
		path[n + 256] = '\0';
		refused(ENAMETOOLONG, mkdir(path, 0755));
		refused(ENAMETOOLONG, try_open(path, O_WRONLY | O_CREAT));
		path[n + 255] = '\0';
		allowed(mkdir(path, 0755));
		ck_assert(exists(path));
	}
	snprintf(path, sizeof path, A "/%0255d", 7);
	put_sealed(path, "as long as can be");
	holds(path, "as long as can be");
}
END_TEST

/* 1,024 bytes below an attestation, however they are cut into names. */
START_TEST(a_path_below_an_attestation_has_1024_bytes_at_most)
{
	char path[2000] = A, *end = path + strlen(path);

	make_attestation();
	put(A "/x.tmp", "x");
	for (int i = 0; i < 4; i++) {
		end += sprintf(end, "/%0200d", i);
		allowed(mkdir(path, 0755));
	}
	/* 4 * 201 - 1 = 803 are used, and a slash. */
	sprintf(end, "/%0221d", 0);
	refused(ENAMETOOLONG, mkdir(path, 0755));
	refused(ENAMETOOLONG, try_open(path, O_WRONLY | O_CREAT));
	refused(ENAMETOOLONG, mknod(path, S_IFREG | 0644, 0));
	refused(ENAMETOOLONG, rename(A "/x.tmp", path));
	sprintf(end, "/%0220d", 0);
	put_sealed(path, "deep");
	holds(path, "deep");
}
END_TEST

/* A directory is moved with all that is in it: their paths grow too. */
START_TEST(no_path_grows_too_long_by_moving_a_directory)
{
	char from[2000] = A "/d", to[2000] = A, *end = to + strlen(to);
	char below[600], *at = below;

	make_attestation();
	allowed(mkdir(A "/d", 0755));
	for (int i = 0; i < 3; i++) {
		at += sprintf(at, "/%0150d", i);
		sprintf(from, A "/d%s", below);
		allowed(mkdir(from, 0755));
	}
	for (int i = 0; i < 4; i++) {
		end += sprintf(end, "/%0200d", i);
		allowed(mkdir(to, 0755));
	}
	strcpy(end, "/d");
	refused(ENAMETOOLONG, rename(A "/d", to));
	ck_assert(exists(from));
}
END_TEST

START_TEST(a_draft_attestation_stands_in_a_workflow_only)
{
	make_attestation();
	refused(EINVAL, mkdir("mnt/.x", 0755));
	refused(EINVAL, mkdir("mnt/t/.x", 0755));
	allowed(mkdir(W "/.x", 0755));
	has_state(W "/.x", "draft");
	ck_assert_uint_eq(0, entries(NULL, "t/w/.x"));
	/* Elsewhere a name with a dot is just a name. */
	allowed(mkdir(A "/.x", 0755));
	put_sealed(A "/.x/f", "x");
	ck_assert_uint_eq(1, entries("directory.created", "t/w/a/.x"));
}
END_TEST

START_TEST(a_sealed_attestation_can_be_repeated)
{
	make_attestation();
	put(A "/f", "first");
	refused(EPERM, mkdir(W "/a@2", 0755));
	refused(EPERM, mkdir(W "/a@3", 0755));
	refused(EPERM, mkdir(W "/none@2", 0755));
	refused(EINVAL, mkdir(W "/a@1", 0755));
	refused(EINVAL, mkdir(W "/a@0", 0755));
	refused(EINVAL, mkdir(W "/a@02", 0755));
	refused(EINVAL, mkdir(W "/a@", 0755));
	refused(EINVAL, mkdir(W "/a@x", 0755));
	refused(EINVAL, mkdir(W "/a@2@3", 0755));
	allowed(chmod(A, 0555));
	refused(EPERM, mkdir(W "/a@3", 0755));
	allowed(mkdir(W "/a@2", 0755));
	refused(EEXIST, mkdir(W "/a@2", 0755));
	refused(EPERM, mkdir(W "/a@3", 0755));
	put(W "/a@2/f", "second");
	allowed(chmod(W "/a@2", 0555));
	allowed(mkdir(W "/a@3", 0755));
	holds(A "/f", "first");
	holds(W "/a@2/f", "second");
	ck_assert_uint_eq(1, entries("attestation.begun", "t/w/a@2"));
}
END_TEST

/* Below a sealed attestation's name a draft may be published as @2. */
START_TEST(a_draft_is_published_as_a_repeat_by_the_same_rule)
{
	make_attestation();
	put(A "/f", "first");
	allowed(mkdir(W "/.a", 0755));
	put(W "/.a/f", "second");
	refused(EPERM, rename(W "/.a", W "/a@2"));
	refused(EEXIST, rename_flags(W "/.a", A, RENAME_NOREPLACE));
	ck_assert(exists(W "/.a/f"));
	allowed(chmod(A, 0555));
	refused(EPERM, rename(W "/.a", W "/a@3"));
	allowed(rename(W "/.a", W "/a@2"));
	has_state(W "/a@2/f", "sealed");
	has_state(W "/a@2", "sealed");
}
END_TEST

START_TEST(upper_directories_are_never_removed_or_renamed)
{
	make_attestation();
	refused(EPERM, rmdir(A));
	refused(EPERM, rmdir(W));
	refused(EPERM, rmdir("mnt/t"));
	refused(EPERM, rename(A, W "/b"));
	refused(EPERM, rename(A, W "/.b"));
	refused(EPERM, rename(W, "mnt/t/x"));
	refused(EPERM, rename("mnt/t", "mnt/x"));
	refused(EISDIR, unlink(A));
	allowed(mkdir(W "/b", 0755));
	refused(EPERM, rename(W "/b", A));
	ck_assert(exists(A));
	ck_assert(exists(W "/b"));
}
END_TEST

START_TEST(a_group_is_inherited_below_a_setgid_directory)
{
	make_attestation();
	allowed(chown("mnt/t", 0, BOB));
	allowed(chmod("mnt/t", 02775));
	allowed(mkdir("mnt/t/x", 0755));
	allowed(mkdir("mnt/t/x/a", 0755));
	put("mnt/t/x/a/f", "x");
	ck_assert_uint_eq(BOB, stat_of("mnt/t/x").st_gid);
	ck_assert_uint_eq(S_IFDIR | 02755, stat_of("mnt/t/x").st_mode);
	ck_assert_uint_eq(S_IFDIR | 02755, stat_of("mnt/t/x/a").st_mode);
	ck_assert_uint_eq(BOB, stat_of("mnt/t/x/a/f").st_gid);
	ck_assert_uint_eq(S_IFREG | 0644, stat_of("mnt/t/x/a/f").st_mode);
}
END_TEST

/* What has settled nowhere yet may still be in the wrong place. */
START_TEST(frozen_evidence_moves_to_another_open_attestation)
{
	make_attestation();
	allowed(mkdir(W "/b", 0755));
	allowed(mkdir(W "/closed", 0755));
	run(0, "trailctl seal " W "/closed");
	put(A "/f", "x");
	refused(EROFS, rename(A "/f", W "/closed/f"));
	allowed(rename(A "/f", W "/b/f"));
	allowed(chmod(A, 0755));
	put(A "/g", "y");
	allowed(chmod(A, 0555));
	has_state(W "/b/f", "frozen");
	sync_dir("mnt");
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/b/f"));
	ck_assert_uint_eq(0, entries("evidence.sealed", "t/w/a/f"));
	says(entry("attestation.sealed", "t/w/a"), "\"count\":1,");
}
END_TEST

Suite *
suite_tree(void)
{
	Suite *s = suite_create("tree");
	TCase *t = mounted_case(s, "tree");

	tcase_add_test(t, three_levels_of_directories_hold_evidence);
	tcase_add_test(t, a_trail_is_private_until_its_mode_allows_others);
	tcase_add_test(t, files_stand_in_attestations_only);
	tcase_add_test(t, links_and_special_files_stand_nowhere);
	tcase_add_test(t, names_of_the_upper_levels_are_plain);
	tcase_add_test(t, evidence_has_any_name_that_can_be_shown);
	tcase_add_test(t, the_control_directory_is_reserved_everywhere);
	tcase_add_test(t, a_name_has_255_bytes_at_most);
	tcase_add_test(t, a_path_below_an_attestation_has_1024_bytes_at_most);
	tcase_add_test(t, no_path_grows_too_long_by_moving_a_directory);
	tcase_add_test(t, a_draft_attestation_stands_in_a_workflow_only);
	tcase_add_test(t, a_sealed_attestation_can_be_repeated);
	tcase_add_test(t, a_draft_is_published_as_a_repeat_by_the_same_rule);
	tcase_add_test(t, upper_directories_are_never_removed_or_renamed);
	tcase_add_test(t, a_group_is_inherited_below_a_setgid_directory);
	tcase_add_test(t, frozen_evidence_moves_to_another_open_attestation);
	return s;
}
