/* Messages on their way through a router: see router_message.h. */
#include <errno.h>
#include <string.h>

#include "core/base/mutant.h"
#include "router_message.h"

#define MINOR_LEAST 31 /* Linux 5.4 */
#define BACKGROUND_MAX 4096
/* As in <linux/fuse.h>, which may be older. */
#define OPCODE_STATX 52

enum fs_message_goes
fs_message_goes(uint32_t opcode)
{
	switch (opcode) {
	case FUSE_LOOKUP:
	case FUSE_GETATTR:
	case FUSE_READLINK:
	case FUSE_OPEN:
	case FUSE_READ:
	case FUSE_STATFS:
	case FUSE_RELEASE:
	case FUSE_FSYNC:
	case FUSE_GETXATTR:
	case FUSE_LISTXATTR:
	case FUSE_FLUSH:
	case FUSE_OPENDIR:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
	case FUSE_RELEASEDIR:
	case FUSE_FSYNCDIR:
	case FUSE_IOCTL:
		return FS_MESSAGE_TO_CHILD;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return FS_MESSAGE_FORGETS;
	case FUSE_INTERRUPT:
		return FS_MESSAGE_INTERRUPTS;
	case FUSE_SETATTR:
	case FUSE_SYMLINK:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_UNLINK:
	case FUSE_RMDIR:
	case FUSE_RENAME:
	case FUSE_RENAME2:
	case FUSE_LINK:
	case FUSE_WRITE:
	case FUSE_SETXATTR:
	case FUSE_REMOVEXATTR:
	case FUSE_CREATE:
	case FUSE_FALLOCATE:
		return FS_MESSAGE_CHANGES;
	case OPCODE_STATX:
	default:
		return FS_MESSAGE_UNKNOWN;
	}
}

bool
fs_message_init(const struct fuse_in_header *h, bool roles,
    struct fuse_init_out *out)
{
	const struct fuse_init_in *in = (const void *)(h + 1);
	const uint32_t flags = FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC |
	    FUSE_BIG_WRITES | FUSE_HAS_IOCTL_DIR | FUSE_AUTO_INVAL_DATA |
	    FUSE_DO_READDIRPLUS | FUSE_ASYNC_DIO | FUSE_PARALLEL_DIROPS |
	    FUSE_MAX_PAGES | (roles ? FUSE_POSIX_ACL : 0);

	if (h->opcode != FUSE_INIT || in->major != FUSE_KERNEL_VERSION ||
	    in->minor < MINOR_LEAST)
		return false;
	*out = (struct fuse_init_out){
		.major = FUSE_KERNEL_VERSION,
		.minor = in->minor < FUSE_KERNEL_MINOR_VERSION ?
		    in->minor :
		    FUSE_KERNEL_MINOR_VERSION,
		.max_readahead = in->max_readahead,
		.flags = in->flags & flags,
		.max_background = BACKGROUND_MAX,
		.congestion_threshold = BACKGROUND_MAX / 4 * 3,
		.max_write = FS_MESSAGE_DATA,
		.time_gran = 1,
		.max_pages = FS_MESSAGE_PAGES,
	};
	return true;
}

void
fs_message_init_child(const struct fuse_init_out *out,
    struct fs_message_init_in *to)
{
	*to = (struct fs_message_init_in){
		.h = { .len = sizeof *to, .opcode = FUSE_INIT },
		.in = { .major = out->major,
		    .minor = out->minor,
		    .max_readahead = out->max_readahead,
		    .flags = out->flags },
	};
}

/* Is there a body of n bytes? */
static bool
has(const struct fuse_in_header *in, size_t n)
{
	return in->len >= sizeof *in + n;
}

uint64_t *
fs_message_handle(struct fuse_in_header *in)
{
	void *body = in + 1;
	struct fuse_getattr_in *g = body;

	switch (in->opcode) {
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FLUSH:
	case FUSE_FSYNC:
	case FUSE_FSYNCDIR:
	case FUSE_IOCTL:
		return has(in, sizeof(uint64_t)) ? body : NULL;
	case FUSE_GETATTR:
		return has(in, sizeof *g) &&
			(g->getattr_flags & FUSE_GETATTR_FH) != 0 ?
		    &g->fh :
		    NULL;
	default:
		return NULL;
	}
}

/* --- answers ---------------------------------------------------------------- */

/* A copy grows while the kernel remembers it, and the daemon that has shown a node does
 * not see that: the next one has no list of what the kernel remembers. */
static void
shorten(uint64_t *valid_s, uint32_t *valid_ns)
{
	if (*valid_s < FS_MESSAGE_VALID_S || TF_IS_MUTANT(TF_ROUTER_KEEPS))
		return;
	*valid_s = FS_MESSAGE_VALID_S;
	*valid_ns = 0;
}

static bool
show_entry(const struct fs_message_context *c, struct fuse_entry_out *e)
{
	if (e->nodeid != 0) {
		e->nodeid = fs_ids_count(c->ids, c->origin, e->nodeid);
		if (e->nodeid == 0)
			return false;
	}
	shorten(&e->entry_valid, &e->entry_valid_nsec);
	shorten(&e->attr_valid, &e->attr_valid_nsec);
	e->attr.ino = TF_IS_MUTANT(TF_ROUTER_INO) ?
	    e->attr.ino :
	    fs_ids_show(c->ids, c->origin, e->attr.ino);
	return true;
}

