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
#include "../ledger/status.h"

struct tf_db;
struct tf_node_row;
struct tf_spill;
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

/* --- view.c --- */
/* The row of a directory that must be of this kind.  TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_view_row(struct tf_view *w, uint64_t id,
    enum tf_kind kind, struct tf_node_row *out, struct tf_error *err);
/* All of b to the sink; b is empty then. */
TF_MUST_USE enum tf_code tf_sink_buf(const struct tf_sink *s, struct tf_buf *b,
    struct tf_error *err);

/* An entry as it stands and decoded; {0} is none. */
struct tf_told {
	bool is;
	struct tf_buf text;
	struct tf_entry_decoded d;
};
void tf_told_free(struct tf_told *t);
/* Read entry seq, in place of what *t told before; TF_NO_SEQ: none. */
TF_MUST_USE enum tf_code tf_told_read(struct tf_view *w, uint64_t seq,
    struct tf_told *t, struct tf_error *err);

/* Who: "alice (1000)", "uid 1000", or "trailfs" where nobody asked, onto out;
 * a user's name as the entry has it. */
void tf_who(const struct tf_entry *e, struct tf_buf *out);

/* --- spool.c --- */
/* A file without a name where spills go. */
TF_MUST_USE enum tf_code tf_spill_scratch(struct tf_vault *v, int *fd,
    struct tf_error *err);
/* A spill that is a file from its first byte on, for others than a sink to
 * write; *fd stays its own, until it is filled.  Then it is as long as the
 * file. */
TF_MUST_USE enum tf_code tf_spill_file(struct tf_vault *v,
    struct tf_spill **out, int *fd, struct tf_error *err);
TF_MUST_USE enum tf_code tf_spill_filled(struct tf_spill *s,
    struct tf_error *err);

/* --- events.c --- */
/*
 * Entries that no row of the node table names (access.changed,
 * attestation.overridden, ...), by number and path: few.  Kept in memory once
 * somebody asked, 16 bytes each, from the birth of the oldest directory asked
 * about to the end of the ledger.
 */
struct tf_rare;

/* Numbers of entries, rising. */
struct tf_seqs {
	uint64_t *p;
	size_t n, cap;
};
void tf_seqs_free(struct tf_seqs *s);
/*
 * The entries about directory id (of the three upper levels) and what is up to
 * `levels` below it; `rare`: only those that no row names.  Some may be about
 * another path: ask tf_is_below of each.
 */
TF_MUST_USE enum tf_code tf_view_collect(struct tf_view *w, uint64_t id,
    unsigned levels, bool rare, struct tf_seqs *out, struct tf_error *err);
/* Is this entry about dir, the path of such a directory, or below it? */
bool tf_is_below(const struct tf_buf *entry, const struct tf_buf *dir);

/* --- compliance.c --- */
/* What the judge hears of an attestation, and where its entries are. */
struct tf_att {
	uint64_t id, begun, seal, override; /* the last two: or TF_NO_SEQ */
};
struct tf_facts {
	struct tf_att *a;      /* by node id */
	struct tf_reported *r; /* r[i] is of a[i] */
	size_t n, cap;
	struct tf_buf strings; /* what r and status point into */
	struct tf_status status;
};
void tf_facts_free(struct tf_facts *f);
/* All attestations of a workflow, judged.  *out is {0} before; free it in
 * either case. */
TF_MUST_USE enum tf_code tf_facts_read(struct tf_view *w, uint64_t workflow,
    struct tf_facts *out, struct tf_error *err);
/* The last override of the seal of attestation id, or TF_NO_SEQ. */
TF_MUST_USE enum tf_code tf_override_of(struct tf_view *w, uint64_t id,
    uint64_t seal, uint64_t *seq, struct tf_error *err);
/* Does attestation.sealed say that it is not compliant? */
TF_MUST_USE enum tf_code tf_denied(const struct tf_entry *seal, bool *denied,
    struct tf_error *err);

/* A name's counts in a judgement. */
struct tf_tally {
	size_t lacking, spoiled; /* missing; not compliant */
	size_t open;		 /* with a version that is not sealed */
};
struct tf_tally tf_facts_tally(const struct tf_facts *f);

/* --- attestation.c --- */
/* Members "begun", "overridden", "sealed": {at, by, cause?, clock?, index, ...} of the
 * entry; nothing when there is none. */
void tf_put_event(struct tf_json *j, const char *key, const struct tf_told *t);
/* The reading of the clock, where the entry's time is another; else nothing. */
void tf_put_clock(struct tf_json *j, const char *key, const struct tf_entry *e);
/* When it happened, in seconds since 1970: by the clock where it differs. */
uint64_t tf_seconds_of(const struct tf_told *t);

#endif
