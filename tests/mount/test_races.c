/* Many callers at once: one succeeds, the others get an error, nobody waits for
 * ever, and an answer does not depend on the other callers. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/xattr.h>

#include "harness.h"

#define CHILDREN 6
#define NAMES 60

static unsigned me; /* number of the child that in_child makes next */

/* Run it in so many children, and add up what they exit with. */
static unsigned
sum_of(int (*what)(void))
{
	pid_t pid[CHILDREN];
	unsigned sum = 0;

	for (me = 0; me < CHILDREN; me++)
		pid[me] = in_child(what);
	for (unsigned i = 0; i < CHILDREN; i++) {
		int n = child_ended(pid[i]);

		ck_assert_msg(n >= 0 && n < 200, "child %u: %d", i, n);
		sum += (unsigned)n;
	}
	return sum;
}

/* Exit statuses that are no counts. */
enum { WRONG_ERRNO = 250, NOT_WRITTEN };

/* --- one name, many makers ------------------------------------------------ */

static int
make_directories(void)
{
	char path[64];
	int won = 0;

	for (int i = 0; i < NAMES; i++) {
		snprintf(path, sizeof path, W "/n%d", i);
		if (mkdir(path, 0755) == 0)
			won++;
		else if (errno != EEXIST)
			return WRONG_ERRNO;
	}
	return won;
}

static int
make_files(void)
{
	char path[64], text[16];
	int won = 0, fd;

	snprintf(text, sizeof text, "by %u", me);
	for (int i = 0; i < NAMES; i++) {
		snprintf(path, sizeof path, A "/f%d", i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0 && errno != EEXIST)
			return WRONG_ERRNO;
		if (fd < 0)
			continue;
		if (write(fd, text, 4) != 4 || close(fd) < 0)
			return NOT_WRITTEN;
		won++;
	}
	return won;
}

static int
rename_drafts(void)
{
	char path[64], to[64], text[16];
	int won = 0, fd;

	snprintf(text, sizeof text, "by %u", me);
	for (int i = 0; i < NAMES; i++) {
		snprintf(path, sizeof path, A "/%u-%d.tmp", me, i);
		snprintf(to, sizeof to, A "/r%d", i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0 || write(fd, text, 4) != 4 || close(fd) < 0)
			return NOT_WRITTEN;
		/* Without the flag, too: what is sealed is not replaced. */
		if (rename_flags(path, to, i % 2 ? RENAME_NOREPLACE : 0) == 0)
			won++;
		else if (errno != (i % 2 ? EEXIST : EPERM) || unlink(path) < 0)
			return WRONG_ERRNO;
	}
	return won;
}

START_TEST(one_of_many_makers_wins)
{
	char path[64];

	make_attestation();
	ck_assert_uint_eq(NAMES, sum_of(make_directories));
	ck_assert_uint_eq(NAMES + 1, entries("attestation.begun", NULL));
	ck_assert_uint_eq(NAMES, sum_of(make_files));
	ck_assert_uint_eq(NAMES, sum_of(rename_drafts));
	sync_dir("mnt");
	ck_assert_uint_eq(2 * NAMES, entries("evidence.sealed", NULL));
	for (int i = 0; i < 2 * NAMES; i++) {
		snprintf(path, sizeof path, A "/%c%d", "fr"[i % 2], i / 2);
		ck_assert_uint_eq(4, strlen(content(path, NULL)));
	}
}
END_TEST

/* --- one directory, many who seal it ------------------------------------------ */

static int
seal_all(void)
{
	char path[64];

	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof path, W "/n%d", i);
		if (chmod(path, 0555) < 0)
			return WRONG_ERRNO;
	}
	return 0;
}

