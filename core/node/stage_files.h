/* The files of a pending node below stage/.  All are of node id; a file that is
 * left after its node is gone is removed at the next start. */
#ifndef TF_NODE_STAGE_FILES_H
#define TF_NODE_STAGE_FILES_H

#include <stdint.h>

struct tf_pending;
struct tf_vault;

#define TF_STAGE_NAME 32 /* bytes of each name, with its NUL */

/* Its content. */
void tf_stage_name(uint64_t id, char out[TF_STAGE_NAME]);
/* Of secret content: the spare (secret.c), and the age file (encrypted.h). */
void tf_stage_spare_name(uint64_t id, char out[TF_STAGE_NAME]);
void tf_stage_age_name(uint64_t id, char out[TF_STAGE_NAME]);

/* Remove its age file, if it has one. */
void tf_stage_remove_age(const struct tf_vault *v, uint64_t id);
/* Remove all that stage/ has of l. */
void tf_stage_remove(const struct tf_pending *l);

#endif
