/* Trails with recipients: their evidence is encrypted to the holders of secret
 * keys.  The stock age(1) opens it, and compares with a copy that was written in
 * the same way to an ordinary directory. */
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#include "harness.h"

#define CTL "mnt/t/.trailfs/"
#define TO CTL "recipients"
#define LAST CTL "last-error"
#define EINVAL_ "Invalid argument"
#define EFBIG_ "File too large"

/* --- keys ------------------------------------------------------------- */

/* An attestation in a trail whose evidence Alice and Bob open. */
static void
make_keys(void)
{
	run(0,
	    "for k in alice bob carol; do age-keygen -o $k.key 2>/dev/null "
	    "&& age-keygen -y $k.key >$k.pub || exit 1; done");
	run(0, "cat alice.pub bob.pub >both && cat carol.pub both >three");
}

static void
make_secret(void)
{
	make_keys();
	make_attestation();
	run(0, "cp both " TO);
}

static bool
can_encrypt(void)
{
	return have("age") && have("age-keygen");
}

/* The evidence at path opens, with either key, as these bytes. */
static void
opens(const char *path, const char *plain)
{
	run(0, "age -d -i alice.key '%s' >opened && cmp opened '%s'", path,
	    plain);
	run(0, "age -d -i bob.key '%s' | cmp - '%s'", path, plain);
}

/* The same, and the entry says so. */
static void
is_encrypted(const char *path, const char *plain, unsigned version)
{
	char field[80];
	const char *line = entry("evidence.sealed", path + 4);

	snprintf(field, sizeof field,
	    "\"encryption\":{\"format\":\"age\",\"recipients\":%u}", version);
	says(line, field);
	has_state(path, "sealed");
	opens(path, plain);
	run(0, "test $(sha256sum <'%s' | cut -c1-64) = %s", path,
	    fact(path, "sha256"));
	says(line, fact(path, "sha256"));
	run(0, "test $(stat -c %%s '%s') = $(wc -c <'%s')", path, path);
}

/* --- recipients ------------------------------------------------------- */

START_TEST(recipients_are_versions_and_entries)
{
	skip_unless(can_encrypt(), "no age");
	make_keys();
	make_attestation();
	ck_assert(!exists(TO));
	run(0, "cp both " TO);
	run(0, "cmp both " TO " && cmp both " TO "@1");
	says(entry("recipients.set", "t"), "\"version\":1");
	/* The verb makes the same entry of the same text. */
	run(0, "cp both same && trailctl recipients set mnt/t same");
	ck_assert_uint_eq(1, entries("recipients.set", NULL));
	run(0, "trailctl recipients set mnt/t three");
	ck_assert_uint_eq(2, entries("recipients.set", "t"));
	says(entry("recipients.set", "t"), "\"version\":2");
	run(0, "cmp three " TO " && cmp both " TO "@1 && cmp three " TO "@2");
	run(0, "trailctl recipients show mnt/t | cmp - three");
	run(0, "trailctl recipients show --version 1 mnt/t | cmp - both");
	run(0, "mkdir mnt/u && trailctl recipients set mnt/u both");
	run(0,
	    "test \"$(grep recipients.set mnt/.trailfs/events.jsonl | "
	    "grep -o '\"recipients\":{[^}]*}' | sed '2d' | uniq | wc -l)\""
	    " = 1");
}
END_TEST

/* Bob may write the trail, so he may set its template.  Its recipients decide who
 * reads what Alice writes. */
START_TEST(only_the_owner_sets_recipients)
{
	static const char reason[] =
	    "recipients: only the owner of the trail, members of admins= and "
	    "root may set its recipients";

	skip_unless(can_encrypt(), "no age");
	make_keys();
	make_attestation();
	allowed(chmod("mnt/t", 0770));
	allowed(chown("mnt/t", ALICE, BOB));
	as(BOB);
	for (int i = 0; i < 2; i++) {
		says(run(1, "cp bob.pub " TO), "Operation not permitted");
		says(run(0, "cat " LAST), reason);
		as(0);
		ck_assert_uint_eq((unsigned)i, entries("recipients.set", "t"));
		as(ALICE);
		run(0, "cp both " TO); /* the first list, then the same */
		as(BOB);
	}
	run(0,
	    "printf 'version: 1\\ntrail:\\n  attestations:\\n"
	    "  - name: a\\n    type: generic\\n' >" CTL "template.yml");
	as(0);
	says(run(0, "grep '\"uid\":1002' mnt/.trailfs/denied.jsonl"),
	    "\"path\":\"t/.trailfs/recipients\"");
	ck_assert_uint_eq(1, entries("template.set", "t"));
	run(0, "cp three " TO);
	ck_assert_uint_eq(2, entries("recipients.set", "t"));
	/* A new owner, from then on. */
	allowed(chown("mnt/t", BOB, BOB));
	as(ALICE);
	refused(EACCES, open(TO, O_WRONLY));
	as(BOB);
	run(0, "cp bob.pub " TO);
	as(0);
}
END_TEST

