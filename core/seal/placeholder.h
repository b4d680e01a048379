/* Placeholders: when they are sealed. */
#ifndef TF_SEAL_PLACEHOLDER_H
#define TF_SEAL_PLACEHOLDER_H

struct tf_pending;

/* The last handle for writing of l is gone: the sealer seals l after the time
 * of the option placeholder.  The caller holds mu. */
void tf_placeholder_rest(struct tf_pending *l);

#endif
