/* The list of directories that chmod(2) has closed, v->closed.  close_dir.h
 * describes how a directory closes, reopens and is sealed. */
#ifndef TF_NODE_CLOSED_H
#define TF_NODE_CLOSED_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_vault;

struct tf_closed;
/* One closed directory. */
struct tf_closed {
	uint64_t id;
	uint64_t wf;		   /* of an attestation: its workflow; else 0 */
	char *actor;		   /* of the chmod: canonical JSON, owned */
	bool recovered;		   /* an earlier run of the daemon closed it */
	uint64_t first_ns, due_ns; /* closed at, seal due at; boot clock */
};
/* Shown to people instead of the state's name. */
#define TF_CLOSING "closing"

/* True if a chmod of directory id itself has closed it.  mu is held. */
bool tf_is_closed(const struct tf_vault *v, uint64_t id);

/* TF_READONLY if directory id is closed.  mu is held. */
TF_MUST_USE enum tf_code tf_closed_refuses(const struct tf_vault *v,
    uint64_t id, struct tf_error *err);

/* Directory id was sealed: remove it from the list, and if it is a workflow
 * also the attestations in it.  mu is held. */
void tf_closed_forget(struct tf_vault *v, uint64_t id);

/* A copy of the actor that closed directory id; the caller frees it with
 * free(3).  TF_NOTFOUND if id is not closed.  mu is held. */
TF_MUST_USE enum tf_code tf_closed_actor(const struct tf_vault *v, uint64_t id,
    char **out, struct tf_error *err);

void tf_closed_free(struct tf_vault *v);

/* The element of directory id, or NULL; valid until the list changes.  mu is
 * held. */
struct tf_closed *tf_closed_find(const struct tf_vault *v, uint64_t id);

/* Remove c from the list and free it.  mu is held. */
void tf_closed_drop(struct tf_vault *v, struct tf_closed *c);

#endif
