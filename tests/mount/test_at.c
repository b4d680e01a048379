/*
 * .trailfs/at/MOMENT: the tree as it was, by the ledger and under the permissions
 * of today.
 */
#include <dirent.h>
#include <sys/mman.h>
#include <sys/xattr.h>
#include <time.h>

#include "harness.h"

#define AT "mnt/.trailfs/at"
#define B W "/b"

static const char template[] = "version: 1\n"
			       "trail:\n"
			       "  attestations:\n"
			       "    - name: a\n"
			       "      type: generic\n"
			       "    - name: b\n"
			       "      type: generic\n";

/* The number of entries. */
static unsigned
now(void)
{
	return (unsigned)atoi(run(0, "wc -l <mnt/.trailfs/events.jsonl"));
}

/* A path below the moment `size`; valid until the test ends. */
static const char *
at(unsigned size, const char *path)
{
	char *p;

	ck_assert_int_gt(asprintf(&p, AT "/%u%s", size, path), 0);
	return p;
}

/* The moments of make_history(). */
static struct {
	unsigned trail;	    /* t */
	unsigned begun;	    /* t/w */
	unsigned evidence;  /* t/w/a/one */
	unsigned sealed;    /* t/w/a */
	unsigned complete;  /* t/w/b with two, sealed */
	unsigned overriden; /* t/w/a is not compliant */
	unsigned again;	    /* t/w/a@2 */
	unsigned end;	    /* t/w and t are sealed */
} m;

static void
make_history(void)
{
	allowed(mkdir("mnt/t", 0755));
	m.trail = now();
	put("mnt/t/.trailfs/template.yml", template);
	allowed(mkdir(W, 0755));
	m.begun = now();
	allowed(mkdir(A, 0755));
	put_sealed(A "/one", "one\n");
	m.evidence = now();
	run(0, "trailctl seal " A);
	m.sealed = now();
	allowed(mkdir(B, 0755));
	put_sealed(B "/two", "two\n");
	run(0, "trailctl seal " B);
	m.complete = now();
	run(0, "trailctl override --compliant=false --reason test " A);
	m.overriden = now();
	allowed(mkdir(A "@2", 0755));
	put_sealed(A "@2/one", "one, again\n");
	run(0, "trailctl seal " A "@2");
	m.again = now();
	run(0, "trailctl seal " W " && trailctl seal mnt/t");
	m.end = now();
}

static const char *
names(unsigned size)
{
	return run(0, "cd %s && find . | sort | tr '\\n' ' '", at(size, ""));
}

START_TEST(names_are_those_of_then)
{
	make_history();
	ck_assert_str_eq(". ", names(1));
	ck_assert_str_eq(". ./t ", names(m.trail));
	ck_assert_str_eq(". ./t ./t/w ", names(m.begun));
	ck_assert_str_eq(". ./t ./t/w ./t/w/a ./t/w/a/one ", names(m.sealed));
	ck_assert_str_eq(". ./t ./t/w ./t/w/a ./t/w/a/one ./t/w/b ./t/w/b/two ",
	    names(m.overriden));
	refused(ENOENT, access(at(m.trail, "/t/w"), F_OK));
	refused(ENOENT, access(at(m.overriden, "/t/w/a@2"), F_OK));
	holds(at(m.again, "/t/w/a@2/one"), "one, again\n");
	holds(at(m.evidence, "/t/w/a/one"), "one\n");
	/* The same under trails, workflows and attestations. */
	ck_assert_str_eq("a\n", run(0, "ls mnt/t/.trailfs/at/%u/w", m.sealed));
	ck_assert_str_eq("a\n", run(0, "ls mnt/t/w/.trailfs/at/%u", m.sealed));
	ck_assert_str_eq("one\n", run(0, "ls " A "/.trailfs/at/%u", m.sealed));
	run(2, "ls mnt/t/w/.trailfs/at/%u", m.trail);
	/* at lists nothing, and there is none in it. */
	ck_assert_str_eq("", run(0, "ls -A " AT));
	refused(ENOENT, access(at(m.end, "/.trailfs/at"), F_OK));
	refused(ENOENT, access(at(m.end, "/t/.trailfs/at"), F_OK));
}
END_TEST

