/* What status.json and the metrics say of the vault, read once for each. */
#ifndef TF_VIEW_STATUS_FACTS_H
#define TF_VIEW_STATUS_FACTS_H

#include <stddef.h>
#include <stdint.h>

#include "../node/vault_i.h"

struct tf_holder;

#define TF_STATUS_LISTED 100 /* names in each list */

/*
 * The state of the vault.  For a vault that is open for writing it comes from
 * memory, under one lock, so that the counts agree with one another; JSON is
 * written and permissions are checked later, without the lock.  A reader has no
 * such memory: then only head.size, head.root, head.files, head.content_bytes,
 * denied and damaged are set.
 */
struct tf_status_facts {
	struct tf_head head; /* without the note */
	uint64_t n[TF_STATES];
	uint64_t failed, denied;
	/* Unsealed files, those of the asker first, and closed directories. */
	uint64_t id[TF_STATUS_LISTED];
	enum tf_state state[TF_STATUS_LISTED];
	uint64_t proven[TF_STATUS_LISTED]; /* bytes entered while it grows */
	size_t listed;
	uint64_t closed_id[TF_STATUS_LISTED];
	size_t closed;		 /* in the list */
	uint64_t all_closed;	 /* all that are */
	uint64_t frozen_ns;	 /* how long the oldest frozen file is; or 0 */
	uint64_t staged, used;	 /* bytes: unsealed; that max_store counts */
	uint64_t room, room_for; /* bytes and files that may still be staged */
	uint64_t damaged_id[TF_STATUS_LISTED];
	size_t damaged_listed;
	uint64_t damaged; /* evidence that a read found damaged */
	uint32_t asker;
	bool broken;	     /* nothing can be written until the next start */
	int64_t signer_away; /* since when it is away (Unix); 0: it is not */
	char trouble[sizeof(((struct tf_error *)0)->text)];
	struct tf_guard_state guard;
};

/* Read them.  db: a connection for reading.  asker: whose files are listed
 * first; NULL: no unsealed name is listed.  Errors: those of the database. */
TF_MUST_USE enum tf_code tf_status_read(struct tf_vault *v, struct tf_db *db,
    const uint32_t *asker, struct tf_status_facts *f, struct tf_error *err);

/* Write the process that has the store open for writing, and its mount point:
 * this process, or the holder of the lock; pid 0: there is none. */
void tf_status_writer(struct tf_vault *v, struct tf_holder *who);

#endif
