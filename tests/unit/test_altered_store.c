/*
 * Stores that were altered by hand, and the exact findings of the verifier for
 * each.  A user without read permission gets no finding.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "../../core/package.h"
#include "../bitflip/bitflip.h"
#include "altered.h"
#include "vectors.h"

START_TEST(nothing_is_said_of_what_is_whole)
{
	OK(store());
	is_whole();
	OK(a_log());
	is_whole();
	OK(against(".", "copy"));
	is_whole();
	OK(against(DONE, "a"));
	is_whole();
	ck_assert_str_eq("", said);
}
END_TEST

static const char newest[] = "(SELECT max(size) FROM checkpoint)";

static const struct {
	const char *sql, *says;
} rows[] = {
	{ "INSERT INTO tile VALUES(-1, 0, zeroblob(32))",
	    "tiles||tile -1/0 has 1 hashes, which the log does not have\n" },
	{ "INSERT INTO tile VALUES(70, 0, zeroblob(64))",
	    "tiles||tile 70/0 has 2 hashes, which the log does not have\n" },
	{ "INSERT INTO tile VALUES(0, -1, zeroblob(32))",
	    "tiles||tile 0/-1 has 1 hashes, which the log does not have\n" },
	{ "INSERT INTO tile VALUES(3, 0, zeroblob(32))",
	    "tiles||tile 3/0 has 1 hashes, which the log does not have\n" },
	{ "UPDATE checkpoint SET size = size + 1 WHERE size = %s",
	    "signature||the checkpoint's row is not its note\n" },
	{ "UPDATE checkpoint SET root = zeroblob(32) WHERE size = %s",
	    "signature||the checkpoint's row is not its note\n" },
	{ "DELETE FROM checkpoint", "signature||there is no checkpoint\n" },
	{ "DELETE FROM entry WHERE idx = 3",
	    "entries||the entry is missing\n" },
	{ "DELETE FROM entry WHERE idx IN (3, 4)",
	    "entries||entries 3 to 4 are missing\n" },
	/* A row may claim more than anybody could look for. */
	{ "UPDATE checkpoint SET size = 1 << 60, note = x'00'"
	  " WHERE size = %s",
	    " to 1152921504606846975 are missing\n" },
	{ "UPDATE entry SET idx = 1 << 60 WHERE idx = 3",
	    "entries||there are entries after the newest checkpoint\n" },
	{ "DELETE FROM tile; DELETE FROM entry WHERE idx = 3",
	    "tree||the entries do not give the root of the newest "
	    "checkpoint\n" },
	{ "DELETE FROM digest",
	    "its statement is missing: the database has no object for it\n" },
	{ "UPDATE object SET body = zeroblob(7) WHERE id ="
	  " (SELECT object FROM digest WHERE sha256 NOT IN (SELECT sha256"
	  " FROM object JOIN node ON node.object = object.id))",
	    "/w/a|its statement is altered\n" },
	{ "UPDATE node SET object = 77777 WHERE name = x'73686f72742e747874'",
	    "contents|t/w/a/short.txt|missing: the database has no object "
	    "for it\n" },
	{ "UPDATE node SET object = 77777, name = x'78'"
	  " WHERE name = x'73686f72742e747874'",
	    "names|t/w/a/short.txt|the database shows another name than the "
	    "entry\n" },
	{ "UPDATE checkpoint SET note = x'00' WHERE size = %s",
	    "signature||newest checkpoint: checkpoint: malformed\n" },
	{ "UPDATE checkpoint SET note = x'' WHERE size = %s",
	    "signature||newest checkpoint: checkpoint: malformed\n" },
	{ "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT),"
	  " '\"size\":', '\"size\":1') AS BLOB)"
	  " WHERE instr(CAST(body AS TEXT), '\"attestation.sealed\"') > 0",
	    "contents|t/w/a|its statement is altered\n" },
	{ "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT),"
	  " '\"pae\":\"', '\"pae\":\"00') AS BLOB)"
	  " WHERE instr(CAST(body AS TEXT), '\"attestation.sealed\"') > 0",
	    "entries||malformed: " },
	{ "UPDATE node SET seal = 1 WHERE name = x'77'",
	    "the database shows another entry number than the entry\n" },
	{ "UPDATE meta SET value = 99 WHERE key = 'files'",
	    "names||the database counts 99 files of " },
	{ "UPDATE meta SET value = 99 WHERE key = 'content_bytes'",
	    " of 99 bytes, the entries " },
	{ "UPDATE meta SET value = 'example.org/other' WHERE key = 'origin'",
	    "signature||the store's origin is not the key's\n" },
	{ "UPDATE meta SET value = '0123456789abcdef0123456789abcdef'"
	  " WHERE key = 'store'",
	    "entries||the entries are those of another store\n" },
};