static void
has_verdict(unsigned size, const char *word)
{
	char line[40];

	snprintf(line, sizeof line, "%s\n", word);
	holds(at(size, "/t/w/.trailfs/status"), line);
	says(content(at(size, "/t/w/.trailfs/status.json"), NULL),
	    run(0, "printf '\"status\":\"%s\"'", word));
	says(content(at(size, "/t/w/.trailfs/status.md"), NULL), word);
	says(content(at(size, "/t/w/.trailfs/index.html"), NULL),
	    run(0, "printf '>%s<'", word));
	says(content(at(size, "/t/.trailfs/status.json"), NULL),
	    run(0, "printf '\"%s\"'", word));
	says(content(at(size, "/t/.trailfs/index.html"), NULL), word);
}

START_TEST(verdicts_are_those_of_then)
{
	make_history();
	/* A view of today knows all of it, and must not give it away. */
	run(0, "cat mnt/t/.trailfs/status.json mnt/t/w/.trailfs/status.json");
	has_verdict(m.begun, "INCOMPLETE");
	has_verdict(m.sealed, "INCOMPLETE");
	has_verdict(m.complete, "COMPLIANT");
	has_verdict(m.overriden, "NON-COMPLIANT");
	has_verdict(m.again, "COMPLIANT");
	has_verdict(m.end, "COMPLIANT");
	says(content(at(m.sealed, "/t/w/.trailfs/status.json"), NULL),
	    "\"state\":\"open\"");
	says(content(at(m.end, "/t/w/.trailfs/status.json"), NULL),
	    "\"state\":\"sealed\"");
	/* And the views of the past change nothing that those of today keep. */
	holds(W "/.trailfs/status", "COMPLIANT\n");
}
END_TEST

START_TEST(states_are_those_of_then)
{
	make_history();
	says(content(at(m.evidence, "/t/w/a/.trailfs/attestation.json"), NULL),
	    "\"state\":\"open\"");
	refused(ENOENT,
	    access(at(m.evidence, "/t/w/a/.trailfs/attestation.intoto.json"),
		F_OK));
	says(content(at(m.sealed, "/t/w/a/.trailfs/attestation.json"), NULL),
	    "\"state\":\"sealed\"");
	says_not(content(at(m.sealed, "/t/w/a/.trailfs/attestation.json"),
		     NULL),
	    "overrid");
	says(content(at(m.overriden, "/t/w/a/.trailfs/attestation.json"), NULL),
	    "overrid");
	ck_assert_str_eq(content(A "/.trailfs/attestation.intoto.json", NULL),
	    content(at(m.sealed, "/t/w/a/.trailfs/attestation.intoto.json"),
		NULL));
	ck_assert_str_eq(content(A "/.trailfs/SHA256SUMS", NULL),
	    content(at(m.sealed, "/t/w/a/.trailfs/SHA256SUMS"), NULL));
}
END_TEST

START_TEST(attributes_are_those_of_then)
{
	char list[200];
	const char *file;

	allowed(mkdir("mnt/t", 0755));
	allowed(mkdir(W, 0755));
	allowed(mkdir(A, 0755));
	put(A "/one", "one\n");
	allowed(setxattr(A "/one", "user.mine", "yes", 3, 0));
	sync_dir(A);
	m.evidence = now();
	run(0, "trailctl seal " A);
	m.sealed = now();
	has_state(at(m.evidence, "/t/w/a"), "open");
	has_state(at(m.sealed, "/t/w/a"), "sealed");
	ck_assert_str_eq("(ENODATA)",
	    fact(at(m.evidence, "/t/w/a"), "sealed-at"));
	ck_assert_str_eq(fact(A, "sealed-at"),
	    fact(at(m.sealed, "/t/w/a"), "sealed-at"));
	file = at(m.evidence, "/t/w/a/one");
	has_state(file, "sealed");
	ck_assert_str_eq(fact(A "/one", "sha256"), fact(file, "sha256"));
	ck_assert_str_eq(fact(A "/one", "index"), fact(file, "index"));
	ck_assert_int_eq(sizeof "user.mine",
	    listxattr(file, list, sizeof list));
	ck_assert_int_eq(3, getxattr(file, "user.mine", list, sizeof list));
	/* What is about the present alone is not there. */
	ck_assert_str_eq("(ENODATA)", fact(at(m.sealed, "/t/w"), "status"));
}
END_TEST

