/* The parts of a ledger of the engine `dir:` (dir.h). */
#ifndef TF_ORG_DIR_I_H
#define TF_ORG_DIR_I_H

#include "dir.h"

struct tf_db;

struct tf_dir_ledger {
	struct tf_ledger base; /* first: see engine.h */
	struct tf_db *db;
	enum tf_org_how how;
	int64_t version; /* of the tables */
};

static inline struct tf_dir_ledger *
tf_dir_ledger(struct tf_ledger *l)
{
	return (struct tf_dir_ledger *)l;
}

/* A transaction that writes.  TF_BUSY: another process has the ledger for too
 * long.  End it with tf_dir_commit, or with tf_dir_rollback after a failure. */
TF_MUST_USE enum tf_code tf_dir_begin(struct tf_dir_ledger *l,
    struct tf_error *err);
/* TF_INDOUBT: the disk failed, and the transaction may be there after a crash. */
TF_MUST_USE enum tf_code tf_dir_commit(struct tf_dir_ledger *l,
    struct tf_error *err);
void tf_dir_rollback(struct tf_dir_ledger *l);
/* TF_DENIED: opened as less than `how`. */
TF_MUST_USE enum tf_code tf_dir_may(const struct tf_dir_ledger *l,
    enum tf_org_how how, struct tf_error *err);

struct tf_dir_member {
	int64_t id;
	uint64_t next;
	bool revoked;
	bool organiser; /* only an organiser may append */
	bool refused;	/* since it was revoked, and recorded */
};
/* TF_NOTFOUND: not enrolled. */
TF_MUST_USE enum tf_code tf_dir_member(struct tf_dir_ledger *l,
    const char *origin, struct tf_dir_member *out, struct tf_error *err);
TF_MUST_USE enum tf_code tf_dir_size(struct tf_dir_ledger *l, uint64_t *n,
    struct tf_error *err);

/* Of the tables: see engine.h. */
enum tf_code tf_dir_append(struct tf_ledger *l, const struct tf_batch *b,
    struct tf_appended *out, struct tf_error *err);
enum tf_code tf_dir_enrol(struct tf_ledger *l, const char *origin,
    const char *vkey, const char *role, struct tf_error *err);
enum tf_code tf_dir_revoke(struct tf_ledger *l, const char *origin,
    struct tf_error *err);
enum tf_code tf_dir_govern(struct tf_ledger *l, const struct tf_governed *g,
    struct tf_error *err);
/* In a transaction: append the own entry of g.  TF_BUSY. */
TF_MUST_USE enum tf_code tf_dir_append_own(struct tf_dir_ledger *l,
    const struct tf_governed *g, struct tf_error *err);
enum tf_code tf_dir_members(struct tf_ledger *l, tf_member_fn fn, void *arg,
    struct tf_error *err);
enum tf_code tf_dir_refusals(struct tf_ledger *l, uint64_t from,
    tf_refused_fn fn, void *arg, struct tf_error *err);

#endif
