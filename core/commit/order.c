/* Pieces of a file that came too early: see order.h. */
#include <string.h>

#include "../node/hash_task.h"
#include "order.h"

/* Put a piece before number i. */
static bool
insert(struct tf_staged_hash *s, unsigned i, uint64_t from, uint64_t to)
{
	if (s->n_ahead == TF_PIECES)
		return false;
	memmove(s->ahead + i + 1, s->ahead + i,
	    (s->n_ahead - i) * sizeof s->ahead[0]);
	s->ahead[i] = (struct tf_piece){ from, to };
	s->n_ahead++;
	return true;
}

bool
tf_order_add(struct tf_staged_hash *s, uint64_t from, uint64_t to)
{
	unsigned i = 0, n = 0;

	while (i < s->n_ahead && s->ahead[i].to <= from)
		i++;
	if (from < s->end || (i < s->n_ahead && s->ahead[i].from < to))
		return false;
	if (from > s->end && i > 0 && s->ahead[i - 1].to == from) {
		s->ahead[i - 1].to = to;
		return true;
	}
	if (from > s->end)
		return insert(s, i, from, to);
	s->end = to;
	while (n < s->n_ahead && s->ahead[n].from == s->end)
		s->end = s->ahead[n++].to;
	s->n_ahead -= n;
	memmove(s->ahead, s->ahead + n, s->n_ahead * sizeof s->ahead[0]);
	return true;
}
