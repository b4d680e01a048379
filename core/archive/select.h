/* What is in a package: which entries, by path and by time. */
#ifndef TF_ARCHIVE_SELECT_H
#define TF_ARCHIVE_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_db;
struct tf_entry;
struct tf_package_request;

/* Where a package is about. */
struct tf_package_place {
	enum tf_kind kind;
	struct tf_str path, name; /* the whole; its last part */
	struct tf_str base;	  /* names in the package are below it */
	struct tf_str part[3];	  /* trail, workflow, attestation */
	bool has_since, has_until;
	struct tf_time since, until;
};

/* Call fn for each entry of a package, in order, until it fails. */
typedef enum tf_code (*tf_selected)(void *arg, uint64_t seq, struct tf_str body,
    const struct tf_entry *e, struct tf_error *err);

/* What is asked for, taken apart; p points into r's path.  TF_UNSUPPORTED no
 * such place; TF_USAGE times are wrong. */
TF_MUST_USE enum tf_code tf_package_place(const struct tf_package_request *r,
    struct tf_package_place *p, struct tf_error *err);

/* The rest of path below the base; absent when it is not there. */
struct tf_str tf_package_below(const struct tf_package_place *p,
    struct tf_str path);

TF_MUST_USE enum tf_code tf_package_select(struct tf_db *db, uint64_t size,
    const struct tf_package_place *p, tf_selected fn, void *arg,
    struct tf_error *err);

#endif
