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
 * Open the cursor at path (NULL: none), which no other process may use.
 * *found: *p was read from it.  The caller calls cursor_close in any case.
 * TF_LOCKED; TF_INVALID the file is no cursor.
 */
TF_MUST_USE enum tf_code cursor_open(struct cursor *c, const char *path,
    struct lines_place *p, bool *found, struct tf_error *err);
/* Save *p unless it is saved.  On TF_OK it survives power loss; at any moment
 * the file has the old or the new place. */
TF_MUST_USE enum tf_code cursor_save(struct cursor *c,
    const struct lines_place *p, struct tf_error *err);
void cursor_close(struct cursor *c);

#endif