START_TEST(bad_recipients_are_refused_with_a_reason)
{
	static const struct {
		const char *make, *why, *code;
	} bad[] = {
		{ "echo junk", "line 1", EINVAL_ },
		{ "cat alice.pub; echo; echo age1junk", "line 3", EINVAL_ },
		{ "cat alice.key | grep AGE-SECRET-KEY-", "line 1", EINVAL_ },
		{ "cat both; tail -1 alice.key", "line 3", EINVAL_ },
		{ "echo '# nobody'", "", EINVAL_ },
		{ "cat many", "256", EFBIG_ },
		{ "cat many many many many", "256", EFBIG_ },
		{ "cat alice.pub; head -c 65536 /dev/zero | tr '\\0' '#'", "",
		    EFBIG_ },
		{ "cat alice.pub; printf '\\0'", "line 2", EINVAL_ },
		{ "printf '# \\0\\n'; cat alice.pub", "", EINVAL_ },
		{ "tr a-z A-Z <alice.pub", "line 1", EINVAL_ },
	};

	skip_unless(can_encrypt(), "no age");
	make_keys();
	run(0,
	    "for i in $(seq 257); do age-keygen 2>/dev/null | "
	    "sed -n 's/^# public key: //p'; done >many");
	make_attestation();
	for (size_t i = 0; i < LEN(bad); i++) {
		run(0, "(%s) >bad", bad[i].make);
		says(run(1, "cp bad " TO), bad[i].code);
		says(content(LAST, NULL), bad[i].why);
		says_not(content(LAST, NULL), "AGE-SECRET-KEY-1");
		run(1,
		    "trailctl recipients check bad 2>&1 | "
		    "grep AGE-SECRET-KEY-1");
		ck_assert(!exists(TO));
	}
	run(0,
	    "tail -1 alice.key | trailctl recipients check - 2>&1 | "
	    "grep -q 'an identity'");
	ck_assert_uint_eq(0, entries("recipients.set", NULL));
	/* 256 are as many as there may be, and an empty list takes none away. */
	run(0, "head -256 many >256 && cp 256 " TO);
	says(run(1, "cp /dev/null " TO), EINVAL_);
	says(content(LAST, NULL), "an empty list is refused");
	run(1, ": | dd status=none of=" TO);
	says(content(LAST, NULL), "an empty list is refused");
	run(0, "! trailctl recipients set mnt/t /dev/null");
	run(0, "cmp 256 " TO);
	/* Shells close a copy before they write. */
	run(0, "cat 256 >" TO " && sh -c 'echo \"$(cat 256)\" >" TO "'");
	ck_assert_uint_eq(1, entries("recipients.set", NULL));
	run(0, "seq 30000 >plain && cp plain " A "/f");
	sync_dir(A);
	says(entry("evidence.sealed", "t/w/a/f"), "\"recipients\":1");
}
END_TEST

/* --- writers ---------------------------------------------------------- */

/* f is the file, src a text of 300,000 bytes. */
static const struct {
	const char *name, *how;
} writers[] = {
	{ "cp", "cp src $f" },
	{ "cp -p", "cp -p src $f" },
	{ "tee", "tee $f <src >/dev/null" },
	{ "dd", "dd if=src of=$f bs=1000 status=none" },
	{ "dd once more", "touch $f; dd if=src of=$f bs=7k status=none" },
	{ "a placeholder", ": >$f; cat src >$f" },
	{ "many children",
	    "exec 3>$f; for i in $(seq 50); do "
	    "head -c 3001 src >&3; done; exec 3>&-" },
	{ "appending", "(for i in $(seq 40); do head -c 5003 src; done) >>$f" },
	{ "rsync", "rsync -a src $f" },
	{ "rsync in place", "rsync --inplace src $f" },
	{ "mv", "cp src $f.tmp && mv $f.tmp $f" },
	{ "install", "install -m 644 src $f" },
	{ "truncate", "truncate -s 100000 $f" },
	{ "sparse", "dd if=src of=$f bs=1 count=100 seek=1000000 status=none" },
	{ "sparse copy",
	    "(cat src; head -c 500000 /dev/zero; cat src) >holes;"
	    " cp --sparse=always holes $f" },
	{ "fallocate", "fallocate -l 200001 $f" },
	{ "empty", "touch $f" },
	{ "one byte", "printf x >$f" },
	{ "65,535", "head -c 65535 src >$f" },
	{ "65,536", "head -c 65536 src >$f" },
	{ "65,537", "head -c 65537 src >$f" },
	{ "131,072", "head -c 131072 src >$f" },
	{ "1 MiB + 3", "cat src src src src | head -c 1048579 >$f" },
	{ "tar", "tar cf - src | dd of=$f bs=512 status=none" },
};

START_TEST(every_writer_s_bytes_open_with_age)
{
	char cmd[300], path[100], plain[100];

	skip_unless(can_encrypt() && have("rsync"), "no age or no rsync");
	make_secret();
	run(0, "mkdir plain && seq 100000 | head -c 300000 >src");
	for (size_t i = 0; i < LEN(writers); i++) {
		snprintf(cmd, sizeof cmd, "f=plain/%zu; %s", i, writers[i].how);
		run(0, "%s", cmd);
		snprintf(cmd, sizeof cmd, "f=" A "/%zu; %s", i, writers[i].how);
		run(0, "%s", cmd);
	}
	sync_dir(A);
	for (size_t i = 0; i < LEN(writers); i++) {
		snprintf(path, sizeof path, A "/%zu", i);
		snprintf(plain, sizeof plain, "plain/%zu", i);
		is_encrypted(path, plain, 1);
	}
	ck_assert_uint_eq(LEN(writers), entries("evidence.sealed", NULL));
	ck_assert_str_eq("", run(0, "ls store/stage"));
	remount_vault();
	opens(A "/0", "src");
}
END_TEST

/* The same calls on a file of the vault and on an ordinary one. */
static void
write_both(void (*how)(const char *path), const char *name)
{
	char path[100], plain[100];

	snprintf(path, sizeof path, A "/%s", name);
	snprintf(plain, sizeof plain, "%s.plain", name);
	how(plain);
	how(path);
	sync_dir(A);
	is_encrypted(path, plain, 1);
}