static void
show_name(const struct fs_message_context *c, struct fuse_dirent *d)
{
	/* Above the root of the origin is that of the mount. */
	if (c->of_root && d->namelen == 2 && memcmp(d->name, "..", 2) == 0)
		d->ino = FUSE_ROOT_ID;
	else
		d->ino = fs_ids_show(c->ids, c->origin, d->ino);
}

static void
forget_entry(const struct fs_message_context *c, const struct fuse_entry_out *e)
{
	if (e->nodeid != 0)
		fs_ids_forget(c->ids, e->nodeid, 1);
}

/*
 * Each name of a listing: show it, or forget it again (undo), up to the byte end.
 * Returns how many bytes were well formed and done.
 */
static size_t
walk(const struct fs_message_context *c, char *body, size_t end, bool plus,
    bool undo)
{
	size_t at = 0, n;

	while (at < end) {
		struct fuse_direntplus *p = (void *)(body + at);
		struct fuse_dirent *d = plus ? &p->dirent : (void *)p;
		const size_t fixed = plus ? FUSE_NAME_OFFSET_DIRENTPLUS :
					    FUSE_NAME_OFFSET;

		if (end - at < fixed || d->namelen == 0 || d->namelen > 1024)
			break;
		n = plus ? FUSE_DIRENTPLUS_SIZE(p) : FUSE_DIRENT_SIZE(d);
		if (end - at < n)
			break;
		if (undo && plus)
			forget_entry(c, &p->entry_out);
		else if (!undo && plus && !show_entry(c, &p->entry_out))
			break;
		if (!undo)
			show_name(c, d);
		at += n;
	}
	return at;
}

static bool
show_open(const struct fs_message_context *c, struct fuse_open_out *o)
{
	uint32_t known = FOPEN_DIRECT_IO | FOPEN_KEEP_CACHE |
	    FOPEN_NONSEEKABLE | FOPEN_CACHE_DIR | FOPEN_STREAM | FOPEN_NOFLUSH;

	if (c->grown)
		known &= ~(uint32_t)FOPEN_KEEP_CACHE;
	/* The last member is padding, or backing_id in later headers: 0. */
	*o = (struct fuse_open_out){
		.fh = o->fh,
		.open_flags = o->open_flags & known,
	};
	return true;
}

bool
fs_message_answer(const struct fs_message_context *c,
    struct fuse_out_header *out)
{
	char *body = (void *)(out + 1);
	const size_t n = out->len - sizeof *out;
	struct fuse_attr_out *a = (void *)body;
	size_t done;
	bool plus = c->opcode == FUSE_READDIRPLUS;

	if (out->error != 0) {
		if (out->error == -ENOSYS && !TF_IS_MUTANT(TF_ROUTER_ENOSYS))
			out->error = -EOPNOTSUPP;
		return n == 0 && out->error < 0 && out->error > -1000;
	}
	switch (c->opcode) {
	case FUSE_LOOKUP:
		return n == sizeof(struct fuse_entry_out) &&
		    show_entry(c, (void *)body);
	case FUSE_GETATTR:
		if (n != sizeof *a)
			return false;
		shorten(&a->attr_valid, &a->attr_valid_nsec);
		a->attr.ino = fs_ids_show(c->ids, c->origin, a->attr.ino);
		return true;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return n == sizeof(struct fuse_open_out) &&
		    show_open(c, (void *)body);
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		if ((done = walk(c, body, n, plus, false)) == n)
			return true;
		(void)walk(c, body, done, plus, true);
		return false;
	default:
		return true;
	}
}

void
fs_message_undo(const struct fs_message_context *c, struct fuse_out_header *out)
{
	char *body = (void *)(out + 1);

	if (out->error != 0)
		return;
	if (c->opcode == FUSE_LOOKUP)
		forget_entry(c, (void *)body);
	if (c->opcode == FUSE_READDIRPLUS)
		(void)walk(c, body, out->len - sizeof *out, true, true);
}

bool
fs_message_notice(const struct fs_message_context *c,
    struct fuse_out_header *out)
{
	void *body = out + 1;
	const size_t n = out->len - sizeof *out;
	struct fuse_notify_inval_inode_out *inode = body;
	struct fuse_notify_inval_entry_out *entry = body;
	struct fuse_notify_delete_out *gone = body;

	switch (out->error) {
	case FUSE_NOTIFY_INVAL_INODE:
		if (n != sizeof *inode)
			return false;
		inode->ino = fs_ids_show(c->ids, c->origin, inode->ino);
		return true;
	case FUSE_NOTIFY_INVAL_ENTRY:
		if (n < sizeof *entry)
			return false;
		entry->parent = fs_ids_show(c->ids, c->origin, entry->parent);
		return true;
	case FUSE_NOTIFY_DELETE:
		if (n < sizeof *gone)
			return false;
		gone->parent = fs_ids_show(c->ids, c->origin, gone->parent);
		gone->child = fs_ids_show(c->ids, c->origin, gone->child);
		return true;
	default:
		return false;
	}
}
