/*
 * Directories below an attestation keep a mode of their own, which only takes
 * rights away: what is shown is their own mode and the attestation's.  Owner,
 * group and special bits are the attestation's.
 */
#ifndef TF_VAULT_DIR_MODE_H
#define TF_VAULT_DIR_MODE_H

#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_attr;
struct tf_vault;

/*
 * The own mode of a directory that who makes with that mode in attestation att.
 * Another user than the owner cannot keep anybody out: TF_DENIED when his mode
 * would.
 */
TF_MUST_USE enum tf_code tf_dir_mode_new(const struct tf_attr *att,
    uint32_t mode, const struct tf_actor *who, uint32_t *own,
    struct tf_error *err);

/* chmod of directory id: at once and durable, an access.changed entry when the
 * directory has an entry.  TF_SEALED when a write bit would come back in a
 * sealed attestation. */
TF_MUST_USE enum tf_code tf_dir_mode_set(struct tf_vault *v, uint64_t id,
    uint32_t mode, const struct tf_actor *who, struct tf_error *err);

#endif
