/* package.zip: what trailctl package makes, read as a file. */
#include <sys/stat.h>
#include <sys/wait.h>

#include "harness.h"
#include "tests/faults/fault.h"

#define ZIP "/.trailfs/package.zip"

static const char *const dirs[] = { "", "t", "t/w", "t/w/a" };

static void
make_evidence(void)
{
	make_attestation();
	put(A "/f", "one");
	put_bytes(A "/noise", noise(300000, 1), 300000);
	sync_dir("mnt");
}

/* The inodes of the daemon's temporary files: those with a name in stage/, beyond
 * the number of any node, and those it has open without a name, but not those of
 * memcheck. */
static const char *
temporary(void)
{
	return run(0,
	    "(find store/stage -name '46116860184*.new' -printf '%%i\\n';"
	    " for f in /proc/%d/fd/*; do case $(readlink $f) in"
	    " */valgrind_*) ;;"
	    " *\" (deleted)\") stat -Lc %%i $f;; esac; done) | sort",
	    (int)vault_pid());
}

static int
count(const char *lines)
{
	int n = 0;

	for (; *lines != '\0'; lines++)
		n += *lines == '\n';
	return n;
}

START_TEST(the_package_equals_that_of_trailctl)
{
	make_evidence();
	skip_unless(have("unzip"), "no unzip");
	for (size_t i = 0; i < LEN(dirs); i++) {
		run(0, "cat mnt/%s" ZIP " >got.zip", dirs[i]);
		run(0, "trailctl package --no-entry -o made.zip mnt/%s",
		    dirs[i]);
		run(0, "cmp got.zip made.zip && unzip -tq got.zip");
		run(0, "trailctl verify --vkey store/keys/log.vkey got.zip");
		run(0, "cmp mnt/%s" ZIP " got.zip", dirs[i]);
	}
	ck_assert_uint_eq(0, entries("package.made", NULL));
}
END_TEST

START_TEST(the_size_of_a_package_is_exact)
{
	make_evidence();
	run(0,
	    "cd " W "/.trailfs && n=$(stat -c %%s package.zip) && "
	    "test $n -gt 300000 && test $n = $(wc -c <package.zip) && "
	    "test $n = $(cat package.zip | wc -c) && "
	    "cp package.zip ../../../../copy && "
	    "test $n = $(stat -c %%s ../../../../copy) && "
	    "tar cf - package.zip | tar xOf - | cmp - package.zip");
}
END_TEST

START_TEST(a_package_grows_with_the_ledger)
{
	make_evidence();
	run(0, "cat " W ZIP " >one.zip");
	put_sealed(A "/more", "two");
	run(0, "cat " W ZIP " >two.zip");
	run(0, "trailctl package --no-entry -o made.zip mnt/t/w");
	run(0, "cmp two.zip made.zip && ! cmp -s one.zip two.zip");
}
END_TEST

START_TEST(unsealed_files_are_not_in_the_package)
{
	make_attestation();
	put(A "/frozen", "x");
	allowed(mkdir(W "/.draft", 0755));
	put(W "/.draft/f", "x");
	run(0, "cat " A ZIP " >got.zip");
	says(run(0, "trailctl verify --vkey store/keys/log.vkey got.zip"),
	    "0 files");
	run(0, "trailctl package --no-entry -o made.zip mnt/t/w/a");
	run(0, "cmp got.zip made.zip");
	refused(ENOENT, try_open(W "/.draft" ZIP, O_RDONLY));
}
END_TEST

