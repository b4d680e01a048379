/* Where a node is: its attributes, its path, and what is above it. */
#ifndef TF_NODE_PATHS_H
#define TF_NODE_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ledger/policy.h"

struct tf_buf;
struct tf_db;
struct tf_vault;

struct tf_place;
/* What is above a node: its attestation (0: none) and workflow, whether in a
 * draft, length of the path below the attestation, and whether sealed. */
struct tf_place {
	struct tf_attr parent; /* the directory itself */
	struct tf_attr att;    /* kind ATTESTATION, or the parent */
	uint64_t wf;
	bool in_draft; /* all below it is draft */
	size_t below;  /* bytes of parent's path below the att */
};
#define TF_OWN_MODE 0777u /* the bits that such a directory has of its own */
/* What a directory shows that has that mode of its own. */
static inline uint32_t
tf_dir_mode(uint32_t attestation, uint32_t own)
{
	return attestation & (own | ~TF_OWN_MODE);
}

/* Where is directory id?  mu is held. */
TF_MUST_USE enum tf_code tf_place_of(struct tf_vault *v, struct tf_db *db,
    uint64_t id, struct tf_place *out, struct tf_error *err);

/* Attributes of id, pending or committed.  mu is held. */
TF_MUST_USE enum tf_code tf_attr_of(struct tf_vault *v, struct tf_db *db,
    uint64_t id, struct tf_attr *out, struct tf_error *err);

/* The path of id ("." for the root) with db's view; mu is not held. */
TF_MUST_USE enum tf_code tf_path_of(struct tf_vault *v, struct tf_db *db,
    uint64_t id, struct tf_buf *out, struct tf_error *err);

/* A directory below an attestation has the access of that. */
TF_MUST_USE enum tf_code tf_follow_attestation(struct tf_vault *v,
    struct tf_db *db, struct tf_attr *a, struct tf_error *err);

struct tf_subject tf_directory_subject(const struct tf_attr *a, bool has_entry);

#endif
