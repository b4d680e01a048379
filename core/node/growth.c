/* Evidence that is entered while it grows: see growth.h. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/bytes.h"
#include "../base/mutant.h"
#include "../base/show.h"
#include "../ledger/chunks.h"
#include "growth.h"
#include "pending.h"
#include "pending_index.h"
#include "vault_i.h"
#include "xattrs.h"

/* In the attributes of a row.  No writer can set a name of trailfs. */
#define KEY "trailfs.stream"

enum tf_code
tf_growth_new(struct tf_pending *l, struct tf_error *err)
{
	l->growth = calloc(1, sizeof(*l->growth));
	if (l->growth == NULL)
		return tf_nomem(err);
	atomic_fetch_add(&l->v->counters.growing, 1);
	return TF_OK;
}

void
tf_growth_free(struct tf_pending *l)
{
	if (l->growth == NULL)
		return;
	atomic_fetch_sub(&l->v->counters.growing, 1);
	free(l->growth);
	l->growth = NULL;
}

void
tf_growth_end(struct tf_pending *l)
{
	if (l->growth == NULL || !l->growth->queued)
		tf_growth_free(l);
	else
		*l->growth = (struct tf_growth){ .queued = true, .over = true };
}

bool
tf_growth_goes_on(const struct tf_pending *l)
{
	return l->growth != NULL && !l->growth->over && l->failed == TF_OK &&
	    !l->unlinked && !l->secret && !l->growth->encrypts &&
	    !l->in_draft && l->attr.state == TF_STATE_OPEN;
}

bool
tf_growth_in_doubt(const struct tf_pending *l)
{
	return l->growth != NULL && l->growth->doubt;
}

uint64_t
tf_growth_fixed(const struct tf_pending *l)
{
	return l->growth == NULL || TF_IS_MUTANT(TF_REWRITE_ENTERED) ?
	    0 :
	    l->growth->fixed;
}

enum tf_code
tf_growth_refuse(const struct tf_pending *l, const char *what,
    struct tf_error *err)
{
	struct tf_buf shown = { 0 };

	tf_name_show(&shown, l->name, l->name_len);
	(void)tf_fail(err, TF_DENIED,
	    "%.60s: its first %llu bytes are entered in the ledger, so %s",
	    shown.p == NULL ? "" : shown.p,
	    (unsigned long long)l->growth->fixed, what);
	tf_buf_free(&shown);
	return TF_DENIED;
}

void
tf_growth_due(struct tf_pending *l, bool hurry)
{
	struct tf_growth *g = l->growth;
	const uint64_t size = l->attr.size;
	uint64_t due;

	if (g == NULL || g->queued || !tf_growth_goes_on(l) ||
	    tf_chunks_whole(size) <= l->entered)
		return;
	due = tf_clock_boot_ns();
	if (!hurry &&
	    size - l->entered < TF_CHUNKS_MAX * tf_chunk_bytes(l->entered))
		due += TF_GROW_NS;
	if (g->due_ns == 0 || due < g->due_ns) {
		g->due_ns = due;
		tf_pending_index(l);
	}
}

enum tf_code
tf_growth_row(const struct tf_pending *l, struct tf_buf *out,
    struct tf_error *err)
{
	const struct tf_growth *g = l->growth;
	char seq[24];
	bool had;
	int n;

	if (g == NULL || g->row_seq == 0) {
		if (l->xattrs.n > 0)
			tf_buf_add(out, l->xattrs.p, l->xattrs.n);
		return tf_buf_end(out, err);
	}
	n = snprintf(seq, sizeof(seq), "%llu", (unsigned long long)g->row_seq);
	return tf_xattrs_set((struct tf_str){ l->xattrs.p, l->xattrs.n }, KEY,
	    seq, (size_t)n, &had, out, err);
}

enum tf_code
tf_growth_of_row(struct tf_pending *l, struct tf_error *err)
{
	struct tf_buf seq = { 0 }, rest = { 0 };
	struct tf_str old = { l->xattrs.p, l->xattrs.n };
	uint64_t n = 0;
	bool had;
	enum tf_code rc = tf_xattrs_get(old, KEY, &seq, NULL);

	if (rc == TF_NODATA || rc == TF_INVALID) {
		tf_buf_free(&seq);
		return TF_OK;
	}
	if (rc == TF_OK)
		rc = tf_xattrs_set(old, KEY, NULL, 0, &had, &rest, err);
	if (rc == TF_OK && tf_decimal(seq.p, seq.n, TF_JSON_MAX, &n) && n > 0 &&
	    (rc = tf_growth_new(l, err)) == TF_OK) {
		l->entered_seq = l->growth->row_seq = n;
		l->growth->found = true;
	}
	if (rc == TF_OK) {
		tf_buf_free(&l->xattrs);
		l->xattrs = rest;
		rest = (struct tf_buf){ 0 };
	}
	tf_buf_free(&seq);
	tf_buf_free(&rest);
	return rc;
}
