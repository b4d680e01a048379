/*
 * What a publication has read, kept for the next one, which then reads only what is
 * new: the right edge of the tree, and what is known of each member (members.h).
 *
 * The file is signed by the key of the log.  It is a cache: without it the ledger is
 * read from its beginning.  Who can forge it has the key, and who puts an old one in
 * its place causes a longer reading.  No signature rests on it alone: the tree must
 * have the root of the newest checkpoint, at the size of that.
 *
 *	"trailfs-organiser-state/2" LF, origin LF
 *	u64 refusals that have an entry
 *	what the own entries have said: u64 next, u64 rotated, u64 seconds and
 *		u32 nanoseconds of the last, u8 by_entries, u16 + key
 *	u64 size; the hashes of each partial tile, by level; those of the peaks
 *	u32 members; of each, sorted:
 *		u16 + origin, u32 + its key and rotations as lines
 *		u64 size, u64 verified, u64 number and u8 kind of the finding;
 *		u8 standing, u8 was revoked once, u64 early;
 *		the hashes of its peaks, the largest subtree first
 *	64 bytes: Ed25519 over "trailfs-organiser-state/2" LF "sha256 " HEX LF, the
 *		digest of all before
 * Numbers have the most significant byte first.
 */
#ifndef TF_ORG_STATE_H
#define TF_ORG_STATE_H

#include "../ledger/merkle.h"
#include "members.h"
#include "organiser.h"

#define TF_ORGANISER_STATE "published" /* in the directory of the keys */

struct tf_org_state {
	struct tf_tree *tree; /* NULL: none */
	struct tf_org_members members;
	uint64_t refused; /* see own.h */
};

void tf_org_state_free(struct tf_org_state *s);
/* Write s beside the key; on TF_OK it survives power loss. */
TF_MUST_USE enum tf_code tf_org_state_save(const struct tf_organiser *o,
    const struct tf_org_state *s, struct tf_error *err);
/* Read it.  On TF_OK free *out with tf_org_state_free.  TF_NOTFOUND: no file;
 * TF_TAMPER: the key of the log has not signed it. */
TF_MUST_USE enum tf_code tf_org_state_load(const struct tf_organiser *o,
    struct tf_org_state *out, struct tf_error *err);

#endif
