/* The users' accounts, sorted by uid: see user.h. */
#include <stdlib.h>
#include <string.h>

#include "user.h"
#include "../base/array.h"
#include "vault_i.h"

static int
by_uid(const void *key, const void *item)
{
	uint32_t uid = *(const uint32_t *)key;
	const struct tf_user *user = item;

	return (uid > user->uid) - (uid < user->uid);
}

/* The index of uid, or the index to insert it at. */
static size_t
place_of(const struct tf_vault *v, uint32_t uid)
{
	return tf_array_place(v->users, v->n_users, sizeof(*v->users), &uid,
	    by_uid);
}

static bool
has_nothing(const struct tf_user *u)
{
	return u->bytes == 0 && u->names == 0 && u->open == 0 && u->held == 0 &&
	    u->empty == 0 && u->last_bytes == 0 && u->last_files == 0;
}

/* Make room for one more account; empty accounts are dropped. */
static bool
make_room(struct tf_vault *v)
{
	size_t n = 0;

	if (v->n_users < v->cap_users)
		return true;
	for (size_t i = 0; i < v->n_users; i++)
		if (!has_nothing(&v->users[i]))
			v->users[n++] = v->users[i];
	v->n_users = n;
	if (n <= v->cap_users / 2 && n < v->cap_users)
		return true;
	return tf_array_room(&v->users, v->cap_users, &v->cap_users,
		   sizeof(*v->users)) ||
	    n < v->cap_users;
}

struct tf_user *
tf_user_of(struct tf_vault *v, uint32_t uid)
{
	size_t i = place_of(v, uid);

	if (i < v->n_users && v->users[i].uid == uid)
		return &v->users[i];
	if (!make_room(v))
		return NULL;
	i = place_of(v, uid);
	memmove(v->users + i + 1, v->users + i,
	    (v->n_users - i) * sizeof(*v->users));
	v->n_users++;
	v->users[i] = (struct tf_user){ .uid = uid };
	return &v->users[i];
}
