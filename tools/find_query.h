/* Asking a vault queries (core/find.h), in its mount or its store. */
#ifndef TRAILCTL_FIND_QUERY_H
#define TRAILCTL_FIND_QUERY_H

#include "core/json.h"
#include "where.h"

/* A vault that is asked; {0} before find_open. */
struct find {
	const struct where *w;
	struct tf_vault *v; /* of a store; NULL in a mount */
	bool opened;	    /* v, by find_open */
	bool kept;	    /* tf_find_keep was called */
};

/* v: the store of w, if the caller has it open; else NULL.  The caller calls
 * find_close in any case, before v is closed.  w must live until then. */
TF_MUST_USE enum tf_code find_open(struct find *f, const struct where *w,
    struct tf_vault *v, struct tf_error *err);
void find_close(struct find *f);

/* Append a filter to a query. One without a value (NULL or "") is left out. */
void find_add(struct tf_buf *query, const char *key, const char *value);

/* One answer: its line, without the LF, and the same parsed; valid during the
 * call only. Any other code than TF_OK ends the list and is returned. */
typedef enum tf_code (*find_fn)(void *arg, const char *line, size_t n,
    const struct tf_json_doc *d, struct tf_error *err);
/*
 * Call fn for each answer, the newest first, at most limit (0: all), until
 * standard output is closed. *all becomes the number of answers. In a mount
 * these are names that the caller may read, in a store all. The query has no
 * limit of its own. TF_INVALID: it is malformed. Other errors: those of
 * where_control() and tf_find().
 */
TF_MUST_USE enum tf_code find_each(struct find *f, const struct tf_buf *query,
    uint64_t limit, find_fn fn, void *arg, uint64_t *all, struct tf_error *err);

/*
 * Check a type and a control (NULL: none) that gave no answer: a misspelled one
 * would look like an answer. A type is known if it is built in, if a trail
 * defines it or if an attestation has it, and a control if an attestation is
 * about it. TF_USAGE: one of them is not known.
 */
TF_MUST_USE enum tf_code find_check_known(struct find *f, const char *type,
    const char *control, struct tf_error *err);

#endif
