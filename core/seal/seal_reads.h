/*
 * The entries evidence.read: who opened which sealed evidence (node/reads.h).
 *
 * Each trail with openings gets an entry.  It names an object, lines of
 * canonical JSON that trailfs-entries(5) defines: an actor, followed by the
 * nodes that this actor opened.  An object has at most TF_READS_BYTES; a trail
 * with more openings gets several entries.
 */
#ifndef TF_SEAL_SEAL_READS_H
#define TF_SEAL_SEAL_READS_H

#include "../error.h"

struct tf_vault;

#define TF_READS_BYTES (1u << 20)
#define TF_READS_EVERY_S 60

/* Start the thread that records the openings each minute, and sooner when they
 * are many, if the vault is mounted. */
TF_MUST_USE enum tf_code tf_reads_begin(struct tf_vault *v,
    struct tf_error *err);
/* End that thread.  Does nothing if it does not run. */
void tf_reads_end(struct tf_vault *v);
/* Record all openings counted so far.  On failure those that have no entry are
 * counted again.  No lock may be held.  Errors: TF_NOSPACE, TF_NOMEM, those of
 * the commit. */
TF_MUST_USE enum tf_code tf_reads_record(struct tf_vault *v,
    struct tf_error *err);

#endif
