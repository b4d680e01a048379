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

/* Does arg look like the URI of a ledger or of blobs? */
bool tf_org_is_uri(const char *arg);
/* The same URI for another working directory: the path of `dir:` is made absolute.
 * *out is for free().  TF_NOTFOUND: there is no such path; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_org_uri_absolute(const char *uri, char **out,
    struct tf_error *err);

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
	bool is_fork;	 /* `there` is set */
	bool is_revoked; /* the origin was; else a gap */
	/* SHA-256 of the entry that was given, and of that which is there. */
	struct tf_hash given, there;
	struct tf_time at; /* by the clock of the engine */
};
typedef enum tf_code (*tf_refused_fn)(void *arg, const struct tf_refused *r,
    struct tf_error *err);

struct tf_actor;

struct tf_org_new {
	const char *ledger, *blobs; /* URIs */
	const char *origin;	    /* name of the organisation's log */
	const char *keys;	    /* directory of its key, outside of both */
	const struct tf_actor *who;
};
/*
 * Make an organisation without members: a key, blobs, and a ledger with entry 0.
 * worm, unless NULL, becomes true if the blobs hold locks, false if none were asked
 * for.  A run that was killed can be repeated.
 * TF_EXISTS: there is a ledger at that URI; nothing in it was changed.  TF_FOREIGN:
 * keys has the key of another log.  TF_DENIED: the store of the blobs ignores locks:
 * it must not be used.
 */
TF_MUST_USE enum tf_code tf_org_init(const struct tf_org_new *o, bool *worm,
    struct tf_error *err);

struct tf_publish {
	const char *ledger, *blobs, *keys;
	const struct tf_actor *who; /* for entries of the organisation */
	bool full;		    /* read the ledger from its beginning */
	/* Called for each member about which something is wrong: the number of the
	 * entry, UINT64_MAX if it is about none, and what. */
	void (*found)(void *arg, const char *origin, uint64_t number,
	    const char *what);
	/* Unless NULL, called when what an earlier run has kept cannot be used, or
	 * what this one has read cannot be kept. */
	void (*warn)(void *arg, const char *why);
	void *arg;
};
struct tf_published {
	uint64_t entries;  /* of the checkpoint */
	uint64_t added;	   /* since the one before */
	uint64_t read;	   /* entries that were read for it */
	uint64_t recorded; /* refusals that this run made entries of */
	uint64_t entered;  /* entries about what an earlier version has done:
			    * members that it enrolled or revoked */
	uint64_t tiles;	   /* files that were put */
	uint64_t members;
	uint64_t wrong;	    /* members with a finding */
	uint64_t uncovered; /* entries of members that no checkpoint of theirs
			     * covers */
};
/*
 * Sign a checkpoint over all entries of the ledger, and publish it with the tree and
 * the entries, as C2SP tlog-tiles says, as named texts of the blobs.
 *
 * Reads what is new since the last run, of which it keeps the state in the directory
 * of the keys; with full, or without a state that fits, the whole ledger.  The entries
 * must continue what was signed before, or nothing is signed (TF_TAMPER): the state
 * can be stale or gone, and never leads to another signature.
 * What the ledger has refused of a member becomes an entry of the organisation's own
 * origin, each once, wherever a run is killed.
 * Of each member are checked: numbers without a gap, origin and number in each entry,
 * signature and root of each checkpoint.  A finding about a member does not stop the
 * others: it is in out->wrong, now and in each later run.
 * Errors: TF_FOREIGN keys is not that of entry 0; TF_BUSY another organiser publishes
 * at the same time.
 */
TF_MUST_USE enum tf_code tf_org_publish(const struct tf_publish *o,
    struct tf_published *out, struct tf_error *err);

/*
 * Replace the key of the log by a new one: an entry of the organisation, signed by
 * both, and then a publication.  The old key is good up to the checkpoint that it has
 * signed last, and signs beside the new one for 30 days.  Append the new vkey to vkey.
 * A run that was killed is finished by the next one, or by a publication.
 * TF_NOTFOUND: nothing was published yet.  TF_FOREIGN: the key was replaced by another
 * copy of the directory.
 */
struct tf_buf;
TF_MUST_USE enum tf_code tf_org_rotate(const struct tf_publish *o,
    struct tf_published *out, struct tf_buf *vkey, struct tf_error *err);

/* Append the newest checkpoint of the ledger to note.  TF_NOTFOUND: none yet. */
TF_MUST_USE enum tf_code tf_org_checkpoint(const char *ledger,
    struct tf_buf *note, struct tf_error *err);
/* Append a text that was published, of at most max bytes, to out. */
TF_MUST_USE enum tf_code tf_org_published(const char *blobs, const char *name,
    size_t max, struct tf_buf *out, struct tf_error *err);
/*
 * Publish note, the newest checkpoint with the cosignatures of witnesses, instead of
 * that without them.  Its text and the lines that were there must be the same.
 * TF_BUSY: another one is the newest now.
 */
TF_MUST_USE enum tf_code tf_org_cosigned(const char *ledger, const char *blobs,
    const char *keys, struct tf_str note, struct tf_error *err);

/*
 * Let the log with this vkey append; its name is the origin.  role: who may do so,
 * in the words of the engine; "" for any.  An entry of the organisation says so, if
 * that is not so already.  TF_INVALID: no vkey of a log, or that of the organisation;
 * TF_EXISTS: the origin is enrolled with another key.
 */
TF_MUST_USE enum tf_code tf_org_enrol(const char *ledger, const char *vkey,
    const char *role, const struct tf_actor *who, struct tf_error *err);
/* From now on the origin may not append; an entry says so. */
TF_MUST_USE enum tf_code tf_org_revoke(const char *ledger, const char *origin,
    const struct tf_actor *who, struct tf_error *err);
/* Call fn for each member, by name; and for each refusal, in their order. */
TF_MUST_USE enum tf_code tf_org_members(const char *ledger, tf_member_fn fn,
    void *arg, struct tf_error *err);
TF_MUST_USE enum tf_code tf_org_refusals(const char *ledger, tf_refused_fn fn,
    void *arg, struct tf_error *err);

#endif
