/*
 * A mount from the opening of the vault to its closing.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "actor.h"
#include "control.h"
#include "core/find.h"
#include "daemon.h"
#include "handle.h"
#include "handshake.h"
#include "loop.h"
#include "mount.h"
#include "notify.h"
#include "ops.h"
#include "passthrough.h"
#include "report.h"
#include "serve.h"
#include "start.h"
#include "worker.h"

#define THREADS_DEFAULT 4
#define STOP_TRIES 50 /* attempts to unmount while files are open */
#define STOP_WAIT_MS 100
#define UNSEEN_IDLE_MS 2000 /* without open files, see outlive_mount */
#define STOP_PATIENT 20	    /* attempts before slow requests are given up */

static struct fuse_session *
new_session(struct fs *fs, const struct fs_options *o)
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

/* A descriptor of the signals that end the daemon; no thread handles them. */
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
 * After a signal: refuse new writers, and unmount as soon as no file is open.
 * A second signal ends the waiting.  True: it is unmounted.
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
		/* A program that waits for a long request cannot close its
		 * files. */
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
 * The last mount in this namespace was unmounted.  Usually the connection ends
 * now, but a copy of the mount in another namespace keeps it open, and the
 * store locked.  So serve the open files, and end when no file was open for
 * UNSEEN_IDLE_MS.  False: the file system is mounted here again.
 */
static bool
outlive_mount(struct fs *fs, const struct fs_mount_watch *watch,
    struct pollfd p[2])
{
	int idle = 0;

	while (idle < UNSEEN_IDLE_MS) {
		if (poll(p, 2, STOP_WAIT_MS) > 0)
			return true;
		idle = fs_handles_any(fs->handles) ? 0 : idle + STOP_WAIT_MS;
		if (fs_mount_is_here(watch))
			return false;
	}
	return true;
}

/*
 * Wait until a signal comes or the file system is unmounted.  Returns the
 * reason for the ledger.  *closed: no program has a file open any more.
 * *copies: the file system may still be mounted in other mount namespaces.
 */
static const char *
await_end(struct fs *fs, const char *mnt, int signals, bool *closed,
    bool *copies)
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
		/* Nobody answers: neither ask the mount nor wait for a read. */
		if (fs_loop_failed(fs->loop)) {
			fs_mount_abort(mnt);
			return "unmounted";
		}
		/* A dead mount here: the connection was aborted. */
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

/* Mount and serve.  The vault is open; on return nothing is mounted. */
static enum tf_code
run_mounted(struct fs *fs, const struct fs_options *o, int signals, int *parent,
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
		fs_daemon_ready(parent);
		fs_daemon_notify_systemd();
		*reason = await_end(fs, o->mnt, signals, &closed, &copies);
		fs_notify_finish(fs->notify);
		fs_loop_stop(fs->loop);
		fs_handles_drain(fs->handles);
	}
	atomic_store(&fs->stopping, true);
	fs_worker_stop(fs);
	fs_notify_stop(fs->notify);
	fs_passthrough_stop(fs->passthrough);
	/* This closes the connection and detaches a mount that is left.  After
	 * *copies, something else may be mounted there now. */
	if (!copies)
		fuse_session_unmount(se);
	if (fs_mount_is_dead(o->mnt))
		(void)fs_mount_off(o->mnt, true);
	fs_handles_end(fs, closed);
	fuse_session_destroy(se);
	return rc;
}

/* Create what the handlers share, except the vault. */
static enum tf_code
open_shared(struct fs *fs, const struct fs_options *o, struct tf_error *err)
{
	fs_roles_set(&fs->roles, fs->vault);
	fs->actors = fs_actors_new();
	fs->control = fs_control_new(fs->vault, &fs->stopping);
	fs->handles = fs_handles_new();
	fs->passthrough = fs_passthrough_new();
	if (fs->control == NULL || fs->handles == NULL)
		return tf_nomem(err);
	return fs_loop_new(o->threads, &fs->loop, err);
}

enum tf_code
fs_serve(const struct fs_options *o, int *parent, struct tf_error *err)
{
	struct tf_vault_options vo = {
		.read_only = o->read_only,
		.moved = o->moved,
		.program = "trailfs",
		.mount = o->mnt,
		.settings = o->settings,
		.libfuse = fuse_pkgversion(),
		.verify_open = o->verify_open,
		.say = fs_report_message,
		.slow = fs_loop_away,
		.waiting = fs_loop_waiting,
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
	if ((rc = tf_find_start(fs.vault, err)) == TF_OK &&
	    (rc = open_shared(&fs, o, err)) == TF_OK)
		rc = run_mounted(&fs, o, signals, parent, &reason, err);
	fs_control_free(fs.control); /* its packages are in the store */
	fs.control = NULL;
	tf_find_stop(fs.vault);
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
