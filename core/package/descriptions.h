/* The files in which a package describes itself: keys, BagIt, package.json. */
#ifndef TF_PACKAGE_DESCRIPTIONS_H
#define TF_PACKAGE_DESCRIPTIONS_H

#include "../error.h"

struct tf_package_maker;

/* Add the public keys of the log and of the attester.  TF_TAMPER if the store
 * has one that is malformed. */
TF_MUST_USE enum tf_code tf_package_add_keys(struct tf_package_maker *k,
    struct tf_error *err);

/* Add the form of a certificate, which names digests: the manifest of data/ is the
 * last member that was added. */
TF_MUST_USE enum tf_code tf_package_add_certificate(struct tf_package_maker *k,
    struct tf_error *err);

/* Add all descriptions other than keys, manifests and the certificate, and
 * events.jsonl. */
TF_MUST_USE enum tf_code tf_package_add_descriptions(struct tf_package_maker *k,
    struct tf_error *err);

#endif
