/*
 * trailfs: mount a store, serve it, and end in order.
 *
 * The fork comes before the vault is opened, for that starts threads; the
 * parent waits until the mount stands, so that whoever started us may use it
 * at once.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actor.h"
#include "control.h"
#include "core/environment.h"
#include "handle.h"
#include "handshake.h"
#include "loop.h"
#include "mount.h"
#include "notify.h"
#include "ops.h"
#include "passthrough.h"
#include "report.h"
#include "start.h"
#include "worker.h"

#define EXIT_USAGE 2
#define EXIT_LOCKED 3 /* another process has the store */
#define THREADS_DEFAULT 4
#define STOP_TRIES 50 /* to unmount while files are open */
#define STOP_WAIT_MS 100
#define LEFT_IDLE_MS 2000 /* a mount seen only by others ends after that */
#define STOP_PATIENT 20 /* of these tries are before what is long is given up */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* the leak checker must read our memory */
#else
#define SANITIZED 0
#endif

struct options {
	const char *store_arg, *mnt_arg;
	char *store, *mnt; /* absolute; owned */
	struct tf_settings settings;
	unsigned threads;
	bool verify_open;
	enum tf_durability durability;
	bool allow_other;
	bool read_only;
	bool foreground, debug;
};

/* --- the command line --------------------------------------------------- */

static void
usage(FILE *to)
{
	fputs(
	    "usage: trailfs STORE MOUNTPOINT [-o OPTION[,OPTION...]] [-f] "
	    "[-d]\n"
	    "       trailfs -h | --help | -V | --version\n"
	    "  -f  stay in the foreground, log to stderr\n"
	    "  -d  the same, and print every request\n"
	    "options:\n"
	    "  settle=S          seconds that a closed file's name and metadata "
	    "may\n"
	    "                    still change, 0 to 60 (2)\n"
	    "  quiet=S           seconds after which an attestation that nobody "
	    "touches\n"
	    "                    is sealed (never)\n"
	    "  placeholder=S     seconds after which a file that was never "
	    "written is\n"
	    "                    sealed as it is, empty (600)\n"
	    "  max_file=BYTES    no file is longer; K, M, G, T may stand "
	    "behind (no limit)\n"
	    "  max_staged=BYTES  no user has more that is not sealed yet (no "
	    "limit)\n"
	    "  mode_floor=MODE   reading bits that evidence gets at its seal, "
	    "as 0440\n"
	    "  max_unsealed=N    no user has more names that are not sealed yet "
	    "(100000)\n"
	    "  max_store=BYTES   evidence, entries and what is not sealed take "
	    "no more\n"
	    "                    (no limit)\n"
	    "  max_open=N        no user has more files open for writing "
	    "(10000)\n"
	    "  max_draft=N       no draft attestation holds more names (10000)\n"
	    "  threads=N         workers, 1 to 64 (cores, at most 4)\n"
	    "  verify=open|none  check a file's bytes when it is first opened "
	    "(open)\n"
	    "  ro                only show what is sealed; makes no file in the "
	    "store\n"
	    "  durability=close|batch  what close(2) waits for: the disk, or "
	    "nothing\n"
	    "                    (close)\n"
	    "  allow_other       other users may enter (always, as root)\n",
	    to);
}

static bool
parse_number(const char *s, unsigned min, unsigned max, unsigned *out)
{
	char *end;
	unsigned long v;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	v = strtoul(s, &end, 10);
	if (errno != 0 || *end != '\0' || v < min || v > max)
		return false;
	*out = (unsigned)v;
	return true;
}

/* Words for mount(8) and fstab, or what holds anyway. */
static bool
is_ignored(const char *name)
{
	static const char *const words[] = { "dev", "suid", "nodev", "nosuid",
		"noexec", "exec", "auto", "noauto", "nofail", "_netdev",
		"defaults", "default_permissions", "noatime", "user", "users",
		"nouser", "owner", "group" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strcmp(name, words[i]) == 0)
			return true;
	return strncmp(name, "x-", 2) == 0 || strncmp(name, "user=", 5) == 0;
}

