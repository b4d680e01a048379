/* Drafts: names on the way to another; and attestations published whole. */
#include <sys/wait.h>

#include "harness.h"

#define D W "/.login"

/* --- files ------------------------------------------------------------ */

START_TEST(a_draft_that_takes_its_name_is_sealed_at_once)
{
	make_attestation();
	put(A "/.f.a1B2c3", "by rsync");
	has_state(A "/.f.a1B2c3", "draft");
	allowed(rename(A "/.f.a1B2c3", A "/f"));
	has_state(A "/f", "sealed"); /* though it would settle for a minute */
	holds(A "/f", "by rsync");
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
	ck_assert(!exists(A "/.f.a1B2c3"));
}
END_TEST

/* Which names these are, test_name.c knows; here, that they act so. */
START_TEST(temporary_names_are_drafts_and_others_are_not)
{
	static const struct {
		const char *name, *state;
	} names[] = {
		{ ".report.txt.a1B2c3", "draft" },
		{ "f~", "draft" },
		{ "f.tmp", "draft" },
		{ "f.part", "draft" },
		{ "f.partial", "draft" },
		{ "f.crdownload", "draft" },
		{ "f.filepart", "draft" },
		{ ".f.swp", "draft" },
		{ ".f.swpx", "draft" },
		{ ".#f", "draft" },
		{ ".goutputstream-1A2B3C", "draft" },
		{ ".~lock.f.odt#", "draft" },
		{ "~$f.docx", "draft" },
		{ "#f#", "draft" },
		{ ".f.kate-swp", "draft" },
		{ "f.aria2", "draft" },
		{ ".fuse_hidden0000000100000001", "draft" },
		{ ".nfs000000000012d687", "draft" },
		{ "#1 of 2", "frozen" },
		{ ".~tmp~/f", "draft" },
		{ ".rsync-partial/f", "draft" },
		{ ".env", "frozen" },
		{ ".env.sample", "frozen" },
		{ ".gitignore", "frozen" },
		{ "f.swp", "frozen" },
		{ "f.tmp.txt", "frozen" },
		{ "f.TMP", "frozen" },
	};
	char path[100];

	make_attestation();
	allowed(mkdir(A "/.~tmp~", 0755));
	allowed(mkdir(A "/.rsync-partial", 0755));
	for (size_t i = 0; i < LEN(names); i++) {
		snprintf(path, sizeof path, A "/%s", names[i].name);
		put(path, "x");
		ck_assert_msg(strcmp(state_of(path), names[i].state) == 0,
		    "%s is %s", path, state_of(path));
	}
	sync_dir("mnt");
	for (size_t i = 0; i < LEN(names); i++) {
		bool draft = strcmp(names[i].state, "draft") == 0;

		snprintf(path, sizeof path, A "/%s", names[i].name);
		has_state(path, draft ? "draft" : "sealed");
		if (draft)
			allowed(unlink(path));
		else
			refused(EPERM, unlink(path));
	}
	allowed(rmdir(A "/.~tmp~"));
	allowed(rmdir(A "/.rsync-partial"));
}
END_TEST

/* One in 185 of rsync's temporary names has neither digit nor capital.  Such a file
 * is evidence, but rsync has time to set its mode and to rename it. */
