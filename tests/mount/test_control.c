/* The control files, and a checkpoint that others can check. */
#include <dirent.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "harness.h"

#define C "mnt/.trailfs/"

#define DENIED C "denied.jsonl"

static const char *const files[] = { C "checkpoint", C "log.vkey",
	C "log.pub.pem", C "status.json", C "events.jsonl", DENIED };

START_TEST(the_size_of_a_control_file_is_its_readable_length)
{
	size_t n;
	int fd;

	make_attestation();
	put_sealed(A "/f", "x");
	refused(EPERM, unlink(A "/f"));
	for (size_t i = 0; i < LEN(files); i++) {
		struct stat st = stat_of(files[i]), open_st;

		ck_assert(S_ISREG(st.st_mode));
		ck_assert_int_gt(st.st_size, 0);
		fd = open(files[i], O_RDONLY);
		ck_assert_int_eq(0, fstat(fd, &open_st));
		close(fd);
		content(files[i], &n); /* fails when there is more */
		ck_assert_uint_eq((size_t)st.st_size, n);
		ck_assert_int_eq(st.st_size, open_st.st_size);
	}
	run(0,
	    "mkdir out && cp -a mnt/.trailfs/checkpoint out/ && "
	    "tar c mnt/.trailfs/events.jsonl | tar x -C out");
	run(0,
	    "cmp mnt/.trailfs/events.jsonl out/mnt/.trailfs/events.jsonl && "
	    "cmp mnt/.trailfs/checkpoint out/checkpoint");
}
END_TEST

/* Whoever has it open reads it as it was; who opens it later, as it is. */
START_TEST(an_open_one_does_not_change)
{
	struct stat before, now;
	char *text = malloc(1 << 20);
	int fd;
	ssize_t n;

	make_attestation();
	fd = open(C "events.jsonl", O_RDONLY);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(0, fstat(fd, &before));
	put_sealed(A "/f", "x");
	ck_assert_int_eq(0, fstat(fd, &now));
	ck_assert_int_eq(before.st_size, now.st_size);
	n = read(fd, text, 1 << 20);
	ck_assert_int_eq(before.st_size, n);
	ck_assert_int_eq('\n', text[n - 1]);
	ck_assert_int_eq(0, read(fd, text, 100));
	/* In parts, from anywhere. */
	for (off_t off = 0; off < before.st_size; off += 37) {
		char part[37];
		ssize_t got = pread(fd, part, sizeof part, off);

		ck_assert_int_gt(got, 0);
		ck_assert_int_eq(0, memcmp(text + off, part, (size_t)got));
	}
	close(fd);
	ck_assert_int_gt(stat_of(C "events.jsonl").st_size, before.st_size);
	free(text);
}
END_TEST

static bool
lists(const char *dir, const char *name)
{
	struct dirent *e;
	bool found = false;
	DIR *d = opendir(dir);

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		found = found || strcmp(e->d_name, name) == 0;
	closedir(d);
	return found;
}

/* All of an open file, as tar(1) and rsync(1) read it: as long as fstat(2)
 * says. */
static char *
read_all(int fd)
{
	struct stat st;
	char *p;

	allowed(fstat(fd, &st));
	ck_assert_ptr_nonnull(p = calloc(1, (size_t)st.st_size + 2));
	ck_assert_int_eq(st.st_size, pread(fd, p, (size_t)st.st_size + 1, 0));
	return p;
}

static const char *const held[] = { "mnt/.trailfs/checkpoint",
	"mnt/.trailfs/status.json", "mnt/.trailfs/events.jsonl",
	"mnt/.trailfs/index.html", "mnt/t/.trailfs/events.jsonl",
	"mnt/t/.trailfs/status.json", "mnt/t/.trailfs/index.html",
	"mnt/t/w/.trailfs/status", "mnt/t/w/.trailfs/status.json",
	"mnt/t/w/.trailfs/package.zip", "mnt/t/w/a/.trailfs/attestation.json",
	"mnt/t/w/a/.trailfs/SHA256SUMS",
	"mnt/t/w/a/.trailfs/proof/f.tlog-proof" };

