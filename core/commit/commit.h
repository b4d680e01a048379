/*
 * The one writer.  Jobs queue up; one thread takes all that wait, runs them in
 * one transaction, signs one checkpoint and commits once (group commit), then
 * tells each how it went.  I1, I3, I4.
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

struct tf_touched {
	uint64_t id;
	bool moves; /* names were born in it: its times move to at */
	struct tf_time at;
};

/* The transaction that a job runs in. */
struct tf_txn {
	struct tf_vault *v;
	struct tf_db *db;     /* reads see what was written before */
	bool wrote;	      /* this job changed something */
	uint64_t size, bytes; /* of the ledger, with what was appended */
	uint64_t files, content_bytes; /* sealed evidence so far */
	struct tf_time at;	       /* of the last entry */
	struct tf_time not_before;     /* the next entry is not older */
	bool batch; /* entries carry batch_first..batch_last */
	uint64_t batch_first, batch_last;
	uint64_t path_id; /* the directory whose path is kept */
	struct tf_buf path;
	struct tf_buf body; /* of the entry that is appended */
	uint64_t open_att;  /* an attestation known to be open */
	uint64_t known_dir; /* a directory known to have its entry */
	/* Directories that look different once this is committed. */
	struct tf_touched *touched;
	size_t n_touched, cap_touched;
};

struct tf_job {
	struct tf_job *next;
	/*
	 * In the committer's thread.  A refusal is returned before anything was
	 * written; an error after that undoes the transaction, and the jobs are
	 * run again one by one: run may be called twice.
	 */
	enum tf_code (*run)(struct tf_txn *t, struct tf_job *j,
	    struct tf_error *err);
	/* In the committer's thread, after the commit; j may be freed. */
	void (*done)(struct tf_job *j, enum tf_code code,
	    const struct tf_error *err);
	enum tf_code rc;
	struct tf_error err;
};
#define TF_ID_BLOCK 1024 /* node ids reserved at a time */

/* Takes db over, also on failure.  Checks the right edge of the tree against
 * the newest checkpoint: TF_TAMPER. */
TF_MUST_USE enum tf_code tf_commit_start(struct tf_vault *v, struct tf_db *db,
    struct tf_committer **out, struct tf_error *err);
/* Runs what is queued, then ends.  NULL is nothing. */
void tf_commit_stop(struct tf_committer *c);

/* Queue a job; done is called exactly once.  vault.mu may be held. */
void tf_commit_submit(struct tf_committer *c, struct tf_job *j);
/* Run a job and wait for it; vault.mu must not be held. */
TF_MUST_USE enum tf_code tf_commit_wait(struct tf_committer *c,
    enum tf_code (*run)(struct tf_txn *t, void *arg, struct tf_error *err),
    void *arg, struct tf_error *err);

/* For run: say that something is about to be written. */
static inline struct tf_db *
tf_txn_write(struct tf_txn *t)
{
	t->wrote = true;
	return t->db;
}

/*
 * Append an entry: v, seq, origin, at, clock and batch are filled in here.
 * *leaf (may be NULL) is its leaf hash.
 */
TF_MUST_USE enum tf_code tf_txn_append(struct tf_txn *t, struct tf_entry *e,
    struct tf_hash *leaf, struct tf_error *err);
/* The same of one that was prepared with this v and origin. */
TF_MUST_USE enum tf_code tf_txn_append_prepared(struct tf_txn *t,
    const struct tf_prepared_entry *p, struct tf_error *err);
/* The next n entries stand or fall together; ends with tf_txn_batch_end. */
TF_MUST_USE enum tf_code tf_txn_batch(struct tf_txn *t, uint64_t n,
    struct tf_error *err);
void tf_txn_batch_end(struct tf_txn *t);
/* A name was born in directory id: its times move at the end. */
TF_MUST_USE enum tf_code tf_txn_touch(struct tf_txn *t, uint64_t id,
    struct tf_time at, struct tf_error *err);
/* The row of directory id was changed otherwise. */
TF_MUST_USE enum tf_code tf_txn_changed(struct tf_txn *t, uint64_t id,
    struct tf_error *err);

/* A new node id, never given before and never again. */
TF_MUST_USE enum tf_code tf_vault_new_id(struct tf_vault *v, uint64_t *id,
    struct tf_error *err);

/* The same inside a job. */
TF_MUST_USE enum tf_code tf_txn_new_id(struct tf_txn *t, uint64_t *id,
    struct tf_error *err);

#endif
