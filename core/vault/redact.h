/*
 * Redactions inside of a vault: the rest of the contract is in protection.h.
 */
#ifndef TF_VAULT_REDACT_H
#define TF_VAULT_REDACT_H

#include <stdint.h>

#include "../error.h"

struct tf_vault;

/* Fail with TF_REDACTED and the reason that readers get. */
enum tf_code tf_redacted(struct tf_error *err);

/*
 * At the start of a vault: load the node ids of redacted evidence to
 * v->redacted.  A writer also deletes what tf_redactions_erase has left.
 */
TF_MUST_USE enum tf_code tf_redactions_start(struct tf_vault *v,
    struct tf_error *err);

#define TF_META_ERASING \
	"erasing" /* seq of a redaction whose bytes may be left */
/*
 * Delete the bytes of redacted evidence from the disk: object files, and what
 * the write-ahead log still has.  May be repeated at any time; the caller holds
 * no lock.  TF_BUSY: evidence that is not sealed yet has the same bytes;
 * TF_LOCKED: a reader needs old pages.  Then the next start does the rest.
 */
TF_MUST_USE enum tf_code tf_redactions_erase(struct tf_vault *v,
    struct tf_error *err);

#endif
