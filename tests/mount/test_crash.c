/* Power cuts of the daemon: what was promised is there, nothing else claims
 * to be evidence; and ends that are in order. */
#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>

#include "core/control.h"
#include "harness.h"

#define F A "/f"
#define SETTLE "settle=60"

/* --- kill -9 ---------------------------------------------------------- */

#define LOG A "/log"
#define LOG_SIZE ((size_t)200000) /* in a staged file, not in the database */

/* A program that had the file open when the daemon died may write on.  Nothing
 * of that arrives in what the next daemon has recovered, sealed or not: not by
 * write(2), and not from a mapping, whose pages the program still has. */
START_TEST(a_writer_that_outlives_the_daemon_changes_nothing)
{
	const char *text = noise(LOG_SIZE, 5);
	char *map;
	int fd;

	make_attestation();
	put_bytes(LOG ".part", text, LOG_SIZE);
	fd = open(LOG ".part",
	    (_i == 0 ? O_WRONLY | O_APPEND : O_RDWR) | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	map = _i == 0 ?
	    NULL :
	    mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(MAP_FAILED, map);
	if (map != NULL)
		map[0] = text[0]; /* from now on, the page is writable */
	crash_vault();
	mount_vault(SETTLE);
	has_state(LOG ".part", "draft");
	if (map != NULL)
		map[0] = (char)(text[0] + 1);
	else
		refused(ENOTCONN, write(fd, "late", 4));
	ck_assert_int_eq(0, memcmp(text, content(LOG ".part", NULL), LOG_SIZE));
	allowed(rename(LOG ".part", LOG));
	has_state(LOG, "sealed");
	if (map != NULL)
		map[1] = (char)(text[1] + 1);
	else
		refused(ENOTCONN, write(fd, "late", 4));
	remount_vault();
	ck_assert_uint_eq(LOG_SIZE, (size_t)stat_of(LOG).st_size);
	ck_assert_int_eq(0, memcmp(text, content(LOG, NULL), LOG_SIZE));
	(void)verify(0);
	if (map != NULL)
		munmap(map, LOG_SIZE);
	(void)close(fd);
}
END_TEST

START_TEST(a_file_copied_before_a_crash_is_sealed)
{
	static const size_t sizes[] = { 1, 5000, 65536, 65537, 3000000 };
	char path[64];

	make_attestation();
	for (size_t i = 0; i < LEN(sizes); i++) {
		snprintf(path, sizeof path, "%zu", sizes[i]);
		put_bytes(path, noise(sizes[i], (unsigned)i), sizes[i]);
		run(0, "cp -p %s " A "/", path);
		snprintf(path, sizeof path, A "/%zu", sizes[i]);
		has_state(path, "frozen");
	}
	crash_vault();
	refused(ENOTCONN, try_open(A "/1", O_RDONLY));
	mount_vault(SETTLE);
	for (size_t i = 0; i < LEN(sizes); i++) {
		snprintf(path, sizeof path, A "/%zu", sizes[i]);
		has_state(path, "sealed");
		run(0, "cmp %zu %s", sizes[i], path);
		says(entry("evidence.sealed", path + 4),
		    "\"cause\":\"recovery\"");
		says(entry("evidence.sealed", path + 4), "\"comm\":\"cp\"");
		ck_assert_int_eq(
		    stat_of(strrchr(path, '/') + 1).st_mtim.tv_nsec,
		    stat_of(path).st_mtim.tv_nsec);
	}
	ck_assert_uint_eq(LEN(sizes), entries("evidence.sealed", NULL));
	ck_assert_uint_eq(0, entries("evidence.interrupted", NULL));
	/* The run before was cut short: no ledger.closed between. */
	ck_assert_uint_eq(entries("ledger.opened", NULL) - 2,
	    entries("ledger.closed", NULL));
	ck_assert_str_eq("", run(0, "ls store/stage"));
}
END_TEST

static const char *
only_name_like(const char *dir, const char *begin, const char *end)
{
	static char name[300];
	struct dirent *e;
	unsigned n = 0;
	DIR *d = opendir(dir);

	while ((e = readdir(d)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len < strlen(end) ||
		    strncmp(e->d_name, begin, strlen(begin)) != 0 ||
		    strcmp(e->d_name + len - strlen(end), end) != 0)
			continue;
		snprintf(name, sizeof name, "%s/%s", dir, e->d_name);
		n++;
	}
	closedir(d);
	ck_assert_msg(n == 1, "%u names like %s*%s in %s", n, begin, end, dir);
	return name;
}

/* What a child writes to the file at path and never closes: a beginning, which
 * it flushes, the rest, and perhaps the first byte once more. */
static struct {
	const char *path;
	size_t flushed, n;
	bool again;
	char *text;
} open_file;

static int
write_and_stay(void)
{
	int fd = open(open_file.path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	size_t from = open_file.flushed, n = open_file.n - from;
	const char *text = open_file.text;

	if (fd < 0 || write(fd, text, from) != (ssize_t)from ||
	    (from > 0 && fsync(fd) < 0) ||
	    write(fd, text + from, n) != (ssize_t)n)
		return 1;
	text = "!";
	if (open_file.again && pwrite(fd, text, 1, 0) != 1)
		return 1;
	pause();
	return 0;
}

/* Kill the daemon when the bytes of such a file are in stage/ and its row says
 * that it is being written, and then the child; and mount again. */
static void
crash_with_open_file(void)
{
	pid_t writer = in_child(write_and_stay);

	run(0,
	    "for i in $(seq 600); do "
	    "test $(cat store/stage/[0-9]* 2>/dev/null | wc -c) -ge %zu && "
	    "test $(sqlite3 store/ledger.db "
	    "'SELECT count(*) FROM stage WHERE dirty & 1') = 1 && exit 0; "
	    "sleep 0.1; done; ls -l store/stage >&2; exit 1",
	    open_file.n);
	crash_vault();
	kill(writer, SIGKILL);
	(void)child_ended(writer);
	mount_vault(SETTLE);
	/* A long one gives up its name in the background. */
	for (int i = 0; i < 1500 && exists(open_file.path); i++)
		usleep(20000);
}

/* What survived of it is a draft with these bytes, and an entry says so. */
static void
outlived(const char *name)
{
	const char *draft = only_name_like(A, name, "Z.interrupted.part");
	size_t got;

	ck_assert(!exists(open_file.path));
	if (open_file.again)
		open_file.text[0] = '!';
	ck_assert_int_eq(0,
	    memcmp(open_file.text, content(draft, &got), open_file.n));
	ck_assert_uint_eq(open_file.n, got);
	/* It is what any such draft is.  This waits for the entry about it. */
	allowed(rename(draft, A "/rescued"));
	says(entry("evidence.interrupted", open_file.path + 4),
	    strrchr(draft, '/') + 1);
	has_state(A "/rescued", "sealed");
	run(0, "trailctl verify store");
}

/* A session log or a capture is open for hours and never flushed.  Loop test:
 * short and long content, with an ordinary name and with one of a draft. */
START_TEST(what_was_never_closed_outlives_the_daemon)
{
	skip_unless(have("sqlite3"), "no sqlite3");
	make_attestation();
	open_file.path = _i < 2 ? A "/log" : A "/.log.Xa7bQ2";
	open_file.n = _i % 2 == 0 ? 10 : 200000;
	open_file.text = noise(open_file.n, 6);
	crash_with_open_file();
	outlived(strrchr(open_file.path, '/') + 1);
}
END_TEST

/* It was flushed when it was short.  Loop test: it is short, long, and too long
 * to be compared at the start; and its beginning was changed since. */
START_TEST(what_follows_a_flush_outlives_the_daemon)
{
	static const size_t n[] = { 10, 200000, (size_t)5 << 20 };

	skip_unless(have("sqlite3"), "no sqlite3");
	make_attestation();
	open_file.path = A "/log";
	open_file.flushed = 5;
	open_file.n = n[_i % 3];
	open_file.text = noise(open_file.n, 7);
	open_file.again = _i >= 3;
	crash_with_open_file();
	outlived("log");
}
END_TEST

static int
write_and_wait_for_go(void)
{
	int gone = begin(A "/.gone.tmp"), closed = begin(A "/closed");

	add(gone, "gone");
	add(closed, "closed");
	while (access("go", F_OK) < 0)
		usleep(10000);
	if (unlink(A "/.gone.tmp") < 0)
		return 1;
	add(closed, " later");
	if (close(closed) < 0)
		return 2;
	put("went", "");
	pause();
	return 0;
}

/* Nothing of it is left when the file was removed, or closed in time. */
START_TEST(what_was_kept_goes_with_its_file)
{
	pid_t writer;

	skip_unless(have("sqlite3"), "no sqlite3");
	make_attestation();
	writer = in_child(write_and_wait_for_go);
	run(0,
	    "for i in $(seq 600); do "
	    "test $(cat store/stage/[0-9]* 2>/dev/null | wc -c) = 10 && "
	    "test $(sqlite3 store/ledger.db "
	    "'SELECT count(*) FROM stage WHERE dirty & 1') = 2 && break; "
	    "sleep 0.1; done; echo >go; "
	    "for i in $(seq 600); do test -e went && exit 0; sleep 0.1; done; "
	    "exit 1");
	crash_vault();
	kill(writer, SIGKILL);
	(void)child_ended(writer);
	mount_vault(SETTLE);
	says(entry("evidence.sealed", "t/w/a/closed"), "recovery");
	holds(A "/closed", "closed later");
	ck_assert_str_eq("closed\n", run(0, "ls -A " A));
	ck_assert_str_eq("", run(0, "ls store/stage"));
	ck_assert_uint_eq(0, entries("evidence.interrupted", NULL));
	run(0, "trailctl verify store");
}
END_TEST

/* Loop test: short and long content. */
START_TEST(a_file_being_written_at_a_crash_is_a_draft_or_gone)
{
	size_t n = _i == 0 ? 1000 : 200000;
	char *text = noise(2 * n, 4);
	const char *draft;
	size_t got;
	int never, part, whole;

	make_attestation();
	never = begin(A "/never-flushed");
	ck_assert_int_eq((ssize_t)n, write(never, text, n));
	part = begin(A "/flushed-in-part");
	ck_assert_int_eq((ssize_t)n, write(part, text, n));
	allowed(fsync(part));
	ck_assert_int_eq((ssize_t)n, write(part, text + n, n));
	whole = begin(A "/flushed");
	ck_assert_int_eq((ssize_t)n, write(whole, text, n));
	allowed(fsync(whole));
	crash_vault();
	if (!tests_streams()) /* its lease may not be over */
		refused(ENOTCONN, write(part, "x", 1));
	(void)close(never);
	(void)close(part);
	(void)close(whole);
	mount_vault(SETTLE);
	/* What is left of it depends on how long that took. */
	ck_assert(!exists(A "/never-flushed"));
	ck_assert(!exists(A "/flushed-in-part"));
	/* All that survived is what a flush promised: that is evidence. */
	has_state(A "/flushed", "sealed");
	says(entry("evidence.sealed", "t/w/a/flushed"),
	    "\"cause\":\"recovery\"");
	draft = only_name_like(A, "flushed-in-part.", "Z.interrupted.part");
	has_state(draft, "draft");
	ck_assert_int_eq(0, memcmp(text, content(draft, &got), n));
	ck_assert_uint_ge(got, n);
	says(entry("evidence.interrupted", "t/w/a/flushed-in-part"),
	    strrchr(draft, '/') + 1);
	ck_assert_uint_eq(1, entries("evidence.sealed", NULL));
	ck_assert_uint_eq(1,
	    entries("evidence.interrupted", "t/w/a/flushed-in-part"));
	/* The names are free, and the draft may go. */
	put(A "/never-flushed", "again");
	put(A "/flushed-in-part", "again");
	allowed(unlink(draft));
	sync_dir("mnt");
	has_state(A "/flushed-in-part", "sealed");
	remount_vault();
	holds(A "/flushed-in-part", "again");
	ck_assert_uint_eq(1,
	    entries("evidence.interrupted", "t/w/a/flushed-in-part"));
}
END_TEST

START_TEST(a_too_long_interrupted_name_is_cut)
{
	char path[400], name[256];
	int fd;

	make_attestation();
	/* 255 bytes, of two each but the last. */
	for (int i = 0; i < 127; i++)
		memcpy(name + 2 * i, "\xc3\xbc", 2);
	strcpy(name + 254, "x");
	snprintf(path, sizeof path, A "/%s", name);
	fd = begin(path);
	add(fd, "one");
	allowed(fsync(fd));
	add(fd, "two");
	crash_vault();
	(void)close(fd);
	mount_vault(SETTLE);
	ck_assert(!exists(path));
	has_state(only_name_like(A, "\xc3\xbc", ".interrupted.part"), "draft");
}
END_TEST

#define BUSY 20 /* writers when it is killed */

static unsigned crash_round, crash_writer;

/* What file i of any writer holds: so many of that letter. */
static size_t
promised_size(unsigned i)
{
	return i % 10 == 9 ? 200000 : 100 + i;
}

static char
promised_letter(unsigned i)
{
	return 'a' + (char)(i % 26);
}

/* Write files one after the other; note each whose close(2), and rename(2),
 * returned 0. */
static int
promise(void)
{
	char path[80], to[64], *text = malloc(200000);
	int list = open("promised", O_WRONLY | O_CREAT | O_APPEND, 0644);
	int fd;

	for (unsigned i = 0; i < 10000; i++) {
		size_t n = promised_size(i);

		memset(text, promised_letter(i), n);
		snprintf(to, sizeof to, A "/%u-%u-%u", crash_round,
		    crash_writer, i);
		snprintf(path, sizeof path, "%s%s", to,
		    i % 4 == 3 ? ".tmp" : "");
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			return 0; /* the daemon is gone */
		if (write(fd, text, n) != (ssize_t)n) {
			(void)close(fd);
			return 0;
		}
		if (close(fd) < 0 || (i % 4 == 3 && rename(path, to) < 0))
			return 0;
		if (dprintf(list, "%s\n", to) < 0)
			return 1;
	}
	return 2;
}

/* Is it sealed, and whole? */
static void
is_whole(const char *path)
{
	size_t got;
	char *text;
	unsigned i;

	ck_assert_int_eq(1, sscanf(path, A "/%*u-%*u-%u", &i));
	has_state(path, "sealed");
	text = content(path, &got);
	ck_assert_uint_eq(promised_size(i), got);
	ck_assert(text[0] == promised_letter(i) &&
	    memcmp(text, text + 1, got - 1) == 0);
}

static unsigned
check_promises(void)
{
	char *list = content("promised", NULL), *line;
	unsigned n = 0;

	while ((line = strsep(&list, "\n")) != NULL && *line != '\0') {
		is_whole(line);
		n++;
	}
	return n;
}

/* A file whose close did not return is a draft, or as whole as the others. */
static void
check_what_is_there(void)
{
	char path[300];
	struct dirent *e;
	DIR *d = opendir(A);

	while ((e = readdir(d)) != NULL) {
		snprintf(path, sizeof path, A "/%s", e->d_name);
		if (e->d_name[0] == '.')
			continue;
		if (strchr(e->d_name, 't') != NULL) /* .tmp, .part */
			has_state(path, "draft");
		else
			is_whole(path);
	}
	closedir(d);
}

/* Killed anywhere, again and again on one store.  Loop test: of one writer, and
 * of many. */
START_TEST(a_kill_at_any_moment_breaks_no_promise)
{
	static const unsigned after[] = { 3, 17, 40, 64, 101, 150 };
	unsigned writers = _i < 2 ? 1 : BUSY, rounds = _i < 2 ? 6 : 3;
	const char *options = _i % 2 == 0 ? SETTLE : "settle=0";
	char path[64];
	pid_t pid[BUSY];

	mount_vault(options);
	make_attestation();
	for (crash_round = 0; crash_round < rounds; crash_round++) {
		unsigned n = after[crash_round] / 4 * 4;

		for (crash_writer = 0; crash_writer < writers; crash_writer++)
			pid[crash_writer] = in_child(promise);
		snprintf(path, sizeof path, A "/%u-0-%u", crash_round, n);
		while (!exists(path))
			ck_assert_int_eq(0, errno == ENOENT ? 0 : errno);
		crash_vault();
		for (unsigned w = 0; w < writers; w++)
			ck_assert_int_eq(0, child_ended(pid[w]));
		mount_vault(options);
		ck_assert_uint_ge(check_promises(), n);
		check_what_is_there();
		says(run(0, "trailctl verify store"), "contents");
	}
	unmount_vault();
	verify(0);
}
END_TEST

static int
publish(void)
{
	return rename(W "/.login", W "/login") == 0 ? 0 : errno;
}

/* All of a draft attestation is in the ledger, or all of it is a draft.  Loop
 * test: killed later and later. */
START_TEST(a_kill_during_a_publication_leaves_it_whole)
{
	char path[64];
	bool whole;
	pid_t pid;

	mount_vault(SETTLE);
	make_attestation();
	allowed(mkdir(W "/.login", 0755));
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof path, W "/.login/%d", i);
		put(path, path);
	}
	pid = in_child(publish);
	for (int i = 0; i < _i * _i * 4; i++)
		(void)exists(A);
	crash_vault();
	(void)child_ended(pid);
	mount_vault(SETTLE);
	whole = exists(W "/login");
	ck_assert(whole != exists(W "/.login"));
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof path, W "/%s/%d",
		    whole ? "login" : ".login", i);
		has_state(path, whole ? "sealed" : "draft");
	}
	ck_assert_uint_eq(whole ? 20 : 0, entries("evidence.sealed", NULL));
	if (!whole)
		allowed(rename(W "/.login", W "/login"));
	has_state(W "/login/19", "sealed");
	ck_assert_uint_eq(20, entries("evidence.sealed", NULL));
	ck_assert_uint_eq(1, entries("attestation.sealed", NULL));
	unmount_vault();
	verify(0);
}
END_TEST