/* Who keeps a file open sees it as it was, and the others what is so now. */
START_TEST(an_open_control_file_blocks_nothing)
{
	char *before[LEN(held)], *now, *again;
	int fd[LEN(held)], other;
	struct stat st;
	size_t n;

	make_attestation();
	put_sealed(A "/f", "first");
	for (size_t i = 0; i < LEN(held); i++) {
		fd[i] = open(held[i], O_RDONLY);
		ck_assert_msg(fd[i] >= 0, "%s", held[i]);
		before[i] = read_all(fd[i]);
	}
	put_sealed(A "/a file with a rather long name", "second");
	ck_assert_int_eq(0, mkdir(W "/b", 0755));
	for (size_t i = 0; i < LEN(held); i++) {
		other = open(held[i], O_RDONLY);
		ck_assert_msg(other >= 0, "%s", held[i]);
		now = read_all(other);
		again = read_all(fd[i]);
		st = stat_of(held[i]);
		(void)content(held[i], &n);
		ck_assert_msg(n == (size_t)st.st_size, "%s: %zu, not %zu",
		    held[i], n, (size_t)st.st_size);
		if (strstr(held[i], ".zip") == NULL) {
			ck_assert_msg(strcmp(before[i], again) == 0,
			    "%s changed while it was open", held[i]);
			ck_assert_msg(strcmp(before[i], now) != 0 ||
				strstr(held[i], "trailfs/status") != NULL,
			    "%s shows what was", held[i]);
		}
		free(now);
		free(again);
		free(before[i]);
		close(other);
		close(fd[i]);
	}
}
END_TEST

START_TEST(verify_is_not_shown_a_checkpoint_that_somebody_holds_open)
{
	const char *said;
	char entries_now[32];
	int fd;

	make_attestation();
	put_sealed(A "/f", "first");
	fd = open("mnt/.trailfs/checkpoint", O_RDONLY);
	free(read_all(fd));
	put_sealed(A "/g", "second");
	snprintf(entries_now, sizeof entries_now, "%d entries",
	    atoi(run(0, "wc -l <mnt/.trailfs/events.jsonl")));
	said = run(0, TRAILCTL " verify mnt");
	says(said, entries_now);
	close(fd);
}
END_TEST

START_TEST(control_files_are_listed_only_in_their_directory)
{
	static const char *const dirs[] = { "mnt", "mnt/t", W, A, A "/d" };
	char path[64];

	make_attestation();
	allowed(mkdir(A "/d", 0755));
	for (size_t i = 0; i < LEN(dirs); i++) {
		ck_assert(!lists(dirs[i], ".trailfs"));
		snprintf(path, sizeof path, "%s/.trailfs", dirs[i]);
		ck_assert(S_ISDIR(stat_of(path).st_mode));
		ck_assert(lists(path, "."));
	}
	for (size_t i = 0; i < LEN(files); i++)
		ck_assert(lists("mnt/.trailfs", strrchr(files[i], '/') + 1));
	refused(ENOENT, try_open(C "nothing", O_RDONLY));
	refused(ENOENT, try_open(C "checkpoint.tmp", O_RDONLY));
	refused(ENOTDIR, try_open(C "checkpoint/x", O_RDONLY));
	ck_assert_str_eq("", run(0, "find mnt -name .trailfs"));
}
END_TEST

