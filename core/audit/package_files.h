/* The files of a package besides evidence, entries and proofs. */
#ifndef TF_AUDIT_PACKAGE_FILES_H
#define TF_AUDIT_PACKAGE_FILES_H

#include "../error.h"

struct tf_audit;

/*
 * After the last entry: check descriptions, keys and pages, and that the
 * package has no other file. Callback of struct tf_source; the source is a
 * tf_audit_package.
 */
TF_MUST_USE enum tf_code tf_audit_package_end(struct tf_audit *a,
    struct tf_error *err);

#endif