static int
seal_all(void)
{
	int fd = open(W, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	ck_assert_int_ge(fd, 0);
	rc = ioctl(fd, TF_IOC_SEAL) == 0 ? 0 : errno;
	close(fd);
	return rc;
}

/* A workflow and its open attestations are sealed together, or none is. */
START_TEST(a_kill_during_a_seal_leaves_it_whole)
{
	char path[64];
	bool whole;
	pid_t pid;

	mount_vault(SETTLE);
	make_attestation();
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof path, W "/b%d", i);
		allowed(mkdir(path, 0755));
		snprintf(path, sizeof path, W "/b%d/f", i);
		put(path, path);
	}
	pid = in_child(seal_all);
	for (int i = 0; i < _i * _i * 4; i++)
		(void)exists(A);
	crash_vault();
	(void)child_ended(pid);
	mount_vault(SETTLE);
	whole = strcmp(state_of(W), "sealed") == 0;
	ck_assert_uint_eq(whole ? 11 : 0, entries("attestation.sealed", NULL));
	ck_assert_uint_eq(whole, entries("workflow.sealed", NULL));
	ck_assert_uint_eq(10, entries("evidence.sealed", NULL));
	for (int i = 0; i < 10; i++) {
		snprintf(path, sizeof path, W "/b%d/f", i);
		has_state(path, "sealed");
		holds(path, path);
	}
	(void)seal_all();
	ck_assert_uint_eq(1, entries("workflow.sealed", NULL));
	unmount_vault();
	verify(0);
}
END_TEST