START_TEST(a_directory_is_sealed_once)
{
	char path[64];

	make_attestation();
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof path, W "/n%d", i);
		allowed(mkdir(path, 0755));
		snprintf(path, sizeof path, W "/n%d/f", i);
		put(path, "x");
	}
	sum_of(seal_all);
	/* Closed by many; the seal comes when somebody asks, or later. */
	sync_dir(W);
	ck_assert_uint_eq(20, entries("attestation.sealed", NULL));
	ck_assert_uint_eq(20, entries("evidence.sealed", NULL));
}
END_TEST

static int
publish_until_sealed(void)
{
	char path[64], to[64];
	int n, fd;

	for (n = 0; n < 190; n++) {
		snprintf(path, sizeof path, A "/%u-%d.tmp", me, n);
		snprintf(to, sizeof to, A "/%u-%d", me, n);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
		if (fd < 0)
			return errno == EROFS ? n : WRONG_ERRNO;
		if (write(fd, "x", 1) != 1 || close(fd) < 0)
			return NOT_WRITTEN;
		if (rename(path, to) < 0)
			/* Sealed, as a draft or before its turn. */
			return errno == EROFS || errno == EPERM ? n :
								  WRONG_ERRNO;
	}
	return n;
}

START_TEST(files_published_before_a_seal_are_in_the_seal)
{
	pid_t pid[CHILDREN];
	unsigned published = 0, listed;
	char want[32];

	make_attestation();
	for (me = 0; me < CHILDREN; me++)
		pid[me] = in_child(publish_until_sealed);
	while (!exists(A "/0-20") || chmod(A, 0555) < 0)
		ck_assert_msg(errno == EBUSY || errno == ENOENT, "%s",
		    errno_name(errno));
	for (unsigned i = 0; i < CHILDREN; i++) {
		int n = child_ended(pid[i]);

		ck_assert_int_lt(n, 200);
		published += (unsigned)n;
	}
	listed = (unsigned)atoi(run(0, "ls -A " A " | wc -l"));
	sync_dir(A); /* what chmod closed is sealed, with all that is listed */
	ck_assert_uint_eq(listed,
	    (unsigned)atoi(run(0, "ls -A " A " | wc -l")));
	ck_assert_uint_eq(listed, entries("evidence.sealed", NULL));
	snprintf(want, sizeof want, "\"count\":%u,", listed);
	says(entry("attestation.sealed", "t/w/a"), want);
	ck_assert_uint_eq(published,
	    (unsigned)atoi(run(0, "ls -A " A " | grep -vc tmp || :")));
}
END_TEST

/* --- flushes of one file ------------------------------------------------------- */

static int shared = -1, durable[2];

static int
fsync_and_report(void)
{
	close(durable[0]);
	if (fsync(shared) < 0)
		return 1;
	(void)!write(durable[1], "y", 1);
	return 0;
}

/* After the first fsync(2) that succeeds, the daemon is killed.  Loop test. */
START_TEST(a_successful_fsync_survives_a_kill)
{
	size_t size = _i % 2 == 0 ? 3000 : 300000;
	char *text = noise(size, (unsigned)_i), yes;
	pid_t pid[CHILDREN];

	make_attestation();
	allowed(pipe2(durable, O_CLOEXEC));
	shared = begin(A "/f");
	ck_assert_int_eq((ssize_t)size, write(shared, text, size));
	for (me = 0; me < CHILDREN; me++)
		pid[me] = in_child(fsync_and_report);
	ck_assert_int_eq(1, read(durable[0], &yes, 1));
	crash_vault();
	for (unsigned i = 0; i < CHILDREN; i++)
		(void)child_ended(pid[i]);
	(void)close(shared);
	mount_vault("settle=60");
	has_state(A "/f", "sealed");
	ck_assert_int_eq(0, memcmp(text, content(A "/f", NULL), size));
}
END_TEST

/* --- one file, all threads at it ----------------------------------------- */

#define ROUNDS 60
#define WRITERS 4
#define LINE "a line of sixteen"

