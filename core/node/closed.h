/* Which directories chmod(2) closed: v->closed.  close_dir.h tells the rest. */
#ifndef TF_NODE_CLOSED_H
#define TF_NODE_CLOSED_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_vault;

struct tf_closed;
/* A directory that is closed: see close_dir.h. */
struct tf_closed {
	uint64_t id;
	uint64_t wf;		   /* of an attestation: its workflow; else 0 */
	char *actor;		   /* whoever closed it: canonical JSON */
	bool recovered;		   /* the last run left it */
	uint64_t first_ns, due_ns; /* closed, to be sealed; boot clock */
};
/* In place of a state's name, for people. */
#define TF_CLOSING "closing"

/* Did a chmod close directory id itself? */
bool tf_is_closed(const struct tf_vault *v, uint64_t id);

/* TF_READONLY when directory id is closed. */
TF_MUST_USE enum tf_code tf_closed_refuses(const struct tf_vault *v,
    uint64_t id, struct tf_error *err);

/* Directory id was sealed, and what is in it, if it is a workflow. */
void tf_closed_forget(struct tf_vault *v, uint64_t id);

/* Whoever closed directory id, allocated.  TF_NOTFOUND when it is not closed.
 * mu is held. */
TF_MUST_USE enum tf_code tf_closed_actor(const struct tf_vault *v, uint64_t id,
    char **out, struct tf_error *err);

void tf_closed_free(struct tf_vault *v);

/* Directory id in v->closed, or NULL; good until the next change.  mu is held. */
struct tf_closed *tf_closed_find(const struct tf_vault *v, uint64_t id);

/* Take c out of v->closed.  mu is held. */
void tf_closed_drop(struct tf_vault *v, struct tf_closed *c);

#endif
