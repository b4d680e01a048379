/*
 * Replay of entries, one per line, as far as they decode.  The first byte says
 * whether they are numbered in order here, since chance seldom counts.
 */
#include <string.h>

#include "../../core/ledger/entry_read.h"
#include "../../core/ledger/replay.h"
#include "../../core/store/temp_table.h"
#include "fuzz.h"

static const struct tf_temp_table_ops table_ops = {
	.add = tf_temp_table_add,
	.put = tf_temp_table_put,
	.get = tf_temp_table_get,
	.each = tf_temp_table_each,
	.cut = tf_temp_table_cut,
};

static void
heard(void *arg, const struct tf_entry *e, const char *text)
{
	unsigned *n = arg;

	MUST(text != NULL && text[0] != '\0' && strchr(text, '\n') == NULL);
	(void)e;
	++*n;
}

static enum tf_code
each(void *arg, const struct tf_replay_dir *d, struct tf_error *err)
{
	uint64_t *n = arg;

	(void)err;
	MUST(d->path.n > 0 && d->name.n <= 255);
	++*n;
	return TF_OK;
}

static void
one_entry(struct tf_replay *r, const char *line, size_t n, uint64_t *next,
    bool number)
{
	struct tf_entry_decoded d;
	struct tf_replay_effect x;
	struct tf_hash leaf;

	tf_entry_leaf(line, n, &leaf);
	if (tf_entry_decode(&d, line, n, NULL) == TF_OK) {
		if (number)
			d.e.seq = (*next)++;
		MUST(tf_replay_entry(r, &d.e, &leaf, &x, NULL) == TF_OK);
		if (x.created)
			MUST(x.name_at < d.e.path.n);
	} else if (number) {
		tf_replay_gap(r, *next);
	}
	tf_entry_decoded_free(&d);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	const char *p = (const char *)data, *end = p + n, *lf;
	uint64_t next = 0, dirs = 0;
	unsigned broken = 0;
	struct tf_temp_table *table;
	struct tf_replay *r;
	bool number;

	if (n == 0)
		return 0;
	number = (*p++ & 1) != 0;
	MUST(tf_temp_table_open(&table, NULL) == TF_OK);
	r = tf_replay_new(&table_ops, table, heard, &broken);
	MUST(r != NULL);
	for (; p < end; p = lf + 1) {
		lf = memchr(p, '\n', (size_t)(end - p));
		if (lf == NULL)
			lf = end;
		one_entry(r, p, (size_t)(lf - p), &next, number);
	}
	tf_replay_end(r);
	MUST(tf_replay_each(r, each, &dirs, NULL) == TF_OK);
	MUST(dirs <= tf_replay_names(r));
	MUST(tf_replay_origin(r) != NULL && tf_replay_store(r) != NULL &&
	    tf_replay_vkey(r) != NULL);
	tf_replay_free(r);
	tf_temp_table_close(table);
	return 0;
}
