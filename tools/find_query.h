/* Asking a vault a query (core/find.h), in its mount or its store. */
#ifndef TRAILCTL_FIND_QUERY_H
#define TRAILCTL_FIND_QUERY_H

#include "core/buffer.h"
#include "where.h"

/* A vault that is asked; {0} before find_open. */
struct find {
	const struct where *w;
	struct tf_vault *v; /* of a store; NULL in a mount */
};

/* The caller calls find_close in any case.  w must live until then. */
TF_MUST_USE enum tf_code find_open(struct find *f, const struct where *w,
    struct tf_error *err);
void find_close(struct find *f);
/*
 * Append the answer to one query, the lines of core/find.h, to out. In a mount
 * it has what the caller may read, in a store everything. TF_INVALID: the query
 * is malformed. Other errors: those of where_control() and tf_find().
 */
TF_MUST_USE enum tf_code find_ask(struct find *f, const char *query,
    struct tf_buf *out, struct tf_error *err);

#endif
