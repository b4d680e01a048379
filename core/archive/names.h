/*
 * Names in a package: every system must be able to hold what is unpacked, also
 * one that knows no case, no ':' and no "con".  trailfs-package(5) has the
 * rule; this is the only place that applies it.
 */
#ifndef TF_ARCHIVE_NAMES_H
#define TF_ARCHIVE_NAMES_H

#include <stdbool.h>

#include "../error.h"
#include "../types.h"

struct tf_buf;

/* The names given so far: what is free depends on them. */
struct tf_package_names;

/* The newest format, and the only other one, whose rule is the same but for what
 * is not composed, for letter case beyond some alphabets, and for cutting. */
#define TF_PACKAGE_FORMAT 2

/* By the rule of that format, 1 or 2.  NULL: no memory. */
struct tf_package_names *tf_package_names_new(unsigned format);
void tf_package_names_free(struct tf_package_names *t);

/*
 * The name in the package for the file at path, onto out.  Each file is asked
 * for once; the same files in the same order get the same names, and no two
 * files one.
 */
TF_MUST_USE enum tf_code tf_package_file(struct tf_package_names *t,
    struct tf_str path, struct tf_buf *out, struct tf_error *err);
/* That of a directory, as often as one likes. */
TF_MUST_USE enum tf_code tf_package_directory(struct tf_package_names *t,
    struct tf_str path, struct tf_buf *out, struct tf_error *err);

/* The name that the file at path got, onto out; no new one. */
void tf_package_stored(const struct tf_package_names *t, struct tf_str path,
    struct tf_buf *out);

/* One name by itself, made safe by the newest rule, onto out. */
void tf_package_safe(struct tf_buf *out, struct tf_str name, bool directory);
/* Could that be a name in a package? */
bool tf_package_is_safe(struct tf_str name);

#endif
