/*
 * The members that an engine lists, compared with those that the entries of the
 * organisation have enrolled and revoked.  The two change together (govern), so a
 * difference means that somebody has altered the ledger; or an earlier version has
 * made it, which had no such entries: then they are made, once for each member.
 */
#ifndef TF_ORG_LISTED_H
#define TF_ORG_LISTED_H

#include "own.h"

struct tf_listed {
	const char *origin; /* of the organisation */
	const struct tf_actor *who;
	/* Called for each difference, with words behind the member's name. */
	void (*found)(void *arg, const char *member, const char *what);
	void *arg;
	uint64_t recorded; /* entries that were made */
};
/* own has what the entries say, and is brought up to date. */
TF_MUST_USE enum tf_code tf_org_listed(struct tf_ledger *l, struct tf_own *own,
    struct tf_listed *x, struct tf_error *err);

#endif
