/*
 * The key of an organisation's log, replaced: see tf_org_rotate() in core/org.h.
 *
 * The ledger decides.  The entry key.rotated makes the new key the one in force; the
 * files beside it follow, by whoever comes next:
 *
 *	log.new.pem is made, durable
 *	-> the entry, signed by both keys
 *	-> log.pem and log.new.pem change places, at once
 *	-> log.new.pem, which is the old key now, becomes log.old.pem
 *	-> log.vkey: the new key, and the rotations
 *
 * Killed before the entry: the old key is in force, and the next rotation takes the
 * new key that is there.  Killed after it: the next run does the rest.
 */
#ifndef TF_ORG_SETTLE_H
#define TF_ORG_SETTLE_H

#include "organiser.h"
#include "own.h"

/* The key in a file beside the ledger, as one of this log.  TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_organiser_load_key(const struct tf_organiser *o,
    const char *name, struct tf_key **key, struct tf_vkey *vkey,
    struct tf_error *err);
/*
 * Make the key of o that which is in force after the entries of own, and load the old
 * key if it still signs; one that does not any more is wiped.
 * *switched, unless NULL: the key was another one.
 * TF_FOREIGN: the key was replaced, and the new one is not in this directory; or
 * log.vkey is of another key.
 */
TF_MUST_USE enum tf_code tf_organiser_settle(struct tf_organiser *o,
    const struct tf_own *own, bool *switched, struct tf_error *err);

#endif