START_TEST(what_may_be_a_draft_can_be_renamed)
{
	mount_vault("settle=0");
	make_attestation();
	put(A "/.f.abcdef", "by rsync");
	put(A "/.env.sample", "evidence");
	put(A "/later", "x");
	becomes(A "/later", "sealed"); /* the sealer has seen the others */
	has_state(A "/.f.abcdef", "frozen");
	allowed(chmod(A "/.f.abcdef", 0640));
	allowed(rename(A "/.f.abcdef", A "/f"));
	becomes(A "/f", "sealed");
	holds(A "/f", "by rsync");
	sync_dir("mnt");
	has_state(A "/.env.sample", "sealed");
	ck_assert_uint_eq(3, entries("evidence.sealed", NULL));
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(a_draft_may_be_changed_in_every_way)
{
	int fd;

	make_attestation();
	put(A "/f.tmp", "one");
	fd = open(A "/f.tmp", O_WRONLY | O_APPEND);
	add(fd, " two");
	allowed(close(fd));
	holds(A "/f.tmp", "one two");
	fd = open(A "/f.tmp", O_WRONLY | O_TRUNC);
	add(fd, "three");
	allowed(close(fd));
	allowed(truncate(A "/f.tmp", 2));
	holds(A "/f.tmp", "th");
	allowed(truncate(A "/f.tmp", 4));
	allowed(chmod(A "/f.tmp", 0600));
	allowed(rename(A "/f.tmp", A "/g.tmp"));
	has_state(A "/g.tmp", "draft");
	put(A "/h.tmp", "instead");
	allowed(rename(A "/h.tmp", A "/g.tmp"));
	holds(A "/g.tmp", "instead");
	put(A "/i.tmp", "x");
	refused(EEXIST, rename_flags(A "/i.tmp", A "/g.tmp", RENAME_NOREPLACE));
	refused(EINVAL, rename_flags(A "/i.tmp", A "/g.tmp", RENAME_EXCHANGE));
	allowed(unlink(A "/g.tmp"));
	allowed(unlink(A "/i.tmp"));
	sync_dir("mnt");
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	ck_assert_str_eq("", run(0, "ls -A " A));
}
END_TEST

START_TEST(an_unlinked_draft_exists_until_its_close)
{
	char text[16];
	int fd;

	make_attestation();
	fd = begin_both(A "/f.tmp");
	add(fd, "one");
	allowed(unlink(A "/f.tmp"));
	ck_assert(!exists(A "/f.tmp"));
	add(fd, " two");
	ck_assert_int_eq(7, pread(fd, text, sizeof text, 0));
	ck_assert_int_eq(0, memcmp("one two", text, 7));
	put(A "/f.tmp", "another");
	allowed(close(fd));
	holds(A "/f.tmp", "another");
	fd = open(A "/f.tmp", O_RDONLY);
	allowed(unlink(A "/f.tmp"));
	allowed(pread(fd, text, sizeof text, 0));
	ck_assert_int_eq(0, memcmp("another", text, 7));
	close(fd);
}
END_TEST

START_TEST(a_draft_still_open_takes_its_name_and_freezes_when_closed)
{
	int fd;

	make_attestation();
	fd = begin(A "/f.tmp");
	add(fd, "one");
	allowed(rename(A "/f.tmp", A "/f"));
	has_state(A "/f", "open");
	refused(EPERM, rename(A "/f", A "/f.tmp"));
	refused(EPERM, unlink(A "/f"));
	add(fd, " two");
	allowed(close(fd));
	has_state(A "/f", "frozen");
	sync_dir("mnt");
	holds(A "/f", "one two");
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
}
END_TEST

START_TEST(a_draft_replaces_a_placeholder)
{
	make_attestation();
	put(A "/f", "");
	put(A "/.f.a1B2c3", "bytes");
	allowed(rename(A "/.f.a1B2c3", A "/f"));
	has_state(A "/f", "sealed");
	holds(A "/f", "bytes");
	/* A draft that was never written does not become evidence by that. */
	put(A "/g.tmp", "");
	allowed(rename(A "/g.tmp", A "/g"));
	has_state(A "/g", "placeholder");
	allowed(unlink(A "/g"));
}
END_TEST

START_TEST(drafts_and_their_directories_can_be_renamed_in_turn)
{
	make_attestation();
	allowed(mkdir(A "/.~tmp~", 0755));
	allowed(mkdir(A "/d", 0755));
	put(A "/.f.a1B2c3", "bytes");
	allowed(rename(A "/.f.a1B2c3", A "/.~tmp~/f"));
	has_state(A "/.~tmp~/f", "draft");
	allowed(rename(A "/.~tmp~/f", A "/d/f"));
	has_state(A "/d/f", "sealed");
	allowed(rmdir(A "/.~tmp~"));
	refused(EPERM, rmdir(A "/d"));
	refused(EPERM, rename(A "/d", A "/e"));
	ck_assert_uint_eq(1, entries("directory.created", "t/w/a/d"));
}
END_TEST

START_TEST(a_directory_with_frozen_evidence_keeps_its_name)
{
	make_attestation();
	allowed(mkdir(A "/d", 0755));
	allowed(mkdir(A "/d/e", 0755));
	allowed(rename(A "/d", A "/c"));
	put(A "/c/e/f", "x");
	refused(EPERM, rename(A "/c", A "/d"));
	refused(EPERM, rename(A "/c/e", A "/c/g"));
	refused(ENOTEMPTY, rmdir(A "/c/e"));
	sync_dir("mnt");
	refused(EPERM, rename(A "/c", A "/d"));
	refused(EPERM, rmdir(A "/c/e"));
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/c/e/f"));
}
END_TEST

START_TEST(empty_directories_come_and_go)
{
	make_attestation();
	allowed(mkdir(A "/d", 0755));
	allowed(mkdir(A "/d/e", 0755));
	refused(ENOTEMPTY, rmdir(A "/d"));
	allowed(rename(A "/d/e", A "/f"));
	allowed(rmdir(A "/d"));
	allowed(rmdir(A "/f"));
	ck_assert_uint_eq(0, entries("directory.created", NULL));
	allowed(mkdir(A "/d", 0755));
	put(A "/f", "x");
	seal(A, 0555);
	refused(EPERM, rmdir(A "/d"));
	ck_assert_uint_eq(1, entries("directory.created", "t/w/a/d"));
}
END_TEST

/* What is in the way of no tool any more is in the record. */
START_TEST(remaining_drafts_are_sealed_with_their_attestation)
{
	make_attestation();
	put(A "/f", "evidence");
	put(A "/f.tmp", "draft");
	allowed(mkdir(A "/.~tmp~", 0755));
	put(A "/.~tmp~/g", "another");
	seal(A, 0555);
	has_state(A "/f.tmp", "sealed");
	has_state(A "/.~tmp~/g", "sealed");
	holds(A "/f.tmp", "draft");
	refused(EPERM, unlink(A "/f.tmp"));
	refused(EPERM, try_open(A "/.~tmp~/g", O_WRONLY));
	ck_assert_uint_eq(3, entries("evidence.sealed", NULL));
	says(entry("attestation.sealed", "t/w/a"), "\"count\":3,");
}
END_TEST

START_TEST(status_lists_drafts)
{
	make_attestation();
	put(A "/f.tmp", "draft");
	says(content("mnt/.trailfs/status.json", NULL),
	    "{\"path\":\"t/w/a/f.tmp\",\"state\":\"draft\"}");
}
END_TEST

START_TEST(drafts_outlive_the_mount)
{
	char *big = noise(300000, 9);
	int fd;

	make_attestation();
	put(A "/f.tmp", "one");
	put_bytes(A "/big.tmp", big, 300000);
	allowed(mkdir(A "/.~tmp~", 0755));
	put(A "/.~tmp~/g", "two");
	allowed(mkdir(A "/empty", 0755));
	if (_i == 0) {
		remount_vault();
	} else {
		crash_vault();
		mount_vault("settle=60");
	}
	has_state(A "/f.tmp", "draft");
	has_state(A "/.~tmp~/g", "draft");
	holds(A "/f.tmp", "one");
	ck_assert_int_eq(0, memcmp(big, content(A "/big.tmp", NULL), 300000));
	fd = open(A "/big.tmp", O_WRONLY);
	ck_assert_int_ge(fd, 0);
	add(fd, "edited");
	allowed(close(fd));
	memcpy(big, "edited", 6);
	allowed(rename(A "/big.tmp", A "/big"));
	allowed(rename(A "/.~tmp~/g", A "/g"));
	allowed(unlink(A "/f.tmp"));
	allowed(rmdir(A "/.~tmp~"));
	if (_i == 0) /* nobody promised that a crash would keep it */
		allowed(rmdir(A "/empty"));
	has_state(A "/big", "sealed");
	ck_assert_int_eq(0, memcmp(big, content(A "/big", NULL), 300000));
	holds(A "/g", "two");
	ck_assert_uint_eq(2, entries("evidence.sealed", NULL));
}
END_TEST

/* --- attestations ----------------------------------------------------- */

/* The batch of a line of the ledger, as text. */
static const char *
batch_of(const char *line, unsigned long *first, unsigned long *last)
{
	const char *at = strstr(line, "\"batch\":{");

	ck_assert_msg(at != NULL, "no batch in %s", line);
	ck_assert_int_eq(2,
	    sscanf(at, "\"batch\":{\"first\":%lu,\"last\":%lu}", first, last));
	return at;
}

START_TEST(a_draft_attestation_is_published_whole)
{
	static const struct {
		const char *type, *path;
	} all[] = {
		{ "attestation.begun", "t/w/login" },
		{ "directory.created", "t/w/login/d" },
		{ "directory.created", "t/w/login/none" },
		{ "evidence.sealed", "t/w/login/f" },
		{ "evidence.sealed", "t/w/login/d/g" },
		{ "evidence.sealed", "t/w/login/empty" },
		{ "evidence.sealed", "t/w/login/x.tmp" },
		{ "attestation.sealed", "t/w/login" },
	};
	unsigned long first, last, f, l, before;
	char *big = noise(100000, 11);

	make_attestation();
	allowed(mkdir(D, 0755));
	put(D "/f", "text");
	put(D "/x.tmp", "left over");
	put(D "/empty", "");
	allowed(mkdir(D "/d", 0755));
	allowed(mkdir(D "/none", 0755));
	put_bytes(D "/d/g", big, 100000);
	has_state(D "/f", "draft");
	has_state(D "/d/g", "draft");
	sync_dir("mnt");
	before = entries(NULL, NULL);
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	ck_assert_uint_eq(1, entries("attestation.begun", NULL));
	allowed(rename(D, W "/login"));
	ck_assert_uint_eq(before + LEN(all), entries(NULL, NULL));
	batch_of(entry("attestation.begun", "t/w/login"), &first, &last);
	ck_assert_uint_eq(LEN(all), last - first + 1);
	for (size_t i = 0; i < LEN(all); i++) {
		const char *e = entry(all[i].type, all[i].path);

		ck_assert_uint_eq(1, entries(all[i].type, all[i].path));
		batch_of(e, &f, &l);
		ck_assert_uint_eq(first, f);
		ck_assert_uint_eq(last, l);
		ck_assert(entry_seq(e) >= first && entry_seq(e) <= last);
	}
	ck_assert_uint_eq(first,
	    entry_seq(entry("attestation.begun", "t/w/login")));
	ck_assert_uint_eq(last,
	    entry_seq(entry("attestation.sealed", "t/w/login")));
	says(entry("attestation.sealed", "t/w/login"), "\"count\":4,");
	has_state(W "/login", "sealed");
	has_state(W "/login/d/g", "sealed");
	ck_assert_int_eq(0, memcmp(big, content(W "/login/d/g", NULL), 100000));
	ck_assert(!exists(D));
	refused(EROFS, try_open(W "/login/h", O_WRONLY | O_CREAT));
	refused(EPERM, unlink(W "/login/x.tmp"));
}
END_TEST

START_TEST(a_draft_attestation_may_be_changed_in_every_way)
{
	make_attestation();
	allowed(mkdir(D, 0755));
	put(D "/f", "one");
	allowed(truncate(D "/f", 2));
	allowed(rename(D "/f", D "/g"));
	allowed(unlink(D "/g"));
	put(D "/f", "two");
	allowed(mkdir(D "/d", 0755));
	allowed(rename(D "/f", D "/d/f"));
	allowed(rename(D, W "/.other"));
	refused(ENOTEMPTY, rmdir(W "/.other"));
	allowed(unlink(W "/.other/d/f"));
	allowed(rmdir(W "/.other/d"));
	allowed(rmdir(W "/.other"));
	sync_dir("mnt");
	ck_assert_uint_eq(0, entries(NULL, "t/w/.other"));
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	ck_assert_str_eq("a\n", run(0, "ls -A " W));
}
END_TEST

START_TEST(a_draft_attestation_is_published_only_where_allowed)
{
	int fd;

	make_attestation();
	allowed(mkdir("mnt/t/v", 0755));
	allowed(mkdir(D, 0755));
	put(D "/f", "x");
	refused(EPERM, rename(D, "mnt/t/v/login"));
	refused(EPERM, rename(D, "mnt/t/v/.login"));
	refused(EPERM, rename(D, A "/login"));
	refused(EPERM, rename(D, "mnt/t/login"));
	refused(EINVAL, rename(D, W "/lo gin"));
	refused(EPERM, rename(D, W "/.trailfs"));
	refused(EPERM, rename(D, A));
	refused(EEXIST, rename_flags(D, A, RENAME_NOREPLACE));
	fd = open(D "/f", O_WRONLY | O_APPEND);
	refused(EBUSY, rename(D, W "/login"));
	has_state(D "/f", "draft");
	add(fd, "y");
	allowed(close(fd));
	allowed(rename_flags(D, W "/login", RENAME_NOREPLACE));
	holds(W "/login/f", "xy");
	ck_assert_uint_eq(1, entries("attestation.begun", "t/w/login"));
}
END_TEST

START_TEST(drafts_do_not_leave_their_draft_attestation_unseen)
{
	make_attestation();
	allowed(mkdir(D, 0755));
	put(D "/f", "x");
	/* A file may come out of it, as evidence; none that is goes in. */
	allowed(rename(D "/f", A "/f"));
	has_state(A "/f", "sealed");
	put(A "/g", "y");
	refused(EPERM, rename(A "/g", D "/g"));
	put(A "/h.tmp", "z");
	allowed(rename(A "/h.tmp", D "/h"));
	has_state(D "/h", "draft");
	allowed(rename(D, W "/login"));
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/login/h"));
}
END_TEST

/* Each file is fsynced as it is closed; and the draft is only a name more. */
START_TEST(a_draft_attestation_outlives_the_mount)
{
	make_attestation();
	allowed(mkdir(D, 0755));
	put(D "/f", "one");
	allowed(mkdir(D "/d", 0755));
	put(D "/d/g", "two");
	if (_i == 0) {
		remount_vault();
	} else {
		crash_vault();
		mount_vault("settle=60");
	}
	has_state(D, "draft");
	has_state(D "/d/g", "draft");
	holds(D "/f", "one");
	ck_assert_uint_eq(0, entries("evidence.sealed", NULL));
	ck_assert_uint_eq(0, entries("evidence.interrupted", NULL));
	allowed(rename(D, W "/login"));
	holds(W "/login/d/g", "two");
	ck_assert_uint_eq(2, entries("evidence.sealed", NULL));
}
END_TEST

START_TEST(a_workflow_waits_for_its_draft_attestations)
{
	make_attestation();
	put(A "/f", "x");
	allowed(mkdir(D, 0755));
	put(D "/f", "x");
	run(1, "trailctl seal " W);
	has_state(W, "open");
	has_state(A, "open");
	allowed(rename(D, W "/login"));
	run(0, "trailctl seal " W);
	has_state(W, "sealed");
	has_state(A, "sealed");
}
END_TEST

Suite *
suite_drafts(void)
{
	Suite *s = suite_create("drafts");
	TCase *t = mounted_case(s, "drafts");

	tcase_add_test(t, a_draft_that_takes_its_name_is_sealed_at_once);
	tcase_add_test(t, temporary_names_are_drafts_and_others_are_not);
	tcase_add_test(t, a_draft_may_be_changed_in_every_way);
	tcase_add_test(t, an_unlinked_draft_exists_until_its_close);
	tcase_add_test(t,
	    a_draft_still_open_takes_its_name_and_freezes_when_closed);
	tcase_add_test(t, a_draft_replaces_a_placeholder);
	tcase_add_test(t, drafts_and_their_directories_can_be_renamed_in_turn);
	tcase_add_test(t, a_directory_with_frozen_evidence_keeps_its_name);
	tcase_add_test(t, empty_directories_come_and_go);
	tcase_add_test(t, remaining_drafts_are_sealed_with_their_attestation);
	tcase_add_test(t, status_lists_drafts);
	tcase_add_loop_test(t, drafts_outlive_the_mount, 0, 2);
	t = stored_case(s, "what may be a draft");
	tcase_add_test(t, what_may_be_a_draft_can_be_renamed);
	t = mounted_case(s, "draft attestations");
	tcase_add_test(t, a_draft_attestation_is_published_whole);
	tcase_add_test(t, a_draft_attestation_may_be_changed_in_every_way);
	tcase_add_test(t, a_draft_attestation_is_published_only_where_allowed);
	tcase_add_test(t, drafts_do_not_leave_their_draft_attestation_unseen);
	tcase_add_loop_test(t, a_draft_attestation_outlives_the_mount, 0, 2);
	tcase_add_test(t, a_workflow_waits_for_its_draft_attestations);
	return s;
}
