/*
 * Claims: what writers say about attestations, workflows and trails by extended
 * attributes, and that it reaches the entries.
 */
#include <sys/xattr.h>

#include "harness.h"

#define SAY(path, key, value) \
	setxattr((path), "user.trailfs." key, (value), strlen(value), 0)
#define HEX "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static const char *const every[][2] = {
	{ "type", "pull_request" },
	{ "compliant", "true" },
	{ "description", "Who opened\tthe shell\nand why: \"x\" \\ \xc3\x9c" },
	{ "origin-url", "https://ci.example.org/runs/42?a=b&c=d" },
	{ "control", "AC-17.1" },
	{ "on-behalf-of", "Alice \xc3\x9c. <alice@example.org>" },
	{ "annotation.ticket", "OPS-1234" },
	{ "annotation.a", "1" },
	{ "external-url.run book", "https://wiki.example.org/x" },
	{ "external-fingerprint.run book", HEX },
	{ "external-url.a", "https://a.example.org" },
};

static const char *
name_of(const char *key)
{
	static char name[256];

	snprintf(name, sizeof name, "user.trailfs.%s", key);
	return name;
}

static void
say_everything(const char *path)
{
	for (size_t i = 0; i < LEN(every); i++)
		allowed(setxattr(path, name_of(every[i][0]), every[i][1],
		    strlen(every[i][1]), 0));
}

static void
has_everything(const char *path)
{
	for (size_t i = 0; i < LEN(every); i++)
		ck_assert_str_eq(every[i][1], fact(path, every[i][0]));
}

#define ALL                                                                  \
	"\"claims\":{\"annotations\":{\"a\":\"1\",\"ticket\":\"OPS-1234\"}," \
	"\"compliant\":true,\"control\":\"AC-17.1\","                        \
	"\"description\":\"Who opened\\tthe shell\\nand why: "               \
	"\\\"x\\\" \\\\ \xc3\x9c\","                                         \
	"\"externalUrls\":{\"a\":{\"href\":\"https://a.example.org\"},"      \
	"\"run book\":{\"fingerprint\":\"" HEX                               \
	"\",\"href\":\"https://wiki.example.org/x\"}},"                      \
	"\"onBehalfOf\":\"Alice \xc3\x9c. <alice@example.org>\","            \
	"\"originUrl\":\"https://ci.example.org/runs/42?a=b&c=d\","          \
	"\"type\":\"pull_request\"}"

START_TEST(claims_are_in_the_entry_of_the_seal)
{
	char list[64];

	make_attestation();
	put(A "/f", "x");
	say_everything(A);
	has_everything(A);
	ck_assert_int_eq(0, listxattr(A, list, sizeof list));
	ck_assert_uint_eq(0, entries("claims.set", NULL));
	remount_vault();
	has_everything(A);
	run(0, "trailctl seal " A);
	says(entry("attestation.sealed", "t/w/a"), "\"claimants\":[0]," ALL);
	has_everything(A);
	refused(EPERM, SAY(A, "compliant", "false"));
	refused(EPERM, removexattr(A, "user.trailfs.type"));
	says(content(A "/.trailfs/attestation.intoto.json", NULL), "payload");
	unmount_vault();
	/* The row is gone: the entry has it all. */
	run(0,
	    "sqlite3 store/ledger.db 'SELECT count(*) FROM claim' | "
	    "grep -x 0");
	verify(0);
}
END_TEST