/* One file of many names, and all threads at it. */
static struct {
	unsigned round;
	pthread_barrier_t start;
	atomic_bool final;     /* somebody saw it frozen or sealed */
	atomic_bool over;      /* the writers have ended */
	atomic_uint lines;     /* whose write(2) was acknowledged */
	atomic_uint too_late;  /* of them, begun after it was final */
	atomic_uint tries;     /* to open it when it was final */
	atomic_uint unwritten; /* a final one that was open again */
	int fd[WRITERS];       /* dups of the one that made it */
	int reader;
} race;

static const char *
race_name(char out[64], unsigned i)
{
	snprintf(out, 64, A "/%u-%u", race.round, i % 3);
	return out;
}

static void
write_line(int fd)
{
	bool final = atomic_load(&race.final);

	if (write(fd, LINE, sizeof LINE - 1) != sizeof LINE - 1)
		return;
	atomic_fetch_add(&race.lines, 1);
	if (final)
		atomic_fetch_add(&race.too_late, 1);
}

static void *
write_and_close(void *arg)
{
	int *fd = arg;

	pthread_barrier_wait(&race.start);
	for (int i = 0; i < 5; i++)
		write_line(*fd);
	close(*fd);
	return NULL;
}

static void *
open_and_write(void *arg)
{
	char path[64];
	int fd;

	(void)arg;
	pthread_barrier_wait(&race.start);
	for (unsigned i = 0; !atomic_load(&race.over); i++) {
		bool final = atomic_load(&race.final);

		fd = open(race_name(path, i), O_WRONLY | O_APPEND | O_CLOEXEC);
		if (final && (fd >= 0 || errno == EPERM))
			atomic_fetch_add(&race.tries, 1);
		if (fd < 0)
			continue;
		if (final)
			atomic_fetch_add(&race.unwritten, 1);
		write_line(fd);
		close(fd);
	}
	return NULL;
}

static void *
rename_about(void *arg)
{
	char from[64], to[64];

	(void)arg;
	pthread_barrier_wait(&race.start);
	for (unsigned i = 0; !atomic_load(&race.over); i++)
		(void)rename(race_name(from, i), race_name(to, i + 1));
	return NULL;
}

static void *
seal_it(void *arg)
{
	int fd = open(A, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)arg;
	pthread_barrier_wait(&race.start);
	while (!atomic_load(&race.over))
		(void)fsync(fd);
	close(fd);
	return NULL;
}

static void *
watch_it(void *arg)
{
	char state[16];
	ssize_t n;
	bool was = false, is;

	(void)arg;
	pthread_barrier_wait(&race.start);
	while (!atomic_load(&race.over)) {
		n = fgetxattr(race.reader, "user.trailfs.state", state,
		    sizeof state);
		is = n == 6; /* frozen, sealed */
		if (is)
			atomic_store(&race.final, true);
		else if (n > 0 && was)
			atomic_fetch_add(&race.unwritten, 1);
		was = was || is;
	}
	return NULL;
}

