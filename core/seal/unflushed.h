/*
 * Files that are being written and were not flushed since: what a crash leaves
 * of them.  A log may be open for hours before its first flush, and a shell
 * flushes a file before the first byte.  TF_MARK_NS after such a write
 *  - the row of the file says that it was written and promises no byte,
 *  - its bytes are in its staged file, not only in memory.
 * After a crash of the daemon, recovery makes of it a draft with all that was
 * written (of an encrypted file, all that was written a moment ago).  After a
 * crash of the machine, the draft has what the kernel had written to the disk.
 */
#ifndef TF_SEAL_UNFLUSHED_H
#define TF_SEAL_UNFLUSHED_H

#include <stdbool.h>

#include "../base/clock.h"

struct tf_pending;
struct tf_vault;

#define TF_MARK_NS TF_SECOND

/* l is about to be written, or its first write failed: let the sealer call
 * tf_unflushed_keep() after TF_MARK_NS, unless a flush comes first or both are
 * done.  The caller holds io and mu. */
void tf_unflushed_later(struct tf_pending *l);

/* Do both, without waiting; or flush l, if it is closed.  A failure is reported
 * to the operator and tried again later.  No lock is held. */
void tf_unflushed_keep(struct tf_vault *v, struct tf_pending *l);

/* With durability=batch: l is short, closed, and flushed by tf_unflushed_keep(),
 * together with others, unless tf_pending_tend() does it earlier.  mu is held. */
bool tf_unflushed_waits(const struct tf_pending *l);

/* Flush all of these, when the sealer has ended.  Their results are reported to
 * the operator.  No lock is held. */
void tf_unflushed_end(struct tf_vault *v);

#endif
