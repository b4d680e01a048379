/* The groups that have a role: see roles.h. */
#include "../base/users.h"
#include "../ledger/actor_json.h"
#include "base.h"
#include "roles.h"
#include "vault_i.h"

const char *
tf_role_name(enum tf_role r)
{
	static const char *const names[TF_ROLES] = {
		[TF_TRAIL_GROUP] = "trail_group",
		[TF_AUDITORS] = "auditors",
		[TF_ADMINS] = "admins",
	};

	return names[r];
}

/* What has no effect is said, and is not shown as a role. */
static void
leave_out(struct tf_vault *v, enum tf_role r, const struct tf_settings *options)
{
	struct tf_role_group *g = &v->settings.role[r];

	if (r == TF_TRAIL_GROUP || g->name[0] == '\0' ||
	    options->role[r].name[0] != '\0')
		return;
	tf_vault_say(v, TF_OK,
	    "%s = %s in the config has no effect here: a mount of many copies "
	    "has the roles of its options, for all of them",
	    tf_role_name(r), g->name);
	g->name[0] = '\0';
}

enum tf_code
tf_roles_find(struct tf_vault *v, const struct tf_settings *options, bool given,
    struct tf_error *err)
{
	enum tf_code rc = TF_OK;

	for (int r = 0; r < TF_ROLES && rc == TF_OK; r++) {
		struct tf_role_group *g = &v->settings.role[r];

		if (given)
			leave_out(v, (enum tf_role)r, options);
		if (options->role[r].name[0] != '\0')
			*g = options->role[r];
		if (g->name[0] == '\0')
			continue;
		rc = tf_group_find(g->name, &g->gid, err);
		if (rc == TF_NOTFOUND)
			rc = tf_fail(err, TF_USAGE,
			    "%s=%.100s: there is no such group",
			    tf_role_name(r), g->name);
	}
	return rc;
}

const struct tf_role_group *
tf_vault_role(const struct tf_vault *v, enum tf_role r)
{
	return &v->settings.role[r];
}

void
tf_put_role(const struct tf_vault *v, enum tf_role r, struct tf_json *j)
{
	const struct tf_role_group *g = tf_vault_role(v, r);

	if (g->name[0] != '\0')
		tf_put_hint(j, tf_role_name(r), g->name, SIZE_MAX, TF_HINT_MAX);
}

void
tf_put_roles(const struct tf_vault *v, struct tf_json *j)
{
	/* In the order of their keys. */
	static const enum tf_role order[] = { TF_ADMINS, TF_AUDITORS,
		TF_TRAIL_GROUP };
	bool any = false;

	for (int r = 0; r < TF_ROLES; r++)
		any = any || tf_vault_role(v, r)->name[0] != '\0';
	if (!any)
		return;
	tf_json_key(j, "roles");
	tf_json_object(j);
	for (int i = 0; i < TF_ROLES; i++)
		tf_put_role(v, order[i], j);
	tf_json_object_end(j);
}
