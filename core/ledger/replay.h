/*
 * Replay: the entries alone, in order, rebuild the tree of names and obey the
 * rules of trailfs-format(5) (I5).  Pure: what it has to remember it keeps in a
 * table that the caller opens, so memory does not grow with the log.
 */
#ifndef TF_LEDGER_REPLAY_H
#define TF_LEDGER_REPLAY_H

#include "entry.h"
#include "replay_tree.h"
#include "statement.h"

/* A directory as the entries made it. */
struct tf_replay_dir {
	struct tf_attr attr;  /* state is OPEN or SEALED */
	struct tf_str path;   /* "." for the root */
	struct tf_str name;   /* the last part of path */
	uint64_t entry, seal; /* seq; seal UINT64_MAX: open */
};

/* What the last entry meant, beside its own fields. */
struct tf_replay_effect {
	/* A name was born: its parent, and where its name begins in path. */
	bool born;
	enum tf_kind kind;
	uint64_t parent;
	size_t name_at;
	/* access.changed of evidence, which the entry's node names. */
	bool evidence_access;
	/* attestation.sealed: what its statement must say, but for sealedAt. */
	bool has_statement;
	struct tf_statement statement;
	struct tf_str attester; /* key in force: SPKI in base64 */
};

struct tf_replay;

/*
 * table is empty and stays the caller's, to close afterwards; what it fails
 * with any call may return.  fail hears of every broken rule: text is one line.
 * NULL: no memory.
 */
struct tf_replay *tf_replay_new(const struct tf_temp_table_ops *ops,
    struct tf_temp_table *table,
    void (*fail)(void *arg, const struct tf_entry *e, const char *text),
    void *arg);
void tf_replay_free(struct tf_replay *r);

/*
 * The next entry, decoded, and its leaf hash.  *out lives until the next call.
 * TF_NOMEM; broken rules go to fail, and the entry has no effect then.
 * An entry of an unknown type or a higher version is checked in its common
 * fields and has no effect.
 */
TF_MUST_USE enum tf_code tf_replay_entry(struct tf_replay *r,
    const struct tf_entry *e, const struct tf_hash *leaf,
    struct tf_replay_effect *out, struct tf_error *err);
/* An entry is missing: the next may have any number and time. */
void tf_replay_gap(struct tf_replay *r, uint64_t next_seq);
/* The log ends here: a batch may not be cut. */
void tf_replay_end(struct tf_replay *r);

/* The origin in force at the end; "" before the first entry. */
const char *tf_replay_origin(const struct tf_replay *r);
/* The store's id, and the log's vkey in force; "" before the first entry. */
const char *tf_replay_store(const struct tf_replay *r);
const char *tf_replay_vkey(const struct tf_replay *r);
/* Did an entry name this node number? */
TF_MUST_USE enum tf_code tf_replay_knows(struct tf_replay *r, uint64_t node,
    bool *yes, struct tf_error *err);
/* Node, mode, owner and group of the evidence at path, as the entries so far
 * make them, into those fields of *out.  TF_NOTFOUND (err untouched). */
TF_MUST_USE enum tf_code tf_replay_access(struct tf_replay *r,
    struct tf_str path, struct tf_attr *out, struct tf_error *err);
uint64_t tf_replay_names(const struct tf_replay *r); /* with the root */
/* Every directory, by level and path, until fn returns another code than TF_OK.
 *  */
TF_MUST_USE enum tf_code tf_replay_each(struct tf_replay *r,
    enum tf_code (*fn)(void *arg, const struct tf_replay_dir *d,
	struct tf_error *err),
    void *arg, struct tf_error *err);

#endif
