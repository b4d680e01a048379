#include <check.h>
#include <string.h>

#include "../../core/base/show.h"
#include "../../core/ledger/name.h"
#include "vectors.h"

static enum tf_code
check(enum tf_kind kind, const char *name)
{
	return tf_name_check(kind, name, strlen(name), NULL);
}

/* n times c, in a buffer of the test's own. */
static const char *
times(char c, size_t n, char *out)
{
	memset(out, c, n);
	out[n] = '\0';
	return out;
}

START_TEST(upper_names_are_plain_ascii)
{
	static const char *const good[] = { "a", "A", "0", "prod-server-access",
		"a.b_c~d-e", "9~", "run.1" };
	static const char *const bad[] = { "", ".", "..", ".a", "-a", "_a",
		"~a", "a b", "a/b", "a+b", "a@b", "a@2x", "a\xc3\xbc", "a\n",
		"a:b" };

	for (int k = TF_KIND_TRAIL; k <= TF_KIND_ATTESTATION; k++) {
		for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
			ck_assert_int_eq(TF_OK, check(k, good[i]));
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			ck_assert_int_eq(TF_BADNAME, check(k, bad[i]));
		ck_assert_int_eq(TF_BADNAME, tf_name_check(k, "a\0b", 3, NULL));
	}
}
END_TEST

