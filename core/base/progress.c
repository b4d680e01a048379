/* Progress of the work of this thread: see progress.h. */
#include <stddef.h>

#include "../progress.h"

static _Thread_local struct {
	tf_progress_fn fn;
	void *arg;
} listener;

void
tf_progress_listen(tf_progress_fn fn, void *arg)
{
	listener.fn = fn;
	listener.arg = arg;
}

void
tf_progress(uint64_t done, uint64_t of)
{
	if (listener.fn != NULL)
		listener.fn(listener.arg, done, of);
}
