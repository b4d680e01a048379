/*
 * STORE/forward.sock: the way from a mount that waits for its organisation to the
 * forwarder (core/forward.h), and back.
 *
 * The forwarder listens and the mount connects, when somebody waits.  The mount
 * says how many entries are waited for; the forwarder says how many the
 * organisation has, or why it has not more.  The store belongs to its owner alone,
 * so nobody else can make the socket or connect to it; and both sides ask the kernel
 * who the other one is, and believe only root and the owner of the store.
 */
#ifndef TF_STORE_FORWARD_LINK_H
#define TF_STORE_FORWARD_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

#define TF_FORWARD_SOCKET "forward.sock"
#define TF_FORWARD_ORIGIN 256 /* bytes of an origin, with the end */

/* What a forwarder says: of the log `origin`, the organisation has so many entries.
 * why: the failure after which it tries again, or "". */
struct tf_forward_word {
	uint64_t entries;
	char origin[TF_FORWARD_ORIGIN];
	char why[160];
};

/*
 * Make the socket in the store of dirfd and listen; *fd is the caller's, and does
 * not block.  What a killed forwarder left is replaced.  Errors: TF_LOCKED another
 * forwarder listens; TF_IO and its sharper forms.
 */
TF_MUST_USE enum tf_code tf_forward_listen(int dirfd, int *fd,
    struct tf_error *err);
/* Take a connection; -1: there is none, or it is a stranger's. */
int tf_forward_accept(int dirfd, int fd);
/* Connect to the forwarder of the store of dirfd; *fd is the caller's, and does not
 * block.  Errors: TF_NOTFOUND nobody listens; TF_FOREIGN it is a stranger; TF_IO
 * and its sharper forms. */
TF_MUST_USE enum tf_code tf_forward_connect(int dirfd, int *fd,
    struct tf_error *err);

/* Messages.  False: the connection is over; the caller closes it. */
bool tf_forward_want(int fd, uint64_t entries);
bool tf_forward_tell(int fd, const struct tf_forward_word *w);
/* *got: there was a message; the last one counts. */
bool tf_forward_wanted(int fd, uint64_t *entries, bool *got);
bool tf_forward_told(int fd, struct tf_forward_word *w, bool *got);

#endif
