/* Redaction: two people delete bytes of evidence, and nothing else. */
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "harness.h"
#include "tests/faults/fault.h"

#define ACTL A "/.trailfs/"
#define SECRET "a-word-that-should-not-be-here"

/* Write the whole text to a control file; returns what close(2) returns. */
static int
ask_in(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0)
		return -1;
	add(fd, text);
	return close(fd);
}

static int
ask(const char *text)
{
	return ask_in(ACTL "redactions", text);
}

static const char *
why(void)
{
	return run(0, "cat " ACTL "last-error");
}

/* Alice owns the trail; three files with the secret, one without. */
static void
make_secrets(void)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	put_sealed(A "/small", SECRET);
	run(0, "for i in $(seq 1500); do echo " SECRET " $i; done >" A "/mid");
	run(0, "for i in $(seq 9000); do echo " SECRET " $i; done >" A "/big");
	put_sealed(A "/other", "x");
	seal(A, 0555);
}

/* The seq of the newest proposal. */
static unsigned long
newest(void)
{
	return strtoul(run(0,
			   "grep -h '\"redaction.proposed\"' "
			   "mnt/.trailfs/events.jsonl | tail -n 1 | "
			   "sed 's/.*\"seq\":\\([0-9]*\\).*/\\1/'"),
	    NULL, 10);
}

static int
approve_in(const char *path, unsigned long seq)
{
	char text[64];

	snprintf(text, sizeof(text), "{\"approve\":%lu}", seq);
	return ask_in(path, text);
}

static int
approve(unsigned long seq)
{
	return approve_in(ACTL "redactions", seq);
}

static void
redact(const char *name)
{
	char text[200];
	unsigned long seq;

	snprintf(text, sizeof(text),
	    "{\"propose\":\"%s\",\"reason\":\"request 7\"}", name);
	allowed(ask(text));
	seq = newest();
	as(ALICE);
	allowed(approve(seq));
	as(0);
}

/* A file of the daemon may end while the store is searched. */
static void
store_lacks(const char *text)
{
	run(1, "grep -ras '%s' store | grep ''", text);
}

START_TEST(two_people_delete_bytes_and_nothing_else)
{
	int fd;
	char c;

	make_secrets();
	fd = open(A "/small", O_RDONLY);
	ck_assert_int_eq(1, pread(fd, &c, 1, 0));
	run(0, "trailctl package " W " -o before.zip");
	redact("small");
	redact("mid");
	redact("big");
	/* Whoever had it open reads no more. */
	refused(ENODATA, (int)pread(fd, &c, 1, 0));
	close(fd);
	refused(ENODATA, open(A "/small", O_RDONLY));
	refused(ENODATA, open(A "/mid", O_RDONLY));
	refused(ENODATA, open(A "/big", O_RDONLY));
	ck_assert_int_eq(30, stat_of(A "/small").st_size);
	says(run(0, "getfattr --only-values -n user.trailfs.state " A "/mid"),
	    "redacted");
	says(run(0, "cat " A "/other"), "x");
	says(run(0, "cat " ACTL "redactions"), "\"state\":\"redacted\"");
	says(run(0, "cat " ACTL "redactions"), "\"reason\":\"request 7\"");
	/* Everybody who may read it sees the stone on its grave. */
	says(run(0, "cat " ACTL "attestation.json"), "\"redactions\":[{");
	says(run(0, "cat " W "/.trailfs/status.json"), "\"redactions\":[{");
	says(run(0,
		 "grep -o '<strong>redacted[^<]*' " W "/.trailfs/index.html"),
	    ": request 7");
	says(run(0, "cat " W "/.trailfs/status.md"),
	    "- t/w/a/small redacted: proposed ");
	says(run(0, "cat " W "/.trailfs/status.md"), ": request 7\n");
	says(run(0, "trailctl status " W), "t/w/a/mid  redacted  proposed ");
	says(run(0, "trailctl status " W), "request 7");
	says(run(0, "trailctl status mnt"), "redacted    3");
	says(run(0, "cat mnt/.trailfs/index.html"),
	    "<dt>Redacted files</dt><dd>3</dd>");
	says(run(0, "cat " ACTL "SHA256SUMS"), "big");
	/* Nowhere in the store, while it is mounted and after. */
	store_lacks(SECRET);
	run(0, "trailctl verify store | grep 'OK .*; 3 redacted'");
	run(0, "trailctl verify --json store | grep '\"redacted\":3'");
	run(0,
	    "trailctl verify before.zip --vkey mnt/.trailfs/log.vkey && "
	    "trailctl package " W " -o after.zip && "
	    "trailctl verify after.zip --vkey mnt/.trailfs/log.vkey | "
	    "grep 'OK .*; 3 redacted' && "
	    "mkdir x && unzip -q after.zip -d x && cd x/* && "
	    "sh verify.sh \"$(cat ../../mnt/.trailfs/log.vkey)\" | "
	    "grep 'redacted.*/big'");
	remount_vault();
	refused(ENODATA, open(A "/small", O_RDONLY));
	store_lacks(SECRET);
	/* The same may be recorded again, and is another file. */
	run(0, "mkdir mnt/t/w/b && echo again >mnt/t/w/b/f");
	run(0,
	    "for i in $(seq 9000); do echo " SECRET " $i; done >mnt/t/w/b/g");
	run(0, "trailctl sync mnt && trailctl verify store");
	refused(ENODATA, open(A "/big", O_RDONLY));
	run(0, "head -c 9 mnt/t/w/b/g");
}
END_TEST

