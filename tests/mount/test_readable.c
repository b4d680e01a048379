/*
 * A control file shows what who asks may read, and no more: names, digests and
 * programs of others' evidence stay theirs.
 */
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sys/xattr.h>

#include "harness.h"

#define TEAM 2000 /* the group of trail, workflow and attestation */
#define C "/.trailfs/"
#define B W "/b"
#define X "mnt/t/x"
/* SHA-256 of "1234": a secret that is easily guessed. */
#define SECRET \
	"03ac674216f3e15c761ee1a5e255f067953623c8b388b4459e13f978d7c846f4"

/* From now on the caller is BOB, and the team is his second group. */
static void
as_member(void)
{
	const gid_t team = TEAM;

	as(0);
	ck_assert_int_eq(0, setgroups(1, &team));
	ck_assert_int_eq(0, setegid(BOB));
	ck_assert_int_eq(0, seteuid(BOB));
}

/* Mode 0750 and the team's. */
static void
share(const char *path)
{
	allowed(chown(path, 0, TEAM));
	allowed(chmod(path, 0750));
}

/*
 * t/w/a is the team's, with a file `shared` and one that is root's alone; t/w/b
 * and t/x are root's alone, with one file each.
 */
static void
make_secrets(void)
{
	make_attestation();
	share("mnt/t");
	share(W);
	share(A);
	put(A "/shared", "for all");
	allowed(chown(A "/shared", 0, TEAM));
	allowed(chmod(A "/shared", 0640));
	put(A "/pin", "1234");
	allowed(chmod(A "/pin", 0600));
	run(0, "trailctl seal " A);
	allowed(mkdir(B, 0700));
	put_sealed(B "/covert", "1234");
	run(0, "mkdir -m 700 " X " && mkdir " X "/y");
	put_sealed(X "/y/covert", "1234");
}

static void
hides(const char *path)
{
	char *text = content(path, NULL);

	says_not(text, "pin");
	says_not(text, "covert");
	says_not(text, SECRET);
	says_not(text, "t/x");
	says_not(text, "t/w/b");
}

/* What members of the group may open. */
static const char *const shown[] = { "mnt/t" C "events.jsonl",
	"mnt/t" C "index.html", "mnt/t" C "status.json", W C "events.jsonl",
	W C "index.html", W C "status.json", W C "status.md", W C "status",
	A C "events.jsonl", A C "attestation.json", A C "SHA256SUMS",
	"mnt/t" C "trail-page.html", W C "trail-page.html" };

START_TEST(private_files_of_others_are_not_shown)
{
	make_secrets();
	as_member();
	for (size_t i = 0; i < LEN(shown); i++)
		hides(shown[i]);
	says(content(A C "events.jsonl", NULL), "\"path\":\"t/w/a/shared\"");
	says(content(W C "events.jsonl", NULL), "\"path\":\"t/w/a/shared\"");
	says(content("mnt/t" C "events.jsonl", NULL), "t/w/a/shared");
	says(content(A C "SHA256SUMS", NULL), "  shared\n");
	says(content(A C "attestation.json", NULL),
	    "\"evidence_not_shown\":1,");
	says(content(W C "index.html", NULL),
	    "1 file is not shown, because you may not read it.");
	says(content(W C "index.html", NULL),
	    "You may not read this attestation.");
	says(content("mnt/t" C "index.html", NULL),
	    "1 workflow is not shown, because you may not read it.");
	/* The verdict is the same for all. */
	holds(W C "status", "COMPLIANT\n");
}
END_TEST

/* Directories below an attestation count, too. */
START_TEST(a_private_directory_below_an_attestation_is_not_shown)
{
	make_attestation();
	share("mnt/t");
	share(W);
	share(A);
	allowed(mkdir(A "/sub", 0700));
	allowed(mkdir(A "/sub/deep", 0755));
	put(A "/sub/deep/covert", "1234");
	put(A "/shared", "for all");
	allowed(chown(A "/shared", 0, TEAM));
	put(A "/sub/covert.tmp", "a draft");
	sync_dir("mnt");
	as_member();
	for (size_t i = 0; i < LEN(shown); i++)
		hides(shown[i]);
	says(content(A C "SHA256SUMS", NULL), "  shared\n");
	refused(EACCES, try_open(A C "proof/sub", O_RDONLY));
	as(0);
	says(content(A C "attestation.json", NULL), "sub/covert.tmp");
	run(0, "trailctl seal " A);
	as_member();
	for (size_t i = 0; i < LEN(shown); i++)
		hides(shown[i]);
	refused(EACCES, try_open(A C "attestation.intoto.json", O_RDONLY));
	/* The owner may read all of it. */
	as(0);
	allowed(try_open(A C "attestation.intoto.json", O_RDONLY));
	says(content(W C "events.jsonl", NULL), "t/w/a/sub/deep/covert");
}
END_TEST

