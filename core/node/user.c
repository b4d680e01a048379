/* The users' accounts, sorted by uid: see user.h. */
#include <stdlib.h>
#include <string.h>

#include "user.h"
#include "vault_i.h"

/* The index of uid, or the index to insert it at. */
static size_t
place_of(const struct tf_vault *v, uint32_t uid)
{
	size_t low = 0, high = v->n_users, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (v->users[mid].uid < uid)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
has_nothing(const struct tf_user *u)
{
	return u->bytes == 0 && u->names == 0 && u->open == 0 && u->held == 0;
}

/* Make room for one more account; empty accounts are dropped. */
static bool
make_room(struct tf_vault *v)
{
	size_t n = 0, cap = v->cap_users * 2 + 16;
	void *p;

	if (v->n_users < v->cap_users)
		return true;
	for (size_t i = 0; i < v->n_users; i++)
		if (!has_nothing(&v->users[i]))
			v->users[n++] = v->users[i];
	v->n_users = n;
	if (n <= v->cap_users / 2 && n < v->cap_users)
		return true;
	if ((p = realloc(v->users, cap * sizeof(*v->users))) == NULL)
		return n < v->cap_users;
	v->users = p;
	v->cap_users = cap;
	return true;
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