START_TEST(events_end_at_the_moment)
{
	make_history();
	for (unsigned i = m.trail; i <= m.end; i++) {
		if (access(at(i, ""), F_OK) != 0)
			continue; /* inside a batch */
		run(0,
		    "head -n %u mnt/.trailfs/events.jsonl | "
		    "cmp - %s/.trailfs/events.jsonl",
		    i, at(i, ""));
		run(0,
		    "head -n %u mnt/.trailfs/events.jsonl | grep '\"path\":\"t' | "
		    "cmp - %s/.trailfs/events.jsonl",
		    i, at(i, "/t"));
		run(0, "wc -l <%s/.trailfs/custody.jsonl", at(i, "/t"));
	}
}
END_TEST

START_TEST(what_people_said_is_that_of_then)
{
	unsigned before, first, second;

	make_attestation();
	before = now();
	allowed(setxattr(W, "user.trailfs.description", "first", 5, 0));
	allowed(setxattr("mnt/t", "user.trailfs.description", "trail", 5, 0));
	first = now();
	allowed(setxattr(W, "user.trailfs.description", "second", 6, 0));
	second = now();
	says(content(at(first, "/t/w/.trailfs/index.html"), NULL), "first");
	says(content(at(first, "/t/w/.trailfs/status.json"), NULL), "first");
	says_not(content(at(first, "/t/w/.trailfs/status.json"), NULL),
	    "second");
	says(content(at(second, "/t/w/.trailfs/status.json"), NULL), "second");
	says_not(content(at(before, "/t/w/.trailfs/status.json"), NULL),
	    "first");
}
END_TEST

START_TEST(a_template_counts_from_its_entry)
{
	unsigned before, after;

	allowed(mkdir("mnt/t", 0755));
	before = now();
	put("mnt/t/.trailfs/template.yml", template);
	after = now();
	says_not(content(at(before, "/t/.trailfs/index.html"), NULL),
	    "<dt>Template</dt>");
	says(content(at(after, "/t/.trailfs/index.html"), NULL),
	    "<dt>Template</dt>");
}
END_TEST

START_TEST(what_is_in_no_entry_is_not_there)
{
	unsigned size;
	int fd;

	make_attestation();
	size = now();
	put(A "/x.tmp", "draft");
	fd = begin(A "/open");
	add(fd, "bytes");
	allowed(mkdir(W "/.draft", 0755));
	allowed(setxattr(A, "user.trailfs.description", "later", 5, 0));
	ck_assert_str_eq("", run(0, "ls -A %s", at(size, "/t/w/a")));
	ck_assert_str_eq("a\n", run(0, "ls -A %s", at(size, "/t/w")));
	says_not(content(at(size, "/t/w/a/.trailfs/attestation.json"), NULL),
	    "later");
	says_not(content(at(size, "/t/w/a/.trailfs/attestation.json"), NULL),
	    "\"path\":\"open\"");
	close(fd);
}
END_TEST

/* --- times and hostile names --------------------------------------------- */

START_TEST(a_time_is_what_was_recorded_up_to_it)
{
	const char *line, *when;
	unsigned size;

	make_history();
	line = run(0, "sed -n %up mnt/.trailfs/events.jsonl", m.evidence);
	when = run(0, "printf '%%s' \"$(printf '%%s' '%s' | jq -r .at)\"",
	    line);
	ck_assert_str_eq(names(m.evidence),
	    run(0, "cd " AT "/%s && find . | sort | tr '\\n' ' '", when));
	/* One nanosecond earlier. */
	size = m.evidence - 1;
	run(0,
	    "t=%.29s && n=$((1${t#*.} - 1)) && "
	    "head -n %u mnt/.trailfs/events.jsonl | "
	    "cmp - " AT "/${t%%.*}.${n#1}Z/.trailfs/events.jsonl",
	    when, size);
	run(0, "ls -d " AT "/$(date -u +%%FT%%T.%%NZ)");
	run(2, "ls -d " AT "/2001-01-01");
	run(2, "ls -d " AT "/9999-12-31T23:59:59Z");
}
END_TEST

static const char *const hostile[] = { "0", "00", "01", "-1", "+1", " 1", "1 ",
	"1.0", "0x1", "1e0", "18446744073709551617", "18446744073709551615",
	"9223372036854775808", "1073741825", "4294967297", "999999999999999",
	"1000000000000000", "99999999999999999999999999", "now", "latest",
	"2026", "2026-13-01", "2026-02-30", "2026-11-23T25:00:00Z",
	"2026-11-23T10:00:00+01:00", "2026-11-23T10:00:00.Z",
	"2026-11-23T10:00:00.1234567890Z", "0000-00-00", "\xff", "1\n", "@1",
	"1@", "..1", ".trailfs", "%31", "1%", "1;ls", "$(id)" };

