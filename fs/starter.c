/* The process that starts daemons for a router: see starter.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/array.h"
#include "sandbox.h"
#include "starter.h"

#define CONNECTION (STDERR_FILENO + 1) /* in a daemon */
#define PATIENCE_MS 10000 /* for daemons to end when the router has */

struct started {
	uint64_t key;
	pid_t pid;
};

struct starter {
	int fd; /* to the router */
	const struct fs_options *o;
	struct started *started;
	size_t n, cap;
};

/* Where daemons ask for bytes that their copies lack: as the options say, or of the
 * process that fetches into the directory, if there is one.  NULL: nowhere. */
static const char *
objects_of(const struct fs_options *o, char *path, size_t size)
{
	int n;

	if (o->objects != NULL)
		return o->objects;
	n = snprintf(path, size, "%s/.follow", o->store);
	/* A comma would begin another option. */
	return n > 0 && (size_t)n < size && strchr(path, ',') == NULL &&
		access(path, F_OK) == 0 ?
	    path :
	    NULL;
}

static char *
options_of(const struct fs_options *o)
{
	struct sockaddr_un a;
	const char *objects = objects_of(o, a.sun_path, sizeof a.sun_path);
	const char *auditors = o->settings.role[TF_AUDITORS].name,
		   *admins = o->settings.role[TF_ADMINS].name;
	char *text;

	if (asprintf(&text, "ro,threads=%u,verify=%s%s%s%s%s%s%s%s%s",
		o->threads, o->verify_open ? "open" : "none",
		auditors[0] != '\0' ? ",auditors=" : "", auditors,
		admins[0] != '\0' ? ",admins=" : "", admins,
		o->user != NULL ? ",user=" : "", o->user != NULL ? o->user : "",
		objects != NULL ? ",objects=" : "",
		objects != NULL ? objects : "") < 0)
		return NULL;
	return text;
}

/* In the new process. */
static void __attribute__((noreturn))
run_daemon(const struct fs_options *o, const char *name, int connection)
{
	char *store, *mnt, *options = options_of(o), at[32];
	sigset_t none;

	(void)snprintf(at, sizeof at, "/dev/fd/%d", CONNECTION);
	if (options == NULL || asprintf(&store, "%s/%s", o->store, name) < 0 ||
	    asprintf(&mnt, "%s/%s", o->mnt, name) < 0)
		_exit(EXIT_FAILURE);
	if (connection != CONNECTION)
		(void)dup2(connection, CONNECTION);
	else
		(void)fcntl(CONNECTION, F_SETFD, 0);
	closefrom(CONNECTION + 1);
	/* systemd listens to the router. */
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (o->foreground)
		(void)execl("/proc/self/exe", "trailfs", "-f", "-o", options,
		    "--", store, at, mnt, (char *)NULL);
	else
		(void)execl("/proc/self/exe", "trailfs", "-o", options, "--",
		    store, at, mnt, (char *)NULL);
	_exit(EXIT_FAILURE);
}

static bool
is_origin(const struct fs_starter_request *r)
{
	return memchr(r->name, '\0', sizeof r->name) != NULL &&
	    r->name[0] != '\0' && r->name[0] != '.' &&
	    strchr(r->name, '/') == NULL;
}

static void
tell(const struct starter *s, uint64_t key, pid_t pid, int status)
{
	const struct fs_starter_event e = { key, pid, status };

	(void)fs_helper_send(s->fd, &e, sizeof e, NULL, 0);
}

static void
start(struct starter *s, const struct fs_starter_request *r, int connection)
{
	pid_t pid = -1;

	if (connection >= 0 && is_origin(r) &&
	    tf_array_room(&s->started, s->n, &s->cap, sizeof *s->started))
		pid = fork();
	if (pid == 0)
		run_daemon(s->o, r->name, connection);
	if (pid > 0)
		s->started[s->n++] = (struct started){ r->key, pid };
	tell(s, r->key, pid > 0 ? pid : 0, pid > 0 ? 0 : EXIT_FAILURE << 8);
}

static void
kill_one(const struct starter *s, uint64_t key)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->started[i].key == key)
			(void)kill(s->started[i].pid, SIGKILL);
}

/* Forget the daemons that have ended, and say so. */
static void
reap(struct starter *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < s->n; i++) {
			if (s->started[i].pid != pid)
				continue;
			tell(s, s->started[i].key, 0, status);
			s->started[i] = s->started[--s->n];
			break;
		}
}

/* The router has ended.  Its daemons lose their connections, and end by themselves. */
static void
end(struct starter *s, int signals)
{
	struct pollfd p = { .fd = signals, .events = POLLIN };
	struct signalfd_siginfo si;

	for (int ms = 0; s->n > 0 && ms < PATIENCE_MS; ms += 100) {
		if (poll(&p, 1, 100) > 0)
			(void)!read(signals, &si, sizeof si);
		reap(s);
	}
	for (size_t i = 0; i < s->n; i++)
		(void)kill(s->started[i].pid, SIGKILL);
}

static void
run(int fd, const void *arg)
{
	struct starter s = { .fd = fd, .o = arg };
	struct fs_starter_request r;
	struct signalfd_siginfo si;
	int got[FS_HELPER_FDS];
	struct pollfd p[2] = { { .fd = fd, .events = POLLIN },
		{ .events = POLLIN } };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	p[1].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (p[1].fd < 0 || !fs_sandbox_starter())
		return;
	if (!s.o->foreground)
		fs_helper_be_silent();
	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if ((p[1].revents & POLLIN) != 0) {
			(void)!read(p[1].fd, &si, sizeof si);
			reap(&s);
		}
		if (p[0].revents == 0)
			continue;
		if (!fs_helper_receive(fd, &r, sizeof r, got))
			break;
		if (r.verb == FS_STARTER_START)
			start(&s, &r, got[0]);
		else
			kill_one(&s, r.key);
		for (int i = 0; i < FS_HELPER_FDS; i++)
			if (got[i] >= 0)
				(void)close(got[i]);
	}
	end(&s, p[1].fd);
}

enum tf_code
fs_starter_start(struct fs_helper *h, const struct fs_options *o,
    struct tf_error *err)
{
	return fs_helper_start(h, "trailfs-starter", run, o, err);
}
