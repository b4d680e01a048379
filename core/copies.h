/*
 * Copies of an organisation that are there: a directory with one mirror per origin,
 * as tf_fetch (fetch.h) fills it.  Any directory of mirrors is one that has nothing
 * else, but for names that begin with a dot.
 */
#ifndef TF_COPIES_H
#define TF_COPIES_H

#include "error.h"
#include "types.h"

struct tf_copy {
	const char *name; /* in the directory */
	const char *path; /* with the directory */
	/* By its key; if that cannot be read, its name in the directory, and the
	 * key is "".  Whether all of it is right is for who verifies it. */
	const char *origin, *vkey;
};

/* Is dir a directory of copies, and no store, package or part of a mount? */
bool tf_copies_are(const char *dir);

/* Fill *out for the store at path, whose strings are in buf until that is freed.
 * TF_NOTFOUND: there is no store.  TF_NOMEM. */
struct tf_buf;
TF_MUST_USE enum tf_code tf_copy_of(const char *path, struct tf_copy *out,
    struct tf_buf *buf, struct tf_error *err);

/*
 * Call fn for every copy, sorted by origin; also for one that is damaged, which its
 * verification finds.  A code other than TF_OK of fn ends the
 * walk and is returned.  Strings are valid until fn returns.
 * Errors: TF_NOTFOUND, TF_ACCESS, TF_IO of the directory; TF_NOMEM.
 */
typedef enum tf_code (*tf_copy_fn)(void *arg, const struct tf_copy *c,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_copies_each(const char *dir, tf_copy_fn fn,
    void *arg, struct tf_error *err);

#endif
