/* What a router answers itself: the root directory, the directories of the origins as
 * such, and the space.  See router.h. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "fs.h"
#include "router_i.h"

#define BLOCK_SIZE (128 * 1024)
#define COOKIE_FIRST 3 /* and the number of the origin; 1 and 2 are the dots */

static void
set_root(const struct fs_router *r, struct fuse_attr *a)
{
	struct stat st = { 0 };

	(void)fstat(fs_origins_fd(r->origins), &st);
	*a = (struct fuse_attr){ .ino = FUSE_ROOT_ID,
		.mode = S_IFDIR | 0755,
		.nlink = 2,
		.uid = r->uid,
		.gid = r->gid,
		.blksize = BLOCK_SIZE,
		.mtime = (uint64_t)st.st_mtim.tv_sec,
		.mtimensec = (uint32_t)st.st_mtim.tv_nsec };
	a->atime = a->ctime = a->mtime;
	a->atimensec = a->ctimensec = a->mtimensec;
}

/* The directory .trailfs and its file, whose bytes are made when it is opened. */
static void
set_control(const struct fs_router *r, uint64_t id, struct fuse_attr *a)
{
	set_root(r, a);
	a->ino = id;
	a->mode = S_IFDIR | 0555;
	if (id != FS_ROUTER_METRICS)
		return;
	a->mode = S_IFREG | 0440;
	a->nlink = 1;
}

static void
set_entry(uint64_t id, const struct fuse_attr *a, struct fuse_entry_out *e)
{
	*e = (struct fuse_entry_out){ .nodeid = id,
		.generation = 1,
		.entry_valid = FS_MESSAGE_VALID_S,
		.attr_valid = FS_MESSAGE_VALID_S,
		.attr = *a };
}

static void
set_control_entry(const struct fs_router *r, uint64_t id,
    struct fuse_entry_out *e)
{
	struct fuse_attr a;

	set_control(r, id, &a);
	set_entry(id, &a, e);
}

static void
answer_attr(struct fs_router *r, const struct fuse_in_header *in,
    const struct fuse_attr *a)
{
	const struct fuse_attr_out out = { .attr_valid = FS_MESSAGE_VALID_S,
		.attr = *a };

	(void)fs_router_answer(r, in->unique, 0, &out, sizeof out);
}

static bool
is(const char *name, size_t n, const char *other)
{
	return strlen(other) == n && memcmp(name, other, n) == 0;
}

static void
look_up(struct fs_router *r, const struct fuse_in_header *in)
{
	const char *name = (const void *)(in + 1);
	const size_t n = strnlen(name, in->len - sizeof *in);
	const struct fs_origin *o = NULL;
	struct fuse_entry_out e = { 0 };

	if (in->nodeid == FUSE_ROOT_ID)
		o = fs_origins_name(r->origins, name, n);
	if (o != NULL)
		set_entry(fs_ids_root(o->number), &o->attr, &e);
	else if (in->nodeid == FUSE_ROOT_ID &&
	    is(name, n, FS_ROUTER_CONTROL_NAME))
		set_control_entry(r, FS_ROUTER_CONTROL, &e);
	else if (in->nodeid == FS_ROUTER_CONTROL &&
	    is(name, n, FS_ROUTER_METRICS_NAME))
		set_control_entry(r, FS_ROUTER_METRICS, &e);
	if (e.nodeid != 0)
		(void)fs_router_answer(r, in->unique, 0, &e, sizeof e);
	else
		(void)fs_router_answer(r, in->unique, -ENOENT, NULL, 0);
}

/* A listing, while it is filled. */
struct listing {
	char *p;
	size_t n, size;
	bool plus;
};

