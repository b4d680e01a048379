/* When something last happened in an attestation.  Callers hold vault.mu. */
#ifndef TF_NODE_IDLE_H
#define TF_NODE_IDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_vault;

bool tf_quiet_is_there(const struct tf_vault *v, size_t i, uint64_t att);

/* Where attestation att stands in v->quiet, or should.  mu held. */
size_t tf_quiet_place(const struct tf_vault *v, uint64_t att);

/* mu held.  Without memory it is only sealed later, or by hand. */
void tf_quiet_due(struct tf_vault *v, uint64_t att, uint64_t due_ns);

#endif