/* Loop test: a name that is no moment does not exist. */
START_TEST(another_name_is_no_moment)
{
	char path[200];

	make_history();
	snprintf(path, sizeof path, AT "/%s", hostile[_i]);
	refused(ENOENT, access(path, F_OK));
	snprintf(path, sizeof path, "mnt/t/.trailfs/at/%s", hostile[_i]);
	refused(ENOENT, access(path, F_OK));
	snprintf(path, sizeof path, AT "/%u", m.end + 1000);
	refused(ENOENT, access(path, F_OK));
	refused(ENOENT, mkdir(path, 0755) == 0 ? -1 : access(path, F_OK));
}
END_TEST

START_TEST(a_state_inside_a_batch_never_was)
{
	unsigned before, after;

	make_attestation();
	before = now();
	allowed(mkdir(W "/.d", 0755));
	put(W "/.d/x", "x");
	put(W "/.d/y", "y");
	allowed(rename(W "/.d", W "/d"));
	after = now();
	ck_assert_uint_gt(after, before + 2);
	ck_assert_str_eq("a\n", run(0, "ls %s", at(before, "/t/w")));
	for (unsigned i = before + 1; i < after; i++)
		refused(ENOENT, access(at(i, ""), F_OK));
	ck_assert_str_eq("a\nd\n", run(0, "ls %s", at(after, "/t/w")));
}
END_TEST

/* --- who may ---------------------------------------------------------------- */

START_TEST(permissions_are_those_of_today)
{
	unsigned open, closed;
	const char *file, *dir;

	make_attestation();
	put_sealed(A "/secret", "1234\n");
	allowed(chmod("mnt/t", 0755));
	open = now();
	file = at(open, "/t/w/a/secret");
	dir = at(open, "/t/w");
	as(ALICE);
	holds(file, "1234\n");
	run(0, "ls %s", dir);
	as(0);
	/* Who was allowed then is not any more, at once. */
	allowed(chmod("mnt/t", 0750));
	closed = now();
	as(ALICE);
	refused(EACCES, try_open(file, O_RDONLY));
	refused(EACCES, try_open(dir, O_RDONLY | O_DIRECTORY));
	refused(EACCES,
	    try_open(at(open, "/t/.trailfs/status.json"), O_RDONLY));
	refused(EACCES,
	    try_open(at(open, "/t/w/.trailfs/index.html"), O_RDONLY));
	says_not(run(0,
		     "cat mnt/.trailfs/at/%u/.trailfs/index.html || :", open),
	    "secret");
	as(0);
	/* Who was not allowed then is today. */
	allowed(chmod("mnt/t", 0755));
	as(ALICE);
	holds(at(closed, "/t/w/a/secret"), "1234\n");
	as(0);
}
END_TEST

START_TEST(files_show_only_what_the_asker_may_read)
{
	unsigned size;
	const char *file;

	make_attestation();
	put(A "/shared", "for all");
	put(A "/pin", "1234");
	allowed(chmod(A "/pin", 0600));
	run(0, "trailctl seal " A);
	allowed(chmod("mnt/t", 0755));
	size = now();
	says(content(at(size, "/t/w/a/.trailfs/SHA256SUMS"), NULL), "pin");
	says(content(at(size, "/t/.trailfs/events.jsonl"), NULL), "pin");
	as(ALICE);
	refused(EACCES, try_open(at(size, "/t/w/a/pin"), O_RDONLY));
	holds(at(size, "/t/w/a/shared"), "for all");
	file = content(at(size, "/t/.trailfs/events.jsonl"), NULL);
	says(file, "shared");
	says_not(file, "pin");
	says_not(content(at(size, "/t/w/.trailfs/status.json"), NULL), "pin");
	as(0);
	says(content(at(size, "/t/.trailfs/events.jsonl"), NULL), "pin");
}
END_TEST

static void
ask(const char *text)
{
	int fd = open(A "/.trailfs/redactions", O_WRONLY | O_TRUNC);

	ck_assert_int_ge(fd, 0);
	add(fd, text);
	allowed(close(fd));
}

