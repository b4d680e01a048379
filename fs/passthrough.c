/*
 * Open files per node, as the kernel counts them: every file that is open in
 * the kernel is entered here.  The order of locks is in handle.c.
 */
#include "passthrough.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdlib.h>

#include "broker.h"

#define BUCKETS 1024

#define OPEN_PASSTHROUGH (1u << 7)
struct open_out {
	uint64_t fh;
	uint32_t open_flags;
	uint32_t backing_id;
};
_Static_assert(sizeof(struct open_out) == sizeof(struct fuse_open_out),
    "the answer to OPEN");

struct fs_passthrough {
	pthread_mutex_t mu;
	struct fs_broker *broker; /* guarded by mu, as all below */
	int fuse_fd;		  /* -1: not mounted */
	bool refused;
	/* The open files by node, linked by next_open. */
	struct fs_handle *first[BUCKETS];
};

struct fs_passthrough *
fs_passthrough_new(void)
{
	struct fs_passthrough *p = calloc(1, sizeof *p);

	if (p == NULL)
		return NULL;
	pthread_mutex_init(&p->mu, NULL);
	p->fuse_fd = -1;
	return p;
}

void
fs_passthrough_free(struct fs_passthrough *p)
{
	if (p == NULL)
		return;
	pthread_mutex_destroy(&p->mu);
	free(p);
}

void
fs_passthrough_start(struct fs_passthrough *p, struct fs_broker *broker,
    int fuse_fd)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mu);
	p->broker = broker;
	p->fuse_fd = fuse_fd;
	pthread_mutex_unlock(&p->mu);
}

void
fs_passthrough_stop(struct fs_passthrough *p)
{
	fs_passthrough_start(p, NULL, -1);
}

/* An open file of ino, or NULL.  mu is held. */
static struct fs_handle *
find(const struct fs_passthrough *p, uint64_t ino)
{
	struct fs_handle *h = p->first[ino % BUCKETS];

	while (h != NULL && h->ino != ino)
		h = h->next_open;
	return h;
}

bool
fs_passthrough_may_pass(struct fs_passthrough *p, uint64_t ino)
{
	bool may;

	if (p == NULL)
		return false;
	pthread_mutex_lock(&p->mu);
	may = p->fuse_fd >= 0 && !p->refused && find(p, ino) == NULL;
	pthread_mutex_unlock(&p->mu);
	return may;
}

/* Can the object be opened with O_DIRECT?  The kernel opens it with the flags
 * of each open of the file, which would otherwise fail with EIO. */
static bool
can_do_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_DIRECT) == 0 &&
	    fcntl(fd, F_SETFL, flags) == 0;
}

/* Register the file fd: the kernel's id of it, or 0.  mu is held. */
static uint32_t
backing_open(struct fs_passthrough *p, int fd)
{
	uint32_t id = 0;

	if (p->fuse_fd < 0 || p->refused || fd < 0)
		return 0;
	if (can_do_direct(fd))
		id = fs_broker_backing_open(p->broker, p->fuse_fd, fd);
	p->refused = id == 0;
	return id;
}

void
fs_passthrough_enter(struct fs_passthrough *p, struct fs_handle *h,
    uint64_t ino, int fd)
{
	struct fs_handle *other;

	if (p == NULL)
		return;
	pthread_mutex_lock(&p->mu);
	other = find(p, ino);
	h->ino = ino;
	h->backing = other != NULL ? other->backing : backing_open(p, fd);
	h->next_open = p->first[ino % BUCKETS];
	if (h->next_open != NULL)
		h->next_open->prev_open = h;
	p->first[ino % BUCKETS] = h;
	pthread_mutex_unlock(&p->mu);
}

void
fs_passthrough_leave(struct fs_passthrough *p, struct fs_handle *h)
{
	if (p == NULL || h->ino == 0)
		return;
	pthread_mutex_lock(&p->mu);
	if (h->prev_open != NULL)
		h->prev_open->next_open = h->next_open;
	else
		p->first[h->ino % BUCKETS] = h->next_open;
	if (h->next_open != NULL)
		h->next_open->prev_open = h->prev_open;
	/* Without open files in the kernel, the node may get a new id. */
	if (h->backing != 0 && p->fuse_fd >= 0 && find(p, h->ino) == NULL)
		fs_broker_backing_close(p->broker, p->fuse_fd, h->backing);
	pthread_mutex_unlock(&p->mu);
}

int
fs_passthrough_reply_open(fuse_req_t req, const struct fs_handle *h,
    const struct fuse_file_info *fi)
{
	struct open_out out = { .fh = fi->fh,
		.open_flags = OPEN_PASSTHROUGH |
		    (fi->noflush ? FOPEN_NOFLUSH : 0u),
		.backing_id = h->backing };

	if (h->backing == 0)
		return fuse_reply_open(req, fi);
	/* Not FOPEN_KEEP_CACHE: cached pages of the file would be used. */
	return fuse_reply_buf(req, (const char *)&out, sizeof out);
}
