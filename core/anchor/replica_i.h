/*
 * The state of an open replica, for the replica_*.c files and private to them.
 * One thread at a time may use it.
 */
#ifndef TF_ANCHOR_REPLICA_I_H
#define TF_ANCHOR_REPLICA_I_H

#include "../base/bits.h"
#include "../ledger/entry_read.h"
#include "../ledger/replay.h"
#include "../ledger/rotation.h"
#include "../store/objects.h"
#include "replica.h"

struct tf_db;
struct tf_tree;

#define TF_INCOMING "incoming" /* directory of objects on their way */

/* A directory whose times are not in its row yet: it got a name. */
struct tf_replica_touched {
	uint64_t id; /* 0: none */
	struct tf_time at;
};

struct tf_replica {
	char *path; /* of the database */
	int dirfd, objectsfd, incomingfd, lockfd;
	struct tf_object_dirs dirs;
	struct tf_db *db;
	char store[33];
	struct tf_vkey vkey;	 /* key in force, and the origin */
	struct tf_log_keys keys; /* the rotations so far */
	struct tf_checkpoint head;
	struct tf_buf note;
	/* the state after the last entry, committed or not */
	struct tf_temp_table *table;
	struct tf_replay *replay;
	struct tf_tree *tree;
	uint64_t size, bytes, files, content_bytes, said;
	struct tf_error
	    broken; /* the rule that the replay reported, or TF_OK */
	/* the batch */
	bool in_batch, failed;
	uint64_t next_object;  /* row id */
	struct tf_buf stamped; /* for the next entry; n 0: none was given */
	struct tf_replica_touched touched;
	/* nodes of evidence without bytes, that must be redacted */
	struct tf_bits owed;
	uint64_t n_owed;
	uint64_t *owed_ids; /* those, and some that were redacted since */
	size_t n_owed_ids, cap_owed_ids;
	struct tf_buf owed_path;
	struct tf_hash *owed_texts; /* among n_owed */
	size_t n_owed_texts, cap_owed_texts;
	/* rows of objects of redacted evidence that still have their bytes */
	struct tf_bits held;
	/* objects in files that moved into rows: their files go after it */
	struct tf_hash *moved;
	size_t n_moved, cap_moved;
};

/* Write the rows that follow from entry e, which replay has accepted with the
 * effect x.  TF_TAMPER: an object is absent or has another size. */
TF_MUST_USE enum tf_code tf_replica_apply(struct tf_replica *r,
    const struct tf_entry *e, const struct tf_replay_effect *x,
    struct tf_error *err);
/* Write the times of the directory in r->touched. */
TF_MUST_USE enum tf_code tf_replica_touch(struct tf_replica *r,
    struct tf_error *err);

/* The rows of definitions, claims and protections, and the objects that an entry
 * names beside evidence. */
TF_MUST_USE enum tf_code tf_replica_said(struct tf_replica *r,
    const struct tf_entry *e, const struct tf_replay_effect *x,
    struct tf_error *err);

/*
 * The row of the object with that content: *id.  keep: its bytes are kept in the
 * row, as those of definitions are; else a long object stays a file.
 * TF_NOTFOUND (err unchanged): it is absent; TF_TAMPER: it has another size.
 */
TF_MUST_USE enum tf_code tf_replica_object(struct tf_replica *r,
    const struct tf_content *c, bool keep, uint64_t *id, struct tf_error *err);
/* What node names has no bytes: later entries must show that it was redacted. */
TF_MUST_USE enum tf_code tf_replica_owe(struct tf_replica *r, uint64_t node,
    struct tf_error *err);
/* A row for evidence or a report without bytes. */
TF_MUST_USE enum tf_code tf_replica_no_object(struct tf_replica *r,
    const struct tf_content *c, uint64_t *id, struct tf_error *err);
/* A row for evidence of a sparse replica: its file may come later. */
TF_MUST_USE enum tf_code tf_replica_sparse_object(struct tf_replica *r,
    const struct tf_content *c, uint64_t *id, struct tf_error *err);
/* Object row id is of redacted evidence, and nothing else has it: its digest
 * names another row if the same bytes are recorded again.  Its own stay until
 * tf_replica_erase_held. */
TF_MUST_USE enum tf_code tf_replica_hold(struct tf_replica *r, uint64_t id,
    struct tf_error *err);
/* When the replica is opened: find what is held. */
TF_MUST_USE enum tf_code tf_replica_load_held(struct tf_replica *r,
    struct tf_error *err);
/* Before the commit: note that files of objects that moved into rows are to go.
 * After it: erase them, and what an erasure that was cut has left. */
TF_MUST_USE enum tf_code tf_replica_note_erasing(struct tf_replica *r,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_replica_erase(struct tf_replica *r,
    struct tf_error *err);
/* Overwrite and delete the file of h, if there is one. */
TF_MUST_USE enum tf_code tf_replica_erase_file(struct tf_replica *r,
    const struct tf_hash *h, struct tf_error *err);
/* Replace the text of path by the path of node id in db, with a NUL. */
TF_MUST_USE enum tf_code tf_replica_path(struct tf_db *db, uint64_t id,
    struct tf_buf *path, struct tf_error *err);
/* Write the files of the public key in the directory of a replica. */
TF_MUST_USE enum tf_code tf_replica_write_public(int dirfd,
    const struct tf_vkey *k, struct tf_error *err);
/* Remove the files in a directory of the replica, and the directory. */
void tf_replica_remove_directory(int dirfd, const char *name);
/* When the replica is opened: remove what a crash has left of files, and finish
 * erasing. */
TF_MUST_USE enum tf_code tf_replica_tidy(struct tf_replica *r,
    struct tf_error *err);

#endif
