/* Descriptors that travel, races, and what a killed writer leaves. */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "attack.h"

#define KILLED 10 /* writers */

static bool
is_sealed(const char *path)
{
	return strcmp(fact(path, "state"), "sealed") == 0;
}

/* --- C9, C10: one of several descriptors is closed ---------------------------------- */

static int
write_second_half(void *fd)
{
	return write(*(int *)fd, "two\n", 4) == 4 ? 0 : 1;
}

static void
write_through_copies(void)
{
	char name[64], got[16];
	int fd = open(fresh(name, "copies"), O_WRONLY | O_CREAT | O_EXCL, 0666);
	int other = dup(fd);

	if (fd < 0 || other < 0 || write(fd, "one\n", 4) != 4 ||
	    close(fd) < 0) {
		fault("%s: %s", name, strerror(errno));
		return;
	}
	(void)sync_dir(".");
	if (is_sealed(name))
		gained("%s is sealed while it can be written", name);
	if (ended(child(write_second_half, &other)) != 0)
		fault("%s: the copy cannot write", name);
	close(other);
	(void)sync_dir(".");
	if (!is_sealed(name) || read_bytes(name, got, sizeof got) != 8 ||
	    memcmp(got, "one\ntwo\n", 8) != 0)
		fault("%s is not what was written", name);
	REFUSED(try_open(name, O_WRONLY));
}

static int pair[2];

static void
send_fd(int fd)
{
	char c = 'x', room[CMSG_SPACE(sizeof fd)] = { 0 };
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof room };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
	if (sendmsg(pair[0], &m, 0) != 1)
		fault("sendmsg: %s", strerror(errno));
}

static int
receive_fd(void)
{
	char c, room[CMSG_SPACE(sizeof(int))];
	struct iovec v = { &c, 1 };
	struct msghdr m = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof room };
	int fd;

	if (recvmsg(pair[1], &m, MSG_CMSG_CLOEXEC) != 1 ||
	    CMSG_FIRSTHDR(&m) == NULL)
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

static int
write_what_comes(void *unused)
{
	int fd = receive_fd();

	(void)unused;
	return fd >= 0 && write(fd, "two\n", 4) == 4 && close(fd) == 0 ? 0 : 1;
}

static void
send_descriptors(void)
{
	char name[64], got[16], again[64];
	int fd, reader;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ||
	    (fd = open(fresh(name, "sent"), O_WRONLY | O_CREAT | O_EXCL,
		 0666)) < 0 ||
	    write(fd, "one\n", 4) != 4) {
		fault("%s: %s", name, strerror(errno));
		return;
	}
	reader = open(name, O_RDONLY);
	send_fd(fd);
	close(fd); /* no process has it now */
	(void)sync_dir(".");
	if (is_sealed(name))
		gained("%s is sealed while it is on its way", name);
	if (ended(child(write_what_comes, NULL)) != 0)
		fault("%s: who got it cannot write", name);
	(void)sync_dir(".");
	if (!is_sealed(name) || read_bytes(name, got, sizeof got) != 8)
		fault("%s is not sealed as it was written", name);
	snprintf(again, sizeof again, "/proc/self/fd/%d", reader);
	REFUSED(try_open(again, O_RDWR));
	REFUSED(write(reader, "x", 1));
	REFUSED(ftruncate(reader, 0));
	close(reader);
	close(pair[0]);
	close(pair[1]);
}

/* --- C12: one name, two makers -------------------------------------------------------- */

#define MAKERS 4
#define CONTESTED 25

static char contest[64];

/* Returns how many names it got. */
static int
make_each(void *unused)
{
	char path[96], text[64];
	int won = 0, fd;

	(void)unused;
	for (int i = 0; i < CONTESTED; i++) {
		snprintf(path, sizeof path, "%s-%d", contest, i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0 && errno != EEXIST)
			return 200;
		if (fd < 0)
			continue;
		snprintf(text, sizeof text, "by %ld", (long)getpid());
		if (write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
		    close(fd) < 0)
			return 201;
		won++;
	}
	return won;
}

