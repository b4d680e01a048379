/*
 * Growing buffers.  Sizes may come from hostile input, so they are checked
 * before they are added.
 *
 * A buffer that failed stays failed and takes nothing more, so a caller may
 * append many times and ask once, by tf_buf_end().  tf_buf_add() keeps a NUL
 * behind the bytes.
 */
#include "../buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
tf_buf_free(struct tf_buf *b)
{
	if (!b)
		return;
	free(b->p);
	*b = (struct tf_buf){ 0 };
}

/*
 * Room for n bytes and a NUL.  No sum may wrap: n >= SIZE_MAX / 2 - b->n is
 * refused before anything is added.
 */
bool
tf_buf_room(struct tf_buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 64;
	char *p;

	if (b->failed)
		return false;
	if (n < b->cap && b->n < b->cap - n)
		return true;
	if (n >= SIZE_MAX / 2 - b->n) {
		b->failed = true;
		return false;
	}
	while (cap <= b->n + n)
		cap *= 2;
	if (!(p = realloc(b->p, cap))) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void
tf_buf_add(struct tf_buf *b, const void *p, size_t n)
{
	if (!tf_buf_room(b, n))
		return;
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
tf_buf_str(struct tf_buf *b, const char *s)
{
	tf_buf_add(b, s, strlen(s));
}

void
tf_buf_printf(struct tf_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	if (!tf_buf_room(b, (size_t)n))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

enum tf_code
tf_buf_end(const struct tf_buf *b, struct tf_error *err)
{
	return b->failed ? tf_nomem(err) : TF_OK;
}

struct tf_str
tf_buf_bytes(const struct tf_buf *b)
{
	return (struct tf_str){ b->p == NULL ? "" : b->p, b->n };
}