static int
create(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0644);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void
in_random_order(const char *path)
{
	char *text = noise(1 << 20, 3);
	unsigned order = 1;
	int fd = create(path);

	for (size_t i = 0; i < 600; i++) {
		size_t off = (order = order * 1103515245 + 12345) % 1000000,
		       n = order / 7 % 3000 + 1;

		ck_assert_int_eq((ssize_t)n,
		    pwrite(fd, text + off, n, (off_t)off));
		if (i % 100 == 50)
			allowed(fsync(fd));
		if (i % 100 == 70)
			allowed(ftruncate(fd, (off_t)(off + 5)));
		if (i % 100 == 90)
			allowed(ftruncate(fd, (off_t)(off + 300000)));
	}
	allowed(close(fd));
}

static void
by_mapping(const char *path)
{
	size_t n = 300000;
	char *text = noise(n, 4), *p;
	int fd = create(path);

	allowed(ftruncate(fd, (off_t)n));
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert(p != MAP_FAILED);
	memcpy(p, text, n / 2);
	allowed(msync(p, n, MS_SYNC));
	allowed(close(fd));
	memcpy(p + n / 2, text + n / 2, n - n / 2);
	p[7] = 'x';
	allowed(munmap(p, n));
}

static void
by_two_who_append(const char *path)
{
	int fd = create(path), other;
	pid_t pid;

	if ((pid = fork()) == 0) {
		other = open(path, O_WRONLY | O_APPEND);
		for (int i = 0; i < 3000; i++)
			if (write(other, "0123456789abcdef0123456789abcdef",
				32) != 32)
				_exit(1);
		_exit(close(other) != 0);
	}
	other = open(path, O_WRONLY | O_APPEND);
	for (int i = 0; i < 3000; i++)
		ck_assert_int_eq(32,
		    write(other, "0123456789abcdef0123456789abcdef", 32));
	allowed(close(other));
	ck_assert_int_eq(0, child_ended(pid));
	allowed(close(fd));
}

/* What was cut off must not come back. */
static void
by_cutting(const char *path)
{
	char *text = noise(400000, 5);
	int fd = create(path);

	ck_assert_int_eq(400000, write(fd, text, 400000));
	allowed(fsync(fd));
	allowed(ftruncate(fd, 199000));
	allowed(ftruncate(fd, 300000));
	ck_assert_int_eq(10, pwrite(fd, text, 10, 250000));
	allowed(ftruncate(fd, 131072));
	allowed(ftruncate(fd, 131073));
	allowed(fsync(fd));
	allowed(ftruncate(fd, 70000));
	ck_assert_int_eq(9, pwrite(fd, text, 9, 500000));
	allowed(close(fd));
}

static void
reading_back(const char *path)
{
	char *text = noise(200000, 6), *got = malloc(200000);
	int fd = create(path);

	for (size_t i = 0; i < 200000; i += 20000) {
		ck_assert_int_eq(20000, pwrite(fd, text + i, 20000, (off_t)i));
		ck_assert_int_eq((ssize_t)i + 20000, pread(fd, got, 200000, 0));
		ck_assert_int_eq(0, memcmp(text, got, i + 20000));
		ck_assert_int_eq((long)i + 20000, stat_of(path).st_size);
	}
	free(got);
	allowed(close(fd));
}

START_TEST(writes_in_any_order_are_whole)
{
	skip_unless(can_encrypt(), "no age");
	make_secret();
	write_both(in_random_order, "order");
	write_both(by_mapping, "mapping");
	write_both(by_two_who_append, "append");
	write_both(by_cutting, "cut");
	write_both(reading_back, "back");
}
END_TEST

/* The kernel got the attributes of the draft, with the size of the text. */
START_TEST(a_renamed_draft_is_read_whole)
{
	char path[64];

	skip_unless(can_encrypt(), "no age");
	make_secret();
	run(0, "seq 1000 >plain");
	for (int i = 0; i < 10; i++) {
		run(0, "cp plain " A "/.%d.AbCd01", i);
		run(0, "chmod 600 " A "/.%d.AbCd01", i);
		run(0, "stat " A "/.%d.AbCd01 >stat", i);
		run(0, "mv " A "/.%d.AbCd01 " A "/%d", i, i);
		sync_dir(A);
		snprintf(path, sizeof path, A "/%d", i);
		is_encrypted(path, "plain", 1);
	}
}
END_TEST

START_TEST(a_draft_attestation_is_published_encrypted)
{
	skip_unless(can_encrypt(), "no age");
	make_secret();
	run(0, "seq 50000 >long && echo short >short");
	run(0,
	    "mkdir " W "/.d && cp long short " W "/.d && mkdir " W "/.d/e "
	    "&& cp long " W "/.d/e/again");
	holds(W "/.d/short", "short\n");
	run(0, "sed -i s/7/seven/ long && sed -i s/7/seven/ " W "/.d/long");
	run(0,
	    "cp long " W "/.d/e/again.tmp && "
	    "mv " W "/.d/e/again.tmp " W "/.d/e/again");
	run(0, "mv " W "/.d " W "/d");
	is_encrypted(W "/d/long", "long", 1);
	is_encrypted(W "/d/short", "short", 1);
	is_encrypted(W "/d/e/again", "long", 1);
	ck_assert_str_eq("", run(0, "ls store/stage"));
}
END_TEST

/* --- readers ---------------------------------------------------------- */

static void
open_to_all(void)
{
	make_secret();
	allowed(chmod("mnt/t", 0777));
	allowed(chmod(W, 0777));
	allowed(chmod(A, 0777));
	umask(0);
}

