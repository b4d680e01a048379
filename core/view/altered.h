/* Entries that the store does not have any more as it committed them. */
#ifndef TF_VIEW_ALTERED_H
#define TF_VIEW_ALTERED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../node/unindexed.h"
#include "../types.h"

struct tf_view;

/* A walk over the entries from..end of a view, in order. */
struct tf_leaves {
	struct tf_view *w;
	uint64_t next; /* the entry that comes next */
	uint64_t end;  /* of the walk */
	uint64_t tile; /* whose hashes are in leaf */
	bool has_tile;
	struct tf_hash leaf[256];
};

/* Begin a walk over the entries from..end. */
void tf_leaves_begin(struct tf_leaves *l, struct tf_view *w, uint64_t from,
    uint64_t end);
/* Compare entry idx with its leaf, and add it to s->altered if they differ.
 * Entries that the walk has skipped are added as missing; idx l->end with body
 * NULL ends the walk.  *whole becomes true if the entry is what was committed.
 * Errors: TF_NOMEM; those of the database. */
TF_MUST_USE enum tf_code tf_leaves_check(struct tf_leaves *l,
    struct tf_scanned *s, uint64_t idx, const void *body, size_t n, bool *whole,
    struct tf_error *err);
/* Add the altered entries of a walk to those of others.  False: no memory. */
bool tf_altered_add(struct tf_scanned *all, const struct tf_scanned *s);

#endif
