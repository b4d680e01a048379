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

/* The signed statement of an attestation. */
struct tf_attested_list;

/* A directory to be sealed: see tf_seal_dir(). */
struct tf_seal_request {
	uint64_t id;
	const struct tf_actor *who; /* NULL: the sealer, it is idle or closed */
	bool closed; /* seal it only if it is closed; who closed it is actor */
	bool hurry;  /* TF_BUSY instead of waiting for work below */
	const char *new_name; /* publishes a draft attestation; or NULL */
	const char *cause;    /* of the entries, or NULL */
	/* With new_name: the field `imported` of the entries, raw, or NULL. */
	const char *imported;
	const struct tf_withhold *texts; /* those that it names, or NULL */
};

/*
 * Make and sign the statement of attestation att.  Its evidence is all in the
 * ledger and cannot change any more, or it is all in files[0..n) (prepared and
 * claimed).  Not in the transaction: it may list 100,000 files, and others wait
 * for the committer.  No lock is held.  The caller frees *out.
 */
TF_MUST_USE enum tf_code tf_seal_list(struct tf_vault *v, struct tf_db *db,
    const struct tf_seal_by *c, const struct tf_node_row *att,
    const struct tf_seal_file *files, size_t n, struct tf_attested_list **out,
    struct tf_error *err);
void tf_seal_list_free(struct tf_attested_list *l); /* NULL is nothing */

/*
 * In a transaction: seal attestation att, whose evidence is all in the ledger.
 * list is its statement, or NULL: it is made here.  Evidence is never judged
 * here, while every other writer waits: if att is judged and has no list,
 * *judged becomes true and the call fails with TF_BUSY.
 */
TF_MUST_USE enum tf_code tf_seal_attestation(struct tf_txn *t,
    const struct tf_seal_by *c, const struct tf_node_row *att,
    struct tf_attested_list *list, bool *judged, struct tf_error *err);
/* In a transaction: seal a trail, or a workflow whose attestations are sealed.
 */
TF_MUST_USE enum tf_code tf_seal_parent(struct tf_txn *t,
    const struct tf_seal_by *c, const struct tf_node_row *dir,
    struct tf_error *err);

/* In a transaction: delete the row of directory id, which got its seal, from
 * table closing.  mu is not held. */
TF_MUST_USE enum tf_code tf_closed_sealed(struct tf_txn *t, uint64_t id,
    struct tf_error *err);

/* Fill e with the evidence in files[0..n).  `above` is how many bytes their
 * paths have before the name within the attestation. */
TF_MUST_USE enum tf_code tf_evidence_prepared(const struct tf_seal_file *files,
    size_t n, size_t above, struct tf_evidence *e, struct tf_error *err);

#endif
