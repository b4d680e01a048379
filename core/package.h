/*
 * Evidence packages: a zip file, laid out as a BagIt bag (RFC 8493), that an
 * auditor takes away and checks without our store or our tools.
 * trailfs-package(5) defines the layout; tf_verify_package in verify.h checks
 * a package.
 */
#ifndef TF_PACKAGE_H
#define TF_PACKAGE_H

#include <stdatomic.h>

#include "page.h"
#include "verify.h"

struct tf_package_request {
	const char
	    *path; /* ".", the vault; a trail, a workflow, an attestation */
	/* Of the vault or a trail, take only workflows begun at or after since and
	 * before until.  Each is a time as entries write it, or NULL: no limit. */
	const char *since, *until;
	/* Of the vault or a trail, take only workflows that fit all of these, as of
	 * the checkpoint.  Each may be NULL.
	 * control: the id of a control; an attestation claims it, or a slot of
	 *	the template by which the workflow is judged has it.
	 * status: COMPLIANT, NON-COMPLIANT or INCOMPLETE.
	 * person: who made an entry at or below the workflow, or for whom a
	 *	service made one; see tf_package_acted in archive/person.h. */
	const char *control, *status, *person;
	/* Or NULL: the package that could be made when the ledger had the
	 * entries of this moment (past.h), of the newest checkpoint that was
	 * signed until then. */
	const char *at;
	/* A directory for temporary files.  NULL: the store's disk, without
	 * the space that is reserved for sealing. */
	const char *tmp;
};

/* The package that was written: the fields of the entry package.made. */
struct tf_package_made {
	struct tf_hash sha256; /* of the package */
	uint64_t size;	       /* bytes */
	struct tf_hash tree_root;
	uint64_t tree_size;    /* entries of the checkpoint in the package */
	uint64_t files, bytes; /* the evidence in the package */
	const char *to;	       /* who gets it; NULL: not said */
};

/*
 * Write the package to fd, an empty file open for reading and writing.  On
 * TF_OK its bytes are durable.  The package holds sealed evidence as of one
 * checkpoint: the same ledger and request give the same bytes.  On failure the
 * content of fd is void.  Memory grows with the number of files, not with
 * their bytes.
 * Errors: TF_NOTFOUND the path is not in the ledger, or there is no such moment;
 * TF_UNSUPPORTED the path is neither the vault, a trail, a workflow nor an
 * attestation;
 * TF_NODATA no workflow has the control, status and person asked for;
 * TF_REDACTED what is in the package of that moment was redacted since; TF_TAMPER
 * the bytes of an object differ from its entry.
 */
TF_MUST_USE enum tf_code tf_package_write(struct tf_vault *v,
    const struct tf_package_request *r, int fd, struct tf_package_made *made,
    struct tf_error *err);

/*
 * Make the package of directory id, as package.zip under its .trailfs, in a
 * spool.  On TF_OK the caller frees *out.  If *stop becomes true in another
 * thread, the call ends soon with TF_BUSY.
 * Errors: TF_ACCESS the package would hold files that who may not read;
 * TF_NOTFOUND the directory is not in the ledger yet; TF_NOSPACE.
 */
TF_MUST_USE enum tf_code tf_package_spool(struct tf_vault *v, uint64_t id,
    const struct tf_asker *who, const atomic_bool *stop, struct tf_spool **out,
    struct tf_error *err);

/*
 * Append the entry package.made for the root, trail, workflow or attestation id.
 * Errors: TF_DENIED who is neither its owner nor root; TF_INVALID the tree is
 * not one of this log; TF_NOTFOUND id is not in the ledger.
 */
TF_MUST_USE enum tf_code tf_vault_packaged(struct tf_vault *v, uint64_t id,
    const struct tf_package_made *made, const struct tf_actor *who,
    struct tf_error *err);
/* Can an entry say that a package goes to `to`?  TF_INVALID: it is empty or has
 * other characters; TF_TOOBIG. */
TF_MUST_USE enum tf_code tf_package_to_check(const char *to,
    struct tf_error *err);
/* A verification: of the tree of that size and root, with that scope, in so many
 * seconds. */
struct tf_verified {
	struct tf_hash root;
	uint64_t size; /* entries */
	struct tf_verify_scope scope;
	uint64_t seconds;
	/* Of one that did not find the store whole: "failed", "unusual" or
	 * "undecided" (ledger/verify_run.h). */
	const char *verdict;
	uint64_t findings;
};
/*
 * Append the entry verify.done: who has verified the whole vault, and it is whole.
 * If everything was read, STORE/verify-failed is removed.  Errors:
 * TF_DENIED who is neither the owner of the root directory nor root; TF_INVALID the
 * tree is not one of this log, or the scope does not fit it.
 */
TF_MUST_USE enum tf_code tf_vault_verified(struct tf_vault *v,
    const struct tf_verified *made, const struct tf_actor *who,
    struct tf_error *err);
/*
 * Append the entry verify.failed, also if the tree is another one: that may be
 * what failed.  It has no root, so that the ledger vouches for nothing.  Errors:
 * TF_DENIED as above; TF_INVALID a verdict that is none.
 */
TF_MUST_USE enum tf_code tf_vault_verify_failed(struct tf_vault *v,
    const struct tf_verified *made, const struct tf_actor *who,
    struct tf_error *err);
/*
 * Write STORE/verify-failed, which status, metrics and doctor show until a
 * verification that read everything finds the store whole.  Nothing is opened but
 * the directory, so that this works in a store that is damaged, or mounted.
 * Errors: TF_READONLY the store is a mirror or a backup; those of writing a file.
 */
TF_MUST_USE enum tf_code tf_store_verify_failed(const char *path,
    const struct tf_verified *made, struct tf_error *err);

/*
 * Unpack the package file below the directory dir, which is created.  No
 * existing file is replaced, and no file is written outside dir.  Only a
 * package in the strict form of trailfs-package(5) is unpacked.  *files becomes
 * the number of files written.  Unpacking does not verify the package:
 * tf_verify_package does.
 * Errors: TF_TAMPER the package is malformed, err names the place; TF_EXISTS.
 */
TF_MUST_USE enum tf_code tf_package_unpack(const char *file, const char *dir,
    uint64_t *files, struct tf_error *err);

/*
 * Call fn for each file of evidence in the package file that is encrypted to the
 * recipients of its trail, as the entries of the package say: top is the name of
 * the topmost directory, name that of the file below data/.  The first error of
 * fn ends the walk.  Nothing is verified.
 * Errors: TF_TAMPER the package is malformed; those of fn.
 */
typedef enum tf_code (*tf_package_encrypted_fn)(void *arg, const char *top,
    const char *name, struct tf_error *err);
TF_MUST_USE enum tf_code tf_package_encrypted(const char *file,
    tf_package_encrypted_fn fn, void *arg, struct tf_error *err);

#endif