/* Alice may read the workflow, and not the attestation. */
START_TEST(for_whom_it_was_is_shown_as_a_claim_to_its_readers)
{
	static const char *const files[][2] = {
		{ W "/.trailfs/status.json", "\"on_behalf_of\":\"Carol | x\"" },
		{ W "/.trailfs/status.md", " for Carol \\| x (claimed) |" },
		{ W "/.trailfs/index.html", "<dt>On behalf of (claimed)</dt>" },
		{ A "/.trailfs/attestation.json",
		    "\"on_behalf_of\":\"Carol | x\"" },
	};

	make_attestation();
	put(A "/f", "x");
	allowed(SAY(A, "on-behalf-of", "Carol | x"));
	refused(EPERM, SAY(W, "on-behalf-of", "Carol"));
	run(0, "chmod 0755 mnt/t mnt/t/w");
	seal(A, 0500);
	refused(EPERM, SAY(A, "on-behalf-of", "Dave"));
	says_not(entry("attestation.sealed", "t/w/a"), "\"user\":\"Carol");
	for (size_t i = 0; i < LEN(files); i++)
		says(content(files[i][0], NULL), files[i][1]);
	as(ALICE);
	for (size_t i = 0; i < 2; i++)
		says_not(content(files[i][0], NULL), "Carol");
	refused(EACCES, try_open(files[2][0], O_RDONLY));
	refused(EACCES, try_open(files[3][0], O_RDONLY));
	as(0);
}
END_TEST

START_TEST(a_claim_can_change_until_the_seal)
{
	make_attestation();
	ck_assert_str_eq("(ENODATA)", fact(A, "type"));
	allowed(SAY(A, "type", "generic"));
	allowed(SAY(A, "type", "snyk"));
	ck_assert_str_eq("snyk", fact(A, "type"));
	refused(EEXIST, setxattr(A, "user.trailfs.type", "x", 1, XATTR_CREATE));
	refused(ENODATA,
	    setxattr(A, "user.trailfs.control", "x", 1, XATTR_REPLACE));
	refused(ENODATA, removexattr(A, "user.trailfs.control"));
	allowed(SAY(A, "annotation.k", "v"));
	allowed(removexattr(A, "user.trailfs.annotation.k"));
	ck_assert_str_eq("(ENODATA)", fact(A, "annotation.k"));
	allowed(removexattr(A, "user.trailfs.type"));
	put(A "/f", "x");
	run(0, "trailctl seal " A);
	says_not(entry("attestation.sealed", "t/w/a"), "claim");
}
END_TEST

START_TEST(a_value_that_no_claim_can_have_is_refused)
{
	static const char *const bad[][2] = { { "type", "" }, { "type", "-x" },
		{ "type", "a b" }, { "type", "a\n" }, { "compliant", "" },
		{ "compliant", "yes" }, { "compliant", "True" },
		{ "compliant", "true\n" }, { "compliant", "1" },
		{ "description", "" }, { "description", "a\x01" },
		{ "description", "\xff" }, { "description", "a\r\n" },
		{ "on-behalf-of", "" }, { "on-behalf-of", "a\x01" },
		{ "on-behalf-of", "\xff" }, { "origin-url", "" },
		{ "control", "a b" }, { "control", ".a" },
		{ "annotation.", "x" }, { "annotation.a b", "x" },
		{ "annotation.a-b", "x" }, { "annotation.a.b", "x" },
		{ "annotation.\xc3\x9c", "x" }, { "annotation.a", "" },
		{ "external-url.", "x" }, { "external-url.a.b", "x" },
		{ "external-url.a=b", "x" }, { "external-url.a\"b", "x" },
		{ "external-url.a", "" }, { "external-fingerprint.none", HEX },
		{ "external-fingerprint.a", "" },
		{ "external-fingerprint.a", "e3b0" }, { "user-data", "" } };
	char *big = noise(20000, 1);

	make_attestation();
	memset(big, 'x', 20000);
	allowed(SAY(A, "external-url.a", "x"));
	for (size_t i = 0; i < LEN(bad); i++)
		ck_assert_msg(setxattr(A, name_of(bad[i][0]), bad[i][1],
				  strlen(bad[i][1]), 0) == -1 &&
			errno == EINVAL,
		    "%s=%s: %s", bad[i][0], bad[i][1], errno_name(errno));
	refused(EPERM, SAY(A, "state", "sealed"));
	refused(EPERM, SAY(A, "sort", "x"));
	refused(EOPNOTSUPP, setxattr(A, "user.type", "x", 1, 0));
	put(A "/f", "x");
	refused(EPERM, SAY(A "/f", "type", "generic"));
	run(0, "mkdir " A "/d");
	refused(EPERM, SAY(A "/d", "type", "generic"));
	refused(EPERM, SAY("mnt", "description", "x"));
#define LONG(key, n) setxattr(A, "user.trailfs." key, big, n, 0)
	refused(E2BIG, LONG("type", 129));
	allowed(LONG("type", 128));
	refused(E2BIG, LONG("control", 65));
	allowed(LONG("control", 64));
	refused(E2BIG, LONG("description", 2049));
	allowed(LONG("description", 2048));
	refused(E2BIG, LONG("on-behalf-of", 257));
	allowed(LONG("on-behalf-of", 256));
	refused(E2BIG, LONG("origin-url", 1025));
	refused(E2BIG, LONG("annotation.a", 1025));
	refused(E2BIG, LONG("external-url.b", 1025));
	refused(E2BIG,
	    SAY(A, "annotation." HEX "x", "a name of 65 characters"));
	/* Together: 8,192 bytes. */
	for (int i = 0; i < 4; i++)
		allowed(setxattr(A,
		    name_of((char[]){ 'a', 'n', 'n', 'o', 't', 'a', 't', 'i',
			'o', 'n', '.', (char)('a' + i), 0 }),
		    big, 1024, 0));
	allowed(LONG("origin-url", 1024));
	refused(ENOSPC, LONG("annotation.z", 1024));
	ck_assert_str_eq("(ENODATA)", fact(A, "annotation.z"));
#undef LONG
	run(0, "trailctl seal " A);
}
END_TEST

