/*
 * Does the store hold what it locks? It says so: there are stores that accept the
 * headers of a lock and ignore them.  So a small blob is locked for a day, and
 * deleted.  Probes of the same mode try the same version while its lock lasts.
 */
#ifndef TF_S3_PROBE_H
#define TF_S3_PROBE_H

#include "request.h"

/*
 * TF_WORM_HELD: the lock is on that version, these credentials could not delete
 * it, with mode governance not by bypassing it either, and its bytes are there
 * afterwards.  Credentials that may never delete anything prove less than those
 * that may.  Anything else is TF_WORM_NOT_HELD; TF_WORM_UNLOCKED: the target asks
 * for no lock.  Errors: those of an upload; TF_IO.
 */
TF_MUST_USE enum tf_code tf_s3_probe(struct tf_s3 *s, enum tf_worm *verdict,
    struct tf_error *err);

#endif
