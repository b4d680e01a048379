/* What cannot be read in a list that shows everything else. */
#ifndef TF_VIEW_DAMAGE_H
#define TF_VIEW_DAMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_json;
struct tf_view;

/* A record that cannot be read. */
struct tf_damaged {
	uint64_t entry; /* or TF_NO_SEQ: a row or an object */
	struct tf_error why;
};

/* {0} is empty.  One record that cannot be read is in it once. */
struct tf_damage {
	struct tf_damaged *p;
	size_t n, cap;
};

/*
 * A part of a list failed with code rc and error why.  If the part is damaged,
 * the result is TF_OK and d has it, so that the list can go on without it.  Any
 * other failure is not about this part alone (no memory, a failing disk) and is
 * returned, with why in err; so is damage in a view for a package, which has
 * all of its parts or is not made.
 */
TF_MUST_USE enum tf_code tf_damage_note(struct tf_view *w, struct tf_damage *d,
    uint64_t entry, const struct tf_error *why, struct tf_error *err);
/* Write the member "damaged": a list of {index?, reason}.  Nothing if d is
 * empty. */
void tf_put_damage(struct tf_json *j, const struct tf_damage *d);
void tf_damage_free(struct tf_damage *d);

#endif