/* Whoever may pass through a directory need not see what is in it. */
START_TEST(an_unlistable_directory_is_not_shown)
{
	make_secrets();
	run(0, "chmod 0600 " B "/covert " X "/y/covert && chmod 0700 " X "/y");
	run(0, "chown 0:%d " B " " X " && chmod 0710 " B " " X, TEAM);
	as_member();
	for (size_t i = 0; i < LEN(shown); i++)
		hides(shown[i]);
	says(content(W C "index.html", NULL),
	    "You may not read this attestation.");
	says(content("mnt/t" C "index.html", NULL),
	    "1 workflow is not shown, because you may not read it.");
}
END_TEST

/* Nor is a digest of all of it his who may read all but one, however deep. */
START_TEST(one_hidden_file_below_hides_the_digests_of_the_whole)
{
	make_attestation();
	share("mnt/t");
	share(W);
	share(A);
	allowed(mkdir(A "/sub", 0755));
	allowed(mkdir(A "/sub/deep", 0755));
	put(A "/sub/deep/pin", "1234");
	allowed(chmod(A "/sub/deep/pin", 0600));
	put(A "/sub/shared", "for all");
	run(0, "trailctl seal " A);
	as_member();
	allowed(try_open(A "/sub/shared", O_RDONLY));
	refused(EACCES, try_open(A C "attestation.intoto.json", O_RDONLY));
	hides(A C "events.jsonl");
	says_not(content(A C "events.jsonl", NULL), "attestation.sealed");
	as(0);
}
END_TEST

/* A name in an entry is escaped; its file is found all the same. */
START_TEST(a_name_with_quotes_is_shown_to_its_readers)
{
	make_attestation();
	share("mnt/t");
	share(W);
	share(A);
	put(A "/say \"\\hi\"", "x");
	put(A "/pin \"\\2\"", "1234");
	allowed(chmod(A "/pin \"\\2\"", 0600));
	run(0, "trailctl sync mnt");
	as_member();
	says(content(W C "events.jsonl", NULL),
	    "\"path\":\"t/w/a/say \\\"\\\\hi\\\"\"");
	hides(W C "events.jsonl");
}
END_TEST

/* One of root's alone and one of the team's, cut short by a crash. */
static void
interrupt_two(void)
{
	int secret, shared;

	make_attestation();
	share("mnt/t");
	share(W);
	share(A);
	secret = open(A "/pin", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	add(secret, "1234");
	allowed(close(dup(secret))); /* durable, and not the end of it */
	add(secret, "5");
	shared = begin(A "/shared");
	add(shared, "for all");
	allowed(close(dup(shared)));
	add(shared, "!");
	crash_vault();
	(void)close(secret);
	(void)close(shared);
	mount_vault("settle=0");
}

/* What was left of a file when power went is shown to who may read that. */
START_TEST(interrupted_files_are_shown_to_their_readers)
{
	interrupt_two();
	says(content(A C "events.jsonl", NULL), "\"path\":\"t/w/a/pin\"");
	as_member();
	hides(A C "events.jsonl");
	hides(W C "index.html");
	says(content(A C "events.jsonl", NULL), "evidence.interrupted");
	says(content(A C "events.jsonl", NULL), "t/w/a/shared");
}
END_TEST

/* When it is gone, nobody can say who might have read it. */
START_TEST(removed_interrupted_files_are_shown_to_readers_of_all)
{
	interrupt_two();
	run(0, "rm " A "/*.part");
	says(content(A C "events.jsonl", NULL), "\"path\":\"t/w/a/pin\"");
	as_member();
	hides(A C "events.jsonl");
	says_not(content(A C "events.jsonl", NULL), "evidence.interrupted");
}
END_TEST

/* A file with two chunks that are entered; it stays open. */
static int
grow_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	allowed(fchown(fd, 0, TEAM));
	allowed(fsetxattr(fd, "user.trailfs.stream", "1", 1, 0));
	ck_assert_int_eq(131072, write(fd, noise(131072, 1), 131072));
	allowed(fsync(fd));
	fact_becomes(path, "proven", "131072");
	return fd;
}

/* Also below a directory that is in no entry yet. */
START_TEST(parts_of_files_that_grow_are_shown_to_their_readers)
{
	int shared, pin;

	make_attestation();
	share("mnt/t");
	share(W);
	share(A);
	allowed(mkdir(A "/d", 0755));
	shared = grow_file(A "/d/shared", 0640);
	pin = grow_file(A "/pin", 0600);
	says(content(A C "events.jsonl", NULL), "\"path\":\"t/w/a/pin\"");
	as_member();
	hides(A C "events.jsonl");
	hides(W C "index.html");
	says(content(A C "events.jsonl", NULL), "evidence.grown");
	says(content(A C "events.jsonl", NULL), "t/w/a/d/shared");
	says(content(W C "index.html", NULL), "First part of evidence entered");
	as(0);
	(void)close(shared);
	(void)close(pin);
	run(0, "trailctl seal " W);
	as_member();
	hides(A C "events.jsonl");
	says(content(A C "events.jsonl", NULL), "t/w/a/d/shared");
}
END_TEST