START_TEST(what_was_redacted_stays_so)
{
	char approve[64];
	unsigned size;
	const char *file, *json;
	char c;
	int fd;

	make_attestation();
	allowed(chmod("mnt/t", 0755));
	allowed(chown("mnt/t", ALICE, ALICE));
	put_sealed(A "/pin", "1234");
	put_sealed(A "/other", "x");
	run(0, "trailctl seal " A);
	size = now();
	file = at(size, "/t/w/a/pin");
	holds(file, "1234");
	fd = open(file, O_RDONLY);
	ck_assert_int_eq(1, pread(fd, &c, 1, 0));
	ask("{\"propose\":\"pin\",\"reason\":\"request 7\"}");
	snprintf(approve, sizeof approve, "{\"approve\":%u}", now() - 1);
	as(ALICE);
	ask(approve);
	as(0);
	refused(ENODATA, (int)pread(fd, &c, 1, 0));
	close(fd);
	refused(ENODATA, try_open(file, O_RDONLY));
	holds(at(size, "/t/w/a/other"), "x");
	json = content(at(size, "/t/w/a/.trailfs/attestation.json"), NULL);
	says(json, "pin");
	says_not(content(at(size, "/t/.trailfs/events.jsonl"), NULL),
	    "redaction");
	run(0, "cat %s %s >/dev/null", at(size, "/t/w/.trailfs/index.html"),
	    at(size, "/t/w/.trailfs/status.json"));
}
END_TEST

START_TEST(nothing_is_written_there)
{
	const char *file, *dir;

	make_history();
	file = at(m.end, "/t/w/a/one");
	dir = at(m.begun, "/t/w");
	refused(EPERM, try_open(file, O_WRONLY));
	refused(EPERM, try_open(file, O_RDWR));
	refused(EPERM, truncate(file, 0));
	refused(EPERM, unlink(file));
	refused(EPERM, rename(file, A "/new"));
	refused(EPERM, rename(dir, W "/.new"));
	refused(EPERM, chmod(file, 0777));
	refused(EPERM, chmod(dir, 0777));
	refused(EPERM, chown(file, ALICE, ALICE));
	refused(EPERM, link(file, W "/x"));
	refused(EPERM, mkdir(at(m.begun, "/t/w/new"), 0755));
	refused(EPERM, rmdir(dir));
	refused(EPERM, symlink("x", at(m.begun, "/t/w/new")));
	refused(EPERM, mkdir(AT "/new", 0755));
	refused(EPERM, open(at(m.begun, "/t/w/new"), O_CREAT | O_WRONLY, 0644));
	refused(EPERM,
	    open(at(m.begun, "/t/w/.trailfs/user-data"), O_CREAT | O_WRONLY,
		0644));
	refused(EPERM, setxattr(dir, "user.trailfs.description", "x", 1, 0));
	ck_assert_uint_eq(m.end, now());
}
END_TEST

/* --- programs ------------------------------------------------------------------ */

START_TEST(diff_and_copies_work)
{
	make_history();
	run(0, "diff -r %s mnt/t", at(m.end, "/t"));
	run(0, "diff -r %s mnt", at(m.end, ""));
	says(run(1, "diff -r %s %s", at(m.sealed, "/t"), at(m.complete, "/t")),
	    "t/w: b\n");
	run(0,
	    "cp -a %s copy && diff -r copy %s && "
	    "tar cf x.tar -C %s . && mkdir out && tar xf x.tar -C out && "
	    "diff -r out %s",
	    at(m.complete, ""), at(m.complete, ""), at(m.complete, ""),
	    at(m.complete, ""));
	if (have("rsync"))
		run(0,
		    "mkdir synced && rsync -a %s/ synced/ && diff -r synced %s",
		    at(m.complete, ""), at(m.complete, ""));
	/* Of a finished trail the files of then are those of today. */
	run(0,
	    "for f in events.jsonl custody.jsonl; do "
	    "cmp %s/.trailfs/$f mnt/t/.trailfs/$f || exit 1; done",
	    at(m.end, "/t"));
}
END_TEST

