/*
 * The daemons of the origins of a router, and the requests that they have: see
 * router.h.
 *
 *	WAITS --> STARTS --> SERVES --> ENDS
 *
 * A daemon that ends before it serves leaves its requests in the child until the
 * starter says why it ended.  Otherwise they are answered or given to the next child
 * when the connection ends (O3).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/mutant.h"
#include "report.h"
#include "router_i.h"
#include "starter.h"

#define ROUTED_MAX 4096 /* requests of one child, and others are refused */
#define MESSAGES 32	/* of one child, then it is the turn of others */
#define IDLE_MS 60000
#define CHILDREN 64	/* beyond them, one that is idle ends at once */
#define STATUS_LOCKED 3 /* a daemon's: another process has the copy */
#define LOCKED_TRIES 50
#define LOCKED_MS 200		 /* between two of them */
#define FAILED_MS 1000		 /* no start after one that failed */
#define END_MS 10000		 /* then a daemon that does not end is killed */
#define OURS (UINT64_C(1) << 63) /* in unique: the kernel has no such number */

static void flush(struct fs_router *r, struct fs_child *c);

/* --- requests ---------------------------------------------------------------- */

static struct fs_routed **
bucket_of(struct fs_router *r, uint64_t unique)
{
	return &r->bucket[unique / 2 % FS_ROUTER_BUCKETS];
}

static struct fs_routed *
find(struct fs_router *r, uint64_t unique)
{
	struct fs_routed *q = *bucket_of(r, unique);

	while (q != NULL && q->unique != unique)
		q = q->next_unique;
	return q;
}

static void
append(struct fs_child *c, struct fs_routed *q)
{
	q->child = c;
	q->next = NULL;
	q->prev = c->last;
	if (c->last != NULL)
		c->last->next = q;
	else
		c->first = q;
	c->last = q;
	if (c->unsent == NULL && !q->sent)
		c->unsent = q;
	c->n_routed++;
}

static void
take_out(struct fs_routed *q)
{
	struct fs_child *c = q->child;

	if (c->unsent == q)
		c->unsent = q->next;
	if (q->prev != NULL)
		q->prev->next = q->next;
	else
		c->first = q->next;
	if (q->next != NULL)
		q->next->prev = q->prev;
	else
		c->last = q->prev;
	c->n_routed--;
}

/* Forget a request that is answered. */
static void
finish(struct fs_router *r, struct fs_routed *q)
{
	struct fs_routed **at = bucket_of(r, q->unique);

	take_out(q);
	while (*at != NULL && *at != q)
		at = &(*at)->next_unique;
	if (*at != NULL)
		*at = q->next_unique;
	free(q);
}

/* A request of these bytes for c.  NULL: no memory. */
static struct fs_routed *
add(struct fs_router *r, struct fs_child *c, const struct fuse_in_header *in)
{
	struct fs_routed *q = calloc(1, sizeof *q + in->len - sizeof *in), **at;

	if (q == NULL)
		return NULL;
	memcpy(&q->in, in, in->len);
	q->unique = in->unique;
	at = bucket_of(r, q->unique);
	q->next_unique = *at;
	*at = q;
	append(c, q);
	return q;
}

static void
fail(struct fs_router *r, struct fs_routed *q, int error)
{
	if (!q->ours)
		(void)fs_router_answer(r, q->unique, error, NULL, 0);
	finish(r, q);
}

/* --- open files ---------------------------------------------------------------- */

static struct fs_opened *
new_opened(struct fs_router *r, struct fs_child *c, uint64_t fh)
{
	struct fs_opened *f = calloc(1, sizeof *f);

	if (f == NULL)
		return NULL;
	f->child = c;
	f->fh = fh;
	f->next = c->opened;
	if (f->next != NULL)
		f->next->prev = f;
	c->opened = f;
	atomic_fetch_add(&r->n_opened, 1);
	return f;
}

static void
free_opened(struct fs_router *r, struct fs_opened *f)
{
	if (f->child != NULL && f->prev == NULL)
		f->child->opened = f->next;
	if (f->prev != NULL)
		f->prev->next = f->next;
	if (f->next != NULL)
		f->next->prev = f->prev;
	atomic_fetch_sub(&r->n_opened, 1);
	free(f);
}

