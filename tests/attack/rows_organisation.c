/* The mount of an organisation: a router, and a daemon for each origin. */
#include <dirent.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/xattr.h>

#include "attack.h"

#define BAR_NS UINT64_C(5000000000) /* nobody waits longer for one request */
#define STORMERS 8
#define PATHS 64
#define GROWTH_KB 8192
#define GROWTH_FDS 8

static bool
is_there(void)
{
	if (world.all[0] != '\0' && chdir(world.all) == 0)
		return true;
	skipped("no -o MOUNT");
	return false;
}

/* --- paths of all kinds -------------------------------------------------------------- */

static char paths[PATHS][PATH_LEN];
static unsigned n_paths;

static void
add_path(const char *path)
{
	if (n_paths < PATHS && strlen(path) < PATH_LEN)
		strcpy(paths[n_paths++], path);
}

/* The first names of dir and of what is below it. */
static void
add_below(const char *dir, int depth)
{
	DIR *d = depth < 5 ? opendir(dir) : NULL;
	const struct dirent *e;
	char path[PATH_LEN];

	for (int n = 0; d != NULL && n < 4 && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 ||
		    strcmp(e->d_name, "..") == 0 ||
		    snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >=
			(int)sizeof path)
			continue;
		n++;
		add_path(path);
		if (e->d_type == DT_DIR)
			add_below(path, depth + 1);
	}
	if (d != NULL)
		closedir(d);
}

/* From the root of the mount: origins, trails, evidence, control files. */
static void
find_paths(void)
{
	static const char *const control[] = { "", "/status.json",
		"/package.zip", "/at", "/proof", "/new" };
	unsigned origins;
	char path[2 * PATH_LEN];

	n_paths = 0;
	add_path(".");
	add_path("new");
	add_below(".", 0);
	origins = n_paths;
	for (unsigned i = 0; i < origins; i++)
		for (size_t k = 0; k < LEN(control); k++) {
			snprintf(path, sizeof path, "%.500s/.trailfs%s",
			    paths[i], control[k]);
			add_path(path);
		}
}

/* --- O1: writing ----------------------------------------------------------------------- */

static void
write_copies(void)
{
	char new[PATH_LEN + 8];

	if (!is_there())
		return;
	find_paths();
	if (n_paths < 8)
		fault("%u paths in the mount of an organisation", n_paths);
	for (unsigned i = 0; i < n_paths; i++) {
		const char *p = paths[i];

		snprintf(new, sizeof new, "%s/new", p);
		REFUSED(try_open(p, O_WRONLY));
		REFUSED(try_open(p, O_RDWR | O_TRUNC));
		REFUSED(try_open(new, O_WRONLY | O_CREAT | O_EXCL));
		REFUSED(truncate(p, 0));
		REFUSED(mkdir(new, 0777));
		REFUSED(mknod(new, S_IFREG | 0666, 0));
		REFUSED(symlink("x", new));
		REFUSED(link(p, "linked"));
		REFUSED(unlink(p));
		REFUSED(rmdir(p));
		REFUSED(rename(p, "moved"));
		REFUSED(chmod(p, 0777));
		REFUSED(lchown(p, STRANGER, STRANGER));
		REFUSED(utimensat(AT_FDCWD, p, NULL, 0));
		REFUSED(setxattr(p, "user.x", "x", 1, 0));
		REFUSED(removexattr(p, "user.trailfs.state"));
	}
}

/* --- O2: reading ----------------------------------------------------------------------- */

static void
read_copies(void)
{
	if (!is_there())
		return;
	make_needles();
	search_dir(world.all, 0);
}

/* --- O3: its processes ------------------------------------------------------------------ */

static pid_t
parent_of(pid_t pid)
{
	char path[64], text[512];
	const char *at;
	int n;

	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	n = read_bytes(path, text, sizeof text - 1);
	text[n < 0 ? 0 : n] = '\0';
	at = strrchr(text, ')');
	return at == NULL ? 0 : (pid_t)strtol(at + 4, NULL, 10);
}

/* The router and all that descend from it. */
static size_t
find_processes(pid_t *out, size_t max)
{
	DIR *d = opendir("/proc");
	const struct dirent *e;
	size_t n = 0;

	while (d != NULL && n < max && (e = readdir(d)) != NULL) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10), up = pid;

		while (up > 1 && up != world.router)
			up = parent_of(up);
		if (pid > 1 && up == world.router)
			out[n++] = pid;
	}
	if (d != NULL)
		closedir(d);
	return n;
}

static void
attack_processes(void)
{
	pid_t pid[32];
	size_t n;

	if (!is_there())
		return;
	/* In a process of its own: world.daemon is that of the vault again. */
	n = find_processes(pid, LEN(pid));
	if (n < 3)
		fault("%zu processes of the router", n);
	for (size_t i = 0; i < n; i++) {
		world.daemon = pid[i];
		read_memory();
		send_signals();
	}
}