/* e is NULL for the dots, of which READDIRPLUS names no node.  False: no room. */
static bool
add(struct listing *l, const char *name, const struct fuse_entry_out *e,
    uint64_t ino, uint64_t next)
{
	struct fuse_direntplus *p = (void *)(l->p + l->n);
	struct fuse_dirent *d = l->plus ? &p->dirent : (void *)p;
	const size_t length = strlen(name);
	const size_t fixed = l->plus ? FUSE_NAME_OFFSET_DIRENTPLUS :
				       FUSE_NAME_OFFSET;
	const size_t n = FUSE_REC_ALIGN(fixed + length);

	if (l->size - l->n < n)
		return false;
	memset(p, 0, n);
	if (l->plus && e != NULL)
		p->entry_out = *e;
	*d = (struct fuse_dirent){ .ino = ino,
		.off = next,
		.namelen = (uint32_t)length,
		.type = (e != NULL ? e->attr.mode & S_IFMT : S_IFDIR) >> 12 };
	memcpy((char *)d + FUSE_NAME_OFFSET, name, length);
	l->n += n;
	return true;
}

static void
list(struct fs_router *r, const struct fuse_in_header *in)
{
	const struct fuse_read_in *arg = (const void *)(in + 1);
	struct listing l = { .p = r->out,
		.size = arg->size < FS_MESSAGE_DATA ? arg->size :
						      FS_MESSAGE_DATA,
		.plus = in->opcode == FUSE_READDIRPLUS };
	uint64_t off = arg->offset;
	const struct fs_origin *o;
	struct fuse_entry_out e;
	bool room = (off >= 1 || add(&l, ".", NULL, in->nodeid, 1)) &&
	    (off >= 2 || add(&l, "..", NULL, FUSE_ROOT_ID, 2));

	if (in->nodeid == FS_ROUTER_CONTROL) {
		set_control_entry(r, FS_ROUTER_METRICS, &e);
		if (room && off < COOKIE_FIRST)
			(void)add(&l, FS_ROUTER_METRICS_NAME, &e,
			    FS_ROUTER_METRICS, COOKIE_FIRST);
		(void)fs_router_answer(r, in->unique, 0, l.p, l.n);
		return;
	}

	off = off < COOKIE_FIRST ? 0 : off - COOKIE_FIRST;
	while (room &&
	    (o = fs_origins_after(r->origins, (unsigned)off)) != NULL) {
		off = o->number;
		set_entry(fs_ids_root(off), &o->attr, &e);
		room = add(&l, o->name, &e, fs_ids_root(o->number),
		    off + COOKIE_FIRST);
	}
	(void)fs_router_answer(r, in->unique, 0, l.p, l.n);
}

static void
answer_space(struct fs_router *r, const struct fuse_in_header *in)
{
	struct fuse_statfs_out out = { 0 };
	struct statfs s;

	if (fstatfs(fs_origins_fd(r->origins), &s) < 0) {
		(void)fs_router_answer(r, in->unique, -EIO, NULL, 0);
		return;
	}
	out.st = (struct fuse_kstatfs){ .blocks = (uint64_t)s.f_blocks,
		.bfree = (uint64_t)s.f_bfree,
		.bavail = (uint64_t)s.f_bavail,
		.files = (uint64_t)s.f_files,
		.ffree = (uint64_t)s.f_ffree,
		.bsize = (uint32_t)s.f_bsize,
		.frsize = (uint32_t)s.f_frsize,
		.namelen = FS_NAME_MAX };
	(void)fs_router_answer(r, in->unique, 0, &out, sizeof out);
}

/* The kernel asks for lists and labels; user.* of an origin is a question to its
 * daemon. */
static bool
is_attribute_of_system(const struct fuse_in_header *in)
{
	const char *name = (const char *)(in + 1) +
	    sizeof(struct fuse_getxattr_in);

	return in->len > sizeof *in + sizeof(struct fuse_getxattr_in) &&
	    strncmp(name, "user.", 5) != 0;
}

