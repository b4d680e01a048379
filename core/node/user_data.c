/*
 * User data of attestations that are not sealed: see user_data.h.  Two changes
 * of one attestation may be on their way at once, so each charges what it adds
 * before its transaction, and gives back what the transaction dropped after it:
 * the order of these steps does not matter.
 */
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../vault.h"
#include "user.h"
#include "user_data.h"
#include "vault_i.h"

static int
by_attestation(const void *key, const void *item)
{
	uint64_t att = *(const uint64_t *)key;
	const struct tf_user_data *d = item;

	return (att > d->att) - (att < d->att);
}

static size_t
place_of(const struct tf_vault *v, uint64_t att)
{
	return tf_array_place(v->user_data, v->n_user_data,
	    sizeof(*v->user_data), &att, by_attestation);
}

static struct tf_user_data *
find(const struct tf_vault *v, uint64_t att)
{
	size_t i = place_of(v, att);

	return i < v->n_user_data && v->user_data[i].att == att ?
	    &v->user_data[i] :
	    NULL;
}

/* The account has it, unless memory ran out: then it was never counted. */
static void
uncharge(struct tf_vault *v, uint32_t uid, uint64_t n)
{
	struct tf_user *u = tf_user_of(v, uid);

	if (u != NULL)
		u->bytes -= n < u->bytes ? n : u->bytes;
}

enum tf_code
tf_user_data_charge(struct tf_vault *v, uint64_t att, uint64_t wf, uint32_t uid,
    uint64_t n, struct tf_error *err)
{
	struct tf_user_data *d = find(v, att);
	struct tf_user *u;
	size_t i;

	if (d == NULL) {
		if (!tf_array_room(&v->user_data, v->n_user_data,
			&v->cap_user_data, sizeof(*v->user_data)))
			return tf_nomem(err);
		i = place_of(v, att);
		d = &v->user_data[i];
		memmove(d + 1, d, (v->n_user_data - i) * sizeof(*d));
		v->n_user_data++;
		*d = (struct tf_user_data){ att, wf, 0, uid };
	}
	if ((u = tf_user_of(v, d->uid)) == NULL)
		return tf_nomem(err);
	u->bytes += n;
	d->bytes += n;
	return TF_OK;
}

enum tf_code
tf_user_data_take(struct tf_vault *v, uint64_t att, uint64_t wf, uint32_t uid,
    uint64_t n, struct tf_error *err)
{
	uint64_t max = v->settings.value[TF_MAX_STAGED], has, more;
	struct tf_user_data *d = find(v, att);
	const struct tf_user *u = tf_user_of(v, d != NULL ? d->uid : uid);

	if (u == NULL)
		return tf_nomem(err);
	has = d != NULL ? d->bytes : 0;
	more = n > has ? n - has : 0;
	if (max != 0 && more > 0 && (u->bytes > max || more > max - u->bytes))
		return tf_fail(err, TF_QUOTA,
		    "uid %u may have %llu bytes that are not sealed yet "
		    "(max_staged)",
		    u->uid, (unsigned long long)max);
	return tf_user_data_charge(v, att, wf, uid, n, err);
}

static void
drop(struct tf_vault *v, struct tf_user_data *d)
{
	size_t i = (size_t)(d - v->user_data);

	uncharge(v, d->uid, d->bytes);
	memmove(d, d + 1, (v->n_user_data - i - 1) * sizeof(*d));
	v->n_user_data--;
}

void
tf_user_data_give(struct tf_vault *v, uint64_t att, uint64_t n)
{
	struct tf_user_data *d = find(v, att);

	if (d == NULL)
		return;
	if (n >= d->bytes) {
		drop(v, d);
		return;
	}
	d->bytes -= n;
	uncharge(v, d->uid, n);
}

void
tf_user_data_end(struct tf_vault *v, uint64_t id)
{
	struct tf_user_data *d = find(v, id);

	if (d != NULL)
		drop(v, d);
	for (size_t i = v->n_user_data; i-- > 0;)
		if (v->user_data[i].wf == id)
			drop(v, &v->user_data[i]);
}

void
tf_user_data_move(struct tf_vault *v, uint64_t att, uint32_t uid)
{
	struct tf_user_data *d = find(v, att);
	struct tf_user *to;

	/* Without memory the old owner keeps the charge. */
	if (d == NULL || (to = tf_user_of(v, uid)) == NULL)
		return;
	to->bytes += d->bytes;
	uncharge(v, d->uid, d->bytes);
	d->uid = uid;
}
