/* The files in a package that describe its directories to a reader. */
#ifndef TF_ARCHIVE_TEXTS_H
#define TF_ARCHIVE_TEXTS_H

#include <stdbool.h>
#include <stdint.h>

#include "select.h"

struct tf_entry;
struct tf_package_names;

/* A trail, workflow or attestation in the package. */
struct tf_package_dir {
	enum tf_kind kind;
	uint64_t id;
	struct tf_str path;
	bool sealed; /* of an attestation */
};

/* The files that describe a directory to a reader. */
enum tf_package_text {
	TF_PACKAGE_TEXT_PAGE,
	TF_PACKAGE_TEXT_STATUS,
	TF_PACKAGE_TEXT_ATTESTATION,
	TF_PACKAGE_TEXT_SUMS,
	TF_PACKAGE_TEXT_ENVELOPE,
};

typedef enum tf_code (*tf_package_text_found)(void *arg,
    enum tf_package_text text, const char *name, struct tf_error *err);

/* Does entry e begin one that has pages in the package?  Then it is *d, not
 * sealed yet; its path points into e. */
bool tf_package_dir_of(const struct tf_package_place *p,
    const struct tf_entry *e, struct tf_package_dir *d);

/* Does the package lack workflows of its trail, because of their time? */
bool tf_package_is_cut(const struct tf_package_place *p);

/* Call fn with the name of each such file of d; names has all names given. */
TF_MUST_USE enum tf_code tf_package_texts(const struct tf_package_place *p,
    struct tf_package_names *names, const struct tf_package_dir *d,
    tf_package_text_found fn, void *arg, struct tf_error *err);

#endif
