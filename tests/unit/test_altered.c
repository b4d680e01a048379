/*
 * Stores, logs and copies that were altered by hand, and the exact findings of
 * the verifier for each.  A user without read permission gets no finding.
 */
#include <check.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/base/crypto.h"
#include "../../core/ledger/checkpoint.h"
#include "../../core/ledger/proof.h"
#include "../../core/node/vault_i.h"
#include "../../core/package.h"
#include "../../core/vault.h"
#include "../../core/verify.h"
#include "../bitflip/bitflip.h"
#include "vectors.h"

#define OK(call) ck_assert_int_eq(TF_OK, call)
#define DONE "t/w/a" /* what make_store sealed */
#define NOBODY 65534

static char dir[256], said[4096];
static struct tf_buf vkey;
static struct tf_report r;
static struct tf_error err;

static void
sh(const char *command)
{
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void
sha256_of(sqlite3_context *c, int n, sqlite3_value **arg)
{
	struct tf_hash h;

	(void)n;
	tf_sha256(sqlite3_value_blob(arg[0]),
	    (size_t)sqlite3_value_bytes(arg[0]), &h);
	sqlite3_result_blob(c, h.b, sizeof(h.b), SQLITE_TRANSIENT);
}

static void
sql(const char *text)
{
	sqlite3 *db;

	ck_assert_int_eq(SQLITE_OK, sqlite3_open("store/ledger.db", &db));
	/* The schema stays as it is; its triggers hinder nobody. */
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL));
	ck_assert_int_eq(SQLITE_OK,
	    sqlite3_create_function(db, "sha256_of", 1, SQLITE_UTF8, NULL,
		sha256_of, NULL, NULL));
	ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK,
	    "%s: %s", text, sqlite3_errmsg(db));
	(void)sqlite3_close(db);
}

