/*
 * Replay rebuilds the tree of names from the entries alone, in order, and
 * checks them against the rules of trailfs-entries(5) (I5).  The state is in a
 * temporary table that the caller opens, so memory does not grow with the log.
 * One thread at a time may use a replay.
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
	uint64_t claims;      /* seq of the newest claims.set; 0: none */
};

/* The effect of one entry that its own fields do not contain. */
struct tf_replay_effect {
	/* The entry created a name: its parent, and its offset in path. */
	bool created;
	enum tf_kind kind;
	uint64_t parent;
	size_t name_at;
	/* template.set, type.set, recipients.set, claims.set, holds,
	 * retention.set, redactions: the node of the path; else 0. */
	uint64_t subject;
	/* Holds: the number of this entry among those about the hold, from 1;
	 * retention.set, redaction.proposed: among those about the node, or
	 * about the text; redaction.done: 1. */
	uint64_t version;
	/* redactions: of a text that stands apart; subject is TF_ROOT_ID then */
	bool text;
	/* access.changed of evidence; the entry's node field names it. */
	bool evidence_access;
	/* attestation.sealed: the expected statement, without sealedAt. */
	bool has_statement;
	struct tf_statement statement;
	struct tf_str attester; /* key in force: SPKI in base64 */
};

struct tf_replay;

/*
 * For a ledger.opened with the field previous, at another place than 0: set *yes
 * if the head in it is of the tree of the entries before it, which has this root.
 * The replay, which has no tree, compares only the size.  TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_previous_continues(const struct tf_entry *e,
    const struct tf_hash *root, bool *yes, struct tf_error *err);

/*
 * Begin a replay with an empty table.  The table stays the caller's, who closes
 * it after tf_replay_free.  The calls below may return any error of the table.
 * Replay calls fail for each broken rule; text is one line.  Returns NULL when
 * memory is short.
 */
struct tf_replay *tf_replay_new(const struct tf_temp_table_ops *ops,
    struct tf_temp_table *table,
    void (*fail)(void *arg, const struct tf_entry *e, const char *text),
    void *arg);
void tf_replay_free(struct tf_replay *r);

/*
 * Replay the next entry; leaf is its leaf hash.  *out is valid until the next
 * call.  An entry that breaks a rule is reported to fail, has no effect, and
 * gives TF_OK.  An entry of an unknown type or a higher version is checked in
 * its common fields and has no effect.  Errors: TF_NOMEM and those of the
 * table.
 */
TF_MUST_USE enum tf_code tf_replay_entry(struct tf_replay *r,
    const struct tf_entry *e, const struct tf_hash *leaf,
    struct tf_replay_effect *out, struct tf_error *err);
/*
 * Skip to next_seq: entries before it are missing.  The next entry may have any
 * number and time.
 */
void tf_replay_gap(struct tf_replay *r, uint64_t next_seq);
/* End the replay; an incomplete batch is reported to fail. */
void tf_replay_end(struct tf_replay *r);

/* The current origin; "" before the first entry. */
const char *tf_replay_origin(const struct tf_replay *r);
/* The store's ID and the log's current vkey; "" before the first entry. */
const char *tf_replay_store(const struct tf_replay *r);
const char *tf_replay_vkey(const struct tf_replay *r);
/* Set *yes if an entry has named this node number. */
TF_MUST_USE enum tf_code tf_replay_knows(struct tf_replay *r, uint64_t node,
    bool *yes, struct tf_error *err);
/*
 * Set node, mode, owner and group in *out from the evidence at path, as of the
 * last entry; the other fields keep their values.  TF_NOTFOUND leaves err
 * unchanged.
 */
TF_MUST_USE enum tf_code tf_replay_access(struct tf_replay *r,
    struct tf_str path, struct tf_attr *out, struct tf_error *err);
/* Set *yes if the text with this digest was redacted. */
TF_MUST_USE enum tf_code tf_replay_text_redacted(struct tf_replay *r,
    const struct tf_hash *text, bool *yes, struct tf_error *err);
/* Set *yes if the evidence at path was redacted, or if path is that of an
 * attestation with a report, of which evidence was redacted; false for any other
 * path. */
TF_MUST_USE enum tf_code tf_replay_redacted(struct tf_replay *r,
    struct tf_str path, bool *yes, struct tf_error *err);
/* Set *yes if evidence of the attestation at path was redacted that had this
 * digest. */
TF_MUST_USE enum tf_code tf_replay_redacted_in(struct tf_replay *r,
    struct tf_str path, const struct tf_hash *sha256, bool *yes,
    struct tf_error *err);
/* The number of names, the root included. */
uint64_t tf_replay_names(const struct tf_replay *r);
/*
 * Call fn for each directory, ordered by level and path.  Stops at the first
 * code other than TF_OK and returns it.
 */
TF_MUST_USE enum tf_code tf_replay_each(struct tf_replay *r,
    enum tf_code (*fn)(void *arg, const struct tf_replay_dir *d,
	struct tf_error *err),
    void *arg, struct tf_error *err);

#endif