START_TEST(there_is_a_limit_to_the_number_of_claims)
{
	char key[64];

	make_attestation();
	for (int i = 0; i < 64; i++) {
		snprintf(key, sizeof key, "annotation.k%d", i);
		allowed(setxattr(A, name_of(key), "v", 1, 0));
	}
	refused(ENOSPC, SAY(A, "annotation.more", "v"));
	allowed(SAY(A, "annotation.k0", "w"));
	for (int i = 0; i < 16; i++) {
		snprintf(key, sizeof key, "external-url.k%d", i);
		allowed(setxattr(A, name_of(key), "v", 1, 0));
	}
	refused(ENOSPC, SAY(A, "external-url.more", "v"));
	allowed(removexattr(A, "user.trailfs.external-url.k3"));
	allowed(SAY(A, "external-url.more", "v"));
	put(A "/f", "x");
	run(0, "trailctl seal " A);
	ck_assert_str_eq("w", fact(A, "annotation.k0"));
}
END_TEST

START_TEST(a_draft_attestation_keeps_its_claims)
{
	make_attestation();
	run(0, "mkdir " W "/.b " W "/.c " W "/.d");
	say_everything(W "/.b");
	allowed(SAY(W "/.b", "user-data", "any\x01\xff bytes"));
	run(0, "mv " W "/.b " W "/.e && mv " W "/.e " W "/.f");
	has_everything(W "/.f");
	put(W "/.f/file", "x");
	allowed(SAY(W "/.c", "type", "snyk"));
	allowed(SAY(W "/.c", "user-data", "gone"));
	run(0, "rmdir " W "/.c");
	allowed(SAY(W "/.d", "type", "snyk"));
	run(0, "mv " W "/.f " W "/f");
	has_state(W "/f", "sealed");
	says(entry("attestation.sealed", "t/w/f"), "\"claimants\":[0],");
	has_everything(W "/f");
	ck_assert_str_eq("any\x01\xff bytes", fact(W "/f", "user-data"));
	/* A draft that replaces another one has its own claims. */
	run(0, "mkdir " W "/.g && mv -T " W "/.g " W "/.d");
	ck_assert_str_eq("(ENODATA)", fact(W "/.d", "type"));
	unmount_vault();
	run(0,
	    "sqlite3 store/ledger.db 'SELECT count(*) FROM claim' | "
	    "grep -x 0");
	verify(0);
}
END_TEST

