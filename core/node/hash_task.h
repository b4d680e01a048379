/* The types of the hasher (core/commit/hasher.h) that pending nodes refer to. */
#ifndef TF_NODE_HASH_TASK_H
#define TF_NODE_HASH_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "../types.h"

struct tf_hasher;
struct tf_pending;
struct tf_sha256;

#define TF_PIECES 16 /* that may have come too early */

/* One task.  It belongs to the hasher while it is queued. */
struct tf_hash_task {
	struct tf_hash_task *next;  /* first of another user, or NULL */
	struct tf_hash_task *below; /* the same user's next, or NULL */
	uint32_t uid;
	unsigned awaited; /* by so many programs (the hasher's mu) */
	/* Hash one slice, using buf for the bytes.  Returns false when the task
	 * is complete and belongs to the caller again.  Runs in a thread of the
	 * hasher, without its lock. */
	bool (*step)(struct tf_hasher *h, struct tf_hash_task *t, char *buf);
};

/*
 * How far the staged file of a pending node is hashed.  tf_hash_need() makes it
 * for content that goes to a file, and the last reference of the node frees it:
 * short content has none.  io of the node guards it, unless a comment says
 * otherwise.
 */
struct tf_staged_hash {
	struct tf_hash_task task;
	struct tf_pending *of;
	struct tf_sha256 *sha; /* of the first `hashed` bytes */
	uint64_t hashed;
	bool in_order;	  /* each byte was written once, nearly in order: */
	uint64_t end;	  /* all bytes of the content before this one are */
	unsigned n_ahead; /* there, and so many pieces behind it */
	struct tf_piece {
		uint64_t from, to;
	} ahead[TF_PIECES];   /* sorted, apart from each other */
	bool hashing;	      /* the hasher has sha and hashed (its mu) */
	bool failed;	      /* the hasher could not read */
	uint64_t upto;	      /* how far it shall hash (changed with its mu) */
	uint64_t seen;	      /* how far it has hashed (its mu) */
	uint64_t whole_gen;   /* whole is of this gen of the node; 0: of none */
	struct tf_hash whole; /* digest of the content */
};

#endif