START_TEST(nodes_are_stable)
{
	struct stat a, b, c;
	DIR *d;
	struct dirent *e;

	make_history();
	a = stat_of(at(m.sealed, "/t/w/a/one"));
	b = stat_of(at(m.complete, "/t/w/a/one"));
	ck_assert_uint_ne(a.st_ino, b.st_ino);
	ck_assert_uint_ne(a.st_ino, stat_of(A "/one").st_ino);
	ck_assert_int_eq(a.st_mtim.tv_sec, stat_of(A "/one").st_mtim.tv_sec);
	ck_assert_int_eq(a.st_mtim.tv_nsec, stat_of(A "/one").st_mtim.tv_nsec);
	ck_assert_int_eq(4, a.st_size);
	c = stat_of(at(m.sealed, "/t/w"));
	ck_assert_int_le(c.st_mtim.tv_sec, stat_of(W).st_mtim.tv_sec);
	d = opendir(at(m.sealed, "/t/w/a"));
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, "one") == 0)
			ck_assert_uint_eq(e->d_ino, a.st_ino);
	closedir(d);
	c = stat_of(at(m.sealed, "/t/w/a/.."));
	ck_assert_uint_eq(c.st_ino, stat_of(at(m.sealed, "/t/w")).st_ino);
	c = stat_of(at(m.sealed, "/.."));
	ck_assert_uint_eq(c.st_ino, stat_of(AT).st_ino);
	run(0, "cd mnt/t/.trailfs/at/%u/w/a && test one -ef ../a/one", m.end);
	remount_vault();
	ck_assert_uint_eq(a.st_ino, stat_of(at(m.sealed, "/t/w/a/one")).st_ino);
}
END_TEST

START_TEST(a_mapping_has_the_bytes)
{
	char *p;
	int fd;

	make_history();
	fd = open(at(m.sealed, "/t/w/a/one"), O_RDONLY);
	ck_assert_int_ge(fd, 0);
	p = mmap(NULL, 4, PROT_READ, MAP_PRIVATE, fd, 0);
	ck_assert_ptr_ne(p, MAP_FAILED);
	ck_assert_mem_eq(p, "one\n", 4);
	munmap(p, 4);
	allowed(fsync(fd));
	close(fd);
}
END_TEST

/* A moment stays the same while the ledger grows. */
START_TEST(growth_changes_no_moment)
{
	const char *then;
	unsigned size;

	make_history();
	size = m.complete;
	then = run(0,
	    "cd %s && find . .trailfs t/.trailfs t/w/.trailfs "
	    "-type f | sort | xargs sha256sum",
	    at(size, ""));
	allowed(mkdir("mnt/u", 0755));
	allowed(mkdir("mnt/u/w", 0755));
	run(0,
	    "(for i in $(seq 40); do mkdir mnt/u/w/a$i; echo $i "
	    ">mnt/u/w/a$i/f; trailctl seal mnt/u/w/a$i; done) & "
	    "n=0; while [ $n -lt 25 ]; do n=$((n + 1)); "
	    "(cd %s && find . .trailfs t/.trailfs t/w/.trailfs -type f | sort "
	    "| xargs sha256sum) >sums.$n || exit 1; done; wait",
	    at(size, ""));
	for (int i = 1; i <= 25; i++)
		ck_assert_str_eq(then, run(0, "cat sums.%d", i));
}
END_TEST

START_TEST(reading_is_recorded_as_reading)
{
	unsigned size;

	unmount_vault();
	mount_vault("reads=log");
	make_attestation();
	put_sealed(A "/one", "one\n");
	size = now();
	run(0, "cat %s >/dev/null", at(size, "/t/w/a/one"));
	run(0, "trailctl sync mnt");
	ck_assert_uint_eq(1, entries("evidence.read", NULL));
}
END_TEST

Suite *
suite_at(void)
{
	Suite *s = suite_create("at");
	TCase *t = mounted_case(s, "as it was");

	tcase_add_test(t, names_are_those_of_then);
	tcase_add_test(t, verdicts_are_those_of_then);
	tcase_add_test(t, states_are_those_of_then);
	tcase_add_test(t, attributes_are_those_of_then);
	tcase_add_test(t, events_end_at_the_moment);
	tcase_add_test(t, what_people_said_is_that_of_then);
	tcase_add_test(t, a_template_counts_from_its_entry);
	tcase_add_test(t, what_is_in_no_entry_is_not_there);
	tcase_add_test(t, a_time_is_what_was_recorded_up_to_it);
	tcase_add_loop_test(t, another_name_is_no_moment, 0, (int)LEN(hostile));
	tcase_add_test(t, a_state_inside_a_batch_never_was);
	t = mounted_case(s, "who may");
	tcase_add_test(t, permissions_are_those_of_today);
	tcase_add_test(t, files_show_only_what_the_asker_may_read);
	tcase_add_test(t, what_was_redacted_stays_so);
	tcase_add_test(t, nothing_is_written_there);
	t = mounted_case(s, "programs");
	tcase_add_test(t, diff_and_copies_work);
	tcase_add_test(t, nodes_are_stable);
	tcase_add_test(t, a_mapping_has_the_bytes);
	tcase_add_test(t, growth_changes_no_moment);
	tcase_add_test(t, reading_is_recorded_as_reading);
	return s;
}
