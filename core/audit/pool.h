/*
 * Contents on all cores: threads hash what is queued and tell what does not
 * match.  The queue is bounded, so memory is too.
 */
#ifndef TF_AUDIT_POOL_H
#define TF_AUDIT_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "../ledger/entry.h"

struct tf_pool;

/* One content to check.  path belongs to the pool once it is added. */
struct tf_task {
	uint64_t seq;
	char *path;	 /* of the vault, NUL-terminated */
	uint64_t object; /* where it is, for hash() */
	struct tf_content want;
};

struct tf_pool_work {
	/* What a thread needs for itself; */
	enum tf_code (*begin)(void *arg, void **self, struct tf_error *err);
	void (*end)(void *self);
	/* Digest and size of the bytes as they are now.  TF_TAMPER or
	 * TF_NOTFOUND: missing, err says how. */
	enum tf_code (*hash)(void *arg, void *self, const struct tf_task *t,
	    struct tf_hash *h, uint64_t *size, struct tf_error *err);
	void *arg;
};

/* threads 0: as many as there are cores. */
TF_MUST_USE enum tf_code tf_pool_new(const struct tf_pool_work *w,
    unsigned threads, struct tf_pool **out, struct tf_error *err);
/* Waits while the queue is full. */
TF_MUST_USE enum tf_code tf_pool_add(struct tf_pool *p, const struct tf_task *t,
    struct tf_error *err);
/*
 * Tell what was found wrong since the last call, on this thread (read false:
 * it could not be looked at, which proves nothing); finish: when
 * all that was added is done, and *bytes is how much was read.
 */
typedef void (*tf_pool_found)(void *arg, const struct tf_task *t, bool read,
    const char *text);
TF_MUST_USE enum tf_code tf_pool_results(struct tf_pool *p, bool finish,
    tf_pool_found found, void *arg, uint64_t *bytes, struct tf_error *err);
void tf_pool_free(struct tf_pool *p);

#endif