/* --- O4, O5: storms ---------------------------------------------------------------------- */

static atomic_ulong *beyond; /* requests of the other user above the bar */

/* Somebody else uses the mount. */
_Noreturn static int
use_always(void *unused)
{
	char value[64];
	struct stat st;
	uint64_t begun;

	(void)unused;
	become(OTHER, false);
	for (unsigned i = 0;; i++) {
		begun = now_ns();
		if (i % 2 == 0)
			(void)stat(paths[i / 2 % n_paths], &st);
		else
			(void)read_bytes(paths[i / 2 % n_paths], value,
			    sizeof value);
		if (now_ns() - begun > BAR_NS)
			atomic_fetch_add(beyond, 1);
		nap_ms(10);
	}
}

static void
ask_once(unsigned long i)
{
	const char *p = paths[i % n_paths];
	char name[PATH_LEN + 32], value[64];
	struct stat st;
	DIR *d;

	snprintf(name, sizeof name, "%s/none-%lu", p, i);
	switch (i % 8) {
	case 0:
		(void)stat(name, &st);
		break;
	case 1:
		if ((d = opendir(p)) != NULL) {
			(void)readdir(d);
			closedir(d);
		}
		break;
	case 2:
		(void)read_bytes(p, value, sizeof value);
		break;
	case 3:
		(void)getxattr(p, "user.trailfs.sha256", value, sizeof value);
		break;
	case 4:
		(void)try_open(name, O_RDONLY);
		break;
	case 5:
		REFUSED(try_open(p, O_RDWR));
		return;
	case 6:
		(void)!readlink(p, value, sizeof value);
		break;
	default:
		(void)stat(p, &st);
	}
	atomic_fetch_add(&shared->tries, 1);
}

static int
ask_many(void *n)
{
	for (unsigned long i = 0; i < *(unsigned long *)n / STORMERS; i++)
		ask_once(i);
	return 0;
}

/* Each asker is killed in the middle if `kills`. */
static void
storm_of(unsigned long n, bool kills)
{
	pid_t pid[STORMERS];

	for (int i = 0; i < STORMERS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			become(i % 2 != 0 ? STRANGER : SECOND, false);
			_exit(ask_many(&n));
		}
	}
	for (int i = 0; i < STORMERS; i++) {
		int got;

		if (kills) {
			nap_ms(3 + (unsigned)i);
			(void)kill(pid[i], SIGKILL);
		}
		got = pid[i] < 0 ? -1 : ended(pid[i]);
		if (got != 0 && !(kills && got == -SIGKILL))
			fault("a storm ended with %d", got);
	}
}

static void
storm(bool kills)
{
	static atomic_ulong *page;
	unsigned long n = kills ? 4000 : world.requests,
		      rounds = world.requests / 200;
	long rss, fds, rss_after, fds_after;
	pid_t other;

	if (!is_there())
		return;
	page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED) {
		fault("mmap: %s", strerror(errno));
		return;
	}
	beyond = page;
	find_paths();
	/* It grows to its working size. */
	storm_of(n / 4 < 4000 ? 4000 : n / 4, false);
	nap_ms(300);
	rss = rss_of(world.router);
	fds = descriptors_of(world.router);
	other = child(use_always, NULL);
	for (unsigned long i = 0; i < (kills ? rounds : 1); i++)
		storm_of(n, kills);
	(void)kill(other, SIGKILL);
	(void)ended(other);
	nap_ms(300);
	rss_after = rss_of(world.router);
	fds_after = descriptors_of(world.router);
	printf("      router: memory %ld -> %ld kB, descriptors %ld -> %ld\n",
	    rss, rss_after, fds, fds_after);
	fflush(stdout);
	if (atomic_load(beyond) > 0)
		fault("another user waited longer than the bar %lu times",
		    atomic_load(beyond));
	if (rss < 0 || rss_after > rss + GROWTH_KB)
		fault("the router grew from %ld to %ld kB", rss, rss_after);
	if (fds < 0 || fds_after > fds + GROWTH_FDS)
		fault("the router had %ld descriptors, and has %ld", fds,
		    fds_after);
}

static void
ask_always(void)
{
	storm(false);
}

static void
kill_askers(void)
{
	storm(true);
}

const struct row organisation_rows[] = {
	{ "O1", "writing in the mount of an organisation", write_copies,
	    EVERYBODY, NULL },
	{ "O2", "secrets of one of its origins", read_copies,
	    STRANGERS | 1u << BY_MEMBER | USERNS, NULL },
	{ "O3", "its router and the daemons of its origins", attack_processes,
	    USERS & ~(1u << BY_NAMESPACES), NULL },
	{ "O4", "requests to its origins without end", ask_always, ROOT, NULL },
	{ "O5", "callers that are killed there", kill_askers, ROOT, NULL },
	{ 0 },
};
