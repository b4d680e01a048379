/* The entries about a directory and what is below it. */
#ifndef TF_VIEW_EVENTS_H
#define TF_VIEW_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_view;

/* Numbers of entries, rising. */
struct tf_seqs {
	uint64_t *p;
	size_t n, cap;
};

void tf_seqs_free(struct tf_seqs *s);

/*
 * The entries about directory id (of the three upper levels) and what is up to
 * `levels` below it; `unindexed`: only those that no row names.  Some may be
 * about another path: ask tf_is_below of each.
 */
TF_MUST_USE enum tf_code tf_view_collect(struct tf_view *w, uint64_t id,
    unsigned levels, bool unindexed, struct tf_seqs *out, struct tf_error *err);

/* Is this entry about dir, the path of such a directory, or below it? */
bool tf_is_below(const struct tf_buf *entry, const struct tf_buf *dir);

#endif