START_TEST(altered_rows_are_named)
{
	char text[512];

	snprintf(text, sizeof(text), rows[_i].sql, newest);
	sql(text);
	OK(store());
	says(rows[_i].says);
}
END_TEST

/*
 * A store of somebody who has a copy of it and changes a statement, with all
 * that names it: the entry, the object, its digest.
 */
static const char forge[] =
    "CREATE TEMP TABLE s AS SELECT o.id AS id, o.body AS old,"
    " CAST(replace(CAST(o.body AS TEXT), '%s', '%s') AS BLOB) AS new"
    " FROM object o JOIN digest d ON d.object = o.id"
    " WHERE instr(CAST(o.body AS TEXT), 'in-toto.io') > 0"
    " AND instr(CAST(o.body AS TEXT), 'short.txt') > 0;"
    "UPDATE entry SET body = CAST(replace(replace(CAST(body AS TEXT),"
    " lower(hex((SELECT sha256_of(old) FROM s))),"
    " lower(hex((SELECT sha256_of(new) FROM s)))),"
    " '\"size\":' || (SELECT length(old) FROM s),"
    " '\"size\":' || (SELECT length(new) FROM s)) AS BLOB)"
    " WHERE instr(CAST(body AS TEXT), '\"attestation.sealed\"') > 0;"
    "UPDATE object SET body = (SELECT new FROM s), sha256 ="
    " (SELECT sha256_of(new) FROM s), size = (SELECT length(new) FROM s)"
    " WHERE id IN (SELECT id FROM s);"
    "UPDATE digest SET sha256 = (SELECT sha256_of(new) FROM s)"
    " WHERE object IN (SELECT id FROM s)";

static const struct {
	const char *from, *to;
} forgeries[] = {
	{ "\"sealedAt\":\"20", "\"sealedAt\":\"xx" },
	{ "\"sealedAt\":\"20", "\"sealedAt\":\"90" },
	{ "\"sealedAt\":", "\"sealedXX\":" },
	{ "\"sealedAt\":\"20", "\"sealedAt\":20,\"x\":\"" },
	{ "\"sealedAt\":", "sealedAt" },
	{ "short.txt", "shirt.txt" },
	{ "short.txt", "shorter.txt" },
};

START_TEST(a_forged_statement_says_something_else)
{
	char text[4096];

	snprintf(text, sizeof(text), forge, forgeries[_i].from,
	    forgeries[_i].to);
	sql(text);
	OK(store());
	says("entries|t/w/a|its statement says something else than the "
	     "entries\n");
	says("entries|t/w/a|its statement is not signed by the attester key in "
	     "force\n");
}
END_TEST

/* One character of what stands after that word in the entry. */
START_TEST(a_forged_signature_is_none)
{
	static const char *const words[] = { "\"keyid\":\"SHA256:",
		"\"sig\":\"" };
	char text[1024];

	snprintf(text, sizeof(text),
	    "CREATE TEMP TABLE s AS SELECT idx, CAST(body AS TEXT) AS b,"
	    " instr(CAST(body AS TEXT), '%s') + length('%s') AS at FROM entry"
	    " WHERE instr(CAST(body AS TEXT), '\"attestation.sealed\"') > 0;"
	    "UPDATE entry SET body = (SELECT CAST(substr(b, 1, at - 1) ||"
	    " CASE substr(b, at, 1) WHEN 'A' THEN 'B' ELSE 'A' END ||"
	    " substr(b, at + 1) AS BLOB) FROM s WHERE s.idx = entry.idx)"
	    " WHERE idx IN (SELECT idx FROM s)",
	    words[_i], words[_i]);
	sql(text);
	OK(store());
	says("tree|t/w/a|altered: the entry is not the one that the tree "
	     "holds\n");
	says("entries|t/w/a|its statement is not signed by the attester key in "
	     "force\n");
}
END_TEST

