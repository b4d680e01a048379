/* Requests that are handled later: see aside.h. */
#include <stdlib.h>

#include "aside.h"

void
fs_asides_init(struct fs_asides *list)
{
	list->first = NULL;
	list->last = &list->first;
	atomic_init(&list->n, 0);
}

void
fs_asides_free(struct fs_asides *list)
{
	struct fs_aside *a;

	while ((a = list->first) != NULL) {
		list->first = a->next;
		free(a->buf.mem);
		free(a);
	}
}

const struct fuse_in_header *
fs_aside_header(const struct fuse_buf *buf)
{
	return (buf->flags & FUSE_BUF_IS_FD) == 0 &&
		buf->size >= sizeof(struct fuse_in_header) ?
	    buf->mem :
	    NULL;
}

bool
fs_aside_waits(const struct fuse_in_header *in)
{
	switch (in->opcode) {
	case FUSE_OPEN:
	case FUSE_READ:
	case FUSE_WRITE:
	case FUSE_GETATTR:
	case FUSE_SETATTR:
	case FUSE_FSYNC:
	case FUSE_FSYNCDIR:
	case FUSE_FALLOCATE:
	case FUSE_IOCTL:
		return in->pid != 0; /* 0: sent by the kernel itself */
	default:
		return false;
	}
}

bool
fs_aside_is_read(const struct fuse_buf *buf, uint32_t bytes)
{
	const struct fuse_in_header *in = fs_aside_header(buf);
	const struct fuse_read_in *arg;

	if (in == NULL || in->opcode != FUSE_READ ||
	    buf->size < sizeof *in + sizeof *arg)
		return false;
	arg = (const void *)(in + 1);
	return arg->size > bytes;
}

void
fs_aside_append(struct fs_asides *list, struct fs_aside *a)
{
	a->next = NULL;
	*list->last = a;
	list->last = &a->next;
	atomic_fetch_add(&list->n, 1);
}

bool
fs_aside_move(struct fs_asides *list, struct fuse_buf *buf)
{
	const struct fuse_in_header *in = fs_aside_header(buf);
	struct fs_aside *a = malloc(sizeof *a);

	if (a == NULL)
		return false;
	*a = (struct fs_aside){ .uid = in->uid,
		.unique = in->unique,
		.buf = *buf };
	fs_aside_append(list, a);
	*buf = (struct fuse_buf){ 0 };
	return true;
}

struct fs_aside *
fs_aside_unlink(struct fs_asides *list, struct fs_aside **at)
{
	struct fs_aside *a = *at;

	if ((*at = a->next) == NULL)
		list->last = at;
	atomic_fetch_sub(&list->n, 1);
	return a;
}

struct fs_aside *
fs_aside_find(struct fs_asides *list, uint64_t unique)
{
	struct fs_aside **at = &list->first;

	while (*at != NULL && (*at)->unique != unique)
		at = &(*at)->next;
	return *at == NULL ? NULL : fs_aside_unlink(list, at);
}

void
fs_aside_take(struct fs_aside *a, struct fuse_buf *buf)
{
	free(buf->mem);
	*buf = a->buf;
	free(a);
}
