/* Checks the anchors of a package: what others have said of the log. */
#ifndef TF_AUDIT_PACKAGE_ANCHORS_H
#define TF_AUDIT_PACKAGE_ANCHORS_H

#include "../error.h"

struct tf_audit;
struct tf_entry;

/*
 * Check the files of the anchor that e records, whose bytes were compared with
 * the digests in e: the earlier tree is the beginning of the package's tree, the
 * cosignature is right under the key in e, the time stamp is sound.  A
 * cosignature proves nothing by that: the sender of a package can have made the
 * key.  Faults are findings.  TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_audit_package_anchor(struct tf_audit *a,
    const struct tf_entry *e, struct tf_error *err);

#endif
