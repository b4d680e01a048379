/*
 * Space and limits: free disk space above the floor, and each user's limits of
 * unsealed bytes and names (trailfs(8)).  The floor is a reserve of free space
 * that staging never uses, so that a frozen file can always be sealed.
 *
 * Above the floor is the head-room, a 20th of the disk, of its inodes and of
 * max_store: while no more than that is free, no user but root takes more than
 * an eighth of it.  So who fills the disk leaves something for the others.  The
 * accounts begin anew when more is free again.
 */
#ifndef TF_NODE_QUOTA_H
#define TF_NODE_QUOTA_H

#include <stdint.h>

#include "../error.h"

struct tf_pending;
struct tf_vault;

#define TF_FLOOR_BYTES ((uint64_t)16 << 20) /* kept free for sealing */
#define TF_FLOOR_FILES 300  /* inodes: objects/ has 256 directories */
#define TF_HEADROOM_PART 20 /* of the disk */
#define TF_HEADROOM_BYTES ((uint64_t)4 << 30) /* at most */
#define TF_HEADROOM_FILES 10000		      /* inodes, at most */
#define TF_HEADROOM_USERS 8		      /* that many share it */
#define TF_FILE_COST 8192 /* bytes of database that a file may need */

/* Reserve n bytes and some inodes of the disks' space above the floor, for
 * uid, and check max_store.  TF_NOSPACE; TF_QUOTA: only the head-room is left,
 * and uid has had its share. */
TF_MUST_USE enum tf_code tf_space_take(struct tf_vault *v, uint32_t uid,
    uint64_t n, unsigned files, struct tf_error *err);

/* The same for n bytes of user data, of a definition or of further entries, beside
 * the entry. */
TF_MUST_USE enum tf_code tf_space_say(struct tf_vault *v, uint32_t uid,
    uint64_t n, struct tf_error *err);

/* Reserve n bytes for a temporary file, which max_store does not count.  It may
 * use half of the head-room. */
TF_MUST_USE enum tf_code tf_space_spool(struct tf_vault *v, uint64_t n,
    struct tf_error *err);

/* Bring space_left and files_left up to date, for status and metrics.  After a
 * failure the last reading stands.  mu is held. */
void tf_space_look(struct tf_vault *v);

/* The staged bytes of so much content of l. */
uint64_t tf_quota_staged(const struct tf_pending *l, uint64_t content);

/*
 * Charge l's owner for so much content of l that is not sealed: for its staged
 * bytes, and if it has recipients for the age file, which is made beside them.
 * Reserves the disk's space for the latter.  mu is held.
 */
void tf_quota_charge(struct tf_pending *l, uint64_t content);

/* TF_QUOTA if n more unsealed names of uid would exceed max_unsealed.  A name
 * counts while it is in the table of pending nodes; the directories of
 * empties.h count, too.  mu is held. */
TF_MUST_USE enum tf_code tf_quota_names(struct tf_vault *v, uint32_t uid,
    uint64_t n, struct tf_error *err);

/* TF_QUOTA if one more file that uid has open for writing would exceed
 * max_open.  mu is held. */
TF_MUST_USE enum tf_code tf_quota_open(struct tf_vault *v, uint32_t uid,
    struct tf_error *err);

/* Call this after the owner or the attributes of l have changed: l counts for
 * its present owner as what it is now.  (tf_quota_charge does so with its
 * bytes.)  mu is held. */
void tf_quota_recount(struct tf_pending *l);

/* Do as tf_quota_charge, but change nothing and fail with TF_QUOTA if the owner
 * would exceed max_staged, or TF_NOSPACE if the store would exceed max_store.
 * mu is held. */
TF_MUST_USE enum tf_code tf_quota_take(struct tf_pending *l, uint64_t content,
    struct tf_error *err);

/* How many bytes can l grow before a limit of its owner, of the store or of the
 * disk is reached, and before only the head-room is left?  mu is held. */
uint64_t tf_quota_room(struct tf_pending *l);

#endif
