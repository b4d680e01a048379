/*
 * Answers that wait for the organisation (durability=org), as those of flushes do:
 * no worker waits.
 */
#ifndef FS_AWAIT_H
#define FS_AWAIT_H

#include "request.h"

/*
 * As fs_request_end(), or with ioctl as the answer of an ioctl(2); but with
 * durability=org success is answered when the organisation has all entries.  r is
 * over afterwards.
 */
void fs_await_end(struct fs_request *r, enum tf_code rc, bool ioctl);

#endif
