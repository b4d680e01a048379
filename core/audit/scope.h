/* What a directory is compared with: the part of a ledger that it must hold. */
#ifndef TF_AUDIT_SCOPE_H
#define TF_AUDIT_SCOPE_H

#include <stdbool.h>

#include "../archive/select.h"
#include "../error.h"
#include "../types.h"

struct tf_db;
struct tf_package_names;
struct tf_verify;

struct tf_audit_scope {
	struct tf_package_place place; /* the directory in the ledger */
	bool has_place;		       /* packages are made of it */
	struct tf_str base;	       /* paths are relative to it */
	bool select; /* only what a package holds, not all below base */
	/* NULL: the directory is not an unpacked package. */
	struct tf_package_names *names;
	int datafd; /* data/ of an unpacked package, or -1 */
};

/*
 * Choose what the directory dirfd is compared with: path of the ledger in db,
 * in the time range of v. The request and the ledger decide alone: no file in
 * the directory may narrow the comparison. The strings of *s point into path.
 * The caller sets s->datafd to -1 and the rest to zeros, and frees *s with
 * tf_audit_scope_free, also after a failure. Errors: TF_USAGE path is a file or
 * has no time range; TF_NOTFOUND; TF_NAMETOOLONG; TF_UNSUPPORTED; TF_ACCESS;
 * TF_IO; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_audit_scope_choose(struct tf_audit_scope *s,
    const struct tf_verify *v, struct tf_db *db, const char *path, int dirfd,
    struct tf_error *err);

void tf_audit_scope_free(struct tf_audit_scope *s);

#endif
