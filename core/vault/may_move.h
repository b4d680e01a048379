/*
 * Which renames are allowed.  The caller of all functions holds vault.mu; they
 * wait for nothing and change nothing but what they say.  Errors beside those
 * named: those of a read of the database.
 */
#ifndef TF_VAULT_MAY_MOVE_H
#define TF_VAULT_MAY_MOVE_H

#include <stdbool.h>
#include <stdint.h>

#include "../ledger/policy.h"
#include "../node/paths.h"
#include "../node/pending.h"
#include "../seal/seal_prepare.h"

struct tf_actor;
struct tf_db;
struct tf_node_row;
struct tf_text;
struct tf_vault;

/* A rename on its way.  It belongs to the thread of the caller; the nodes stay
 * claimed until the rename has ended. */
struct tf_move {
	struct tf_vault *v;
	struct tf_db *db;
	struct tf_pending *l;	   /* claimed */
	struct tf_pending *target; /* claimed, or NULL */
	struct tf_place to;
	const char *name; /* the new one */
	const struct tf_actor *who;
	bool seals;   /* the rename makes a draft evidence */
	bool freezes; /* it does so later: nobody waits for the disk */
	struct tf_seal_file sealed; /* prepared, if it seals */
	/* The new ones; after take_place() the old ones of the node. */
	struct tf_text *actor;
	char *other_name;
	/* For move_back(): */
	bool new_actor;
	uint64_t old_parent, old_att, old_wf;
	struct tf_attr old_attr;
	struct tf_time moved; /* its ctime in the new place */
	bool old_in_draft;
};

/* The failure of a request about the node of row, which is in the ledger: by
 * the policy, with name and advice. */
enum tf_code tf_move_refusal(const struct tf_node_row *row, enum tf_request req,
    const struct tf_actor *who, const char *name, struct tf_error *err);

/* May the node at the new name, m->target or one in the ledger, be replaced?
 * TF_OK also when the name is free.  TF_EXISTS with noreplace; TF_ISDIR,
 * TF_NOTDIR, TF_NOTEMPTY as rename(2); else the policy's refusal.  Removes
 * nothing: the transaction of the rename does. */
TF_MUST_USE enum tf_code tf_may_replace(struct tf_move *m, bool noreplace,
    struct tf_error *err);

/* Is a node below directory m->l claimed?  Perhaps a seal is on its way. */
bool tf_move_busy_below(const struct tf_move *m);

/* May directory m->l go to m->to as m->name?  Only while it has no entry.
 * TF_DENIED: it holds files of others, or would leave its attestation or draft
 * with something in it.  TF_SEALED: it holds frozen evidence.  TF_NAMETOOLONG: a
 * path below the attestation would be too long.  Else the policy's refusal. */
TF_MUST_USE enum tf_code tf_may_move_directory(struct tf_move *m,
    struct tf_error *err);
/* May file m->l?  Sets m->seals or m->freezes when the rename makes a draft
 * final.  Fails with the failure of a file that has failed, TF_DENIED outside of
 * attestations, or the policy's refusal. */
TF_MUST_USE enum tf_code tf_may_move_file(struct tf_move *m,
    struct tf_error *err);

#endif
