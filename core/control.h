/*
 * Names that the mount and its clients share: control files, extended
 * attributes, and the ioctl requests that trailctl sends to a mount.
 */
#ifndef TF_CONTROL_H
#define TF_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define TF_CONTROL_DIR ".trailfs" /* lookup finds it, readdir omits it */

/* Files and trees below the control directories. */
#define TF_CONTROL_STATUS "status.json"
#define TF_CONTROL_METRICS "metrics"
#define TF_CONTROL_EVENTS "events.jsonl"
#define TF_CONTROL_DENIED "denied.jsonl"
#define TF_CONTROL_CHECKPOINT "checkpoint"
#define TF_CONTROL_VKEY "log.vkey"
#define TF_CONTROL_PEM "log.pub.pem"
#define TF_CONTROL_TILE "tile"
#define TF_CONTROL_BY_SHA256 "by-sha256"
#define TF_CONTROL_FIND "find" /* see find.h */
#define TF_CONTROL_AT "at"     /* see past.h */
#define TF_CONTROL_PROOF "proof"
#define TF_CONTROL_PROOF_SUFFIX ".tlog-proof" /* of each file in "proof" */
#define TF_CONTROL_SEAL_PROOF "attestation.tlog-proof"
#define TF_CONTROL_ATTESTATION "attestation.json"
#define TF_CONTROL_INTOTO "attestation.intoto.json"
#define TF_CONTROL_SIGSTORE "attestation.sigstore.json"
#define TF_CONTROL_SUMS "SHA256SUMS"
#define TF_CONTROL_WORD "status"
#define TF_CONTROL_STATUS_MD "status.md"
#define TF_CONTROL_PAGE "index.html"
#define TF_CONTROL_TRAIL_PAGE "trail-page.html" /* to print */
#define TF_CONTROL_TEMPLATE "template.yml"
#define TF_CONTROL_TYPES "types"
#define TF_CONTROL_RECIPIENTS "recipients"
#define TF_CONTROL_USER_DATA "user-data"
#define TF_CONTROL_OVERRIDE "override"
#define TF_CONTROL_RETENTION "retention"
#define TF_CONTROL_HOLDS "holds"
#define TF_CONTROL_CUSTODY "custody.jsonl"
#define TF_CONTROL_REDACTIONS "redactions"
#define TF_CONTROL_EVALUATION "evaluation.json"
#define TF_CONTROL_MISSING "missing"
#define TF_CONTROL_ANCHOR "anchor"
#define TF_CONTROL_ANCHORS "anchors.json"
#define TF_CONTROL_COSIGNED "checkpoint.cosigned"
#define TF_CONTROL_COSIGNED_DIR "cosigned"
#define TF_CONTROL_STAMPS "stamps"
#define TF_CONTROL_LAST_ERROR "last-error"
#define TF_CONTROL_PACKAGE "package.zip"
#define TF_CONTROL_REPLAY "replay"
#define TF_CONTROL_REPLAY_SUFFIX ".html" /* of each page in "replay" */

/*
 * Write to out the name that the proof of the file `name` has below
 * TF_CONTROL_PROOF: the name and the suffix.  If that is longer than
 * TF_CONTROL_NAME_MAX bytes, the name is cut between two UTF-8 characters and
 * '~', the file's inode number and the suffix follow.
 */
#define TF_CONTROL_NAME_MAX 255
void tf_control_proof_name(const char *name, uint64_t inode,
    char out[TF_CONTROL_NAME_MAX + 1]);
/* True if the proof of the file `name` has a cut name. */
bool tf_control_proof_is_cut(const char *name);

/* Extended attributes of evidence and directories.  getxattr(2) answers them,
 * listxattr(2) omits them. */
#define TF_XATTR_PREFIX "user.trailfs."
#define TF_XATTR_STATE TF_XATTR_PREFIX "state"
#define TF_REDACTED_STATE "redacted" /* its value for redacted evidence */
#define TF_XATTR_SHA256 TF_XATTR_PREFIX "sha256"
#define TF_XATTR_INDEX TF_XATTR_PREFIX "index"
#define TF_XATTR_SEALED_AT TF_XATTR_PREFIX "sealed-at"
/* The clock's reading at the seal, if sealed-at differs: see tf_entry_when. */
#define TF_XATTR_CLOCK TF_XATTR_PREFIX "sealed-clock"
/* Of a directory that is not sealed: the clock's reading at its last change, if
 * the time of its entry, which is the mtime, differs. */
#define TF_XATTR_CHANGED_CLOCK TF_XATTR_PREFIX "changed-clock"
#define TF_XATTR_ACTOR TF_XATTR_PREFIX "actor"
/* Of an open file: set to "1" by its writer, so that it is entered while it
 * grows. */
#define TF_XATTR_STREAM TF_XATTR_PREFIX "stream"
/* Of such a file: the number of bytes that are entered, also after its seal if the
 * rest is in doubt. */
#define TF_XATTR_PROVEN TF_XATTR_PREFIX "proven"
/* "yes" or "no": has the organisation of the vault the entry TF_XATTR_INDEX?  Absent if nothing of the vault was ever forwarded. */
#define TF_XATTR_FORWARDED TF_XATTR_PREFIX "forwarded"
#define TF_XATTR_STATUS TF_XATTR_PREFIX "status" /* of a workflow: its word */

/*
 * ioctl(2) on a directory of the mount, without an argument.  SEAL seals the
 * trail, workflow or attestation; only its owner or root may.  SYNC returns
 * once every frozen file of the caller (of root: every frozen file) at or
 * below the directory is sealed.
 */
#define TF_IOC_SEAL _IO('t', 0x71)
#define TF_IOC_SYNC _IO('t', 0x72)

/*
 * ioctl(2) on a trail, workflow or attestation: append the entry package.made
 * for a package of that directory.  root and tree_size must be a tree of this
 * log.  Only the directory's owner or root may.
 */
struct tf_ioc_package {
	uint8_t sha256[32], root[32]; /* of the package; of the tree */
	uint64_t size, tree_size;     /* bytes; entries */
	char to[520];		      /* who gets it, and a NUL; "": not said */
};
#define TF_IOC_PACKAGED _IOW('t', 0x73, struct tf_ioc_package)

/* ioctl(2) on the root directory: append the entry verify.done.  The same of
 * root and size; only the owner of the directory or root may. */
struct tf_ioc_verified {
	uint8_t root[32];
	uint64_t size; /* entries */
	uint64_t from, full, part, parts, seconds;
};
#define TF_IOC_VERIFIED _IOW('t', 0x74, struct tf_ioc_verified)

/* The same for the entry verify.failed: a verification that did not find the vault
 * whole. */
struct tf_ioc_verify_failed {
	uint64_t size; /* entries; 0: not known */
	uint64_t from, full, part, parts, seconds, findings;
	char verdict[16]; /* and a NUL */
};
#define TF_IOC_VERIFY_FAILED _IOW('t', 0x75, struct tf_ioc_verify_failed)

/* ioctl(2) on the root directory: replace a key, as tf_vault_rotate() does.  Only
 * root and the owner of the store may. */
struct tf_ioc_rotate {
	uint32_t log; /* 1: the key of the log; 0: of the attester */
};
#define TF_IOC_ROTATE _IOW('t', 0x76, struct tf_ioc_rotate)

#endif
