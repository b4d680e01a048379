/* The entries that seal an attestation, a workflow or a trail. */
#ifndef TF_SEAL_SEAL_ENTRIES_H
#define TF_SEAL_SEAL_ENTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_db;
struct tf_evidence;
struct tf_node_row;
struct tf_seal_file;
struct tf_txn;
struct tf_vault;

struct tf_seal_request;

/* Who seals. */
struct tf_seal_by {
	const struct tf_seal_request *r;
	const char *actor; /* canonical JSON, or NULL */
};

/*
 * The signed statement of an attestation, whose evidence is all in the ledger
 * and stays what it is, or is all in files (prepared, claimed).  Made outside
 * of the transaction, for it may list 100,000 files while others wait for the
 * committer.  Locks are not held.
 */
struct tf_attested_list;
/* Seal an attestation, workflow or trail, or publish a draft attestation under
 * new_name (else NULL). */
struct tf_seal_request {
	uint64_t id;
	const struct tf_actor *who; /* NULL: nobody, it is idle, or closed */
	bool closed; /* only if it still is; the actor closed it */
	bool hurry;  /* TF_BUSY rather than wait for what is below */
	const char *new_name;
	const char *cause;
};

TF_MUST_USE enum tf_code tf_seal_list(struct tf_vault *v, struct tf_db *db,
    const struct tf_seal_by *c, const struct tf_node_row *att,
    const struct tf_seal_file *files, size_t n, struct tf_attested_list **out,
    struct tf_error *err);
void tf_seal_list_free(struct tf_attested_list *l); /* NULL is nothing */

/* All evidence in it is in the ledger already.  list NULL: it is made here. */
TF_MUST_USE enum tf_code tf_seal_attestation(struct tf_txn *t,
    const struct tf_seal_by *c, const struct tf_node_row *att,
    const struct tf_attested_list *list, struct tf_error *err);
/* A workflow whose attestations are sealed, or a trail. */
TF_MUST_USE enum tf_code tf_seal_parent(struct tf_txn *t,
    const struct tf_seal_by *c, const struct tf_node_row *dir,
    struct tf_error *err);

/* In a transaction: directory id got its seal.  mu is not held. */
TF_MUST_USE enum tf_code tf_closed_sealed(struct tf_txn *t, uint64_t id,
    struct tf_error *err);

/* Of the n files, whose paths have `above` bytes before the names. */
TF_MUST_USE enum tf_code tf_evidence_prepared(const struct tf_seal_file *files,
    size_t n, size_t above, struct tf_evidence *e, struct tf_error *err);

#endif