START_TEST(one_person_deletes_nothing)
{
	unsigned long seq;
	char other[80];

	make_secrets();
	refused(ENODATA, approve(3));
	refused(EINVAL, ask("{\"propose\":\"small\"}"));
	refused(EINVAL, ask("{\"approve\":1,\"reason\":\"r\"}"));
	refused(EINVAL,
	    ask("{\"propose\":\"small\",\"reason\":\"r\",\"x\":1}"));
	refused(ENOENT, ask("{\"propose\":\"none\",\"reason\":\"r\"}"));
	as(BOB); /* owns nothing here */
	refused(EPERM, ask("{\"propose\":\"small\",\"reason\":\"r\"}"));
	as(ALICE);
	allowed(ask("{\"propose\":\"small\",\"reason\":\"r\"}"));
	as(0);
	seq = newest();
	as(ALICE);
	refused(EPERM, approve(seq));
	says(why(), "who proposed a redaction cannot approve it");
	as(BOB);
	refused(EPERM, approve(seq));
	as(0);
	/* Nobody approves another file than he names. */
	(void)snprintf(other, sizeof(other),
	    "{\"approve\":%lu,\"file\":\"mid\"}", seq);
	refused(ENODATA, ask(other));
	says(why(), "about another file");
	/* Nobody approves a redaction as a disposal. */
	(void)snprintf(other, sizeof(other),
	    "{\"approve\":%lu,\"what\":\"expired\"}", seq);
	refused(ENODATA, ask(other));
	says(why(), "the proposal is a redaction of \"content\"");
	says(run(1, "trailctl dispose --approve %lu " A "/small", seq),
	    "is a redaction");
	/* A proposal to dispose of what has no retention. */
	refused(EPERM,
	    ask("{\"propose\":\"small\",\"reason\":\"r\",\"what\":\"expired\"}"));
	/* A hold, placed after the proposal. */
	run(0, "trailctl hold place --reason r " W " case-1");
	refused(EPERM, approve(seq));
	says(why(), "the hold case-1 protects it");
	run(0, "trailctl hold release --reason r " W " case-1");
	run(0, "trailctl retain --for 7y mnt/t");
	refused(EPERM, approve(seq));
	says(why(), "it is kept until");
	ck_assert_uint_eq(0, entries("redaction.done", "t/w/a/small"));
	says(run(0, "cat " A "/small"), SECRET);
}
END_TEST

START_TEST(bytes_that_others_have_stay)
{
	make_attestation();
	allowed(chown("mnt/t", ALICE, ALICE));
	put_sealed(A "/f", "the same");
	put_sealed(A "/g", "the same");
	seal(A, 0555);
	redact("f");
	says(entry("redaction.done", "t/w/a/f"), "\"count\":1");
	refused(ENODATA, open(A "/f", O_RDONLY));
	says(run(0, "cat " A "/g"), "the same");
	run(0, "trailctl verify store | grep 'OK .*; 1 redacted'");
	redact("g");
	says(entry("redaction.done", "t/w/a/g"), "\"count\":0");
	store_lacks("the same");
	run(0, "trailctl verify store | grep 'OK .*; 2 redacted'");
}
END_TEST

/* The ledger has digests of the pieces of a large file, and one may be that of a
 * whole file: nobody can read that from it. */
START_TEST(a_piece_of_a_large_file_is_no_copy)
{
	make_attestation();
	allowed(chown("mnt/t", ALICE, ALICE));
	run(0,
	    "head -c 65536 /dev/urandom >piece && cp piece " A "/f && "
	    "for i in $(seq 1030); do cat piece; done >" A "/g");
	seal(A, 0555);
	says(entry("evidence.grown", "t/w/a/g"), "\"to\":67502080");
	redact("f");
	says(entry("redaction.done", "t/w/a/f"), "\"count\":0");
	refused(ENODATA, open(A "/f", O_RDONLY));
	run(0, "trailctl verify store | grep 'OK .*; 1 redacted'");
}
END_TEST

/* Propose and approve the redaction of r.xml in attestation mnt/t/w/NAME. */
static void
redact_report(const char *name)
{
	char path[80], text[64];

	snprintf(path, sizeof path, W "/%s/.trailfs/redactions", name);
	allowed(ask_in(path, "{\"propose\":\"r.xml\",\"reason\":\"r\"}"));
	snprintf(text, sizeof text, "{\"approve\":%lu}", newest());
	as(ALICE);
	allowed(ask_in(path, text));
	as(0);
}

static void
quotes_nothing(const char *name)
{
	char path[80];

	snprintf(path, sizeof path, W "/%s/.trailfs/evaluation.json", name);
	refused(ENODATA, open(path, O_RDONLY));
	snprintf(path, sizeof path, W "/%s/.trailfs/user-data", name);
	refused(ENODATA, open(path, O_RDONLY));
	snprintf(path, sizeof path, W "/%s", name);
	ck_assert_str_eq("(ENODATA)", fact(path, "user-data"));
	run(1, "grep -s " SECRET " %s/.trailfs/attestation.json", path);
}

/* The names of test cases are in the report of the judgement, and somebody gave
 * the same file as user data. */
