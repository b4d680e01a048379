/* Copies of evidence that were altered by hand, compared with the store. */
#include <check.h>
#include <string.h>
#include <unistd.h>

#include "../../core/node/vault_i.h"
#include "../../core/vault.h"
#include "../bitflip/bitflip.h"
#include "altered.h"
#include "vectors.h"

static const struct {
	const char *command, *says;
} copies[] = {
	{ "mkfifo copy/t/w/pipe", "names|t/w/pipe|the ledger does not know" },
	{ "ln -s a copy/t/w/b", "names|t/w/b|the ledger does not know it\n" },
	{ "mknod copy/t/null c 1 3", "names|t/null|the ledger does not know" },
	{ "echo >copy/new", "names|new|the ledger does not know it\n" },
	{ "cd copy && for i in $(seq 610); do mkdir d && cd d; done",
	    "/d|is deeper than any evidence\n" },
	{ "cd copy/" DONE " && rm -f same && ln -s short.txt same",
	    "names|t/w/a/same|the ledger does not know it\n" },
	{ "cd copy/" DONE " && rm -f same && mkfifo same",
	    "names|t/w/a/same|the ledger does not know it\n" },
	{ "cd copy/" DONE " && rm -f same && mkdir same",
	    "contents|t/w/a/same|" },
	{ "rm copy/" DONE "/short.txt", "contents|t/w/a/short.txt|" },
	{ "echo >copy/" DONE "/short.txt", "contents|t/w/a/short.txt|altered" },
};

START_TEST(altered_copies_are_named)
{
	if (strncmp(copies[_i].command, "mknod", 5) == 0 && geteuid() != 0)
		return;
	sh(copies[_i].command);
	OK(against(".", "copy"));
	ck_assert_uint_gt(r.findings, 0);
	says(copies[_i].says);
}
END_TEST

/* Findings count even without a callback. */
START_TEST(findings_are_counted_where_nobody_listens)
{
	struct tf_verify v = with_key();

	v.found = NULL;
	sh("echo >copy/new");
	OK(tf_verify_against("store", ".", "copy", &v, &r, &err));
	ck_assert_uint_eq(1, r.findings);
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_NAMES]);
}
END_TEST

START_TEST(an_unpacked_package_without_its_evidence_has_none)
{
	sh("rm -rf a/data");
	OK(against(DONE, "a"));
	says("contents|a/short.txt|");
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_CONTENTS]);
	sh("touch a/data");
	OK(against(DONE, "a"));
	says("contents|a/short.txt|missing");
	says("names|data|the ledger does not know it\n");
	sh("rm a/data && ln -s $PWD/copy/t/w a/data");
	OK(against(DONE, "a"));
	says("contents|a/short.txt|missing");
	says("names|data|the ledger does not know it\n");
}
END_TEST

/* What an unpacked package or a backup may say of itself, so that less or
 * something else would be compared. */
static const struct {
	const char *command, *path, *copy, *says;
} lies[] = {
	{ "echo >a/data/a/short.txt && rm a/package.json", DONE, "a",
	    "contents|a/short.txt|altered" },
	{ "echo >a/data/a/short.txt && sed -i 's/\"tree\"/\"since\":\"2099-01-0"
	  "1T00:00:00.000000000Z\",\"tree\"/; s/t.w.a/t/' a/package.json",
	    DONE, "a", "contents|a/short.txt|altered" },
	{ "echo >a/data/a/short.txt && echo '{\"format\":1,\"path\":\"t/w/open\"}'"
	  " >a/package.json",
	    DONE, "a", "contents|a/short.txt|altered" },
	{ "rm -r a/data && rm a/bagit.txt", DONE, "a",
	    "contents|short.txt|missing" },
	/* A backup of a workflow that calls itself a package of it. */
	{ "cd copy/t/w && cp ../../../a/bagit.txt ../../../a/package.json . &&"
	  " mkdir data && echo >a/short.txt",
	    "t/w", "copy/t/w", "contents|a/short.txt|missing" },
	{ "cd copy/t/w && cp ../../../a/bagit.txt ../../../a/package.json . &&"
	  " cp -a . ../data && mv ../data . && echo >a/short.txt",
	    "t/w", "copy/t/w",
	    "names|a/short.txt|the ledger does not know it" },
};

