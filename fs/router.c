/* A router, from its start to its end: see router.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "broker.h"
#include "core/base/clock.h"
#include "daemon.h"
#include "ending.h"
#include "follower.h"
#include "mount.h"
#include "report.h"
#include "router.h"
#include "router_i.h"
#include "sandbox.h"
#include "starter.h"
#include "watchdog.h"

#define EVENTS 64
#define REQUESTS 64 /* of the kernel, then it is the turn of the children */

uint64_t
fs_router_ms(void)
{
	return tf_clock_boot_ns() / 1000000;
}

bool
fs_router_answer(struct fs_router *r, uint64_t unique, int error,
    const void *body, size_t n)
{
	struct fuse_out_header out = { .len = (uint32_t)(sizeof out + n),
		.error = error,
		.unique = unique };
	struct iovec v[2] = { { &out, sizeof out },
		{ (void *)(uintptr_t)body, n } };

	if (writev(r->fuse, v, n > 0 ? 2 : 1) >= 0)
		return true;
	if (errno != EINVAL && errno != ENOMEM)
		return false; /* the kernel does not wait any more */
	/* It takes another form, and still waits. */
	out.len = sizeof out;
	out.error = errno == EINVAL ? -EIO : -ENOMEM;
	(void)!write(r->fuse, &out, sizeof out);
	return false;
}

/* --- requests -------------------------------------------------------------------- */

static void
forget(struct fs_router *r, const struct fuse_in_header *in)
{
	const struct fuse_forget_in *one = (const void *)(in + 1);
	const struct fuse_batch_forget_in *many = (const void *)(in + 1);
	const struct fuse_forget_one *f = (const void *)(many + 1);
	size_t room = (in->len - sizeof *in) / sizeof *f;

	/* The daemons count no lookups. */
	if (in->opcode == FUSE_FORGET) {
		fs_ids_forget(r->ids, in->nodeid, one->nlookup);
		return;
	}
	for (uint32_t i = 0; i < many->count && i < room; i++)
		fs_ids_forget(r->ids, f[i].nodeid, f[i].nlookup);
}

static void
hand_over(struct fs_router *r, struct fuse_in_header *in)
{
	struct fs_origin *o = NULL;
	unsigned number;
	uint64_t ino;

	if (fs_ids_find(r->ids, in->nodeid, &number, &ino))
		o = fs_origins_number(r->origins, number);
	if (o == NULL)
		(void)fs_router_answer(r, in->unique, -ESTALE, NULL, 0);
	else
		fs_child_request(r, o, ino, in);
}

static void
take_request(struct fs_router *r, struct fuse_in_header *in)
{
	switch (fs_message_goes(in->opcode)) {
	case FS_MESSAGE_TO_CHILD:
		if (!fs_router_root(r, in))
			hand_over(r, in);
		break;
	case FS_MESSAGE_FORGETS:
		forget(r, in);
		break;
	case FS_MESSAGE_INTERRUPTS:
		fs_child_interrupt(r, in);
		break;
	case FS_MESSAGE_CHANGES:
		(void)fs_router_answer(r, in->unique, -EROFS, NULL, 0);
		break;
	default:
		(void)fs_router_answer(r, in->unique, -ENOSYS, NULL, 0);
	}
}

static void
take_requests(struct fs_router *r)
{
	struct fuse_in_header *in = (void *)r->in;
	ssize_t n;

	for (int i = 0; i < REQUESTS; i++) {
		n = read(r->fuse, r->in, sizeof r->in);
		if (n >= (ssize_t)sizeof *in && in->len == n) {
			take_request(r, in);
		} else if (n >= 0 || errno == ENODEV) {
			r->ended = true;
			return;
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR && errno != ENOENT) {
			fs_report_line(LOG_ERR, "cannot read requests: %s",
			    strerror(errno));
			r->ended = true;
			return;
		}
	}
}

/* --- copies ---------------------------------------------------------------------- */

static void
report_other(const char *name)
{
	fs_report_line(LOG_WARNING,
	    "%s is no copy that this user can read: it is left out", name);
}

static void
grown(void *arg, struct fs_origin *o)
{
	(void)arg;
	fs_child_grown(o);
}

static void
look_at_copies(struct fs_router *r)
{
	struct tf_error err;
	bool scan = false;

	fs_origins_changed(r->origins, &scan, grown, r);
	if (scan && fs_origins_scan(r->origins, report_other, &err) != TF_OK)
		fs_report_line(LOG_ERR, "%s", err.text);
}

/* --- the loop -------------------------------------------------------------------- */