/* With sums over all files, or the statement, the secret could be guessed. */
START_TEST(digests_of_the_whole_are_shown_to_readers_of_all)
{
	static const char *const whole[] = { "attestation.intoto.json",
		"attestation.sigstore.json", "attestation.tlog-proof" };
	char path[128];

	make_secrets();
	as_member();
	for (size_t i = 0; i < LEN(whole); i++) {
		snprintf(path, sizeof path, A C "%s", whole[i]);
		ck_assert_int_eq(0, stat_of(path).st_size);
		refused(EACCES, try_open(path, O_RDONLY));
	}
	refused(EACCES, try_open(A C "proof/pin.tlog-proof", O_RDONLY));
	allowed(try_open(A C "proof/shared.tlog-proof", O_RDONLY));
	says_not(content(A C "attestation.json", NULL), "evidence_sums");
	says_not(content(A C "events.jsonl", NULL), "attestation.sealed");
	as(0);
	says(content(A C "attestation.json", NULL), "evidence_sums");
	for (size_t i = 0; i < LEN(whole); i++) {
		snprintf(path, sizeof path, A C "%s", whole[i]);
		ck_assert_int_eq(0440, stat_of(path).st_mode & 07777);
		allowed(try_open(path, O_RDONLY));
	}
}
END_TEST

/* Who may read all sees all, also while somebody else has his file open. */
START_TEST(snapshots_are_for_the_same_rights)
{
	int roots[LEN(shown)], members[LEN(shown)];

	make_secrets();
	for (size_t i = 0; i < LEN(shown); i++)
		roots[i] = open(shown[i], O_RDONLY | O_CLOEXEC);
	as_member();
	for (size_t i = 0; i < LEN(shown); i++) {
		struct stat st;

		hides(shown[i]);
		members[i] = open(shown[i], O_RDONLY | O_CLOEXEC);
		allowed(fstat(members[i], &st));
		ck_assert_uint_eq((uint64_t)lseek(members[i], 0, SEEK_END),
		    (uint64_t)st.st_size);
	}
	as(0);
	says(content(A C "events.jsonl", NULL), SECRET);
	says(content(A C "SHA256SUMS", NULL), "  pin\n");
	says(content(W C "events.jsonl", NULL), "t/w/b/covert");
	says(content("mnt/t" C "events.jsonl", NULL), "t/x/y/covert");
	says(content("mnt/t" C "status.json", NULL), "\"name\":\"x\"");
	says_not(content(W C "index.html", NULL), "not shown");
	for (size_t i = 0; i < LEN(shown); i++) {
		close(roots[i]);
		close(members[i]);
	}
}
END_TEST

START_TEST(the_size_of_a_control_file_is_that_of_the_shown_text)
{
	size_t n;

	make_secrets();
	as_member();
	for (size_t i = 0; i < LEN(shown); i++) {
		struct stat st = stat_of(shown[i]);

		content(shown[i], &n);
		ck_assert_uint_eq((size_t)st.st_size, n);
	}
}
END_TEST

START_TEST(a_user_outside_the_group_reads_nothing)
{
	make_secrets();
	as(BOB);
	for (size_t i = 0; i < LEN(shown); i++)
		refused(EACCES, try_open(shown[i], O_RDONLY));
}
END_TEST

/* Names that everybody may open who may come and list: no evidence, no person;
 * or each his own; or, below the root, each what he may read. */
