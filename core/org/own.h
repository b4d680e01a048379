/*
 * The entries of an organisation's own origin, which have version 2; the rules are in
 * ledger/organisation.h:
 *
 *   organisation.opened  entry 0 of the ledger, see organiser.h
 *   member.enrolled      a log may append from here on
 *	{"actor":A,"at":T,"cause":"earlier","key":VKEY,"member":ORIGIN,"next":N,
 *	 "origin":O,"role":R,"seq":K,"type":"member.enrolled","v":2}
 *	N is the number of entries that the ledger has of it.  Without a role it
 *	is absent; cause is there only for what an earlier version has done
 *   member.revoked       it may not any more: the same without role
 *   member.refused       what append refused of a member, each once
 *	{"actor":A,"at":T,"given":HEX,"kind":"fork"|"gap"|"revoked",
 *	 "member":ORIGIN,"number":N,"origin":O,"refusal":I,"refused":T,"seq":K,
 *	 "there":HEX,"type":"member.refused","v":2}
 *	given and there are SHA-256 of the entry that was given with that number,
 *	and of the one that is there (of a fork); I is 0, 1, ... in this order;
 *	refused is the time by the clock of the engine
 *
 *   key.rotated          the key of the log was replaced
 *	{"actor":A,"at":T,"new":VKEY,"newSig":SIG,"old":VKEY,"oldSig":SIG,
 *	 "origin":O,"seq":K,"size":S,"type":"key.rotated","use":"log","v":2}
 *	as in a vault, but the old key is good up to S entries of the ledger
 *
 * Only an organiser may append in its name, and for that moment.
 */
#ifndef TF_ORG_OWN_H
#define TF_ORG_OWN_H

#include "../ledger/organisation.h"
#include "engine.h"

struct tf_actor;

/* What the own entries say.  All zero bytes: nothing was read.  Free it with
 * tf_own_free. */
struct tf_own {
	uint64_t next;	   /* number of the next one */
	uint64_t refused;  /* refusals that have an entry */
	struct tf_time at; /* of the last one */
	struct tf_log_keys keys;
	bool by_entries; /* only entries make members */
	struct tf_own_member {
		char *origin;
		char *role; /* "": any */
		enum tf_standing_is is;
	} * member; /* those that an entry is about, sorted by origin */
	size_t n, cap;
};
void tf_own_free(struct tf_own *own);
/* NULL: no entry is about it. */
const struct tf_own_member *tf_own_member(const struct tf_own *own,
    struct tf_str origin);
/* What an earlier run has learned of it. */
TF_MUST_USE enum tf_code tf_own_know(struct tf_own *own, struct tf_str origin,
    enum tf_standing_is is, struct tf_error *err);

/* Learn from entry `number` of the origin, if it is the next one or the one before
 * that.  What is no entry is ignored.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_own_take(struct tf_own *own, uint64_t number,
    struct tf_str bytes, struct tf_error *err);
/* Learn from all entries of the ledger from the last one that own knows. */
TF_MUST_USE enum tf_code tf_own_read(struct tf_ledger *l, const char *origin,
    struct tf_own *own, struct tf_error *err);

/* Append entries from `number`.  vkey is the one under which the origin is enrolled.
 * TF_BUSY: another organiser did so at the same time. */
TF_MUST_USE enum tf_code tf_own_append(struct tf_ledger *l, const char *origin,
    const char *vkey, uint64_t number, const struct tf_str *entries, size_t n,
    struct tf_error *err);
/* Append a rotation, signed by both keys: the old one is good up to size entries.
 * Errors: those of tf_own_append. */
struct tf_own_rotation {
	const struct tf_vkey *old_vkey, *new_vkey;
	const struct tf_key *old_key, *new_key;
	uint64_t size;
};
TF_MUST_USE enum tf_code tf_own_rotate(struct tf_ledger *l,
    const struct tf_own_rotation *r, const struct tf_actor *who,
    struct tf_own *own, struct tf_error *err);
/*
 * Enrol (m->revoked false) or revoke m, and append an entry about it, in the name of
 * who; m->next is the number of its next entry.  With entry_only the engine's list is
 * left as it is, and the entry says that it has been so earlier.
 * Errors: those of the engine and of tf_own_append.
 */
TF_MUST_USE enum tf_code tf_own_govern(struct tf_ledger *l, const char *origin,
    const struct tf_member *m, bool entry_only, const struct tf_actor *who,
    struct tf_own *own, struct tf_error *err);
/* Make an entry of each refusal that has none.  Errors: those of tf_own_append. */
TF_MUST_USE enum tf_code tf_own_record(struct tf_ledger *l, const char *origin,
    const struct tf_actor *who, struct tf_own *own, struct tf_error *err);

#endif
