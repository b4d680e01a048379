/* The sealer: the one thread that seals files and directories that are due. */
#ifndef TF_SEAL_SEALER_H
#define TF_SEAL_SEALER_H

#include <stdint.h>

struct tf_vault;

/* Body of the thread; vault is a struct tf_vault.  Runs until v->quit.  Seals
 * what is due, marks and tends rows, and writes the copies of the head. */
void *tf_sealer_run(void *vault);

/* Seal attestation att because it is idle.  Does nothing when it is empty; when
 * somebody is at work in it, it is tried again later.  mu is not held. */
void tf_idle_seal(struct tf_vault *v, uint64_t att);

#endif
