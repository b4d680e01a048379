/*
 * Judges the receipts of mirrors and witnesses that the ledger has, for the
 * audit of a store and of a log.  Time stamps have a file of their own.
 */
#ifndef TF_AUDIT_ANCHORS_H
#define TF_AUDIT_ANCHORS_H

#include "../types.h"

struct tf_audit;
struct tf_entry;

/*
 * Compare the tree that the entry e of the type anchor.added names with the
 * first entries of this log, by its tiles.  Another tree is a finding.  A tile
 * that is missing is none: the audit reports it as such.
 */
void tf_audit_anchor_tree(struct tf_audit *a, const struct tf_entry *e);

/*
 * Judge the note of a mirror or a witness, whose bytes were compared with the
 * digest in e: it is the checkpoint of that tree, signed by the key of the log
 * that was in force at e, and cosigned by the key in e.  A fault is a finding.
 * A receipt without fault proves to others only what they think of its key.
 */
void tf_audit_cosigned(struct tf_audit *a, const struct tf_entry *e,
    struct tf_str note);
/* The bytes of the receipt are not at hand: its cosignature was not seen. */
void tf_audit_uncosigned(struct tf_audit *a);

/* The word of a finding for what e records: "receipt of mirror NAME for 12
 * entries" is "%s %.*s for %llu entries" with these. */
#define TF_ANCHOR_WORDS "the receipt of %.*s %.*s for %llu entries"
#define TF_ANCHOR_ARGS(e)                                                     \
	(int)(e)->anchor_kind.n, (e)->anchor_kind.p, (int)(e)->anchor_name.n, \
	    (e)->anchor_name.p, (unsigned long long)(e)->tree_size

/*
 * Judge a note that others have cosigned and that lies beside the log, whose head
 * is known: it must be signed by this log and of the tree that it had at that
 * size.  Its cosignatures count for the quorum.
 */
void tf_audit_cosigned_head(struct tf_audit *a, struct tf_str note);

#endif
