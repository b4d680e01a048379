/*
 * What cannot be read in a list that shows everything else: see damage.h.
 *
 * A list must not end at one malformed record, and must not hide it either: a
 * reader would take what is shown for all that there is.  Hence damage is noted
 * where it is met, shown with the list, and makes every verdict that depends on
 * it DAMAGED.
 */
#include "damage.h"

#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/member.h"
#include "../json.h"
#include "../store/nodes.h"
#include "../types.h"
#include "view.h"

/* A later version can read an entry that is too new for this one.  Here it is
 * as unreadable as a malformed one. */
static bool
is_damage(enum tf_code rc)
{
	return rc == TF_TAMPER || rc == TF_NEWER || rc == TF_INVALID;
}

enum tf_code
tf_damage_note(struct tf_view *w, struct tf_damage *d, uint64_t entry,
    const struct tf_error *why, struct tf_error *err)
{
	if (!is_damage(why->code) || w->ledger_only)
		return tf_fail_as(err, why);
	for (size_t i = 0; i < d->n; i++)
		if (d->p[i].entry == entry &&
		    (entry != TF_NO_SEQ ||
			strcmp(d->p[i].why.text, why->text) == 0))
			return TF_OK;
	if (!tf_array_room(&d->p, d->n, &d->cap, sizeof(*d->p)))
		return tf_nomem(err);
	d->p[d->n++] = (struct tf_damaged){ entry, *why };
	return TF_OK;
}

void
tf_put_damage(struct tf_json *j, const struct tf_damage *d)
{
	if (d->n == 0)
		return;
	tf_json_key(j, "damaged");
	tf_json_array(j);
	for (size_t i = 0; i < d->n; i++) {
		tf_json_object(j);
		if (d->p[i].entry != TF_NO_SEQ)
			tf_put_uint(j, "index", d->p[i].entry);
		tf_put_cstr(j, "reason", d->p[i].why.text);
		tf_json_object_end(j);
	}
	tf_json_array_end(j);
}

void
tf_damage_free(struct tf_damage *d)
{
	free(d->p);
	*d = (struct tf_damage){ 0 };
}
