/*
 * Messages of the FUSE protocol on their way through a router (router.h): what the
 * ids and descriptors in them mean on either side.
 *
 * What comes from a child is not trusted: it reads what others wrote, and an error in
 * it must stay within its origin.  So its answers are checked, an ENOSYS, which the
 * kernel would take for all origins, becomes another error, and of its notifications
 * those pass that drop what the kernel remembers.
 */
#ifndef FS_ROUTER_MESSAGE_H
#define FS_ROUTER_MESSAGE_H

#include <linux/fuse.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "router_ids.h"

/* What the kernel and the children agree on is what a mount of one store has, but
 * messages are short: longer ones need much contiguous memory of the kernel for each,
 * and long reads were not faster with 128 or 256 KiB. */
#define FS_MESSAGE_PAGES 16
#define FS_MESSAGE_DATA (FS_MESSAGE_PAGES * 4096)
#define FS_MESSAGE_MAX (FS_MESSAGE_DATA + 4096)

/* How long the kernel remembers names and attributes, at most: later, it sees that a
 * copy has grown. */
#define FS_MESSAGE_VALID_S 1

enum fs_message_goes {
	FS_MESSAGE_TO_CHILD,
	FS_MESSAGE_FORGETS,    /* FORGET and BATCH_FORGET */
	FS_MESSAGE_INTERRUPTS, /* INTERRUPT */
	FS_MESSAGE_UNKNOWN,    /* ENOSYS: what no child implements */
	FS_MESSAGE_CHANGES,    /* EROFS */
};
enum fs_message_goes fs_message_goes(uint32_t opcode);

/* Answer INIT: write the body to out.  roles: the kernel checks access control lists.
 * False: the kernel is too old. */
bool fs_message_init(const struct fuse_in_header *in, bool roles,
    struct fuse_init_out *out);
/* The INIT for a child of a kernel that was answered out. */
struct fs_message_init_in {
	struct fuse_in_header h;
	struct fuse_init_in in;
};
void fs_message_init_child(const struct fuse_init_out *out,
    struct fs_message_init_in *to);

/* The descriptor in a request to a child, or NULL. */
uint64_t *fs_message_handle(struct fuse_in_header *in);

/* What an answer belongs to. */
struct fs_message_context {
	struct fs_ids *ids;
	unsigned origin;
	bool grown;	 /* see fs_message_answer */
	uint32_t opcode; /* of the request, */
	bool of_root;	 /* which names the root of the origin */
};

/*
 * Turn a child's answer into that for the kernel, in place: ids, and what the kernel
 * may remember.  If the origin has grown since it was mounted, the kernel does not use
 * pages from before.  The descriptor in an answer to OPEN is the caller's.
 * False: the answer is malformed, or there is no memory; nothing counts then.
 */
bool fs_message_answer(const struct fs_message_context *c,
    struct fuse_out_header *out);
/* The kernel did not take this answer: it knows of none of its nodes. */
void fs_message_undo(const struct fs_message_context *c,
    struct fuse_out_header *out);
/* The same for a notification.  False: it does not pass. */
bool fs_message_notice(const struct fs_message_context *c,
    struct fuse_out_header *out);

#endif