/* Who may read all the evidence gets it as a package, too, and nobody else. */
START_TEST(who_reads_all_evidence_reads_its_package)
{
	make_evidence();
	run(0, "chmod 755 mnt/t " W " " A " && chown %d " W " " A, ALICE);
	ck_assert_int_eq(0444, stat_of(W ZIP).st_mode & 07777);
	as(BOB);
	allowed(try_open(W ZIP, O_RDONLY)); /* all is 0644 */
	as(0);
	allowed(chmod(W, 0750));
	ck_assert_int_eq(0440, stat_of(W ZIP).st_mode & 07777);
	as(BOB);
	refused(EACCES, try_open(W ZIP, O_RDONLY));
	refused(EACCES, try_open("mnt/t" ZIP, O_RDONLY));
	as(ALICE);
	allowed(try_open(W ZIP, O_RDONLY));
	allowed(try_open("mnt/t" ZIP, O_RDONLY));
	as(0);
	put(A "/secret", "x");
	allowed(chmod(A "/secret", 0600));
	sync_dir("mnt");
	as(ALICE);
	refused(EACCES, try_open(A "/secret", O_RDONLY));
	refused(EACCES, try_open(A ZIP, O_RDONLY));
	refused(EACCES, try_open(W ZIP, O_RDONLY));
	as(0);
	run(0, "cat " W ZIP " >got.zip");
}
END_TEST

/* The rights of the next owner count, also while a reader with other rights still
 * has the package open. */
START_TEST(the_next_owner_gets_a_package_of_their_own)
{
	char *before;
	int fds[2];

	make_evidence();
	put(A "/secret", "x");
	allowed(chown(A "/secret", ALICE, ALICE));
	allowed(chmod(A "/secret", 0600));
	run(0, "chmod 755 mnt/t " W " " A " && chown %d " A, ALICE);
	sync_dir("mnt");
	has_state(A "/secret", "sealed");
	fds[0] = open(A ZIP, O_RDONLY);
	as(ALICE);
	before = content(A ZIP, NULL);
	fds[1] = open(A ZIP, O_RDONLY);
	as(0);
	ck_assert_int_ge(fds[0], 0);
	ck_assert_int_ge(fds[1], 0);
	allowed(chown(A, BOB, (gid_t)-1));
	as(BOB);
	refused(EACCES, try_open(A "/secret", O_RDONLY));
	refused(EACCES, try_open(A ZIP, O_RDONLY));
	ck_assert_int_eq(0, stat_of(A ZIP).st_size);
	as(ALICE);
	allowed(try_open(A ZIP, O_RDONLY));
	as(0);
	for (size_t i = 0; i < LEN(fds); i++) {
		char some[4];

		ck_assert_int_eq(4, pread(fds[i], some, 4, 0));
		ck_assert_mem_eq(before, some, 4);
		close(fds[i]);
	}
}
END_TEST

/* Others cannot make the vault work by looking. */
START_TEST(a_package_is_made_only_for_users_who_may_read_it)
{
	make_evidence();
	allowed(chmod("mnt/t", 0755));
	allowed(chmod(W, 0755));
	allowed(chmod(A, 0700));
	as(BOB);
	ck_assert_int_eq(0, stat_of(W ZIP).st_size);
	as(0);
	ck_assert_str_eq("", temporary());
	ck_assert_int_gt(stat_of(W ZIP).st_size, 300000);
	ck_assert_int_eq(1, count(temporary()));
	as(BOB);
	ck_assert_int_eq(0, stat_of(W ZIP).st_size);
}
END_TEST

START_TEST(a_package_is_made_once)
{
	const char *first;

	make_evidence();
	run(0, "ls " W "/.trailfs | grep -qx package.zip");
	ck_assert_str_eq("", temporary()); /* not by listing */
	run(0, "ls -l " W "/.trailfs");
	first = temporary();
	ck_assert_int_eq(1, count(first));
	run(0, "cat " W ZIP " >got.zip && stat " W ZIP);
	run(0,
	    "for i in 1 2 3 4 5 6 7 8; do "
	    "(cmp got.zip " W ZIP " || touch failed) & done; wait; "
	    "test ! -e failed");
	ck_assert_str_eq(first, temporary());
}
END_TEST

