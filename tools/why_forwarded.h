/* Has the organisation what a path names, and why not?  For trailctl why. */
#ifndef TRAILCTL_WHY_FORWARDED_H
#define TRAILCTL_WHY_FORWARDED_H

#include "core/json.h"
#include "where.h"

/*
 * Append to out whether the organisation has the entry of what is at w: "yes..." or
 * "no: ..." with the reason, safe on a terminal.  Nothing is appended if no entry of
 * this vault was ever forwarded and its mount waits for no organisation.  A caller who
 * may not read the status of the vault gets no reason.
 * state is that of the path.  index is the number of its entry as text; empty: it has
 * none.
 */
void why_forwarded(const struct where *w, const char *state,
    const struct tf_buf *index, struct tf_buf *out);

#endif
