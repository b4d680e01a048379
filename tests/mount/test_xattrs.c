/* Extended attributes that writers set: they settle with the file, and are in
 * its entry. */
#include <sys/xattr.h>

#include "harness.h"

#define F A "/f"

static const char *
xattr_of(const char *path, const char *name)
{
	static char value[8192];
	ssize_t n = getxattr(path, name, value, sizeof value - 1);

	if (n < 0)
		return errno_name(errno);
	value[n] = '\0';
	return value;
}

START_TEST(xattrs_of_a_writer_are_in_the_entry)
{
	char list[256], value[4];

	make_attestation();
	put(F, "x");
	allowed(setxattr(F, "user.mime_type", "text/plain", 10, 0));
	allowed(setxattr(F, "user.a", "\0\xff", 2, XATTR_CREATE));
	refused(EEXIST, setxattr(F, "user.a", "x", 1, XATTR_CREATE));
	refused(ENODATA, setxattr(F, "user.b", "x", 1, XATTR_REPLACE));
	allowed(setxattr(F, "user.a", "1", 1, XATTR_REPLACE));
	allowed(setxattr(F, "user.gone", "x", 1, 0));
	allowed(removexattr(F, "user.gone"));
	refused(ENODATA, removexattr(F, "user.gone"));
	for (int sealed = 0; sealed < 2; sealed++) {
		ck_assert_str_eq("text/plain", xattr_of(F, "user.mime_type"));
		ck_assert_str_eq("1", xattr_of(F, "user.a"));
		ck_assert_str_eq("ENODATA", xattr_of(F, "user.gone"));
		ck_assert_int_eq(22, listxattr(F, list, sizeof list));
		ck_assert_int_eq(0, memcmp(list, "user.a\0user.mime_type", 22));
		ck_assert_int_eq(10, getxattr(F, "user.mime_type", NULL, 0));
		ck_assert_int_eq(22, listxattr(F, NULL, 0));
		refused(ERANGE,
		    getxattr(F, "user.mime_type", value, sizeof value));
		refused(ERANGE, listxattr(F, list, 10));
		sync_dir("mnt");
	}
	says(entry("evidence.sealed", "t/w/a/f"),
	    "\"xattrs\":{\"a\":\"MQ==\",\"mime_type\":\"dGV4dC9wbGFpbg==\"}");
	remount_vault();
	ck_assert_str_eq("text/plain", xattr_of(F, "user.mime_type"));
}
END_TEST

START_TEST(copies_carry_xattrs_both_ways)
{
	put("src", "x");
	skip_unless(setxattr("src", "user.note", "hello", 5, 0) == 0,
	    "no user.* attributes outside the mount");
	make_attestation();
	run(0, "cp -a src " A "/1");
	ck_assert_str_eq("hello", xattr_of(A "/1", "user.note"));
	if (have("rsync")) {
		run(0, "rsync -aX src " A "/2");
		ck_assert_str_eq("hello", xattr_of(A "/2", "user.note"));
	}
	run(0, "tar c --xattrs src | tar x --xattrs -C " A);
	ck_assert_str_eq("hello", xattr_of(A "/src", "user.note"));
	sync_dir("mnt");
	run(0, "cp -a " A "/1 away && tar c --xattrs " A "/src >/dev/null");
	ck_assert_str_eq("hello", xattr_of("away", "user.note"));
	ck_assert_str_eq("ENODATA", xattr_of("away", "user.trailfs.state"));
}
END_TEST

START_TEST(xattrs_that_no_entry_can_hold_are_refused)
{
	char *big = noise(70000, 1);

	make_attestation();
	put(F, "x");
	refused(ENOSPC, setxattr(F, "user.big", big, 4096, 0));
	allowed(setxattr(F, "user.some", big, 2000, 0));
	refused(ENOSPC, setxattr(F, "user.more", big, 2000, 0));
	refused(EOPNOTSUPP, setxattr(F, "user.\xc3\xbc", "x", 1, 0));
	refused(EOPNOTSUPP, setxattr(F, "user.a\"b", "x", 1, 0));
	refused(EOPNOTSUPP, setxattr(F, "user.a\nb", "x", 1, 0));
	refused(EOPNOTSUPP, setxattr(F, "user.empty", "", 0, 0));
	/* The kernel itself: */
	refused(EOPNOTSUPP, setxattr(F, "note", "x", 1, 0));
	refused(E2BIG, setxattr(F, "user.big", big, 70000, 0));
	ck_assert_int_eq(10, listxattr(F, NULL, 0));
	sync_dir("mnt");
	has_state(F, "sealed");
}
END_TEST

START_TEST(a_draft_keeps_xattrs_when_it_gets_its_name)
{
	make_attestation();
	put(A "/.f.a1B2c3", "x");
	allowed(setxattr(A "/.f.a1B2c3", "user.note", "x", 1, 0));
	remount_vault();
	ck_assert_str_eq("x", xattr_of(A "/.f.a1B2c3", "user.note"));
	allowed(rename(A "/.f.a1B2c3", F));
	ck_assert_str_eq("x", xattr_of(F, "user.note"));
	says(entry("evidence.sealed", "t/w/a/f"), "\"xattrs\":{");
}
END_TEST

/* trailfs's own are about the entry, and there once it is. */
START_TEST(facts_are_there_when_they_are_known)
{
	make_attestation();
	ck_assert_str_eq("(ENODATA)", fact(A, "sha256"));
	ck_assert_str_ne("(ENODATA)", fact(A, "index"));
	ck_assert_str_eq("(ENODATA)", fact(A, "sealed-at"));
	put(F, "x");
	ck_assert_str_eq(
	    "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
	    fact(F, "sha256"));
	ck_assert_str_eq("(ENODATA)", fact(F, "index"));
	ck_assert_str_eq("(ENODATA)", fact(F, "sealed-at"));
	ck_assert_str_eq("(ENODATA)", fact(F, "nothing"));
	seal(A, 0555);
	ck_assert_uint_eq(entry_seq(entry("evidence.sealed", "t/w/a/f")),
	    strtoul(fact(F, "index"), NULL, 10));
	ck_assert_uint_eq(entry_seq(entry("attestation.sealed", "t/w/a")),
	    strtoul(fact(A, "index"), NULL, 10));
	says(entry("attestation.sealed", "t/w/a"), fact(A, "sealed-at"));
	says(entry("attestation.sealed", "t/w/a"), fact(A, "actor"));
}
END_TEST

Suite *
suite_xattrs(void)
{
	Suite *s = suite_create("xattrs");
	TCase *t = mounted_case(s, "xattrs");

	tcase_add_test(t, xattrs_of_a_writer_are_in_the_entry);
	tcase_add_test(t, copies_carry_xattrs_both_ways);
	tcase_add_test(t, xattrs_that_no_entry_can_hold_are_refused);
	tcase_add_test(t, a_draft_keeps_xattrs_when_it_gets_its_name);
	tcase_add_test(t, facts_are_there_when_they_are_known);
	return s;
}
