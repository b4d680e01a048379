/* The bytes of the members, for the writer of the archive: see zip_write.h. */
#ifndef TF_PACKAGE_OUTPUT_H
#define TF_PACKAGE_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_zip_member;

/* Callbacks of tf_zip_write; arg is the tf_package_maker. */
const struct tf_zip_member *tf_package_zip_member(void *arg, size_t i);

/* Set *got to the number of bytes of member i that were read from offset off,
 * at most n.  Offsets follow one another, from 0 to the size.  TF_TAMPER: the
 * bytes differ from their digest in the manifest; TF_BUSY: the maker must give
 * up. */
TF_MUST_USE enum tf_code tf_package_zip_read(void *arg, size_t i, void *p,
    size_t n, uint64_t off, size_t *got, struct tf_error *err);

#endif