/* Another user writes what somebody has open. */
static int
write_too(void *path)
{
	if (is_root())
		become(SECOND, true);
	REFUSED(try_open(path, O_WRONLY));
	REFUSED(try_open(path, O_WRONLY | O_TRUNC));
	REFUSED(try_open(path, O_RDWR | O_APPEND));
	return 0;
}

static void
contend(void)
{
	pid_t pid[MAKERS];
	char name[64];
	int won = 0, fd;

	fresh(contest, "contest");
	for (int i = 0; i < MAKERS; i++)
		pid[i] = child(make_each, NULL);
	for (int i = 0; i < MAKERS; i++)
		won += ended(pid[i]);
	if (won != CONTESTED)
		fault("%d makers had %d of %d names", MAKERS, won, CONTESTED);
	if (!is_root() && geteuid() != VICTIM && access(HELD, F_OK) == 0)
		(void)write_too((char *)HELD); /* the victim's */
	else if (is_root() &&
	    (fd = open(fresh(name, "mine"), O_WRONLY | O_CREAT, 0666)) >= 0) {
		(void)ended(child(write_too, name));
		close(fd);
	}
}

/* --- C13: close, write, rename and seal at once ------------------------------------------ */

#define ROUNDS 20
#define WRITERS 4
#define LINE "a line of sixteen"

static struct {
	char name[3][64];
	int fd[WRITERS];
	atomic_bool over;
	atomic_uint lines;
} race;

static void *
write_and_close(void *arg)
{
	int fd = *(int *)arg;

	for (int i = 0; i < 5; i++)
		if (write(fd, LINE, sizeof LINE - 1) == sizeof LINE - 1)
			atomic_fetch_add(&race.lines, 1);
	close(fd);
	return NULL;
}

static void *
rename_and_seal(void *arg)
{
	(void)arg;
	for (unsigned i = 0; !atomic_load(&race.over); i++) {
		(void)rename(race.name[i % 3], race.name[(i + 1) % 3]);
		(void)sync_dir(".");
		(void)try_open(race.name[i % 3], O_WRONLY | O_APPEND);
	}
	return NULL;
}

static void
race_once(void)
{
	pthread_t writer[WRITERS], other[3];
	struct stat st;
	int fd, found = 0;

	for (int i = 0; i < 3; i++)
		fresh(race.name[i], "race");
	atomic_store(&race.over, false);
	atomic_store(&race.lines, 0);
	fd = open(race.name[0],
	    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
	for (int i = 0; i < WRITERS; i++)
		race.fd[i] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	close(fd);
	for (int i = 0; i < WRITERS; i++)
		pthread_create(&writer[i], NULL, write_and_close, &race.fd[i]);
	for (int i = 0; i < 3; i++)
		pthread_create(&other[i], NULL, rename_and_seal, NULL);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writer[i], NULL);
	atomic_store(&race.over, true);
	for (int i = 0; i < 3; i++)
		pthread_join(other[i], NULL);
	(void)sync_dir(".");
	for (int i = 0; i < 3; i++) {
		if (stat(race.name[i], &st) < 0)
			continue;
		found++;
		if (st.st_size !=
		    (off_t)(atomic_load(&race.lines) * (sizeof LINE - 1)))
			fault("%s has %lld bytes, and %u lines were written",
			    race.name[i], (long long)st.st_size,
			    atomic_load(&race.lines));
		check_digest(race.name[i]);
	}
	atomic_fetch_add(&shared->tries, 1);
	if (found != 1)
		fault("a race left %d names", found);
}

static void
race_all(void)
{
	for (int i = 0; i < ROUNDS; i++)
		race_once();
}

/* --- C14: what is not sealed is not shown as sealed ------------------------------------------ */

static void
read_unsealed(void)
{
	char value[100];

	if (is_sealed(HELD))
		gained("%s is shown as sealed", HELD);
	REFUSED(getxattr(HELD, "user.trailfs.sha256", value, sizeof value));
	REFUSED(getxattr(HELD, "user.trailfs.index", value, sizeof value));
	REFUSED(try_open("../ev/.trailfs/proof/" HELD ".tlog-proof", O_RDONLY));
}

