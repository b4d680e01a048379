/*
 * The transaction that seals an attestation, a workflow or a trail, or
 * publishes a draft attestation.  seal_dir.c prepares it.
 */
#ifndef TF_SEAL_CLOSING_TXN_H
#define TF_SEAL_CLOSING_TXN_H

#include <stddef.h>
#include <stdint.h>

#include "../store/nodes.h"
#include "below.h"
#include "seal_dir.h"
#include "seal_entries.h"
#include "seal_prepare.h"
#include "turn.h"

struct tf_db;
struct tf_open_children;
struct tf_pending;
struct tf_attested_list;
struct tf_txn;
struct tf_vault;

/* One seal or publication on its way. */
struct tf_closing {
	struct tf_vault *v;
	const struct tf_seal_request *r;
	struct tf_attr dir;
	struct tf_seal_by s;
	char *actor;
	struct tf_below below;
	struct tf_turn turn;
	struct tf_seal_file *files; /* the files below, prepared */
	size_t n_files;
	struct tf_pending *draft; /* the draft attestation to publish */
	char *other_name; /* its new name; the old one after swap_names() */
	struct tf_db *db;
	bool judged; /* set by the job: judge evidence first, then try again */
	/* The attestations to be sealed and their statements, when all of
	 * their evidence is known before the transaction; else NULL. */
	struct tf_open_children *ready;
};

#define TF_CLOSING_MAX 256 /* attestations with statements at a time */

/* Attestations that are not sealed, in order of age. */
struct tf_open_children {
	struct tf_node_row *rows;
	struct tf_attested_list **lists; /* one for each row, or NULL */
	size_t n, cap;
	bool more; /* there are more than TF_CLOSING_MAX */
};

/* Add attestation r to open, a struct tf_open_children, unless it is sealed.
 * TF_NODATA ends the walk when there are more than TF_CLOSING_MAX.  Errors:
 * TF_NOMEM.  No lock is needed. */
TF_MUST_USE enum tf_code tf_open_children_add(void *open,
    const struct tf_node_row *r, struct tf_error *err);
/* Free what o points to, and set it to {0}. */
void tf_open_children_free(struct tf_open_children *o);

/* The run function of a job before that of the seal: seals only the attestations
 * of c->ready.  closing is a struct tf_closing.  In the committer's thread. */
TF_MUST_USE enum tf_code tf_closing_some(struct tf_txn *t, void *closing,
    struct tf_error *err);

/* The run function of the job; closing is a struct tf_closing.  Appends all
 * entries of the seal: those of c->files and of pending directories, of open
 * attestations, and of the directory itself.  Does nothing when another request
 * has sealed it.  Fails with c->judged set if evidence must be judged first.
 * In the committer's thread; all nodes below are claimed.
 * Errors: TF_EXISTS, TF_READONLY (a draft's name or workflow), those of
 * tf_seal_one() and tf_seal_attestation(). */
TF_MUST_USE enum tf_code tf_closing_run(struct tf_txn *t, void *closing,
    struct tf_error *err);

#endif
