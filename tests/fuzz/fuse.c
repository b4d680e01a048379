/*
 * Requests to the mount, as the kernel could send them: any order, any node,
 * any values, but whole headers and handles that were given out.  The session,
 * the operations and the vault are the real ones; only the kernel is not.
 *
 * The input is a run of requests: opcode, node, handle and caller by number, a
 * length, and so many bytes of the body.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../../fs/control.h"
#include "../../fs/fs.h"
#include "../../fs/handle.h"
#include "../../fs/loop.h"
#include "../../fs/notify.h"
#include "../../fs/ops.h"
#include "../../fs/passthrough.h"
#include "../../fs/report.h"
#include "fuzz.h"

#define BODY_MAX 8192
#define READ_MAX 65535u /* more is only slower */
#define NODES 64
#define HANDLES 16
#define RUNS 200 /* inputs per store */

static const uint32_t opcodes[] = { FUSE_LOOKUP, FUSE_GETATTR, FUSE_SETATTR,
	FUSE_SYMLINK, FUSE_MKNOD, FUSE_MKDIR, FUSE_UNLINK, FUSE_RMDIR,
	FUSE_RENAME, FUSE_LINK, FUSE_OPEN, FUSE_READ, FUSE_WRITE, FUSE_STATFS,
	FUSE_RELEASE, FUSE_FSYNC, FUSE_SETXATTR, FUSE_GETXATTR, FUSE_LISTXATTR,
	FUSE_REMOVEXATTR, FUSE_FLUSH, FUSE_OPENDIR, FUSE_READDIR,
	FUSE_RELEASEDIR, FUSE_FSYNCDIR, FUSE_ACCESS, FUSE_CREATE, FUSE_IOCTL,
	FUSE_FALLOCATE, FUSE_READDIRPLUS, FUSE_RENAME2, FUSE_LSEEK,
	FUSE_COPY_FILE_RANGE, FUSE_FORGET, FUSE_POLL, FUSE_BMAP };

static struct fs fs;
static struct fuse_session *se;
static char store[] = "/dev/shm/trailfs-fuzz.XXXXXX";
static unsigned runs;

/* Nodes and handles from the replies of all threads. */
static struct {
	pthread_mutex_t mu;
	pthread_cond_t answered;
	uint64_t waiting; /* unique of the open request, 0: answered */
	uint32_t opcode;
	uint64_t node;
	uint64_t nodes[NODES];
	unsigned n_nodes;
	struct {
		uint64_t fh, node;
	} open[HANDLES];
	unsigned n_open;
} seen = { .mu = PTHREAD_MUTEX_INITIALIZER,
	.answered = PTHREAD_COND_INITIALIZER };

static void
know_node(uint64_t id)
{
	for (unsigned i = 0; i < seen.n_nodes; i++)
		if (seen.nodes[i] == id)
			return;
	if (id != 0 && seen.n_nodes < NODES)
		seen.nodes[seen.n_nodes++] = id;
}

static void
know_handle(uint64_t fh, uint64_t node)
{
	MUST(seen.n_open < HANDLES);
	seen.open[seen.n_open].fh = fh;
	seen.open[seen.n_open++].node = node;
}

/* Record the nodes and handles of a reply; mu is held. */
static void
learn(const uint8_t *p, size_t n)
{
	struct fuse_entry_out e;
	struct fuse_open_out o;
	bool entry = seen.opcode == FUSE_LOOKUP || seen.opcode == FUSE_MKDIR ||
	    seen.opcode == FUSE_CREATE;

	if (entry) {
		MUST(n >= sizeof(e));
		memcpy(&e, p, sizeof(e));
		know_node(e.nodeid);
	}
	if (seen.opcode == FUSE_OPEN) {
		MUST(n >= sizeof(o));
		memcpy(&o, p, sizeof(o));
		know_handle(o.fh, seen.node);
	}
	if (seen.opcode == FUSE_CREATE) {
		MUST(n >= sizeof(e) + sizeof(o));
		memcpy(&o, p + sizeof(e), sizeof(o));
		know_handle(o.fh, e.nodeid);
	}
}

static ssize_t
take_reply(int fd, struct iovec *iov, int count, void *userdata)
{
	struct fuse_out_header out;
	size_t n = 0;

	(void)fd, (void)userdata;
	for (int i = 0; i < count; i++)
		n += iov[i].iov_len;
	MUST(count >= 1 && iov[0].iov_len == sizeof(out));
	memcpy(&out, iov[0].iov_base, sizeof(out));
	MUST(out.len == n);
	MUST(out.error <= 0 && out.error > -4096);
	pthread_mutex_lock(&seen.mu);
	MUST(out.unique == seen.waiting); /* once, and nobody else's */
	if (out.error == 0 && count > 1)
		learn(iov[1].iov_base, iov[1].iov_len);
	seen.waiting = 0;
	pthread_cond_signal(&seen.answered);
	pthread_mutex_unlock(&seen.mu);
	return (ssize_t)n;
}