START_TEST(nothing_of_a_copy_chooses_what_is_compared)
{
	sh(lies[_i].command);
	OK(against(lies[_i].path, lies[_i].copy));
	ck_assert_uint_gt(r.findings, 0);
	ck_assert_uint_gt(r.files, 0);
	says(lies[_i].says);
}
END_TEST

/* It would take an hour to read. */
START_TEST(no_more_is_read_than_was_recorded)
{
	struct tf_verify v = with_key();
	struct tf_buf p = { 0 };

	sh("truncate -s 1T copy/" DONE "/short.txt a/data/a/short.txt");
	OK(against(".", "copy"));
	says("contents|" DONE "/short.txt|altered");
	OK(against(DONE, "a"));
	says("contents|a/short.txt|altered");
	OK(a_log());
	says("contents|" DONE "/short.txt|altered");
	prove(&p);
	said[0] = '\0';
	OK(tf_verify_proof(p.p, p.n, "copy/" DONE "/short.txt", &v, &r, &err));
	says("contents|" DONE "/short.txt|altered");
	tf_buf_free(&p);
}
END_TEST

/* Where a verifier would wait for ever: nobody writes into these. */
START_TEST(a_fifo_is_never_waited_for)
{
	sh("cd a && for f in package.json bagit.txt data/a/short.txt"
	   " checkpoint; do rm $f && mkfifo $f; done");
	OK(against(DONE, "a"));
	says("contents|a/short.txt|missing: is not a plain file");
	says("names|checkpoint|the ledger does not know it\n");
	sh("rm copy/" DONE "/short.txt && mkfifo copy/" DONE "/short.txt");
	OK(a_log());
	says("contents|" DONE "/short.txt|missing: is not a plain file");
	sh("rm log/tile/0/000.p/* && mkfifo $(ls -d log/tile/entries/000.p/* |"
	   " sed s/entries/0/)");
	OK(a_log());
	says("tiles||");
	sh("rm log/checkpoint && mkfifo log/checkpoint");
	OK(a_log());
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_SIGNATURE]);
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_TREE]);
}
END_TEST

/* Evidence that is right is not called altered for what lies beside it, and what
 * a desktop leaves and drafts are only named. */
START_TEST(files_beside_evidence_are_distinguished)
{
	sh("touch a/.DS_Store a/data/a/.DS_Store copy/" DONE "/notes.tmp"
	   " copy/" DONE "/._short.txt && mkdir -p copy/t/w/.draft"
	   " copy/" DONE "/.~tmp~ && touch copy/t/w/.draft/new"
	   " copy/" DONE "/.~tmp~/x");
	OK(against(".", "copy"));
	ck_assert_uint_eq(0, r.findings);
	ck_assert_uint_eq(4, r.harmless);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_NAMES]);
	says("names|" DONE "/notes.tmp|the ledger does not know it: a draft\n");
	sh("touch copy/" DONE "/new copy/" DONE "/.env"
	   " && ln -s short.txt copy/" DONE "/link.tmp"
	   " && mkdir copy/" DONE "/.draft && touch copy/" DONE "/.draft/x");
	OK(against(".", "copy"));
	ck_assert_uint_eq(4, r.findings);
	ck_assert_uint_eq(4, r.beside);
	ck_assert_uint_eq(4, r.harmless);
	OK(against(DONE, "a"));
	ck_assert(r.unpacked);
	ck_assert_uint_eq(0, r.findings);
	ck_assert_uint_eq(2, r.harmless);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_CONTENTS]);
	says("names|.DS_Store|the ledger does not know it: desktops leave such"
	     " files\n");
	/* A package has no drafts. */
	sh("echo >a/data/a/short.txt && touch a/data/a/short.txt~"
	   " && ln -s short.txt a/data/a/Thumbs.db");
	OK(against(DONE, "a"));
	ck_assert_uint_eq(3, r.findings);
	ck_assert_uint_eq(2, r.beside);
}
END_TEST

/* Pages are not compared, but no other names are taken for pages. */
START_TEST(a_page_of_nothing_is_not_of_the_package)
{
	sh("cd a && mkdir -p workflows/x attestations/x proofs/data/a &&"
	   " touch workflows/x/index.html attestations/x/attestation.json"
	   " proofs/events/99999.tlog-proof && echo >attestations/a/more");
	OK(against(DONE, "a"));
	ck_assert_uint_eq(4, r.findings);
	says("names|workflows/x/index.html|");
	says("names|attestations/x/attestation.json|");
	says("names|attestations/a/more|");
	says("names|proofs/events/99999.tlog-proof|");
}
END_TEST

