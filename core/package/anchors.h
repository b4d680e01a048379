/* The anchors of a package that is being made. */
#ifndef TF_PACKAGE_ANCHORS_H
#define TF_PACKAGE_ANCHORS_H

#include "../error.h"

struct tf_entry;
struct tf_package_maker;

/*
 * Add what leads from the anchor that e records to the checkpoint of the package:
 * the consistency proof, and for a time stamp the checkpoint that it is over.  A
 * mirror may not have that checkpoint; the package then lacks it.  Errors:
 * TF_NOMEM, TF_IO, those of the tiles and of the database.
 */
TF_MUST_USE enum tf_code tf_package_add_anchor(struct tf_package_maker *k,
    const struct tf_entry *e, struct tf_error *err);

#endif
