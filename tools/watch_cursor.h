/* The file in which trailctl watch remembers which entries it has delivered. */
#ifndef TRAILCTL_WATCH_CURSOR_H
#define TRAILCTL_WATCH_CURSOR_H

#include "ledger_lines.h"

struct cursor {
	int dir;    /* of the file; -1: there is no cursor */
	int lock;   /* NAME.lock, held */
	char *name; /* of the file in dir */
	struct lines_place saved;
};

/*
 * Open the cursor at path (NULL: none, and all calls below do nothing). No
 * other process may use it: NAME.lock beside it is locked until cursor_close(),
 * and is not removed.
 *
 * *found: *p was read from the file. Otherwise there is no file yet, *p is
 * unchanged, and the first cursor_save() makes it. The caller calls
 * cursor_close() in any case. TF_LOCKED: another trailctl watch uses it.
 * TF_INVALID: the file is no cursor. TF_NOTFOUND: its directory does not exist.
 */
TF_MUST_USE enum tf_code cursor_open(struct cursor *c, const char *path,
    struct lines_place *p, bool *found, struct tf_error *err);
/*
 * Save *p unless it is saved. On TF_OK it survives power loss; at any moment
 * the file has the old or the new place. On failure the place that the next
 * start will use is the old one, or the new one.
 */
TF_MUST_USE enum tf_code cursor_save(struct cursor *c,
    const struct lines_place *p, struct tf_error *err);
void cursor_close(struct cursor *c);

#endif
