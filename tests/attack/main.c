/*
 * attack [-f] [-n REQUESTS] [-l LIMIT] [-m KB] [-r ROW,...] [-a LIST]
 *	[-t TRAILFS] [-o MOUNT -p PID] [-v] MOUNT
 *
 * Try every row of the table of threats against a mounted vault, as users who
 * have no account, as members of a group, in user namespaces and as root, and
 * print one line for each row.  Meanwhile another user works; what that user
 * had to wait is measured.  Exit status 1: an attack succeeded, another user
 * waited longer than the bar or saw an error, the daemon grew or ended, or
 * something that was acknowledged is not there.
 *
 * Root runs it, on the machine of the mount.  It leaves four trails
 * attack-NUMBER-* behind, which stay in the ledger: a copy of a vault, or a new
 * one, is the place for it.
 *
 * -n  hostile requests of each storm; 100000 by default
 * -f  fill the disk, too (row Q5)
 * -l  a user must be refused before so many names that are not sealed; 0, the
 *     default: such names are not tried
 * -m  kilobytes by which the daemon may grow during the last storm; 8192
 * -o, -p  a mount of an organisation, with a private trail of uid 54401, and the
 *     process of its router, for the rows O1 to O5
 * -r  only these rows
 * -a  append to LIST what was acknowledged.  `attack -c LIST` checks it, after
 *     the vault was mounted again
 * -v  print each gain, not only the first of a row
 */
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "attack.h"

#define ROW_S 1800 /* guard: a row that hangs */

static const struct row *const tables[] = { sealed_rows, writing_rows,
	name_rows, people_rows, reader_rows, daemon_rows, quota_rows,
	organisation_rows, storm_rows };
static const char *const postures[POSTURES] = { "a stranger", "a member",
	"the owner", "root of a user namespace", "one in namespaces", "root" };
static const char *only; /* rows, separated by commas; or NULL */
static unsigned long rows, failures, gains;

/* --- the vault ---------------------------------------------------------------- */

static void
must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "attack: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void
make_dir(const char *path, mode_t mode, uid_t uid, gid_t gid)
{
	must(mkdir(path, 0700) == 0 && chown(path, uid, gid) == 0 &&
		chmod(path, mode) == 0,
	    path);
}

/* An attestation in a trail of its own; all with that mode. */
static void
make_place(char out[PATH_LEN], const char *name, mode_t mode, uid_t uid,
    gid_t gid, unsigned depth)
{
	char base[PATH_LEN / 2 + 64];

	snprintf(base, sizeof base, "%s/attack-%ld-%s", world.mnt,
	    (long)getpid(), name);
	make_dir(base, mode, uid, gid);
	snprintf(out, PATH_LEN, "%s/w", base);
	make_dir(out, mode, uid, gid);
	if (depth == 2)
		return;
	snprintf(out, PATH_LEN, "%s/w/ev", base);
	make_dir(out, mode, uid, gid);
}

/* The victim's files. */
static int
fill_place(void *dir)
{
	static char big[BIG_SIZE];

	become(VICTIM, true);
	umask(0);
	if (chdir(dir) < 0)
		return 1;
	pattern(big, sizeof big, 7);
	if (put_with_mode(SEALED, SEALED_TEXT, strlen(SEALED_TEXT), 0666) < 0 ||
	    put_with_mode(BIG, big, sizeof big, 0666) < 0 ||
	    put_with_mode(PROGRAM, "#!/bin/sh\nexit 0\n", 17, 0777) < 0 ||
	    put_with_mode(DRAFT, "a draft\n", 8, 0666) < 0 || sync_dir(".") < 0)
		return 2;
	return strcmp(fact(SEALED, "state"), "sealed") == 0 &&
		strcmp(fact(BIG, "state"), "sealed") == 0 ?
	    0 :
	    3;
}

static int
fill_secret(void *dir)
{
	become(VICTIM, false);
	umask(0);
	if (chdir(dir) < 0 || put_text(SECRET_NAME, SECRET_TEXT) < 0 ||
	    sync_dir(".") < 0)
		return 1;
	return 0;
}

/* Keep a file open for writing, until the end. */
static int
hold(void *dir)
{
	static char text[LOG_ENTERED + 1000];
	int fd, log;

	become(VICTIM, true);
	umask(0);
	if (chdir(dir) < 0)
		return 1;
	pattern(text, sizeof text, 9);
	log = open(LOG, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (log < 0 || fsetxattr(log, "user.trailfs.stream", "1", 1, 0) < 0 ||
	    write(log, text, sizeof text) != sizeof text || fsync(log) < 0)
		return 1;
	while (strtol(fact(LOG, "proven"), NULL, 10) < LOG_ENTERED)
		nap_ms(20);
	if ((fd = open(HELD, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) <
		0 ||
	    write(fd, "not sealed\n", 11) != 11)
		return 1;
	while (!atomic_load(&shared->over))
		nap_ms(50);
	return close(fd);
}

/* The source of the mount, which is the store, from /proc/self/mountinfo. */
static void
find_store(void)
{
	char line[4096], at[PATH_LEN], source[PATH_LEN];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	const char *rest;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "%*s %*s %*s %*s %511s", at) == 1 &&
		    strcmp(at, world.mnt) == 0 &&
		    (rest = strstr(line, " - ")) != NULL &&
		    sscanf(rest, " - %*s %511s", source) == 1 &&
		    source[0] == '/' && strlen(source) < sizeof world.store)
			strcpy(world.store, source);
	if (f != NULL)
		fclose(f);
}