/* What recovery does is a transaction each: a crash in it is one more. */
START_TEST(a_crash_during_recovery_is_recovered)
{
	char path[64];

	mount_vault(SETTLE);
	make_attestation();
	for (int i = 0; i < 60; i++) {
		snprintf(path, sizeof path, A "/%d", i);
		put_bytes(path, noise(i % 5 == 0 ? 70000 : 100, (unsigned)i),
		    i % 5 == 0 ? 70000 : 100);
	}
	crash_vault();
	for (int round = 1; round <= 10; round++)
		crash_start(SETTLE, round * 2);
	mount_vault(SETTLE);
	for (int i = 0; i < 60; i++) {
		size_t n;
		char *text;

		snprintf(path, sizeof path, A "/%d", i);
		has_state(path, "sealed");
		text = content(path, &n);
		ck_assert_uint_eq(i % 5 == 0 ? 70000 : 100, n);
		ck_assert_int_eq(0, memcmp(text, noise(n, (unsigned)i), n));
	}
	ck_assert_uint_eq(60, entries("evidence.sealed", NULL));
	unmount_vault();
	verify(0);
}
END_TEST

/* --- ends in order ---------------------------------------------------- */

static bool
is_mounted(void)
{
	return strstr(run(0,
			  "grep -F \" $PWD/mnt \" /proc/self/mountinfo "
			  "|| :"),
		   "fuse.trailfs") != NULL;
}