/* Loop test: content in memory, and in a file. */
START_TEST(only_its_writer_reads_it_before_the_freeze)
{
	size_t n = _i == 0 ? 1000 : 200000;
	char *text = noise(n, 7);
	int fd;

	skip_unless(can_encrypt(), "no age");
	open_to_all();
	as(ALICE);
	fd = begin(A "/f");
	ck_assert_int_eq((ssize_t)n, write(fd, text, n));
	ck_assert_int_eq(0, memcmp(text, content(A "/f", NULL), n));
	as(BOB);
	refused(EACCES, try_open(A "/f", O_RDONLY));
	as(0);
	says(content("log", NULL), "only its writers read it");
	refused(EACCES, try_open(A "/f", O_RDONLY));
	as(ALICE);
	allowed(fsync(fd));
	ck_assert_int_eq(0, memcmp(text, content(A "/f", NULL), n));
	as(0);
	refused(EACCES, try_open(A "/f", O_RDONLY));
	allowed(close(fd));
	put_bytes("plain", text, n);
	becomes(A "/f", "frozen");
	as(BOB);
	says(content(A "/f", NULL), "age-encryption.org/v1\n");
	as(ALICE);
	says(content(A "/f", NULL), "age-encryption.org/v1\n");
	as(0);
	opens(A "/f", "plain");
}
END_TEST

/* The pages of the cache belong to the file, not to who opened it. */
START_TEST(who_opened_it_empty_does_not_read_what_follows)
{
	int early, own, fd;
	char got[100];

	skip_unless(can_encrypt(), "no age");
	open_to_all();
	as(ALICE);
	put(A "/f", "");
	own = open(A "/f", O_RDONLY);
	ck_assert_int_ge(own, 0);
	as(BOB);
	early = open(A "/f", O_RDONLY);
	ck_assert_int_eq(-1, early);
	ck_assert_int_eq(EACCES, errno);
	as(ALICE);
	fd = open(A "/f", O_RDWR);
	add(fd, "the text of alice");
	ck_assert_int_eq(17, pread(own, got, sizeof got, 0));
	allowed(close(fd));
	becomes(A "/f", "frozen");
	ck_assert_int_gt(pread(own, got, sizeof got, 0), 30);
	ck_assert_int_eq(0, memcmp(got, "age-encryption.org", 18));
	(void)close(own);
	as(0);
}
END_TEST

/* Loop test: a short and a long age file. */
START_TEST(size_and_bytes_are_final_from_the_freeze_on)
{
	size_t n = _i == 0 ? 3000 : 500000, size, later;
	char *frozen;

	skip_unless(can_encrypt(), "no age");
	make_secret();
	put_bytes("plain", noise(n, 8), n);
	run(0, "cp plain " A "/f");
	becomes(A "/f", "frozen");
	ck_assert_int_gt(stat_of(A "/f").st_size, (long)n);
	frozen = content(A "/f", &size);
	ck_assert_uint_eq(size, (size_t)stat_of(A "/f").st_size);
	run(0, "ls -l --time-style=+ " A " | grep -w %zu", size);
	sync_dir(A);
	has_state(A "/f", "sealed");
	ck_assert_int_eq(0, memcmp(frozen, content(A "/f", &later), size));
	ck_assert_uint_eq(size, later);
	is_encrypted(A "/f", "plain", 1);
}
END_TEST

/* --- changes of recipients --------------------------------------------- */

START_TEST(the_newest_recipients_count)
{
	int fd, before;

	skip_unless(can_encrypt(), "no age");
	make_keys();
	make_attestation();
	run(0, "seq 100000 >long && echo short >short");
	before = begin(A "/before");
	add(before, "short\n");
	run(0, "cp long " A "/frozen-before");
	run(0, "cp both " TO);
	fd = begin(A "/open");
	add(fd, "short\n");
	run(0, "cp long " A "/frozen-long && cp short " A "/frozen-short");
	becomes(A "/frozen-long", "frozen");
	run(0, "head -1 " A "/frozen-long >/dev/null");
	run(0, "cp three " TO);
	allowed(close(fd));
	allowed(close(before));
	sync_dir(A);
	is_encrypted(A "/open", "short", 2);
	is_encrypted(A "/before", "short", 2);
	is_encrypted(A "/frozen-before", "long", 2);
	is_encrypted(A "/frozen-long", "long", 2);
	is_encrypted(A "/frozen-short", "short", 2);
	run(0, "age -d -i carol.key " A "/frozen-long | cmp - long");
	/* Not back to earlier ones. */
	run(0, "cp alice.pub " TO " && cp long " A "/last");
	sync_dir(A);
	says(entry("evidence.sealed", "t/w/a/last"), "\"recipients\":3");
	run(1, "age -d -i bob.key " A "/last");
}
END_TEST

START_TEST(recipients_may_change_while_files_are_sealed)
{
	skip_unless(can_encrypt(), "no age");
	make_secret();
	run(0, "seq 20000 >long");
	run(0,
	    "(for i in $(seq 20); do cat alice.pub both >" TO "; "
	    "cat both >" TO "; done) & "
	    "for i in $(seq 60); do cp long " A "/$i; "
	    "trailctl sync mnt; done; wait");
	for (int i = 1; i <= 60; i++) {
		char path[40];

		snprintf(path, sizeof path, A "/%d", i);
		has_state(path, "sealed");
		opens(path, "long");
	}
	ck_assert_uint_eq(60, entries("evidence.sealed", NULL));
}
END_TEST

START_TEST(a_file_is_copied_to_another_trail)
{
	skip_unless(can_encrypt(), "no age");
	make_secret();
	run(0, "mkdir -p mnt/u/w/a && seq 30000 >long");
	run(0, "cp long " A "/f.tmp");
	refused(EXDEV, rename(A "/f.tmp", "mnt/u/w/a/f"));
	run(0, "cp long mnt/u/w/a/g.tmp && mv mnt/u/w/a/g.tmp " A "/g");
	sync_dir("mnt");
	is_encrypted(A "/g", "long", 1);
}
END_TEST

