/*
 * Attributes of pending nodes, and how the policy sees a node.  The caller
 * holds mu where a function takes a pending node.
 */
#ifndef TF_NODE_ATTR_H
#define TF_NODE_ATTR_H

#include <stdbool.h>
#include <stdint.h>

#include "../ledger/policy.h"

struct tf_error;
struct tf_pending;
struct tf_vault;

/* The facts about l that tf_policy() needs to judge a request of the uid
 * caller. */
struct tf_subject tf_pending_subject(const struct tf_pending *l,
    uint32_t caller);

/* Count one more handle of uid for writing l.  TF_DENIED: too many users have
 * written it. */
enum tf_code tf_pending_opened(struct tf_pending *l, uint32_t uid,
    struct tf_error *err);

/* The attributes of l as stat(2) shows them: of secret content that is frozen,
 * the size is that of the age file. */
struct tf_attr tf_pending_shown(const struct tf_pending *l);
/* Do readers of l get the age file? */
bool tf_pending_shows_encrypted(const struct tf_pending *l);
/* TF_ACCESS: l is not frozen, its content is secret or will be, because its
 * trail encrypts, and uid has not written it.  mu is held. */
enum tf_code tf_pending_may_read(const struct tf_pending *l, uint32_t uid,
    bool encrypts, struct tf_error *err);

/* Set the fields of a that mask names to those of want; ctime becomes now. */
void tf_attr_apply(struct tf_attr *a, unsigned mask,
    const struct tf_attr *want);

/*
 * The bits that the option mode_floor adds to the mode of a node of this kind:
 * its reading bits, and for a directory the search bits of the same users.
 * They let others read what a program with umask 077 made.  A trail stays
 * closed to others until somebody opens it.
 */
uint32_t tf_mode_floor(const struct tf_vault *v, enum tf_kind kind);

/* "frozen" and so on, as user.trailfs.state has it. */
const char *tf_state_name(enum tf_state s);

/* True if t is the special value for the present time (UTIME_NOW). */
bool tf_time_is_now(struct tf_time t);

#endif