START_TEST(a_signal_ends_the_daemon_and_everything_is_sealed)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	make_attestation();
	put(F, "x");
	put(A "/x.tmp", "x");
	ck_assert(is_mounted());
	allowed(kill(vault_pid(), signals[_i]));
	ck_assert_int_eq(0, vault_ended());
	ck_assert(!is_mounted());
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
	says(entry("ledger.closed", NULL), "\"reason\":\"signal\"");
	ck_assert_ptr_null(strstr(entry("evidence.sealed", "t/w/a/f"),
	    "\"cause\""));
	mount_vault(SETTLE);
	holds(F, "x");
	has_state(A "/x.tmp", "draft");
}
END_TEST

/* Somebody still writes: new files are refused, then it lets go. */
START_TEST(a_signal_does_not_wait_for_ever_for_writers)
{
	int fd, durable;

	make_attestation();
	put(F, "x");
	fd = begin(A "/open");
	add(fd, "not flushed");
	durable = begin(A "/durable");
	add(durable, "flushed");
	allowed(fsync(durable));
	allowed(kill(vault_pid(), SIGTERM));
	while (try_open(A "/later", O_WRONLY | O_CREAT | O_EXCL) == 0)
		allowed(unlink(A "/later"));
	ck_assert_int_eq(EROFS, errno);
	allowed(kill(vault_pid(), SIGTERM)); /* a second: at once */
	ck_assert_int_eq(0, vault_ended());
	if (!tests_streams())
		refused(ENOTCONN, write(fd, "x", 1));
	(void)close(fd);
	(void)close(durable);
	ck_assert(!is_mounted());
	mount_vault(SETTLE);
	holds(F, "x");
	has_state(F, "sealed");
	ck_assert(!exists(A "/open"));
	has_state(A "/durable", "sealed");
	says(entry("evidence.sealed", "t/w/a/durable"),
	    "\"cause\":\"recovery\"");
}
END_TEST