/* --- what is built on evidence ------------------------------------------- */

START_TEST(a_check_says_that_it_is_encrypted)
{
	skip_unless(can_encrypt(), "no age");
	make_secret();
	run(0,
	    "printf '<testsuite><testcase name=\"marker\"/></testsuite>' "
	    ">r.xml");
	run(0, "trailctl attest --type junit mnt/t/w/junit r.xml");
	run(0,
	    "mkdir " W "/later && cp r.xml " W "/later && "
	    "setfattr -n user.trailfs.type -v junit " W "/later && "
	    "trailctl seal " W "/later");
	for (int i = 0; i < 2; i++) {
		const char *at = i == 0 ? "t/w/junit" : "t/w/later";

		says(entry("attestation.sealed", at), "\"compliant\":false");
		says(run(0, "cat mnt/%s/.trailfs/evaluation.json", at),
		    "encrypted");
	}
	run(0,
	    "trailctl package -o p.zip mnt/t && trailctl verify --vkey store/keys/log.vkey p.zip");
}
END_TEST

START_TEST(a_package_verifies_and_opens)
{
	skip_unless(can_encrypt() && have("unzip"), "no age or no unzip");
	make_secret();
	run(0, "seq 50000 >long && echo short >short");
	run(0, "cp long short " A);
	run(0, "trailctl seal " W);
	run(0,
	    "trailctl package -o p.zip mnt/t && trailctl verify --vkey store/keys/log.vkey p.zip");
	run(0, "mkdir x && cd x && unzip -q ../p.zip");
	run(0,
	    "cd x && f=$(find . -name verify.sh) && sh $f \"$(cat ../store/keys/log.vkey)\"");
	run(0, "f=$(find x -name long) && age -d -i alice.key $f | cmp - long");
	run(0, "f=$(find x -name short) && age -d -i bob.key $f | cmp - short");
	run(0, "cmp both $(find x -name recipients@1)");
	run(1, "grep -rl '^4999[0-9]$' x");
	run(0, "trailctl verify store");
}
END_TEST

/* --- crashes ------------------------------------------------------------ */

/* Loop test: short and long content. */
/* Loop test: also with the key of the stage where earlier versions had it. */
START_TEST(a_crash_loses_nothing_that_was_promised)
{
	size_t n = _i == 0 ? 1000 : 200000;
	char *text = noise(2 * n, 9);
	int fd;

	skip_unless(can_encrypt(), "no age");
	make_secret();
	put_bytes("whole", text, n);
	run(0, "cp whole " A "/closed");
	fd = begin(A "/part");
	ck_assert_int_eq((ssize_t)n, write(fd, text, n));
	allowed(fsync(fd));
	ck_assert_int_eq((ssize_t)n, write(fd, text + n, n));
	crash_vault();
	(void)close(fd);
	if (_i == 1) /* an earlier version was that daemon */
		run(0, "mv store/stage.key store/keys/stage.key");
	mount_vault("settle=60");
	is_encrypted(A "/closed", "whole", 1);
	says(entry("evidence.sealed", "t/w/a/closed"), "recovery");
	/* Root is its owner here. */
	run(0, "head -c %zu " A "/part.*.part | cmp - whole", n);
	run(0, "mv " A "/part.*.part " A "/part");
	has_state(A "/part", "sealed");
	run(0, "age -d -i alice.key " A "/part | head -c %zu | cmp - whole", n);
}
END_TEST

/* The row of the empty file does not know that it is secret. */
START_TEST(a_crash_before_the_first_flush_leaves_no_staged_form)
{
	char *text = noise(200000, 11), *got;
	size_t n;
	int fd;

	skip_unless(can_encrypt(), "no age");
	make_secret();
	put(A "/f", "");
	fd = open(A "/f", O_WRONLY);
	ck_assert_int_eq(200000, write(fd, text, 200000));
	crash_vault();
	(void)close(fd);
	mount_vault("settle=60");
	run(0, "mv " A "/f.*.part " A "/g.tmp");
	got = content(A "/g.tmp", &n);
	ck_assert_uint_le(n, 200000);
	ck_assert_uint_ge(n, 131072);
	ck_assert_int_eq(0, memcmp(text, got, n));
	run(0, "rm " A "/g.tmp");
}
END_TEST

static size_t half;

static int
write_twice(void)
{
	int fd = open(A "/log", O_WRONLY | O_CREAT | O_EXCL, 0644);
	char *text = content("plain", NULL);

	if (fd < 0 || write(fd, text, half) != (ssize_t)half)
		return 1;
	while (access("go", F_OK) < 0)
		usleep(10000);
	if (write(fd, text + half, half) != (ssize_t)half)
		return 2;
	pause();
	return 0;
}

/* Wait until n stored bytes of a file that is being written are in stage/. */
static void
wait_for_kept(size_t n)
{
	run(0,
	    "for i in $(seq 600); do test $(cat store/stage/[0-9]* 2>/dev/null "
	    "| wc -c) -ge %zu && test $(sqlite3 store/ledger.db "
	    "'SELECT count(*) FROM stage WHERE dirty & 1') = 1 && exit 0; "
	    "sleep 0.1; done; ls -l store/stage >&2; exit 1",
	    n);
}

/* A session log is open for hours.  What is kept of it is not in the clear, and
 * grows.  Loop test: short and long content. */
