/* What walks over the ledger find: see node/unindexed.h. */
#ifndef TF_VIEW_UNINDEXED_H
#define TF_VIEW_UNINDEXED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../json.h"

struct tf_altered_entry;
struct tf_buf;
struct tf_view;

/* Seqs of entries.  {0} is empty. */
struct tf_seqs {
	uint64_t *p;
	size_t n, cap;
};

void tf_seqs_free(struct tf_seqs *s);
TF_MUST_USE enum tf_code tf_seqs_add(struct tf_seqs *s, uint64_t seq,
    struct tf_error *err);
/* Make them ascending and unique. */
void tf_seqs_sort(struct tf_seqs *s);

/*
 * Walk over the entries of the view from `from` on, unless that was done.  Other
 * threads go on meanwhile, except those that need the result of a walk; they
 * hold no lock while they wait.  Errors: TF_INTERRUPTED the caller must stop;
 * TF_NOMEM; those of the database.
 */
TF_MUST_USE enum tf_code tf_view_walk(struct tf_view *w, uint64_t from,
    struct tf_error *err);
/* Append the entries of the view from `from` on that no row of table node names
 * and that are about path or below it, a path of one to three components, which
 * an entry created: its number is at least `from`.  There may be others among
 * them.  Walks first. */
TF_MUST_USE enum tf_code tf_view_unindexed(struct tf_view *w,
    const struct tf_buf *path, uint64_t from, struct tf_seqs *out,
    struct tf_error *err);

/*
 * Call fn for every altered entry of the view that no row of node or definition
 * names, or that a row of a node at or below that workflow names.  Only entries that
 * were walked over are known.  Locks of the vault are held during the call.
 */
typedef enum tf_code (*tf_altered_fn)(void *arg,
    const struct tf_altered_entry *e, struct tf_error *err);
TF_MUST_USE enum tf_code tf_view_altered(struct tf_view *w, uint64_t workflow,
    tf_altered_fn fn, void *arg, struct tf_error *err);

/* What walks know about the workflow of that path. */
struct tf_walked {
	uint64_t
	    newest;    /* one more than the newest entry about it; or higher */
	uint64_t lost; /* another value: `newest` of before is not valid */
	bool has_unknown; /* some entry has an unknown type */
};
void tf_view_walked(struct tf_view *w, struct tf_str path,
    struct tf_walked *out);

#endif
