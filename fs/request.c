/* What every handler does before and after its call into core. */
#include <stdlib.h>
#include <string.h>

#include "core/base/mutant.h"
#include "actor.h"
#include "asker.h"
#include "control.h"
#include "core/control.h"
#include "loop.h"
#include "report.h"
#include "request.h"
#include "stream.h"

/* Is it a .trailfs, or in one?  Then *id and *name become the .trailfs and the
 * directory of the vault that has it. */
static bool
is_reserved(struct fs *fs, uint64_t *id, const char **name)
{
	while (fs_control_is(*id)) {
		*name = TF_CONTROL_DIR;
		if (fs_control_parent(fs->control, *id, id, NULL) != TF_OK)
			*id = TF_ROOT_ID;
	}
	return *name != NULL && strcmp(*name, TF_CONTROL_DIR) == 0;
}

/* Set *out to the attempt as the vault records it.  Is it about a .trailfs or
 * what is in one? */
static bool
reported_attempt(const struct fs_request *r, struct tf_attempt *out)
{
	bool old, new;

	*out = r->try;
	old = is_reserved(r->fs, &out->id, &out->name);
	new = is_reserved(r->fs, &out->to, &out->to_name);
	return old || new;
}

/* Refuse a change of a .trailfs or of what is in one.  True: refused. */
static bool
refuse_reserved(const struct fs_request *r)
{
	struct tf_attempt reported;

	if (!reported_attempt(r, &reported))
		return false;
	fs_report_refuse(r->req, &reported, TF_DENIED,
	    TF_CONTROL_DIR " is not changed by hand");
	return true;
}

/* Refuse what begins to write while the mount stops.  True: refused. */
static bool
refuse_stopping(const struct fs_request *r)
{
	struct tf_attempt reported;

	if (!atomic_load(&r->fs->stopping))
		return false;
	(void)reported_attempt(r, &reported);
	fs_report_refuse(r->req, &reported, TF_READONLY, "trailfs is stopping");
	return true;
}

/* Wait for the releases of the node that name means now.  The state of a
 * directory depends on what is in it, so there all releases count.  Before a
 * change, get what the kernel has collected, too: a file that was written is
 * neither replaced nor removed. */
static void
await_name(const struct fs_request *r, uint64_t parent, const char *name)
{
	struct fs *fs = r->fs;
	struct tf_attr a;

	if ((!fs_loop_releasing(fs->loop) &&
		!(r->op->changes && fs_stream_any(fs))) ||
	    tf_vault_lookup(fs->vault, parent, name, &a, NULL) != TF_OK)
		return;
	if (r->op->changes)
		fs_stream_await(fs, a.kind == TF_KIND_EVIDENCE ? a.id : 0);
	fs_loop_await(fs->loop, a.kind == TF_KIND_EVIDENCE ? a.id : 0);
}

static void
await(const struct fs_request *r)
{
	switch (r->op->awaits) {
	case FS_AWAIT_NONE:
		break;
	case FS_AWAIT_NODE:
		fs_loop_await(r->fs->loop, r->try.id);
		break;
	case FS_AWAIT_NAME:
		await_name(r, r->try.id, r->try.name);
		if (r->try.to_name != NULL)
			await_name(r, r->try.to, r->try.to_name);
		break;
	case FS_AWAIT_ALL:
		fs_stream_await(r->fs, 0);
		fs_loop_await(r->fs->loop, 0);
		break;
	}
}

bool
fs_request_begin_move(struct fs_request *r, fuse_req_t req,
    const struct fs_operation *op, uint64_t id, const char *name, uint64_t to,
    const char *to_name)
{
	r->req = req;
	r->fs = fs_of(req);
	r->op = op;
	r->try = (struct tf_attempt){ .operation = op->name,
		.id = id,
		.name = name,
		.to = to,
		.to_name = to_name };
	r->err = (struct tf_error){ 0 };
	if ((op->changes && refuse_reserved(r)) ||
	    (op->starts && refuse_stopping(r)))
		return false;
	await(r);
	if (op->interruptible)
		fs_loop_serves(req);
	if (op->actor != FS_ACTOR_NONE)
		fs_actor_of(r->fs->actors, req, op->actor == FS_ACTOR_HINTS,
		    &r->who);
	if (op->sets)
		r->who.administers = fs_asker_administers(req);
	return true;
}

bool
fs_request_begin(struct fs_request *r, fuse_req_t req,
    const struct fs_operation *op, uint64_t id, const char *name)
{
	return fs_request_begin_move(r, req, op, id, name, 0, NULL);
}

/* The mutant that leaks. */
static void
keep_refused(void)
{
	static void *volatile last; /* so that the compiler keeps it, too */

	last = malloc(1000);
	if (last != NULL)
		memset(last, 'k', 1000);
}

bool
fs_request_failed(struct fs_request *r, enum tf_code rc)
{
	struct tf_attempt reported;

	if (rc == TF_OK)
		return false;
	(void)reported_attempt(r, &reported);
	if (TF_IS_MUTANT(TF_KEEP_REFUSED))
		keep_refused();
	if (r->op->changes || r->op->sets)
		fs_report_attempt(r->req, &reported, rc, &r->err);
	else
		fs_report_error(r->req, r->op->name, rc, &r->err);
	return true;
}

void
fs_request_end(struct fs_request *r, enum tf_code rc)
{
	if (!fs_request_failed(r, rc))
		fuse_reply_err(r->req, 0);
}
