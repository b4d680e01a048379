/*
 * The append-only rule: from a node and a request to TF_OK or a refusal.  No
 * other file decides this.  All functions are pure and safe from many threads
 * at once.
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
	TF_REQ_SETMETA,	      /* change mode, owner, times or xattr */
	TF_REQ_UNLINK,
	TF_REQ_RENAME,	     /* rename it to an ordinary name */
	TF_REQ_RENAME_DRAFT, /* rename it to a draft's name */
	TF_REQ_REPLACE,	     /* rename another node onto it */
	TF_REQ_RMDIR,
	TF_REQ_ADD, /* create a name in this directory */
	TF_REQUESTS
};

/* The node that a request is about, as far as the rule needs it. */
struct tf_subject {
	enum tf_kind kind;
	enum tf_state state;
	uint64_t size;	    /* current size, bytes */
	uint32_t uid;	    /* owner */
	bool open_by_other; /* another uid has it open for writing */
	bool has_entry;	    /* directory: a ledger entry names it */
};

/*
 * Decide whether caller_uid may make the request.  Files allow, by state:
 *   placeholder  everything except truncate(2) to another size; unlink, replace
 *                and set-meta only for the owner or root
 *   open         write-open by the writer's uid; O_TRUNC only while empty;
 *                set-meta; rename to an ordinary name
 *   draft        everything; unlink, replace and set-meta only for the owner or
 *                root
 *   frozen       set-meta and rename to an ordinary name, for the owner or root
 *   sealed       nothing
 * Directories allow ADD unless sealed.  They allow RMDIR, REPLACE and the
 * RENAMEs only while no entry names them, for the owner or root.
 * Errors: TF_DENIED (never allowed for this kind or this user), TF_SEALED (the
 * node is final), TF_BUSY (another uid writes the file), TF_READONLY (ADD to a
 * sealed directory).
 */
TF_MUST_USE enum tf_code tf_policy(const struct tf_subject *s,
    enum tf_request req, uint32_t caller_uid);

/*
 * Set *child to the kind that mkdir (directory true) or create makes below a
 * parent of this kind.  TF_DENIED when the parent allows no such child.
 */
TF_MUST_USE enum tf_code tf_policy_child(enum tf_kind parent, bool directory,
    enum tf_kind *child);

/* Return advice for the log on how to avoid a refusal; static, never NULL. */
const char *tf_policy_advice(const struct tf_subject *s, enum tf_request req);

/* True if a row of the stage table may have this kind and this name. */
bool tf_policy_may_wait(enum tf_kind kind, const char *name, size_t n);
/* True if a staged node of this kind may be in a parent of that kind. */
bool tf_policy_may_hold(enum tf_kind parent, enum tf_kind kind);
#define TF_STAGE_RULE                                                    \
	((struct tf_stage_rule){ tf_policy_may_wait, tf_policy_may_hold, \
	    TF_DEPTH_MAX })

#endif
