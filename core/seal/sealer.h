/* The sealer: the thread that seals what is due. */
#ifndef TF_SEAL_SEALER_H
#define TF_SEAL_SEALER_H

#include <stdint.h>

struct tf_vault;

/* Thread body: seals what has settled, keeps STORE/checkpoint. */
void *tf_sealer_run(void *vault);

/* Seal it, unless somebody is at work there, or there is nothing. */
void tf_idle_seal(struct tf_vault *v, uint64_t att);

#endif