static ssize_t
never_read(int fd, void *buf, size_t n, void *userdata)
{
	(void)fd, (void)buf, (void)n, (void)userdata;
	errno = ENODEV;
	return -1;
}

/* --- one request -------------------------------------------------------- */

/* With room behind it: the kernel ends each name with a NUL. */
static union {
	struct fuse_in_header in;
	uint8_t b[sizeof(struct fuse_in_header) + BODY_MAX + 256];
} message;

#define BODY (message.b + sizeof(struct fuse_in_header))

/* Not to be answered. */
static bool
is_silent(uint32_t opcode)
{
	return opcode == FUSE_FORGET;
}

static void
process(uint32_t opcode, uint64_t node, uint32_t uid, size_t body)
{
	static uint64_t unique;
	struct fuse_buf buf = { .mem = message.b,
		.size = sizeof(message.in) + body };

	message.in = (struct fuse_in_header){ .len = (uint32_t)buf.size,
		.opcode = opcode,
		.unique = ++unique,
		.nodeid = node,
		.uid = uid,
		.gid = uid };
	pthread_mutex_lock(&seen.mu);
	seen.waiting = is_silent(opcode) ? 0 : unique;
	seen.opcode = opcode;
	seen.node = node;
	pthread_mutex_unlock(&seen.mu);
	fuse_session_process_buf(se, &buf);
	pthread_mutex_lock(&seen.mu);
	while (seen.waiting != 0)
		pthread_cond_wait(&seen.answered, &seen.mu);
	pthread_mutex_unlock(&seen.mu);
}

/* What the kernel vouches for: sizes that are those of the body, handles of the
 * node.  False: it would not send this. */
static bool
make_true(uint32_t opcode, uint64_t *node, unsigned handle, size_t *n)
{
	union {
		struct fuse_read_in read;
		struct fuse_write_in write;
		struct fuse_setxattr_in setxattr;
		struct fuse_getxattr_in getxattr;
		struct fuse_ioctl_in ioctl;
		struct fuse_setattr_in setattr;
		struct fuse_getattr_in getattr;
		struct fuse_open_in open;
		struct fuse_create_in create;
	} *x = (void *)BODY;
	bool has = seen.n_open > 0;
	unsigned h = has ? handle % seen.n_open : 0;
	uint64_t fh = has ? seen.open[h].fh : 0;
	char *name;

	switch (opcode) {
	case FUSE_READ:
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		x->read.size &= READ_MAX;
		x->read.offset &= INT64_MAX;
		break;
	case FUSE_WRITE:
		if (*n < sizeof(x->write))
			*n = sizeof(x->write);
		x->write.size = (uint32_t)(*n - sizeof(x->write));
		x->write.offset &= INT64_MAX;
		break;
	case FUSE_SETXATTR:
		if (*n < FUSE_COMPAT_SETXATTR_IN_SIZE + 2)
			*n = FUSE_COMPAT_SETXATTR_IN_SIZE + 2;
		BODY[*n - 1] = '\0';
		name = (char *)BODY + FUSE_COMPAT_SETXATTR_IN_SIZE;
		x->setxattr.size = (uint32_t)(*n -
		    FUSE_COMPAT_SETXATTR_IN_SIZE - strlen(name) - 1);
		break;
	case FUSE_GETXATTR:
	case FUSE_LISTXATTR:
		x->getxattr.size &= READ_MAX;
		break;
	case FUSE_IOCTL:
		if (*n < sizeof(x->ioctl))
			*n = sizeof(x->ioctl);
		x->ioctl.in_size = (uint32_t)(*n - sizeof(x->ioctl));
		x->ioctl.out_size &= READ_MAX;
		break;
	case FUSE_SETATTR:
		if (!has)
			x->setattr.valid &= ~(uint32_t)FATTR_FH;
		x->setattr.fh = fh;
		if ((x->setattr.valid & FATTR_FH) != 0)
			*node = seen.open[h].node;
		x->setattr.size &= INT64_MAX;
		x->setattr.mtimensec %= 1000000000;
		break;
	case FUSE_GETATTR:
		if (!has)
			x->getattr.getattr_flags &= ~(uint32_t)FUSE_GETATTR_FH;
		x->getattr.fh = fh;
		if ((x->getattr.getattr_flags & FUSE_GETATTR_FH) != 0)
			*node = seen.open[h].node;
		break;
	case FUSE_OPEN:
	case FUSE_CREATE:
		return seen.n_open < HANDLES;
	default:
		break;
	}
	/* The handle is the first word of these. */
	if (opcode == FUSE_READ || opcode == FUSE_WRITE ||
	    opcode == FUSE_FLUSH || opcode == FUSE_FSYNC ||
	    opcode == FUSE_RELEASE || opcode == FUSE_FALLOCATE) {
		if (!has)
			return false;
		x->read.fh = fh;
		*node = seen.open[h].node;
		if (opcode == FUSE_RELEASE)
			seen.open[h] = seen.open[--seen.n_open];
	}
	return true;
}