static void
race_once(void)
{
	static void *(*const others[])(void *) = { open_and_write, rename_about,
		rename_about, seal_it, watch_it };
	pthread_t t[WRITERS + LEN(others)];
	char path[64];
	int fd;

	atomic_store(&race.final, false);
	atomic_store(&race.over, false);
	atomic_store(&race.lines, 0);
	atomic_store(&race.tries, 0);
	fd = open(race_name(path, 0),
	    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	race.reader = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(race.reader, 0);
	for (int i = 0; i < WRITERS; i++)
		race.fd[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	allowed(close(fd));
	for (size_t i = 0; i < LEN(t); i++)
		ck_assert_int_eq(0,
		    i < WRITERS ?
			pthread_create(&t[i], NULL, write_and_close,
			    &race.fd[i]) :
			pthread_create(&t[i], NULL, others[i - WRITERS], NULL));
	for (int i = 0; i < WRITERS; i++)
		pthread_join(t[i], NULL);
	/* The thread that opens the file repeatedly may still have it open. */
	while (!atomic_load(&race.final) || atomic_load(&race.tries) < 5)
		sched_yield();
	atomic_store(&race.over, true);
	for (size_t i = WRITERS; i < LEN(t); i++)
		pthread_join(t[i], NULL);
	close(race.reader);
}

/* Whatever they do to each other: each acknowledged write is in it, none began
 * after it was final, and final it stays. */
START_TEST(races_of_threads_unwrite_nothing)
{
	char found[64], path[64];

	make_attestation();
	pthread_barrier_init(&race.start, NULL, WRITERS + 5);
	for (race.round = 0; race.round < ROUNDS; race.round++) {
		race_once();
		found[0] = '\0';
		for (unsigned i = 0; i < 3; i++)
			if (exists(race_name(path, i))) {
				ck_assert_msg(found[0] == '\0', "%s and %s",
				    found, path);
				strcpy(found, path);
			}
		ck_assert_uint_eq(0, atomic_load(&race.too_late));
		ck_assert_uint_eq(0, atomic_load(&race.unwritten));
		ck_assert_int_eq((off_t)(atomic_load(&race.lines) *
				     (sizeof LINE - 1)),
		    stat_of(found).st_size);
		sync_dir("mnt");
		has_state(found, "sealed");
	}
	ck_assert_uint_eq(ROUNDS, entries("evidence.sealed", NULL));
	pthread_barrier_destroy(&race.start);
}
END_TEST

/* --- everything at once ---------------------------------------------------------- */

static unsigned dice;

static unsigned
roll(unsigned sides)
{
	dice = dice * 1103515245u + 12345u;
	return (dice >> 16) % sides;
}

/* A name that others use, too. */
static const char *
any_name(char out[64])
{
	static const char *const ends[] = { "", ".tmp", "", ".part", "~" };

	snprintf(out, 64, "%s%s/%u%s", roll(4) == 0 ? W "/b" : A,
	    roll(3) == 0 ? "/d" : "", roll(8), ends[roll(5)]);
	return out;
}

static int
write_some(const char *path, int flags)
{
	char text[300];
	size_t n = roll(sizeof text);
	int fd = open(path, flags, 0644);

	if (fd < 0)
		return -1;
	memset(text, 'a' + (char)me, n);
	if (write(fd, text, n) < 0) {
		(void)close(fd);
		return -1;
	}
	if (roll(4) == 0 && ftruncate(fd, roll(1000)) < 0) {
		(void)close(fd);
		return -1;
	}
	return close(fd);
}

static int
do_something(void)
{
	char a[64], b[64], value[64];
	struct stat st;
	int fd;

	switch (roll(14)) {
	case 0:
	case 1:
		return write_some(any_name(a), O_WRONLY | O_CREAT | O_EXCL);
	case 2:
		return write_some(any_name(a), O_RDWR | O_CREAT | O_APPEND);
	case 3:
		return write_some(any_name(a), O_WRONLY | O_TRUNC);
	case 4:
		return unlink(any_name(a));
	case 5:
	case 6:
		return rename(any_name(a), any_name(b));
	case 7:
		return chmod(any_name(a), roll(2) ? 0600 : 0644);
	case 8:
		return mkdir(roll(2) ? A "/d" : W "/b/d", 0755);
	case 9:
		return roll(2) ? rmdir(A "/d") : rmdir(W "/b/d");
	case 10:
		return setxattr(any_name(a), "user.x", "y", 1, 0);
	case 11:
		fd = open(roll(2) ? A : W "/b", O_RDONLY | O_DIRECTORY);
		return fd < 0 ? -1 : fsync(fd) + close(fd);
	case 12:
		if ((fd = open(any_name(a), O_RDONLY)) < 0)
			return -1;
		(void)!read(fd, value, sizeof value);
		return close(fd);
	default:
		return lstat(any_name(a), &st);
	}
}

static int
do_anything(void)
{
	dice = me * 7919 + 1;
	for (int i = 0; i < 1500; i++) {
		if (do_something() >= 0)
			continue;
		switch (errno) {
		case ENOENT:
		case EEXIST:
		case EPERM:
		case EBUSY:
		case ENOTEMPTY:
		case ESTALE: /* the kernel: it was renamed meanwhile */
			break;
		default:
			fprintf(stderr, "an odd answer: %s\n",
			    errno_name(errno));
			return WRONG_ERRNO;
		}
	}
	return 0;
}

/* Loop test: left to settle, and sealed at once. */
START_TEST(nobody_hangs_and_no_answer_is_odd)
{
	unsigned sealed;

	mount_vault(_i == 0 ? "settle=60,threads=8" : "settle=0,threads=8");
	make_attestation();
	allowed(mkdir(W "/b", 0755));
	sum_of(do_anything);
	sync_dir("mnt");
	run(0, "find mnt -type f | xargs sha256sum | sort >before");
	sealed = entries("evidence.sealed", NULL);
	remount_vault();
	run(0,
	    "find mnt -type f -size +0 | xargs sha256sum | sort >after && "
	    "comm -13 before after | grep . >&2 && exit 1 || :");
	ck_assert_uint_eq(sealed, entries("evidence.sealed", NULL));
	unmount_vault();
	verify(0);
}
END_TEST

/* --- one descriptor, many readers, and a seal ------------------------------ */

#define SHORT 3000 /* bytes: stored in the database */

static struct {
	int fd;
	const char *text;
	atomic_bool sealed;
	atomic_uint wrong;
} at_seal;

static void *
read_until_sealed(void *arg)
{
	_Alignas(4096) char got[4096];

	(void)arg;
	for (int more = 2; more > 0; more -= at_seal.sealed)
		if (pread(at_seal.fd, got, sizeof got, 0) != SHORT ||
		    memcmp(got, at_seal.text, SHORT) != 0)
			at_seal.wrong++;
	return NULL;
}

START_TEST(readers_of_a_descriptor_switch_to_the_sealed_object)
{
	pthread_t thread[CHILDREN];
	char path[64];
	int fd;

	make_attestation();
	at_seal.text = noise(SHORT, 7);
	for (int i = 0; i < 4 * NAMES; i++) {
		snprintf(path, sizeof path, A "/f%d", i);
		fd = begin(path);
		ck_assert_int_eq(SHORT, write(fd, at_seal.text, SHORT));
		/* Past the page cache: each read is a request. */
		at_seal.fd = open(path, O_RDONLY | O_DIRECT);
		ck_assert_int_ge(at_seal.fd, 0);
		allowed(close(fd));
		at_seal.sealed = false;
		for (int k = 0; k < CHILDREN; k++)
			ck_assert_int_eq(0,
			    pthread_create(&thread[k], NULL, read_until_sealed,
				NULL));
		sync_dir(A);
		at_seal.sealed = true;
		for (int k = 0; k < CHILDREN; k++)
			ck_assert_int_eq(0, pthread_join(thread[k], NULL));
		close(at_seal.fd);
		ck_assert_uint_eq(0, at_seal.wrong);
		has_state(path, "sealed");
	}
}
END_TEST

Suite *
suite_races(void)
{
	Suite *s = suite_create("races");
	TCase *t = mounted_case(s, "races");

	tcase_add_test(t, one_of_many_makers_wins);
	tcase_add_test(t, a_directory_is_sealed_once);
	tcase_add_test(t, files_published_before_a_seal_are_in_the_seal);
	tcase_add_loop_test(t, a_successful_fsync_survives_a_kill, 0, 8);
	tcase_add_test(t, races_of_threads_unwrite_nothing);
	tcase_add_test(t, readers_of_a_descriptor_switch_to_the_sealed_object);
	t = stored_case(s, "anything");
	tcase_add_loop_test(t, nobody_hangs_and_no_answer_is_odd, 0, 2);
	return s;
}
