/*
 * What entries have in common: the name of a type, the time to show, the leaf
 * hash.
 */
#include "../base/bytes.h"
#include "../base/time_text.h"
#include "entry_types.h"
#include "merkle.h"

const char *
tf_type_name(enum tf_entry_kind t)
{
	return (unsigned)t < TF_TYPES ? tf_entry_types[t].name : "";
}

struct tf_time
tf_entry_when(const struct tf_entry *e, bool *moved)
{
	const struct tf_time when = e->has_clock ? e->clock : e->at;

	*moved = tf_time_moved(e->at, when);
	return when;
}

void
tf_entry_leaf(const void *bytes, size_t n, struct tf_hash *out)
{
	tf_merkle_leaf(bytes, n, out);
}