START_TEST(what_quotes_the_evidence_goes_too)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	put_sealed(A "/f", "x");
	seal(A, 0555);
	put("r.xml",
	    "<testsuites><testsuite name='s' tests='1'>"
	    "<testcase classname='c' name='" SECRET "'><failure/></testcase>"
	    "</testsuite></testsuites>");
	for (int i = 0; i < 2; i++)
		run(0,
		    "trailctl attest --type junit --user-data r.xml mnt/t/w/%s "
		    "r.xml",
		    i == 0 ? "one" : "two");
	run(0, "grep " SECRET " " W "/one/.trailfs/evaluation.json");
	run(0,
	    "sed s/" SECRET "/third/ r.xml >3.xml && "
	    "trailctl attest --type junit mnt/t/w/three 3.xml");
	run(0, "trailctl package " W " -o before.zip");
	run(0, "trailctl mirror mnt copy && grep -ras " SECRET " copy");
	/* Both attestations have all of it. */
	redact_report("one");
	says(entry("redaction.done", "t/w/one/r.xml"), "\"count\":2");
	says_not(entry("redaction.done", "t/w/one/r.xml"), "\"report\"");
	quotes_nothing("one");
	run(0, "grep " SECRET " " W "/two/.trailfs/evaluation.json");
	run(0,
	    "trailctl package " W " -o half.zip && "
	    "trailctl verify half.zip --vkey mnt/.trailfs/log.vkey");
	redact_report("two");
	says(entry("redaction.done", "t/w/two/r.xml"), "\"count\":0");
	says(entry("redaction.done", "t/w/two/r.xml"),
	    "\"report\":{\"sha256\":");
	quotes_nothing("one");
	quotes_nothing("two");
	run(0, "rm r.xml");
	store_lacks(SECRET);
	says(run(0, "cat " W "/.trailfs/index.html"),
	    "the report was redacted with the evidence that it quotes");
	run(0, "trailctl verify store | grep 'OK .*; 2 redacted'");
	run(0,
	    "trailctl verify before.zip --vkey mnt/.trailfs/log.vkey && "
	    "trailctl package " W " -o after.zip && "
	    "trailctl verify after.zip --vkey mnt/.trailfs/log.vkey | "
	    "grep 'OK .*; 2 redacted' && for z in before half after; do "
	    "mkdir $z && unzip -q $z.zip -d $z && (cd $z/* && sh verify.sh "
	    "\"$(cat ../../mnt/.trailfs/log.vkey)\") || exit 1; done && "
	    "! find half -path '*/one/evaluation.json' | grep . && "
	    "! find after -path '*/two/evaluation.json' | grep . && "
	    "find after -path '*/three/evaluation.json' | grep . && "
	    "! find after -name user-data | grep .");
	/* A mirror that had it, and one that never did. */
	run(0,
	    "trailctl mirror mnt copy && trailctl mirror mnt new && "
	    "trailctl verify copy && trailctl verify new && "
	    "trailctl restore --origin example.org/r new restored && "
	    "trailctl verify restored");
	run(1, "grep -ras " SECRET " new restored");
	/* The first keeps it until its own people erase it. */
	run(0,
	    "grep -rasq " SECRET " copy && "
	    "trailctl mirror --erase-redacted copy --yes && "
	    "trailctl verify copy");
	run(1, "grep -ras " SECRET " copy");
	remount_vault();
	quotes_nothing("two");
	store_lacks(SECRET);
	/* What was removed and what nobody removed are two things. */
	unmount_vault();
	tamper(
	    "DELETE FROM digest WHERE object IN (SELECT id FROM object WHERE "
	    "CAST(body AS TEXT) LIKE '%%third%%')");
	says(verify(4), "no object for its evaluation report");
	expect_no_verify();
}
END_TEST

/* Damaged bytes are kept beside good ones, and most of them are right. */
START_TEST(damaged_bytes_go_too)
{
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	for (int i = 0; i < 2; i++) {
		const char *names = i == 0 ? "old" : "new";

		run(0,
		    "seq -f '" SECRET " %%g' 9000 >" A "/%s-file && "
		    "echo '" SECRET " row' >" A "/%s-row && trailctl sync mnt",
		    names, names);
		if (i > 0)
			break;
		run(0,
		    "O=$(find store/objects -type f) && chmod 600 $O && "
		    "printf X | dd of=$O bs=1 seek=5000 conv=notrunc");
		tamper("UPDATE object SET body = CAST('" SECRET " Xow' AS BLOB)"
		       " WHERE CAST(body AS TEXT) LIKE '" SECRET " row%%'");
	}
	run(0, "find store/objects -name '*.damaged' | grep .");
	seal(A, 0555);
	redact("old-file");
	redact("new-file");
	redact("new-row");
	redact("old-row");
	store_lacks(SECRET);
	run(1, "find store/objects -type f | grep .");
	run(0, "trailctl verify store | grep 'OK .*; 4 redacted'");
}
END_TEST

/* --- people ------------------------------------------------------------ */

/* A person who logged in as login and became uid writes a request. */
static void
person_asks(int status, uid_t login, uid_t uid, const char *text)
{
	run(status,
	    "echo %u >/proc/self/loginuid && printf %%s '%s' | "
	    "setpriv --reuid %u --regid %u --clear-groups "
	    "dd of=" ACTL "redactions status=none",
	    login, text, uid, uid);
}

