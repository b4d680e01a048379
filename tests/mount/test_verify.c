/*
 * trailctl verify: says OK of what is whole, and finds one changed byte
 * anywhere in a store, whoever changed it behind the mount, by name.
 */
#include <sys/xattr.h>

#include "harness.h"

#define SECRET "the one who opened the shell was alice"
#define BIG_SIZE 150000
/* In the ledger: */
#define SMALL "t/w/a/small"
#define BIG "t/w/a/d/big"

/* A store with one of everything, unmounted. */
static void
make_sample(void)
{
	mount_vault("settle=60");
	make_attestation();
	put(A "/small", SECRET);
	allowed(mkdir(A "/d", 0755));
	put_bytes(A "/d/big", noise(BIG_SIZE, 5), BIG_SIZE);
	put(A "/d/\xc3\xbc", "a third");
	allowed(setxattr(A "/d/\xc3\xbc", "user.note", "x", 1, 0));
	sync_dir("mnt");
	allowed(chmod(A, 0555));
	allowed(mkdir(W "/.b", 0755));
	put(W "/.b/f", "published whole");
	allowed(rename(W "/.b", W "/b"));
	allowed(chmod(W, 0555));
	allowed(mkdir("mnt/u", 0755));
	unmount_vault();
}

/* Each link is said to be OK, and what nobody looked at is not. */
START_TEST(a_whole_store_is_ok)
{
	static const char *const links[] = { "contents", "entries", "names",
		"tree", "signature" };
	const char *said;
	char line[64];

	make_sample();
	said = verify(0);
	for (size_t i = 0; i < LEN(links); i++) {
		snprintf(line, sizeof line, "%-18s  OK", links[i]);
		says(said, line);
	}
	says(said, "witness             ABSENT");
	ck_assert_ptr_null(strstr(said, "FAILED"));
	says(run(0, "trailctl verify --json store"), "\"found\":0,");
}
END_TEST

START_TEST(a_mounted_store_verifies_while_it_is_written)
{
	char path[64];

	mount_vault("settle=0");
	make_attestation();
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof path, A "/%d", i);
		put(path, path);
		if (i % 10 == 0) {
			run(0, "trailctl verify store");
			run(0, "trailctl verify mnt");
		}
	}
	put(A "/x.tmp", "a draft is nothing to verify");
	run(0, "trailctl verify mnt");
	unmount_vault();
	verify(0);
}
END_TEST

static void
put_files(const char *name, int from, int upto)
{
	char path[64];

	for (int i = from; i < upto; i++) {
		snprintf(path, sizeof path, A "/%s%d", name, i);
		put(path, path);
	}
	run(0, "trailctl sync mnt");
}

/* What nightly jobs do: each file is right when it is copied. */
START_TEST(the_log_of_a_mount_can_be_copied_while_it_grows)
{
	const char *verify_copy =
	    "timeout -k 1 60 trailctl verify --vkey store/keys/log.vkey copy";

	mount_vault("settle=0");
	make_attestation();
	put_files("a", 0, 10);
	run(0, "mkdir copy && cp mnt/.trailfs/checkpoint copy/");
	put_files("b", 0, _i == 0 ? 5 : 400);
	run(0, "cp -r mnt/.trailfs/tile copy/");
	run(0, "%s", verify_copy);
	/* The other way round nobody can tell. */
	put_files("c", 0, 5);
	run(0, "cp mnt/.trailfs/checkpoint copy/");
	says(run(5, "%s", verify_copy), "the copy ends before this entry");
	run(0, "cp -r mnt/.trailfs/tile copy/");
	run(0, "%s", verify_copy);
	unmount_vault();
}
END_TEST

/* Another machine has the copy and nothing else. */
START_TEST(a_copy_without_private_keys_verifies)
{
	make_sample();
	run(0,
	    "cp -r store copy && rm copy/keys/log.pem "
	    "copy/keys/attester.pem && chmod -R a-w copy");
	run(0, "trailctl verify copy");
	run(0, "chmod -R u+w copy");
}
END_TEST