START_TEST(few_packages_are_cached_and_no_old_ones)
{
	make_evidence();
	run(0, "cd " W " && mkdir b c d e && cd ../../..");
	run(0, "cat " W "/[abcde]" ZIP " mnt/t" ZIP " | wc -c");
	ck_assert_int_eq(4, count(temporary()));
	allowed(mkdir(W "/more", 0755));
	/* Nobody has to open it for that. */
	for (int i = 0; i < 1000 && count(temporary()) > 0; i++)
		usleep(10000);
	ck_assert_str_eq("", temporary());
}
END_TEST

START_TEST(an_open_package_stays_readable)
{
	char *before;
	int fd;

	make_evidence();
	before = content(W ZIP, NULL);
	fd = open(W ZIP, O_RDONLY);
	ck_assert_int_ge(fd, 0);
	put_sealed(A "/more", "two");
	ck_assert_int_gt(stat_of(W ZIP).st_size, lseek(fd, 0, SEEK_END));
	ck_assert_int_eq(4, pread(fd, before + 4, 4, 0));
	ck_assert_mem_eq(before, before + 4, 4);
	close(fd);
	run(0,
	    "trailctl package --no-entry -o made.zip mnt/t/w && "
	    "cmp made.zip " W ZIP);
}
END_TEST

/* --- large ones --------------------------------------------------------- */

static int
stat_workflow_package(void)
{
	struct stat st;

	return stat(W ZIP, &st) != 0;
}

static int
stat_attestation_package(void)
{
	struct stat st;

	return stat(A ZIP, &st) != 0;
}

static bool
runs(pid_t pid)
{
	siginfo_t si = { 0 };

	ck_assert_int_eq(0,
	    waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT));
	return si.si_pid == 0;
}

/* 64 MiB of text, which takes seconds to deflate. */
static void
make_large(void)
{
	make_attestation();
	put(A "/f", "one");
	run(0, "seq 9000000 | head -c 67108864 >" A "/large");
	sync_dir("mnt");
}

START_TEST(other_requests_are_served_while_a_package_is_made)
{
	unsigned served = 0;
	pid_t pid[3];
	long before;

	unmount_vault();
	daemon_works();
	mount_vault("threads=1,settle=0");
	make_large();
	before = daemon_kib("VmHWM");
	pid[0] = in_child(stat_workflow_package);
	pid[1] = in_child(stat_workflow_package);
	pid[2] = in_child(stat_attestation_package);
	while (runs(pid[0]) && runs(pid[1])) {
		holds(A "/f", "one");
		stat_of(W);
		served++;
	}
	for (size_t i = 0; i < LEN(pid); i++)
		ck_assert_int_eq(0, child_ended(pid[i]));
	ck_assert_uint_gt(served, 10);
	run(0, "cat " W ZIP " >got.zip && unzip -tq got.zip");
	ck_assert_int_eq(2, count(temporary()));
	ck_assert_msg(!memory_counts() || daemon_kib("VmHWM") - before < 16384,
	    "%ld KiB, then %ld", before, daemon_kib("VmHWM"));
}
END_TEST

START_TEST(a_signal_does_not_wait_for_a_package)
{
	pid_t pid;

	unmount_vault();
	daemon_works();
	mount_vault("settle=60");
	make_large();
	pid = in_child(stat_workflow_package);
	while (runs(pid) && count(temporary()) < 3)
		usleep(1000);
	ck_assert(runs(pid));
	kill(vault_pid(), SIGTERM);
	ck_assert_int_eq(0, vault_ended());
	ck_assert_int_eq(1, child_ended(pid));
	ck_assert_ptr_null(strstr(content("log", NULL), "still open"));
}
END_TEST

START_TEST(a_package_of_an_unmounted_store_is_equal)
{
	make_evidence();
	unmount_vault();
	run(0, "trailctl package --no-entry -o made.zip store/t/w");
	run(0, "find store -type f | sort | xargs sha256sum >before");
	mount_vault("ro");
	run(0, "cmp made.zip " W ZIP);
	unmount_vault();
	run(0, "sha256sum --quiet -c before");
	mount_vault("settle=60");
}
END_TEST

