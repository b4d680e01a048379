/*
 * Growing buffers of bytes, which remember that memory ran out: a caller makes
 * all its appends and asks once, with tf_buf_end.
 */
#ifndef TF_BUFFER_H
#define TF_BUFFER_H

#include "error.h"
#include "types.h"

/*
 * A growing buffer.  {0} is empty and valid; tf_buf_free releases it and makes
 * it {0} again.  An append that runs out of memory sets failed; the content is
 * then void and later appends do nothing.  A buffer belongs to one thread.
 */
struct tf_buf {
	char *p;
	size_t n, cap;
	bool failed;
};

/* Does nothing for NULL and for an empty buffer. */
void tf_buf_free(struct tf_buf *b);
/* Append n bytes.  p may be NULL if n is 0; it must not point into b. */
void tf_buf_add(struct tf_buf *b, const void *p, size_t n);
/* Append s without its NUL. */
void tf_buf_str(struct tf_buf *b, const char *s);
/* Append formatted text; no argument may point into b. */
void tf_buf_printf(struct tf_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/*
 * Make room for n more bytes and the NUL that always follows them.  The caller
 * writes them at p + n and then raises n.  False if memory ran out, now or
 * before; b has failed then.
 */
bool tf_buf_room(struct tf_buf *b, size_t n);
/* The content of b, valid until b changes.  p is never NULL, also when b is
 * empty. */
struct tf_str tf_buf_bytes(const struct tf_buf *b);

/*
 * TF_OK, or TF_NOMEM if an append to b failed.  Every function that fills its
 * caller's buffer and returns a code ends with this call, so the caller checks
 * the code and not the buffer.
 */
TF_MUST_USE enum tf_code tf_buf_end(const struct tf_buf *b,
    struct tf_error *err);

#endif