static size_t
one_request(const uint8_t *p, size_t n)
{
	static const uint32_t uids[] = { 0, 1000, 65534, UINT32_MAX };
	uint32_t opcode =
	    opcodes[p[0] % (sizeof(opcodes) / sizeof(opcodes[0]))];
	uint64_t node = seen.nodes[p[1] % seen.n_nodes];
	size_t body = (size_t)p[4] << 8 | p[5];

	if (body > n - 6)
		body = n - 6;
	if (body > BODY_MAX)
		body = BODY_MAX;
	memset(BODY, 0, BODY_MAX + 256);
	memcpy(BODY, p + 6, body);
	n = 6 + body;
	if (body < 128)
		body = 128; /* longer than any header; what is added is zero */
	if (make_true(opcode, &node, p[2], &body))
		process(opcode, node, uids[p[3] % 4], body);
	return n;
}

/* --- the mount ---------------------------------------------------------- */

static void
close_store(void)
{
	char command[128];

	fs_handles_drain(fs.handles);
	fs_handles_end(&fs, true);
	MUST(tf_vault_close(fs.vault, "unmounted", NULL) == TF_OK);
	fs_control_free(fs.control);
	fs_passthrough_free(fs.passthrough);
	fs_handles_free(fs.handles);
	fs_loop_free(fs.loop);
	fs_notify_free(fs.notify);
	(void)snprintf(command, sizeof(command), "rm -rf %s", store);
	MUST(system(command) == 0);
}

static void
quit(void)
{
	close_store();
	fuse_session_destroy(se);
}

static void
open_store(void)
{
	struct tf_vault_options o = { .program = "trailfs",
		.mount = "/mnt",
		.verify_open = true };
	struct tf_actor who = { .loginuid = -1, .session = -1 };
	struct tf_buf vkey = { 0 };

	memcpy(store + sizeof(store) - 7, "XXXXXX", 6);
	MUST(tf_settings_take(&o.settings, "settle", "60"));
	MUST(mkdtemp(store) != NULL);
	MUST(tf_vault_init(store, FUZZ_ORIGIN, &who, &vkey, NULL) == TF_OK);
	tf_buf_free(&vkey);
	MUST((o.arg = fs.notify = fs_notify_new()) != NULL);
	o.changed = fs_notify_changed;
	MUST(tf_vault_open(store, &o, &fs.vault, NULL) == TF_OK);
	fs.control = fs_control_new(fs.vault, &fs.stopping);
	fs.handles = fs_handles_new();
	fs.passthrough = fs_passthrough_new();
	MUST(fs.control != NULL && fs.handles != NULL);
	MUST(fs_loop_new(1, &fs.loop, NULL) == TF_OK);
}

static void
open_session(void)
{
	static const struct fuse_custom_io io = { .writev = take_reply,
		.read = never_read };
	char *argv[] = { (char[]){ "trailfs" }, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	struct fuse_init_in *init = (void *)BODY;

	fs_report_open(true);
	se = fuse_session_new(&args, &fs_ops, sizeof(fs_ops), &fs);
	MUST(se != NULL);
	fuse_opt_free_args(&args);
	MUST(fuse_session_custom_io(se, &io,
		 open("/dev/null", O_RDWR | O_CLOEXEC)) == 0);
	memset(BODY, 0, BODY_MAX);
	init->major = FUSE_KERNEL_VERSION;
	init->minor = 36;
	init->max_readahead = 131072;
	init->flags = 0x3ffffffb & ~(uint32_t)FUSE_INIT_EXT;
	process(FUSE_INIT, 0, 0, sizeof(*init));
}

/* A trail, a workflow and two attestations of their own for each input. */
static void
make_attestations(void)
{
	struct tf_actor who = { .loginuid = -1, .session = -1 };
	uint64_t up = TF_ROOT_ID;
	struct tf_attr a;
	char name[16];

	seen.n_nodes = seen.n_open = 0;
	know_node(TF_ROOT_ID);
	(void)snprintf(name, sizeof(name), "t%u", runs % RUNS);
	for (const char *p = name; p != NULL; p = p == name ? "w" :
		 *p == 'w'				    ? "a" :
							      NULL) {
		MUST(tf_vault_mkdir(fs.vault, up, p, 0777, &who, &a, NULL) ==
		    TF_OK);
		know_node(a.id);
		up = a.id;
	}
}

int
fuzz_one(const uint8_t *data, size_t n)
{
	if (runs++ % RUNS == 0) {
		if (se != NULL)
			close_store();
		open_store();
	}
	if (se == NULL) {
		open_session();
		atexit(quit);
	}
	make_attestations();
	while (n >= 6) {
		size_t used = one_request(data, n);

		data += used;
		n -= used;
	}
	while (seen.n_open > 0) {
		uint64_t fh = seen.open[--seen.n_open].fh;

		memset(BODY, 0, 128);
		memcpy(BODY, &fh, sizeof(fh));
		process(FUSE_RELEASE, seen.open[seen.n_open].node, 0, 128);
	}
	return 0;
}
