/*
 * Names that the mount and its clients agree on: control files, extended
 * attributes, and the requests that trailctl sends to a live mount.
 */
#ifndef TF_CONTROL_H
#define TF_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define TF_CONTROL_DIR ".trailfs" /* answered by lookup, never listed */

/* Files and trees below the control directories. */
#define TF_CONTROL_STATUS "status.json"
#define TF_CONTROL_EVENTS "events.jsonl"
#define TF_CONTROL_DENIED "denied.jsonl"
#define TF_CONTROL_CHECKPOINT "checkpoint"
#define TF_CONTROL_VKEY "log.vkey"
#define TF_CONTROL_PEM "log.pub.pem"
#define TF_CONTROL_TILE "tile"
#define TF_CONTROL_PROOF "proof"
#define TF_CONTROL_PROOF_SUFFIX ".tlog-proof" /* of each file in it */
#define TF_CONTROL_SEAL_PROOF "attestation.tlog-proof"
#define TF_CONTROL_ATTESTATION "attestation.json"
#define TF_CONTROL_INTOTO "attestation.intoto.json"
#define TF_CONTROL_SIGSTORE "attestation.sigstore.json"
#define TF_CONTROL_SUMS "SHA256SUMS"
#define TF_CONTROL_WORD "status"
#define TF_CONTROL_STATUS_MD "status.md"
#define TF_CONTROL_PAGE "index.html"
#define TF_CONTROL_PACKAGE "package.zip"

/*
 * The name of the proof of file name, whose inode number in the mount that is,
 * below TF_CONTROL_PROOF: with the suffix, or where that leaves no room, cut
 * between two characters, then '~', the number and the suffix.
 */
#define TF_CONTROL_NAME_MAX 255
void tf_control_proof_name(const char *name, uint64_t inode,
    char out[TF_CONTROL_NAME_MAX + 1]);
bool tf_control_proof_is_cut(const char *name);

/* Extended attributes of evidence and directories, read by name, not listed. */
#define TF_XATTR_PREFIX "user.trailfs."
#define TF_XATTR_STATE TF_XATTR_PREFIX "state"
#define TF_XATTR_SHA256 TF_XATTR_PREFIX "sha256"
#define TF_XATTR_INDEX TF_XATTR_PREFIX "index"
#define TF_XATTR_SEALED_AT TF_XATTR_PREFIX "sealed-at"
/* The reading of the clock then, where it is another: see tf_entry_when. */
#define TF_XATTR_CLOCK TF_XATTR_PREFIX "sealed-clock"
#define TF_XATTR_ACTOR TF_XATTR_PREFIX "actor"

/*
 * ioctl(2) on a directory of the mount, no argument.  SEAL seals the trail,
 * workflow or attestation (its owner or root); SYNC returns when everything
 * frozen at or below it that the caller owns (root: all) is sealed.
 */
#define TF_IOC_SEAL _IO('t', 0x71)
#define TF_IOC_SYNC _IO('t', 0x72)

/*
 * ioctl(2) on a trail, workflow or attestation: append package.made, with the
 * digests and lengths of a package of it and of the tree that it proves, which
 * must be one of this log.  Its owner or root.
 */
struct tf_ioc_package {
	uint8_t sha256[32], root[32];
	uint64_t size, tree_size;
};
#define TF_IOC_PACKAGED _IOW('t', 0x73, struct tf_ioc_package)

#endif