static void
find_daemon(void)
{
	char path[PATH_LEN + 32], text[8192];
	const char *pid;
	int n;

	snprintf(path, sizeof path, "%s/.trailfs/status.json", world.mnt);
	n = read_bytes(path, text, sizeof text - 1);
	must(n > 0, path);
	text[n] = '\0';
	pid = strstr(text, "\"pid\":");
	must(pid != NULL, "status.json names no pid");
	world.daemon = (pid_t)strtol(pid + 6, NULL, 10);
}

static pid_t
prepare(void)
{
	pid_t holder;

	umask(0);
	make_place(world.open, "open", 0777, VICTIM, VICTIM, 3);
	make_place(world.team, "team", 02770, VICTIM, TEAM_GID, 3);
	make_place(world.secret, "secret", 0700, VICTIM, VICTIM, 3);
	make_place(world.others, "others", 0755, OTHER, OTHER, 2);
	errno = 0;
	must(ended(child(fill_place, world.open)) == 0, world.open);
	must(ended(child(fill_place, world.team)) == 0, world.team);
	must(ended(child(fill_secret, world.secret)) == 0, world.secret);
	holder = child(hold, world.open);
	must(chdir(world.open) == 0, world.open);
	for (int i = 0; access(HELD, F_OK) < 0; i++) {
		must(i < 3000, HELD);
		nap_ms(10);
	}
	check_evidence();
	return holder;
}

/* --- rows ------------------------------------------------------------------------ */

static bool
write_map(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 &&
	    write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Be root of a new user namespace. */
static bool
enter_namespaces(bool all)
{
	char map[64];
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int flags = CLONE_NEWUSER | (all ? CLONE_NEWNS | CLONE_NEWPID : 0);

	if (unshare(flags) < 0)
		return false;
	(void)write_map("/proc/self/setgroups", "deny");
	snprintf(map, sizeof map, "0 %u 1", gid);
	if (!write_map("/proc/self/gid_map", map))
		return false;
	snprintf(map, sizeof map, "0 %u 1", uid);
	return write_map("/proc/self/uid_map", map);
}

static int
attack_as(const struct row *r, enum posture by)
{
	pid_t pid;

	umask(0);
	switch (by) {
	case BY_ROOT:
		break;
	case BY_MEMBER:
		become(MEMBER, true);
		break;
	case BY_OWNER:
		become(VICTIM, true);
		break;
	default:
		become(STRANGER, false);
	}
	if ((by == BY_USERNS || by == BY_NAMESPACES) &&
	    !enter_namespaces(by == BY_NAMESPACES)) {
		skipped("no user namespaces");
		return 0;
	}
	if (chdir(by == BY_MEMBER ? world.team : world.open) < 0) {
		fault("chdir: %s", strerror(errno));
		return 0;
	}
	if (by == BY_NAMESPACES) {
		if ((pid = fork()) != 0)
			return pid < 0 ? 1 : ended(pid);
		signal(SIGPIPE, SIG_IGN);
	}
	r->attack();
	return 0;
}

/* Wait for the process group of a row. */
static void
await_row(pid_t pid, enum posture by)
{
	uint64_t end = now_ns() + ROW_S * UINT64_C(1000000000);
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ns() > end) {
			fault("it hangs, as %s", postures[by]);
			kill(-pid, SIGKILL);
			kill(pid, SIGKILL);
			(void)waitpid(pid, &status, 0);
			return;
		}
		nap_ms(2);
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fault("as %s it ended with status %d", postures[by], status);
}

static void
begin_row(const struct row *r)
{
	strcpy(shared->row, r->id);
	atomic_store(&shared->tries, 0);
	atomic_store(&shared->gains, 0);
	atomic_store(&shared->faults, 0);
	atomic_store(&shared->skips, 0);
	atomic_store(&shared->told, 0);
	shared->why[0] = '\0';
	for (size_t i = 0; i < LEN(shared->probe); i++)
		atomic_store(&shared->probe[i].row_worst_ns, 0);
}

