/*
 * The append-only rule: (what it is, what is asked) -> TF_OK or the refusal.
 * Pure; everything else in trailfs asks here and nowhere else.
 */
#ifndef TF_LEDGER_POLICY_H
#define TF_LEDGER_POLICY_H

#include "../error.h"
#include "../types.h"
#include "name.h"

enum tf_request {
	TF_REQ_WRITE_OPEN,    /* open for writing, no O_TRUNC */
	TF_REQ_TRUNCATE_OPEN, /* open with O_TRUNC */
	TF_REQ_TRUNCATE_PATH, /* truncate(2) to another size */
	TF_REQ_SETMETA,	      /* chmod, chown, utimens, xattr: a change */
	TF_REQ_UNLINK,
	TF_REQ_RENAME,	     /* away from its name, to an ordinary one */
	TF_REQ_RENAME_DRAFT, /* away from its name, to a draft's */
	TF_REQ_REPLACE,	     /* something else is renamed onto it */
	TF_REQ_RMDIR,
	TF_REQ_ADD, /* a name is to be born in this directory */
	TF_REQUESTS
};

/* What the rule looks at. */
struct tf_subject {
	enum tf_kind kind;
	enum tf_state state;
	uint64_t size;	    /* bytes it holds now */
	uint32_t uid;	    /* its owner */
	bool open_by_other; /* a uid other than the caller's writes it */
	bool has_entry;	    /* a directory: an entry names it already */
};

/*
 * Files:
 *   placeholder  everything but truncate(2) to another size; unlink, replace
 *                and set-meta by its owner or root
 *   open         write-open by the writer's uid (another: TF_BUSY); O_TRUNC
 *                only while empty; set-meta; rename to an ordinary name
 *   draft        everything; write-open of one that another uid writes:
 *                TF_BUSY; unlink, replace, set-meta by its owner or root
 *   frozen       set-meta and rename to an ordinary name, owner or root
 *   sealed       nothing
 * Directories: ADD unless sealed; RMDIR, REPLACE and the RENAMEs only where no
 * entry names them, by their owner or root.  What is never allowed by kind or owner is TF_DENIED, what is
 * refused since it is final TF_SEALED; ADD to a sealed directory TF_READONLY.
 */
TF_MUST_USE enum tf_code tf_policy(const struct tf_subject *s,
    enum tf_request req, uint32_t caller_uid);

/*
 * Which kind is born by mkdir (directory true) or create below a parent of
 * this kind?  TF_DENIED where nothing of that sort may stand.
 */
TF_MUST_USE enum tf_code tf_policy_child(enum tf_kind parent, bool directory,
    enum tf_kind *child);

/* For logs: what to do about a refusal; never NULL. */
const char *tf_policy_advice(const struct tf_subject *s, enum tf_request req);

/* May a row of stage be of this kind, and have this name? */
bool tf_policy_may_wait(enum tf_kind kind, const char *name, size_t n);
/* May it stand in a directory of that kind? */
bool tf_policy_may_hold(enum tf_kind parent, enum tf_kind kind);
#define TF_STAGE_RULE                                                    \
	((struct tf_stage_rule){ tf_policy_may_wait, tf_policy_may_hold, \
	    TF_DEPTH_MAX })

#endif