START_TEST(altered_evidence_is_not_packaged)
{
	make_evidence();
	run(0,
	    "o=$(find store/objects -type f -size +100k) && chmod u+w $o && "
	    "printf x | dd of=$o bs=1 seek=70000 conv=notrunc");
	expect_no_verify();
	refused(EIO, try_open(W ZIP, O_RDONLY));
	ck_assert_str_eq("", temporary());
}
END_TEST

/* A trail with two templates, a type, and attestations that were judged. */
static void
make_judged(void)
{
	static const char text[] = "version: 1\\ntrail:\\n  attestations:\\n"
				   "  - {name: %s, type: generic}\\n";
	static const char type[] =
	    "version: 1\\nevidence: r.json\\nrequirements:\\n- id: ok\\n"
	    "  subject_type: run\\n  checks:\\n"
	    "  - {operator: equals, path: ok, value: true}\\n";

	allowed(mkdir("mnt/t", 0755));
	run(0, "printf '%s' one >t1 && cp t1 mnt/t/.trailfs/template.yml",
	    text);
	run(0, "printf '%s' >Run.yml && cp Run.yml mnt/t/.trailfs/types/",
	    type);
	allowed(mkdir(W, 0755));
	run(0, "printf '%s' two >t2 && cp t2 mnt/t/.trailfs/template.yml",
	    text);
	run(0,
	    "cd " W " && mkdir a b c && cd a && "
	    "echo '<testsuite><testcase name=\"x\"/></testsuite>' >r.xml && "
	    "setfattr -n user.trailfs.type -v junit . && "
	    "printf 'a\\0b' >.trailfs/user-data && cd ../b && "
	    "echo '{\"ok\":false}' >r.json && "
	    "setfattr -n user.trailfs.type -v custom:Run . && "
	    "setfattr -n user.trailfs.description -v 'a \"b\"\\c' . && "
	    "echo x >../c/f");
	run(0, "for a in a b c; do trailctl seal " W "/$a; done");
	run(0,
	    "mkdir " W "/a@2 && echo 1 >" W "/a@2/f && "
	    "trailctl seal " W "/a@2");
}

/* Nobody needs the store to see by what an attestation was judged. */
START_TEST(a_package_has_what_was_defined_and_found)
{
	static const char *const all[] = { "t", "t/w", "t/w/a@2" };

	skip_unless(have("unzip") && have("setfattr"), "no unzip, setfattr");
	make_judged();
	for (size_t i = 0; i < LEN(all); i++) {
		run(0, "rm -rf u && cat mnt/%s" ZIP " >p.zip", all[i]);
		says(run(0, "trailctl verify --vkey store/keys/log.vkey p.zip"),
		    i < 2 ?
			"\nevaluation          OK      2 attestations judged" :
			"\nevaluation          OK      1 attestation judged");
		run(0,
		    "unzip -q p.zip -d u && cd u/* && "
		    "sh verify.sh \"$(cat ../../store/keys/log.vkey)\"");
		run(0,
		    "cd u/* && cmp definitions/template@1.yml ../../t1 && "
		    "cmp definitions/template@2.yml ../../t2 && "
		    "cmp definitions/types/Run@1.yml ../../Run.yml");
		run(0,
		    "cd u/*/attestations && find . -path '*/a/user-data' "
		    "-exec cmp {} ../../../" A "/.trailfs/user-data ';' && "
		    "find . -path '*/a/evaluation.json' -exec cmp {} ../../../" A
		    "/.trailfs/evaluation.json ';'");
		ck_assert_str_eq(i == 2 ? "1 1\n" : "2 1\n",
		    run(0,
			"cd u/*/attestations && echo "
			"$(find . -name evaluation.json | wc -l) "
			"$(find . -name user-data | wc -l)"));
	}
	says(run(0, "trailctl verify store"),
	    "\nevaluation          OK      2 attestations judged");
	run(0,
	    "rm -rf u && cat " W ZIP " >p.zip && unzip -q p.zip -d u && "
	    "cd u/w && for f in a/evaluation.json a/user-data "
	    "b/evaluation.json; do grep -q "
	    "\"href=\\\"attestations/$f\\\"\" index.html && "
	    "[ -f attestations/$f ] || exit 1; done");
}
END_TEST