/* --- what the mount does with it -------------------------------------- */

/* Loop test: inline, and a file of its own. */
START_TEST(changed_bytes_are_never_read_as_if_they_were_right)
{
	const char *path = _i == 0 ? A "/small" : A "/d/big";

	make_sample();
	if (_i == 0)
		flip_bit("store/ledger.db", SECRET);
	else
		run(0,
		    "f=$(find store/objects -type f) && chmod u+w $f && "
		    "printf X | dd of=$f bs=1 seek=100000 conv=notrunc 2>&1");
	mount_vault("settle=0");
	refused(EIO, try_open(path, O_RDONLY));
	refused(EIO, try_open(path, O_RDONLY)); /* nor at the second try */
	run(1, "cat mnt/%s", _i == 0 ? SMALL : BIG);
	holds(W "/b/f", "published whole"); /* the others are served */
	unmount_vault();
	says(verify(4), _i == 0 ? SMALL : BIG);
}
END_TEST

START_TEST(a_missing_object_is_an_error_and_not_an_empty_file)
{
	make_sample();
	run(0, "find store/objects -type f -exec rm {} +");
	mount_vault("settle=0");
	refused(EIO, try_open(A "/d/big", O_RDONLY));
	ck_assert_int_eq(BIG_SIZE, stat_of(A "/d/big").st_size);
	unmount_vault();
	says(verify(4), BIG);
}
END_TEST

/* --- one change each -------------------------------------------------- */

enum how { SQL, SHELL, FLIP };

