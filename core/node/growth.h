/*
 * Evidence that is entered while it grows.  Its writer marks the open file by the
 * attribute user.trailfs.stream; from then on its whole chunks (ledger/chunks.h)
 * get entries evidence.grown, some seconds after they were written.
 *
 * Promises:
 *  G1  Entered bytes never change.  Before the first byte of a part is read for
 *      its entry, `fixed` includes the part, and no write or truncation below
 *      `fixed` is accepted, whether the entry follows or not.
 *  G2  Entered bytes survive a crash: they are synced before they are hashed, and
 *      hashed before their entry is committed (I2).
 *  G3  The name of a file with fixed bytes stays, because entries name it.
 *  G4  After a crash or a failure the file is sealed whole, under its name, if
 *      it still has all bytes that were entered; its entry says where they end.
 *
 * The numbers of the entries are in struct tf_pending (entered, entered_seq); the
 * row of the file has entered_seq, written in the transaction of the entry, so
 * that a restart finds them.  core/seal/grow.c enters the chunks.
 */
#ifndef TF_NODE_GROWTH_H
#define TF_NODE_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/clock.h"
#include "../json.h"

struct tf_pending;
struct tf_vault;

#define TF_GROW_NS (5 * TF_SECOND) /* from a write to the entry, at most */

/* Of a marked file; vault.mu guards it. */
struct tf_growth {
	uint64_t fixed;	  /* G1; changed with io held, too */
	uint64_t due_ns;  /* the sealer queues its duty; boot clock, or 0 */
	uint64_t row_seq; /* entered_seq for the row, during a transaction */
	bool encrypts; /* its trail has recipients by now: it is not entered */
	bool queued;   /* the duty is queued or runs */
	bool found;    /* at the start: its writer is gone */
	bool
	    doubt; /* failed: what follows `entered` may not be what was sent */
	bool lost; /* entered bytes are gone: it is interrupted (interrupt.c) */
	bool
	    over; /* the file is a draft by now; the end of the duty frees this */
};

/* Mark l, which is not marked.  io and mu are held, or nobody else has l.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_growth_new(struct tf_pending *l,
    struct tf_error *err);
/* The mark is of no use any more.  mu is held.  Not marked: does nothing. */
void tf_growth_free(struct tf_pending *l);

/* l has become a draft, of which nothing is entered: the mark goes, at once or with
 * the end of the duty that is queued.  mu is held.  Not marked: does nothing. */
void tf_growth_end(struct tf_pending *l);

/* May chunks of l be entered now?  mu is held. */
bool tf_growth_goes_on(const struct tf_pending *l);

/* Is l to be sealed with bytes of which nobody knows that they were sent?  mu is
 * held, or l is claimed. */
bool tf_growth_in_doubt(const struct tf_pending *l);

/* The bytes of l that may not change any more.  io or mu is held. */
uint64_t tf_growth_fixed(const struct tf_pending *l);
/* Refuse a change of these bytes or of the name: what is for people.  Returns
 * TF_DENIED.  mu is held. */
enum tf_code tf_growth_refuse(const struct tf_pending *l, const char *what,
    struct tf_error *err);

/*
 * l was written, or with hurry synced: let the sealer see to it when a whole chunk
 * is not entered yet, in TF_GROW_NS or at once.  mu is held.  Not marked: does
 * nothing.
 */
void tf_growth_due(struct tf_pending *l, bool hurry);

/*
 * The attributes of l for its row: with the number of its newest entry, if there
 * is one.  out becomes them, and stays empty if there are none.  mu is held.
 */
TF_MUST_USE enum tf_code tf_growth_row(const struct tf_pending *l,
    struct tf_buf *out, struct tf_error *err);
/* The reverse, for a row that was read: takes the number out of l->xattrs.  l is
 * then marked as found, and its entry is not looked at yet.  mu is held, or nobody
 * else has l.  A malformed number is none. */
TF_MUST_USE enum tf_code tf_growth_of_row(struct tf_pending *l,
    struct tf_error *err);

#endif