START_TEST(nobody_becomes_a_second_person_by_su)
{
	char text[64];

	skip_unless(system("echo 7 2>&- >/proc/self/loginuid") == 0,
	    "the kernel has no login uids that can be set");
	make_secrets();
	/* Bob became root. */
	person_asks(0, BOB, 0, "{\"propose\":\"small\",\"reason\":\"r\"}");
	snprintf(text, sizeof text, "{\"approve\":%lu}", newest());
	/* Bob as root, Bob as Alice, and Alice who became root as well. */
	person_asks(1, BOB, 0, text);
	person_asks(1, BOB, ALICE, text);
	says(why(), "who proposed a redaction cannot approve it");
	person_asks(1, ALICE, 0, text);
	says(why(), "who proposed a redaction cannot approve it");
	ck_assert_uint_eq(0, entries("redaction.done", "t/w/a/small"));
	person_asks(0, ALICE, ALICE, text);
	says(entry("redaction.proposed", "t/w/a/small"), "\"loginuid\":1002");
	says(entry("redaction.done", "t/w/a/small"), "\"loginuid\":1001");

	/* Alice proposes as herself; root that was Alice is no other one. */
	person_asks(0, ALICE, ALICE, "{\"propose\":\"mid\",\"reason\":\"r\"}");
	snprintf(text, sizeof text, "{\"approve\":%lu}", newest());
	person_asks(1, ALICE, 0, text);
	person_asks(0, BOB, 0, text);
	ck_assert_uint_eq(1, entries("redaction.done", "t/w/a/mid"));
}
END_TEST

/* --- a group of approvers ------------------------------------------------ */

#define CAROL 1003
#define DAVE 1004
#define AUDITORS "2001"

/* Users and groups of this test's own.  Bob is an auditor by /etc/group, Carol by
 * her primary group, the others are none. */
static bool
name_people(void)
{
	run(0,
	    "grep -v ':100[1-4]:' /etc/passwd >passwd; "
	    "grep -v ':2001:' /etc/group >group; "
	    "printf '%%s:x:%%s:%%s::/:/bin/sh\\n' alice 1001 1001 "
	    "bob 1002 1002 carol 1003 " AUDITORS " dave 1004 1004 >>passwd && "
	    "echo auditors:x:" AUDITORS ":bob >>group");
	return unshare(CLONE_NEWNS) == 0 &&
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	    mount("passwd", "/etc/passwd", NULL, MS_BIND, NULL) == 0 &&
	    mount("group", "/etc/group", NULL, MS_BIND, NULL) == 0;
}

/* A process with this uid and this one group writes a request. */
static void
process_asks(int status, uid_t uid, const char *gid, const char *text)
{
	run(status,
	    "printf %%s '%s' | setpriv --reuid %u --regid %s --clear-groups "
	    "dd of=" ACTL "redactions status=none",
	    text, uid, gid);
}

static void
process_approves(int status, uid_t uid, const char *gid, unsigned long seq)
{
	char text[64];

	snprintf(text, sizeof text, "{\"approve\":%lu}", seq);
	process_asks(status, uid, gid, text);
}

START_TEST(only_the_group_of_approvers_approves)
{
	static const char small[] = "{\"propose\":\"small\",\"reason\":\"r\"}";
	static const char mid[] = "{\"propose\":\"mid\",\"reason\":\"r\"}";
	unsigned long seq;

	skip_unless(name_people(), "no mount namespace of our own");
	run(0, "echo approvers = auditors >>store/config");
	mount_vault("settle=60");
	make_secrets();
	says(entry("ledger.opened", NULL),
	    "\"options\":{\"approvers\":\"auditors\",");
	process_asks(1, DAVE, "1004", small);
	says(why(), "root and members of the group auditors may propose");
	process_asks(0, ALICE, "1001", small);
	/* The owner, somebody else, and root, each also with a process that has
	 * the group. */
	process_approves(1, ALICE, "1001", newest());
	process_approves(1, DAVE, "1004", newest());
	process_approves(1, DAVE, AUDITORS, newest());
	process_approves(1, 0, "0", newest());
	process_approves(1, 0, AUDITORS, newest());
	says(why(), "only members of the group auditors may approve");
	ck_assert_uint_eq(0, entries("redaction.done", "t/w/a/small"));
	/* Bob is in the group, and his process is not. */
	process_approves(0, BOB, "1002", newest());
	ck_assert_uint_eq(1, entries("redaction.done", "t/w/a/small"));
	/* A member who proposes does not approve that. */
	process_asks(0, CAROL, "1003", mid);
	process_approves(1, CAROL, AUDITORS, newest());
	says(why(), "who proposed a redaction cannot approve it");
	process_approves(0, BOB, "1002", newest());
	/* Who has left the group has left it now. */
	process_asks(0, ALICE, "1001",
	    "{\"propose\":\"big\",\"reason\":\"r\"}");
	run(0, "sed s/:bob$/:/ group >left && cat left >group");
	process_approves(1, BOB, AUDITORS, newest());
	/* Without a mount, the ledger also says who may approve. */
	seq = newest();
	unmount_vault();
	says(run(1, "trailctl redact --approve %lu store/t/w/a/big", seq),
	    "only members of the group auditors may approve");
	says(entry("ledger.opened", NULL),
	    "\"options\":{\"approvers\":\"auditors\",");
}
END_TEST

