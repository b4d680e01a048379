/* Plain data types of all rooms, without functions except trivial ones. */
#ifndef TF_TYPES_H
#define TF_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TF_VERSION "0.1.0"
#define TF_VERIFY_WORD 15 /* bytes of a recorded verdict, at most */

/* A SHA-256 digest; the name of each field says of what. */
struct tf_hash {
	uint8_t b[32];
};

/* Bytes that are named by their digest: evidence, definitions, packages. */
struct tf_content {
	struct tf_hash sha256;
	uint64_t size; /* bytes */
};

/* UTC, seconds since 1970 (negative before) and nanoseconds 0..999999999. */
struct tf_time {
	int64_t s;
	uint32_t ns;
};

static inline int
tf_time_cmp(struct tf_time a, struct tf_time b)
{
	if (a.s != b.s)
		return a.s < b.s ? -1 : 1;
	return a.ns < b.ns ? -1 : a.ns > b.ns;
}

/* Bytes that another object owns, without a NUL; p NULL means absent. */
struct tf_str {
	const char *p;
	size_t n;
};

/* The kind of a node follows from its depth.  These numbers are in the store:
 * never change one. */
enum tf_kind {
	TF_KIND_ROOT = 0,
	TF_KIND_TRAIL = 1,
	TF_KIND_WORKFLOW = 2,
	TF_KIND_ATTESTATION = 3,
	TF_KIND_DIRECTORY = 4, /* below an attestation */
	TF_KIND_EVIDENCE = 5,
};

/*
 * The state of a node in its life.  A file may have each of them.  A directory
 * is OPEN, DRAFT (a draft attestation, a directory below one, or a directory
 * without an entry) or SEALED.
 */
enum tf_state {
	TF_STATE_PLACEHOLDER, /* created, never written */
	TF_STATE_OPEN,	      /* open for writing */
	TF_STATE_DRAFT,	      /* has a temporary name */
	TF_STATE_FROZEN,      /* bytes final; name and metadata may change */
	TF_STATE_SEALED,      /* in the ledger: nothing changes */
	TF_STATES
};

struct tf_attr {
	uint64_t id; /* inode number, never reused */
	uint64_t parent;
	enum tf_kind kind;
	enum tf_state state;
	bool unlinked; /* a descriptor is open, but the name was removed */
	bool secret;   /* evidence that will be encrypted: its size changes when
			* it is frozen, without a report */
	uint32_t mode; /* permission bits, 07777 */
	uint32_t uid, gid;
	uint64_t size; /* bytes; 0 for directories */
	struct tf_time mtime, ctime, btime;
};

/* Login uid or session: the kernel says that there is none; it could not be
 * asked. */
#define TF_AUDIT_UNSET (-1)
#define TF_AUDIT_UNKNOWN (-2)

/*
 * The caller of the mount or of trailctl.  The kernel vouches for uid, gid and
 * pid.  The other fields are hints from /proc, as raw bytes; a hint that /proc
 * did not give is empty or TF_AUDIT_UNKNOWN.
 */
struct tf_actor {
	uint32_t uid, gid;
	uint32_t pid;		   /* 0: unknown */
	int64_t loginuid, session; /* or TF_AUDIT_UNSET, TF_AUDIT_UNKNOWN */
	bool administers;	   /* a member of the group admins= */
	char comm[64];
	char exe[1024];
	char cgroup[1024];
};

#define TF_READ_BITS 0444u /* mode bits that may change after the seal */

#define TF_ROOT_ID 1 /* inode number of the root directory */

#endif
