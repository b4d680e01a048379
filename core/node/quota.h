/* Space: what the disk has beyond the floor, and what each user may stage. */
#ifndef TF_NODE_QUOTA_H
#define TF_NODE_QUOTA_H

#include <stdint.h>

#include "../error.h"

struct tf_pending;
struct tf_vault;

#define TF_FLOOR_BYTES ((uint64_t)16 << 20) /* kept free for sealing */
#define TF_FLOOR_FILES 300 /* likewise: objects/ has 256 directories */
#define TF_FILE_COST 8192  /* bytes of database a file may cost */

/* Take n bytes and some files of what the disks have beyond the floor.
 * TF_NOSPACE. */
TF_MUST_USE enum tf_code tf_space_take(struct tf_vault *v, uint64_t n,
    unsigned files, struct tf_error *err);

/* The same for a file that is removed again, and so none of the store's. */
TF_MUST_USE enum tf_code tf_space_spool(struct tf_vault *v, uint64_t n,
    struct tf_error *err);

/* staging.c: the owner of l has that many bytes of it unsealed; mu is held. */
void tf_quota_charge(struct tf_pending *l, uint64_t bytes);

/* May uid have n more names that are not sealed (max_unsealed)?  TF_QUOTA.
 * Names are counted while they are in the table.  mu is held. */
TF_MUST_USE enum tf_code tf_quota_names(struct tf_vault *v, uint32_t uid,
    uint64_t n, struct tf_error *err);

/* May uid have one more file open for writing (max_open)?  TF_QUOTA.  mu is
 * held. */
TF_MUST_USE enum tf_code tf_quota_open(struct tf_vault *v, uint32_t uid,
    struct tf_error *err);

/* The attributes of l are others: count it by them.  mu is held. */
void tf_quota_recount(struct tf_pending *l);

/* The same, unless that is more than max_staged: TF_QUOTA. */
TF_MUST_USE enum tf_code tf_quota_take(struct tf_pending *l, uint64_t bytes,
    struct tf_error *err);

#endif
