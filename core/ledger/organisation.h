/*
 * What the ledger of an organisation must say: its own entries, which have version 2,
 * and when the entries of a member may be there.  trailfs-organisation(7) has the
 * fields.
 *
 * The rules:
 *   O1  The own entries are dense, their times rise, and each has the fields of its
 *	 type.  organisation.opened is the first entry of the ledger, and no other.
 *   O2  A member may append from its member.enrolled to its member.revoked, and again
 *	 from the next member.enrolled.  The key is the same in all of them, and is
 *	 that of the first entry of its own origin; a vault that was restored has
 *	 the entries of the vault before it first.
 *   O3  `next` is the number of entries that the ledger has of the member.
 *   O4  Refusals are numbered 0, 1, ...  A fork names the entry that is there.
 *   O5  A rotation is signed by both keys; the old one is in force, and is good for
 *	 no more entries than there are.
 *
 * Ledgers of before version 2 of these rules have no member.enrolled: their entry 0
 * lacks `"members":"entries"`.  In these a member without one may append, and an
 * entry with the cause "earlier" says later what was so before.
 *
 * Functions return the rule that is broken, as words after the name of the entry, or
 * NULL.  One thread at a time.
 */
#ifndef TF_LEDGER_ORGANISATION_H
#define TF_LEDGER_ORGANISATION_H

#include "entry_read.h"
#include "rotation.h"

#define TF_ORG_ENTRY_VERSION 2

enum tf_org_type {
	TF_ORG_OTHER, /* of a type that is not known */
	TF_ORG_OPENED,
	TF_ORG_ENROLLED,
	TF_ORG_REVOKED,
	TF_ORG_REFUSED,
	TF_ORG_ROTATED,
};
enum tf_org_kind { TF_ORG_FORK, TF_ORG_GAP, TF_ORG_WAS_REVOKED };

/* An own entry.  What its type lacks is zero. */
struct tf_org_entry {
	struct tf_entry_decoded d; /* the common fields */
	enum tf_org_type type;
	bool by_entries; /* opened: only entries make members */
	bool earlier;	 /* the cause */
	struct tf_vkey key;
	struct tf_buf member, role; /* with a NUL behind; p NULL: absent */
	uint64_t next;
	enum tf_org_kind kind;
	uint64_t number, refusal, size;
	struct tf_hash given, there; /* there: of a fork */
	struct tf_time refused;
};
/* Decode an own entry; free it on success and on failure.  TF_INVALID: malformed;
 * TF_NEWER: of a version above 2; TF_NOMEM. */
TF_MUST_USE enum tf_code tf_org_entry_decode(struct tf_org_entry *o,
    const char *bytes, size_t n, struct tf_error *err);
void tf_org_entry_free(struct tf_org_entry *o);

/* What the own entries have said so far.  All zero bytes: nothing. */
struct tf_org_said {
	struct tf_vkey key; /* in force */
	uint64_t next;	    /* number of the next own entry */
	uint64_t refusals;
	uint64_t rotated; /* size of the last rotation */
	struct tf_time at;
	bool by_entries;
};
/* Take the own entry of these bytes, which is entry index of the ledger.  *broken
 * becomes NULL or a rule.  TF_NOMEM. */
TF_MUST_USE enum tf_code tf_org_said_take(struct tf_org_said *s,
    const struct tf_org_entry *o, struct tf_str bytes, uint64_t index,
    const char **broken);

/* What they have said of one member. */
enum tf_standing_is { TF_NOT_ENTERED, TF_ENROLLED, TF_REVOKED };
struct tf_standing {
	enum tf_standing_is is;
	bool was_revoked;   /* once */
	struct tf_vkey key; /* from the first entry about it on */
	bool begun;	    /* one of them has its own origin: see O2 */
	uint64_t entries;   /* that the ledger has of it */
	uint64_t early;	    /* of those, before any entry enrolled it */
};
/* Take an entry about the member: enrolled, revoked, refused. */
const char *tf_standing_own(struct tf_standing *m, const struct tf_org_entry *o,
    const struct tf_org_said *s);
/* Take the next entry of the member itself. */
enum tf_standing_fault {
	TF_STANDING_RIGHT,
	TF_STANDING_NOT_ENROLLED,
	TF_STANDING_REVOKED,
	TF_STANDING_OTHER_KEY,
	TF_STANDING_FAULTS
};
enum tf_standing_fault tf_standing_entry(struct tf_standing *m,
    const struct tf_entry *e, const struct tf_org_said *s);
const char *tf_standing_text(enum tf_standing_fault f);

#endif
