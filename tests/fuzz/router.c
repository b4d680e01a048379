/*
 * Messages between a router and the daemons of its origins: what such a daemon
 * answers or notifies, in any form, means nothing outside of its origin, and leaves
 * no count behind.
 *
 * The input is a run of messages: what it is, two bytes of choices, a length, and so
 * many bytes of the body.
 */
#include <errno.h>
#include <string.h>

#include "../../fs/router_message.h"
#include "fuzz.h"

#define ORIGIN 5
#define OTHER 6
/* A control file that both origins have. */
#define SHARED (UINT64_C(1) << 63 | 1)
#define KEPT_MAX 4096

static struct fs_ids *ids;
static uint64_t shared_id; /* of OTHER; the kernel knows it */
static uint64_t kept[KEPT_MAX];
static unsigned n_kept;

/* --- an answer, read a second time ------------------------------------------------ */

/* An id that the kernel is given is one of ORIGIN.  known: it counts. */
static void
check_id(uint64_t id, bool known)
{
	unsigned origin;
	uint64_t ino;

	MUST(id != shared_id);
	if (id == 0)
		return;
	if (fs_ids_find(ids, id, &origin, &ino))
		MUST(origin == ORIGIN);
	else
		MUST(!known && id >> 63 == 1);
	MUST(id != FUSE_ROOT_ID);
}

static void
check_entry(const struct fuse_entry_out *e, bool keep)
{
	check_id(e->nodeid, true);
	check_id(e->attr.ino, false);
	if (keep && e->nodeid != 0) {
		MUST(n_kept < KEPT_MAX);
		kept[n_kept++] = e->nodeid;
	}
}

/* p is as long as the whole names in it. */
static void
check_names(const char *p, size_t n, bool plus, bool of_root, bool keep)
{
	while (n > 0) {
		const size_t fixed = plus ? sizeof(struct fuse_entry_out) : 0;
		const struct fuse_dirent *d = (const void *)(p + fixed);
		size_t one;

		MUST(n >= fixed + FUSE_NAME_OFFSET);
		if (plus)
			check_entry((const void *)p, keep);
		one = FUSE_REC_ALIGN(fixed + FUSE_NAME_OFFSET + d->namelen);
		MUST(d->namelen > 0 && one <= n);
		if (of_root && d->namelen == 2 && memcmp(d->name, "..", 2) == 0)
			MUST(d->ino == FUSE_ROOT_ID);
		else
			check_id(d->ino, false);
		p += one;
		n -= one;
	}
}

static void
check_answer(const struct fs_message_context *c,
    const struct fuse_out_header *out, bool keep)
{
	const char *body = (const void *)(out + 1);
	const size_t n = out->len - sizeof *out;
	const struct fuse_open_out *o = (const void *)body;

	switch (c->opcode) {
	case FUSE_LOOKUP:
		check_entry((const void *)body, keep);
		break;
	case FUSE_GETATTR:
		check_id(((const struct fuse_attr_out *)body)->attr.ino, false);
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		/* No pages from before, no other file in place of this one. */
		MUST((o->open_flags &
			 ~(uint32_t)(FOPEN_DIRECT_IO | FOPEN_KEEP_CACHE |
			     FOPEN_NONSEEKABLE | FOPEN_CACHE_DIR |
			     FOPEN_STREAM | FOPEN_NOFLUSH)) == 0);
		MUST(!c->grown || (o->open_flags & FOPEN_KEEP_CACHE) == 0);
		MUST(memcmp(o,
			 &(const struct fuse_open_out){ .fh = o->fh,
			     .open_flags = o->open_flags },
			 sizeof(*o)) == 0);
		break;
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		check_names(body, n, c->opcode == FUSE_READDIRPLUS, c->of_root,
		    keep);
		break;
	default:
		break;
	}
}

/* --- messages -------------------------------------------------------------------- */

/* As long as the message, so that a sanitizer sees one read too many. */
static struct fuse_out_header *
message(const uint8_t *p, size_t n)
{
	struct fuse_out_header *out = malloc(sizeof *out + n);

	MUST(out != NULL);
	*out = (struct fuse_out_header){ .len = (uint32_t)(sizeof *out + n) };
	if (n > 0)
		memcpy(out + 1, p, n);
	return out;
}

