/*
 * The guard: a thread that writes each head of the log to a file on another
 * disk (STORE/config: guard = PATH).  A slow or broken disk of the guard holds
 * up nobody: it is reported, and shown in the status.
 */
#ifndef TF_SEAL_GUARD_H
#define TF_SEAL_GUARD_H

#include "../json.h"

struct tf_guard;
struct tf_vault;

/* Start the thread as v->guarding, if the config names a guard.  The head was
 * compared with the guard before.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_guard_start(struct tf_vault *v,
    struct tf_error *err);
/* Let the thread write this note.  A note that waits still is replaced.  A write
 * that has not ended for TF_GUARD_WAIT_S is reported.  Never blocks.  mu is not
 * held. */
void tf_guard_keep(struct tf_guard *g, struct tf_str note);
/* Write what waits, and end the thread.  A disk that does not answer for
 * TF_GUARD_WAIT_S is given up, and reported. */
#define TF_GUARD_WAIT_S 5
void tf_guard_stop(struct tf_vault *v);

#endif
