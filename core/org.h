/*
 * An organisation: a ledger and blobs that many hosts forward to (forward.h), made
 * and governed by an organiser.  Both are named by URIs; "dir:PATH" may stand for
 * both.
 *
 * Errors of all functions, beside those named: TF_INVALID a wrong URI;
 * TF_UNSUPPORTED its engine is not installed; TF_NOTFOUND there is no ledger;
 * TF_IO, TF_BUSY, TF_INDOUBT: do it again.
 */
#ifndef TF_ORG_H
#define TF_ORG_H

#include "error.h"
#include "types.h"

/* An origin that may append, or might once. */
struct tf_member {
	struct tf_str origin, vkey;
	struct tf_str
	    role;      /* who may append for it, as the engine names them */
	uint64_t next; /* number of its next entry */
	bool revoked;
};
typedef enum tf_code (*tf_member_fn)(void *arg, const struct tf_member *m,
    struct tf_error *err);

/* What append refused. */
struct tf_refused {
	uint64_t index; /* 0, 1, ...: the refusals of a ledger */
	struct tf_str origin;
	uint64_t number;
	bool is_fork; /* else a gap: there is then no entry */
	/* SHA-256 of the entry that was given, and of that which is there. */
	struct tf_hash given, there;
	struct tf_time at; /* by the clock of the engine */
};
typedef enum tf_code (*tf_refused_fn)(void *arg, const struct tf_refused *r,
    struct tf_error *err);

/*
 * Make an organisation without members.  worm, unless NULL, becomes true if the
 * blobs hold locks, false if none were asked for.
 * TF_EXISTS: there is a ledger at that URI; the blobs are then made if they were
 * not there.  TF_DENIED: the store of the blobs ignores locks: it must not be used.
 */
TF_MUST_USE enum tf_code tf_org_init(const char *ledger, const char *blobs,
    bool *worm, struct tf_error *err);
/*
 * Let the log with this vkey append; its name is the origin.  role: who may do so,
 * in the words of the engine; "" for any.  TF_INVALID: no vkey of a log;
 * TF_EXISTS: the origin is enrolled with another key.
 */
TF_MUST_USE enum tf_code tf_org_enrol(const char *ledger, const char *vkey,
    const char *role, struct tf_error *err);
/* From now on the origin may not append. */
TF_MUST_USE enum tf_code tf_org_revoke(const char *ledger, const char *origin,
    struct tf_error *err);
/* Call fn for each member, by name; and for each refusal, in their order. */
TF_MUST_USE enum tf_code tf_org_members(const char *ledger, tf_member_fn fn,
    void *arg, struct tf_error *err);
TF_MUST_USE enum tf_code tf_org_refusals(const char *ledger, tf_refused_fn fn,
    void *arg, struct tf_error *err);

#endif
