/* When attestations become idle (option idle).  Callers hold vault.mu. */
#ifndef TF_NODE_IDLE_H
#define TF_NODE_IDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_vault;

/* An attestation in which something has changed since the start. */
struct tf_idle {
	uint64_t att;
	uint64_t due_ns; /* it is idle from this time on; boot clock */
	bool later;	 /* a background thread seals it */
};

/* True if element i of v->idle exists and belongs to attestation att. */
bool tf_idle_is_there(const struct tf_vault *v, size_t i, uint64_t att);

/* The index in v->idle of attestation att, or the index to insert it at. */
size_t tf_idle_place(const struct tf_vault *v, uint64_t att);

/* Set the time at which att becomes idle.  If memory runs out, att is not
 * sealed automatically until it changes again. */
void tf_idle_due(struct tf_vault *v, uint64_t att, uint64_t due_ns);

/* Attestation att has changed: restart its idle time.  Does nothing if att is 0
 * or the option is off. */
void tf_idle_touch(struct tf_vault *v, uint64_t att);

/* True if att is idle now. */
bool tf_idle_over(const struct tf_vault *v, uint64_t att);

/* An attestation that is idle at `now` and that no background thread seals, or
 * 0.  With 0, *next_ns is lowered to
 * the time at which the next one becomes idle. */
uint64_t tf_idle_next(const struct tf_vault *v, uint64_t now,
    uint64_t *next_ns);

#endif