/* What is sealed has no files: then no file is known. */
START_TEST(of_nothing_any_file_is_too_much)
{
	sh("mkdir none && echo >none/file");
	OK(against("sealed", "none"));
	says("names|file|the ledger does not know it\n");
	sh("rm -rf none");
}
END_TEST

START_TEST(a_file_is_no_directory_to_compare)
{
	ck_assert_int_eq(TF_USAGE, against(DONE "/short.txt", "copy"));
	ck_assert_str_eq("t/w/a/short.txt is a file: name its directory",
	    err.text);
}
END_TEST

START_TEST(names_are_never_parsed_as_syntax)
{
	struct tf_actor root = { .loginuid = -1, .session = -1 };
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_vault *v;
	struct tf_attr a;

	OK(tf_vault_open("store", &o, &v, NULL));
	OK(tf_vault_mkdir(v, TF_ROOT_ID, "evidence.sealed", 0755, &root, &a,
	    NULL));
	OK(tf_vault_mkdir(v, TF_ROOT_ID, "t2", 0755, &root, &a, NULL));
	OK(tf_vault_close(v, "done", NULL));
	OK(against("t2", "log"));
	ck_assert_uint_eq(0, r.files);
	sh("rm -f copy/t/w/open");
	OK(against("t/w/a", "copy/t/w/a"));
	is_whole();
}
END_TEST

/* No evidence of t/w/a or t/w/open is below these. */
START_TEST(a_name_that_begins_alike_is_another_one)
{
	static const char *const names[] = { "t/w/o",
		"t/w/longer-than-the-path-of-any-evidence" };
	struct tf_actor root = { .loginuid = -1, .session = -1 };
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_vault *v;
	struct tf_attr a, b;

	OK(tf_vault_open("store", &o, &v, NULL));
	OK(tf_vault_walk(v, "t/w", &a, NULL));
	OK(tf_vault_mkdir(v, a.id, names[_i] + 4, 0755, &root, &b, NULL));
	OK(tf_vault_close(v, "done", NULL));
	sh("mkdir none");
	OK(against(names[_i], "none"));
	sh("rmdir none");
	is_whole();
	ck_assert_uint_eq(0, r.files);
}
END_TEST

START_TEST(a_damaged_entry_is_compared_with_nothing)
{
	sql("UPDATE entry SET body = CAST('[' || substr(CAST(body AS TEXT), 2)"
	    " AS BLOB) WHERE instr(body, CAST('short.txt' AS BLOB)) > 0");
	ck_assert_int_eq(TF_TAMPER, against(".", "copy"));
	ck_assert_ptr_nonnull(strstr(err.text,
	    "is damaged: verify the store first"));
	OK(store());
	ck_assert_ptr_nonnull(strstr(said, "malformed"));
}
END_TEST

Suite *suite_altered_copy(void);

Suite *
suite_altered_copy(void)
{
	Suite *s = suite_create("altered_copy");
	TCase *t = tcase_create("copy");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, set_up, tear_down);
	EACH(t, altered_copies_are_named, copies);
	tcase_add_test(t, findings_are_counted_where_nobody_listens);
	tcase_add_test(t, an_unpacked_package_without_its_evidence_has_none);
	EACH(t, nothing_of_a_copy_chooses_what_is_compared, lies);
	tcase_add_test(t, no_more_is_read_than_was_recorded);
	tcase_add_test(t, a_fifo_is_never_waited_for);
	tcase_add_test(t, files_beside_evidence_are_distinguished);
	tcase_add_test(t, a_page_of_nothing_is_not_of_the_package);
	tcase_add_test(t, of_nothing_any_file_is_too_much);
	tcase_add_test(t, a_file_is_no_directory_to_compare);
	tcase_add_test(t, names_are_never_parsed_as_syntax);
	tcase_add_loop_test(t, a_name_that_begins_alike_is_another_one, 0, 2);
	tcase_add_test(t, a_damaged_entry_is_compared_with_nothing);
	suite_add_tcase(s, t);
	return s;
}