/* One word of -o. */
static bool
parse_option(struct options *o, char *word)
{
	char *value = strchr(word, '=');
	bool ours;

	if (value != NULL) {
		*value = '\0';
		ours = tf_settings_take(&o->settings, word, value + 1);
		*value = '=';
		if (ours)
			return true;
	}
	if (strncmp(word, "threads=", 8) == 0)
		return parse_number(word + 8, 1, FS_LOOP_THREADS, &o->threads);
	if (strcmp(word, "durability=close") == 0 ||
	    strcmp(word, "durability=batch") == 0) {
		o->durability = strcmp(word, "durability=close") == 0 ?
		    TF_DURABLE_CLOSE :
		    TF_DURABLE_BATCH;
		return true;
	}
	if (strcmp(word, "verify=open") == 0 ||
	    strcmp(word, "verify=none") == 0) {
		o->verify_open = strcmp(word, "verify=open") == 0;
		return true;
	}
	if (strcmp(word, "ro") == 0 || strcmp(word, "rw") == 0) {
		o->read_only = word[1] == 'o';
		return true;
	}
	if (strcmp(word, "allow_other") == 0) {
		o->allow_other = true;
		return true;
	}
	return *word == '\0' || is_ignored(word);
}

static bool
parse_options(struct options *o, char *list)
{
	char *word;

	while ((word = strsep(&list, ",")) != NULL) {
		if (parse_option(o, word))
			continue;
		fprintf(stderr,
		    "trailfs: option '%s' is not one of ours, or "
		    "its value does not fit (trailfs -h lists them)\n",
		    word);
		return false;
	}
	return true;
}

