/*
 * Names of users and groups.  The name service (LDAP) may be slow or never
 * answer, so helper threads query it and its answers are cached for a minute.
 * Only tf_users_learn waits for an answer.  All functions are safe from many
 * threads at once.
 */
#ifndef TF_BASE_USERS_H
#define TF_BASE_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Start a query for each of the two names that is not fresh.  True if there is
 * no answer to wait for: both names are recent, or a wait for them has timed
 * out before. */
bool tf_users_ask(uint32_t uid, uint32_t gid);

/*
 * Do the same and wait up to two seconds for names older than ten minutes.
 * After a wait that timed out, no call waits again until the service answers.
 * Call this before taking a lock or beginning a transaction.
 */
void tf_users_learn(uint32_t uid, uint32_t gid);

/* Write the cached name of uid or gid to out; "" if there is none or it is
 * unknown.  Never waits for the name service. */
void tf_user_name(uint32_t uid, char *out, size_t size);
void tf_group_name(uint32_t gid, char *out, size_t size);

/*
 * True if uid, or a process with the group gid, belongs to the group `name`, as
 * the name service says now.  Waits for the name service: the caller holds no
 * lock.  An unknown group has no members.
 */
bool tf_user_is_in(uint32_t uid, uint32_t gid, const char *name);

#endif
