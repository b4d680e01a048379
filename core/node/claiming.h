/*
 * Attestations about which a claim is being recorded, v->claiming.  A seal waits
 * for them: it reads the claims before its transaction, and a claim that came
 * between the two would be lost.  The caller holds mu.
 */
#ifndef TF_NODE_CLAIMING_H
#define TF_NODE_CLAIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"

struct tf_attr;
struct tf_vault;

struct tf_claiming {
	uint64_t att, wf;
};

/* A claim about attestation att of workflow wf begins, and ends. */
TF_MUST_USE enum tf_code tf_claiming_begin(struct tf_vault *v, uint64_t att,
    uint64_t wf, struct tf_error *err);
void tf_claiming_end(struct tf_vault *v, uint64_t att);
/* Is a claim being recorded about dir or an attestation in it?  Wait on
 * v->changed and ask again. */
bool tf_claiming_below(const struct tf_vault *v, const struct tf_attr *dir);

#endif