static bool
is_release(uint32_t opcode)
{
	return opcode == FUSE_RELEASE || opcode == FUSE_RELEASEDIR;
}

/* The kernel does not know of the file that this answer opens. */
static void
release_unknown(struct fs_router *r, struct fs_routed *q, uint64_t fh)
{
	struct {
		struct fuse_in_header h;
		struct fuse_release_in in;
	} m = { .h = { .len = sizeof m,
		    .opcode = q->in.opcode == FUSE_OPEN ? FUSE_RELEASE :
							  FUSE_RELEASEDIR,
		    .unique = OURS | r->last_unique++,
		    .nodeid = q->in.nodeid },
		.in = { .fh = fh } };
	struct fs_routed *release = add(r, q->child, &m.h);

	if (release != NULL)
		release->ours = true;
}

/* --- the process --------------------------------------------------------------- */

static bool
is_idle(const struct fs_child *c)
{
	return c->first == NULL && c->opened == NULL;
}

/* Close the connection: the daemon ends. */
static void
disconnect(struct fs_child *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
	if (c->state == FS_CHILD_STARTS || c->state == FS_CHILD_SERVES) {
		c->state = FS_CHILD_ENDS;
		c->end_ms = fs_router_ms();
		c->origin->leaving++;
	}
	if (c->origin->child == c)
		c->origin->child = NULL;
}

static void
end_idle(struct fs_child *c)
{
	c->told_end = true;
	disconnect(c);
}

/* The least recently used child that is idle. */
static struct fs_child *
oldest_idle(struct fs_router *r)
{
	struct fs_child *found = NULL;

	for (struct fs_child *c = r->children; c != NULL; c = c->next)
		if (c->state == FS_CHILD_SERVES && is_idle(c) &&
		    (found == NULL || c->used_ms < found->used_ms))
			found = c;
	return found;
}

static struct fs_child *
new_child(struct fs_router *r, struct fs_origin *o)
{
	struct fs_child *c = calloc(1, sizeof *c);

	if (c == NULL)
		return NULL;
	c->source = FS_SOURCE_CHILD;
	c->fd = -1;
	c->origin = o;
	c->used_ms = fs_router_ms();
	c->next = r->children;
	r->children = c;
	o->child = c;
	return c;
}

static void
free_child(struct fs_router *r, struct fs_child *c)
{
	struct fs_child **at = &r->children;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (c->origin->child == c)
		c->origin->child = NULL;
	free(c);
}

static void
fail_all(struct fs_router *r, struct fs_child *c, int error)
{
	while (c->first != NULL)
		fail(r, c->first, error);
}

