/*
 * What is known of the members of an organisation: of each a tree over its entries,
 * and what its checkpoints cover.  Each entry is checked once, in the order of the
 * ledger:
 *   - its number follows the one before it, and is in the entry, as is the origin;
 *     a vault that was restored has the entries of the vault before it first
 *   - a checkpoint that came with it is signed by a key of the member, and has the
 *     root of the entries up to it
 *   - the entries of the organisation let the member append then
 *     (ledger/organisation.h)
 * The first finding about a member is kept.  It stops neither the entries of the
 * member nor those of others.
 */
#ifndef TF_ORG_MEMBERS_H
#define TF_ORG_MEMBERS_H

#include "../ledger/organisation.h"
#include "../ledger/peaks.h"
#include "engine.h"

/* What is wrong with a member.  The numbers are in files (state.h). */
enum tf_finding {
	TF_FOUND_NOTHING,
	TF_FOUND_NO_ENTRY,
	TF_FOUND_OTHER_ENTRY,
	TF_FOUND_GAP,
	TF_FOUND_NO_SIGNATURE,
	TF_FOUND_OTHER_ROOT,
	TF_FOUND_NOT_ENROLLED,
	TF_FOUND_REVOKED,
	TF_FOUND_OTHER_KEY,
	TF_FOUND_OWN, /* an entry of the organisation breaks a rule */
	TF_FINDINGS
};
/* What to say of entry N of the member, after "entry N". */
const char *tf_finding_text(enum tf_finding f);

struct tf_org_member {
	char *origin;
	size_t n;
	struct tf_vkey vkey;	 /* under which it was enrolled */
	struct tf_log_keys keys; /* rotations */
	struct tf_peaks tree;
	bool begun;	   /* an entry has its own origin */
	uint64_t verified; /* entries that a checkpoint of it covers */
	struct tf_standing standing;
	enum tf_finding finding;
	uint64_t at; /* number of the entry of the finding */
};

/* Sorted by the bytes of their origins.  All zero bytes: none. */
struct tf_org_members {
	struct tf_org_member *member;
	size_t n, cap;
	struct tf_org_said said; /* by the organisation itself */
};

void tf_org_members_free(struct tf_org_members *m);
/* Add a member without entries, behind all others. */
TF_MUST_USE enum tf_code tf_org_members_add(struct tf_org_members *m,
    struct tf_str origin, struct tf_str vkey, struct tf_error *err);
/* NULL: there is none. */
struct tf_org_member *tf_org_members_find(const struct tf_org_members *m,
    struct tf_str origin);
/* The next entry of the ledger, whose leaf hash is hash; own: the origin of the
 * organisation.  TF_TAMPER: it is of no member; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_org_members_take(struct tf_org_members *m,
    struct tf_str own, const struct tf_leaf *leaf, const struct tf_hash *hash,
    struct tf_error *err);

#endif
