/*
 * A mount from the opening of the vault to its closing.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "actor.h"
#include "control.h"
#include "core/find.h"
#include "daemon.h"
#include "ending.h"
#include "handle.h"
#include "handshake.h"
#include "broker.h"
#include "loop.h"
#include "mount.h"
#include "notify.h"
#include "ops.h"
#include "pages.h"
#include "passthrough.h"
#include "report.h"
#include "sandbox.h"
#include "serve.h"
#include "stream.h"
#include "start.h"
#include "watchdog.h"
#include "worker.h"

#define THREADS_DEFAULT 4
#define SEND_WAIT_MS 100

/* A session over the connection that the mounter made.  It owns fd, on success;
 * libfuse takes descriptors of other processes by this name. */
static struct fuse_session *
new_session(struct fs *fs, const struct fs_options *o, int fd)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *se = NULL;
	char name[32];

	(void)snprintf(name, sizeof name, "/dev/fd/%d", fd);
	if (fuse_opt_add_arg(&args, "trailfs") == 0 &&
	    (!o->debug || fuse_opt_add_arg(&args, "-d") == 0))
		se = fuse_session_new(&args, &fs_ops, sizeof fs_ops, fs);
	fuse_opt_free_args(&args);
	if (se != NULL && fuse_session_mount(se, name) == 0)
		return se;
	if (se != NULL)
		fuse_session_destroy(se);
	(void)close(fd);
	return NULL;
}

/* --- a connection of a router ---------------------------------------------- */

static ssize_t
read_message(int fd, void *p, size_t n, void *arg)
{
	ssize_t got = read(fd, p, n);

	(void)arg;
	if (got == 0) { /* the router has closed it, or was killed */
		errno = ENODEV;
		return -1;
	}
	return got;
}

