/*
 * The connection between the two sides of a mirror: messages over two
 * descriptors, usually pipes.  SIGPIPE must be ignored.  One thread at a time.
 */
#ifndef TF_ANCHOR_MIRROR_LINK_H
#define TF_ANCHOR_MIRROR_LINK_H

#include "mirror_frames.h"

struct tf_mirror_link {
	int in, out;
	const char *peer; /* "the mirror" or "the source", for messages */
	struct tf_buf received, sent; /* of the last message */
};
/* The descriptors stay the caller's. */
void tf_mirror_link_free(struct tf_mirror_link *l);

/*
 * Send m.  If the other side has ended, its REFUSED is read and returned as by
 * tf_mirror_hear.  Errors: TF_IO.
 */
TF_MUST_USE enum tf_code tf_mirror_tell(struct tf_mirror_link *l,
    const struct tf_mirror_msg *m, struct tf_error *err);

/*
 * Receive the next message, which must have this type; its strings are valid
 * until the next call.  A REFUSED is returned as its code and text.  Errors:
 * TF_IO the other side ended (also if it only stopped to listen and then says
 * nothing for some seconds), the connection alters bytes, the other side does
 * not speak the protocol, or it sends another message.
 */
TF_MUST_USE enum tf_code tf_mirror_hear(struct tf_mirror_link *l,
    enum tf_mirror_type type, struct tf_mirror_msg *m, struct tf_error *err);
/* The same for any type. */
TF_MUST_USE enum tf_code tf_mirror_hear_any(struct tf_mirror_link *l,
    struct tf_mirror_msg *m, struct tf_error *err);

/* TF_NEWER: m, a HELLO or a HEAD, is of another version of the protocol. */
TF_MUST_USE enum tf_code tf_mirror_check_version(const struct tf_mirror_link *l,
    const struct tf_mirror_msg *m, struct tf_error *err);
/* TF_IO with this text: the other side broke the protocol. */
enum tf_code tf_mirror_broken(struct tf_error *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
