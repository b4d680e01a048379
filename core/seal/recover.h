/* Finishing what the last process left. */
#ifndef TF_SEAL_RECOVER_H
#define TF_SEAL_RECOVER_H

#endif