/* The manifests of what is unpacked at u/w, made to fit. */
#define FIT                                                                 \
	"cd u/w && find data -type f | LC_ALL=C sort | xargs sha256sum "    \
	">manifest-sha256.txt && find . -type f ! -path './data/*' "        \
	"! -name tagmanifest-sha256.txt | sed 's,^./,,' | LC_ALL=C sort | " \
	"xargs sha256sum >tagmanifest-sha256.txt"

START_TEST(what_was_defined_and_found_cannot_be_exchanged)
{
	static const char *const forge[][2] = {
		{ "sed -i s/one/two/ definitions/template@1.yml",
		    "definitions/template@1.yml" },
		{ "rm definitions/template@2.yml",
		    "definitions/template@2.yml" },
		{ "cp definitions/template@1.yml definitions/template@3.yml",
		    "definitions/template@3.yml" },
		{ "echo '#' >>definitions/types/Run@1.yml",
		    "definitions/types/Run@1.yml" },
		{ "cp attestations/a/evaluation.json "
		  "attestations/b/evaluation.json",
		    "attestations/b/evaluation.json" },
		{ "rm attestations/b/evaluation.json", "" },
		{ "cp attestations/b/evaluation.json "
		  "attestations/c/evaluation.json",
		    "attestations/c/evaluation.json" },
		{ "rm attestations/a/user-data", "" },
		{ "printf 'a\\0c' >attestations/a/user-data",
		    "attestations/a/user-data" },
		{ "echo >attestations/c/user-data",
		    "attestations/c/user-data" },
	};

	skip_unless(have("unzip") && have("setfattr"), "no unzip, setfattr");
	make_judged();
	run(0, "cat " W ZIP " >p.zip");
	for (size_t i = 0; i < LEN(forge); i++) {
		run(0,
		    "rm -rf u && unzip -q p.zip -d u && (cd u/w && %s) && " FIT,
		    forge[i][0]);
		says(run(1,
			 "cd u/w && sh verify.sh "
			 "\"$(cat ../../store/keys/log.vkey)\""),
		    forge[i][1]);
		says(run(0, "! trailctl verify --vkey store/keys/log.vkey u/w"),
		    forge[i][1]);
	}
}
END_TEST

Suite *
suite_package(void)
{
	Suite *s = suite_create("package");
	TCase *t = mounted_case(s, "package");

	tcase_add_test(t, the_package_equals_that_of_trailctl);
	tcase_add_test(t, the_size_of_a_package_is_exact);
	tcase_add_test(t, a_package_grows_with_the_ledger);
	tcase_add_test(t, unsealed_files_are_not_in_the_package);
	tcase_add_test(t, who_reads_all_evidence_reads_its_package);
	tcase_add_test(t, the_next_owner_gets_a_package_of_their_own);
	tcase_add_test(t, a_package_is_made_only_for_users_who_may_read_it);
	tcase_add_test(t, a_package_is_made_once);
	tcase_add_test(t, few_packages_are_cached_and_no_old_ones);
	tcase_add_test(t, an_open_package_stays_readable);
	tcase_add_test(t, a_package_of_an_unmounted_store_is_equal);
	tcase_add_test(t, a_package_has_what_was_defined_and_found);
	tcase_add_test(t, what_was_defined_and_found_cannot_be_exchanged);
	tcase_add_test(t, altered_evidence_is_not_packaged);
	t = mounted_case(s, "package large");
	case_works(t);
	tcase_add_test(t, other_requests_are_served_while_a_package_is_made);
	tcase_add_test(t, a_signal_does_not_wait_for_a_package);
	return s;
}
