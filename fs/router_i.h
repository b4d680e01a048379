/* What the files of the router share: see router.h.  One thread uses all of it, but
 * for what is atomic. */
#ifndef FS_ROUTER_I_H
#define FS_ROUTER_I_H

#include <linux/fuse.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "helper.h"
#include "options.h"
#include "router_message.h"
#include "router_origins.h"

/* What epoll(7) names. */
enum fs_source {
	FS_SOURCE_KERNEL,
	FS_SOURCE_STARTER,
	FS_SOURCE_COPIES,
	FS_SOURCE_END,
	FS_SOURCE_FOLLOWER,
	FS_SOURCE_CHILD
};

/* A request for a child, until it is answered. */
struct fs_routed {
	struct fs_routed *next,
	    *prev; /* of its child, in the order of arrival */
	struct fs_routed *next_unique; /* in its bucket */
	struct fs_child *child;
	struct fs_opened *opened; /* the descriptor that it names, or NULL */
	uint64_t unique;
	bool sent;
	bool again;		  /* it was given to a child that ended */
	bool ours;		  /* the kernel does not wait for the answer */
	bool mute;		  /* there is no answer */
	bool of_root;		  /* it names the root of the origin */
	struct fuse_in_header in; /* in.len bytes; ids are those of the child */
};

/* An open file or directory; the kernel's descriptor is its address. */
struct fs_opened {
	struct fs_opened *next, *prev; /* of its child */
	struct fs_child *child;	       /* NULL: it has ended */
	uint64_t fh;		       /* the child's */
};

enum fs_child_state {
	FS_CHILD_WAITS,	 /* there is no process yet */
	FS_CHILD_STARTS, /* it opens its copy */
	FS_CHILD_SERVES,
	FS_CHILD_ENDS, /* its connection is closed */
};

struct fs_child {
	enum fs_source source; /* FS_SOURCE_CHILD */
	enum fs_child_state state;
	struct fs_child *next; /* of all */
	struct fs_origin *origin;
	uint64_t key; /* for the starter; 0: the starter does not know it */
	pid_t pid;
	int fd;	       /* or -1 */
	bool told_end; /* it ends because the router wants it */
	bool polls_out;
	unsigned generation; /* of its origin, when it started */
	unsigned tries;	     /* starts, while another process has the copy */
	uint64_t start_ms;   /* WAITS: not before this time */
	uint64_t used_ms;    /* when a request came last */
	uint64_t end_ms;     /* ENDS: since then */
	uint64_t own; /* STARTS: the unique of the router's own request */
	unsigned n_routed;
	struct fs_routed *first, *last, *unsent;
	struct fs_opened *opened;
};

#define FS_ROUTER_BUCKETS 1024

struct fs_text;
struct fs_follow_state;

struct fs_router {
	const struct fs_options *o;
	int fuse, epoll, end_fd;
	atomic_uint n_opened; /* open files and directories */
	bool roles;	      /* the kernel checks access control lists */
	struct fs_helper starter, follower;
	struct fs_follow_state *follow; /* or NULL */
	int64_t started_at;
	uint64_t n_failed; /* daemons that ended by themselves, or not began */
	struct fs_text *texts; /* open control files: see router_control.c */
	struct fs_ids *ids;
	struct fs_origins *origins;
	struct fs_child *children;
	unsigned n_children; /* with a process */
	struct fs_routed *bucket[FS_ROUTER_BUCKETS];
	uint64_t last_key, last_unique;
	struct fuse_init_out init;
	uid_t uid; /* of the root directory */
	gid_t gid;
	bool ended; /* there is no connection any more */
	_Alignas(8) char in[FS_MESSAGE_MAX];
	_Alignas(8) char out[FS_MESSAGE_MAX + 4096];
};

uint64_t fs_router_ms(void);

/* Answer a request with n bytes, or with an error (errno, negative).  False: the kernel
 * does not wait for it any more. */
bool fs_router_answer(struct fs_router *r, uint64_t unique, int error,
    const void *body, size_t n);

/* router_root.c: answer what the router knows itself.  False: it is for a child. */
bool fs_router_root(struct fs_router *r, struct fuse_in_header *in);

/* --- router_control.c --------------------------------------------------------- */

/* The nodes of the directory .trailfs of the root, which no origin has. */
#define FS_ROUTER_CONTROL 2
#define FS_ROUTER_METRICS 3
#define FS_ROUTER_CONTROL_NAME ".trailfs"
#define FS_ROUTER_METRICS_NAME "metrics"

/* Open, read and close the file metrics. */
void fs_router_metrics_open(struct fs_router *r,
    const struct fuse_in_header *in);
void fs_router_metrics_read(struct fs_router *r,
    const struct fuse_in_header *in);
void fs_router_metrics_release(struct fs_router *r,
    const struct fuse_in_header *in);
/* No file of it is open any more. */
void fs_router_control_end(struct fs_router *r);

/* --- router_child.c ----------------------------------------------------------- */

/* Give the request in, whose node is ino of o, to a child of o, or answer it. */
void fs_child_request(struct fs_router *r, struct fs_origin *o, uint64_t ino,
    struct fuse_in_header *in);
/* The request of that number shall be interrupted. */
void fs_child_interrupt(struct fs_router *r, const struct fuse_in_header *in);
/* Its connection is ready. */
void fs_child_ready(struct fs_router *r, struct fs_child *c, uint32_t events);
/* Read what the starter says. */
void fs_child_events(struct fs_router *r);
/* The origin has grown: a new child serves it from now on. */
void fs_child_grown(struct fs_origin *o);
/* What time asks for.  Returns when it must be called again, in ms, or -1: never. */
int fs_child_tick(struct fs_router *r);
/* End all, and wait for the answers of the starter no longer. */
void fs_child_end_all(struct fs_router *r);

#endif
