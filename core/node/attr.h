/* Attributes of nodes: applying changes, and what the policy is asked of. */
#ifndef TF_NODE_ATTR_H
#define TF_NODE_ATTR_H

#include <stdbool.h>
#include <stdint.h>

#include "../ledger/policy.h"

struct tf_pending;

/* Policy's view of a pending node. */
struct tf_subject tf_pending_subject(const struct tf_pending *l,
    uint32_t caller);

/* One more handle of uid on l: false when too many users wrote it. */
enum tf_code tf_pending_opened(struct tf_pending *l, uint32_t uid,
    struct tf_error *err);

/* Take from want what mask names; ctime is now. */
void tf_attr_apply(struct tf_attr *a, unsigned mask,
    const struct tf_attr *want);

/* "frozen" and so on. */
const char *tf_state_name(enum tf_state s);

/* Does t stand for the present? */
bool tf_time_is_now(struct tf_time t);

#endif
