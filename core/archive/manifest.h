/* The manifests of a package (RFC 8493 2.1.3, 2.2.1). */
#ifndef TF_ARCHIVE_MANIFEST_H
#define TF_ARCHIVE_MANIFEST_H

#include "../error.h"

struct tf_archive;

/*
 * Read both manifests and set digest and `listed` of each member.  In a package
 * from trailfs the manifests must list every member and nothing else.  In the
 * other forms a member without a line stays not listed, and a line without a
 * member adds a missing member.  Errors: TF_TAMPER, TF_IO, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_manifests_take(struct tf_archive *a,
    struct tf_error *err);

#endif