START_TEST(a_group_that_does_not_exist_approves_nothing)
{
	skip_unless(name_people(), "no mount namespace of our own");
	run(0, "echo approvers = auditers >>store/config");
	mount_vault("settle=60");
	says(run(0, "cat log"), "approvers = auditers: there is no such group");
	make_secrets();
	process_asks(0, ALICE, "1001",
	    "{\"propose\":\"small\",\"reason\":\"r\"}");
	process_approves(1, BOB, "1002", newest());
	says(why(),
	    "the group auditers, whose members approve, does not exist");
	ck_assert_uint_eq(0, entries("redaction.done", "t/w/a/small"));
	/* It counts from the moment at which it is made. */
	run(0, "echo auditers:x:2002:bob >>group");
	process_approves(0, BOB, "1002", newest());
}
END_TEST

/* --- the disk --------------------------------------------------------- */

/* No block of the disk has a file that make_on_disk() wrote as `name`. */
static void
disk_lacks(const char *name)
{
	run(1, "LC_ALL=C grep -q -a -F '" SECRET "-%s-' disk.img", name);
}

/* The store on a disk of its own. */
static void
begin_on_disk(void)
{
	run(0,
	    "truncate -s 64M disk.img && mkfs.ext4 -q -F disk.img && "
	    "mkdir disk && mount -o loop disk.img disk");
	run(0, "trailctl init --origin example.org/disk disk/store");
	run(0, "rm -rf store && ln -s disk/store store");
}

static void
end_on_disk(void)
{
	unmount("disk");
}

/* Evidence of so many lines, which all say SECRET and its name. */
static void
make_on_disk(const char *name, int lines)
{
	run(0, "seq -f '" SECRET "-%s-%%g' %d >" A "/%s", name, lines, name);
}

START_TEST(no_block_of_the_disk_has_redacted_bytes)
{
	static const struct {
		const char *name;
		int lines;
	} files[] = { { "row", 1 }, { "pages", 1200 }, { "file", 9000 } };

	skip_unless(have("mkfs.ext4"), "no mkfs.ext4");
	begin_on_disk();
	mount_vault("settle=60");
	make_attestation();
	allowed(chown("mnt/t", ALICE, ALICE));
	for (size_t i = 0; i < LEN(files); i++)
		make_on_disk(files[i].name, files[i].lines);
	make_on_disk("kept", 1200);
	seal(A, 0555);
	remount_vault(); /* the log of the database is deleted */
	run(0, "sync -f disk");
	run(0, "grep -q -a -F '" SECRET "-file-' disk.img");
	for (size_t i = 0; i < LEN(files); i++)
		redact(files[i].name);
	run(0, "sync -f disk");
	for (size_t i = 0; i < LEN(files); i++)
		disk_lacks(files[i].name);
	unmount_vault();
	end_on_disk();
	for (size_t i = 0; i < LEN(files); i++)
		disk_lacks(files[i].name);
	/* The search itself finds what is there. */
	run(0, "grep -q -a -F '" SECRET "-kept-' disk.img");
}
END_TEST