START_TEST(nobody_changes_control_files)
{
	struct timespec t[2] = { { 1, 0 }, { 1, 0 } };

	make_attestation();
	put(A "/x.tmp", "x");
	for (size_t i = 0; i < LEN(files); i++) {
		const char *f = files[i];

		refused(EPERM, try_open(f, O_WRONLY));
		refused(EPERM, try_open(f, O_RDWR | O_APPEND));
		refused(EPERM, try_open(f, O_WRONLY | O_TRUNC));
		refused(EPERM, truncate(f, 0));
		refused(EPERM, unlink(f));
		refused(EPERM, rename(f, A "/g"));
		refused(EPERM, rename(A "/x.tmp", f));
		refused(EPERM, link(f, A "/g"));
		refused(EPERM, chmod(f, 0666));
		refused(EPERM, chown(f, ALICE, ALICE));
		refused(EPERM, utimensat(AT_FDCWD, f, t, 0));
		refused(EPERM, setxattr(f, "user.x", "y", 1, 0));
		refused(EPERM, removexattr(f, "user.x"));
	}
	refused(EPERM, try_open(C "new", O_WRONLY | O_CREAT));
	refused(EPERM, mkdir(C "new", 0755));
	refused(EPERM, mkfifo(C "new", 0644));
	refused(EPERM, rmdir("mnt/.trailfs"));
	allowed(try_open(C "checkpoint", O_RDONLY));
	holds(A "/x.tmp", "x");
}
END_TEST

START_TEST(events_equal_the_output_of_trailctl_log)
{
	const char *mine, *said;

	make_attestation();
	put_sealed(A "/f", "x");
	put_sealed(A "/\xc3\xbc \"quoted\" \\", "y");
	mine = content(C "events.jsonl", NULL);
	said = run(0, "trailctl log --json mnt");
	ck_assert_str_eq(mine, said);
	if (have("jq")) /* canonical: jq gives it back unchanged */
		ck_assert_str_eq(mine,
		    run(0, "jq -cS . mnt/.trailfs/events.jsonl"));
	unmount_vault();
	said = run(0, "trailctl log --json store");
	ck_assert_int_eq(0, strncmp(mine, said, strlen(mine)));
}
END_TEST

START_TEST(status_lists_unsealed_files)
{
	char want[64];
	int fd;

	make_attestation();
	put_sealed(A "/sealed", "x");
	put(A "/frozen", "x");
	put(A "/draft.tmp", "x");
	put(A "/placeholder", "");
	fd = begin(A "/open");
	add(fd, "x");
	says(content(C "status.json", NULL),
	    "\"states\":{\"draft\":1,\"frozen\":1,\"open\":1,"
	    "\"placeholder\":1,\"sealed\":1}");
	says(content(C "status.json", NULL),
	    "{\"path\":\"t/w/a/frozen\",\"state\":\"frozen\"}");
	says(content(C "status.json", NULL), "\"origin\":\"example.org/test\"");
	snprintf(want, sizeof want, "\"pid\":%d,", (int)vault_pid());
	says(content(C "status.json", NULL), want);
	says(run(0, "trailctl status mnt"), "example.org/test");
	allowed(close(fd));
}
END_TEST

/* --- denied.jsonl ------------------------------------------------------ */

static const char *
denied(void)
{
	return content(DENIED, NULL);
}

/* The line of one attempt, as far as it is known beforehand. */
static const char *
line(const char *sys, const char *operation, const char *path)
{
	static char out[512];

	snprintf(out, sizeof out,
	    "\"errno\":\"%s\",\"operation\":\"%s\",\"path\":\"%s\"", sys,
	    operation, path);
	return out;
}

