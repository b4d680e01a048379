/*
 * Finding names in the ledger by what it says about them.
 *
 * A query is one line of text: filters KEY=VALUE, joined by '&', that must all
 * hold.  In a value, '%XX' stands for a byte; '%', '&', '/' and control
 * characters must be written so.  The keys:
 *	sha256		digest of an evidence file, 64 hex digits
 *	name		glob, for the last name of the path, or for the whole
 *			path if it has a '/'
 *	below		path of a directory; it and what is below it
 *	prefix		5 to 64 hex digits with which the digest of an evidence
 *			file begins, or the annotation git_commit or
 *			artifact_fingerprint
 *	annotation	KEY=VALUE of a trail, workflow or attestation
 *	type		of an attestation: that of its slot, and once it is
 *			sealed that of attestation.json; "custom:NAME" and NAME
 *			are the same type unless NAME is built in
 *	control		of an attestation: that of its slot, and once it is
 *			sealed the claimed one
 *	status		of an attestation: compliant, non-compliant, open; of a
 *			workflow: COMPLIANT, NON-COMPLIANT, INCOMPLETE,
 *			DAMAGED
 *	hold		what this hold protects: at and below its places
 *	expired		"true": what is kept no longer: its retention has ended,
 *			and nothing else and no hold protects anything in it
 *	on_behalf_of	for whom an attestation was recorded: the claim, or the
 *			annotation on_behalf_of (of anything)
 *	uid, user	who created or sealed it; user also as on_behalf_of
 *	at		the answer of that moment (past.h): names, states and
 *			claims as they were; not with hold and expired
 *	since, until	when it came into the ledger: a time of the ledger
 *	limit		at most so many answers: 1 to 1000, 100 without it
 *	before		only answers with a lower index: the last index of one
 *			answer asks for the next
 * annotation may be given up to 8 times, the other keys once.
 *
 * An answer is one line of canonical JSON per name, the newest first; see
 * trailfs-json(5).
 */
#ifndef TF_FIND_H
#define TF_FIND_H

#include <stdbool.h>

#include "asker.h"
#include "buffer.h"

struct tf_vault;

#define TF_FIND_QUERY_MAX 255 /* bytes: the name of a control file */
#define TF_FIND_LIMIT 100
#define TF_FIND_PREFIX_MIN 5 /* hex digits */
#define TF_FIND_LIMIT_MAX 1000

/* TF_INVALID, with the reason in err, if text is no query. */
TF_MUST_USE enum tf_code tf_find_check(const char *text, struct tf_error *err);
/* Is it a type of attestations that needs no definition? */
bool tf_find_is_built_in(const char *type);
/* Append a value to a query, with "%XX" where that is needed. */
void tf_find_quote(struct tf_buf *query, const char *value);

/*
 * Prepare searches of an open vault; call tf_find_stop before the vault is
 * closed.  A vault that is open for writing keeps its index in STORE/index.db.
 * The first search makes it; from then on, and in later processes from this
 * call on, a thread follows the ledger.  A read-only vault has a temporary
 * copy, unless tf_find_keep has made it.  TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_find_start(struct tf_vault *v,
    struct tf_error *err);
/*
 * Of a copy of a vault (fetch.h), which is open read-only: bring STORE/index.db up to
 * date, so that searches of any process use it as it is.  Another vault: does nothing.
 * The file is replaced as a whole, so who reads it is not disturbed.
 * Errors: TF_LOCKED another process does it; TF_ACCESS, TF_READONLY, TF_NOSPACE; as
 * tf_find.  Searches work all the same.
 */
TF_MUST_USE enum tf_code tf_find_keep(struct tf_vault *v, struct tf_error *err);
/* End the thread at once.  Nothing searches any more. */
void tf_find_stop(struct tf_vault *v);

/*
 * Append the answer to out: names that who may read.  It describes the ledger
 * at the time of the call or later, and each line was read from the ledger, not
 * from the index.  This waits until the index covers the ledger.  Safe from
 * many threads at once.
 * Errors: TF_INVALID text is no query; TF_INTERRUPTED; TF_NOSPACE no room for
 * the index; those of the vault.
 */
TF_MUST_USE enum tf_code tf_find(struct tf_vault *v, const char *text,
    const struct tf_asker *who, struct tf_buf *out, struct tf_error *err);

/*
 * Append the paths of the evidence files with this digest, one per line, the
 * newest first: those that who may read, at most TF_FIND_PATHS_MAX.  Otherwise
 * as tf_find.  TF_NOTFOUND: hex is not a digest of 64 digits.
 */
#define TF_FIND_PATHS_MAX 10000
TF_MUST_USE enum tf_code tf_find_paths(struct tf_vault *v, const char *hex,
    const struct tf_asker *who, struct tf_buf *out, struct tf_error *err);

/* The i-th of the words that the filter status takes, or NULL: no more. */
const char *tf_find_status(size_t i);

#endif