static void
answer_xattr(struct fs_router *r, const struct fuse_in_header *in)
{
	const struct fuse_getxattr_in *arg = (const void *)(in + 1);
	const struct fuse_getxattr_out none = { 0 };

	if (in->opcode == FUSE_GETXATTR)
		(void)fs_router_answer(r, in->unique,
		    r->roles ? -ENODATA : -EOPNOTSUPP, NULL, 0);
	else /* an empty list */
		(void)fs_router_answer(r, in->unique, 0, &none,
		    arg->size == 0 ? sizeof none : 0);
}

/* What each node of the router answers alike. */
static void
answer_any(struct fs_router *r, const struct fuse_in_header *in)
{
	switch (in->opcode) {
	case FUSE_GETXATTR:
	case FUSE_LISTXATTR:
		answer_xattr(r, in);
		break;
	case FUSE_IOCTL:
		(void)fs_router_answer(r, in->unique, -ENOTTY, NULL, 0);
		break;
	default:
		(void)fs_router_answer(r, in->unique, -EINVAL, NULL, 0);
	}
}

/* The file metrics. */
static void
answer_metrics(struct fs_router *r, const struct fuse_in_header *in)
{
	struct fuse_attr a;

	switch (in->opcode) {
	case FUSE_GETATTR:
		set_control(r, in->nodeid, &a);
		answer_attr(r, in, &a);
		break;
	case FUSE_OPEN:
		fs_router_metrics_open(r, in);
		break;
	case FUSE_READ:
		fs_router_metrics_read(r, in);
		break;
	case FUSE_RELEASE:
		fs_router_metrics_release(r, in);
		break;
	case FUSE_FLUSH:
	case FUSE_FSYNC:
		(void)fs_router_answer(r, in->unique, 0, NULL, 0);
		break;
	default:
		answer_any(r, in);
	}
}

/* The root of the mount, whose daemon is the router, and its directory .trailfs. */
static void
answer_root(struct fs_router *r, const struct fuse_in_header *in)
{
	const struct fuse_open_out open = { 0 };
	struct fuse_attr a;

	switch (in->opcode) {
	case FUSE_LOOKUP:
		look_up(r, in);
		break;
	case FUSE_GETATTR:
		if (in->nodeid == FUSE_ROOT_ID)
			set_root(r, &a);
		else
			set_control(r, in->nodeid, &a);
		answer_attr(r, in, &a);
		break;
	case FUSE_OPENDIR:
		(void)fs_router_answer(r, in->unique, 0, &open, sizeof open);
		break;
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		list(r, in);
		break;
	case FUSE_RELEASEDIR:
	case FUSE_FSYNCDIR:
		(void)fs_router_answer(r, in->unique, 0, NULL, 0);
		break;
	default:
		answer_any(r, in);
	}
}

/* The directory of an origin, without its daemon. */
static bool
answer_origin(struct fs_router *r, const struct fuse_in_header *in)
{
	unsigned number = (unsigned)(in->nodeid >> FS_IDS_NODE_BITS);
	const struct fs_origin *o = fs_origins_number(r->origins, number);

	if (o == NULL || !o->present)
		return false; /* and is an error there */
	if (in->opcode == FUSE_GETATTR) {
		answer_attr(r, in, &o->attr);
		return true;
	}
	/* If not everybody may read it, its list says who may. */
	if (in->opcode == FUSE_GETXATTR && !o->restricted &&
	    is_attribute_of_system(in)) {
		answer_xattr(r, in);
		return true;
	}
	return false;
}

bool
fs_router_root(struct fs_router *r, struct fuse_in_header *in)
{
	if (in->opcode == FUSE_STATFS) {
		answer_space(r, in);
		return true;
	}
	if (in->nodeid == FS_ROUTER_METRICS) {
		answer_metrics(r, in);
		return true;
	}
	if (in->nodeid == FUSE_ROOT_ID || in->nodeid == FS_ROUTER_CONTROL) {
		answer_root(r, in);
		return true;
	}
	return (in->nodeid & ((UINT64_C(1) << FS_IDS_NODE_BITS) - 1)) == 1 &&
	    in->nodeid >> 63 == 0 && answer_origin(r, in);
}
