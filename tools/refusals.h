/* The refused attempts of the caller, from denied.jsonl of a mount. */
#ifndef TRAILCTL_REFUSALS_H
#define TRAILCTL_REFUSALS_H

#include "core/json.h"
#include "where.h"

#define REFUSALS_MAX 10 /* the last ones */

struct refusals {
	struct tf_buf text;		  /* the lines point into it */
	struct tf_str line[REFUSALS_MAX]; /* JSON, the oldest first */
	size_t n;
};

/*
 * Read the last REFUSALS_MAX attempts at or below w, which is in a mount, the
 * oldest first. The caller calls refusals_free() in any case. Errors: those of
 * where_control(); TF_TOOBIG.
 */
TF_MUST_USE enum tf_code refusals_read(const struct where *w,
    struct refusals *out, struct tf_error *err);
void refusals_free(struct refusals *r);

/*
 * The mount refused operation at w with an errno, which is in err. If the
 * caller's last attempt in denied.jsonl is that operation on that path, put its
 * reason into err; otherwise err stays. Returns the code of err, which never
 * changes.
 */
enum tf_code refusals_explain(const struct where *w, const char *operation,
    struct tf_error *err);

/*
 * A system call that makes path, or something at or beside it, has failed, as
 * err says.  If that is in a mount, give err the cause: the reason that the mount
 * recorded for the caller, or who may write there.  Returns the code of err.
 */
enum tf_code refusals_explain_path(const char *path, struct tf_error *err);

/*
 * The same after core could not write something below the directory dir: a refusal
 * of the mount gets its reason, and EPERM of a mount point at which nothing is
 * mounted that cause.  Returns err->code.
 */
enum tf_code refusals_explain_below(const char *dir, struct tf_error *err);

#endif