/* r->fuse is the connection.  TF_IO: it has ended, or the kernel is too old. */
static enum tf_code
answer_init(struct fs_router *r, struct tf_error *err)
{
	struct pollfd p = { .fd = r->fuse, .events = POLLIN };
	const struct fuse_in_header *in = (void *)r->in;
	ssize_t n;

	do {
		(void)poll(&p, 1, -1);
		n = read(r->fuse, r->in, sizeof r->in);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (n < (ssize_t)(sizeof *in + sizeof(struct fuse_init_in)))
		return tf_fail(err, TF_IO, "the kernel sends no INIT request");
	errno = 0;
	if (!fs_message_init(in, r->roles, &r->init))
		return tf_fail(err, TF_IO,
		    "this kernel is too old for copies of many origins: Linux "
		    "5.4 is needed");
	if (!fs_router_answer(r, in->unique, 0, &r->init, sizeof r->init))
		return tf_fail(err, TF_IO, "answer INIT");
	if (r->roles && (r->init.flags & FUSE_POSIX_ACL) == 0)
		fs_report_line(LOG_WARNING,
		    "this kernel checks no access control lists: auditors= and "
		    "admins= have no effect");
	return TF_OK;
}

static bool
add_source(struct fs_router *r, int fd, enum fs_source *source)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = source };

	return epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* What restarts the follower says nothing more until it ends, which it does last if all
 * is well. */
static void
follower_ended(struct fs_router *r)
{
	(void)epoll_ctl(r->epoll, EPOLL_CTL_DEL, r->follower.fd, NULL);
	fs_report_line(LOG_ERR,
	    "the process that fetches has ended: what is new does not appear, "
	    "and bytes that are not in the cache cannot be read; mount again");
	fs_daemon_tell_systemd(false, "the process that fetches has ended");
}

static void *
run(void *arg)
{
	static enum fs_source sources[] = { FS_SOURCE_KERNEL, FS_SOURCE_STARTER,
		FS_SOURCE_COPIES, FS_SOURCE_END, FS_SOURCE_FOLLOWER };
	struct fs_router *r = arg;
	struct epoll_event e[EVENTS];
	bool starter;
	int n, wait = -1;

	if (!add_source(r, r->fuse, &sources[FS_SOURCE_KERNEL]) ||
	    !add_source(r, r->starter.fd, &sources[FS_SOURCE_STARTER]) ||
	    !add_source(r, fs_origins_inotify(r->origins),
		&sources[FS_SOURCE_COPIES]) ||
	    !add_source(r, r->end_fd, &sources[FS_SOURCE_END]) ||
	    (r->follower.fd >= 0 &&
		!add_source(r, r->follower.fd, &sources[FS_SOURCE_FOLLOWER]))) {
		fs_report_line(LOG_ERR, "epoll: %s", strerror(errno));
		r->ended = true;
	}
	while (!r->ended) {
		n = epoll_wait(r->epoll, e, EVENTS, wait);
		starter = false;
		for (int i = 0; i < n; i++) {
			enum fs_source *source = e[i].data.ptr;

			if (*source == FS_SOURCE_KERNEL)
				take_requests(r);
			else if (*source == FS_SOURCE_CHILD)
				fs_child_ready(r, (struct fs_child *)source,
				    e[i].events);
			else if (*source == FS_SOURCE_COPIES)
				look_at_copies(r);
			else if (*source == FS_SOURCE_END)
				r->ended = true;
			else if (*source == FS_SOURCE_FOLLOWER)
				follower_ended(r);
			else
				starter = true;
		}
		/* Last, because this frees children. */
		if (starter)
			fs_child_events(r);
		wait = fs_child_tick(r);
	}
	(void)eventfd_write(r->end_fd, 1);
	return NULL;
}

/* --- the end --------------------------------------------------------------------- */

static bool
any_open(void *arg)
{
	struct fs_router *r = arg;

	return atomic_load(&r->n_opened) > 0;
}

/* --- the start ------------------------------------------------------------------- */

static enum tf_code
check_options(const struct fs_options *o, struct tf_error *err)
{
	errno = 0;
	if (!o->read_only)
		return tf_fail(err, TF_USAGE,
		    "%.100s has copies of many origins, which are read only: "
		    "-o ro",
		    o->store_arg);
	if (o->signer != NULL || o->moved || o->streams)
		return tf_fail(err, TF_USAGE,
		    "%s has no meaning for copies, which nobody writes",
		    o->signer != NULL ? "signer=" :
			o->moved      ? "moved" :
					"streams=on");
	if (o->settings.given[TF_READS] && o->settings.value[TF_READS] != 0)
		fs_report_line(LOG_WARNING,
		    "reads=log has no effect: a mount that only reads records "
		    "nothing");
	if (o->objects != NULL && o->objects[0] != '/')
		return tf_fail(err, TF_USAGE,
		    "objects=%.80s: give the path from / on", o->objects);
	return TF_OK;
}