/* A store; its log; a package of DONE, unpacked; a copy of its evidence. */
static void
set_up(void)
{
	struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	struct tf_package_request q = { .path = DONE };
	struct tf_package_made made;
	const char *tmp = getenv("TMPDIR");
	struct tf_vault *v;
	uint64_t n;
	int fd;

	/* What a failed test leaves there, tests/run removes. */
	snprintf(dir, sizeof(dir), "%.200s/altered.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(0, chdir(dir));
	make_store("store", &vkey);
	OK(export_log("store", "log", &n, NULL));
	OK(tf_vault_open("store", &o, &v, NULL));
	fd = open("a.zip", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	OK(tf_package_write(v, &q, fd, &made, NULL));
	(void)close(fd);
	OK(tf_vault_close(v, "done", NULL));
	OK(tf_package_unpack("a.zip", "out", &n, NULL));
	sh("mv out/* a && chmod -R u+w a && mkdir -p copy/t/w &&"
	   " cp -a a/data/a copy/" DONE);
}

static void
tear_down(void)
{
	tf_buf_free(&vkey);
	sh("rm -rf store log a a.zip out copy");
	ck_assert_int_eq(0, chdir("/"));
	(void)rmdir(dir);
}

static void
found(void *arg, const struct tf_finding *f)
{
	(void)arg;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s|%s|%s\n",
	    tf_check_name(f->check), f->path, f->text);
}

static struct tf_verify
with_key(void)
{
	said[0] = '\0';
	err = (struct tf_error){ .code = TF_OK };
	return (struct tf_verify){ .vkey = vkey.p,
		.threads = 1,
		.found = found };
}

static enum tf_code
store(void)
{
	struct tf_verify v = with_key();

	return tf_verify_store("store", &v, &r, &err);
}

static enum tf_code
against(const char *path, const char *copy)
{
	struct tf_verify v = with_key();

	return tf_verify_against("store", path, copy, &v, &r, &err);
}

static enum tf_code
a_log(void)
{
	struct tf_verify v = with_key();

	return tf_verify_log("log", "copy", &v, &r, &err);
}

static void
says(const char *line)
{
	ck_assert_msg(strstr(said, line) != NULL, "no '%s' in:\n%s", line,
	    said);
}

static void
is_whole(void)
{
	ck_assert_msg(r.findings == 0, "%s", said);
	for (int l = 0; l < TF_CHECKS; l++)
		ck_assert_int_ne(TF_VERDICT_FAILED, r.check[l]);
}

/* Everything was his to read but what command closes; he is not root. */
static void
be_a_stranger(const char *command)
{
	sh("chmod 755 . && chmod -R a+rwX store log a copy a.zip");
	sh(command);
	ck_assert(geteuid() != 0 || seteuid(NOBODY) == 0);
}

static void
be_oneself(void)
{
	ck_assert_int_eq(0, seteuid(getuid()));
}

/* --- stores ----------------------------------------------------------------- */

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

START_TEST(without_the_checkpoint_beside_it_a_store_is_whole)
{
	sh("rm -f store/checkpoint");
	OK(store());
	is_whole();
}
END_TEST

/* Who writes refuses it; who verifies learns nothing from it. */
START_TEST(an_empty_checkpoint_beside_it_says_nothing)
{
	sh("rm -f store/checkpoint; : >store/checkpoint");
	OK(store());
	is_whole();
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

/* --- logs ------------------------------------------------------------------- */

static const struct {
	const char *command, *says;
} logs[] = {
	{ "rm log/tile/entries/000.p/*", "tiles||tile/entries/000.p/" },
	{ "truncate -s 1 log/tile/entries/000.p/*",
	    "tiles||bundle 0 is cut or has bytes after its entries\n" },
	{ "truncate -s -1 log/tile/entries/000.p/*",
	    "tiles||bundle 0 is cut or has bytes after its entries\n" },
	{ "rm log/tile/0/000.p/*", "tiles||tile/0/000.p/" },
	{ "truncate -s 64 log/tile/0/000.p/*",
	    "tiles||tile 0/0 has a wrong size\n" },
	{ "rm -f log/checkpoint; : >log/checkpoint",
	    "signature||newest checkpoint: checkpoint: malformed\n" },
	{ "rm -f log/checkpoint; echo x >log/checkpoint",
	    "signature||newest checkpoint: checkpoint: malformed\n" },
};

START_TEST(altered_logs_are_named)
{
	sh(logs[_i].command);
	OK(a_log());
	says(logs[_i].says);
}
END_TEST

/* As a log that grew since has them. */
START_TEST(full_tiles_stand_for_the_partial_ones)
{
	sh("cd log/tile && for l in 0 entries; do cp $l/000.p/* $l/000 &&"
	   " rm -r $l/000.p; done && truncate -s 8192 0/000 &&"
	   " echo more >>entries/000");
	OK(a_log());
	is_whole();
}
END_TEST

/* The store, opened and closed so many times more, and its log. */
static void
grow_log(int times)
{
	struct tf_actor root = { .loginuid = -1, .session = -1 };
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_vault *v;
	uint64_t n;

	for (int i = 0; i < times; i++) {
		OK(tf_vault_open("store", &o, &v, NULL));
		OK(tf_vault_close(v, "done", NULL));
	}
	sh("cp log/checkpoint held && rm -rf old && cp -r log old && rm -rf log");
	OK(export_log("store", "log", &n, NULL));
}

/* Loop test: some entries more, and more than a tile of them. */
START_TEST(a_log_that_grew_while_it_was_copied_is_whole)
{
	grow_log(_i == 0 ? 1 : 150);
	sh("cp held log/checkpoint");
	OK(a_log());
	is_whole();
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_TREE]);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_TILES]);
	sh("rm -r old held");
}
END_TEST

