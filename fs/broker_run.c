/*
 * The lives of the mounter and of the broker: see broker.h.  A daemon that an
 * attacker has taken over can send any message.  So nothing that a message says
 * chooses a file, a mount point or an option, and each process gives up, before
 * its first message, what its verbs do not need.
 */
#include <fuse_lowlevel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/proc.h"
#include "broker_i.h"
#include "follower.h"
#include "helper.h"
#include "mount.h"
#include "options.h"
#include "sandbox.h"

static void
close_all(const int fds[FS_HELPER_FDS])
{
	for (int i = 0; i < FS_HELPER_FDS; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

/* --- the mounter ----------------------------------------------------------- */

static struct fuse_session *
new_session(const struct fs_options *o)
{
	static const struct fuse_lowlevel_ops none = { 0 };
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_session *se = NULL;
	char *opts = NULL, *name = NULL;

	if (asprintf(&name, "fsname=%s", fs_follower_mounted(o)) < 0)
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
	    fuse_opt_add_arg(&args, opts) == 0)
		se = fuse_session_new(&args, &none, sizeof none, NULL);
	fuse_opt_free_args(&args);
	free(opts);
	free(name);
	return se;
}

/* Mount.  *se keeps the connection for the answer.  Returns 0: it failed; 1; 2:
 * and the bare mount point is immutable since now. */
static int
do_mount(const struct fs_options *o, struct fuse_session **se)
{
	bool protected;

	if ((*se = new_session(o)) == NULL)
		return 0;
	protected = fs_mount_protect(o->mnt);
	if (fuse_session_mount(*se, o->mnt) == 0)
		return protected ? 2 : 1;
	if (protected)
		fs_mount_unprotect(o->mnt);
	fuse_session_destroy(*se);
	*se = NULL;
	return 0;
}

static bool
do_mounted(const struct fs_options *o, uint32_t verb)
{
	switch (verb) {
	case FS_BROKER_UNMOUNT:
	case FS_BROKER_UNMOUNT_LAZY:
		return fs_mount_off(o->mnt, verb == FS_BROKER_UNMOUNT_LAZY);
	case FS_BROKER_ABORT:
		fs_mount_abort(o->mnt);
		return true;
	case FS_BROKER_IS_DEAD:
		return fs_mount_is_dead(o->mnt);
	default:
		return false;
	}
}

void
fs_broker_run_mounter(int fd, const void *arg)
{
	const struct fs_options *o = arg;
	struct fuse_session *se = NULL;
	struct fs_broker_request r;
	int got[FS_HELPER_FDS], connection, result;

	if (!fs_sandbox_mounter() || !fs_helper_receive(fd, &r, sizeof r, got))
		return; /* the store could not be opened */
	close_all(got);
	result = r.verb == FS_BROKER_MOUNT ? do_mount(o, &se) : 0;
	if (!o->foreground)
		(void)setsid(); /* see fs_broker_start() */
	fs_helper_be_silent();
	if (!fs_sandbox_unmounter())
		return;
	do {
		struct fs_broker_answer a = { .result = result };

		connection = se != NULL ? fuse_session_fd(se) : -1;
		if (!fs_helper_send(fd, &a, sizeof a, &connection,
			connection >= 0 ? 1 : 0))
			return;
		/* The connection ends when the daemon closes it. */
		if (se != NULL)
			fuse_session_destroy(se);
		se = NULL;
		if (!fs_helper_receive(fd, &r, sizeof r, got))
			return;
		close_all(got);
		result = do_mounted(o, r.verb);
	} while (true);
}

/* --- the broker ------------------------------------------------------------ */

static int
do_backing(const struct fs_broker_request *r, const int fds[FS_HELPER_FDS])
{
	struct fs_backing_map map = { .fd = fds[1] };
	uint32_t id = r->number;

	return r->verb == FS_BROKER_BACKING_OPEN ?
	    ioctl(fds[0], FS_BACKING_OPEN, &map) :
	    ioctl(fds[0], FS_BACKING_CLOSE, &id);
}

void
fs_broker_run_broker(int fd, const void *arg)
{
	struct fs_broker_request r;
	int got[FS_HELPER_FDS];
	char ours[64];

	(void)arg;
	fs_helper_be_silent();
	tf_proc_link(TF_PROC_SELF, "ns/mnt", ours, sizeof ours);
	if (!fs_sandbox_broker())
		return;
	while (fs_helper_receive(fd, &r, sizeof r, got)) {
		struct fs_broker_answer a = { 0 };

		if (r.verb == FS_BROKER_EXE)
			tf_proc_exe(r.number, ours, a.exe, sizeof a.exe);
		else
			a.result = do_backing(&r, got);
		close_all(got);
		if (!fs_helper_send(fd, &a, sizeof a, NULL, 0))
			return;
	}
}
