/* Very many requests at once, and what the daemon has kept of them. */
#include <pthread.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "attack.h"

/* --- S2: sixteen threads of two users on eight names ----------------------------------------- */

#define THREADS 16
#define CONTESTED 8

static char contest[64];
static unsigned long each;

static unsigned
roll(unsigned *dice, unsigned sides)
{
	*dice = *dice * 1103515245u + 12345u;
	return (*dice >> 16) % sides;
}

static void
write_some(const char *path, int flags, unsigned *dice)
{
	char text[300];
	int fd = open(path, flags | O_CLOEXEC, 0666);

	if (fd < 0)
		return;
	pattern(text, sizeof text, roll(dice, 1000));
	(void)!write(fd, text, roll(dice, sizeof text));
	if (roll(dice, 3) == 0)
		(void)!ftruncate(fd, (off_t)roll(dice, 400));
	if (roll(dice, 3) == 0)
		(void)fsync(fd);
	close(fd);
}

static void
do_anything(unsigned *dice)
{
	static const char *const ends[] = { "", ".tmp", "", ".part" };
	char a[96], b[96], text[64];

	snprintf(a, sizeof a, "%s/%u%s", contest, roll(dice, CONTESTED),
	    ends[roll(dice, 4)]);
	snprintf(b, sizeof b, "%s/%u%s", contest, roll(dice, CONTESTED),
	    ends[roll(dice, 4)]);
	switch (roll(dice, 10)) {
	case 0:
	case 1:
		write_some(a, O_WRONLY | O_CREAT | O_EXCL, dice);
		break;
	case 2:
		write_some(a, O_RDWR | O_CREAT | O_APPEND, dice);
		break;
	case 3:
		write_some(a, O_WRONLY | O_TRUNC, dice);
		break;
	case 4:
	case 5:
		(void)rename(a, b);
		break;
	case 6:
		(void)unlink(a);
		break;
	case 7:
		(void)chmod(a, roll(dice, 2) ? 0666 : 0604);
		break;
	case 8:
		(void)sync_dir(contest);
		break;
	default:
		(void)read_bytes(a, text, sizeof text);
		(void)setxattr(a, "user.x", "y", 1, 0);
	}
}

static void *
race_on(void *arg)
{
	unsigned dice = (unsigned)(uintptr_t)arg;

	for (unsigned long i = 0; i < each; i++) {
		do_anything(&dice);
		atomic_fetch_add(&shared->tries, 1);
	}
	return NULL;
}

static int
race_as(void *uid)
{
	pthread_t t[THREADS];

	become(*(uid_t *)uid, true);
	umask(0);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, race_on,
		    (void *)(i + 100 * (uintptr_t)getpid()));
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	return 0;
}

static void
race_two_users(void)
{
	static uid_t uids[] = { STRANGER, SECOND };
	pid_t pid[2];
	char path[96], got[512], again[512];
	int n;

	WORKS(mkdir(fresh(contest, "races"), 0777));
	WORKS(chmod(contest, 0777));
	each = world.requests / 2 / THREADS / 4 + 1;
	for (int i = 0; i < 2; i++)
		pid[i] = child(race_as, &uids[i]);
	for (int i = 0; i < 2; i++)
		if (ended(pid[i]) != 0)
			fault("the races of uid %u ended badly", uids[i]);
	/* What is sealed has its bytes, and keeps them. */
	WORKS(sync_dir("."));
	for (int i = 0; i < CONTESTED; i++) {
		snprintf(path, sizeof path, "%s/%d", contest, i);
		if ((n = read_bytes(path, got, sizeof got)) < 0)
			continue;
		check_digest(path);
		if (read_bytes(path, again, sizeof again) != n ||
		    memcmp(got, again, (size_t)n) != 0)
			fault("%s changes", path);
	}
}

/* --- S4: refusals ------------------------------------------------------------------------------- */