static const struct {
	enum how how;
	const char *change;
	const char *link;    /* that must be FAILED */
	const char *culprit; /* that must be named */
} changes[] = {
	/* contents */
	{ FLIP, SECRET, "contents", SMALL },
	{ FLIP, "published whole", "contents", "t/w/b/f" },
	{ SHELL, "printf X | dd of=$f bs=1 seek=3 conv=notrunc", "contents",
	    BIG },
	{ SHELL, "printf X | dd of=$f bs=1 seek=149999 conv=notrunc",
	    "contents", BIG },
	{ SHELL, "printf X >>$f", "contents", BIG },
	{ SHELL, "truncate -s -1 $f", "contents", BIG },
	{ SHELL, ": >$f", "contents", BIG },
	{ SHELL, "rm $f", "contents", BIG },
	{ SHELL, "rm $f; mkdir $f", NULL, BIG },
	{ SHELL, "cp $f same; rm $f; ln -s $PWD/same $f", "contents", BIG },
	{ SHELL, "rm $f; mkfifo $f", NULL, BIG },
	{ SQL, "UPDATE object SET size = size + 1 WHERE body IS NULL",
	    "contents", BIG },
	{ SQL, "DELETE FROM object WHERE body IS NULL", "contents", BIG },
	{ SQL,
	    "UPDATE object SET body = NULL WHERE body = "
	    "CAST('" SECRET "' AS BLOB)",
	    "contents", SMALL },
	/* Body and digest, so that the object is right by itself. */
	{ SQL,
	    "UPDATE object SET sha256 = (SELECT sha256 FROM object WHERE "
	    "body = CAST('published whole' AS BLOB)), "
	    "body = CAST('published whole' AS BLOB), size = 15 "
	    "WHERE body = CAST('" SECRET "' AS BLOB)",
	    "contents", SMALL },
	/* Two names change places. */
	{ SQL,
	    "UPDATE node SET object = (SELECT object FROM node WHERE "
	    "name = CAST('big' AS BLOB)) WHERE name = "
	    "CAST('small' AS BLOB)",
	    "contents", SMALL },
	/* entries */
	{ SQL,
	    "UPDATE entry SET body = CAST(replace(body, '\"uid\":0', "
	    "'\"uid\":7') AS BLOB) WHERE idx = 6",
	    NULL, "entry 6" },
	{ SQL,
	    "UPDATE entry SET body = CAST(replace(body, 't/w/a/small', "
	    "'t/w/a/smell') AS BLOB) WHERE "
	    "CAST(body AS TEXT) LIKE '%evidence.sealed%' AND "
	    "CAST(body AS TEXT) LIKE '%t/w/a/small%'",
	    NULL, "sm" },
	{ SQL,
	    "UPDATE entry SET body = substr(body, 1, length(body) - 1) "
	    "WHERE idx = 6",
	    NULL, "entry 6" },
	{ SQL,
	    "UPDATE entry SET body = CAST(body || ' ' AS BLOB) WHERE "
	    "idx = 6",
	    NULL, "entry 6" },
	{ SQL, "UPDATE entry SET body = x'7b7d' WHERE idx = 6", NULL,
	    "entry 6" },
	{ SQL, "DELETE FROM entry WHERE idx = 6", NULL, "6" },
	{ SQL, "DELETE FROM entry WHERE idx = 0", NULL, "0" },
	{ SQL, "DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)",
	    NULL, "" },
	{ SQL,
	    "UPDATE entry SET body = (SELECT body FROM entry WHERE "
	    "idx = 5) WHERE idx = 6",
	    NULL, "entry 6" },
	{ SQL,
	    "INSERT INTO entry SELECT idx + 1, off + length(body) + 1, "
	    "body FROM entry ORDER BY idx DESC LIMIT 1",
	    NULL, "" },
	{ SQL, "UPDATE entry SET off = off + 1 WHERE idx = 6", NULL,
	    "entry 6" },
	/* tree and signature */
	{ SQL, "UPDATE tile SET data = zeroblob(length(data))", NULL, "tile" },
	{ SQL,
	    "UPDATE tile SET data = CAST(substr(data, 1, 64) || "
	    "zeroblob(32) || substr(data, 97) AS BLOB)",
	    NULL, "tile" },
	{ SQL, "UPDATE tile SET data = substr(data, 1, length(data) - 32)",
	    NULL, "tile" },
	{ SQL, "DELETE FROM tile", NULL, "tile" },
	{ SQL,
	    "UPDATE checkpoint SET root = zeroblob(32) WHERE size = "
	    "(SELECT max(size) FROM checkpoint)",
	    NULL, "" },
	{ SQL,
	    "UPDATE checkpoint SET note = CAST(replace(note, "
	    "'example.org/test\n', 'example.org/best\n') AS BLOB) WHERE "
	    "size = (SELECT max(size) FROM checkpoint)",
	    "signature", "" },
	{ SQL,
	    "UPDATE checkpoint SET note = CAST(substr(note, 1, "
	    "length(note) - 12) || CASE substr(note, -12, 1) "
	    "WHEN x'2b' THEN x'2f' ELSE x'2b' END || substr(note, -11) "
	    "AS BLOB) WHERE size = (SELECT max(size) FROM checkpoint)",
	    "signature", "" },
	{ SQL,
	    "UPDATE checkpoint SET note = x'' WHERE size = "
	    "(SELECT max(size) FROM checkpoint)",
	    "signature", "" },
	{ SQL, "DELETE FROM checkpoint", NULL, "" },
	{ SQL,
	    "UPDATE meta SET value = 'example.org/other' WHERE key = "
	    "'origin'",
	    NULL, "" },
	/* names */
	{ SQL, "UPDATE node SET mode = 511 WHERE name = CAST('small' AS BLOB)",
	    "names", SMALL },
	{ SQL, "UPDATE node SET uid = 1001 WHERE name = CAST('big' AS BLOB)",
	    "names", BIG },
	{ SQL, "UPDATE node SET gid = 1001 WHERE name = CAST('big' AS BLOB)",
	    "names", BIG },
	{ SQL,
	    "UPDATE node SET size = size - 1 WHERE name = "
	    "CAST('big' AS BLOB)",
	    NULL, BIG },
	{ SQL,
	    "UPDATE node SET mtime = mtime - 1 WHERE name = "
	    "CAST('small' AS BLOB)",
	    "names", SMALL },
	{ SQL,
	    "UPDATE node SET mtime_ns = 1 WHERE name = "
	    "CAST('small' AS BLOB)",
	    "names", SMALL },
	{ SQL,
	    "UPDATE node SET ctime = ctime - 1 WHERE name = "
	    "CAST('small' AS BLOB)",
	    "names", SMALL },
	{ SQL,
	    "UPDATE node SET name = CAST('smell' AS BLOB) WHERE name = "
	    "CAST('small' AS BLOB)",
	    "names", SMALL },
	{ SQL,
	    "UPDATE node SET parent = (SELECT id FROM node WHERE name = "
	    "CAST('d' AS BLOB)) WHERE name = CAST('small' AS BLOB)",
	    "names", SMALL },
	{ SQL,
	    "UPDATE node SET id = id + 1000 WHERE name = "
	    "CAST('small' AS BLOB)",
	    "names", SMALL },
	{ SQL,
	    "UPDATE node SET xattrs = CAST('{\"note\":\"eQ==\"}' AS BLOB) "
	    "WHERE xattrs IS NOT NULL",
	    "names", "t/w/a/d/\xc3\xbc" },
	{ SQL, "UPDATE node SET xattrs = NULL WHERE xattrs IS NOT NULL",
	    "names", "t/w/a/d/\xc3\xbc" },
	{ SQL,
	    "UPDATE node SET xattrs = CAST('{\"note\":\"eQ==\"}' AS BLOB) "
	    "WHERE name = CAST('small' AS BLOB)",
	    "names", SMALL },
	{ SQL, "UPDATE node SET seal = NULL WHERE name = CAST('a' AS BLOB)",
	    "names", "t/w/a" },
	{ SQL, "UPDATE node SET mode = 493 WHERE name = CAST('a' AS BLOB)",
	    "names", "t/w/a" },
	{ SQL, "UPDATE node SET mode = 511 WHERE name = CAST('u' AS BLOB)",
	    "names", "u" },
	{ SQL, "UPDATE node SET mode = 511 WHERE id = 1", "names", "" },
	{ SQL, "UPDATE node SET kind = 2 WHERE name = CAST('u' AS BLOB)",
	    "names", "u" },
	{ SQL, "DELETE FROM node WHERE name = CAST('small' AS BLOB)", "names",
	    SMALL },
	{ SQL, "DELETE FROM node WHERE name = CAST('u' AS BLOB)", "names",
	    "u" },
	{ SQL,
	    "INSERT INTO node SELECT 5000, parent, CAST('extra' AS BLOB), "
	    "kind, mode, uid, gid, size, mtime, mtime_ns, ctime, ctime_ns, "
	    "btime, btime_ns, entry, seal, object, xattrs FROM node WHERE "
	    "name = CAST('small' AS BLOB)",
	    "names", "extra" },
	/* the database itself */
	{ SQL, "DROP TRIGGER entry_delete", NULL, "trigger" },
	{ SQL, "DROP TABLE digest", NULL, "" },
};

