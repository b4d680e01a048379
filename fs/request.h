/*
 * What every handler does before and after its call into core.
 *
 * A handler names its fs_operation, begins the request, calls core and answers:
 *
 *	static const struct fs_operation op = { "unlink", .changes = true,
 *		.awaits = FS_AWAIT_NAME, .actor = FS_ACTOR };
 *	struct fs_request r;
 *
 *	if (!fs_request_begin(&r, req, &op, parent, name))
 *		return;
 *	rc = tf_vault_unlink(r.fs->vault, parent, name, &r.who, &r.err);
 *	fs_request_end(&r, rc);
 *
 * A fs_request lives on the stack of the thread that handles the request, and
 * is used until the request is answered.  Nothing is allocated.
 */
#ifndef FS_REQUEST_H
#define FS_REQUEST_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/vault.h"
#include "fs.h"

/* What fs_request_begin does for a kind of request, in this order. */
struct fs_operation {
	const char *name; /* in reports and in the vault's list of refusals */
	/* Refuse it in .trailfs; where a rule of the vault refuses it, the
	 * vault keeps that. */
	bool changes;
	/* It changes a settable control file, and is reported like changes. */
	bool sets;
	/* Refuse it when the mount is stopping: it would begin to write. */
	bool starts;
	/* Wait for the releases under way (loop.h): of the node; of the node
	 * that the name means, or of all nodes if that is a directory; of all
	 * nodes. */
	enum {
		FS_AWAIT_NONE,
		FS_AWAIT_NODE,
		FS_AWAIT_NAME,
		FS_AWAIT_ALL
	} awaits;
	/* It may take long: core asks fs_loop_interrupted. */
	bool interruptible;
	/* Set fs_request.who; with hints of /proc (actor.h). */
	enum { FS_ACTOR_NONE, FS_ACTOR, FS_ACTOR_HINTS } actor;
};

struct fs_request {
	fuse_req_t req;
	struct fs *fs;
	const struct fs_operation *op;
	struct tf_attempt try; /* the operation and its nodes and names */
	struct tf_actor who;   /* the caller, if op->actor asks for it */
	struct tf_error err;   /* for the call into core */
};

/*
 * Begin request req, an operation on node id, or on the child name of id; name
 * may be NULL and must live as long as *r.
 * True: core may be called, and the caller answers req.
 * False: it was refused, answered and reported.
 */
bool fs_request_begin(struct fs_request *r, fuse_req_t req,
    const struct fs_operation *op, uint64_t id, const char *name);
/* The same for an operation that gives a node a second name. */
bool fs_request_begin_move(struct fs_request *r, fuse_req_t req,
    const struct fs_operation *op, uint64_t id, const char *name, uint64_t to,
    const char *to_name);

/*
 * Did the call into core, which returned rc, fail?
 * True: req was answered with the errno of rc and reported.
 * False: rc is TF_OK, and the caller answers req.
 */
bool fs_request_failed(struct fs_request *r, enum tf_code rc);
/* Answer req with 0, or as fs_request_failed does. */
void fs_request_end(struct fs_request *r, enum tf_code rc);

#endif
