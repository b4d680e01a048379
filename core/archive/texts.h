/*
 * The names of the files in a package that describe its trail, workflows and
 * attestations to a human reader.
 */
#ifndef TF_ARCHIVE_TEXTS_H
#define TF_ARCHIVE_TEXTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "select.h"

struct tf_entry;
struct tf_package_names;

/* The vault, or a trail, workflow or attestation, in the package. */
struct tf_package_dir {
	enum tf_kind kind;
	uint64_t id;
	struct tf_str path;
	bool sealed; /* attestations only */
	bool acted;  /* workflows only: the person of the request */
};

/* The directories that a package describes, in the order of their entries.  The
 * caller begins with zeros. */
struct tf_package_dirs {
	struct tf_package_dir *d;
	size_t n, cap;
};

/* The kinds of files that describe a directory. */
enum tf_package_text {
	TF_PACKAGE_TEXT_PAGE,
	TF_PACKAGE_TEXT_TRAIL_PAGE,
	TF_PACKAGE_TEXT_STATUS,
	TF_PACKAGE_TEXT_ATTESTATION,
	TF_PACKAGE_TEXT_SUMS,
	TF_PACKAGE_TEXT_ENVELOPE,
	TF_PACKAGE_TEXT_CUSTODY,
};

/*
 * Receive the name of one file, valid only during the call.  A code other than
 * TF_OK stops the walk and is returned.
 */
typedef enum tf_code (*tf_package_text_found)(void *arg,
    enum tf_package_text text, const char *name, struct tf_error *err);

/*
 * True if entry e begins a directory that the package describes.  Then *d is
 * that directory, not sealed yet; d->path points into e.
 */
bool tf_package_dir_of(const struct tf_package_place *p,
    const struct tf_entry *e, struct tf_package_dir *d);

/*
 * Keep d, with a copy of its path: its texts can be named only after the names
 * of all evidence are assigned. Errors: TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_package_dirs_add(struct tf_package_dirs *l,
    const struct tf_package_dir *d, struct tf_error *err);

void tf_package_dirs_free(struct tf_package_dirs *l);

/*
 * Call fn with the name of each file that describes d; names holds the names
 * used so far.  Errors: TF_NOMEM, those of fn.
 */
TF_MUST_USE enum tf_code tf_package_texts(const struct tf_package_place *p,
    struct tf_package_names *names, const struct tf_package_dir *d,
    tf_package_text_found fn, void *arg, struct tf_error *err);

#endif