static bool
is_for_all(const char *dir, const char *name)
{
	static const char *const names[] = { "anchors.json", "checkpoint",
		"checkpoint.cosigned", "log.vkey", "log.pub.pem",
		"denied.jsonl", "last-error", "status", "redactions" };
	static const char *const below[] = { "custody.jsonl", "events.jsonl",
		"status.json", "status.md" };

	for (size_t i = 0; i < LEN(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	for (size_t i = 0; i < LEN(below); i++)
		if (strcmp(below[i], name) == 0)
			return strcmp(dir, "mnt") != 0;
	return false;
}

/* Every control file, those to come too, is not for all unless it is above, and
 * what is for all hides what is not. */
START_TEST(a_control_file_is_for_owner_and_group)
{
	static const char *const dirs[] = { "mnt", "mnt/t", W, A };
	unsigned n = 0;

	make_secrets();
	for (size_t i = 0; i < LEN(dirs); i++)
		allowed(chmod(dirs[i], 0755));
	for (size_t i = 0; i < LEN(dirs); i++) {
		const char *names = run(0, "ls %s/.trailfs", dirs[i]);
		char *list = strdup(names), *rest = list, *name;

		while ((name = strsep(&rest, "\n")) != NULL) {
			char path[300];
			bool is_file;

			snprintf(path, sizeof path, "%s/.trailfs/%s", dirs[i],
			    name);
			is_file = S_ISREG(stat_of(path).st_mode);
			if (*name == '\0' || !is_file)
				continue;
			n++;
			as(BOB);
			answers(is_for_all(dirs[i], name) ? 0 : EACCES,
			    try_open(path, O_RDONLY));
			if (is_for_all(dirs[i], name))
				hides(path);
			as(0);
		}
		free(list);
	}
	ck_assert_uint_gt(n, 20);
}
END_TEST

/* Nor does the tree as it was, by the modes of today. */
START_TEST(the_past_shows_no_private_files)
{
	unsigned long size;
	char path[256];

	make_secrets();
	run(0, "trailctl sync mnt");
	ck_assert_int_eq(sscanf(content("mnt" C "checkpoint", NULL), "%*s %lu",
			     &size),
	    1);
	as_member();
	for (size_t i = 0; i < LEN(shown); i++) {
		if (strstr(shown[i], "trail-page") != NULL)
			continue; /* it is about the newest checkpoint */
		(void)snprintf(path, sizeof(path), "mnt" C "at/%lu%s", size,
		    shown[i] + strlen("mnt"));
		hides(path);
	}
	(void)snprintf(path, sizeof(path),
	    "mnt" C "at/%lu/t/w" C "events.jsonl", size);
	says(content(path, NULL), "\"path\":\"t/w/a/shared\"");
	as(0);
	says(content(path, NULL), "t/w/b/covert");
}
END_TEST

/* The root's files, for a group that the root directory was given to. */
START_TEST(the_group_of_the_root_reads_no_private_files)
{
	make_secrets();
	put(B "/covert.tmp", "waits"); /* a draft: status lists it */
	share("mnt");
	says(content("mnt" C "status.json", NULL), "t/w/b/covert.tmp");
	as_member();
	hides("mnt" C "events.jsonl");
	hides("mnt" C "index.html");
	hides("mnt" C "status.json");
	says(content("mnt" C "events.jsonl", NULL), "t/w/a/shared");
	says(content("mnt" C "events.jsonl", NULL), "ledger.opened");
	allowed(try_open("mnt" C "tile/0/000.p/5", O_RDONLY));
	refused(EACCES, try_open("mnt" C "tile/entries/000.p/5", O_RDONLY));
	as(0);
	says(content("mnt" C "events.jsonl", NULL), "t/x/y/covert");
}
END_TEST

/* In execve(2) a process holds locks that some files of /proc need: whoever
 * looks a name up for it must not wait for those. */
static int
execute(void)
{
	char *const argv[] = { (char *)(uintptr_t) "status.json", NULL };

	execv("mnt/t" C "status.json", argv);
	return errno == EACCES ? 0 : 1;
}

START_TEST(a_program_that_is_a_control_file_is_refused)
{
	pid_t child;

	make_secrets();
	as_member();
	child = in_child(execute);
	ck_assert_int_eq(0, child_ended(child));
}
END_TEST

Suite *
suite_readable(void)
{
	Suite *s = suite_create("readable");
	TCase *t = mounted_case(s, "readable");

	tcase_add_test(t, private_files_of_others_are_not_shown);
	tcase_add_test(t,
	    a_private_directory_below_an_attestation_is_not_shown);
	tcase_add_test(t, an_unlistable_directory_is_not_shown);
	tcase_add_test(t, one_hidden_file_below_hides_the_digests_of_the_whole);
	tcase_add_test(t, a_name_with_quotes_is_shown_to_its_readers);
	tcase_add_test(t, interrupted_files_are_shown_to_their_readers);
	tcase_add_test(t,
	    removed_interrupted_files_are_shown_to_readers_of_all);
	tcase_add_test(t, parts_of_files_that_grow_are_shown_to_their_readers);
	tcase_add_test(t, digests_of_the_whole_are_shown_to_readers_of_all);
	tcase_add_test(t, snapshots_are_for_the_same_rights);
	tcase_add_test(t, the_size_of_a_control_file_is_that_of_the_shown_text);
	tcase_add_test(t, a_user_outside_the_group_reads_nothing);
	tcase_add_test(t, a_control_file_is_for_owner_and_group);
	tcase_add_test(t, the_past_shows_no_private_files);
	tcase_add_test(t, the_group_of_the_root_reads_no_private_files);
	tcase_add_test(t, a_program_that_is_a_control_file_is_refused);
	return s;
}
