/*
 * What protects a node from redaction and disposal, and until when: the one
 * place that decides this.  core/protection.h has the rule.
 *
 * The functions read the ledger through db, a snapshot of a reader or the
 * connection of a transaction, and hold no lock.  Errors: those of the
 * database; TF_TAMPER a row or an entry is missing or altered, so that nothing
 * is removed by a question that could not be answered.
 */
#ifndef TF_NODE_PROTECTION_H
#define TF_NODE_PROTECTION_H

#include "../ledger/retention.h"
#include "../protection.h"

struct tf_db;
struct tf_node_row;
struct tf_vault;

/*
 * The time by which retentions end: that of the host's clock.  The time of the
 * ledger may be ahead of it, by years if an entry was made while the clock was
 * wrong, and must not end a retention early.
 */
struct tf_time tf_protection_now(void);

/* tf_vault_protection() of node id, which has a row, at the time now.
 * TF_NOTFOUND. */
TF_MUST_USE enum tf_code tf_protected(struct tf_db *db, uint64_t id,
    struct tf_time now, struct tf_protection *out, struct tf_error *err);
/* TF_DENIED, with the hold or the retention in err, if node id is protected. */
TF_MUST_USE enum tf_code tf_refuse_protected(struct tf_db *db, uint64_t id,
    struct tf_time now, struct tf_error *err);

/* One hold that stands, or one retention. */
struct tf_protector {
	uint64_t node, entry;
	struct tf_str hold; /* of a hold; absent: a retention */
	/* of a retention */
	enum tf_kept kept;
	struct tf_time until;
};
/* Call fn for everything that protects node id, at the time now, until it
 * fails: what is set on it and above, then what is set below. */
typedef enum tf_code (*tf_protector_fn)(void *arg, const struct tf_protector *p,
    struct tf_error *err);
TF_MUST_USE enum tf_code tf_each_protector(struct tf_db *db, uint64_t id,
    struct tf_time now, tf_protector_fn fn, void *arg, struct tf_error *err);

/* *n becomes the number of all holds of the vault that stand. */
TF_MUST_USE enum tf_code tf_count_holds(struct tf_db *db, uint64_t *n,
    struct tf_error *err);

/*
 * Set *begun and *start to the time from which a period is counted for the
 * node: the seal of its attestation; of a workflow; of a trail and of the last
 * workflow in it.  Not begun: something is not sealed.
 */
TF_MUST_USE enum tf_code tf_period_start(struct tf_db *db,
    const struct tf_node_row *row, bool *begun, struct tf_time *start,
    struct tf_error *err);

/* Sum up all retentions that are set on the node itself; *newest becomes the seq
 * of the last one, TF_NO_SEQ without one, and *n their number. */
TF_MUST_USE enum tf_code tf_own_retention(struct tf_db *db, uint64_t node,
    struct tf_retention *sum, uint64_t *newest, uint64_t *n,
    struct tf_error *err);

#endif