/* Serve the connection r->fuse until the end. */
static enum tf_code
serve(struct fs_router *r, const struct fs_options *o, struct fs_broker *broker,
    int signals, int *parent, struct tf_error *err)
{
	struct fs_ending e = { .broker = broker,
		.end_fd = r->end_fd,
		.signals = signals,
		.any_open = any_open,
		.arg = r };
	pthread_t thread;
	enum tf_code rc;
	bool signalled;

	if ((rc = answer_init(r, err)) != TF_OK)
		return rc;
	if ((errno = pthread_create(&thread, NULL, run, r)) != 0)
		return tf_fail(err, TF_IO, "start a thread");
	fs_mount_watch(&e.watch, o->mnt);
	fs_report_line(LOG_NOTICE, "%zu origins of %s mounted at %s",
	    fs_origins_present(r->origins), fs_follower_mounted(o), o->mnt);
	fs_daemon_ready(parent);
	fs_daemon_tell_systemd(true, "%s is mounted at %s",
	    fs_follower_mounted(o), o->mnt);
	signalled = fs_ending_await(&e) == FS_END_SIGNAL;
	if (signalled)
		(void)fs_ending_unmount(&e, NULL);
	(void)eventfd_write(r->end_fd, 1);
	pthread_join(thread, NULL);
	fs_child_end_all(r);
	(void)close(r->fuse);
	r->fuse = -1;
	if (fs_ending_is_dead_here(&e))
		(void)fs_broker_unmount(broker, true);
	fs_mount_watch_end(&e.watch);
	fs_report_line(LOG_NOTICE, "%s closed (%s)", fs_follower_mounted(o),
	    signalled ? "signal" : "unmounted");
	return TF_OK;
}

/* The root of the mount has no status; each origin's says it of its daemon. */
static void
report_sandbox(const char *who, const char *user, const struct tf_sandbox *s)
{
	char landlock[32];

	(void)snprintf(landlock, sizeof landlock, "Landlock %d", s->landlock);
	fs_report_line(LOG_NOTICE, "%s runs as %s, with %s and %s", who, user,
	    s->landlock > 0 ? landlock : "no Landlock",
	    s->seccomp ? "a filter of system calls" :
			 "no filter of system calls");
}

static enum tf_code
prepare(struct fs_router *r, const struct fs_options *o,
    struct fs_broker **broker, struct tf_error *err)
{
	struct tf_sandbox of_follower = { 0 }, of_router = { 0 };
	struct fs_user user;
	struct stat st;
	enum tf_code rc;

	if ((rc = fs_sandbox_user(o->store, o->user, &user, err)) != TF_OK ||
	    (rc = fs_broker_start(o, broker, err)) != TF_OK ||
	    (rc = fs_follower_start(&r->follower, o, &user, &of_follower,
		 &r->follow, err)) != TF_OK ||
	    (rc = fs_starter_start(&r->starter, o, err)) != TF_OK)
		return rc;
	(void)fcntl(r->starter.fd, F_SETFL, O_NONBLOCK);
	fs_watchdog_start(o->mnt);
	fs_daemon_connect_systemd();
	if ((rc = fs_sandbox_become(&user, err)) != TF_OK ||
	    (rc = fs_sandbox_router(o->store, &of_router, err)) != TF_OK ||
	    (rc = fs_origins_open(o->store, &r->origins, err)) != TF_OK ||
	    (rc = fs_origins_scan(r->origins, report_other, err)) != TF_OK)
		return rc;
	report_sandbox("the router", user.name, &of_router);
	if (of_follower.user != NULL)
		report_sandbox("the follower", user.name, &of_follower);
	if (fstat(fs_origins_fd(r->origins), &st) == 0) {
		r->uid = st.st_uid;
		r->gid = st.st_gid;
	}
	r->ids = fs_ids_new();
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->ids == NULL)
		return tf_nomem(err);
	return r->epoll < 0 || r->end_fd < 0 ?
	    tf_fail(err, TF_IO, "make descriptors") :
	    TF_OK;
}

static void
end(struct fs_router *r, struct fs_broker *broker)
{
	const int fds[] = { r->fuse, r->epoll, r->end_fd };

	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	fs_helper_end(&r->starter); /* it waits for the daemons */
	fs_helper_end(&r->follower);
	fs_router_control_end(r);
	fs_origins_free(r->origins);
	fs_ids_free(r->ids);
	free(r);
	fs_broker_end(broker);
	fs_watchdog_end();
}

bool
fs_router_is_for(const struct fs_options *o)
{
	return fs_follower_is_for(o) ||
	    (o->connection < 0 && fs_origins_are(o->store));
}

enum tf_code
fs_router_serve(const struct fs_options *o, int *parent, struct tf_error *err)
{
	struct fs_router *r = calloc(1, sizeof *r);
	struct fs_broker *broker = NULL;
	int signals = fs_ending_signals();
	enum tf_code rc;

	if (r == NULL || signals < 0) {
		free(r);
		return tf_nomem(err);
	}
	r->o = o;
	r->started_at = tf_clock_now().s;
	r->fuse = r->epoll = r->end_fd = -1;
	r->starter.fd = r->follower.fd = -1;
	r->roles = o->settings.role[TF_AUDITORS].name[0] != '\0' ||
	    o->settings.role[TF_ADMINS].name[0] != '\0';
	if ((rc = check_options(o, err)) == TF_OK &&
	    (rc = prepare(r, o, &broker, err)) == TF_OK &&
	    (rc = fs_broker_mount(broker, o->mnt, &r->fuse, err)) == TF_OK) {
		(void)fcntl(r->fuse, F_SETFL, O_NONBLOCK);
		rc = serve(r, o, broker, signals, parent, err);
	}
	end(r, broker);
	(void)close(signals);
	return rc;
}