/* Tiles first, checkpoint last: or somebody took the newest entries away. */
START_TEST(a_copy_that_ends_before_its_checkpoint_is_in_doubt)
{
	grow_log(_i == 0 ? 1 : 150);
	sh("cp log/checkpoint old/checkpoint && rm -r log && mv old log");
	OK(a_log());
	ck_assert_msg(r.findings == 0, "%s", said);
	says("entries||the copy ends before this entry");
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_ENTRIES]);
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_TREE]);
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_TILES]);
	ck_assert_int_eq(TF_VERDICT_ABSENT, r.check[TF_CHECK_CONTENTS]);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_SIGNATURE]);
	/* What is there must be right all the same. */
	sh("f=$(echo log/tile/entries/000.p/*) && sed -i 's/example.org/exbmple."
	   "org/' $f && rm -f held");
	OK(a_log());
	ck_assert_uint_gt(r.findings, 0);
}
END_TEST

/* The call returns the first failure. */
START_TEST(a_log_that_cannot_be_read_is_not_accused)
{
	struct tf_verify v = with_key();

	sh("for f in log/tile/*/000.p/*; do rm $f; mkdir $f; done");
	ck_assert_int_eq(TF_IO, a_log());
	ck_assert_uint_eq(0, r.findings);
	ck_assert_ptr_nonnull(strstr(err.text, "tile/entries/000.p/"));
	ck_assert_int_eq(TF_IO, tf_verify_log("log", "copy", &v, &r, NULL));
}
END_TEST

/* What the log's own key signs, in the place of its checkpoint. */
static void
sign_head(uint64_t size, const struct tf_hash *tree, const char *path)
{
	struct tf_checkpoint c = { .origin = "example.org/bits",
		.size = size,
		.root = *tree };
	int fd = open("store/keys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct tf_buf note = { 0 };
	struct tf_key *key;
	FILE *f;

	OK(tf_key_load(fd, "log.pem", &key, NULL));
	OK(tf_checkpoint_sign(&c, key, &note, NULL));
	tf_key_free(key);
	(void)close(fd);
	(void)unlink(path);
	f = fopen(path, "w");
	ck_assert(f != NULL && fwrite(note.p, note.n, 1, f) == 1 &&
	    fclose(f) == 0);
	tf_buf_free(&note);
}

START_TEST(a_log_of_nothing_is_of_no_ledger)
{
	struct tf_hash none;

	tf_sha256("", 0, &none);
	sign_head(0, &none, "log/checkpoint");
	OK(a_log());
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_TREE]);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_SIGNATURE]);
	says("entries||the entries end as another ledger than the key's\n");
}
END_TEST

/* Beside a store it is of its past, like any other that is right. */
START_TEST(a_checkpoint_of_nothing_is_no_other_history)
{
	struct tf_actor root = { .loginuid = -1, .session = -1 };
	struct tf_vault_options o = { .program = "trailctl", .actor = &root };
	struct tf_vault *v;
	struct tf_hash none;

	tf_sha256("", 0, &none);
	sign_head(0, &none, "store/checkpoint");
	OK(store());
	is_whole();
	if (_i == 0) {
		OK(tf_vault_open("store", &o, &v, NULL));
		OK(tf_vault_close(v, "done", NULL));
		return;
	}
	none.b[0] ^= 1;
	sign_head(0, &none, "store/checkpoint");
	ck_assert_int_eq(TF_TAMPER, tf_vault_open("store", &o, &v, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "history differs"));
}
END_TEST