START_TEST(a_claim_survives_a_crash)
{
	make_attestation();
	run(0, "mkdir " W "/.b");
	say_everything(A);
	say_everything(W "/.b");
	allowed(SAY("mnt/t/w", "description", "a run"));
	crash_vault();
	run(0, "umount mnt");
	mount_vault("");
	has_everything(A);
	has_everything(W "/.b");
	ck_assert_str_eq("a run", fact("mnt/t/w", "description"));
	put(W "/.b/f", "x");
	run(0, "mv " W "/.b " W "/b && trailctl seal " A);
	says(entry("attestation.sealed", "t/w/a"), ALL);
	says(entry("attestation.sealed", "t/w/b"), ALL);
}
END_TEST

START_TEST(claimants_are_those_who_claimed)
{
	make_attestation();
	run(0, "chmod 0777 mnt mnt/t mnt/t/w " A);
	as(BOB);
	allowed(SAY(A, "type", "snyk"));
	as(ALICE);
	allowed(SAY(A, "type", "snyk"));
	as(0);
	run(0, "chmod 0755 " A);
	as(BOB);
	refused(EACCES, SAY(A, "type", "junit"));
	as(0);
	put(A "/f", "x");
	run(0, "trailctl seal " A);
	says(entry("attestation.sealed", "t/w/a"), "\"claimants\":[1001,1002]");
}
END_TEST

START_TEST(trails_and_workflows_have_claims_as_entries)
{
	make_attestation();
	refused(EPERM, SAY("mnt/t", "type", "x"));
	refused(EPERM, SAY("mnt/t", "compliant", "true"));
	refused(EPERM, SAY("mnt/t/w", "control", "x"));
	allowed(SAY("mnt/t", "description", "Shells"));
	allowed(SAY("mnt/t", "annotation.owner", "platform"));
	says(entry("claims.set", "t"),
	    "\"claims\":{\"annotations\":{\"owner\":\"platform\"},"
	    "\"description\":\"Shells\"}");
	says(entry("claims.set", "t"), "\"comm\":");
	ck_assert_uint_eq(2, entries("claims.set", "t"));
	allowed(SAY("mnt/t", "description", "Shells")); /* nothing new */
	ck_assert_uint_eq(2, entries("claims.set", "t"));
	allowed(SAY("mnt/t/w", "origin-url", "https://ci.example.org/1"));
	allowed(SAY("mnt/t/w", "user-data", "{\"any\": 1}"));
	says(content("mnt/t/.trailfs/events.jsonl", NULL), "claims.set");
	says(content("mnt/t/w/.trailfs/events.jsonl", NULL), "claims.set");
	says(content("mnt/t/w/.trailfs/index.html", NULL), "Claims set");
	allowed(removexattr("mnt/t", "user.trailfs.description"));
	allowed(removexattr("mnt/t", "user.trailfs.annotation.owner"));
	says_not(entry("claims.set", "t"), "\"claims\"");
	remount_vault();
	ck_assert_str_eq("(ENODATA)", fact("mnt/t", "description"));
	ck_assert_str_eq("https://ci.example.org/1",
	    fact("mnt/t/w", "origin-url"));
	ck_assert_str_eq("{\"any\": 1}", fact("mnt/t/w", "user-data"));
	put(A "/f", "x");
	run(0, "trailctl seal mnt/t/w && trailctl seal mnt/t");
	refused(EPERM, SAY("mnt/t/w", "description", "late"));
	refused(EPERM, SAY("mnt/t", "description", "late"));
	ck_assert_str_eq("https://ci.example.org/1",
	    fact("mnt/t/w", "origin-url"));
}
END_TEST

START_TEST(a_closed_directory_takes_no_claims)
{
	unmount_vault();
	mount_vault("settle=60");
	make_attestation();
	put(A "/f", "x");
	run(0, "chmod a-w " A);
	refused(EROFS, SAY(A, "type", "snyk"));
	run(0, "chmod u+w " A);
	allowed(SAY(A, "type", "snyk"));
}
END_TEST