START_TEST(what_was_never_closed_outlives_the_daemon_unread)
{
	pid_t writer;

	skip_unless(can_encrypt() && have("sqlite3"), "no age or sqlite3");
	make_secret();
	half = _i == 0 ? 3000 : 200000;
	run(0, "yes clearly | head -c %zu >plain", 2 * half);
	writer = in_child(write_twice);
	wait_for_kept(half);
	put("go", "");
	wait_for_kept(2 * half);
	crash_vault();
	kill(writer, SIGKILL);
	(void)child_ended(writer);
	run(1, "grep -rl clearly store");
	mount_vault("settle=60");
	sync_dir("mnt");
	run(0, "cmp plain " A "/log.*.interrupted.part");
	run(0, "mv " A "/log.*.interrupted.part " A "/log");
	is_encrypted(A "/log", "plain", 1);
	run(1, "grep -rl clearly store");
	run(0, "trailctl verify store");
}
END_TEST

/* The bytes in front of the new end were promised. */
START_TEST(a_crash_after_a_cut_keeps_what_is_before_it)
{
	char *text = noise(200000, 10);
	int fd;

	skip_unless(can_encrypt(), "no age");
	make_secret();
	put_bytes("kept", text, 190000);
	fd = begin(A "/f");
	ck_assert_int_eq(200000, write(fd, text, 200000));
	allowed(fsync(fd));
	allowed(ftruncate(fd, 190000));
	crash_vault();
	(void)close(fd);
	mount_vault("settle=60");
	run(0, "head -c 190000 " A "/f.*.part | cmp - kept");
	run(0, "rm " A "/f.*.part");
}
END_TEST

START_TEST(the_key_of_the_stage_goes_when_it_is_not_needed)
{
	skip_unless(can_encrypt(), "no age");
	make_secret();
	run(0, "seq 50000 >long && cp long " A "/f");
	ck_assert(exists("store/stage.key"));
	run(0, "cp -p store/stage.key old");
	sync_dir(A);
	remount_vault();
	ck_assert(!exists("store/stage.key"));
	ck_assert(!exists("store/stage.key.old"));
	run(0, "cp long " A "/g");
	run(1, "cmp old store/stage.key");
	run(0, "test $(stat -c %%a store/stage.key) = 400");
}
END_TEST

/* The size that is shown is that of the age file, which is not made yet. */
START_TEST(the_size_is_final_after_a_restart)
{
	size_t n = (size_t)8 << 20;
	long before;

	skip_unless(can_encrypt(), "no age");
	make_secret();
	put_bytes("plain", noise(n, 12), n);
	run(0, "cp plain " A "/f");
	before = stat_of(A "/f").st_size;
	ck_assert_int_gt(before, (long)n);
	crash_vault();
	/* It is compared in the background, and then sealed. */
	mount_vault("settle=60");
	ck_assert_int_eq(before, stat_of(A "/f").st_size);
	becomes(A "/f", "sealed");
	ck_assert_int_eq(before, stat_of(A "/f").st_size);
	is_encrypted(A "/f", "plain", 1);
}
END_TEST

/* Give the one age file in stage/ its name as an object, as a seal does. */
static void
link_object(void)
{
	run(0,
	    "cd store/stage && set -- *.age && test $# = 1 && h=${1#*.} && "
	    "h=${h%%.age} && p=$(echo $h | cut -c1-2)/$(echo $h | cut -c3-) && "
	    "mkdir -p ../objects/${p%%/*} && ln -f $1 ../objects/$p && "
	    "echo objects/$p >../../linked");
}

/* The same as after a crash between the link of the object and the commit. */
START_TEST(an_object_that_nothing_names_is_removed_at_the_start)
{
	skip_unless(can_encrypt(), "no age");
	make_secret();
	run(0, "seq 50000 >long && cp long " A "/f");
	becomes(A "/f", "frozen");
	crash_vault();
	link_object();
	mount_vault("settle=60");
	is_encrypted(A "/f", "long", 1);
	run(1, "test -e store/$(cat linked)");
	run(0, "test $(find store/objects -type f | wc -l) = 1");
	unmount_vault();
	run(0, "test -z \"$(ls store/stage)\" && trailctl verify store");
}
END_TEST

/* Loop test: that evidence is sealed, or pending. */
START_TEST(an_object_that_other_evidence_has_stays)
{
	skip_unless(can_encrypt(), "no age");
	make_secret();
	run(0, "mkdir -p mnt/u/w/a && seq 50000 >long && cp long " A "/f");
	becomes(A "/f", "frozen");
	run(0, "cat " A "/f >copy && cp copy mnt/u/w/a/g%s",
	    _i == 0 ? "" : ".tmp");
	if (_i == 0)
		sync_dir("mnt/u/w/a");
	crash_vault();
	link_object();
	mount_vault("settle=60");
	is_encrypted(A "/f", "long", 1);
	run(0, "test -e store/$(cat linked) && cmp copy mnt/u/w/a/g*");
	unmount_vault();
	run(0, "trailctl verify store");
}
END_TEST

/* --- space ------------------------------------------------------------------ */

#define KIB ((size_t)1024)

static void
no_room(const char *path, size_t n, int sys)
{
	int fd = begin(path);

	refused(sys, write(fd, noise(n, 13), n));
	(void)close(fd);
}

