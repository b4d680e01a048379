/* The caller's refused attempts, as the mount keeps them in denied.jsonl. */
#ifndef TRAILCTL_REFUSALS_H
#define TRAILCTL_REFUSALS_H

#include "core/json.h"
#include "where.h"

#define REFUSALS_MAX 10 /* the last ones */

struct refusals {
	struct tf_buf text;		  /* what line points into */
	struct tf_str line[REFUSALS_MAX]; /* JSON, the oldest first */
	size_t n;
};

/* Those at or below w, which is in a mount.  refusals_free in either case. */
TF_MUST_USE enum tf_code refusals_read(const struct where *w,
    struct refusals *out, struct tf_error *err);
void refusals_free(struct refusals *r);

/*
 * The mount refused operation at w with a bare errno, which err tells: put the
 * reason into err when the mount kept one.  Returns err's code.
 */
enum tf_code refusals_explain(const struct where *w, const char *operation,
    struct tf_error *err);

#endif
