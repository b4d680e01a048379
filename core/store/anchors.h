/*
 * Table anchor: finds what the entries anchor.added say of anchors.  Rows follow
 * from the entries (I5) and never change.  A store of an earlier version answers
 * as one without anchors.
 */
#ifndef TF_STORE_ANCHORS_H
#define TF_STORE_ANCHORS_H

#include <stdint.h>

#include "../error.h"

struct tf_db;

struct tf_anchor_row {
	uint64_t seq; /* of anchor.added */
	const char *kind, *name;
	uint64_t size;	 /* of the checkpoint, in entries */
	uint64_t object; /* row id of the note or the token */
	uint64_t chain;	 /* row id of the certificates, or 0 */
};

/* Insert a row, in the transaction of its entry.  Errors of all functions: those
 * of sql.h, and those of fn. */
TF_MUST_USE enum tf_code tf_anchors_put(struct tf_db *db,
    const struct tf_anchor_row *r, struct tf_error *err);

/*
 * The functions below call fn with rows, which are valid during the call, until
 * it fails.
 */
typedef enum tf_code (*tf_anchor_fn)(void *arg, const struct tf_anchor_row *r,
    struct tf_error *err);
/* Those with a seq from `from` on, in ledger order. */
TF_MUST_USE enum tf_code tf_anchors_since(struct tf_db *db, uint64_t from,
    tf_anchor_fn fn, void *arg, struct tf_error *err);
/* The last n, newest first. */
TF_MUST_USE enum tf_code tf_anchors_last(struct tf_db *db, uint64_t n,
    tf_anchor_fn fn, void *arg, struct tf_error *err);
/* Of each kind and name that of the highest size, sorted by kind and name. */
TF_MUST_USE enum tf_code tf_anchors_newest(struct tf_db *db, tf_anchor_fn fn,
    void *arg, struct tf_error *err);
/* Those of that kind and size, in ledger order. */
TF_MUST_USE enum tf_code tf_anchors_of_size(struct tf_db *db, const char *kind,
    uint64_t size, tf_anchor_fn fn, void *arg, struct tf_error *err);
/* The last one of that kind, name and size, if there is one. */
TF_MUST_USE enum tf_code tf_anchors_find(struct tf_db *db, const char *kind,
    const char *name, uint64_t size, tf_anchor_fn fn, void *arg,
    struct tf_error *err);
/* That of entry seq, if there is one. */
TF_MUST_USE enum tf_code tf_anchors_get(struct tf_db *db, uint64_t seq,
    tf_anchor_fn fn, void *arg, struct tf_error *err);

/* The highest size of an anchor of that kind; 0: there is none. */
TF_MUST_USE enum tf_code tf_anchors_highest(struct tf_db *db, const char *kind,
    uint64_t *size, struct tf_error *err);
/* The number of rows. */
TF_MUST_USE enum tf_code tf_anchors_count(struct tf_db *db, uint64_t *n,
    struct tf_error *err);

#endif