/* Numbers of the database's own mean nothing. */
START_TEST(an_absurd_object_number_is_no_fault)
{
	sql("CREATE TEMP TABLE o AS SELECT object AS id FROM node"
	    " WHERE name = x'6c61726765';"
	    "UPDATE node SET object = 5000000000 WHERE object IN o;"
	    "UPDATE digest SET object = 5000000000 WHERE object IN o;"
	    "UPDATE object SET id = 5000000000 WHERE id IN o");
	OK(store());
	is_whole();
}
END_TEST

/* An old copy of the database with its newer checkpoint removed looks whole:
 * whoever gives a key wants to know. */
START_TEST(a_checkpoint_beside_it_must_be_there)
{
	sh("rm -f store/checkpoint");
	OK(store());
	says("signature||the checkpoint beside the database is missing\n");
}
END_TEST

START_TEST(a_checkpoint_beside_it_must_be_signed)
{
	sh("rm -f store/checkpoint; : >store/checkpoint");
	OK(store());
	says("signature||the checkpoint beside the database is not signed by "
	     "the key given\n");
}
END_TEST

START_TEST(a_store_without_objects_is_none)
{
	sh("rm -rf store/objects");
	ck_assert_int_eq(TF_FOREIGN, store());
	ck_assert_str_eq("store/objects: No such file or directory", err.text);
}
END_TEST

/* No log's, another log's, of another key with the same name. */
START_TEST(what_is_held_must_be_a_checkpoint_of_this_log)
{
	static const char *const held[] = { "x", "example.org/x\n1\n",
		"example.org/x\n1\n"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
		"\xe2\x80\x94 example.org/x AAAAAAAA\n" };
	struct tf_verify v = with_key();

	v.earlier = str_of(held[_i]);
	if (_i < 2) {
		ck_assert_int_eq(TF_INVALID,
		    tf_verify_store("store", &v, &r, &err));
		ck_assert_str_eq("the earlier checkpoint: checkpoint: "
				 "malformed",
		    err.text);
		return;
	}
	OK(tf_verify_store("store", &v, &r, &err));
	says("earlier checkpoint||what you hold is no checkpoint of this "
	     "log: checkpoint: no signature of the key\n");
}
END_TEST

static void
where_it_ends(void *arg, const struct tf_finding *f)
{
	if (strcmp(f->text, "the log ends within a batch") == 0)
		*(uint64_t *)arg = f->seq;
}

/* Its last entry says that more come with it; which, nobody knows. */
START_TEST(a_ledger_that_ends_within_a_batch_is_cut)
{
	struct tf_verify v = with_key();
	uint64_t seq = 0;

	sql("UPDATE entry SET body = CAST(replace(CAST(body AS TEXT),"
	    " ',\"origin\"', ',\"batch\":{\"first\":' || idx || ',\"last\":' ||"
	    " (idx + 1) || '},\"origin\"') AS BLOB)"
	    " WHERE idx = (SELECT max(idx) FROM entry)");
	v.found = where_it_ends;
	v.arg = &seq;
	OK(tf_verify_store("store", &v, &r, &err));
	ck_assert_uint_eq(UINT64_MAX, seq);
}
END_TEST

START_TEST(an_unsearchable_directory_is_a_distinct_answer)
{
	be_a_stranger(":");
	OK(against(".", "copy"));
	is_whole();
	be_oneself();
	be_a_stranger(_i == 0 ? "chmod 0 copy" : "chmod 0 copy/t/w");
	ck_assert_int_eq(TF_ACCESS, against(".", "copy"));
	ck_assert_str_eq(_i == 0 ? "copy: Permission denied" :
				   "t/w: Permission denied",
	    err.text);
	ck_assert_uint_eq(0, r.findings);
	be_oneself();
	sh("chmod 755 copy copy/t/w");
}
END_TEST

