/* Plain data that every room may hold.  No functions but trivial ones. */
#ifndef TF_TYPES_H
#define TF_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TF_VERSION "0.1.0"

/* SHA-256 of something; which, the field's name says. */
struct tf_hash {
	uint8_t b[32];
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

/* A run of bytes that belongs to somebody else; p NULL means absent. */
struct tf_str {
	const char *p;
	size_t n;
};

/* What a node is: depth decides.  The numbers are in the store: never change
 * one. */
enum tf_kind {
	TF_KIND_ROOT = 0,
	TF_KIND_TRAIL = 1,
	TF_KIND_WORKFLOW = 2,
	TF_KIND_ATTESTATION = 3,
	TF_KIND_DIRECTORY = 4, /* below an attestation */
	TF_KIND_EVIDENCE = 5,
};

/*
 * Where a node is in its life.  Directories know OPEN, DRAFT (a draft
 * attestation and what is below it, or a directory with no entry yet) and
 * SEALED; files all of them.
 */
enum tf_state {
	TF_STATE_PLACEHOLDER, /* created, never written */
	TF_STATE_OPEN,	      /* being written */
	TF_STATE_DRAFT,	      /* a temporary name */
	TF_STATE_FROZEN,      /* bytes final; name and metadata settle */
	TF_STATE_SEALED,      /* in the ledger */
	TF_STATES
};

struct tf_attr {
	uint64_t id; /* inode number, never reused */
	uint64_t parent;
	enum tf_kind kind;
	enum tf_state state;
	bool unlinked; /* somebody has it open, but it has no name any more */
	uint32_t mode; /* permission bits, 07777 */
	uint32_t uid, gid;
	uint64_t size; /* bytes; 0 for directories */
	struct tf_time mtime, ctime, btime;
};

/*
 * Who asked, as the caller of the mount or of trailctl was seen.  uid, gid and
 * pid are the kernel's word; the hints are what /proc said, raw bytes, empty or
 * -1 where it said nothing.
 */
struct tf_actor {
	uint32_t uid, gid;
	uint32_t pid;		   /* 0: unknown */
	int64_t loginuid, session; /* -1: unset */
	char comm[64];
	char exe[1024];
	char cgroup[1024];
};

#define TF_READ_BITS 0444u /* of a mode: they change after the seal, too */

#define TF_ROOT_ID 1 /* inode number of the root directory */

#endif