static struct fault *
map_fault(void)
{
	int fd = open("fault", O_RDWR | O_CREAT, 0600);
	struct fault *f;

	ck_assert_int_ge(fd, 0);
	allowed(ftruncate(fd, sizeof *f));
	f = mmap(NULL, sizeof *f, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(MAP_FAILED, f);
	close(fd);
	return f;
}

#define MOST_CALLS 200 /* that change the disk, of one approval */

static void
mount_with_faults(void)
{
	setenv("LD_PRELOAD", FAULTS_SHIM, 1);
	mount_vault("settle=60,texts=redactable");
	unsetenv("LD_PRELOAD");
}

#define TEXT 0 /* lines: a text of the entry, and not the evidence */

/* Evidence mnt/t/w/sN/f of so many lines, and the proposal to redact it. */
static unsigned long
propose_step(unsigned step, int lines)
{
	if (lines == TEXT) {
		run(0,
		    "mkdir " W "/s%u && echo x >" W "/s%u/f && "
		    "setfattr -n user.trailfs.description -v '" SECRET
		    "-s%u-text' " W "/s%u && "
		    "chmod 0555 " W "/s%u && trailctl sync mnt && "
		    "echo '{\"text\":\"description\",\"reason\":\"r\"}' >" W
		    "/s%u/.trailfs/redactions",
		    step, step, step, step, step, step);
		return newest();
	}
	run(0,
	    "mkdir " W "/s%u && "
	    "seq -f '" SECRET "-s%u-%%g' %d >" W "/s%u/f && "
	    "chmod 0555 " W "/s%u && trailctl sync mnt && "
	    "echo '{\"propose\":\"f\",\"reason\":\"r\"}' >" W
	    "/s%u/.trailfs/redactions",
	    step, step, lines, step, step, step);
	return newest();
}

/* Approve it; the call `at` that changes the disk kills the daemon, 0: none.
 * Returns the number of such calls. */
static unsigned long
approve_step(struct fault *f, unsigned step, int lines, unsigned long seq,
    unsigned long at)
{
	char path[64], text[64];

	snprintf(path, sizeof path, W "/s%u/.trailfs/redactions", step);
	snprintf(text, sizeof text, "{\"approve\":%lu%s}", seq,
	    lines == TEXT ? ",\"text\":\"description\"" : "");
	f->kind = FAULT_KILL;
	f->count = f->hits = 0;
	f->at = f->last = at;
	f->calls = CALL_DISK;
	as(ALICE);
	(void)ask_in(path, text);
	as(0);
	f->calls = 0;
	return f->count;
}

/* After the next start: nothing was approved and the file is whole, or no block
 * of the disk has a byte of it.  Returns true in the second case. */
static bool
is_redacted(unsigned step, int lines)
{
	const char *text = W "/s%u/.trailfs/attestation.json";
	char path[64], shows[64];

	snprintf(path, sizeof path, "t/w/s%u%s", step,
	    lines == TEXT ? "" : "/f");
	snprintf(shows, sizeof shows, text, step);
	if (entries("redaction.done", path) == 0) {
		run(0, "grep -q " SECRET " mnt/%s",
		    lines == TEXT ? shows + 4 : path);
		return false;
	}
	if (lines == TEXT)
		run(0, "grep '\"description\":\"redacted\"' %s", shows);
	else
		run(1, "cat mnt/%s", path);
	run(0, "sync -f disk");
	snprintf(path, sizeof path, "s%u", step);
	disk_lacks(path);
	return true;
}

/*
 * The daemon is killed instead of a call that changes the disk while a redaction
 * is approved; a long run tries each call, others each fourth.  0: a row of
 * the database; 1: a file; 2: a text.
 */
START_TEST(a_kill_at_each_step_leaves_all_or_nothing)
{
	const int lines = _i == 0 ? 1 : _i == 1 ? 4000 : TEXT;
	const unsigned stride = long_run() ? 1 : 4;
	unsigned long calls;
	unsigned step = 0, before = 0, after = 1;
	bool redacted[MOST_CALLS + 1] = { true };
	struct fault *f;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	skip_unless(have("mkfs.ext4"), "no mkfs.ext4");
	f = map_fault();
	setenv(FAULT_ENV, "fault", 1);
	begin_on_disk();
	mount_with_faults();
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	/* Nobody is killed: how many calls are there? */
	calls = approve_step(f, step, lines, propose_step(step, lines), 0);
	ck_assert(is_redacted(step, lines));
	ck_assert_uint_le(calls, MOST_CALLS);
	for (unsigned long at = 1; at <= calls; at += stride) {
		unsigned long seq = propose_step(++step, lines);

		approve_step(f, step, lines, seq, at);
		/* A later round may need less calls than the first. */
		if (f->hits > 0) {
			ck_assert_int_eq(-SIGKILL, vault_ended());
			run(0, "umount -l mnt");
			mount_with_faults();
		}
		redacted[step] = is_redacted(step, lines);
		*(redacted[step] ? &after : &before) += 1;
	}
	ck_assert_uint_gt(before, 0);
	ck_assert_uint_gt(after, 1);
	unmount_vault();
	end_on_disk();
	for (unsigned i = 0; i <= step; i++)
		run(redacted[i],
		    "LC_ALL=C grep -q -a -F '" SECRET "-s%u-' "
		    "disk.img",
		    i);
	run(0, "mount -o loop disk.img disk");
	run(0, "trailctl verify store | grep 'OK .*; %u redacted%s'", after,
	    lines == TEXT ? " text" : "");
	end_on_disk();
}
END_TEST

/* --- the kernel's pages ----------------------------------------------------- */

/* Wait until the daemon, or a process of it, waits for reads of pages. */
static void
await_dropping(void)
{
	run(0,
	    "d=%d; until cat /proc/$d/task/*/stack $(pgrep -P $d | sed "
	    "'s,.*,/proc/&/stack,') | grep -q invalidate_inode_pages2; "
	    "do sleep 0.05; done",
	    (int)vault_pid());
}

/* Pages are dropped when reads of them are answered.  A daemon that is killed before
 * that leaves a dead mount, and no program that hangs. */
START_TEST(a_kill_while_pages_are_dropped_leaves_a_dead_mount)
{
	unsigned long seq;
	struct fault *f;
	pid_t reader;
	int fd, status;
	char c;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	skip_unless(access("/proc/self/stack", R_OK) == 0, "no stacks");
	f = map_fault();
	setenv(FAULT_ENV, "fault", 1);
	mount_with_faults();
	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	seq = propose_step(0, 4000);
	unmount_vault();
	mount_with_faults();
	fd = open(W "/s0/f", O_RDONLY);
	ck_assert_int_ge(fd, 0);
	f->kind = FAULT_HOLD;
	f->at = f->last = 1;
	f->held = 1;
	strcpy(f->only, "/objects/");
	f->calls = CALL_AT;
	if ((reader = fork()) == 0)
		_exit(pread(fd, &c, 1, 0) < 0 ? 0 : 1);
	while (f->hits == 0)
		usleep(1000);
	as(ALICE);
	allowed(approve_in(W "/s0/.trailfs/redactions", seq));
	as(0);
	await_dropping();
	crash_vault();
	ck_assert_int_eq(reader, waitpid(reader, &status, 0));
	ck_assert_int_eq(0, status);
	refused(ENOTCONN, open(W "/s0/f", O_RDONLY));
	f->calls = 0;
	close(fd);
	run(0, "umount -l mnt");
	mount_with_faults();
	refused(ENODATA, open(W "/s0/f", O_RDONLY));
	unmount_vault();
	verify(0);
}
END_TEST

/* The helper may be killed. */
START_TEST(pages_are_dropped_without_the_helper)
{
	int fd;
	char c;

	make_secrets();
	fd = open(A "/mid", O_RDONLY);
	ck_assert_int_eq(1, pread(fd, &c, 1, 0));
	run(0, "kill -9 $(pgrep -P %d -x trailfs-pages)", (int)vault_pid());
	redact("mid");
	refused(ENODATA, (int)pread(fd, &c, 1, 0));
	says(content("log", NULL), "trailfs-pages does not answer");
	close(fd);
}
END_TEST

/* --- drafts that were removed ---------------------------------------------- */

/* The store forgets that text soon: a background thread removes it. */
static void
is_forgotten(const char *text)
{
	run(0,
	    "for i in $(seq 600); do grep -rqas '%s' store/objects store/stage "
	    "|| exit 0; sleep 0.1; done; exit 1",
	    text);
}

static void
start_again(void)
{
	crash_vault();
	run(0, "umount -l mnt");
	mount_with_faults();
}

/*
 * Rename the long draft f.N.tmp to f.N; the call `at` that changes the disk
 * fails, or kills the daemon.  False: there was no such call.  Otherwise nobody
 * has the name f.N, or nothing has failed.
 */
static bool
rename_fails(struct fault *f, enum fault_kind kind, unsigned long at)
{
	char from[64], to[64];

	snprintf(from, sizeof from, A "/f.%lu.tmp", at);
	snprintf(to, sizeof to, A "/f.%lu", at);
	run(0, "seq -f '" SECRET "-%lu-%%g' 6000 >%s", at, from);
	f->kind = kind;
	f->sys = ENOSPC;
	f->count = f->hits = 0;
	f->at = f->last = at;
	f->calls = CALL_DISK;
	(void)rename(from, to);
	f->calls = 0;
	if (f->hits > 0 && kind == FAULT_KILL) {
		ck_assert_int_eq(-SIGKILL, vault_ended());
		run(0, "umount -l mnt");
		mount_with_faults();
	}
	return f->hits > 0;
}

/* The seal of a draft fails, or the daemon dies in it, and then the draft is
 * removed: no object keeps its bytes.  0: errors; 1: kills. */
START_TEST(a_removed_draft_leaves_no_object)
{
	enum fault_kind kind = _i == 0 ? FAULT_ERROR : FAULT_KILL;
	unsigned long at = 1, failed = 0, linked = 0;
	char text[64], path[64];
	struct fault *f;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	f = map_fault();
	setenv(FAULT_ENV, "fault", 1);
	mount_with_faults();
	make_attestation();
	for (; at < MOST_CALLS && rename_fails(f, kind, at); at++) {
		snprintf(path, sizeof path, A "/f.%lu.tmp", at);
		if (!exists(path))
			continue;
		failed++;
		linked += system("find store/objects -type f -links 2 | "
				 "grep -q .") == 0;
		/* A ledger that failed is read-only, until it is known what the
		 * disk has of the last commit. */
		if (remove(path) < 0) {
			start_again();
			if (!exists(path))
				continue;
			allowed(remove(path));
		}
		snprintf(text, sizeof text, SECRET "-%lu-", at);
		is_forgotten(text);
	}
	ck_assert_uint_gt(failed, 0);
	ck_assert_uint_gt(linked, 0);
	ck_assert_uint_lt(at, MOST_CALLS);
}
END_TEST

/* The seal of a plain draft fails, and the next one encrypts it. */
START_TEST(a_plain_object_goes_when_the_draft_is_encrypted)
{
	unsigned long at = 1;
	char text[64];
	struct fault *f;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	skip_unless(have("age-keygen"), "no age");
	run(0, "age-keygen -o key 2>/dev/null && age-keygen -y key >pub");
	f = map_fault();
	setenv(FAULT_ENV, "fault", 1);
	mount_with_faults();
	make_attestation();
	/* The first failure after the file was linked. */
	for (;; at++) {
		ck_assert(rename_fails(f, FAULT_ERROR, at));
		if (system("find store/objects -type f -links 2 | grep -q .") ==
		    0)
			break;
		run(0, "rm -f " A "/f.%lu.tmp", at);
	}
	run(0, "grep -raq " SECRET "-%lu- store/objects", at);
	if (system("cp pub mnt/t/.trailfs/recipients") != 0) {
		start_again();
		run(0, "cp pub mnt/t/.trailfs/recipients");
	}
	run(0, "mv " A "/f.%lu.tmp " A "/f", at);
	run(0, "age -d -i key " A "/f | grep -q " SECRET);
	snprintf(text, sizeof text, SECRET "-%lu-", at);
	is_forgotten(text);
}
END_TEST

/* --- the clock ---------------------------------------------------------- */

#define DAY 86400L
#define EIGHT_YEARS (8 * 366 * DAY)

static void
refused_since(const char *text, const char *reason)
{
	refused(EPERM, ask(text));
	says(why(), reason);
}

static struct fault *
mount_with_clock(void)
{
	struct fault *f = map_fault();

	setenv(FAULT_ENV, "fault", 1);
	mount_with_faults();
	return f;
}

static void
remount_at(struct fault *f, long ahead_s)
{
	unmount_vault();
	f->ahead_s = ahead_s;
	mount_with_faults();
}

START_TEST(no_clock_ends_a_retention_while_it_is_mounted)
{
	static const char propose[] =
	    "{\"propose\":\"small\",\"reason\":\"r\"}",
			  dispose[] = "{\"propose\":\"small\",\"reason\":"
				      "\"r\",\"what\":\"expired\"}";
	struct fault *f;

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	f = mount_with_clock();
	make_secrets();
	run(0, "trailctl retain --for 7y mnt/t && trailctl sync mnt");
	refused_since(propose, "it is kept until");
	f->ahead_s = EIGHT_YEARS;
	refused_since(propose, "the clock was set forward");
	refused_since(dispose, "the clock was set forward");
	f->ahead_s = -EIGHT_YEARS;
	refused_since(propose, "it is kept until");
	/* A retention that is set under a clock of the past is none of the
	 * past: it begins with the time of the ledger. */
	run(0, "trailctl retain --for 8y mnt/t");
	f->ahead_s = 0;
	refused_since(dispose, "it is kept until");
	ck_assert_uint_eq(0, entries("redaction.proposed", "t/w/a/small"));
}
END_TEST

START_TEST(a_clock_neither_prolongs_nor_renews_a_proposal)
{
	struct fault *f;
	char text[64];

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	f = mount_with_clock();
	make_secrets();
	allowed(ask("{\"propose\":\"small\",\"reason\":\"r\"}"));
	snprintf(text, sizeof text, "{\"approve\":%lu}", newest());
	as(ALICE);
	f->ahead_s = -DAY;
	refused_since(text, "the clock is behind the time of the proposal");
	f->ahead_s = 8 * DAY;
	refused_since(text, "the clock was set forward");
	as(0);
	remount_at(f, 8 * DAY);
	as(ALICE);
	refused_since(text, "the proposal is older than 7 days");
	as(0);
	/* The ledger has seen that time: the proposal stays too old. */
	remount_at(f, 0);
	as(ALICE);
	refused_since(text, "the proposal is older than 7 days");
	as(0);
	ck_assert_uint_eq(0, entries("redaction.done", "t/w/a/small"));
	redact("small");
	ck_assert_uint_eq(1, entries("redaction.done", "t/w/a/small"));
}
END_TEST

/* Root can set the clock before the mount, and cannot hide that. */
START_TEST(a_wrong_clock_at_the_start_stays_in_the_ledger)
{
	time_t then = time(NULL) + EIGHT_YEARS;
	struct fault *f;
	char year[32], text[64];

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	strftime(year, sizeof year, "\"at\":\"%Y-", gmtime(&then));
	f = mount_with_clock();
	make_secrets();
	run(0, "trailctl retain --for 7y mnt/t && trailctl sync mnt");
	remount_at(f, EIGHT_YEARS);
	allowed(ask("{\"propose\":\"small\",\"reason\":\"r\",\"what\":"
		    "\"expired\"}"));
	snprintf(text, sizeof text, "{\"approve\":%lu}", newest());
	as(ALICE);
	allowed(ask(text));
	as(0);
	remount_at(f, 0);
	says(entry("redaction.proposed", "t/w/a/small"), year);
	says(entry("redaction.done", "t/w/a/small"), year);
	/* Later entries say both times. */
	run(0, "mkdir mnt/t/w/b && trailctl sync mnt");
	says(entry("attestation.begun", "t/w/b"), year);
	run(0, "trailctl verify store | grep 'OK .*; 1 redacted'");
}
END_TEST

Suite *
suite_redact(void)
{
	Suite *s = suite_create("redact");
	TCase *t = mounted_case(s, "redact");

	tcase_add_test(t, two_people_delete_bytes_and_nothing_else);
	tcase_add_test(t, one_person_deletes_nothing);
	tcase_add_test(t, bytes_that_others_have_stay);
	tcase_add_test(t, a_piece_of_a_large_file_is_no_copy);
	tcase_add_test(t, what_quotes_the_evidence_goes_too);
	tcase_add_test(t, damaged_bytes_go_too);
	tcase_add_test(t, nobody_becomes_a_second_person_by_su);
	tcase_add_test(t, pages_are_dropped_without_the_helper);
	t = stored_case(s, "approvers");
	tcase_add_test(t, only_the_group_of_approvers_approves);
	tcase_add_test(t, a_group_that_does_not_exist_approves_nothing);
	t = stored_case(s, "removed");
	tcase_add_loop_test(t, a_removed_draft_leaves_no_object, 0, 2);
	tcase_add_test(t, a_plain_object_goes_when_the_draft_is_encrypted);
	t = stored_case(s, "clock");
	tcase_add_test(t, no_clock_ends_a_retention_while_it_is_mounted);
	tcase_add_test(t, a_clock_neither_prolongs_nor_renews_a_proposal);
	tcase_add_test(t, a_wrong_clock_at_the_start_stays_in_the_ledger);
	t = stored_case(s, "disk");
	tcase_add_test(t, no_block_of_the_disk_has_redacted_bytes);
	tcase_add_loop_test(t, a_kill_at_each_step_leaves_all_or_nothing, 0, 3);
	t = stored_case(s, "pages");
	tcase_add_test(t, a_kill_while_pages_are_dropped_leaves_a_dead_mount);
	return s;
}