/* Altered stays altered, whatever cannot be read besides. */
START_TEST(an_unreadable_file_is_reported_and_not_called_altered)
{
	be_a_stranger("chmod 0 copy/" DONE "/same");
	OK(against(".", "copy"));
	ck_assert_uint_eq(0, r.findings);
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_CONTENTS]);
	says("contents|t/w/a/same|");
	be_oneself();
	be_a_stranger("echo >copy/" DONE "/none; chmod 0 copy/" DONE "/same");
	OK(against(".", "copy"));
	ck_assert_uint_eq(1, r.findings);
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_CONTENTS]);
	be_oneself();
}
END_TEST

START_TEST(a_closed_store_or_log_is_not_missing)
{
	struct tf_verify v = with_key();

	be_a_stranger("chmod 0 store log a.zip");
	ck_assert_int_eq(TF_ACCESS, store());
	ck_assert_int_eq(TF_ACCESS, a_log());
	ck_assert_int_eq(TF_ACCESS, tf_verify_package("a.zip", &v, &r, &err));
	ck_assert(!tf_package_is("a.zip"));
	be_oneself();
	sh("chmod 755 store log a.zip");
	ck_assert(tf_package_is("a.zip"));
	ck_assert(!tf_package_is("log/checkpoint"));
	ck_assert(!tf_package_is("a/data/a/none"));
	ck_assert(!tf_package_is("gone"));
	sh("rm -rf log");
	ck_assert_int_eq(TF_NOTFOUND, a_log());
}
END_TEST

/* A directory where the checkpoint should be cannot be read, not even by root.
 * Loop test: that, and a checkpoint that is not this log's. */
START_TEST(a_target_that_cannot_be_read_is_not_anothers)
{
	uint64_t n;

	OK(export_log("store", "log", &n, &err));
	sh(_i == 0 ? "rm log/checkpoint && mkdir log/checkpoint" :
		     "echo text >log/checkpoint");
	err = (struct tf_error){ .code = TF_OK };
	ck_assert_int_eq(_i == 0 ? TF_IO : TF_FOREIGN,
	    export_log("store", "log", &n, &err));
	ck_assert_msg((strstr(err.text, "another log") != NULL) == (_i == 1),
	    "%s", err.text);
	sh("rm -r log/checkpoint");
	/* Tiles without one. */
	ck_assert_int_eq(TF_FOREIGN, export_log("store", "log", &n, &err));
}
END_TEST

Suite *suite_altered_store(void);

Suite *
suite_altered_store(void)
{
	Suite *s = suite_create("altered_store");
	TCase *t = tcase_create("store");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, nothing_is_said_of_what_is_whole);
	EACH(t, altered_rows_are_named, rows);
	EACH(t, a_forged_statement_says_something_else, forgeries);
	tcase_add_loop_test(t, a_forged_signature_is_none, 0, 2);
	tcase_add_test(t, an_absurd_object_number_is_no_fault);
	tcase_add_test(t, a_checkpoint_beside_it_must_be_there);
	tcase_add_test(t, a_checkpoint_beside_it_must_be_signed);
	tcase_add_test(t, a_store_without_objects_is_none);
	tcase_add_loop_test(t, what_is_held_must_be_a_checkpoint_of_this_log, 0,
	    3);
	tcase_add_test(t, a_ledger_that_ends_within_a_batch_is_cut);
	tcase_add_loop_test(t, an_unsearchable_directory_is_a_distinct_answer,
	    0, 2);
	tcase_add_test(t,
	    an_unreadable_file_is_reported_and_not_called_altered);
	tcase_add_test(t, a_closed_store_or_log_is_not_missing);
	tcase_add_loop_test(t, a_target_that_cannot_be_read_is_not_anothers, 0,
	    2);
	suite_add_tcase(s, t);
	return s;
}
