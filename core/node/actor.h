/* Users as entries name them: actors, writers, owners. */
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
/* An entry's access field, with names as they are known; the strings are in
 * *names. */
struct tf_access_names {
	char user[257], group[257];
};

/* The actor as JSON for entries, allocated; his names as they are known. */
TF_MUST_USE enum tf_code tf_actor_text(const struct tf_actor *a, char **out,
    struct tf_error *err);

/* The uids that ever wrote l, as JSON for entries, onto out. */
void tf_writers_json(const struct tf_pending *l, struct tf_buf *out);

void tf_access_fill(struct tf_access *a, uint32_t mode, uint32_t uid,
    uint32_t gid, struct tf_access_names *names);

/* Learn the names of a user and a group, which may take two seconds: entries
 * name only what is known.  No lock is held. */
void tf_vault_learn(const struct tf_vault *v, uint32_t uid, uint32_t gid);

#endif
