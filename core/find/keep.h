/* Keeps the search index of a vault up to date. */
#ifndef TF_FIND_KEEP_H
#define TF_FIND_KEEP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../ledger/checkpoint.h"
#include "../store/search_rows.h"

struct tf_vault;

/* Lock order: mu, then index_mu.  index_mu is held for one batch of entries, or
 * for one step of a search, but never while the ledger is read for an answer or
 * a workflow is judged. */
struct tf_find {
	struct tf_vault *v;
	char path[4200];
	char mark[TF_ORIGIN_MAX + 40];
	atomic_bool quit; /* the thread must end */
	bool of_copy;	  /* the vault is one that others fill: core/fetch.h */
	pthread_mutex_t mu;
	pthread_cond_t changed;
	pthread_mutex_t index_mu;
	struct tf_search_db *index; /* or NULL; guarded by index_mu */
	bool still; /* index is the file itself, which is only replaced */
	/* How often index was opened.  It changes only while facts is 0. */
	atomic_uint opened;
	/* All below: guarded by mu. */
	pthread_t thread;
	bool runs;  /* the thread */
	bool asked; /* a search waits for it; for statuses, too: */
	bool asked_words;
	bool anew;	       /* it must remove the file and make another */
	uint64_t facts, words; /* entries that the index covers */
	enum tf_code failed;   /* the thread cannot go on for now */
	struct tf_error why;
};

/* Wait until the index of a writing vault covers the first `entries` entries;
 * words: their statuses, too.  *opened becomes f->opened: while that is the same,
 * it is still this index.  Starts the thread if it does not run.
 * TF_INTERRUPTED, or why the thread cannot go on. */
TF_MUST_USE enum tf_code tf_find_await(struct tf_find *f, uint64_t entries,
    bool words, unsigned *opened, struct tf_error *err);
/* Make the thread remove the file and index the ledger anew. */
void tf_find_begin_anew(struct tf_find *f);
/* Bring the copy of a read-only vault up to date, or make it; the file itself serves
 * if it is that of a copy of a vault and covers the ledger.  mu is held. */
TF_MUST_USE enum tf_code tf_find_update_copy(struct tf_find *f,
    struct tf_error *err);
/* Does rc mean that the index must be made anew? */
bool tf_find_is_damage(enum tf_code rc);

#endif
