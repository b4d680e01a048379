/*
 * What goes with redacted evidence.
 *
 * The report of an attestation quotes its evidence, and its user data may be the
 * same bytes as a file of it.  So the report goes with the first file that is
 * redacted, and the user data with the file that has their digest.
 *
 * The report has a row TF_ROW_REDACTED of the attestation, whose node names the
 * object of the report from then on.
 */
#ifndef TF_NODE_REDACTED_H
#define TF_NODE_REDACTED_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_content;
struct tf_db;

/*
 * Set *yes if evidence of attestation att was redacted by an entry before
 * `before`: any, or with sha256 only evidence of that digest.
 * Errors: those of the database.
 */
TF_MUST_USE enum tf_code tf_redacted_in(struct tf_db *db, uint64_t att,
    const struct tf_hash *sha256, uint64_t before, bool *yes,
    struct tf_error *err);

/* Record in the transaction of entry seq that the bytes of the report of
 * attestation att go.  The caller erases object, which is the report's. */
TF_MUST_USE enum tf_code tf_report_redacted(struct tf_db *db, uint64_t att,
    uint64_t seq, uint64_t object, struct tf_error *err);

#endif
