/* Names of users and groups, cached for a minute. */
#ifndef TF_BASE_USERS_H
#define TF_BASE_USERS_H

#include <stddef.h>
#include <stdint.h>

/* The name of uid or gid into out, or "" when there is none. */
void tf_user_name(uint32_t uid, char *out, size_t size);
void tf_group_name(uint32_t gid, char *out, size_t size);

#endif