static ssize_t
write_message(int fd, struct iovec *v, int n, void *arg)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	ssize_t sent;

	(void)arg;
	/* An answer that is lost is waited for until this process ends.  The loop
	 * sets O_NONBLOCK to read (loop.c). */
	while ((sent = writev(fd, v, n)) < 0 &&
	    (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
		(void)poll(&p, errno == ENOBUFS ? 0 : 1,
		    errno == ENOBUFS ? SEND_WAIT_MS : -1);
	return sent;
}

/* The same as new_session() over a socket that keeps messages apart. */
static struct fuse_session *
new_connected(struct fs *fs, const struct fs_options *o)
{
	static const struct fuse_custom_io io = { .read = read_message,
		.writev = write_message };
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *se = NULL;

	if (fuse_opt_add_arg(&args, "trailfs") == 0 &&
	    (!o->debug || fuse_opt_add_arg(&args, "-d") == 0))
		se = fuse_session_new(&args, &fs_ops, sizeof fs_ops, fs);
	fuse_opt_free_args(&args);
	if (se != NULL && fuse_session_custom_io(se, &io, o->connection) == 0)
		return se;
	if (se != NULL)
		fuse_session_destroy(se);
	return NULL;
}

/* --- the end --------------------------------------------------------------- */

static bool
any_open(void *arg)
{
	const struct fs *fs = arg;

	return fs_handles_any(fs->handles);
}

/* A program that waits for a long request cannot close its files. */
static void
give_up_requests(void *arg)
{
	const struct fs *fs = arg;

	tf_vault_stop(fs->vault);
}

/*
 * Wait until a signal comes or the file system is unmounted.  Returns the
 * reason for the ledger.  *closed: no program has a file open any more.
 */
static const char *
await_end(struct fs *fs, const struct fs_ending *e, bool *closed)
{
	enum fs_end end = fs_ending_await(e);

	if (e->broker == NULL) { /* the mount is the router's */
		*closed = end == FS_END_CONNECTION;
		tf_vault_stop(fs->vault);
		return *closed ? "unmounted" : "signal";
	}
	if (end == FS_END_CONNECTION) {
		/* Nobody answers: neither ask the mount nor wait for a read. */
		if (fs_loop_failed(fs->loop))
			fs_broker_abort(e->broker);
		else /* A dead mount here: the connection was aborted. */
			*closed = !fs_ending_is_dead_here(e);
		return "unmounted";
	}
	if (end == FS_END_UNSEEN) {
		fs_report_line(LOG_WARNING,
		    "unmounted here; copies of the mount in other mount "
		    "namespaces are cut off");
		*closed = true;
		return "unmounted";
	}
	/* Refuse new writers. */
	atomic_store(&fs->stopping, true);
	fs_worker_give_up(fs);
	*closed = fs_ending_unmount(e, give_up_requests);
	tf_vault_stop(fs->vault);
	return "signal";
}

/* Serve until the end.  On return no request is handled any more.  *reason and
 * *closed: see await_end(). */
static enum tf_code
serve(struct fs *fs, const struct fs_options *o, struct fuse_session *se,
    struct fs_ending *e, int *parent, const char **reason, bool *closed,
    struct tf_error *err)
{
	enum tf_code rc;

	/* The helper gets what the kernel has collected. */
	fs->streams = fs->streams && fs->pages != NULL;
	if ((rc = fs_handshake(se, &fs->streams, err)) == TF_OK &&
	    (rc = fs_worker_start(fs, err)) == TF_OK) {
		if (o->streams && !o->read_only && !fs->streams)
			fs_report_line(LOG_WARNING,
			    fs->pages == NULL ?
				"only root's mounts collect writes: streams=on "
				"has no effect" :
				"this kernel does not let trailfs collect "
				"writes: streams=on has no effect");
		if (fs->streams) {
			fs_control_tell_sizes(fs->control);
			fs_notify_of_streams(fs->notify, fs);
		}
		fs_notify_start(fs->notify, se, fs->pages);
		if (fs->streams)
			rc = fs_streams_start(fs, &fs->collecting, err);
	}
	if (rc == TF_OK) {
		fs_passthrough_start(fs->passthrough, fs->broker,
		    fuse_session_fd(se));
		rc = fs_loop_start(fs->loop, se, err);
	}
	if (rc == TF_OK) {
		fs_report_line(LOG_NOTICE, "%s mounted at %s", o->store,
		    o->mnt);
		fs_daemon_ready(parent);
		fs_daemon_tell_systemd(true, "%s is mounted at %s", o->store,
		    o->mnt);
		e->end_fd = fs_loop_end_fd(fs->loop);
		*reason = await_end(fs, e, closed);
		fs_daemon_tell_systemd(false,
		    "unmounted: sealing finished files");
		fs_pages_stop(fs->pages);
		fs_notify_finish(fs->notify);
		fs_streams_stop(fs->collecting);
		fs_loop_stop(fs->loop);
		tf_vault_end_waits(fs->vault);
		fs_handles_drain(fs->handles);
	}
	atomic_store(&fs->stopping, true);
	fs_worker_stop(fs);
	fs_streams_free(fs->collecting);
	fs_notify_stop(fs->notify);
	fs_passthrough_stop(fs->passthrough);
	return rc;
}

/* Mount and serve.  The vault is open; on return nothing is mounted. */
static enum tf_code
run_mounted(struct fs *fs, const struct fs_options *o, int signals, int *parent,
    const char **reason, struct tf_error *err)
{
	struct fs_ending e = { .broker = fs->broker,
		.signals = signals,
		.watch = { .fd = -1 },
		.any_open = any_open,
		.arg = fs };
	struct fuse_session *se;
	bool closed = false;
	enum tf_code rc;
	int fd;

	if (o->connection >= 0) {
		if ((se = new_connected(fs, o)) == NULL)
			return tf_nomem(err);
	} else if ((rc = fs_broker_mount(fs->broker, o->mnt, &fd, err)) !=
	    TF_OK) {
		return rc;
	} else if ((se = new_session(fs, o, fd)) == NULL) {
		(void)fs_broker_unmount(fs->broker, true);
		return tf_nomem(err);
	}
	if (!o->debug)
		fuse_set_log_func(fs_report_fuse);
	if (o->connection < 0) {
		fs_mount_watch(&e.watch, o->mnt);
		fs_pages_mounted(fs->pages, &e.watch);
	}
	rc = serve(fs, o, se, &e, parent, reason, &closed, err);
	/* This closes the connection: a mount that is left is dead now. */
	fuse_session_destroy(se);
	if (o->connection < 0 && fs_ending_is_dead_here(&e))
		(void)fs_broker_unmount(fs->broker, true);
	fs_mount_watch_end(&e.watch);
	fs_handles_end(fs, closed);
	return rc;
}

/* Create what the handlers share, except the vault. */
static enum tf_code
open_shared(struct fs *fs, const struct fs_options *o, struct tf_error *err)
{
	fs_roles_set(&fs->roles, fs->vault);
	fs->actors = fs_actors_new(fs->broker);
	fs->control = fs_control_new(fs->vault, &fs->stopping);
	fs->handles = fs_handles_new();
	fs->passthrough = fs_passthrough_new();
	if (fs->control == NULL || fs->handles == NULL)
		return tf_nomem(err);
	return fs_loop_new(o->threads, &fs->loop, err);
}

/*
 * Start the processes that keep what this one gives up, and give it up.  All
 * before the vault opens: see sandbox.h.  user and state stay in place.
 */
static enum tf_code
enter_sandbox(struct fs *fs, const struct fs_options *o, struct fs_user *user,
    struct tf_sandbox *state, struct tf_error *err)
{
	enum tf_code rc;

	if ((rc = fs_sandbox_user(o->store, o->user, user, err)) != TF_OK)
		return rc;
	if (o->connection < 0) {
		if ((rc = fs_broker_start(o, &fs->broker, err)) != TF_OK ||
		    (rc = fs_pages_start(o->mnt, fs->streams, &fs->pages,
			 err)) != TF_OK)
			return rc;
		fs_watchdog_start(o->mnt);
	}
	fs_daemon_connect_systemd();
	fs_daemon_tell_systemd(false, "opening %s", o->store);
	if ((rc = fs_sandbox_become(user, err)) == TF_OK)
		rc = fs_sandbox_enter(o->store, o->read_only, state, err);
	state->user = user->name;
	return rc;
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
		.roles_are_given = o->connection >= 0,
		.libfuse = fuse_pkgversion(),
		.objects = o->objects,
		.signer = o->signer_fd,
		.signer_is_ours = o->signer == NULL,
		.verify_open = o->verify_open,
		.say = fs_report_message,
		.say_key = fs_report_key,
		.slow = fs_loop_away,
		.may_stay = fs_loop_may_stay,
		.stayed = fs_loop_stayed,
		.waiting = fs_loop_waiting,
		.collecting = o->streams && !o->read_only ?
		    fs_streams_collecting :
		    NULL,
		.interrupted = fs_loop_interrupted,
		.changed = fs_notify_changed,
		.altered = fs_notify_altered,
		.arg = fs_notify_new(),
		.durability = o->durability,
	};
	struct fs fs = { .read_only = o->read_only,
		.streams = o->streams && !o->read_only,
		.notify = vo.arg };
	struct tf_sandbox sandbox;
	struct tf_error close_err;
	struct fs_user user;
	const char *reason = "unmounted";
	struct fs_start start;
	int signals = fs_ending_signals();
	enum tf_code rc = TF_OK, close_rc;

	if (signals < 0)
		rc = tf_fail(err, TF_IO, "take signals");
	else if (fs.notify == NULL)
		rc = tf_nomem(err);
	else
		rc = enter_sandbox(&fs, o, &user, &sandbox, err);
	if (rc != TF_OK)
		goto out;
	vo.sandbox = &sandbox;
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
	fs_pages_end(fs.pages);
	fs_broker_end(fs.broker);
	fs_watchdog_end();
	if (signals >= 0)
		close(signals);
	return rc;
}
