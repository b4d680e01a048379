/* The names that a search found, as a set that entries are compared with. */
#ifndef TRAILCTL_FOUND_NAMES_H
#define TRAILCTL_FOUND_NAMES_H

#include "find_query.h"

/* {0} is empty. */
struct found_names {
	struct tf_buf text; /* the paths, each with a NUL */
	size_t *at;	    /* where each begins, sorted by path */
	size_t n, cap;
};

/*
 * Fill *out, which is empty, with the paths of all answers to the query. The
 * caller calls found_names_free() in any case. Errors: those of find_each().
 */
TF_MUST_USE enum tf_code found_names_ask(struct found_names *out,
    struct find *f, const struct tf_buf *query, struct tf_error *err);
void found_names_free(struct found_names *x);

/* Is the entry about one of the names, or about something in an attestation
 * that is one of them? An entry without a path is not. */
bool found_names_have(const struct found_names *x, const struct tf_json_doc *d);

#endif