/* The exit status, or -1 to go on.  mount(8) may add -n, -s and -v. */
static int
parse_arguments(struct options *o, int argc, char **argv)
{
	static const struct option words[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:fdhVnsv", words, NULL)) != -1) {
		switch (c) {
		case 'o':
			if (!parse_options(o, optarg))
				return EXIT_USAGE;
			break;
		case 'd':
			o->debug = true;
			/* FALLTHROUGH */
		case 'f':
			o->foreground = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		case 'V':
			printf("trailfs %s\nlibfuse %s\n", TF_VERSION,
			    fuse_pkgversion());
			return 0;
		case 'n':
		case 's':
		case 'v':
			break;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (argc - optind != 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	o->store_arg = argv[optind];
	o->mnt_arg = argv[optind + 1];
	return -1;
}

/* --- becoming a daemon -------------------------------------------------- */

static int
exit_status(enum tf_code rc)
{
	return rc == TF_OK  ? EXIT_SUCCESS :
	    rc == TF_LOCKED ? EXIT_LOCKED :
			      EXIT_FAILURE;
}

/* One line where it is read: the log, and stderr while the parent waits. */
static void
complain(const struct tf_error *e, int parent)
{
	const char *colon = e->sys != 0 ? ": " : "";
	const char *why = e->sys != 0 ? strerror(e->sys) : "";
	unsigned char failed = (unsigned char)exit_status(e->code);

	fs_report_line(LOG_ERR, "%s%s%s", e->text, colon, why);
	if (parent < 0)
		return;
	fprintf(stderr, "trailfs: %s%s%s\n", e->text, colon, why);
	(void)!write(parent, &failed, 1);
}

/* Whatever the one who started us left lying about. */
static void
harden(void)
{
	struct rlimit none = { 0, 0 };
	int fd;

	/* A pipe or a lock of whoever started us would live as long as we. */
	closefrom(STDERR_FILENO + 1);
	/* A store's file must never be opened as descriptor 0, 1 or 2. */
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO && fcntl(fd, F_SETFD, 0) == 0);
	if (fd >= 0)
		close(fd);
	/* Whatever is made in the store is its owner's alone. */
	umask(077);
	tf_environment_raise_limit();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	tf_environment_clean();
	if (!SANITIZED) {
		setrlimit(RLIMIT_CORE, &none);
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	}
	/* An ordinary user needs fusermount3, which is setuid. */
	if (geteuid() == 0)
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* In the parent: pass on how the child's start went. */
static int
await_child(int from)
{
	unsigned char status;
	ssize_t n;

	do
		n = read(from, &status, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return status;
	fputs("trailfs: the daemon ended before it had mounted\n", stderr);
	return EXIT_FAILURE;
}

/*
 * Go into the background.  In the child *to is where it says how that went;
 * what it prints on stderr until then is seen.  The parent does not return.
 */
static enum tf_code
daemonise(int *to, struct tf_error *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return tf_fail(err, TF_IO, "make a pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return tf_fail(err, TF_IO, "fork");
	if (pid > 0) {
		close(fds[1]);
		_exit(await_child(fds[0]));
	}
	close(fds[0]);
	setsid();
	*to = fds[1];
	return TF_OK;
}

/* Let the parent go, and its terminal.  *to is -1 afterwards. */
static void
tell_ready(int *to)
{
	unsigned char ok = 0;
	int null;

	if (*to < 0)
		return;
	if (chdir("/") < 0)
		fs_report_line(LOG_WARNING, "chdir: %s", strerror(errno));
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		close(null);
	}
	(void)!write(*to, &ok, 1);
	close(*to);
	*to = -1;
}

/* READY=1, when systemd started us and asked for it. */
static void
notify_systemd(void)
{
	static const char ready[] = "READY=1";
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t n;
	int fd;

	if (path == NULL || (n = strlen(path)) >= sizeof sa.sun_path)
		return;
	memcpy(sa.sun_path, path, n);
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, ready, sizeof ready - 1, MSG_NOSIGNAL,
	    (struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

/* --- serving ------------------------------------------------------------ */

static struct fuse_session *
new_session(struct fs *fs, const struct options *o)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *se = NULL;
	char *opts = NULL, *name = NULL;

	if (asprintf(&name, "fsname=%s", o->store) < 0)
		name = NULL;
	if (name != NULL &&
	    fuse_opt_add_opt(&opts,
		"default_permissions,nosuid,nodev,noexec,"
		"subtype=trailfs") == 0 &&
	    (!o->read_only || fuse_opt_add_opt(&opts, "ro") == 0) &&
	    (!o->allow_other || fuse_opt_add_opt(&opts, "allow_other") == 0) &&
	    fuse_opt_add_opt_escaped(&opts, name) == 0 &&
	    fuse_opt_add_arg(&args, "trailfs") == 0 &&
	    fuse_opt_add_arg(&args, "-o") == 0 &&
	    fuse_opt_add_arg(&args, opts) == 0 &&
	    (!o->debug || fuse_opt_add_arg(&args, "-d") == 0))
		se = fuse_session_new(&args, &fs_ops, sizeof fs_ops, fs);
	fuse_opt_free_args(&args);
	free(opts);
	free(name);
	return se;
}

/* Signals that end us, as a descriptor; no thread takes them. */
static int
open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void
take_signal(int fd)
{
	struct signalfd_siginfo si;

	if (read(fd, &si, sizeof si) == sizeof si)
		fs_report_line(LOG_NOTICE, "stopping: %s",
		    strsignal((int)si.ssi_signo));
}

/*
 * After a signal: no new writers, and a plain unmount as soon as nothing is
 * open.  A second signal cuts the waiting short.  True: unmounted.
 */
static bool
unmount_patiently(struct fs *fs, const char *mnt, int signals)
{
	struct pollfd p[2] = {
		{ .fd = fs_loop_end_fd(fs->loop), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};

	atomic_store(&fs->stopping, true);
	fs_worker_give_up(fs);
	for (int i = 0; i < STOP_TRIES; i++) {
		if (fs_mount_off(mnt, false))
			return true;
		/* Nobody closes a file before what is long to hash is given
		 * up. */
		if (i == STOP_PATIENT)
			tf_vault_stop(fs->vault);
		if (poll(p, 2, STOP_WAIT_MS) <= 0)
			continue;
		if ((p[0].revents & POLLIN) != 0)
			return true;
		take_signal(signals);
		break;
	}
	fs_report_line(LOG_WARNING, "files are still open: detached");
	return false;
}

/*
 * The last mount in this namespace was taken off.  Mostly the connection ends
 * now; a copy of the mount in another namespace would keep it for ever, with
 * the store locked by a mount that nobody sees.  So serve what is open, and end
 * when for some seconds nothing is.  False: the mount is here again.
 */
static bool
outlive_mount(struct fs *fs, const struct fs_mount_watch *watch,
    struct pollfd p[2])
{
	int idle = 0;

	while (idle < LEFT_IDLE_MS) {
		if (poll(p, 2, STOP_WAIT_MS) > 0)
			return true;
		idle = fs_handles_any(fs->handles) ? 0 : idle + STOP_WAIT_MS;
		if (fs_mount_is_here(watch))
			return false;
	}
	return true;
}

/* Until a signal comes or the mount is taken off.  Why, for the ledger.
 * *copies: the file system may still be mounted in other mount namespaces. */
static const char *
serve(struct fs *fs, const char *mnt, int signals, bool *closed, bool *copies)
{
	struct fs_mount_watch watch;
	struct pollfd p[3] = {
		{ .fd = fs_loop_end_fd(fs->loop), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};

	fs_mount_watch(&watch, mnt);
	p[2] = (struct pollfd){ .fd = watch.fd, .events = POLLPRI };
	for (;;) {
		if (poll(p, 3, -1) < 0)
			continue;
		if (((p[0].revents | p[1].revents) & POLLIN) != 0)
			break;
		if (!fs_mount_is_here(&watch) && outlive_mount(fs, &watch, p))
			break;
	}
	fs_mount_watch_end(&watch);
	if ((p[0].revents & POLLIN) != 0) {
		/* A dead mount here: the connection was cut, not unmounted. */
		*closed = !fs_mount_is_dead(mnt);
		return "unmounted";
	}
	if ((p[1].revents & POLLIN) == 0) {
		fs_report_line(LOG_WARNING,
		    "unmounted here; copies of the mount in other mount "
		    "namespaces are cut off");
		*closed = *copies = true;
		return "unmounted";
	}
	take_signal(signals);
	*closed = unmount_patiently(fs, mnt, signals);
	tf_vault_stop(fs->vault);
	return "signal";
}

/* Mount and serve.  vault is open; on return nothing is mounted. */
static enum tf_code
run_mounted(struct fs *fs, const struct options *o, int signals, int *parent,
    const char **reason, struct tf_error *err)
{
	struct fuse_session *se = new_session(fs, o);
	bool protected, closed = false, copies = false;
	enum tf_code rc;

	if (se == NULL)
		return tf_nomem(err);
	protected = fs_mount_protect(o->mnt);
	if (fuse_session_mount(se, o->mnt) != 0) {
		if (protected)
			fs_mount_unprotect(o->mnt);
		fuse_session_destroy(se);
		errno = 0;
		return tf_fail(err, TF_IO, "cannot mount at %s", o->mnt);
	}
	if (!o->debug)
		fuse_set_log_func(fs_report_fuse);
	if ((rc = fs_handshake(se, err)) == TF_OK &&
	    (rc = fs_worker_start(fs, err)) == TF_OK) {
		fs_notify_start(fs->notify, se);
		fs_passthrough_start(fs->passthrough, fuse_session_fd(se));
		rc = fs_loop_start(fs->loop, se, err);
	}
	if (rc == TF_OK) {
		fs_report_line(LOG_NOTICE, "%s mounted at %s", o->store,
		    o->mnt);
		tell_ready(parent);
		notify_systemd();
		*reason = serve(fs, o->mnt, signals, &closed, &copies);
		fs_notify_finish(fs->notify);
		fs_loop_stop(fs->loop);
		fs_handles_drain(fs->handles);
	}
	atomic_store(&fs->stopping, true);
	fs_worker_stop(fs);
	fs_notify_stop(fs->notify);
	fs_passthrough_stop(fs->passthrough);
	/* Closes the connection; detaches what is still mounted.  Where that
	 * was done already, something else may be mounted there now. */
	if (!copies)
		fuse_session_unmount(se);
	if (fs_mount_is_dead(o->mnt))
		(void)fs_mount_off(o->mnt, true);
	fs_handles_end(fs, closed);
	fuse_session_destroy(se);
	return rc;
}

/* Everything the handlers share but the vault. */
static enum tf_code
open_shared(struct fs *fs, const struct options *o, struct tf_error *err)
{
	fs->actors = fs_actors_new();
	fs->control = fs_control_new(fs->vault, &fs->stopping);
	fs->handles = fs_handles_new();
	fs->passthrough = fs_passthrough_new();
	if (fs->control == NULL || fs->handles == NULL)
		return tf_nomem(err);
	return fs_loop_new(o->threads, &fs->loop, err);
}

/* The daemon, from the opening of the vault to its closing. */
static enum tf_code
run(const struct options *o, int *parent, struct tf_error *err)
{
	struct tf_vault_options vo = {
		.read_only = o->read_only,
		.program = "trailfs",
		.mount = o->mnt,
		.settings = o->settings,
		.libfuse = fuse_pkgversion(),
		.verify_open = o->verify_open,
		.say = fs_report_news,
		.slow = fs_loop_away,
		.interrupted = fs_loop_interrupted,
		.changed = fs_notify_changed,
		.altered = fs_notify_altered,
		.arg = fs_notify_new(),
		.durability = o->durability,
	};
	struct fs fs = { .read_only = o->read_only, .notify = vo.arg };
	struct tf_error close_err;
	const char *reason = "unmounted";
	struct fs_start start;
	int signals = open_signals();
	enum tf_code rc = TF_OK, close_rc;

	if (signals < 0)
		rc = tf_fail(err, TF_IO, "take signals");
	else if (fs.notify == NULL)
		rc = tf_nomem(err);
	if (rc != TF_OK)
		goto out;
	fs_start_watch(&start, signals, *parent);
	rc = tf_vault_open(o->store, &vo, &fs.vault, err);
	fs_start_end(&start);
	if (rc != TF_OK)
		goto out;
	if ((rc = open_shared(&fs, o, err)) == TF_OK)
		rc = run_mounted(&fs, o, signals, parent, &reason, err);
	fs_control_free(fs.control); /* some of it is in the store */
	fs.control = NULL;
	close_rc = tf_vault_close(fs.vault, reason, &close_err);
	if (close_rc != TF_OK && rc == TF_OK) {
		rc = close_rc;
		*err = close_err;
	}
	if (rc == TF_OK)
		fs_report_line(LOG_NOTICE, "%s closed (%s)", o->store, reason);
out:
	fs_actors_free(fs.actors);
	fs_passthrough_free(fs.passthrough);
	fs_handles_free(fs.handles);
	fs_loop_free(fs.loop);
	fs_notify_free(fs.notify);
	if (signals >= 0)
		close(signals);
	return rc;
}

/* Names that hold when the working directory is another. */
static enum tf_code
make_absolute(struct options *o, struct tf_error *err)
{
	o->store = realpath(o->store_arg, NULL);
	if (o->store == NULL)
		return tf_fail(err, errno == ENOENT ? TF_NOTFOUND : TF_IO,
		    "store %s", o->store_arg);
	return fs_mount_check(o->store, o->mnt_arg, &o->mnt, err);
}

static unsigned
default_threads(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > THREADS_DEFAULT ? THREADS_DEFAULT : (unsigned)n;
}

int
main(int argc, char **argv)
{
	struct options o = {
		.threads = default_threads(),
		.verify_open = true,
		.allow_other = geteuid() == 0,
	};
	struct tf_error err = { 0 };
	int parent = -1, status;
	enum tf_code rc;

	harden();
	if ((status = parse_arguments(&o, argc, argv)) >= 0)
		return status;
	if ((rc = make_absolute(&o, &err)) == TF_OK && !o.foreground)
		rc = daemonise(&parent, &err);
	if (rc == TF_OK) {
		fs_report_open(o.foreground);
		rc = run(&o, &parent, &err);
	}
	if (rc != TF_OK)
		complain(&err, parent);
	free(o.store);
	free(o.mnt);
	return exit_status(rc);
}
