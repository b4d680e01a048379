/*
 * Actors, writers and owners, in the form of the ledger's entries
 * (trailfs-entries(5)).  User and group names come from the cache of
 * base/users.h: only tf_vault_learn waits for the name service.
 */
#ifndef TF_NODE_ACTOR_H
#define TF_NODE_ACTOR_H

#include <stdint.h>

#include "../error.h"

struct tf_access;
struct tf_actor;
struct tf_buf;
struct tf_pending;
struct tf_vault;

struct tf_access_names;
/* The memory of the user and group names in a struct tf_access. */
struct tf_access_names {
	char user[257], group[257];
};

/* The actor as canonical JSON for an entry.  On TF_OK the caller frees *out
 * with free(3). */
TF_MUST_USE enum tf_code tf_actor_text(const struct tf_actor *a, char **out,
    struct tf_error *err);

/* Append the uids that have written l to out, as canonical JSON. */
void tf_writers_json(const struct tf_pending *l, struct tf_buf *out);

/* Fill an entry's access field.  The names that a points to are in *names,
 * which must outlive a. */
void tf_access_fill(struct tf_access *a, uint32_t mode, uint32_t uid,
    uint32_t gid, struct tf_access_names *names);

/* Query the names of a user and a group, so that the next entries hold them.
 * May wait two seconds: the caller holds no lock. */
void tf_vault_learn(const struct tf_vault *v, uint32_t uid, uint32_t gid);

#endif
