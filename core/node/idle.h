/* When something last happened in an attestation.  Callers hold vault.mu. */
#ifndef TF_NODE_IDLE_H
#define TF_NODE_IDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_vault;

/* An attestation that something happened in. */
struct tf_idle {
	uint64_t att;
	uint64_t due_ns; /* until then it is not idle; boot clock */
};

bool tf_idle_is_there(const struct tf_vault *v, size_t i, uint64_t att);

/* Where attestation att stands in v->idle, or should.  mu held. */
size_t tf_idle_place(const struct tf_vault *v, uint64_t att);

/* mu held.  Without memory it is only sealed later, or by hand. */
void tf_idle_due(struct tf_vault *v, uint64_t att, uint64_t due_ns);

/* Something changes in attestation att: it is not idle. */
void tf_idle_touch(struct tf_vault *v, uint64_t att);

/* Has nothing happened in att for long enough? */
bool tf_idle_over(const struct tf_vault *v, uint64_t att);

/* An attestation of which that is true, or 0; *next_ns becomes earlier if the
 * next is due before. */
uint64_t tf_idle_next(const struct tf_vault *v, uint64_t now,
    uint64_t *next_ns);

#endif
