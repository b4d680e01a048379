/*
 * The only writer of the ledger.  Callers queue jobs.  The committer, which is a
 * thread of its own or a caller's that would only wait (queue.c), takes all queued
 * jobs, runs them in one transaction, commits once (group commit), signs one
 * checkpoint, and then reports each job's result.  I1, I3, I4: see commit.c.
 */
#ifndef TF_COMMIT_COMMIT_H
#define TF_COMMIT_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../json.h"

struct tf_committer;
struct tf_db;
struct tf_entry;
struct tf_prepared_entry;
struct tf_vault;

/* A directory whose row the transaction changes. */
struct tf_touched {
	uint64_t id;
	bool moves; /* a name was created in it: its times become at */
	struct tf_time at;
};

/* The transaction of a job.  It belongs to the thread that commits. */
struct tf_txn {
	struct tf_vault *v;
	struct tf_db *db; /* reads see the writes of this transaction */
	bool wrote;	  /* the present job has changed the database */
	/* The ledger with the entries appended so far. */
	uint64_t size, bytes;	       /* entries; bytes of events.jsonl */
	uint64_t files, content_bytes; /* sealed evidence */
	/* Bytes of user data and definitions: all that the ledger names, also
	 * if another entry replaced them, and those of open attestations.  A
	 * job changes it after tf_txn_write(); it is durable with the commit. */
	uint64_t said;
	struct tf_time at;	   /* of the last entry */
	struct tf_time not_before; /* lower limit for the next entry */
	bool batch;		   /* entries carry batch_first..batch_last */
	uint64_t batch_first, batch_last;
	uint64_t path_id; /* the directory whose path is cached */
	struct tf_buf path;
	struct tf_buf body; /* memory for the entry being appended */
	uint64_t open_att;  /* an attestation found to be open, or 0 */
	uint64_t known_dir; /* a directory found to have an entry, or 0 */
	/* Directories whose attributes change with the commit. */
	struct tf_touched *touched;
	size_t n_touched, cap_touched;
	/* Keys that are in force after the commit, of a job that is alone; the
	 * vault keeps them then. */
	struct tf_key_state *rotated;
};

struct tf_job {
	struct tf_job *next;
	/*
	 * Do the work, in the thread that commits.  run refuses before it writes
	 * (tf_txn_write).  If it fails after a write, the transaction is rolled
	 * back and its jobs run again one by one: run may be called twice.
	 */
	enum tf_code (*run)(struct tf_txn *t, struct tf_job *j,
	    struct tf_error *err);
	/* Report the result, in the thread that commits, after the commit (I4).
	 * Called exactly once.  done may free j. */
	void (*done)(struct tf_job *j, enum tf_code code,
	    const struct tf_error *err);
	enum tf_code rc;
	struct tf_error err;
	bool alone; /* in its transaction: the next one needs its commit */
};

/* Start the committer's thread.  Takes ownership of db, also on failure.
 * TF_TAMPER if the right edge of the tree does not give the root of the newest
 * checkpoint. */
TF_MUST_USE enum tf_code tf_commit_start(struct tf_vault *v, struct tf_db *db,
    struct tf_committer **out, struct tf_error *err);
/* Run all queued jobs, end the thread and free c.  NULL: does nothing. */
void tf_commit_stop(struct tf_committer *c);

/* The database for writing.  run calls this before each write. */
static inline struct tf_db *
tf_txn_write(struct tf_txn *t)
{
	t->wrote = true;
	return t->db;
}

#endif