START_TEST(each_change_is_found_and_named)
{
	const char *said;
	char line[64];

	make_sample();
	switch (changes[_i].how) {
	case SQL:
		tamper("%s", changes[_i].change);
		break;
	case SHELL:
		run(0,
		    "f=$(find store/objects -type f) && chmod u+w $f && "
		    "(%s) >/dev/null 2>&1",
		    changes[_i].change);
		break;
	case FLIP:
		flip_bit("store/ledger.db", changes[_i].change);
		break;
	}
	said = run(4, "timeout -k 1 10 trailctl verify store");
	says(said, changes[_i].culprit);
	if (changes[_i].link != NULL) {
		snprintf(line, sizeof line, "%-18s  FAILED", changes[_i].link);
		says(said, line);
	}
}
END_TEST

/* As after a power cut: the entries are right, and are not said to be signed. */
START_TEST(a_missing_newest_signature_is_said)
{
	make_sample();
	tamper("DELETE FROM checkpoint WHERE size = "
	       "(SELECT max(size) FROM checkpoint)");
	says(run(5, "trailctl verify store"), "are not signed yet");
}
END_TEST

/* Without a key to check with it cannot say; so it does not say OK. */
START_TEST(without_the_public_key_nothing_is_ok)
{
	const char *said;

	make_sample();
	run(0, "rm store/keys/log.*");
	said = run(0,
	    "timeout -k 1 10 trailctl verify store; "
	    "echo \"status $?\"");
	ck_assert_ptr_null(strstr(said, "status 0"));
	ck_assert_ptr_null(strstr(said, "signature           OK"));
}
END_TEST

