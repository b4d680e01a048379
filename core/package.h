/*
 * Evidence packages: what an auditor takes away and checks without us, a zip
 * file in the shape of a BagIt bag.  trailfs-package(5) is its layout; checking
 * one is tf_verify_package of verify.h.
 */
#ifndef TF_PACKAGE_H
#define TF_PACKAGE_H

#include <stdatomic.h>

#include "page.h"

struct tf_package_request {
	const char *path; /* a trail, a workflow, an attestation */
	/* Of a trail: only workflows begun from since on and before until,
	 * times as entries write them; or NULL. */
	const char *since, *until;
	/* A directory for what is needed meanwhile; NULL: the store's disk, and
	 * of that not what is kept for sealing. */
	const char *tmp;
};

/* What was written, as package.made says it. */
struct tf_package_made {
	struct tf_hash sha256; /* of the package */
	uint64_t size;	       /* bytes */
	struct tf_hash tree_root;
	uint64_t tree_size;    /* the checkpoint that it proves */
	uint64_t files, bytes; /* evidence in it */
};

/*
 * Write the package to fd, an empty file open for reading and writing; its
 * bytes are durable then.  It holds what the ledger holds, of one checkpoint:
 * the same ledger gives the same bytes.  On failure what is in fd is worth
 * nothing. Memory grows with the number of files, not with their bytes.
 * Errors: TF_NOTFOUND no such path in the ledger; TF_UNSUPPORTED neither trail,
 * workflow nor attestation; TF_TAMPER an object is not what its entry says.
 */
TF_MUST_USE enum tf_code tf_package_write(struct tf_vault *v,
    const struct tf_package_request *r, int fd, struct tf_package_made *made,
    struct tf_error *err);

/*
 * The same bytes, of directory id, as package.zip of its .trailfs.  TF_ACCESS:
 * it would hold what who may not read.  When *stop becomes true the call ends
 * with TF_BUSY.  TF_NOTFOUND: not in the ledger yet; TF_NOSPACE.
 */
TF_MUST_USE enum tf_code tf_package_spool(struct tf_vault *v, uint64_t id,
    const struct tf_asker *who, const atomic_bool *stop, struct tf_spool **out,
    struct tf_error *err);

/*
 * Append package.made for the trail, workflow or attestation id; its owner or
 * root: TF_DENIED for others.  TF_INVALID when the tree is none of this log,
 * TF_NOTFOUND when id is not in the ledger.
 */
TF_MUST_USE enum tf_code tf_vault_packaged(struct tf_vault *v, uint64_t id,
    const struct tf_package_made *made, const struct tf_actor *who,
    struct tf_error *err);

/*
 * Unpack file below the directory dir, which is made; nothing in it is
 * replaced.  Only a package that holds the strict profile is unpacked, and
 * nothing of it ever lies outside of dir.  *files: how many were written.
 * Whether it proves anything is for tf_verify_package to say.
 * Errors: TF_TAMPER the package is malformed, err says where; TF_EXISTS.
 */
TF_MUST_USE enum tf_code tf_package_unpack(const char *file, const char *dir,
    uint64_t *files, struct tf_error *err);

#endif
