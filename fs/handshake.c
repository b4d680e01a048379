/*
 * libfuse 3.14 has no names for some flags of INIT, so its answer must be
 * changed before the kernel gets it.  For this one answer the descriptor of the
 * session is replaced by a socket, from which the answer is read, completed and
 * then sent to the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handshake.h"
#include "passthrough.h"

#define ANSWER_MAX 4096
#define DIRECT_IO_ALLOW_MMAP_FLAGS2 (1u << 4) /* FUSE_DIRECT_IO_ALLOW_MMAP */

/* Read the next request.  TF_IO: there is none. */
static enum tf_code
receive(struct fuse_session *se, struct fuse_buf *buf, struct tf_error *err)
{
	int n;

	do
		n = fuse_session_receive_buf(se, buf);
	while (n == -EINTR || n == -EAGAIN);
	if (n > 0)
		return TF_OK;
	errno = n < 0 ? -n : ENODEV;
	return tf_fail(err, TF_IO, "the kernel sends no INIT request");
}

struct offer {
	uint32_t flags, flags2;
};

/* The flags that the kernel offers, if the request is INIT. */
static struct offer
offered(const struct fuse_buf *buf)
{
	struct offer none = { 0 };
	const struct fuse_in_header *h = buf->mem;
	const struct fuse_init_in *in = (const void *)(h + 1);

	if ((buf->flags & FUSE_BUF_IS_FD) != 0 || h->opcode != FUSE_INIT ||
	    buf->size < sizeof *h + offsetof(struct fuse_init_in, flags2))
		return none;
	if ((in->flags & FUSE_INIT_EXT) == 0 ||
	    buf->size < sizeof *h + offsetof(struct fuse_init_in, unused))
		return (struct offer){ in->flags, 0 };
	return (struct offer){ in->flags, in->flags2 };
}

static void
accept_more(char *answer, size_t n, struct offer offer, bool streams)
{
	/* Objects must not be on a stacked file system. */
	const uint32_t max_stack_depth = 1;
	const size_t behind = offsetof(struct fuse_init_out, flags2) +
	    sizeof(uint32_t);
	struct fuse_out_header *h = (void *)answer;
	struct fuse_init_out *out = (void *)(h + 1);

	if (n < sizeof *h + sizeof *out || h->error != 0)
		return;
	out->flags |= offer.flags & FUSE_HANDLE_KILLPRIV_V2;
	if (streams) {
		out->flags |= FUSE_INIT_EXT | FUSE_WRITEBACK_CACHE;
		out->flags2 |= DIRECT_IO_ALLOW_MMAP_FLAGS2;
	}
	if ((offer.flags2 & FS_PASSTHROUGH_FLAGS2) != 0) {
		out->flags |= FUSE_INIT_EXT;
		out->flags2 |= FS_PASSTHROUGH_FLAGS2;
		memcpy((char *)out + behind, &max_stack_depth,
		    sizeof max_stack_depth);
	}
}

/* Let libfuse answer into the socket, and send the answer to kernel_fd. */
static enum tf_code
answer(struct fuse_session *se, const struct fuse_buf *buf, const int pair[2],
    int kernel_fd, bool *streams, struct tf_error *err)
{
	_Alignas(8) char text[ANSWER_MAX];
	struct offer offer = offered(buf);
	int fd = fuse_session_fd(se);
	ssize_t n;

	if (dup3(pair[0], fd, O_CLOEXEC) < 0)
		return tf_fail(err, TF_IO,
		    "replace the descriptor of the session");
	fuse_session_process_buf(se, buf);
	n = recv(pair[1], text, sizeof text, MSG_DONTWAIT);
	if (dup3(kernel_fd, fd, O_CLOEXEC) < 0 || n <= 0)
		return tf_fail(err, TF_IO, "read libfuse's answer to INIT");
	*streams = *streams && (offer.flags & FUSE_WRITEBACK_CACHE) != 0 &&
	    (offer.flags2 & DIRECT_IO_ALLOW_MMAP_FLAGS2) != 0;
	accept_more(text, (size_t)n, offer, *streams);
	errno = -((struct fuse_out_header *)(void *)text)->error;
	if (errno != 0)
		return tf_fail(err, TF_IO,
		    "libfuse refuses the INIT of the kernel");
	if (write(fd, text, (size_t)n) != n)
		return tf_fail(err, TF_IO, "answer INIT");
	return TF_OK;
}

enum tf_code
fs_handshake(struct fuse_session *se, bool *streams, struct tf_error *err)
{
	struct fuse_buf buf = { 0 };
	int pair[2] = { -1, -1 }, kernel_fd;
	enum tf_code rc;

	/* dup(2), because ThreadSanitizer does not see that F_DUPFD copies a
	 * descriptor, and then misses the order of answers and requests. */
	kernel_fd = dup(fuse_session_fd(se));
	if (kernel_fd < 0 || fcntl(kernel_fd, F_SETFD, FD_CLOEXEC) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		rc = tf_fail(err, TF_IO, "make a socket");
	else if ((rc = receive(se, &buf, err)) == TF_OK)
		rc = answer(se, &buf, pair, kernel_fd, streams, err);
	free(buf.mem);
	if (pair[0] >= 0) {
		close(pair[0]);
		close(pair[1]);
	}
	if (kernel_fd >= 0)
		close(kernel_fd);
	return rc;
}
