/* Retention and holds as control files: who may set them, and who sees them. */
#include "harness.h"

#define TCTL "mnt/t/.trailfs/"
#define WCTL W "/.trailfs/"
#define ACTL A "/.trailfs/"

/* Write the whole text; returns what close(2) returns. */
static int
set(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0)
		return -1;
	add(fd, text);
	return close(fd);
}

static const char *
text_of(const char *path)
{
	return run(0, "cat %s", path);
}

/* Alice owns the trail and the workflow, bob the attestation. */
static void
make_trail(void)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	allowed(chown(W, ALICE, ALICE));
	allowed(chown(A, BOB, BOB));
	put_sealed(A "/f", "x");
}

START_TEST(a_retention_is_set_and_shown)
{
	make_trail();
	says(text_of(TCTL "retention"), "{\"protected\":false}");
	says(run(0, "ls " TCTL " " WCTL " " ACTL), "retention");
	as(ALICE);
	allowed(set(TCTL "retention",
	    "{\"for\": \"7y\", \"rule\": {\"id\": \"SOX-802\"}}"));
	as(0);
	says(entry("retention.set", "t"), "\"for\":\"7y\"");
	says(entry("retention.set", "t"), "\"uid\":1001");
	says(text_of(ACTL "retention"), "\"kept\":\"open\"");
	says(text_of(ACTL "retention"), "\"path\":\"t\"");
	refused(EPERM, set(TCTL "retention", "{\"for\":\"6y\"}"));
	says(text_of(TCTL "last-error"), "never shortened");
	refused(EINVAL, set(TCTL "retention", "{\"for\":\"0d\"}"));
	refused(EINVAL, set(TCTL "retention", "{\"for\":\"99999y\"}"));
	refused(EINVAL, set(TCTL "retention", "7y"));
	ck_assert_uint_eq(1, entries("retention.set", "t"));
	seal(A, 0555);
	says(text_of(ACTL "retention"), "\"kept\":\"until\"");
	says(text_of(ACTL "retention"), "\"ends\":\"20");
	says(text_of(ACTL "attestation.json"), "\"retention\":{\"ends\":\"20");
	/* The workflow is open. */
	says(text_of(WCTL "status.json"), "\"kept\":\"open\"");
	says(text_of(TCTL "status.json"), "\"kept\":\"open\"");
	says(text_of(WCTL "status.md"), "kept; the time begins with the seal");
	/* What is sealed can be kept longer. */
	allowed(set(ACTL "retention", "{\"mode\":\"never\"}"));
	says(text_of(WCTL "retention"), "\"kept\":\"forever\"");
	says(text_of(WCTL "index.html"), "kept for ever");
	remount_vault();
	says(text_of(ACTL "retention"), "\"kept\":\"forever\"");
}
END_TEST

START_TEST(a_hold_is_placed_and_released)
{
	make_trail();
	seal(A, 0555);
	says(text_of("mnt/.trailfs/holds"), "{\"protected\":false}");
	as(ALICE);
	allowed(set(TCTL "holds", "{\"place\":\"case-1\",\"reason\":\"R1\"}"));
	as(0);
	allowed(set(ACTL "holds", "{\"place\":\"case-2\",\"reason\":\"R2\"}"));
	allowed(set("mnt/.trailfs/holds",
	    "{\"place\":\"case-1\",\"reason\":\"R0\"}"));
	says(text_of("mnt/.trailfs/index.html"), "<dt>Holds</dt><dd>3</dd>");
	says(text_of(ACTL "holds"), "\"hold\":\"case-1\"");
	says(text_of(ACTL "holds"), "\"reason\":\"R0\"");
	says(text_of(ACTL "holds"), "\"hold\":\"case-2\"");
	says(text_of("mnt/.trailfs/holds"), "\"reason\":\"R2\"");
	says(text_of(ACTL "attestation.json"), "\"hold\":\"case-2\"");
	says_not(text_of(ACTL "attestation.json"), "R2");
	says(text_of(WCTL "status.json"), "\"hold\":\"case-2\"");
	says(text_of(WCTL "index.html"), "held: case-1 and 2 more");
	says(text_of(TCTL "index.html"), "Hold placed: case-1");
	says(text_of(TCTL "status.json"), "\"hold\":\"case-1\"");
	refused(EEXIST,
	    set(ACTL "holds", "{\"place\":\"case-2\",\"reason\":\"R\"}"));
	says(text_of(ACTL "last-error"), "stands already");
	refused(ENODATA,
	    set(WCTL "holds", "{\"release\":\"case-2\",\"reason\":\"R\"}"));
	refused(EINVAL,
	    set(WCTL "holds", "{\"place\":\"a/b\",\"reason\":\"R\"}"));
	refused(EINVAL, set(WCTL "holds", "{\"place\":\"a\"}"));
	allowed(set(ACTL "holds",
	    "{\"release\":\"case-2\",\"reason\":\"closed\"}"));
	says_not(text_of(ACTL "holds"), "case-2");
	says(text_of(ACTL "holds"), "\"protected\":true");
	allowed(set(TCTL "holds", "{\"release\":\"case-1\",\"reason\":\"r\"}"));
	says(text_of(ACTL "holds"), "R0");
	allowed(set("mnt/.trailfs/holds",
	    "{\"release\":\"case-1\",\"reason\":\"r\"}"));
	says(text_of(ACTL "holds"), "{\"protected\":false}");
	ck_assert_uint_eq(1, entries("hold.placed", "t/w/a"));
	ck_assert_uint_eq(1, entries("hold.released", "t/w/a"));
	/* In a package, and in the replay of verify. */
	run(0,
	    "trailctl package " W " -o p.zip && "
	    "trailctl verify p.zip --vkey mnt/.trailfs/log.vkey");
}
END_TEST

