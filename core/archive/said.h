/*
 * The files of a package with what people defined and said, and what checks
 * found: definitions of the trail, reports and user data of attestations; and
 * with what memories outside the machine said of the log.  An entry names each
 * of them by its digest.  Packages of formats before 3 have none.
 */
#ifndef TF_ARCHIVE_SAID_H
#define TF_ARCHIVE_SAID_H

#include "../error.h"
#include "../types.h"

struct tf_buf;
struct tf_content;
struct tf_entry;
struct tf_package_names;
struct tf_package_place;

/* Receive the name and the content of one file, valid only during the call.  A
 * code other than TF_OK stops the walk and is returned. */
typedef enum tf_code (*tf_package_said_found)(void *arg, const char *name,
    const struct tf_content *content, struct tf_error *err);

/* Call fn for each such file that entry e of the package names.  names holds
 * the names used so far.  Errors: TF_NOMEM, those of fn. */
TF_MUST_USE enum tf_code tf_package_said(const struct tf_package_place *p,
    struct tf_package_names *names, const struct tf_entry *e,
    tf_package_said_found fn, void *arg, struct tf_error *err);

/* Append the directory of the definitions of the trail that path is in, with '/', to
 * out.  Errors: TF_NOMEM. */
TF_MUST_USE enum tf_code
tf_package_definitions(const struct tf_package_place *p,
    struct tf_package_names *names, struct tf_str path, struct tf_buf *out,
    struct tf_error *err);

/*
 * Assign the names of directories that follow from entry e: of a sealed attestation
 * and, in a package of the vault, of a trail.  Whoever makes or reads a package calls
 * this for each entry but those of evidence, in order, before the functions above: a
 * name depends on those before it.  Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_package_name_dirs(const struct tf_package_place *p,
    struct tf_package_names *names, const struct tf_entry *e,
    struct tf_error *err);

#endif
