/*
 * A view: one state of the ledger, from which the control files for people are
 * written (core/page.h), and the functions that all these files share.
 */
#ifndef TF_VIEW_VIEW_H
#define TF_VIEW_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../asker.h"
#include "../ledger/entry.h"
#include "../ledger/entry_read.h"

struct tf_damage;
struct tf_db;
struct tf_judged;
struct tf_node_row;
struct tf_vault;
struct tf_view_template;

#define TF_SEEN_DIRS 64 /* directories whose permissions a view caches */

/* The asker's permissions on a directory: see readable.h. */
struct tf_seen_dir {
	uint64_t id; /* 0: unused */
	bool comes;  /* search on it and on every directory above it */
	bool lists;  /* comes, and read on it */
};

/* A view belongs to one thread at a time. */
struct tf_view {
	struct tf_vault *v;
	struct tf_db *db; /* a snapshot, for all reads of the view */
	uint64_t entries;
	bool all; /* the asker may read everything; else `who` is set */
	struct tf_asker who;
	struct tf_seen_dir seen[TF_SEEN_DIRS];
	bool ledger_only; /* show no pending nodes */
	bool past;	  /* of tf_view_open_at: nothing about the present */
	/* The clock when the view was opened, for deadlines. */
	struct tf_time now;
	bool raised;			    /* not before the newest entry */
	struct tf_view_template *templates; /* see template.h */
	struct tf_judged *judged;	    /* see compliance.h; or NULL */
};

/* Read the row of directory id.  Errors: TF_NOTFOUND it is not in the ledger or
 * of another kind; those of the database. */
TF_MUST_USE enum tf_code tf_view_row(struct tf_view *w, uint64_t id,
    enum tf_kind kind, struct tf_node_row *out, struct tf_error *err);
/* Pass the whole of b to the sink and empty b, also if the sink fails.
 * TF_NOMEM if an append to b failed before. */
TF_MUST_USE enum tf_code tf_sink_buf(const struct tf_sink *s, struct tf_buf *b,
    struct tf_error *err);

/* An entry, as bytes and decoded.  {0} is empty. */
struct tf_loaded_entry {
	bool is;		   /* not empty */
	bool damaged;		   /* empty, because entry seq cannot be read */
	uint64_t seq;		   /* of what was asked for; or TF_NO_SEQ */
	struct tf_buf text;	   /* its bytes */
	struct tf_buf clear;	   /* the same with texts that stand apart */
	struct tf_entry_decoded d; /* of clear, if there are such texts */
};
void tf_loaded_entry_free(struct tf_loaded_entry *t);
/* Replace *t by entry seq; TF_NO_SEQ makes it empty.  TF_TAMPER if the entry is
 * missing, malformed or another one.  The caller frees *t. */
TF_MUST_USE enum tf_code tf_loaded_entry_read(struct tf_view *w, uint64_t seq,
    struct tf_loaded_entry *t, struct tf_error *err);
/* The same for a list that goes on without an entry that cannot be read: *t is
 * then empty, with `damaged` set, and d has the entry.  d may be NULL. */
TF_MUST_USE enum tf_code tf_loaded_entry_try(struct tf_view *w, uint64_t seq,
    struct tf_loaded_entry *t, struct tf_damage *d, struct tf_error *err);

/* Make w->now not earlier than the newest entry of the view. */
TF_MUST_USE enum tf_code tf_view_raise_now(struct tf_view *w,
    struct tf_error *err);

/* Append the actor of an entry to out, with the user name that the entry holds:
 * "alice (1000)", "uid 1000", or "trailfs" for an entry of the daemon. */
void tf_who(const struct tf_entry *e, struct tf_buf *out);
/* The same for people, who want to know who became another user: a login uid that
 * is not the uid stands behind it, as in "root (0), login uid 1000". */
void tf_who_in_full(const struct tf_entry *e, struct tf_buf *out);

/* *out becomes for whom a service recorded an attestation, as the claims in the
 * entry of its seal say; unchanged if they say nothing. */
TF_MUST_USE enum tf_code tf_behalf(const struct tf_loaded_entry *seal,
    struct tf_buf *out, struct tf_error *err);

/* End the JSON document j and pass the rest of its text and a newline to out. */
TF_MUST_USE enum tf_code tf_view_end_json(struct tf_json *j,
    const struct tf_sink *out, struct tf_error *err);

#endif
