/*
 * Names of users and groups.  The name service may be slow or never answer
 * (LDAP), so it is asked by threads of its own, what it said is kept for a
 * minute, and nobody waits for it but who calls tf_users_learn.
 */
#ifndef TF_BASE_USERS_H
#define TF_BASE_USERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Have both names asked for where they are not fresh.  True when there is
 * nothing to wait for: they were heard lately, or did not come in time. */
bool tf_users_ask(uint32_t uid, uint32_t gid);

/*
 * The same, and wait for names that were not heard in the last ten minutes:
 * two seconds at most, and not again while the service has not answered.  Call
 * this before a lock is taken or a transaction begun.
 */
void tf_users_learn(uint32_t uid, uint32_t gid);

/* The name of uid or gid as it was last heard, into out; "" when there is none
 * or it is not known.  Never waits. */
void tf_user_name(uint32_t uid, char *out, size_t size);
void tf_group_name(uint32_t gid, char *out, size_t size);

#endif
