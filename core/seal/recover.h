/* Finishing what the last process left. */
#ifndef TF_SEAL_RECOVER_H
#define TF_SEAL_RECOVER_H

#include "../error.h"

struct tf_vault;

/* Finish what the last process left: before threads start changing things. */
TF_MUST_USE enum tf_code tf_recover(struct tf_vault *v, struct tf_error *err);

#endif
