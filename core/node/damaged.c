/* The list of damaged evidence: see damaged.h. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../base/array.h"
#include "../base/show.h"
#include "../json.h"
#include "base.h"
#include "damaged.h"
#include "paths.h"
#include "vault_i.h"

static int
compare(const void *key, const void *item)
{
	const uint64_t *a = key, *b = item;

	return *a < *b ? -1 : *a > *b;
}

static size_t
place_of(const struct tf_damaged_files *d, uint64_t id)
{
	return tf_array_place(d->id, d->n, sizeof(*d->id), &id, compare);
}

/* Insert id; mu is held.  False: it is there already, or the list is full. */
static bool
insert(struct tf_damaged_files *d, uint64_t id)
{
	size_t i;

	if (d->id == NULL)
		d->id = calloc(TF_DAMAGED_MAX, sizeof(*d->id));
	if (d->id == NULL || d->n == TF_DAMAGED_MAX)
		return false;
	i = place_of(d, id);
	if (i < d->n && d->id[i] == id)
		return false;
	memmove(&d->id[i + 1], &d->id[i], (d->n - i) * sizeof(*d->id));
	d->id[i] = id;
	d->n++;
	return true;
}

/* Report the path: the error of the read, which the caller reports, has none. */
static void
say_damaged(struct tf_vault *v, uint64_t id)
{
	struct tf_buf path = { 0 }, shown = { 0 };
	struct tf_db *db;

	if (tf_reader_db(v, &db, NULL) != TF_OK)
		return;
	if (tf_path_of(v, db, id, &path, NULL) == TF_OK)
		tf_name_show(&shown, path.p, path.n);
	tf_reader_done(v, db);
	tf_vault_say(v, TF_TAMPER,
	    "%.*s (node %llu) is damaged: its bytes are not those of its "
	    "entry: run trailctl verify",
	    (int)tf_buf_bytes(&shown).n, tf_buf_bytes(&shown).p,
	    (unsigned long long)id);
	tf_buf_free(&path);
	tf_buf_free(&shown);
}

void
tf_damaged_file_add(struct tf_vault *v, uint64_t id)
{
	bool is_new;

	atomic_fetch_add(&v->counters.damaged_reads, 1);
	pthread_mutex_lock(&v->mu);
	is_new = insert(&v->damaged, id);
	pthread_mutex_unlock(&v->mu);
	if (is_new)
		say_damaged(v, id);
}

void
tf_damaged_file_remove(struct tf_vault *v, uint64_t id)
{
	struct tf_damaged_files *d = &v->damaged;
	size_t i;

	pthread_mutex_lock(&v->mu);
	i = d->n > 0 ? place_of(d, id) : 0;
	if (i < d->n && d->id[i] == id) {
		d->n--;
		memmove(&d->id[i], &d->id[i + 1], (d->n - i) * sizeof(*d->id));
	}
	pthread_mutex_unlock(&v->mu);
}

void
tf_damaged_files_free(struct tf_damaged_files *d)
{
	free(d->id);
}