/* --- C15: writers that are killed ---------------------------------------------------------- */

static int
write_half(void *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);

	if (fd < 0 || write(fd, "half", 4) != 4)
		return 1;
	raise(SIGKILL);
	return 2;
}

/* The kernel closes what a killed process had open a moment after it has
 * ended. */
static void
await_close(const char *path)
{
	for (int i = 0; i < 3000 && strcmp(fact(path, "state"), "open") == 0;
	     i++)
		nap_ms(10);
}

static void
kill_writers(void)
{
	char name[64], draft[80], first[64] = "", state[64];

	for (int i = 0; i < KILLED; i++) {
		fresh(name, "killed");
		(void)ended(child(write_half, name));
		await_close(name);
		(void)sync_dir(".");
		snprintf(state, sizeof state, "%s", fact(name, "state"));
		if (i == 0)
			strcpy(first, state);
		atomic_fetch_add(&shared->tries, 1);
		if (strcmp(first, state) != 0)
			fault("killed writers leave \"%s\" and \"%s\"", first,
			    state);
		check_digest(name);
		/* A writer who needs all or nothing has this. */
		snprintf(draft, sizeof draft, "%s.part", name);
		(void)ended(child(write_half, draft));
		await_close(draft);
		(void)sync_dir(".");
		if (is_sealed(draft))
			gained("half of %s is evidence", draft);
		(void)unlink(draft);
	}
}

/* --- G1: a log that grows -------------------------------------------------------------------- */

/* Is the log of the victim as long as it was, with the bytes that are entered? */
static void
check_log(void)
{
	static char want[LOG_ENTERED], got[LOG_ENTERED];
	char path[PATH_LEN + 16];

	snprintf(path, sizeof path, "%s/" LOG, world.open);
	pattern(want, sizeof want, 9);
	if (read_bytes(path, got, sizeof got) != LOG_ENTERED)
		gained("%s has lost bytes that are entered", path);
	else if (memcmp(want, got, sizeof got) != 0)
		gained("%s has other bytes than were entered", path);
	if (strtol(fact(path, "proven"), NULL, 10) < LOG_ENTERED)
		gained("%s is not entered any more", path);
}

static void
change_log(void)
{
	char name[64];

	if (access(LOG, F_OK) < 0) {
		skipped("not in the directory of the group");
		return;
	}
	REFUSED(try_open(LOG, O_WRONLY | O_TRUNC));
	REFUSED(try_open(LOG, O_RDWR | O_CREAT | O_TRUNC));
	REFUSED(truncate(LOG, 0));
	REFUSED(truncate(LOG, LOG_ENTERED - 1));
	REFUSED(unlink(LOG));
	REFUSED(rename(LOG, fresh(name, "log") /* no draft */));
	REFUSED(rename(LOG, "log.tmp"));
	REFUSED(rename(DRAFT, LOG));
	REFUSED(renameat2(AT_FDCWD, LOG, AT_FDCWD, DRAFT, 2));
	REFUSED(link(LOG, fresh(name, "link")));
	REFUSED(removexattr(LOG, "user.trailfs.stream"));
	REFUSED(setxattr(LOG, "user.trailfs.stream", "0", 1, 0));
	REFUSED(setxattr(LOG, "user.trailfs.proven", "0", 1, 0));
	REFUSED(removexattr(LOG, "user.trailfs.proven"));
}

const struct row writing_rows[] = {
	{ "C9", "one of several descriptors is closed", write_through_copies,
	    EVERYBODY, NULL },
	{ "C10", "a descriptor in a socket", send_descriptors, EVERYBODY,
	    NULL },
	{ "C12", "one name, several makers", contend, EVERYBODY, NULL },
	{ "C13", "close, write, rename and seal at once", race_all,
	    STRANGERS | ROOT, NULL },
	{ "C14", "what is being written, shown as evidence", read_unsealed,
	    USERS, NULL },
	{ "C15", "writers that are killed", kill_writers, EVERYBODY, NULL },
	{ "G1", "a log that is entered while it grows", change_log, EVERYBODY,
	    check_log },
	{ 0 },
};
