/* Actors, writers and owners in entries: see actor.h. */
#include <string.h>

#include "../base/users.h"
#include "../ledger/actor_json.h"
#include "../ledger/entry.h"
#include "actor.h"
#include "pending.h"
#include "vault_i.h"

enum tf_code
tf_actor_text(const struct tf_actor *a, char **out, struct tf_error *err)
{
	char user[257], group[257];
	struct tf_buf b = { 0 };

	tf_user_name(a->uid, user, sizeof(user));
	tf_group_name(a->gid, group, sizeof(group));
	tf_actor_json(&b, a, user, group);
	tf_buf_add(&b, "", 1);
	if (b.failed) {
		tf_buf_free(&b);
		return tf_nomem(err);
	}
	*out = b.p;
	return TF_OK;
}

void
tf_writers_json(const struct tf_pending *l, struct tf_buf *out)
{
	struct tf_json j;

	tf_json_begin(&j, out);
	tf_json_array(&j);
	for (unsigned i = 0; i < l->n_uids; i++)
		tf_json_int(&j, l->uids[i]);
	tf_json_array_end(&j);
	out->failed = out->failed || tf_json_end(&j, NULL) != TF_OK;
}

void
tf_access_fill(struct tf_access *a, uint32_t mode, uint32_t uid, uint32_t gid,
    struct tf_access_names *names)
{
	char name[257];
	size_t n;

	*a = (struct tf_access){ .uid = uid, .gid = gid, .mode = mode & 07777 };
	tf_user_name(uid, name, sizeof(name));
	n = tf_hint(names->user, 256, name, strlen(name));
	a->user = (struct tf_str){ n > 0 ? names->user : NULL, n };
	tf_group_name(gid, name, sizeof(name));
	n = tf_hint(names->group, 256, name, strlen(name));
	a->group = (struct tf_str){ n > 0 ? names->group : NULL, n };
}

void
tf_vault_learn(const struct tf_vault *v, uint32_t uid, uint32_t gid)
{
	if (tf_users_ask(uid, gid))
		return;
	tf_vault_slow(v);
	tf_users_learn(uid, gid);
}
