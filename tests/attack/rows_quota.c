/* What one user may take, and what stays for the others. */
#include <sys/resource.h>
#include <sys/xattr.h>

#include "attack.h"

#define HELD_MAX 1000 /* descriptors */
#define CLOSED_MAX 2000
#define CLOSED_SIZE 100000
#define NAMES_KB (112L << 10) /* 128 MiB with the rest of a new daemon */
#define LONG_SIZE ((size_t)256 << 10)

static void
raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l);
	}
}

/* Somebody else can do what an ordinary user does. */
static int
work_as_other(void *unused)
{
	char name[64], to[80], draft[80];
	int bad = 0;

	(void)unused;
	if (chdir(world.open) < 0)
		return 1;
	become(SECOND, false);
	umask(0);
	snprintf(to, sizeof to, "../%s", fresh(name, "other"));
	snprintf(draft, sizeof draft, "%s.tmp", name);
	bad += put(name, 4096, 11) < 0;
	bad += put_text(draft, "x") < 0;
	bad += chmod(draft, 0600) < 0;
	bad += setxattr(draft, "user.x", "y", 1, 0) < 0;
	bad += unlink(draft) < 0;
	bad += mkdir(to, 0777) < 0;
	bad += chmod(to, 0700) < 0;
	if (bad > 0)
		fault("another user cannot work: %s", strerror(errno));
	return 0;
}

static void
others_work(void)
{
	(void)ended(child(work_as_other, NULL));
}

/* --- Q1: descriptors -------------------------------------------------------------------- */

static void
hold_descriptors(void)
{
	static int fd[HELD_MAX];
	char base[64], name[80];
	int n;

	raise_limit();
	fresh(base, "open");
	for (n = 0; n < HELD_MAX; n++) {
		snprintf(name, sizeof name, "%s-%d.tmp", base, n);
		fd[n] = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd[n] < 0)
			break;
		(void)!write(fd[n], "held", 4);
		atomic_fetch_add(&shared->tries, 1);
	}
	if (n < HELD_MAX && errno != EDQUOT && errno != EMFILE)
		fault("descriptor %d: %s", n, strerror(errno));
	nap_ms(300); /* the others work meanwhile */
	while (n-- > 0) {
		close(fd[n]);
		snprintf(name, sizeof name, "%s-%d.tmp", base, n);
		(void)unlink(name);
	}
}

/* Root holds them; somebody else works. */
static void
hold_and_work(void)
{
	static int fd[HELD_MAX];
	char base[64], name[80];
	int n;

	raise_limit();
	fresh(base, "held");
	for (n = 0; n < HELD_MAX; n++) {
		snprintf(name, sizeof name, "%s-%d.tmp", base, n);
		fd[n] = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd[n] < 0)
			break;
		atomic_fetch_add(&shared->tries, 1);
	}
	others_work();
	while (n-- > 0) {
		close(fd[n]);
		snprintf(name, sizeof name, "%s-%d.tmp", base, n);
		(void)unlink(name);
	}
}

/* --- Q2: names and bytes that are not sealed ------------------------------------------------ */

static void
close_files(void)
{
	unsigned long many = world.requests / 50;
	char base[64], name[80];
	unsigned long n;

	many = many > CLOSED_MAX ? CLOSED_MAX : many;
	fresh(base, "closed");
	for (n = 0; n < many; n++) {
		snprintf(name, sizeof name, "%s-%lu.tmp", base, n);
		if (put(name, CLOSED_SIZE, (unsigned)n) < 0)
			break;
		atomic_fetch_add(&shared->tries, 1);
	}
	if (n < many && errno != EDQUOT)
		fault("file %lu: %s", n, strerror(errno));
}

/* They count until they are sealed or gone. */
static void
make_names(void)
{
	char base[64], name[100];
	unsigned long n;
	long before = daemon_rss();
	bool dir;

	if (world.limit == 0) {
		skipped("no -l LIMIT");
		return;
	}
	fresh(base, "names");
	WORKS(mkdir(base, 0777));
	for (n = 0; n < world.limit; n++) {
		dir = n % 2 == 0;
		snprintf(name, sizeof name, "%s/%lu.tmp", base, n);
		if ((dir ? mkdir(name, 0777) : mknod(name, S_IFREG | 0644, 0)) <
		    0)
			break;
		atomic_fetch_add(&shared->tries, 1);
	}
	if (n == world.limit)
		gained("%lu names that are not sealed", n);
	else if (errno != EDQUOT)
		fault("name %lu: %s", n, strerror(errno));
	if (daemon_rss() > before + NAMES_KB)
		fault("the daemon grew from %ld to %ld kB", before,
		    daemon_rss());
	REFUSED(mkdir(fresh(name, "more"), 0777));
	while (n-- > 0) {
		snprintf(name, sizeof name, "%s/%lu.tmp", base, n);
		(void)(n % 2 == 0 ? rmdir(name) : unlink(name));
	}
	(void)rmdir(base);
}

/* Trails, workflows and attestations are in the ledger at once. */
static void
make_empty_directories(void)
{
	char base[64], name[100];
	unsigned long n;

	if (world.limit == 0) {
		skipped("no -l LIMIT");
		return;
	}
	snprintf(name, sizeof name, "../../%s", fresh(base, "empty"));
	WORKS(mkdir(name, 0777));
	for (n = 0; n < world.limit; n++) {
		snprintf(name, sizeof name, "../../%s/%lu", base, n);
		if (mkdir(name, 0777) < 0)
			break;
		atomic_fetch_add(&shared->tries, 1);
	}
	if (n == world.limit)
		gained("%lu directories with nothing in them", n);
	else if (errno != EDQUOT)
		fault("directory %lu: %s", n, strerror(errno));
}

/* --- Q5: the disk ---------------------------------------------------------------------------- */

static void
fill_disk(void)
{
	static char text[LONG_SIZE];
	char base[64], name[100];
	unsigned n;

	if (!world.fill) {
		skipped("no -f");
		return;
	}
	fresh(base, "long");
	for (n = 0;; n++) {
		snprintf(name, sizeof name, "%s-%u", base, n);
		pattern(text, sizeof text, n);
		if (put_bytes(name, text, sizeof text) < 0)
			break;
		atomic_fetch_add(&shared->tries, 1);
	}
	/* A part of the last write may have succeeded. */
	if (errno != EDQUOT && errno != ENOSPC)
		fault("file %u: %s", n, strerror(errno));
	for (n = 0; mkdir(fresh(name, "../full"), 0777) == 0; n++)
		atomic_fetch_add(&shared->tries, 1);
	if (errno != EDQUOT)
		fault("the limit is no quota: %s", strerror(errno));
}

const struct row quota_rows[] = {
	{ "Q1", "1,000 descriptors held by one user", hold_descriptors,
	    STRANGERS | 1u << BY_MEMBER, others_work },
	{ "Q1a", "1,000 descriptors held by root", hold_and_work, ROOT, NULL },
	{ "Q2", "2,000 closed files of 100 kB that are not sealed", close_files,
	    STRANGERS, others_work },
	{ "Q3", "names without end", make_names, STRANGERS, others_work },
	{ "Q4", "empty directories without end", make_empty_directories,
	    STRANGERS, others_work },
	{ "Q5", "a disk that one user fills", fill_disk, STRANGERS,
	    others_work },
	{ 0 },
};
