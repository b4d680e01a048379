/*
 * Modes of directories below an attestation.  Each has a mode of its own,
 * which only removes rights: stat(2) shows the bits that are set both in it
 * and in the mode of the attestation.  Owner, group and special bits are those
 * of the attestation.
 */
#ifndef TF_VAULT_DIR_MODE_H
#define TF_VAULT_DIR_MODE_H

#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_attr;
struct tf_vault;

/*
 * *own: the mode of its own for a directory that who makes with this mode in
 * attestation att.  TF_DENIED: who is not the owner of the attestation, and the
 * mode would keep somebody out.
 */
TF_MUST_USE enum tf_code tf_dir_mode_new(const struct tf_attr *att,
    uint32_t mode, const struct tf_actor *who, uint32_t *own,
    struct tf_error *err);

/*
 * May who change the mode of a directory with attributes dir?  The kernel asks
 * the same, but of an owner that it remembers: through a descriptor it looks no
 * name up, and then does not know that the attestation has a new owner.
 * TF_DENIED: who is neither its owner nor root.
 */
TF_MUST_USE enum tf_code tf_dir_mode_allowed(const struct tf_attr *dir,
    const struct tf_actor *who, struct tf_error *err);

/*
 * chmod of directory id.  Durable on TF_OK; it is an access.changed entry if
 * the directory has an entry.  On failure the mode is as before.  The bits that
 * the directory has already make no entry.
 *
 * TF_SEALED: the attestation is sealed and mode has a write bit that the
 * directory lacks.  TF_READONLY: the vault accepts no changes.  TF_NOTFOUND: it
 * was removed.  Others: TF_NOSPACE, TF_NOMEM and those of a commit.  Safe from
 * many threads at once; no lock is held.
 */
TF_MUST_USE enum tf_code tf_dir_mode_set(struct tf_vault *v, uint64_t id,
    uint32_t mode, const struct tf_actor *who, struct tf_error *err);

#endif
