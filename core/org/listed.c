/* The members that an engine lists: see listed.h. */
#include "listed.h"

#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/bytes.h"

struct odd {
	char *origin, *vkey, *role;
	uint64_t next;
	bool revoked;
};
struct look {
	const char *origin;
	const struct tf_own *own;
	struct odd *odd; /* members of which list and entries differ */
	size_t n, cap;
};

static bool
differs(const struct tf_own *own, struct tf_str origin, bool revoked)
{
	const struct tf_own_member *m = tf_own_member(own, origin);

	return m == NULL || (m->is == TF_REVOKED) != revoked;
}

static enum tf_code
look_at(void *arg, const struct tf_member *m, struct tf_error *err)
{
	struct look *k = arg;
	struct odd *o;

	if (tf_str_same(m->origin, tf_str_of(k->origin)) ||
	    !differs(k->own, m->origin, m->revoked))
		return TF_OK;
	if (!tf_array_room(&k->odd, k->n, &k->cap, sizeof(*o)))
		return tf_nomem(err);
	o = &k->odd[k->n++];
	*o = (struct odd){ .origin = strndup(m->origin.p, m->origin.n),
		.vkey = strndup(m->vkey.p, m->vkey.n),
		.role = strndup(m->role.n > 0 ? m->role.p : "", m->role.n),
		.next = m->next,
		.revoked = m->revoked };
	return o->origin != NULL && o->vkey != NULL && o->role != NULL ?
	    TF_OK :
	    tf_nomem(err);
}

/* An earlier version has enrolled it, and has revoked it perhaps. */
static enum tf_code
record(struct tf_ledger *l, struct tf_own *own, struct tf_listed *x,
    const struct odd *o, struct tf_error *err)
{
	struct tf_member m = { .origin = tf_str_of(o->origin),
		.vkey = tf_str_of(o->vkey),
		.role = tf_str_of(o->role),
		.next = o->next };
	enum tf_code rc = tf_own_govern(l, x->origin, &m, true, x->who, own,
	    err);

	if (rc != TF_OK)
		return rc;
	x->recorded++;
	if (!o->revoked)
		return TF_OK;
	m.revoked = true;
	x->recorded++;
	return tf_own_govern(l, x->origin, &m, true, x->who, own, err);
}

static const char *
what(const struct tf_own *own, const struct odd *o)
{
	if (tf_own_member(own, tf_str_of(o->origin)) == NULL)
		return "may append, and no entry has enrolled it";
	return o->revoked ? "may not append, and no entry has revoked it" :
			    "may append, and an entry has revoked it";
}

enum tf_code
tf_org_listed(struct tf_ledger *l, struct tf_own *own, struct tf_listed *x,
    struct tf_error *err)
{
	struct look k = { .origin = x->origin, .own = own };
	enum tf_code rc = l->ops->members(l, look_at, &k, err);

	/* An organiser may have been at work since the entries were read: the list
	 * is then that of before or of after his entry. */
	if (rc == TF_OK && k.n > 0)
		rc = tf_own_read(l, x->origin, own, err);
	for (size_t i = 0; rc == TF_OK && i < k.n; i++) {
		struct odd *o = &k.odd[i];

		if (!differs(own, tf_str_of(o->origin), o->revoked))
			continue;
		if (!own->by_entries &&
		    tf_own_member(own, tf_str_of(o->origin)) == NULL)
			rc = record(l, own, x, o, err);
		else
			x->found(x->arg, o->origin, what(own, o));
	}
	for (size_t i = 0; i < k.n; i++) {
		free(k.odd[i].origin);
		free(k.odd[i].vkey);
		free(k.odd[i].role);
	}
	free(k.odd);
	return rc;
}