/* The age file is made while the staged form is there. */
START_TEST(both_forms_count_for_the_user)
{
	int fd;

	skip_unless(can_encrypt(), "no age");
	mount_vault("settle=60,max_staged=1M");
	make_secret();
	put_bytes(A "/one", noise(400 * KIB, 13), 400 * KIB);
	no_room(A "/two", 120 * KIB, EDQUOT);
	fd = begin(A "/three");
	refused(EDQUOT, ftruncate(fd, 120 * KIB));
	allowed(ftruncate(fd, 90 * KIB));
	allowed(close(fd));
	sync_dir("mnt");
	put_bytes(A "/four", noise(400 * KIB, 14), 400 * KIB);
	/* After a start, too. */
	run(0, "cp " A "/four copy && mv " A "/four " A "/five");
	crash_vault();
	mount_vault("settle=60,max_staged=1M");
	has_state(A "/five", "sealed");
	unmount_vault();
	verify(0);
}
END_TEST

START_TEST(both_forms_count_for_the_store)
{
	skip_unless(can_encrypt(), "no age");
	mount_vault("settle=60,max_store=1M");
	make_secret();
	no_room(A "/one", 520 * KIB, ENOSPC);
	put_bytes(A "/two", noise(400 * KIB, 13), 400 * KIB);
	no_room(A "/three", 120 * KIB, ENOSPC);
	sync_dir("mnt");
	has_state(A "/two", "sealed");
	put_bytes(A "/four", noise(120 * KIB, 13), 120 * KIB);
	unmount_vault();
	verify(0);
}
END_TEST

/* What was accepted finds room to be sealed. */
START_TEST(a_file_is_accepted_if_both_forms_fit_on_the_disk)
{
	size_t n = (size_t)24 << 20;
	char *text = noise(n, 15);
	int fd;

	skip_unless(can_encrypt(), "no age");
	run(0, "rm -rf store && mkdir store");
	allowed(mount("tmpfs", "store", "tmpfs", 0, "size=48m"));
	run(0, "trailctl init --origin example.org/small store");
	mount_vault("settle=60");
	make_secret();
	put_bytes("fits", text, n / 2);
	/* Some of it, perhaps, and then no more. */
	fd = begin(A "/one");
	ck_assert_int_ne((ssize_t)n, write(fd, text, n));
	refused(ENOSPC, write(fd, text, n));
	(void)close(fd);
	run(0, "rm -f " A "/one*");
	fd = begin(A "/hole");
	refused(ENOSPC, ftruncate(fd, (off_t)n * 2));
	allowed(ftruncate(fd, 1));
	allowed(close(fd));
	run(0, "cp fits " A "/fits");
	sync_dir(A);
	is_encrypted(A "/fits", "fits", 1);
	unmount_vault();
	run(0, "trailctl verify store");
	unmount("store");
}
END_TEST

/* --- others ----------------------------------------------------------------- */

#define LONG ((off_t)256 << 20)

static bool
is_frozen(const char *path)
{
	return strcmp(fact(path, "state"), "frozen") == 0;
}

/* The age file of the one long file is whole; meanwhile that settles anew again and
 * again, for as long as a busy machine needs. */
static void
await_age_file(void)
{
	run(0,
	    "until ls store/stage | grep -q '\\..*\\.age$'; do"
	    " touch " A "/long; sleep .02; done");
}

/* New recipients: the age file of Alice's long file is made again.  Bob's file,
 * which settles at the same time, does not wait for that. */
START_TEST(a_short_seal_does_not_wait_for_a_long_age_file)
{
	int fd, bob;

	skip_unless(can_encrypt(), "no age");
	mount_vault("settle=5");
	make_secret();
	run(0, "mkdir -p mnt/u/w/a");
	fd = begin(A "/long");
	allowed(ftruncate(fd, LONG));
	allowed(close(fd));
	await_age_file();
	bob = begin("mnt/u/w/a/short");
	ck_assert_int_eq(4, write(bob, "text", 4));
	/* Both settle anew from here on, the long one first. */
	run(0, "touch " A "/long");
	run(0, "cp three " TO);
	run(0, "touch " A "/long");
	ck_assert(is_frozen(A "/long"));
	allowed(close(bob));
	becomes("mnt/u/w/a/short", "sealed");
	ck_assert(is_frozen(A "/long"));
	becomes(A "/long", "sealed");
	says(entry("evidence.sealed", "t/w/a/long"), "\"recipients\":2");
	unmount_vault();
	run(0, "trailctl verify store");
}
END_TEST

/* --- the disk ------------------------------------------------------------- */

#define MARKER "tdv-8KqPlainMarker"

/* No block of the store's disk has the text, in any state of the store. */
static void
disk_is_clean(void)
{
	run(1, "LC_ALL=C grep -q -a -F " MARKER " disk.img");
}

/* The store on a disk of its own, with room for temporary files of the daemon
 * and of tools; the text that is written. */
static void
begin_on_disk(void)
{
	run(0,
	    "truncate -s 128M disk.img && mkfs.ext4 -q -F disk.img && "
	    "mkdir disk && mount -o loop disk.img disk && mkdir disk/tmp");
	run(0, "trailctl init --origin example.org/disk disk/store");
	run(0, "rm -rf store && ln -s disk/store store");
	allowed(setenv("TMPDIR", "disk/tmp", 1));
	mount_vault("settle=60");
	make_secret();
	run(0, "yes " MARKER " | head -c 300000 >src");
}

static void
end_on_disk(void)
{
	unmount("disk");
	disk_is_clean();
	run(0, "mount -o loop disk.img disk");
}

/* All writers of the table, in files named FROM and so on, and some more. */
static void
write_markers(const char *dir)
{
	char cmd[300];

	for (size_t i = 0; i < LEN(writers); i++) {
		snprintf(cmd, sizeof cmd, "f=%s/%zu; %s", dir, i,
		    writers[i].how);
		run(0, "%s", cmd);
	}
	run(0, "sh -c 'echo " MARKER "; sleep 0; cat src' >%s/shell", dir);
	run(0, "cp src %s/gone.tmp && rm %s/gone.tmp", dir, dir);
}