/* Send a request of the router's own. */
static void
send_own(struct fs_router *r, struct fs_child *c, struct fuse_in_header *h)
{
	h->unique = c->own = OURS | r->last_unique++;
	/* The socket is empty; if this fails, the connection has ended. */
	(void)send(c->fd, h, h->len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static bool
send_to_starter(struct fs_router *r, const struct fs_child *c, uint32_t verb,
    int fd)
{
	struct fs_starter_request m = { .key = c->key, .verb = verb };

	strncpy(m.name, c->origin->name, sizeof m.name - 1);
	return r->starter.fd >= 0 &&
	    fs_helper_send(r->starter.fd, &m, sizeof m, &fd, fd >= 0 ? 1 : 0);
}

/* Start the daemon.  False: it cannot be started. */
static bool
start(struct fs_router *r, struct fs_child *c)
{
	struct fs_message_init_in init;
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	const int size = 1024 * 1024;
	int pair[2];
	bool ok;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	for (int i = 0; i < 2; i++) /* as far as the system allows */
		(void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &size,
		    sizeof size);
	c->key = ++r->last_key;
	c->fd = pair[0];
	ok = epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->fd, &e) == 0 &&
	    send_to_starter(r, c, FS_STARTER_START, pair[1]);
	(void)close(pair[1]);
	if (!ok)
		return false;
	c->state = FS_CHILD_STARTS;
	c->generation = c->origin->generation;
	r->n_children++;
	fs_message_init_child(&r->init, &init);
	send_own(r, c, &init.h);
	return true;
}

/* Start a child that waits, if it can start now. */
static void
begin(struct fs_router *r, struct fs_child *c)
{
	struct fs_child *idle;

	if (c->state != FS_CHILD_WAITS || c->origin->leaving > 0 ||
	    fs_router_ms() < c->start_ms)
		return;
	fs_origins_watch(r->origins, c->origin);
	if (fs_origins_is_other(r->origins, c->origin))
		c->origin->generation++;
	if (r->n_children >= CHILDREN && (idle = oldest_idle(r)) != NULL)
		end_idle(idle);
	if (start(r, c))
		return;
	fs_report_line(LOG_ERR, "cannot start a daemon for %s",
	    c->origin->name);
	c->origin->failed_ms = fs_router_ms();
	r->n_failed++;
	fail_all(r, c, -EIO);
	disconnect(c);
	free_child(r, c);
}

/* Give the requests of from to another child.  counted: that was their attempt. */
static void
pass_on(struct fs_child *from, struct fs_child *to, bool counted)
{
	struct fs_routed *q;

	while ((q = from->first) != NULL) {
		take_out(q);
		q->again = q->again || (counted && q->sent);
		q->sent = false;
		append(to, q);
	}
}

/* What of the requests of a child that has ended cannot be given to another? */
static void
fail_bound(struct fs_router *r, struct fs_child *c)
{
	struct fs_routed *q, *next;

	for (q = c->first; q != NULL; q = next) {
		next = q->next;
		if (is_release(q->in.opcode)) {
			if (q->opened != NULL)
				free_opened(r, q->opened);
			fail(r, q, 0);
		} else if (q->opened != NULL || q->mute || q->again) {
			fail(r, q, -EIO);
		}
	}
	while (c->opened != NULL) {
		struct fs_opened *f = c->opened;

		c->opened = f->next;
		*f = (struct fs_opened){ .fh = f->fh };
	}
}

/* The connection has ended, and not by end_idle(). */
static void
lose(struct fs_router *r, struct fs_child *c)
{
	struct fs_origin *o = c->origin;
	bool served = c->state == FS_CHILD_SERVES;
	struct fs_child *to;

	disconnect(c);
	if (!served)
		return; /* until the starter says why */
	fail_bound(r, c);
	if (c->first == NULL)
		return;
	if ((to = o->child) == NULL && (to = new_child(r, o)) == NULL) {
		fail_all(r, c, -ENOMEM);
		return;
	}
	pass_on(c, to, true);
	flush(r, to);
}

/* --- messages ------------------------------------------------------------------ */

static void
poll_out(struct fs_router *r, struct fs_child *c, bool on)
{
	struct epoll_event e = { .events = EPOLLIN | (on ? EPOLLOUT : 0u),
		.data.ptr = c };

	if (c->polls_out != on)
		(void)epoll_ctl(r->epoll, EPOLL_CTL_MOD, c->fd, &e);
	c->polls_out = on;
}

/* Send what the child takes. */
static void
flush(struct fs_router *r, struct fs_child *c)
{
	struct fs_routed *q;

	while (c->state == FS_CHILD_SERVES && (q = c->unsent) != NULL) {
		if (send(c->fd, &q->in, q->in.len,
			(TF_IS_MUTANT(TF_ROUTER_WAITS) ? 0 : MSG_DONTWAIT) |
			    MSG_NOSIGNAL) < 0) {
			/* Otherwise, the end of the connection is about to be
			 * read. */
			poll_out(r, c, errno == EAGAIN || errno == ENOBUFS);
			return;
		}
		q->sent = true;
		c->unsent = q->next;
		if (q->mute)
			finish(r, q);
	}
	if (c->state == FS_CHILD_SERVES)
		poll_out(r, c, false);
}

static struct fs_message_context
context_of(struct fs_router *r, const struct fs_child *c,
    const struct fs_routed *q)
{
	return (struct fs_message_context){
		.ids = r->ids,
		.origin = c->origin->number,
		.grown = c->origin->generation > 1,
		.opcode = q != NULL ? q->in.opcode : 0,
		.of_root = q != NULL && q->of_root,
	};
}

/* A file was opened: its descriptor for the kernel. */
static bool
answer_open(struct fs_router *r, struct fs_routed *q,
    struct fuse_out_header *out)
{
	struct fuse_open_out *o = (void *)(out + 1);
	const uint64_t fh = o->fh;
	struct fs_opened *f = new_opened(r, q->child, fh);
	bool taken = false;

	if (f != NULL) {
		o->fh = (uintptr_t)f;
		taken = fs_router_answer(r, q->unique, 0, o, sizeof *o);
	} else {
		(void)fs_router_answer(r, q->unique, -ENOMEM, NULL, 0);
	}
	if (taken)
		return true;
	if (f != NULL)
		free_opened(r, f);
	release_unknown(r, q, fh);
	return false;
}

static void
take_answer(struct fs_router *r, struct fs_child *c,
    struct fuse_out_header *out)
{
	struct fs_routed *q = find(r, out->unique);
	struct fs_message_context x;
	bool opens;

	if (q == NULL || q->child != c || !q->sent)
		return; /* nobody has asked */
	x = context_of(r, c, q);
	opens = out->error == 0 &&
	    (q->in.opcode == FUSE_OPEN || q->in.opcode == FUSE_OPENDIR);
	if (is_release(q->in.opcode) && q->opened != NULL)
		free_opened(r, q->opened);
	if (q->ours) {
		finish(r, q);
		return;
	}
	if (!fs_message_answer(&x, out)) {
		fs_report_line(LOG_ERR, "the daemon of %s answers nonsense",
		    c->origin->name);
		fail(r, q, -EIO);
		return;
	}
	if (opens)
		(void)answer_open(r, q, out);
	else if (!fs_router_answer(r, q->unique, out->error, out + 1,
		     out->len - sizeof *out))
		fs_message_undo(&x, out);
	finish(r, q);
}

/* What the daemon says of the root of its origin: see router.h. */
static void
take_root(struct fs_router *r, struct fs_child *c,
    const struct fuse_attr_out *a)
{
	struct fs_origin *o = c->origin;
	bool known = o->restricted;
	struct fs_routed *q, *next;

	o->restricted = (a->attr.mode & 0555) != 0555;
	if (!o->restricted)
		return;
	o->attr = a->attr;
	o->attr.mode = S_IFDIR | (a->attr.mode & 07777);
	o->attr.ino = fs_ids_root(o->number);
	for (q = known ? NULL : c->first; q != NULL; q = next) {
		next = q->next;
		if (q->of_root)
			fail(r, q, -ESTALE);
	}
}

/* The answers to INIT and to GETATTR of the root. */
static void
take_own(struct fs_router *r, struct fs_child *c,
    const struct fuse_out_header *out)
{
	struct {
		struct fuse_in_header h;
		struct fuse_getattr_in in;
	} get = { .h = { .len = sizeof get,
		      .opcode = FUSE_GETATTR,
		      .nodeid = FUSE_ROOT_ID } };
	const size_t n = out->len - sizeof *out;

	if (out->error == 0 && n == sizeof(struct fuse_init_out)) {
		send_own(r, c, &get.h);
	} else if (out->error == 0 && n == sizeof(struct fuse_attr_out)) {
		c->state = FS_CHILD_SERVES;
		c->own = 0;
		c->tries = 0;
		take_root(r, c, (const void *)(out + 1));
		flush(r, c);
	} else {
		lose(r, c);
	}
}

static void
take_notice(struct fs_router *r, struct fs_child *c,
    struct fuse_out_header *out)
{
	const struct fs_message_context x = context_of(r, c, NULL);
	const struct fuse_notify_inval_inode_out *inode = (void *)(out + 1);

	/* A copy does not change while a daemon has it; what waits for pages of a
	 * request would have this thread wait for itself. */
	if (fs_message_notice(&x, out) &&
	    out->error == FUSE_NOTIFY_INVAL_INODE && inode->off < 0)
		(void)!write(r->fuse, out, out->len);
}

static void
receive(struct fs_router *r, struct fs_child *c)
{
	struct fuse_out_header *out = (void *)r->out;
	ssize_t n = 0;

	for (int i = 0; i < MESSAGES && c->fd >= 0; i++) {
		n = recv(c->fd, r->out, sizeof r->out, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < (ssize_t)sizeof *out || out->len != n) {
			lose(r, c); /* the end, or nonsense */
			return;
		}
		if (out->unique == 0)
			take_notice(r, c, out);
		else if (out->unique == c->own)
			take_own(r, c, out);
		else
			take_answer(r, c, out);
	}
}

/* A child that serves nothing new ends with its last file (O5). */
static bool
is_left_over(const struct fs_child *c)
{
	return c->state == FS_CHILD_SERVES && c->origin->child != c &&
	    is_idle(c);
}

void
fs_child_ready(struct fs_router *r, struct fs_child *c, uint32_t events)
{
	if (c->fd < 0)
		return; /* it was closed since */
	if ((events & ~(uint32_t)EPOLLOUT) != 0)
		receive(r, c);
	if (c->fd >= 0)
		flush(r, c);
	if (is_left_over(c))
		end_idle(c);
}

/* --- requests of the kernel ------------------------------------------------------ */

/* The child for a request that names f, or NULL: it is answered. */
static struct fs_child *
child_of_opened(struct fs_router *r, struct fs_opened *f,
    const struct fuse_in_header *in)
{
	struct fs_child *c = f->child;
	bool ends = is_release(in->opcode);

	if (c == NULL) {
		if (ends)
			free_opened(r, f);
		(void)fs_router_answer(r, in->unique, ends ? 0 : -EIO, NULL, 0);
	}
	return c;
}

/* The child for any other request. */
static struct fs_child *
child_of_origin(struct fs_router *r, struct fs_origin *o,
    const struct fuse_in_header *in)
{
	struct fs_child *c = o->child;
	int error = 0;

	if (c != NULL && c->state == FS_CHILD_SERVES &&
	    c->generation != o->generation)
		c = o->child = NULL; /* it serves its open files */
	if (!o->present)
		error = -ESTALE;
	else if (c == NULL && o->failed_ms != 0 &&
	    fs_router_ms() - o->failed_ms < FAILED_MS)
		error = -EIO;
	else if (c == NULL && (c = new_child(r, o)) == NULL)
		error = -ENOMEM;
	else if (c->n_routed >= ROUTED_MAX)
		error = -EBUSY;
	if (error == 0)
		return c;
	(void)fs_router_answer(r, in->unique, error, NULL, 0);
	return NULL;
}

void
fs_child_request(struct fs_router *r, struct fs_origin *o, uint64_t ino,
    struct fuse_in_header *in)
{
	uint64_t *fh = fs_message_handle(in);
	struct fs_opened *f = fh != NULL ? (void *)(uintptr_t)*fh : NULL;
	struct fs_child *c = f != NULL ? child_of_opened(r, f, in) :
					 child_of_origin(r, o, in);
	struct fs_routed *q;

	if (c == NULL)
		return;
	in->nodeid = ino;
	if (f != NULL)
		*fh = f->fh;
	if ((q = add(r, c, in)) == NULL) {
		(void)fs_router_answer(r, in->unique, -ENOMEM, NULL, 0);
		return;
	}
	q->opened = f;
	q->of_root = ino == FUSE_ROOT_ID;
	c->used_ms = fs_router_ms();
	if (c->state == FS_CHILD_WAITS)
		begin(r, c);
	else
		flush(r, c);
}

void
fs_child_interrupt(struct fs_router *r, const struct fuse_in_header *in)
{
	const struct fuse_interrupt_in *i = (const void *)(in + 1);
	struct fs_routed *q, *note;

	if (in->len < sizeof *in + sizeof *i ||
	    (q = find(r, i->unique)) == NULL)
		return; /* it is answered */
	if (!q->sent) {
		if (!is_release(q->in.opcode))
			fail(r, q, -EINTR);
		return;
	}
	if ((note = add(r, q->child, in)) == NULL)
		return;
	note->mute = note->ours = true;
	flush(r, q->child);
}

/* --- the starter ----------------------------------------------------------------- */

static void
report_end(struct fs_router *r, const struct fs_child *c, int status)
{
	const char *name = c->origin->name;

	if (c->told_end)
		return;
	r->n_failed++;
	if (WIFSIGNALED(status))
		fs_report_line(LOG_WARNING, "the daemon of %s ended: %s", name,
		    strsignal(WTERMSIG(status)));
	else
		fs_report_line(LOG_WARNING,
		    "the daemon of %s ended with status %d", name,
		    WEXITSTATUS(status));
}

/* The daemon of c could not start. */
static void
try_again(struct fs_router *r, struct fs_child *c, int status)
{
	struct fs_origin *o = c->origin;
	bool locked = WIFEXITED(status) && WEXITSTATUS(status) == STATUS_LOCKED;
	struct fs_child *to = NULL;

	if (locked && c->tries < LOCKED_TRIES)
		to = o->child != NULL ? o->child : new_child(r, o);
	if (to != NULL) {
		to->tries = c->tries + 1;
		to->start_ms = fs_router_ms() + LOCKED_MS;
		pass_on(c, to, false);
		return;
	}
	if (!locked)
		o->failed_ms = fs_router_ms();
	report_end(r, c, status);
	fail_all(r, c, locked ? -EBUSY : -EIO);
}

static void
ended(struct fs_router *r, struct fs_child *c, int status)
{
	struct fs_origin *o = c->origin;

	if (c->state != FS_CHILD_ENDS)
		receive(r, c); /* its last answers */
	if (c->state != FS_CHILD_ENDS)
		lose(r, c);
	r->n_children--;
	o->leaving--;
	if (c->first != NULL)
		try_again(r, c, status);
	else
		report_end(r, c, status);
	free_child(r, c);
	if (o->child != NULL)
		begin(r, o->child);
}

void
fs_child_events(struct fs_router *r)
{
	struct fs_starter_event e;
	struct fs_child *c;
	ssize_t n;

	while ((n = recv(r->starter.fd, &e, sizeof e, MSG_DONTWAIT)) ==
	    sizeof e) {
		for (c = r->children; c != NULL && c->key != e.key;)
			c = c->next;
		if (c != NULL && e.pid > 0)
			c->pid = e.pid;
		else if (c != NULL)
			ended(r, c, e.status);
	}
	if (n == 0) {
		fs_report_line(LOG_ERR,
		    "the starter has ended: mount again to use more origins");
		(void)close(r->starter.fd);
		r->starter.fd = -1;
	}
}

/* --- time ---------------------------------------------------------------------- */

void
fs_child_grown(struct fs_origin *o)
{
	struct fs_child *c = o->child;

	o->generation++;
	if (c != NULL && c->state == FS_CHILD_SERVES && is_idle(c))
		end_idle(c);
}

int
fs_child_tick(struct fs_router *r)
{
	const uint64_t now = fs_router_ms();
	struct fs_child *c, *next;
	int wait = -1, one;

	for (c = r->children; c != NULL; c = next) {
		next = c->next;
		one = 1000;
		if (c->state == FS_CHILD_WAITS) {
			one = LOCKED_MS / 2;
			begin(r, c);
		} else if (is_left_over(c) ||
		    (c->state == FS_CHILD_SERVES && is_idle(c) &&
			now - c->used_ms >= IDLE_MS)) {
			end_idle(c);
		} else if (c->state == FS_CHILD_ENDS &&
		    (r->starter.fd < 0 || now - c->end_ms >= END_MS)) {
			c->end_ms = now;
			if (r->starter.fd < 0)
				ended(r, c, EXIT_FAILURE << 8);
			else
				(void)send_to_starter(r, c, FS_STARTER_KILL,
				    -1);
		}
		wait = wait < 0 || one < wait ? one : wait;
	}
	return wait;
}

void
fs_child_end_all(struct fs_router *r)
{
	struct fs_child *c;
	struct fs_opened *f;

	while ((c = r->children) != NULL) {
		fail_all(r, c, -EIO);
		while ((f = c->opened) != NULL)
			free_opened(r, f);
		disconnect(c);
		free_child(r, c);
	}
}
