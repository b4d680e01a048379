/*
 * Names of users and groups.  The name service (LDAP) may be slow or never
 * answer, so helper threads query it and its answers are cached for a minute.
 * Only tf_users_learn and tf_user_in_group wait for an answer.  All functions are safe from many
 * threads at once.
 */
#ifndef TF_BASE_USERS_H
#define TF_BASE_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

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
 * Does uid belong to the group of that name, by the group database as it is now:
 * as the primary group or as a listed member?  The groups of a process say
 * nothing here, because root, a setgid program or a process that has outlived a
 * membership has groups of which its user is no member.
 *
 * Asks in a thread and waits up to two seconds: the caller holds no lock.
 */
enum tf_membership {
	TF_MEMBER,
	TF_NO_MEMBER,	  /* also a uid without a name */
	TF_NO_SUCH_GROUP, /* the name service answered that there is none */
	TF_NO_ANSWER	  /* the name service failed, or is too slow */
};
enum tf_membership tf_user_in_group(uint32_t uid, const char *group);

/*
 * Find the group `name`.  Waits for the name service.  Errors: TF_NOTFOUND
 * there is none; TF_IO the name service failed; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_group_find(const char *name, uint32_t *gid,
    struct tf_error *err);

#endif
