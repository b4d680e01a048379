/* The directories that a transaction changes. */
#include <stdlib.h>

#include "../base/array.h"
#include "../base/time_text.h"
#include "commit.h"
#include "touched.h"

enum tf_code
tf_txn_changed(struct tf_txn *t, uint64_t id, struct tf_error *err)
{
	if (!tf_array_room(&t->touched, t->n_touched, &t->cap_touched,
		sizeof(*t->touched)))
		return tf_nomem(err);
	t->touched[t->n_touched].id = id;
	t->touched[t->n_touched++].moves = false;
	return TF_OK;
}

enum tf_code
tf_txn_touch(struct tf_txn *t, uint64_t id, struct tf_time at,
    struct tf_error *err)
{
	size_t n = t->n_touched;
	enum tf_code rc;

	/* sort_touched removes the duplicates that this misses. */
	if (n == 0 || !t->touched[n - 1].moves || t->touched[n - 1].id != id) {
		if ((rc = tf_txn_changed(t, id, err)) != TF_OK)
			return rc;
		n = t->n_touched;
	}
	t->touched[n - 1].moves = true;
	t->touched[n - 1].at = at;
	return TF_OK;
}

static int
by_directory(const void *a, const void *b)
{
	const struct tf_touched *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	if (x->moves != y->moves)
		return x->moves ? 1 : -1;
	return x->moves ? tf_time_cmp(x->at, y->at) : 0;
}

/* Sort t->touched and keep each directory once, with its latest time. */
void
tf_txn_sort_touched(struct tf_txn *t)
{
	struct tf_touched *d = t->touched;
	size_t n = 0;

	if (t->n_touched < 2)
		return;
	qsort(d, t->n_touched, sizeof(*d), by_directory);
	for (size_t i = 0; i < t->n_touched; i++)
		if (i + 1 == t->n_touched || d[i].id != d[i + 1].id)
			d[n++] = d[i];
	t->n_touched = n;
}