START_TEST(only_the_owner_of_the_trail_and_root_protect)
{
	static const char *const files[] = { TCTL, WCTL, ACTL };
	char path[64];

	make_trail();
	as(BOB);
	for (size_t i = 0; i < LEN(files); i++) {
		(void)snprintf(path, sizeof(path), "%sretention", files[i]);
		refused(EACCES, set(path, "{\"for\":\"7y\"}"));
		(void)snprintf(path, sizeof(path), "%sholds", files[i]);
		refused(EACCES,
		    set(path, "{\"place\":\"x\",\"reason\":\"r\"}"));
		refused(EACCES,
		    set(path, "{\"release\":\"x\",\"reason\":\"r\"}"));
	}
	/* Like all control files with names of people. */
	refused(EACCES, try_open(TCTL "holds", O_RDONLY));
	as(ALICE);
	refused(EACCES,
	    set("mnt/.trailfs/holds", "{\"place\":\"x\",\"reason\":\"r\"}"));
	allowed(set(ACTL "holds", "{\"place\":\"x\",\"reason\":\"r\"}"));
	/* A closed attestation of bob's does not tell of itself. */
	as(0);
	allowed(chmod(A, 0700));
	as(ALICE);
	says_not(text_of(TCTL "holds"), "t/w/a");
	says(text_of(TCTL "holds"), "\"protected\":true");
	as(0);
	says(text_of(TCTL "holds"), "t/w/a");
	ck_assert_uint_eq(0, entries("retention.set", "t"));
}
END_TEST

START_TEST(a_template_sets_the_retention_of_new_workflows)
{
	make_trail();
	put("t.yml",
	    "version: 1\n"
	    "trail:\n"
	    "  x-trailfs: {retain: {for: 18m, rule: R-7}}\n"
	    "  attestations:\n"
	    "  - name: a\n"
	    "    type: generic\n");
	run(0, "cp t.yml " TCTL "template.yml");
	allowed(mkdir("mnt/t/x", 0755));
	ck_assert_uint_eq(0, entries("retention.set", "t/w"));
	says(entry("retention.set", "t/x"), "\"for\":\"18m\"");
	says(entry("retention.set", "t/x"), "\"id\":\"R-7\",\"sha256\":\"");
	says(text_of("mnt/t/x/.trailfs/retention"), "\"for\":\"18m\"");
	refused(EPERM, set("mnt/t/x/.trailfs/retention", "{\"for\":\"17m\"}"));
	allowed(set("mnt/t/x/.trailfs/retention", "{\"for\":\"19m\"}"));
	run(0, "sed -i s/18m/0m/ t.yml");
	run(1, "cp t.yml " TCTL "template.yml");
	says(text_of(TCTL "last-error"), "is not a period");
	run(0, "sed -i 's/{for.*}}/never}/' t.yml");
	run(1, "cp t.yml " TCTL "template.yml");
	run(0, "sed -i 's/never}/{mode: never}}/' t.yml");
	run(0, "cp t.yml " TCTL "template.yml");
	allowed(mkdir("mnt/t/y", 0755));
	says(entry("retention.set", "t/y"), "\"id\":\"template.yml\"");
	says(text_of("mnt/t/y/.trailfs/retention"), "\"kept\":\"forever\"");
}
END_TEST

START_TEST(verify_finds_rows_that_differ_from_the_entries)
{
	mount_vault("settle=0");
	make_trail();
	allowed(set(TCTL "holds", "{\"place\":\"x\",\"reason\":\"r\"}"));
	allowed(set(TCTL "retention", "{\"for\":\"7y\"}"));
	unmount_vault();
	verify(0);
	run(0, "cp -a store copy");
	tamper("DELETE FROM definition WHERE kind = 16");
	says(verify(4), "the database does not show this hold");
	run(0, "rm -r store && cp -a copy store");
	tamper("DELETE FROM definition WHERE kind = 17");
	says(verify(4), "the database does not show this retention");
	run(0, "rm -r store && cp -a copy store");
	/* A release that no entry tells of. */
	tamper("INSERT INTO definition SELECT node, kind, name, 2, entry, 0 "
	       "FROM definition WHERE kind = 16");
	says(verify(4), "without an entry");
	run(0, "rm -r store && mv copy store");
}
END_TEST

Suite *
suite_protect(void)
{
	Suite *s = suite_create("protect");
	TCase *t = mounted_case(s, "protect");

	tcase_add_test(t, a_retention_is_set_and_shown);
	tcase_add_test(t, a_hold_is_placed_and_released);
	tcase_add_test(t, only_the_owner_of_the_trail_and_root_protect);
	tcase_add_test(t, a_template_sets_the_retention_of_new_workflows);
	t = stored_case(s, "protection of stores");
	tcase_add_test(t, verify_finds_rows_that_differ_from_the_entries);
	return s;
}