/* Two bundles cannot be read, and a third is not there. */
START_TEST(the_first_thing_that_cannot_be_read_is_told)
{
	struct tf_hash any = { { 0 } };

	sh("rm -r log/tile/entries/* && cd log/tile/entries && mkdir 000 001");
	sign_head(600, &any, "log/checkpoint");
	ck_assert_int_eq(TF_IO, a_log());
	ck_assert_ptr_nonnull(strstr(err.text, "tile/entries/000"));
	says("tiles||tile/entries/002.p/88 is missing\n");
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

static void
prove(struct tf_buf *out)
{
	struct tf_vault_options o = { .read_only = true,
		.program = "trailctl" };
	struct tf_vault *v;
	struct tf_attr a;

	OK(tf_vault_open("store", &o, &v, NULL));
	OK(tf_vault_walk(v, DONE "/short.txt", &a, NULL));
	OK(tf_vault_prove(v, a.id, out, NULL));
	OK(tf_vault_close(v, "done", NULL));
}

/* --- copies ----------------------------------------------------------------- */

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

/* Evidence that is right is not called altered for what lies beside it. */
START_TEST(what_lies_beside_evidence_is_told_apart)
{
	sh("touch a/.DS_Store a/data/a/.DS_Store copy/" DONE "/notes.tmp");
	OK(against(".", "copy"));
	ck_assert_uint_eq(1, r.findings);
	ck_assert_uint_eq(1, r.beside);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_CONTENTS]);
	OK(against(DONE, "a"));
	ck_assert(r.unpacked);
	ck_assert_uint_eq(2, r.findings);
	ck_assert_uint_eq(2, r.beside);
	ck_assert_int_eq(TF_VERDICT_OK, r.check[TF_CHECK_CONTENTS]);
	says("names|.DS_Store|the ledger does not know it\n");
	sh("echo >a/data/a/short.txt");
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

START_TEST(names_are_not_taken_for_what_they_spell)
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

/* --- proofs and packages ---------------------------------------------------- */

START_TEST(a_proof_is_of_those_bytes_only)
{
	static const char file[] = "copy/" DONE "/short.txt";
	struct tf_verify v = with_key();
	struct tf_buf p = { 0 };

	prove(&p);
	OK(tf_verify_proof(p.p, p.n, file, &v, &r, &err));
	is_whole();
	ck_assert_uint_eq(1, r.files);
	sh(_i == 0 ? "echo ALICE >copy/" DONE "/short.txt" :
		     "echo >>copy/" DONE "/short.txt");
	OK(tf_verify_proof(p.p, p.n, file, &v, &r, &err));
	says("contents|t/w/a/short.txt|altered: the file is not the one that "
	     "was sealed\n");
	tf_buf_free(&p);
}
END_TEST

/* Of a type or version that is not known yet; here nobody signed it. */
START_TEST(an_entry_of_later_days_is_counted)
{
	static const char *const from[] = { "evidence.sealed", "\"v\":1" };
	static const char *const to[] = { "evidence.sealex", "\"v\":2" };
	struct tf_verify v = with_key();
	struct tf_buf text = { 0 }, b = { 0 };
	struct tf_tlog_proof p;
	char *at;

	prove(&text);
	OK(tf_tlog_proof_parse(text.p, text.n, &p, NULL));
	at = memmem(p.extra.p, p.extra.n, from[_i], strlen(from[_i]));
	ck_assert_ptr_nonnull(at);
	memcpy(at, to[_i], strlen(to[_i]));
	tf_tlog_proof_write(&b, p.index, &p.path,
	    (struct tf_str){ p.extra.p, p.extra.n }, p.note);
	OK(tf_verify_proof(b.p, b.n, NULL, &v, &r, &err));
	ck_assert_uint_eq(_i == 0, r.unknown);
	ck_assert_uint_eq(_i == 1, r.newer);
	says("tree||the entry is not in the tree of the checkpoint\n");
	tf_tlog_proof_free(&p);
	tf_buf_free(&text);
	tf_buf_free(&b);
}
END_TEST

START_TEST(a_package_is_judged_by_a_key_from_elsewhere)
{
	struct tf_verify v = with_key();

	OK(tf_verify_package("a.zip", &v, &r, &err));
	is_whole();
	v.vkey = NULL;
	ck_assert_int_eq(TF_USAGE, tf_verify_package("a.zip", &v, &r, &err));
	v.vkey = "x";
	ck_assert_int_eq(TF_INVALID, tf_verify_package("a.zip", &v, &r, &err));
	v = with_key();
	v.found = NULL;
	OK(tf_verify_package("store/ledger.db", &v, &r, &err));
	ck_assert_uint_eq(1, r.findings);
	ck_assert_int_eq(TF_VERDICT_FAILED, r.check[TF_CHECK_PACKAGE]);
	ck_assert_int_eq(TF_NOTFOUND,
	    tf_verify_package("gone.zip", &v, &r, &err));
}
END_TEST

