/* Forwarding a store to an organisation: what its parts share. */
#ifndef TF_ANCHOR_FORWARD_I_H
#define TF_ANCHOR_FORWARD_I_H

#include "../forward.h"
#include "../ledger/checkpoint.h"
#include "../org/bundle.h"
#include "../org/engine.h"
#include "../store/forward_link.h"
#include "../store/forwarded.h"
#include "mirror_source.h"

#define TF_FORWARD_PEERS 4 /* mounts, of which there is one */

struct tf_forward_named;

struct tf_forwarder {
	const struct tf_forward *o;
	struct tf_forwarded *out;
	struct tf_mirror_source src;
	struct tf_ledger *ledger;
	struct tf_blobs *blobs;
	uint64_t next; /* the first entry that the next batch has to bring */
	bool compared; /* the histories: next is known */
	unsigned pause_ms, tries;
	struct tf_checkpoint head;
	struct tf_buf head_note;
	/* The batch. */
	struct tf_buf note, bytes;
	struct tf_str entries[TF_BATCH_MAX];
	size_t n;
	/* What they name: its digests, who names it, and where the ledger has it. */
	struct tf_hash *digests;
	struct tf_forward_named *named;
	struct tf_located *located;
	size_t n_named, cap_digests, cap_named, cap_located;
	struct tf_bundler bundler;
	struct tf_forward_state state; /* as it is in the store */
	uint64_t remembered_ns;
	bool forgot;	    /* the state of now is not in the store */
	uint64_t opened_ns; /* the source; 0: it is to be opened again */
	/* The mount that waits: see store/forward_link.h. */
	int dirfd, listening;	    /* or -1 */
	int peer[TF_FORWARD_PEERS]; /* or -1 */
	uint64_t wanted;	    /* entries */
};

/* --- forward_batch.c ------------------------------------------------------------- */

/* Read entries from f->next on, fewer than up to `to` if they are many. */
TF_MUST_USE enum tf_code tf_forward_collect(struct tf_forwarder *f, uint64_t to,
    struct tf_error *err);
/* Send what the entries of the batch name, but for what the ledger has (W2).  The
 * batch becomes shorter if they name too many objects. */
TF_MUST_USE enum tf_code tf_forward_send_objects(struct tf_forwarder *f,
    struct tf_error *err);

/* --- forward_waiters.c ----------------------------------------------------------- */

/* A forwarder that cannot listen forwards all the same. */
void tf_forward_listen_to_mounts(struct tf_forwarder *f);
/* What the organisation has by now, which the ledger has answered. */
void tf_forward_tell_waiters(struct tf_forwarder *f, const char *why);
/* Does somebody wait for more than the organisation has? */
bool tf_forward_is_awaited(const struct tf_forwarder *f);
/* Listen for ms, or until somebody waits for more than the organisation has. */
void tf_forward_hear(struct tf_forwarder *f, unsigned ms);
/* Listen for the whole of ms. */
void tf_forward_pause(struct tf_forwarder *f, unsigned ms);
void tf_forward_hang_up(struct tf_forwarder *f);

#endif