START_TEST(findings_are_in_json_too)
{
	const char *said;

	make_sample();
	flip_bit("store/ledger.db", SECRET);
	tamper("UPDATE node SET mode = 511 WHERE name = "
	       "CAST('big' AS BLOB)");
	said = run(4, "trailctl verify --json store");
	says(said, "\"found\":2,");
	says(said, "\"link\":\"contents\",\"path\":\"" SMALL "\"");
	says(said, "\"link\":\"names\",\"path\":\"" BIG "\"");
	says(said, "\"contents\":\"FAILED\"");
	says(said, "\"entries\":\"OK\"");
}
END_TEST

/* Whoever has no key cannot forge, whatever else he makes fit: all of the
 * history is written anew in another store of the same origin, and put in. */
START_TEST(a_ledger_signed_with_another_key_is_not_this_one)
{
	make_sample();
	run(0,
	    "cp -rp store mine && trailctl init --origin example.org/test "
	    "forged && rm -rf mine/ledger.db* mine/objects mine/checkpoint "
	    "&& cp -rp forged/ledger.db forged/objects forged/checkpoint "
	    "mine/");
	run(4, "trailctl verify mine");
}
END_TEST

/* Only the newest head says how long it is: a shorter one is found by it. */
START_TEST(a_ledger_cut_off_at_an_earlier_checkpoint_is_found)
{
	make_sample();
	tamper("DELETE FROM checkpoint WHERE size = "
	       "(SELECT max(size) FROM checkpoint); "
	       "DELETE FROM entry WHERE idx >= "
	       "(SELECT max(size) FROM checkpoint); "
	       "UPDATE tile SET data = substr(data, 1, "
	       "32 * (SELECT max(size) FROM checkpoint))");
	/* The second copy beside it knows better. */
	says(run(1, "timeout -k 1 20 trailfs store mnt"), "older copy");
	verify(4);
}
END_TEST

Suite *
suite_verify(void)
{
	Suite *s = suite_create("verify");
	TCase *t = stored_case(s, "verify");

	tcase_add_test(t, a_whole_store_is_ok);
	tcase_add_test(t, a_mounted_store_verifies_while_it_is_written);
	tcase_add_loop_test(t, the_log_of_a_mount_can_be_copied_while_it_grows,
	    0, 2);
	tcase_add_test(t, a_copy_without_private_keys_verifies);
	tcase_add_loop_test(t,
	    changed_bytes_are_never_read_as_if_they_were_right, 0, 2);
	tcase_add_test(t, a_missing_object_is_an_error_and_not_an_empty_file);
	tcase_add_loop_test(t, each_change_is_found_and_named, 0,
	    (int)LEN(changes));
	tcase_add_test(t, a_missing_newest_signature_is_said);
	tcase_add_test(t, without_the_public_key_nothing_is_ok);
	tcase_add_test(t, findings_are_in_json_too);
	tcase_add_test(t, a_ledger_signed_with_another_key_is_not_this_one);
	tcase_add_test(t, a_ledger_cut_off_at_an_earlier_checkpoint_is_found);
	return s;
}