START_TEST(only_an_attestation_has_versions)
{
	static const char *const good[] = { "a@2", "a@10", "a@999999" };
	static const char *const bad[] = { "a@", "a@0", "a@1", "a@02",
		"a@1000000", "a@2@3", "@2", "a@+2", "a@-2", ".a@2" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(TF_OK, check(TF_KIND_ATTESTATION, good[i]));
		ck_assert_int_eq(TF_BADNAME, check(TF_KIND_TRAIL, good[i]));
		ck_assert_int_eq(TF_BADNAME, check(TF_KIND_WORKFLOW, good[i]));
		ck_assert_int_eq(TF_OK, check(TF_KIND_EVIDENCE, good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(TF_BADNAME,
		    check(TF_KIND_ATTESTATION, bad[i]));
}
END_TEST

START_TEST(evidence_has_any_name_that_can_be_shown)
{
	static const char *const good[] = { ".env", "a b", "\xc3\xbc",
		"\xc3\x9c"
		"bergabe \"7\".txt",
		"a\\b", "...", "-rf", "a:b*?", "\xe2\x80\xa7", "\xe2\x80\xaf",
		"\xe2\x81\xa5", "\xc2\xa0", "\xf0\x9f\x98\x80", "~" };
	static const char *const bad[] = { "", ".", "..", "a/b", "/", "a\n",
		"\t", "\x01", "\x7f", "\xc2\x80", "\xc2\x9f", "\xe2\x80\xa8",
		"\xe2\x80\xa9", "\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\x8f",
		"\xe2\x80\xaa", "\xe2\x80\xae", "\xe2\x81\xa6",
		"\xe2\x81\xa9" };
	static const char *const not_utf8[] = { "\xff", "a\xc3", "\xc0\xaf",
		"\xed\xa0\x80" };

	for (int k = TF_KIND_DIRECTORY; k <= TF_KIND_EVIDENCE; k++) {
		for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
			ck_assert_int_eq(TF_OK, check(k, good[i]));
		for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
			ck_assert_int_eq(TF_BADNAME, check(k, bad[i]));
		for (size_t i = 0; i < sizeof(not_utf8) / sizeof(not_utf8[0]);
		     i++)
			ck_assert_int_eq(TF_BADUTF8, check(k, not_utf8[i]));
		ck_assert_int_eq(TF_BADNAME, tf_name_check(k, "a\0b", 3, NULL));
	}
}
END_TEST

START_TEST(a_name_has_255_bytes_at_most)
{
	char name[300];

	for (int k = TF_KIND_TRAIL; k <= TF_KIND_EVIDENCE; k++) {
		ck_assert_int_eq(TF_OK, check(k, times('a', 255, name)));
		ck_assert_int_eq(TF_NAMETOOLONG,
		    check(k, times('a', 256, name)));
	}
}
END_TEST

START_TEST(the_control_directory_is_reserved_everywhere)
{
	for (int k = TF_KIND_TRAIL; k <= TF_KIND_EVIDENCE; k++)
		ck_assert_int_eq(TF_DENIED, check(k, ".trailfs"));
	ck_assert_int_eq(TF_OK, check(TF_KIND_EVIDENCE, ".trailfs2"));
	ck_assert_int_eq(TF_DENIED, check(TF_KIND_ROOT, "a"));
}
END_TEST

START_TEST(a_draft_attestation_is_a_dot_and_a_name)
{
	char name[300];

	ck_assert(tf_name_draft_attestation(".login", 6));
	ck_assert(tf_name_draft_attestation(".a", 2));
	ck_assert(!tf_name_draft_attestation(".", 1));
	ck_assert(!tf_name_draft_attestation("..a", 3));
	ck_assert(!tf_name_draft_attestation("login", 5));
	ck_assert(!tf_name_draft_attestation(".login@2", 8));
	ck_assert(!tf_name_draft_attestation(".trailfs", 8));
	ck_assert(!tf_name_draft_attestation(".a b", 4));
	ck_assert(!tf_name_draft_attestation("", 0));
	times('a', 256, name);
	name[0] = '.';
	ck_assert(tf_name_draft_attestation(name, 255));
	ck_assert(!tf_name_draft_attestation(name, 256));
}
END_TEST

START_TEST(drafts_are_the_temporary_names_of_tools)
{
	static const char *const drafts[] = { ".report.txt.a1B2c3", ".a.00000A",
		".a.abcde1", "a~", "~", "a.tmp", ".tmp", "a.part", "a.partial",
		"a.crdownload", "a.filepart", ".a.swp", ".a.swo", ".a.swpx",
		".a.swxx", ".#a", ".#", ".goutputstream-XYZ", ".goutputstream-",
		"..swp", ".swp", ".swpx", ".~lock.a.odt#", ".~lock.#",
		"~$a.docx", "~$", "#a#", "##", "#a b.txt#", ".a.kate-swp",
		"..kate-swp", "a.iso.aria2", ".aria2",
		".fuse_hidden0000000100000001", ".nfs000000000012d687",
		".nfs" };
	static const char *const evidence[] = { ".env", ".env.sample",
		".a.abcdef", ".a.abcde", ".a.abcde1x", "..abcde1", "a.abcde1",
		".a.abc-e1", "a.swp", ".a.sw", ".a.swpy", ".sw", "a#", "#",
		"#a", "#a#b", ".~lock.a.odt", "~lock.a.odt#", ".~lock#",
		"$a.docx", "a~$", "a.kate-swp", ".kate-swp", ".a.kate-swpx",
		"aria2", "a.aria2.txt", "fuse_hidden1", "nfs1", ".nf",
		"goutputstream-1", "a.tmp.txt", "a.TMP", "tmp", "a.parts", "",
		".", "a" };

	for (size_t i = 0; i < sizeof(drafts) / sizeof(drafts[0]); i++)
		ck_assert_msg(tf_name_draft(drafts[i], strlen(drafts[i])),
		    "%s is evidence", drafts[i]);
	for (size_t i = 0; i < sizeof(evidence) / sizeof(evidence[0]); i++)
		ck_assert_msg(!tf_name_draft(evidence[i], strlen(evidence[i])),
		    "%s is a draft", evidence[i]);
	for (size_t i = 0; i < sizeof(drafts) / sizeof(drafts[0]); i++)
		ck_assert(!tf_name_may_be_draft(drafts[i], strlen(drafts[i])));
	for (size_t i = 0; i < sizeof(evidence) / sizeof(evidence[0]); i++)
		ck_assert_int_eq(strcmp(evidence[i], ".env.sample") == 0 ||
			strcmp(evidence[i], ".a.abcdef") == 0,
		    tf_name_may_be_draft(evidence[i], strlen(evidence[i])));
	ck_assert(tf_name_draft_dir(".~tmp~", 6));
	ck_assert(tf_name_draft_dir(".rsync-partial", 14));
	ck_assert(!tf_name_draft_dir(".rsync-partial2", 15));
	ck_assert(!tf_name_draft_dir("a", 1));
}
END_TEST

/* What is harmless beside evidence has few names, or anything could be. */
START_TEST(a_desktop_leaves_files_of_few_names)
{
	static const char *const its[] = { ".DS_Store", "data/a/.DS_Store",
		"Thumbs.db", "a/Thumbs.db", "desktop.ini", "._a", "a/._a",
		"__MACOSX/a", "__MACOSX/a/b" };
	static const char *const others[] = { "a.DS_Store", ".DS_Store2",
		".DS_Store/a", "thumbs.db", "Thumbs.db/a", "Desktop.ini", "._",
		"a/._", "_a", ".a", "..", "__MACOSX", "a/__MACOSX/b",
		"__MACOSXa/b", "", "a" };

	for (size_t i = 0; i < sizeof(its) / sizeof(its[0]); i++)
		ck_assert_msg(tf_name_of_desktop(its[i], strlen(its[i])), "%s",
		    its[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(!tf_name_of_desktop(others[i], strlen(others[i])),
		    "%s", others[i]);
	ck_assert(!tf_name_of_desktop("Thumbs.db2", 8));
}
END_TEST

static bool
is_draft(const char *path, unsigned levels)
{
	return tf_name_draft_path(path, strlen(path), levels);
}

START_TEST(a_path_of_a_draft_is_one_in_every_directory)
{
	ck_assert(is_draft("t/w/a/f.tmp", 3));
	ck_assert(is_draft("f.tmp", 0));
	ck_assert(is_draft("t/w/a/.~tmp~/f", 3));
	ck_assert(is_draft("d/.rsync-partial/e/f", 0));
	/* A draft attestation is one in a workflow only. */
	ck_assert(is_draft("t/w/.a/f", 3));
	ck_assert(is_draft("w/.a/d/f", 2));
	ck_assert(is_draft(".a/f", 1));
	ck_assert(!is_draft("t/.w/a/f", 3));
	ck_assert(!is_draft(".t/w/a/f", 3));
	ck_assert(!is_draft("t/w/a/.d/f", 3));
	ck_assert(!is_draft(".a/f", 0));
	ck_assert(!is_draft("t/w/.trailfs/f", 3));
	ck_assert(!is_draft("t/w/a/f", 3));
	ck_assert(!is_draft("d.tmp/f", 0));
	ck_assert(!is_draft("", 3));
	ck_assert(!tf_name_draft_path("f.tmp", 4, 0));
}
END_TEST

START_TEST(a_version_is_split_off)
{
	unsigned v;

	ck_assert_uint_eq(5, tf_name_version("login@2", 7, &v));
	ck_assert_uint_eq(2, v);
	ck_assert_uint_eq(1, tf_name_version("a@999999", 8, &v));
	ck_assert_uint_eq(999999, v);
	ck_assert_uint_eq(5, tf_name_version("login", 5, &v));
	ck_assert_uint_eq(1, v);
	ck_assert_uint_eq(7, tf_name_version("login@1", 7, &v));
	ck_assert_uint_eq(1, v);
	ck_assert_uint_eq(0, tf_name_version("", 0, &v));
}
END_TEST

START_TEST(an_interrupted_name_is_a_draft_of_255_bytes_at_most)
{
	struct tf_time at = { 1795420799, 123 };
	char name[400], out[TF_NAME_MAX + 1];

	tf_name_interrupted("typescript", 10, at, out);
	ck_assert_str_eq("typescript.20261123T075959Z.interrupted.part", out);
	for (size_t n = 1; n < 300; n++) {
		/* Two bytes a character, so that each cut is tried. */
		for (size_t i = 0; i + 1 < n; i += 2)
			memcpy(name + i, "\xc3\xbc", 2);
		if (n % 2)
			name[n - 1] = 'x';
		tf_name_interrupted(name, n, at, out);
		ck_assert_int_eq(TF_OK, check(TF_KIND_EVIDENCE, out));
		ck_assert(tf_name_draft(out, strlen(out)));
		ck_assert_uint_eq(n <= 221 ? n + 34 : 254, strlen(out));
	}
}
END_TEST

START_TEST(a_printed_name_cannot_control_a_terminal)
{
	struct tf_buf b = { 0 };
	static const char name[] = "a\\\n\x1b[2J\xc2\x9b\xe2\x80\xae\xff\xc3"
				   "\xbc \"";

	tf_name_show(&b, name, sizeof(name) - 1);
	ck_assert_str_eq("a\\x5C\\x0A\\x1B[2J\\xC2\\x9B\\xE2\\x80\\xAE\\xFF"
			 "\xc3\xbc \"",
	    b.p);
	tf_buf_free(&b);
}
END_TEST

START_TEST(an_origin_is_a_url_without_scheme)
{
	char s[200];

	ck_assert(tf_origin_ok("example.org/vault", 17));
	ck_assert(tf_origin_ok("a", 1));
	ck_assert(tf_origin_ok("A9._~:/-", 8));
	ck_assert(!tf_origin_ok("", 0));
	ck_assert(!tf_origin_ok("a b", 3));
	ck_assert(!tf_origin_ok("a+b", 3));
	ck_assert(!tf_origin_ok("a\nb", 3));
	ck_assert(!tf_origin_ok("a\0b", 3));
	ck_assert(!tf_origin_ok("\xc3\xbc", 2));
	ck_assert(!tf_origin_ok("cosignature/v1", 14));
	ck_assert(tf_origin_ok("cosignature/v12", 15));
	ck_assert(tf_origin_ok(times('a', 128, s), 128));
	ck_assert(!tf_origin_ok(times('a', 129, s), 129));
}
END_TEST

Suite *
suite_name(void)
{
	Suite *s = suite_create("name");
	TCase *t = tcase_create("name");

	tcase_add_test(t, upper_names_are_plain_ascii);
	tcase_add_test(t, only_an_attestation_has_versions);
	tcase_add_test(t, evidence_has_any_name_that_can_be_shown);
	tcase_add_test(t, a_name_has_255_bytes_at_most);
	tcase_add_test(t, the_control_directory_is_reserved_everywhere);
	tcase_add_test(t, a_draft_attestation_is_a_dot_and_a_name);
	tcase_add_test(t, drafts_are_the_temporary_names_of_tools);
	tcase_add_test(t, a_desktop_leaves_files_of_few_names);
	tcase_add_test(t, a_path_of_a_draft_is_one_in_every_directory);
	tcase_add_test(t, a_version_is_split_off);
	tcase_add_test(t, an_interrupted_name_is_a_draft_of_255_bytes_at_most);
	tcase_add_test(t, a_printed_name_cannot_control_a_terminal);
	tcase_add_test(t, an_origin_is_a_url_without_scheme);
	suite_add_tcase(s, t);
	return s;
}
