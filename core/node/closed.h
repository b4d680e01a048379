/* The list of directories that chmod(2) has closed, v->closed.  close_dir.h
 * describes how a directory closes, reopens and is sealed. */
#ifndef TF_NODE_CLOSED_H
#define TF_NODE_CLOSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_attr;
struct tf_vault;

/* One closed directory. */
struct tf_closed {
	uint64_t id;
	uint64_t wf;		   /* of an attestation: its workflow; else 0 */
	char *actor;		   /* of the chmod: canonical JSON, owned */
	bool recovered;		   /* an earlier run of the daemon closed it */
	bool later;		   /* a background thread seals it */
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

/* Did a chmod close directory id?  tf_is_closed() for callers without mu.  mu is
 * not held. */
bool tf_closes(struct tf_vault *v, uint64_t id);

/*
 * The id of a closed directory that is due at now (boot clock, ns) and that no
 * background thread seals, or 0.  When none is, *next_ns becomes the time when
 * the first is due, if that is earlier.  The caller holds mu.
 */
uint64_t tf_closed_next(const struct tf_vault *v, uint64_t now,
    uint64_t *next_ns);

/* Make room in the list for n more.  TF_NOMEM.  mu is held. */
TF_MUST_USE enum tf_code tf_closed_reserve(struct tf_vault *v, size_t n,
    struct tf_error *err);
/* Add directory a, which chmod has just closed, to the list, which has room.
 * Takes actor, which is allocated.  mu is held. */
void tf_closed_add(struct tf_vault *v, const struct tf_attr *a, char *actor);
/* Let c settle anew, but not longer than TF_SETTLE_MAX_S after it was closed;
 * then its seal is due.  Wakes the sealer if needed.  mu is held. */
void tf_closed_settle(struct tf_vault *v, struct tf_closed *c);

#endif