START_TEST(no_block_of_the_disk_has_the_text)
{
	skip_unless(can_encrypt() && have("rsync") && have("mkfs.ext4"),
	    "no age, rsync or mkfs.ext4");
	begin_on_disk();
	write_markers(A);
	run(0,
	    "echo '<testsuite><testcase name=\"" MARKER "\"/></testsuite>'"
	    " >r.xml && trailctl attest --type junit mnt/t/w/junit r.xml");
	run(0,
	    "mkdir " W "/.d && cp src r.xml " W "/.d && "
	    "mv " W "/.d " W "/d");
	run(0, "head -c 100 " A "/0 >/dev/null");
	disk_is_clean();
	run(0, "cp store/stage.key stage.key.copy");
	sync_dir("mnt");
	run(0, "trailctl find mnt --name 1 >/dev/null; trailctl status mnt");
	run(0, "trailctl seal " W " && trailctl package -o disk/p.zip mnt/t");
	is_encrypted(A "/0", "src", 1);
	unmount_vault();
	end_on_disk();
	/* Nor the key that opened what was staged. */
	run(0,
	    "python3 -c 'import sys; sys.exit(open(\"stage.key.copy\", "
	    "\"rb\").read() in open(\"disk.img\", \"rb\").read())'");
	run(0, "trailctl verify store");
	unmount("disk");
}
END_TEST

/* Writers of all kinds are cut off, and recovery works. */
START_TEST(no_block_has_the_text_after_a_crash)
{
	char *text;
	int fd, part;
	size_t n;

	skip_unless(can_encrypt() && have("rsync") && have("mkfs.ext4"),
	    "no age, rsync or mkfs.ext4");
	begin_on_disk();
	text = content("src", &n);
	write_markers(A);
	fd = begin(A "/long");
	part = begin(A "/short");
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq((ssize_t)n, write(fd, text, n));
		if (i == 5)
			allowed(fsync(fd));
		ck_assert_int_eq(1000, write(part, text, 1000));
		if (i == 5)
			allowed(fsync(part));
	}
	disk_is_clean(); /* its end flushes what it inherited */
	for (int i = 0; i < 20; i++)
		ck_assert_int_eq(5000, pwrite(fd, text, 5000, i * 90001));
	ck_assert_int_eq(1000, write(part, text, 1000));
	crash_vault();
	(void)close(fd);
	(void)close(part);
	run(0, "umount -l mnt");
	end_on_disk();
	mount_vault("settle=60");
	opens(A "/0", "src");
	run(0, "ls " A "/long.*.part " A "/short.*.part");
	crash_vault();
	run(0, "umount -l mnt");
	end_on_disk();
	mount_vault("settle=60");
	run(0, "rm " A "/*.part");
	unmount_vault();
	end_on_disk();
	run(0, "trailctl verify store");
	unmount("disk");
}
END_TEST

Suite *
suite_secret(void)
{
	Suite *s = suite_create("secret");
	TCase *t = mounted_case(s, "recipients");

	tcase_add_test(t, recipients_are_versions_and_entries);
	tcase_add_test(t, only_the_owner_sets_recipients);
	tcase_add_test(t, bad_recipients_are_refused_with_a_reason);
	tcase_add_test(t, the_newest_recipients_count);
	tcase_add_test(t, recipients_may_change_while_files_are_sealed);
	tcase_add_test(t, a_file_is_copied_to_another_trail);

	t = mounted_case(s, "writers");
	tcase_add_test(t, every_writer_s_bytes_open_with_age);
	tcase_add_test(t, writes_in_any_order_are_whole);
	tcase_add_test(t, a_renamed_draft_is_read_whole);
	tcase_add_test(t, a_draft_attestation_is_published_encrypted);

	t = mounted_case(s, "readers");
	tcase_add_loop_test(t, only_its_writer_reads_it_before_the_freeze, 0,
	    2);
	tcase_add_test(t, who_opened_it_empty_does_not_read_what_follows);
	tcase_add_loop_test(t, size_and_bytes_are_final_from_the_freeze_on, 0,
	    2);
	tcase_add_test(t, a_check_says_that_it_is_encrypted);
	tcase_add_test(t, a_package_verifies_and_opens);

	t = mounted_case(s, "crashes");
	tcase_add_loop_test(t, a_crash_loses_nothing_that_was_promised, 0, 2);
	tcase_add_test(t, a_crash_before_the_first_flush_leaves_no_staged_form);
	tcase_add_loop_test(t, what_was_never_closed_outlives_the_daemon_unread,
	    0, 2);
	tcase_add_test(t, a_crash_after_a_cut_keeps_what_is_before_it);
	tcase_add_test(t, the_key_of_the_stage_goes_when_it_is_not_needed);

	tcase_add_test(t, the_size_is_final_after_a_restart);
	tcase_add_test(t, an_object_that_nothing_names_is_removed_at_the_start);
	tcase_add_loop_test(t, an_object_that_other_evidence_has_stays, 0, 2);

	t = stored_case(s, "space");
	tcase_add_test(t, both_forms_count_for_the_user);
	tcase_add_test(t, both_forms_count_for_the_store);
	tcase_add_test(t, a_file_is_accepted_if_both_forms_fit_on_the_disk);

	t = stored_case(s, "others");
	tcase_add_test(t, a_short_seal_does_not_wait_for_a_long_age_file);

	t = stored_case(s, "disk");
	tcase_add_test(t, no_block_of_the_disk_has_the_text);
	tcase_add_test(t, no_block_has_the_text_after_a_crash);
	return s;
}
