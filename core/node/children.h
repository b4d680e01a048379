/* The rows below a directory, and the versions of a name. */
#ifndef TF_NODE_CHILDREN_H
#define TF_NODE_CHILDREN_H

#include <stdint.h>

#include "../error.h"

struct tf_db;
struct tf_node_row;

/* Check that the attestation `name` may be created: NAME@N only if NAME@(N-1)
 * is sealed (TF_DENIED).  On TF_OK *before is the row of NAME@(N-1), with id 0
 * for a first version. */
TF_MUST_USE enum tf_code tf_version_before(struct tf_db *db, uint64_t workflow,
    const char *name, struct tf_node_row *before, struct tf_error *err);

/* Call fn for every child row of dir, in order of id, until it fails. */
TF_MUST_USE enum tf_code tf_each_child(struct tf_db *db, uint64_t dir,
    enum tf_code (*fn)(void *arg, const struct tf_node_row *r,
	struct tf_error *err),
    void *arg, struct tf_error *err);
/* The same for those with an id greater than after. */
TF_MUST_USE enum tf_code tf_each_child_after(struct tf_db *db, uint64_t dir,
    uint64_t after,
    enum tf_code (*fn)(void *arg, const struct tf_node_row *r,
	struct tf_error *err),
    void *arg, struct tf_error *err);
/* Call fn for every child row of dir in the order of names as bytes. */
TF_MUST_USE enum tf_code tf_each_child_by_name(struct tf_db *db, uint64_t dir,
    enum tf_code (*fn)(void *arg, const struct tf_node_row *r,
	struct tf_error *err),
    void *arg, struct tf_error *err);

#endif