START_TEST(an_umount_from_outside_ends_the_daemon)
{
	make_attestation();
	put(F, "x");
	run(0, "umount mnt");
	ck_assert_int_eq(0, vault_ended());
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
	says(entry("ledger.closed", NULL), "\"reason\":\"unmounted\"");
	mount_vault(SETTLE);
	if (have("fusermount3")) {
		run(0, "fusermount3 -u mnt");
		ck_assert_int_eq(0, vault_ended());
		mount_vault(SETTLE);
	}
	holds(F, "x");
}
END_TEST

START_TEST(umount_waits_for_open_files_and_lazily_does_not)
{
	int fd;

	make_attestation();
	fd = begin(F);
	add(fd, "one");
	refused(EBUSY, umount("mnt"));
	run(0, "umount -l mnt");
	ck_assert(!is_mounted());
	add(fd, " two"); /* it serves until the last is closed */
	allowed(close(fd));
	ck_assert_int_eq(0, vault_ended());
	mount_vault(SETTLE);
	holds(F, "one two");
	has_state(F, "sealed");
}
END_TEST

/* Bytes written into a mount point without its mount would be lost. */
START_TEST(nothing_is_written_under_a_mount_that_is_gone)
{
	const char *said;

	make_attestation();
	unmount_vault();
	said = run(0, "lsattr -d mnt 2>/dev/null || :");
	skip_unless(memchr(said, 'i', strcspn(said, " ")) != NULL,
	    "no immutable flag on this file system");
	refused(EPERM, try_open("mnt/f", O_WRONLY | O_CREAT));
	refused(EPERM, mkdir("mnt/t", 0755));
	mount_vault(SETTLE);
	crash_vault();
	/* The mounter may be about to close its copy of the connection, and
	 * aborts a request that comes before. */
	while (try_open("mnt/f", O_WRONLY | O_CREAT) < 0 &&
	    errno == ECONNABORTED)
		;
	refused(ENOTCONN, try_open("mnt/f", O_WRONLY | O_CREAT));
	allowed(umount2("mnt", MNT_DETACH));
	refused(EPERM, try_open("mnt/f", O_WRONLY | O_CREAT));
}
END_TEST