static void
refuse_once(unsigned long i)
{
	static const char *const files[] = { SEALED, BIG, PROGRAM };
	const char *f = files[i % 3];
	char name[64];
	struct stat st;
	struct statvfs s;

	switch (i % 16) {
	case 0:
		REFUSED(try_open(f, O_WRONLY));
		break;
	case 1:
		REFUSED(try_open(f, O_RDWR | O_TRUNC));
		break;
	case 2:
		REFUSED(truncate(f, (off_t)i));
		break;
	case 3:
		REFUSED(unlink(f));
		break;
	case 4:
		snprintf(name, sizeof name, "away-%lu", i);
		REFUSED(rename(f, name));
		break;
	case 5:
		REFUSED(link(f, "linked"));
		break;
	case 6:
		REFUSED(symlink(f, "linked"));
		break;
	case 7:
		REFUSED(setxattr(f, "user.x", "y", 1, 0));
		break;
	case 8:
		REFUSED(chmod(f, 04777));
		break;
	case 9:
		REFUSED(mkdir(f, 0777));
		break;
	case 10:
		REFUSED(try_open("bad\nname", O_WRONLY | O_CREAT));
		break;
	case 11:
		snprintf(name, sizeof name, "nothing-%lu", i);
		REFUSED(stat(name, &st));
		break;
	case 12:
		REFUSED(mkfifo("fifo", 0666));
		break;
	case 13: /* not refused, and nothing stays of it */
		snprintf(name, sizeof name, "storm-%ld-%lu.tmp", (long)getpid(),
		    i);
		(void)put_text(name, "x");
		(void)unlink(name);
		atomic_fetch_add(&shared->tries, 1);
		break;
	case 14:
		snprintf(name, sizeof name, ".trailfs/proof/%lu", i);
		REFUSED(try_open(name, O_RDONLY));
		break;
	default:
		(void)statvfs(".", &s);
		REFUSED(utimensat(AT_FDCWD, f, NULL, 0));
	}
}

#define STORMERS 8

static int
refuse_many(void *n)
{
	unsigned long many = *(unsigned long *)n / STORMERS + 1;

	for (unsigned long i = 0; i < many; i++)
		refuse_once(i);
	return 0;
}

static void
storm_of(unsigned long n)
{
	pid_t pid[STORMERS];

	for (int i = 0; i < STORMERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			become(i % 2 ? STRANGER : SECOND, false);
			_exit(refuse_many(&n));
		}
	}
	for (int i = 0; i < STORMERS; i++)
		if (pid[i] < 0 || ended(pid[i]) != 0)
			fault("a storm ended badly");
}

/* The daemon grows to its working size with the first requests: every list has
 * then its length, and each thread its memory. */
#define GROWTH_FDS 8

/* Nothing of the storm is under way any more. */
static void
rest(void)
{
	nap_ms(1500);
}

static void
stay_flat(void)
{
	unsigned long warm = world.requests / 4;
	long rss, fds, rss_after, fds_after;

	storm_of(warm < 10000 ? 10000 : warm);
	rest();
	rss = daemon_rss();
	fds = daemon_descriptors();
	storm_of(world.requests);
	rest();
	rss_after = daemon_rss();
	fds_after = daemon_descriptors();
	printf("      memory %ld -> %ld kB (at most %ld more), descriptors "
	       "%ld -> %ld (at most %d more) after %lu requests\n",
	    rss, rss_after, world.growth_kb, fds, fds_after, GROWTH_FDS,
	    world.requests);
	fflush(stdout);
	if (rss < 0 || rss_after > rss + world.growth_kb)
		fault("the daemon grew from %ld to %ld kB", rss, rss_after);
	if (fds < 0 || fds_after > fds + GROWTH_FDS)
		fault("the daemon had %ld descriptors, and has %ld", fds,
		    fds_after);
}

const struct row storm_rows[] = {
	{ "S2", "16 threads of 2 users on 8 names", race_two_users, ROOT,
	    NULL },
	{ "S4", "refusals without end; memory and descriptors stay flat",
	    stay_flat, ROOT, NULL },
	{ 0 },
};
