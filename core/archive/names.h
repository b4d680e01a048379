/*
 * Names in a package.  Every system must be able to store the unpacked files,
 * also one that ignores case or refuses ':' and "con" in names.
 * trailfs-package(5) has the rule; no other file applies it.
 */
#ifndef TF_ARCHIVE_NAMES_H
#define TF_ARCHIVE_NAMES_H

#include <stdbool.h>

#include "../error.h"
#include "../types.h"

struct tf_buf;

/* The names used so far in one package.  One thread at a time may use it. */
struct tf_package_names;

/*
 * The newest format.  The rule of format 1 differs for characters that are not
 * composed, for letter case outside some alphabets, and for cutting.  Format 2
 * has the names of format 3, without the files of said.h.  Before format 5 a trail
 * was cut by time alone, and entries about the vault, completeness.json and
 * health.json were absent; there were no packages of the whole vault.
 */
#define TF_PACKAGE_FORMAT 5
#define TF_PACKAGE_FORMAT_HEALTH 5 /* the first with these files */
#define TF_PACKAGE_FORMAT_VAULT 5  /* the first of whole vaults */
#define TF_PACKAGE_FORMAT_SAID 3   /* the first with these files */

/* Begin with no names, by the rule of that format.  NULL: no memory. */
struct tf_package_names *tf_package_names_new(unsigned format);
void tf_package_names_free(struct tf_package_names *t);

/*
 * Append the name in the package of the file at path to out.  Call this once
 * per file.  No two files get the same name.  The same files in the same order
 * get the same names.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_package_file(struct tf_package_names *t,
    struct tf_str path, struct tf_buf *out, struct tf_error *err);
/*
 * Append the name of the directory at path to out.  Later calls with the same
 * path give the same name.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_package_directory(struct tf_package_names *t,
    struct tf_str path, struct tf_buf *out, struct tf_error *err);

/* Append the name that tf_package_file gave to the file at path to out. */
void tf_package_stored(const struct tf_package_names *t, struct tf_str path,
    struct tf_buf *out);

#endif