/* --- one daemon a store ----------------------------------------------- */

START_TEST(a_second_daemon_is_refused_and_names_the_first)
{
	const char *said;
	char pid[32];

	make_attestation();
	put(F, "x");
	allowed(mkdir("mnt2", 0755));
	snprintf(pid, sizeof pid, "%d", (int)vault_pid());
	said = run(3, "timeout 20 trailfs store mnt2 -f");
	says(said, pid);
	says(said, "/mnt");
	said = run(3, "timeout 20 trailfs store mnt2");
	says(said, pid);
	said = run(1, "timeout 20 trailfs store mnt"); /* mounted already */
	ck_assert_str_ne("", said);
	ck_assert_str_eq("", run(0, "ls -A mnt2"));
	has_state(F, "frozen"); /* the first goes on */
	put(A "/g", "y");
	sync_dir("mnt");
	ck_assert_uint_eq(2, entries("ledger.opened", NULL));
}
END_TEST

/* A lock of a daemon that is dead is no lock. */
START_TEST(after_a_crash_the_store_is_free)
{
	make_attestation();
	crash_vault();
	run(0, "[ -s store/lock ]"); /* it did not clean up */
	mount_vault(SETTLE);
	put_sealed(F, "x");
}
END_TEST

START_TEST(the_daemon_forks_when_it_serves)
{
	run(0, "timeout 20 trailfs store mnt -o settle=60");
	ck_assert(is_mounted());
	make_attestation();
	put(F, "x");
	run(0, "umount mnt");
	/* It lets go of the store a moment later. */
	run(0, "timeout 20 flock store/lock true");
	ck_assert_uint_eq(1, entries("evidence.sealed", "t/w/a/f"));
	verify(0);
}
END_TEST