/* --- who may not look ------------------------------------------------------- */

START_TEST(what_may_not_be_entered_is_an_answer_of_its_own)
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
START_TEST(an_unreadable_file_is_told_and_not_accused)
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

Suite *suite_altered(void);

#define EACH(t, test, list) \
	tcase_add_loop_test(t, test, 0, (int)(sizeof(list) / sizeof(*(list))))

Suite *
suite_altered(void)
{
	Suite *s = suite_create("altered");
	TCase *t = tcase_create("by hand");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, nothing_is_said_of_what_is_whole);
	EACH(t, altered_rows_are_named, rows);
	tcase_add_test(t, an_absurd_object_number_is_no_fault);
	tcase_add_test(t, without_the_checkpoint_beside_it_a_store_is_whole);
	tcase_add_test(t, an_empty_checkpoint_beside_it_says_nothing);
	tcase_add_test(t, a_store_without_objects_is_none);
	EACH(t, a_forged_statement_says_something_else, forgeries);
	tcase_add_loop_test(t, a_forged_signature_is_none, 0, 2);
	tcase_add_test(t, full_tiles_stand_for_the_partial_ones);
	tcase_add_loop_test(t, what_is_held_must_be_a_checkpoint_of_this_log, 0,
	    3);
	EACH(t, altered_logs_are_named, logs);
	tcase_add_loop_test(t, a_log_that_grew_while_it_was_copied_is_whole, 0,
	    2);
	tcase_add_loop_test(t,
	    a_copy_that_ends_before_its_checkpoint_is_in_doubt, 0, 2);
	tcase_add_test(t, a_log_that_cannot_be_read_is_not_accused);
	tcase_add_test(t, a_log_of_nothing_is_of_no_ledger);
	tcase_add_loop_test(t, a_checkpoint_of_nothing_is_no_other_history, 0,
	    2);
	tcase_add_test(t, the_first_thing_that_cannot_be_read_is_told);
	tcase_add_test(t, a_ledger_that_ends_within_a_batch_is_cut);
	EACH(t, altered_copies_are_named, copies);
	tcase_add_test(t, findings_are_counted_where_nobody_listens);
	tcase_add_test(t, an_unpacked_package_without_its_evidence_has_none);
	EACH(t, nothing_of_a_copy_chooses_what_is_compared, lies);
	tcase_add_test(t, no_more_is_read_than_was_recorded);
	tcase_add_test(t, a_fifo_is_never_waited_for);
	tcase_add_test(t, what_lies_beside_evidence_is_told_apart);
	tcase_add_test(t, a_page_of_nothing_is_not_of_the_package);
	tcase_add_test(t, of_nothing_any_file_is_too_much);
	tcase_add_test(t, a_file_is_no_directory_to_compare);
	tcase_add_test(t, names_are_not_taken_for_what_they_spell);
	tcase_add_loop_test(t, a_name_that_begins_alike_is_another_one, 0, 2);
	tcase_add_test(t, a_damaged_entry_is_compared_with_nothing);
	tcase_add_loop_test(t, a_proof_is_of_those_bytes_only, 0, 2);
	tcase_add_loop_test(t, an_entry_of_later_days_is_counted, 0, 2);
	tcase_add_test(t, a_package_is_judged_by_a_key_from_elsewhere);
	tcase_add_loop_test(t, what_may_not_be_entered_is_an_answer_of_its_own,
	    0, 2);
	tcase_add_test(t, an_unreadable_file_is_told_and_not_accused);
	tcase_add_test(t, a_closed_store_or_log_is_not_missing);
	tcase_add_loop_test(t, a_target_that_cannot_be_read_is_not_anothers, 0,
	    2);
	suite_add_tcase(s, t);
	return s;
}