/* The user did nothing wrong. */
START_TEST(damaged_claims_are_an_error_of_the_store)
{
	const char *damage[] = { "uids = x'ff'", "claims = x'7b'" };
	char value[8];

	make_attestation();
	allowed(setxattr(A, "user.trailfs.type", "x", 1, 0));
	for (size_t i = 0; i < LEN(damage); i++) {
		unmount_vault();
		tamper("UPDATE claim SET %s", damage[i]);
		mount_vault("");
		if (i == 1)
			refused(EIO,
			    getxattr(A, "user.trailfs.type", value,
				sizeof value));
		says(run(3, "trailctl seal " A), "Input/output error");
		says(content("log", NULL), "claims in the database");
	}
	expect_no_verify();
}
END_TEST

/* Sealing compares the bytes with the claim; so does verify before. */
START_TEST(damaged_user_data_are_not_sealed)
{
	const char *damage[] = {
		"object SET body = CAST('Bytes' AS BLOB) WHERE id IN"
		" (SELECT object FROM claim)",
		"claim SET object = 0",
		"claim SET claims = CAST(replace(CAST(claims AS TEXT),"
		" '\"size\":5', '\"size\":4') AS BLOB)"
	};

	make_attestation();
	put_sealed(A "/f", "x");
	for (size_t i = 0; i < LEN(damage); i++) {
		allowed(SAY(A, "user-data", "bytes"));
		unmount_vault();
		verify(0);
		tamper("UPDATE %s", damage[i]);
		says(verify(4), "user data of node");
		mount_vault("");
		says(run(3, "trailctl seal " A), "Input/output error");
		says(content("log", NULL),
		    "the user data of t/w/a were altered in the database");
		ck_assert_uint_eq(0, entries("attestation.sealed", NULL));
	}
	allowed(SAY(A, "user-data", "bytes"));
	run(0, "trailctl seal " A);
	ck_assert_str_eq("bytes", fact(A, "user-data"));
}
END_TEST

START_TEST(verify_names_damaged_claims)
{
	const char *damage[] = { "uids = x'ff'", "claims = x'7b'" };

	make_attestation();
	allowed(SAY(A, "type", "x"));
	unmount_vault();
	verify(0);
	for (size_t i = 0; i < LEN(damage); i++) {
		tamper("UPDATE claim SET %s", damage[i]);
		says(verify(4), "claims about node");
	}
	expect_no_verify();
}
END_TEST

/* Equal user data of two attestations are one object. */
START_TEST(user_data_are_kept_once)
{
	make_attestation();
	run(0, "mkdir mnt/t/w/b");
	put(A "/f", "same");
	allowed(SAY(A, "user-data", "longer than that"));
	allowed(SAY(A, "user-data", "same"));
	allowed(SAY("mnt/t/w/b", "user-data", "same"));
	run(0, "trailctl seal mnt/t/w");
	ck_assert_str_eq("same", fact(A, "user-data"));
	ck_assert_str_eq("same", fact("mnt/t/w/b", "user-data"));
	unmount_vault();
	run(0,
	    "sqlite3 store/ledger.db \"SELECT count(*) FROM object WHERE "
	    "body = CAST('same' AS BLOB)\" | grep -x 1");
	verify(0);
}
END_TEST

Suite *
suite_claim(void)
{
	Suite *s = suite_create("claim");
	TCase *t = mounted_case(s, "claim");

	tcase_add_test(t, claims_are_in_the_entry_of_the_seal);
	tcase_add_test(t, for_whom_it_was_is_shown_as_a_claim_to_its_readers);
	tcase_add_test(t, a_claim_can_change_until_the_seal);
	tcase_add_test(t, a_value_that_no_claim_can_have_is_refused);
	tcase_add_test(t, there_is_a_limit_to_the_number_of_claims);
	tcase_add_test(t, a_draft_attestation_keeps_its_claims);
	tcase_add_test(t, a_claim_survives_a_crash);
	tcase_add_test(t, claimants_are_those_who_claimed);
	tcase_add_test(t, trails_and_workflows_have_claims_as_entries);
	tcase_add_test(t, a_closed_directory_takes_no_claims);
	tcase_add_test(t, user_data_are_kept_once);
	tcase_add_test(t, damaged_claims_are_an_error_of_the_store);
	tcase_add_test(t, damaged_user_data_are_not_sealed);
	tcase_add_test(t, verify_names_damaged_claims);
	return s;
}