static unsigned
lines_of(const char *text)
{
	unsigned n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

START_TEST(each_refused_change_is_a_line)
{
	char want[64];
	int fd;

	make_attestation();
	allowed(mkdir(A "/d", 0755));
	put_sealed(A "/d/f", "x");
	put_sealed(A "/g", "x");
	put(A "/x.tmp", "x");
	ck_assert_str_eq("", denied());
	refused(EPERM, unlink(A "/d/f"));
	says(denied(), line("EPERM", "unlink", "t/w/a/d/f"));
	snprintf(want, sizeof want, "\"gid\":0,\"pid\":%d,\"uid\":0}",
	    (int)getpid());
	says(denied(), want);
	says(denied(), "{\"actor\":{\"comm\":\"test-mount\",");
	says(denied(), "\"at\":\"20");
	refused(EPERM, try_open(A "/d/f", O_WRONLY));
	says(denied(), line("EPERM", "open for writing", "t/w/a/d/f"));
	refused(EPERM, truncate(A "/d/f", 0));
	refused(EPERM, chmod(A "/d/f", 0666));
	says(denied(), line("EPERM", "change attributes", "t/w/a/d/f"));
	refused(EPERM, setxattr(A "/g", "user.x", "y", 1, 0));
	says(denied(), line("EPERM", "set attribute", "t/w/a/g"));
	refused(EPERM, rename(A "/x.tmp", A "/g"));
	says(denied(), line("EPERM", "rename", "t/w/a/x.tmp"));
	says(denied(), "\"reason\":\"g: it is sealed;");
	says(denied(), "\"to\":\"t/w/a/g\"}\n");
	refused(EPERM, symlink("x", A "/l"));
	says(denied(), line("EPERM", "symlink", "t/w/a/l"));
	refused(EPERM, try_open("mnt/file", O_WRONLY | O_CREAT));
	says(denied(), line("EPERM", "create", "file"));
	refused(EPERM, rmdir("mnt/t"));
	refused(EPERM, unlink(C "checkpoint"));
	says(denied(), line("EPERM", "unlink", ".trailfs"));
	refused(EPERM, mkdir(A "/.trailfs/new", 0755));
	says(denied(), line("EPERM", "mkdir", "t/w/a/.trailfs"));
	fd = begin(A "/open");
	add(fd, "x");
	as(ALICE);
	refused(EACCES, try_open(A "/open", O_WRONLY)); /* the kernel's */
	as(0);
	refused(EBUSY, chmod(A, 0555));
	says(denied(), line("EBUSY", "change attributes", "t/w/a"));
	allowed(close(fd));
	allowed(chmod(A, 0555));
	refused(EROFS, try_open(A "/late", O_WRONLY | O_CREAT));
	says(denied(), line("EROFS", "create", "t/w/a/late"));
	/* What is no refusal is not there. */
	refused(ENOENT, unlink(A "/nothing"));
	refused(EEXIST, mkdir(W, 0755));
	ck_assert_uint_eq(13, lines_of(denied()));
	says(content(C "status.json", NULL), "\"denied\":13,");
	remount_vault();
	ck_assert_str_eq("", denied());
	says(events(), "\"denied\":13,");
}
END_TEST

/* Whatever is tried, each line is canonical JSON and a line. */
START_TEST(no_name_breaks_a_line)
{
	static const char *const names[] = { "\"quoted\" \\", "two\nlines",
		"\"}\n{\"errno\":\"", "\x1b[31mred", "not utf-8 \xff\xfe",
		"\xe2\x80\xae"
		"bidi",
		"\xc2\x9b"
		"c1",
		"\x7f" };
	char path[300];

	make_attestation();
	put(A "/f", "x");
	allowed(chmod(A, 0555));
	for (size_t i = 0; i < LEN(names); i++) {
		snprintf(path, sizeof path, A "/%s", names[i]);
		refused(EROFS, mkdir(path, 0755));
	}
	memset(path, '\001', 255);
	memcpy(path, A "/", strlen(A "/"));
	path[255] = '\0';
	refused(EROFS, mkdir(path, 0755));
	ck_assert_uint_eq(LEN(names) + 1, lines_of(denied()));
	says(denied(), "t/w/a/two\\\\x0Alines\",\"reason\":\"");
	for (const char *p = denied(); *p != '\0'; p++)
		ck_assert_msg((unsigned char)*p >= 0x20 || *p == '\n',
		    "a control character");
	skip_unless(have("jq"), "no jq");
	ck_assert_str_eq(denied(), run(0, "jq -cS . " DENIED));
}
END_TEST

/* EPERM alone does not say which of its rules a caller broke. */
START_TEST(each_line_says_which_rule_refused)
{
	int fd;

	make_attestation();
	put_sealed(A "/f", "x");
	put(A "/frozen", "x");
	refused(EPERM, try_open("mnt/t/file", O_WRONLY | O_CREAT));
	says(denied(),
	    "\"reason\":\"files can be created in attestations only");
	refused(EPERM, try_open(A "/f", O_WRONLY));
	says(denied(), "it is sealed; write a new file");
	refused(EPERM, try_open(A "/frozen", O_WRONLY));
	says(denied(), "frozen: it was closed, which froze its bytes");
	refused(EPERM, mkdir(A "/.trailfs/n", 0755));
	says(denied(), ".trailfs is not changed by hand");
	refused(EPERM, mkdir(W "/a@2", 0755));
	says(denied(), "a@2 can be begun once a is sealed");
	refused(EINVAL, mkdir(W "/a b", 0755));
	says(denied(), "\"errno\":\"EINVAL\"");
	refused(EPERM, mkfifo(A "/p", 0600));
	allowed(mkdir(A "/d", 0755));
	fd = begin(A "/d/log.txt");
	add(fd, "x");
	refused(EBUSY, chmod(A, 0555));
	says(denied(), "being written below: d/log.txt\"");
	run(1, "trailctl seal " W); /* chmod only changes the mode here */
	says(denied(), "being written below: a/d/log.txt\"");
	allowed(close(fd));
}
END_TEST

/* Whoever is refused all the time pushes out only his own lines. */
START_TEST(a_storm_of_one_user_leaves_the_lines_of_others)
{
	char path[64];

	make_attestation();
	put_sealed(A "/f", "x");
	allowed(chmod("mnt/t", 0777));
	allowed(chmod(W, 0777));
	as(BOB);
	refused(EPERM, mkdir(W "/b@7", 0777));
	as(ALICE);
	for (int i = 0; i < 1500; i++) {
		snprintf(path, sizeof path, W "/x@%d", i + 5);
		refused(EPERM, mkdir(path, 0777));
	}
	as(0);
	refused(EPERM, unlink(A "/f"));
	as(ALICE);
	for (int i = 0; i < 1500; i++) {
		snprintf(path, sizeof path, W "/y@%d", i + 5);
		refused(EPERM, mkdir(path, 0777));
	}
	as(0);
	ck_assert_uint_eq(1000, lines_of(denied()));
	ck_assert_ptr_nonnull(strstr(denied(), "\"path\":\"t/w/b@7\","));
	ck_assert_ptr_nonnull(strstr(denied(),
	    line("EPERM", "unlink", "t/w/a/f")));
	ck_assert_ptr_nonnull(strstr(denied(), "\"path\":\"t/w/y@1504\","));
}
END_TEST

/* What others tried is not everybody's business; what I tried is mine. */
START_TEST(each_user_reads_only_their_own_refusals)
{
	char *bob, *all;
	int fd;

	make_attestation();
	put_sealed(A "/f", "x");
	allowed(chmod("mnt/t", 0777));
	allowed(chmod(W, 0777));
	refused(EPERM, unlink(A "/f"));
	as(ALICE);
	refused(EPERM, mkdir(W "/alice@2", 0777));
	ck_assert_uint_eq(1, lines_of(denied()));
	says(denied(), "t/w/alice@2");
	as(BOB);
	ck_assert_str_eq("", denied());
	refused(EPERM, mkdir(W "/bob@2", 0777));
	refused(EPERM, mkdir(W "/bob@3", 0777));
	bob = content(DENIED, NULL);
	ck_assert_uint_eq(2, lines_of(bob));
	ck_assert_ptr_null(strstr(bob, "alice"));
	/* One who has it open shows nothing of it to others. */
	fd = open(DENIED, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	as(ALICE);
	ck_assert_ptr_null(strstr(denied(), "bob"));
	ck_assert_int_eq((int)strlen(denied()), stat_of(DENIED).st_size);
	as(0);
	all = content(DENIED, NULL);
	ck_assert_uint_eq(4, lines_of(all));
	allowed(close(fd));
}
END_TEST

/* A storm: the last thousand are there, and the log is spared. */
START_TEST(a_storm_of_attempts_fills_nothing)
{
	char path[64], *log;
	unsigned n = 0;

	make_attestation();
	put(A "/f", "x");
	allowed(chmod(A, 0555));
	for (int i = 0; i < 2500; i++) {
		snprintf(path, sizeof path, A "/%d", i);
		refused(EROFS, mkdir(path, 0755));
	}
	ck_assert_uint_eq(1000, lines_of(denied()));
	ck_assert_ptr_nonnull(strstr(denied(), "\"path\":\"t/w/a/1500\","));
	ck_assert_ptr_nonnull(strstr(denied(), "\"path\":\"t/w/a/2499\","));
	ck_assert_ptr_null(strstr(denied(), "t/w/a/1499"));
	says(content(C "status.json", NULL), "\"denied\":2500,");
	log = content("log", NULL);
	while ((log = strstr(log, "refused: ")) != NULL) {
		n++;
		log++;
	}
	ck_assert_uint_ge(n, 50);
	ck_assert_uint_lt(n, 2000);
	/* As soon as there is room for a line, it says what is missing. */
	while (strstr(content("log", NULL), "lines before this one") == NULL)
		refused(EROFS, mkdir(path, 0755));
}
END_TEST

/* --- the checkpoint --------------------------------------------------- */

struct hash {
	unsigned char b[32];
};

static struct hash
sha256(unsigned char prefix, const void *p, size_t n)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	struct hash h;

	EVP_DigestInit_ex(c, EVP_sha256(), NULL);
	EVP_DigestUpdate(c, &prefix, 1);
	EVP_DigestUpdate(c, p, n);
	EVP_DigestFinal_ex(c, h.b, NULL);
	EVP_MD_CTX_free(c);
	return h;
}

/* RFC 6962 2.1, as it stands there. */
static struct hash
root_of(char *const *lines, size_t n)
{
	struct hash both[2];
	size_t k = 1;

	if (n == 1)
		return sha256(0, lines[0], strlen(lines[0]));
	while (2 * k < n)
		k *= 2;
	both[0] = root_of(lines, k);
	both[1] = root_of(lines + k, n - k);
	return sha256(1, both, sizeof both);
}

/* Size and root that the events alone give, as a checkpoint writes them. */
static const char *
head_of(const char *events_file)
{
	static char out[128];
	char *text = content(events_file, NULL), *line, *lines[4096];
	unsigned char b64[64];
	struct hash root;
	size_t n = 0;

	while ((line = strsep(&text, "\n")) != NULL && *line != '\0') {
		ck_assert_uint_lt(n, LEN(lines));
		lines[n++] = line;
	}
	root = root_of(lines, n);
	EVP_EncodeBlock(b64, root.b, sizeof root.b);
	snprintf(out, sizeof out, "\n%zu\n%s\n\n", n, (const char *)b64);
	return out;
}

START_TEST(a_signed_checkpoint_matches_the_events)
{
	static const char check[] =
	    "sed '/^$/,$d' checkpoint >body && "
	    "tail -n 1 checkpoint | cut -d ' ' -f 3 | base64 -d | "
	    "tail -c 64 >sig && "
	    "openssl pkeyutl -verify -pubin -inkey mnt/.trailfs/log.pub.pem "
	    "-rawin -in body -sigfile sig";

	skip_unless(have("openssl"), "no openssl program");
	make_attestation();
	for (int i = 0; i < 40; i++) {
		char path[64];

		snprintf(path, sizeof path, A "/%d", i);
		put(path, path);
		if (i % 3 == 0)
			sync_dir("mnt");
		run(0,
		    "cp mnt/.trailfs/checkpoint . && "
		    "cp mnt/.trailfs/events.jsonl .");
		says(run(0, "%s", check), "Signature Verified Successfully");
		says(content("checkpoint", NULL), head_of("events.jsonl"));
	}
	says(content("checkpoint", NULL), "example.org/test\n");
	run(0, "sed -i 's/^example/Example/' checkpoint");
	run(1, "%s", check);
}
END_TEST

/* The key that init printed is that of the mount, and of each signature. */
START_TEST(the_vkey_is_the_one_that_init_printed)
{
	char *vkey = content(C "log.vkey", NULL);
	const char *by;
	char name[128];

	run(0, "cmp mnt/.trailfs/log.vkey store/keys/log.vkey");
	run(0, "cmp mnt/.trailfs/log.pub.pem store/keys/log.pub.pem");
	ck_assert_int_eq(0, strncmp(vkey, "example.org/test+", 17));
	by = strstr(content(C "checkpoint", NULL), "\n\xe2\x80\x94 ");
	ck_assert_ptr_nonnull(by);
	ck_assert_int_eq(1, sscanf(by, "\n\xe2\x80\x94 %127s", name));
	ck_assert_str_eq("example.org/test", name);
	vkey[strcspn(vkey, "\n")] = '\0';
	says(entry("ledger.opened", NULL), vkey);
}
END_TEST

/* A checkpoint shown is committed: a crash does not take it back. */
START_TEST(no_checkpoint_that_was_shown_is_taken_back)
{
	unsigned shown = 0, now;

	make_attestation();
	for (int i = 0; i < 5; i++) {
		char path[64];

		snprintf(path, sizeof path, A "/%d.tmp", i);
		put(path, "x");
		path[strlen(path) - 4] = '\0';
		run(0, "mv %s.tmp %s", path, path);
		ck_assert_int_eq(1,
		    sscanf(content(C "checkpoint", NULL), "%*s %u", &shown));
		crash_vault();
		mount_vault("settle=60");
		ck_assert_int_eq(1,
		    sscanf(content(C "checkpoint", NULL), "%*s %u", &now));
		ck_assert_uint_gt(now, shown);
		has_state(path, "sealed");
	}
}
END_TEST

Suite *
suite_control(void)
{
	Suite *s = suite_create("control");
	TCase *t = mounted_case(s, "control");

	tcase_add_test(t, the_size_of_a_control_file_is_its_readable_length);
	tcase_add_test(t, an_open_one_does_not_change);
	tcase_add_test(t, an_open_control_file_blocks_nothing);
	tcase_add_test(t,
	    verify_is_not_shown_a_checkpoint_that_somebody_holds_open);
	tcase_add_test(t, control_files_are_listed_only_in_their_directory);
	tcase_add_test(t, nobody_changes_control_files);
	tcase_add_test(t, events_equal_the_output_of_trailctl_log);
	tcase_add_test(t, status_lists_unsealed_files);
	tcase_add_test(t, each_refused_change_is_a_line);
	tcase_add_test(t, each_line_says_which_rule_refused);
	tcase_add_test(t, a_storm_of_one_user_leaves_the_lines_of_others);
	tcase_add_test(t, no_name_breaks_a_line);
	tcase_add_test(t, each_user_reads_only_their_own_refusals);
	tcase_add_test(t, a_storm_of_attempts_fills_nothing);
	tcase_add_test(t, a_signed_checkpoint_matches_the_events);
	tcase_add_test(t, the_vkey_is_the_one_that_init_printed);
	tcase_add_test(t, no_checkpoint_that_was_shown_is_taken_back);
	return s;
}
