/*
 * A view of the ledger, and what the files that people read are made from: the
 * entries about a directory and what is below it, and the facts of a workflow.
 */
#ifndef TF_VIEW_VIEW_H
#define TF_VIEW_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../asker.h"
#include "../ledger/entry.h"

struct tf_db;
struct tf_node_row;
struct tf_vault;

#define TF_SEEN_DIRS 64 /* remembered by a view, by number */

/* A directory as the asker stands before it; readable.h. */
struct tf_seen_dir {
	uint64_t id;	   /* 0: none */
	bool comes, lists; /* search down to it; and read on it */
};

/* Everything is read from one snapshot of the database. */
struct tf_view {
	struct tf_vault *v;
	struct tf_db *db;
	uint64_t entries;
	bool all; /* who may read all; else `who` is set */
	struct tf_asker who;
	struct tf_seen_dir seen[TF_SEEN_DIRS];
	bool ledger_only; /* nothing of what waits to be sealed */
};

/* The row of a directory that must be of this kind.  TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_view_row(struct tf_view *w, uint64_t id,
    enum tf_kind kind, struct tf_node_row *out, struct tf_error *err);
/* All of b to the sink; b is empty then. */
TF_MUST_USE enum tf_code tf_sink_buf(const struct tf_sink *s, struct tf_buf *b,
    struct tf_error *err);

/* An entry as it stands and decoded; {0} is none. */
struct tf_loaded_entry {
	bool is;
	struct tf_buf text;
	struct tf_entry_decoded d;
};
void tf_loaded_entry_free(struct tf_loaded_entry *t);
/* Read entry seq, in place of what *t told before; TF_NO_SEQ: none. */
TF_MUST_USE enum tf_code tf_loaded_entry_read(struct tf_view *w, uint64_t seq,
    struct tf_loaded_entry *t, struct tf_error *err);

/* Who: "alice (1000)", "uid 1000", or "trailfs" where nobody asked, onto out;
 * a user's name as the entry has it. */
void tf_who(const struct tf_entry *e, struct tf_buf *out);

/*
 * Entries that no row of the node table names (access.changed,
 * attestation.overridden, ...), by number and path: few.  Kept in memory once
 * somebody asked, 16 bytes each, from the birth of the oldest directory asked
 * about to the end of the ledger.
 */
struct tf_unindexed;

#endif
