/*
 * The state of the one writer of the ledger, for the files that share its work:
 * append.c, head.c, node_ids.c, queue.c and commit.c.
 */
#ifndef TF_COMMIT_COMMITTER_I_H
#define TF_COMMIT_COMMITTER_I_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "../sign/sign.h"
#include "commit.h"

struct tf_tree;

/* Readings of wall clock and boot clock at the last entry.  If their
 * differences to the present readings disagree, the wall clock was set. */
struct tf_clock_seen {
	bool known;
	struct tf_time clock;
	uint64_t boot_ns;
};

struct tf_committer {
	struct tf_vault *v;
	struct tf_db *db;	   /* of the thread that set running */
	struct tf_tree *tree;	   /* likewise */
	struct tf_txn txn;	   /* likewise */
	uint64_t next_id, end_id;  /* node ids for jobs, likewise */
	struct tf_clock_seen seen; /* likewise */

	struct tf_ticket ticket; /* of the newest tree, likewise */
	/* The note of the last checkpoint, while it has no row yet; likewise. */
	struct tf_buf owed;
	uint64_t owed_size;
	struct tf_hash owed_root;

	pthread_t thread;
	bool started;
	pthread_mutex_t mu;
	pthread_cond_t more;
	struct tf_job *head, **tail; /* guarded by mu */
	unsigned n;		     /* jobs in that list; guarded by mu */
	unsigned gathering;	     /* threads that add more; guarded by mu */
	/* A thread runs jobs, or is about to; guarded by mu. */
	bool running;
	/* Run the jobs of list, and report their results. */
	void (*process)(struct tf_committer *c, struct tf_job *list);
	bool quit; /* guarded by mu */
};

#endif
