/* Entries evidence.grown: see grown.h. */
#include <stddef.h>

#include "../commit/append.h"
#include "../commit/commit.h"
#include "../ledger/chunks.h"
#include "../ledger/entry.h"
#include "grown.h"

enum tf_code
tf_grown_append(struct tf_txn *t, const struct tf_grown *g,
    const struct tf_chunk_list *list, const uint64_t *before, uint64_t *last,
    struct tf_error *err)
{
	struct tf_chunks c = { .has_before = before != NULL,
		.before = before == NULL ? 0 : *before,
		.to = list->from };
	struct tf_buf chunks = { 0 };
	size_t i = 0;
	enum tf_code rc = TF_OK;

	while (rc == TF_OK && c.to < list->to) {
		struct tf_entry e = { .type = TF_EVIDENCE_GROWN,
			.path = g->path,
			.actor = g->actor,
			.cause = g->cause,
			.has_node = true,
			.node = g->node };

		c.from = c.to;
		c.bytes = tf_chunk_bytes(c.from);
		c.to = tf_chunks_entry_end(c.from, list->to);
		chunks.n = 0;
		rc = tf_chunks_write(&c, list->digest + i, &chunks, err);
		i += tf_chunks_count(&c);
		e.chunks = (struct tf_str){ chunks.p, chunks.n };
		if (rc == TF_OK)
			rc = tf_txn_append(t, &e, NULL, err);
		c.has_before = true;
		c.before = t->size - 1;
	}
	if (rc == TF_OK)
		*last = c.before;
	tf_buf_free(&chunks);
	return rc;
}
