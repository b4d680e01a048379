/* The place of a node in the tree: attributes, path, and ancestors. */
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
/* A directory and its ancestors. */
struct tf_place {
	struct tf_attr parent; /* the directory */
	struct tf_attr att; /* its attestation; outside of one, the directory */
	uint64_t wf;	    /* its workflow, or 0 */
	bool in_draft;	    /* in a draft attestation */
	size_t below;	    /* bytes of its path below the attestation */
};
#define TF_OWN_MODE 0777u /* bits that a directory's own mode may remove */
/* The effective mode of a directory below an attestation: its own mode can only
 * remove rights that the attestation's mode gives. */
static inline uint32_t
tf_dir_mode(uint32_t attestation, uint32_t own)
{
	return attestation & (own | ~TF_OWN_MODE);
}

/* Find the ancestors of directory id.  mu is held. */
TF_MUST_USE enum tf_code tf_place_of(struct tf_vault *v, struct tf_db *db,
    uint64_t id, struct tf_place *out, struct tf_error *err);

/* The attributes of id, pending or committed.  TF_NOTFOUND.  mu is held. */
TF_MUST_USE enum tf_code tf_attr_of(struct tf_vault *v, struct tf_db *db,
    uint64_t id, struct tf_attr *out, struct tf_error *err);
/* The same for callers without mu.  Takes it for memory only, not for the
 * database: all requests need mu, and a read may wait for the disk. */
TF_MUST_USE enum tf_code tf_attr_unlocked(struct tf_vault *v, struct tf_db *db,
    uint64_t id, struct tf_attr *out, struct tf_error *err);

/* Append the path of id ("." for the root) to out, with the state that db
 * shows. mu is not held. */
TF_MUST_USE enum tf_code tf_path_of(struct tf_vault *v, struct tf_db *db,
    uint64_t id, struct tf_buf *out, struct tf_error *err);

/* Set owner, group and effective mode of *a from its attestation, if *a is a
 * directory below one.  mu is held. */
TF_MUST_USE enum tf_code tf_follow_attestation(struct tf_vault *v,
    struct tf_db *db, struct tf_attr *a, struct tf_error *err);
/* The same for callers without mu, as tf_attr_unlocked().  TF_NOTFOUND: *a, or
 * a directory above it, was removed meanwhile. */
TF_MUST_USE enum tf_code tf_follow_unlocked(struct tf_vault *v,
    struct tf_db *db, struct tf_attr *a, struct tf_error *err);

/* The policy's view of a directory. */
struct tf_subject tf_directory_subject(const struct tf_attr *a, bool has_entry);

#endif
