/* How far long work is, for a program that shows it. */
#ifndef TF_PROGRESS_H
#define TF_PROGRESS_H

#include <stdint.h>

/*
 * Until the next call, work that this thread does itself reports to fn: so much
 * of that is done, in a unit that the function doing the work names.  fn NULL:
 * nobody listens, as at the start.  A verification, a backup and a mirror have
 * callbacks of their own, which may come from other threads.
 */
typedef void (*tf_progress_fn)(void *arg, uint64_t done, uint64_t of);
void tf_progress_listen(tf_progress_fn fn, void *arg);

/* For the work: tell who listens.  Cheap when nobody does. */
void tf_progress(uint64_t done, uint64_t of);

#endif