/* The first request, as the kernel never makes it: none; or one of a version
 * that is not, which is 40 bytes into it. */
static const struct {
	const char *greeting, *says;
} greetings[] = {
	{ "error=ENODEV", "the kernel sends no INIT request: No such device" },
	{ "poke_exit=@arg2=68000000" /* length */
	  "1a000000"		     /* FUSE_INIT */
	  "0200000000000000"	     /* of so many */
	  "0000000000000000"	     /* node */
	  "00000000000000000000000000000000"
	  "06000000", /* major */
	    "libfuse refuses the INIT of the kernel: Protocol error" },
};

START_TEST(the_daemon_does_not_serve_without_a_handshake)
{
	skip_unless(strcmp("0", run_any("strace -qq true")) == 0,
	    "strace cannot trace here");
	allowed(mkdir("unserved", 0755));
	says(run(1,
		 "ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0" /* not traced */
		 " timeout -s KILL 60 strace -D -f -qq -o calls"
		 " -e trace=read -P /dev/fuse"
		 " -e inject=read:%s:when=1 trailfs store unserved -f",
		 greetings[_i].greeting),
	    greetings[_i].says);
	run(1, "grep unserved /proc/self/mounts");
	run(0, "trailctl verify store");
	run(0, "chattr -i unserved 2>/dev/null || :");
}
END_TEST

Suite *
suite_crash(void)
{
	Suite *s = suite_create("crash");
	TCase *t = mounted_case(s, "crash");

	tcase_add_test(t, a_file_copied_before_a_crash_is_sealed);
	tcase_add_loop_test(t, what_was_never_closed_outlives_the_daemon, 0, 4);
	tcase_add_test(t, what_was_kept_goes_with_its_file);
	tcase_add_loop_test(t, what_follows_a_flush_outlives_the_daemon, 0, 6);
	tcase_add_loop_test(t,
	    a_file_being_written_at_a_crash_is_a_draft_or_gone, 0, 2);
	tcase_add_test(t, a_too_long_interrupted_name_is_cut);
	tcase_add_loop_test(t,
	    a_writer_that_outlives_the_daemon_changes_nothing, 0, 2);
	t = stored_case(s, "killed");
	tcase_add_loop_test(t, a_kill_at_any_moment_breaks_no_promise, 0, 4);
	tcase_add_loop_test(t, a_kill_during_a_publication_leaves_it_whole, 0,
	    12);
	tcase_add_loop_test(t, a_kill_during_a_seal_leaves_it_whole, 0, 12);
	tcase_add_test(t, a_crash_during_recovery_is_recovered);
	t = mounted_case(s, "ends");
	tcase_add_loop_test(t,
	    a_signal_ends_the_daemon_and_everything_is_sealed, 0, 3);
	tcase_add_test(t, a_signal_does_not_wait_for_ever_for_writers);
	tcase_add_test(t, an_umount_from_outside_ends_the_daemon);
	tcase_add_test(t, umount_waits_for_open_files_and_lazily_does_not);
	tcase_add_test(t, nothing_is_written_under_a_mount_that_is_gone);
	t = mounted_case(s, "one daemon");
	tcase_add_test(t, a_second_daemon_is_refused_and_names_the_first);
	tcase_add_test(t, after_a_crash_the_store_is_free);
	t = stored_case(s, "background");
	tcase_add_test(t, the_daemon_forks_when_it_serves);
	tcase_add_loop_test(t, the_daemon_does_not_serve_without_a_handshake, 0,
	    (int)LEN(greetings));
	return s;
}
