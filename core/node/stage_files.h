/* The files of a pending node below stage/.  All are of node id; a file that is
 * left after its node is gone is removed at the next start. */
#ifndef TF_NODE_STAGE_FILES_H
#define TF_NODE_STAGE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tf_encrypted;
struct tf_hash;
struct tf_pending;

#define TF_STAGE_NAME 96 /* bytes of each name, with its NUL */

/* Its content. */
void tf_stage_name(uint64_t id, char out[TF_STAGE_NAME]);
/* Of secret content: the spare (secret.c), and the age file (encrypted.h), which
 * has its digest in its name once it is whole.  NULL: it is not whole yet. */
void tf_stage_spare_name(uint64_t id, char out[TF_STAGE_NAME]);
void tf_stage_age_name(uint64_t id, const struct tf_hash *h,
    char out[TF_STAGE_NAME]);
/* The reverse: false if the n bytes of name are not that of an age file.
 * *whole: it has a digest, *h. */
bool tf_stage_is_age(const char *name, size_t n, uint64_t *id, bool *whole,
    struct tf_hash *h);

/*
 * Remove the age file e of l.  If it was linked as an object and its entry is
 * not committed, it stays: by its name the next start finds the object that
 * nothing names (orphans.c).
 */
void tf_stage_remove_age(const struct tf_pending *l,
    const struct tf_encrypted *e);

#endif
