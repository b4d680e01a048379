/*
 * Whether a mirror may take the head that a source offers (M3 of mirror.h).
 */
#ifndef TF_ANCHOR_MIRROR_JUDGE_H
#define TF_ANCHOR_MIRROR_JUDGE_H

#include "../ledger/checkpoint.h"
#include "../ledger/merkle.h"
#include "../ledger/rotation.h"
#include "../mirror.h"

struct tf_replica;

struct tf_mirror_offer {
	struct tf_buf key, store; /* as the source gave them */
	struct tf_vkey log;	  /* key, parsed */
	struct tf_log_keys keys;  /* its rotations, from there, too */
	struct tf_buf note;
	struct tf_proof proof;	   /* from the mirror's head to note */
	struct tf_checkpoint head; /* filled by tf_mirror_judge */
};
void tf_mirror_offer_free(struct tf_mirror_offer *o);

/* Whether a new mirror takes the log with offer->log: it has the key that is
 * expected, or one that followed it, or NULL is.  TF_TAMPER. */
TF_MUST_USE enum tf_code
tf_mirror_check_first(const struct tf_mirror_offer *offer, const char *expected,
    struct tf_error *err);
/*
 * TF_OK: it is the same log, and the head is the mirror's or continues it; the
 * mirror is at o->dir.  TF_TAMPER, with the reason: another log or key than that
 * of the mirror, or another history.
 */
TF_MUST_USE enum tf_code tf_mirror_judge(struct tf_mirror_offer *offer,
    const struct tf_replica *r, const struct tf_mirror_receive *o,
    struct tf_error *err);

#endif
