/*
 * Evidence whose bytes a reader found to be others than those of its entry.
 * status.json and the metrics show it.  The list is in memory: each start of
 * the vault begins with an empty one, and a file whose bytes are right again
 * leaves it at its next opening.
 */
#ifndef TF_NODE_DAMAGED_H
#define TF_NODE_DAMAGED_H

#include <stddef.h>
#include <stdint.h>

struct tf_vault;

#define TF_DAMAGED_MAX 1000 /* files in the list; more are only counted */

/* Guarded by vault.mu. */
struct tf_damaged_files {
	uint64_t *id; /* nodes, sorted; room for TF_DAMAGED_MAX, or NULL */
	size_t n;
};

/* A read met damaged bytes of node id.  The first time for this node, its path
 * is reported to the operator.  mu is not held. */
void tf_damaged_file_add(struct tf_vault *v, uint64_t id);
/* The bytes of node id were compared, and are right.  mu is not held. */
void tf_damaged_file_remove(struct tf_vault *v, uint64_t id);

void tf_damaged_files_free(struct tf_damaged_files *d);

#endif
