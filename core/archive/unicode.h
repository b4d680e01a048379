/* Forms of names that some system treats as the same name. */
#ifndef TF_ARCHIVE_UNICODE_H
#define TF_ARCHIVE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../types.h"

/*
 * True if every character is composed.  Some programs (libarchive) and file
 * systems (HFS+) change other names.  False with *failed set: no memory.
 */
bool tf_is_composed(struct tf_str name, bool *failed);

/*
 * Return a fingerprint that is equal for names that some system treats as the
 * same name, by the rule of format 1 or 2.  0: no memory.
 */
uint64_t tf_name_fingerprint(const char *p, size_t n, unsigned format);

#endif
