/*
 * A pool of threads that hash contents and report those that differ from their
 * entry.  The queue holds at most 256 tasks, so memory is bounded.
 */
#ifndef TF_AUDIT_POOL_H
#define TF_AUDIT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "../ledger/entry.h"

struct tf_pieces;
struct tf_pool;
struct tf_differ;

/* One content to check.  tf_pool_add takes path and pieces, which the pool
 * frees. */
struct tf_task {
	uint64_t seq;
	char *path;	 /* in the vault, NUL-terminated */
	uint64_t object; /* passed to hash(): number of the object */
	struct tf_content want;
	struct tf_pieces *pieces; /* of the content; or NULL */
	struct tf_differ *where;  /* of the pool: hash() adds the bytes, unless
				   * NULL; also those of another size */
};

struct tf_pool_work {
	/* Called once in each thread: begin makes the state of the thread, end
	 * frees it.  NULL: the threads have no state. */
	enum tf_code (*begin)(void *arg, void **self, struct tf_error *err);
	void (*end)(void *self);
	/* Set digest and size of the stored bytes.  TF_TAMPER or TF_NOTFOUND:
	 * the bytes are missing, err gives the reason.  Called from many
	 * threads at once, each with its own self. */
	enum tf_code (*hash)(void *arg, void *self, const struct tf_task *t,
	    struct tf_hash *h, uint64_t *size, struct tf_error *err);
	void *arg;
};

/* Start threads, 0 for one per core.  The caller frees *out with tf_pool_free.
 * Errors: TF_NOMEM no memory, or no thread could start. */
TF_MUST_USE enum tf_code tf_pool_new(const struct tf_pool_work *w,
    unsigned threads, struct tf_pool **out, struct tf_error *err);
/* Queue t.  Waits while the queue is full.  Does not fail. */
TF_MUST_USE enum tf_code tf_pool_add(struct tf_pool *p, const struct tf_task *t,
    struct tf_error *err);
/*
 * Call found, on this thread, for each fault since the last call.  read false:
 * the bytes could not be read, which proves nothing.  With finish the call
 * first waits until all added tasks are done.  have: digest (zero: unknown) and
 * size of the bytes that are there, NULL if they are missing or were not
 * read.  *bytes becomes the number of
 * bytes hashed so far.  Errors: the first error of a thread; some tasks were
 * not checked.
 */
typedef void (*tf_pool_found)(void *arg, const struct tf_task *t,
    const struct tf_content *have, bool read, const char *text);
TF_MUST_USE enum tf_code tf_pool_results(struct tf_pool *p, bool finish,
    tf_pool_found found, void *arg, uint64_t *bytes, struct tf_error *err);
/* Wait for the queued tasks, stop the threads, drop the faults.  p may be
 * NULL. */
void tf_pool_free(struct tf_pool *p);

#endif
