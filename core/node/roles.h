/*
 * The groups that have a role: trail_group=, auditors= and admins=, from the
 * options of the mount or from STORE/config.
 */
#ifndef TF_NODE_ROLES_H
#define TF_NODE_ROLES_H

#include "../error.h"
#include "../vault.h"

struct tf_json;

/* "trail_group", "auditors" or "admins": the name of the setting. */
const char *tf_role_name(enum tf_role r);

/*
 * Let the groups in options replace those of v->settings, and find the gid of
 * each.  given: those of the config who read or administer everything have no effect.
 * Waits for the name service.  Errors: TF_USAGE there is no group of
 * that name; TF_IO the name service does not answer.
 */
TF_MUST_USE enum tf_code tf_roles_find(struct tf_vault *v,
    const struct tf_settings *options, bool given, struct tf_error *err);

/* Write the member of role r into the object that is open in j; nothing if
 * nobody has the role. */
void tf_put_role(const struct tf_vault *v, enum tf_role r, struct tf_json *j);

/* Write all roles as the member "roles"; nothing if nobody has one. */
void tf_put_roles(const struct tf_vault *v, struct tf_json *j);

#endif
