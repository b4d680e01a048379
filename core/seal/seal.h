/* Sealing files: evidence gets its entries. */
#ifndef TF_SEAL_SEAL_H
#define TF_SEAL_SEAL_H

#include <stddef.h>

#include "../error.h"

struct tf_live;
struct tf_vault;

#define TF_SEAL_RETRY_NS 5000000000u /* after a seal that failed */
#define TF_SEAL_MAX 256		     /* files in one transaction */

/* Seal what is claimed in l[0..n); if together fails, one by one.  The first
 * failure is returned, the others are tried all the same. */
enum tf_code tf_seal_claimed(struct tf_vault *v, struct tf_live **l, size_t n,
    struct tf_error *err);

#endif