static void
answer(unsigned a, unsigned b, const uint8_t *p, size_t n)
{
	static const uint32_t opcodes[] = { FUSE_LOOKUP, FUSE_GETATTR,
		FUSE_OPEN, FUSE_OPENDIR, FUSE_READDIR, FUSE_READDIRPLUS,
		FUSE_READ, FUSE_STATFS, FUSE_GETXATTR, FUSE_IOCTL };
	static const int32_t errors[] = { 0, -ENOENT, -ENOSYS, -EIO, 5, -999,
		-1000, INT32_MIN };
	const size_t before = fs_ids_number(ids);
	struct fuse_out_header *out = message(p, n);
	struct fs_message_context c = { .ids = ids,
		.origin = ORIGIN,
		.opcode = opcodes[a % (sizeof opcodes / sizeof *opcodes)],
		.grown = (b & 1) != 0,
		.of_root = (b & 2) != 0 };
	bool keep = (b & 4) != 0 && n_kept < KEPT_MAX / 2, ok;

	out->error = errors[b >> 5];
	ok = fs_message_answer(&c, out);
	MUST(out->len == sizeof *out + n);
	if (ok && out->error == 0)
		check_answer(&c, out, keep);
	else if (ok)
		MUST(n == 0 && out->error < 0 && out->error > -1000 &&
		    out->error != -ENOSYS);
	if (ok && !keep)
		fs_message_undo(&c, out);
	if (!ok || !keep)
		MUST(fs_ids_number(ids) == before);
	free(out);
}

static void
notice(unsigned a, const uint8_t *p, size_t n)
{
	const size_t before = fs_ids_number(ids);
	struct fuse_out_header *out = message(p, n);
	const struct fs_message_context c = { .ids = ids, .origin = ORIGIN };
	const uint64_t *id = (const void *)(out + 1);

	out->error = (int32_t)(a % 10);
	if (fs_message_notice(&c, out)) {
		MUST(n >= sizeof *id);
		check_id(id[0], false); /* the node, or its parent */
		if (out->error == FUSE_NOTIFY_DELETE)
			check_id(id[1], false);
		MUST(out->error == FUSE_NOTIFY_INVAL_INODE ||
		    out->error == FUSE_NOTIFY_INVAL_ENTRY ||
		    out->error == FUSE_NOTIFY_DELETE);
	}
	MUST(fs_ids_number(ids) == before);
	free(out);
}

/* A request of the kernel: its descriptor lies in it. */
static void
request(unsigned a, const uint8_t *p, size_t n)
{
	struct fuse_in_header *in = malloc(sizeof *in + n);
	char *fh;

	MUST(in != NULL);
	*in = (struct fuse_in_header){ .len = (uint32_t)(sizeof *in + n),
		.opcode = a % 64 };
	if (n > 0)
		memcpy(in + 1, p, n);
	fh = (char *)fs_message_handle(in);
	if (fh != NULL) {
		MUST(fs_message_goes(in->opcode) == FS_MESSAGE_TO_CHILD);
		MUST(fh >= (char *)(in + 1));
		MUST(fh + sizeof(uint64_t) <= (char *)in + in->len);
	}
	free(in);
}

static void
init(const uint8_t *p, size_t n)
{
	struct {
		struct fuse_in_header h;
		struct fuse_init_in in;
	} m = { .h = { .len = sizeof m, .opcode = FUSE_INIT } };
	struct fs_message_init_in child;
	struct fuse_init_out out;

	memcpy(&m.in, p, n < sizeof m.in ? n : sizeof m.in);
	if (!fs_message_init(&m.h, false, &out))
		return;
	MUST(m.in.major == FUSE_KERNEL_VERSION && out.minor <= m.in.minor);
	MUST((out.flags & ~m.in.flags) == 0);
	/* Nothing that another origin would have to promise, too. */
	MUST((out.flags &
		 (FUSE_WRITEBACK_CACHE | FUSE_POSIX_LOCKS |
		     FUSE_HANDLE_KILLPRIV | FUSE_POSIX_ACL)) == 0);
	MUST(out.max_pages * 4096u == out.max_write);
	fs_message_init_child(&out, &child);
	MUST(child.h.len == sizeof child && child.in.flags == out.flags);
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	size_t body;

	ids = fs_ids_new();
	MUST(ids != NULL);
	shared_id = fs_ids_count(ids, OTHER, SHARED);
	MUST(shared_id != 0);
	n_kept = 0;
	/* Also what the kernel has not looked up. */
	MUST(fs_ids_show(ids, ORIGIN, SHARED | 8) !=
	    fs_ids_show(ids, OTHER, SHARED | 8));
	while (n >= 5) {
		body = (size_t)data[3] << 8 | data[4];
		if (body > n - 5)
			body = n - 5;
		if (data[0] % 4 == 0)
			answer(data[1], data[2], data + 5, body);
		else if (data[0] % 4 == 1)
			notice(data[1], data + 5, body);
		else if (data[0] % 4 == 2)
			request(data[1], data + 5, body);
		else
			init(data + 5, body);
		data += 5 + body;
		n -= 5 + body;
	}
	while (n_kept > 0)
		fs_ids_forget(ids, kept[--n_kept], 1);
	/* What OTHER has is as before. */
	MUST(fs_ids_number(ids) == 1);
	MUST(fs_ids_show(ids, OTHER, SHARED) == shared_id);
	fs_ids_free(ids);
	return 0;
}