static void
end_row(const struct row *r)
{
	unsigned long tries = atomic_load(&shared->tries);
	uint64_t worst = 0;
	bool ok;

	for (size_t i = 0; i < LEN(shared->probe); i++)
		if (atomic_load(&shared->probe[i].row_worst_ns) > worst)
			worst = atomic_load(&shared->probe[i].row_worst_ns);
	ok = atomic_load(&shared->gains) == 0 &&
	    atomic_load(&shared->faults) == 0;
	rows++;
	failures += !ok;
	gains += atomic_load(&shared->gains);
	atomic_fetch_add(&shared->requests, tries);
	if (ok && tries == 0)
		printf("%-4s skip  %s: %s\n", r->id, r->title,
		    shared->why[0] != '\0' ? shared->why : "nothing to try");
	else
		printf("%-4s %s  %s: %lu attempts, others waited %llu ms, "
		       "daemon %ld MB%s%s\n",
		    r->id, ok ? "ok  " : "FAIL", r->title, tries,
		    (unsigned long long)(worst / 1000000), daemon_rss() >> 10,
		    ok ? "" : ": ", ok ? "" : shared->why);
	fflush(stdout);
}

static void
run_row(const struct row *r)
{
	pid_t pid;

	begin_row(r);
	for (int by = 0; by < POSTURES; by++) {
		if ((r->by & 1u << by) == 0)
			continue;
		fflush(NULL);
		pid = fork();
		if (pid == 0) {
			setsid();
			_exit(attack_as(r, (enum posture)by));
		}
		if (pid < 0)
			fault("fork: %s", strerror(errno));
		else
			await_row(pid, (enum posture)by);
	}
	if (r->after != NULL)
		r->after();
	check_evidence();
	if (daemon_rss() < 0)
		fault("the daemon has ended");
	end_row(r);
}

static bool
is_wanted(const char *id)
{
	size_t n = strlen(id);

	for (const char *p = only; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, id, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	}
	return only == NULL;
}

/* What holds after all rows. */
static void
last_row(void)
{
	static const struct row last = { .id = "END",
		.title = "all that was acknowledged is there" };

	begin_row(&last);
	check_acknowledged();
	check_evidence();
	if (daemon_rss() < 0)
		fault("the daemon has ended");
	end_row(&last);
}

static int
attack_all(void)
{
	pid_t probe, holder = prepare();
	bool in_time;

	probe = probe_start();
	for (size_t t = 0; t < LEN(tables); t++)
		for (const struct row *r = tables[t]; r->id != NULL; r++)
			if (is_wanted(r->id) && daemon_rss() >= 0)
				run_row(r);
	atomic_store(&shared->over, true);
	(void)ended(probe);
	(void)ended(holder);
	last_row();
	in_time = probe_report();
	printf("attack: %lu rows, %lu attempts, %lu gains, %lu rows failed\n",
	    rows, (unsigned long)atomic_load(&shared->requests), gains,
	    failures);
	return failures > 0 || !in_time;
}

/* The absolute path of path, unless it is too long. */
static bool
absolute(char out[PATH_LEN / 2], const char *path)
{
	char *full = realpath(path, NULL);
	bool ok = full != NULL && strlen(full) < PATH_LEN / 2;

	if (ok)
		strcpy(out, full);
	free(full);
	return ok;
}

int
main(int argc, char **argv)
{
	const char *check = NULL;
	int c;

	world.requests = 100000;
	world.growth_kb = 8192;
	while ((c = getopt(argc, argv, "a:c:fl:m:n:o:p:r:t:v")) != -1) {
		switch (c) {
		case 'a':
			acknowledged_list = optarg;
			break;
		case 'c':
			check = optarg;
			break;
		case 'f':
			world.fill = true;
			break;
		case 'l':
			world.limit = strtoul(optarg, NULL, 10);
			break;
		case 'm':
			world.growth_kb = strtol(optarg, NULL, 10);
			break;
		case 'n':
			world.requests = strtoul(optarg, NULL, 10);
			break;
		case 'o':
			must(absolute(world.all, optarg), optarg);
			break;
		case 'p':
			world.router = (pid_t)strtol(optarg, NULL, 10);
			break;
		case 'r':
			only = optarg;
			break;
		case 't':
			must(absolute(world.trailfs, optarg), optarg);
			break;
		case 'v':
			report_all = true;
			break;
		default:
			return 2;
		}
	}
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(shared != MAP_FAILED, "mmap");
	signal(SIGPIPE, SIG_IGN);
	if (check != NULL) {
		acknowledged_list = check;
		check_acknowledged();
		printf("%s\n",
		    atomic_load(&shared->faults) == 0 ?
			"all that was acknowledged is there" :
			shared->why);
		return atomic_load(&shared->faults) > 0;
	}
	if (optind + 1 != argc || geteuid() != 0 ||
	    !absolute(world.mnt, argv[optind])) {
		fprintf(stderr,
		    "usage: attack [-f] [-n REQUESTS] [-l LIMIT] [-m KB] "
		    "[-r ROW,...] [-a LIST] [-t TRAILFS] [-o MOUNT -p PID] "
		    "[-v] MOUNT\n"
		    "root runs it\n");
		return 2;
	}
	must(open_acknowledged(), acknowledged_list);
	find_store();
	find_daemon();
	return attack_all();
}
