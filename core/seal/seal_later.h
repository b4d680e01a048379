/*
 * Seals that take long because they judge evidence, in the background.  The
 * sealer must not wait for them: it seals the files of all users.
 */
#ifndef TF_SEAL_SEAL_LATER_H
#define TF_SEAL_SEAL_LATER_H

#include <stdbool.h>
#include <stdint.h>

struct tf_vault;

/* Will a seal of directory id judge evidence?  False, too, when that cannot be
 * found out.  mu is not held. */
bool tf_seal_judges(struct tf_vault *v, uint64_t id);

/*
 * Let a background thread call seal for directory id, which is closed or idle;
 * until seal returns it is not due.  False: no memory.  mu is not held.
 */
bool tf_seal_later(struct tf_vault *v, uint64_t id,
    void (*seal)(struct tf_vault *v, uint64_t id));

#endif
