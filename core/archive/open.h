/*
 * Opening a package: an archive from trailfs, an archive that another program
 * packed again, or files unpacked below a directory.
 */
#ifndef TF_ARCHIVE_OPEN_H
#define TF_ARCHIVE_OPEN_H

#include "../error.h"

/* A package that is open for reading.  members.h has its members, reader.h
 * reads them. */
struct tf_archive;

/*
 * Open an archive in the form that trailfs writes.  Scans the archive and
 * checks that the manifests list every member and nothing else.  Close *out
 * with tf_archive_close.  Errors: TF_TAMPER (form or manifests are wrong),
 * TF_NOTFOUND, TF_ACCESS, TF_IO, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_archive_open(const char *file,
    struct tf_archive **out, struct tf_error *err);

/*
 * Open a package in any form; tf_archive_form returns the form.  In the other
 * forms the manifests must be well-formed, but the package may have files that
 * no manifest lists, and listed files may be missing.  Errors: tf_archive_open.
 */
TF_MUST_USE enum tf_code tf_archive_open_any(const char *path,
    struct tf_archive **out, struct tf_error *err);

void tf_archive_close(struct tf_archive *a);

#endif
