/*
 * The engine that a URI names.  `dir:` is built in; the others are plug-ins, which
 * bring their own libraries: postgresql: is trailfs-postgresql.so, s3: is
 * trailfs-s3.so.  A plug-in is loaded from the directory of the running program
 * (a build) or from ../lib/trailfs of it (an installation): neither the URI nor the
 * environment chooses a file.
 */
#ifndef TF_ORG_URI_H
#define TF_ORG_URI_H

#include "engine.h"

/*
 * Errors of all functions, beside those of the engines:
 *   TF_INVALID      no such kind of URI, or it has a password, which everybody
 *                   would see in the list of processes
 *   TF_UNSUPPORTED  the plug-in is not installed, or has no such engine
 *   TF_NEWER        the plug-in is of another version of trailfs
 */
TF_MUST_USE enum tf_code tf_ledger_create(const char *uri,
    struct tf_error *err);
/* On TF_OK close *out with tf_ledger_close. */
TF_MUST_USE enum tf_code tf_ledger_open(const char *uri, enum tf_org_how how,
    struct tf_ledger **out, struct tf_error *err);
/* NULL: does nothing. */
void tf_ledger_close(struct tf_ledger *l);

TF_MUST_USE enum tf_code tf_blobs_create(const char *uri, struct tf_error *err);
TF_MUST_USE enum tf_code tf_blobs_open(const char *uri, enum tf_org_how how,
    struct tf_blobs **out, struct tf_error *err);
void tf_blobs_close(struct tf_blobs *b);
/* Try whether locks hold; *held is false where the URI asks for none.  TF_DENIED:
 * it asks for them, and they do not hold. */
TF_MUST_USE enum tf_code tf_blobs_probe(struct tf_blobs *b, bool *held,
    struct tf_error *err);

#endif
