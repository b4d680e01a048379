/* Fetching one origin of an organisation into its copy. */
#ifndef TF_ANCHOR_FETCH_I_H
#define TF_ANCHOR_FETCH_I_H

#include "../fetch.h"
#include "../org/engine.h"

/* In the directory of all copies: what was read of the organisation's own log. */
#define TF_FETCH_STATE ".organisation"
#define TF_FETCH_NAME 200 /* bytes of the name of a copy, with its NUL */

/* What all origins use. */
struct tf_fetch_run {
	const struct tf_fetch *o;
	bool names; /* of the copy of now */
	struct tf_ledger *ledger;
	struct tf_blobs *blobs;
	int scratch;		    /* a file for one object; it has no name */
	struct tf_buf organisation; /* the key in entry 0; n 0: there is none */
	/* The bundle that was read last: its objects come one after the other. */
	struct tf_hash bundle;
	struct tf_buf bundle_bytes; /* n 0: it cannot be had */
	uint64_t of;	/* entries that the ledger has of all origins; */
	uint64_t done;	/* those of the origins before this one */
	uint64_t bytes; /* of objects */
};

/* Open the directory of all copies, which is made if there is none; *fd is the
 * caller's, also on failure, or -1.  TF_FOREIGN: it is a store, and stays as it is. */
TF_MUST_USE enum tf_code tf_fetch_open_dir(const char *dir, int *fd,
    struct tf_error *err);

/*
 * Bring the copy at path, which is made if there is none, to `to` entries, where the
 * ledger has a checkpoint.  Sets what came in f, also on failure: f->entries is
 * what is durable.  Errors: see tf_fetch.done and tf_fetch.
 */
TF_MUST_USE enum tf_code tf_fetch_origin(struct tf_fetch_run *run,
    const char *path, uint64_t to, struct tf_fetched *f, struct tf_error *err);

/*
 * Give the copy the object that an entry of its origin names.  *absent: nobody has
 * it, and the copy judges that.  TF_TAMPER: its bytes are altered.
 */
struct tf_replica;
TF_MUST_USE enum tf_code tf_fetch_object(struct tf_fetch_run *run,
    struct tf_replica *r, const char *origin, const struct tf_hash *h,
    uint64_t size, uint64_t *got, bool *absent, struct tf_error *err);

/* The same into a file, however short it is: for tf_replica_fill. */
TF_MUST_USE enum tf_code tf_fetch_file(struct tf_fetch_run *run,
    struct tf_replica *r, const char *origin, const struct tf_hash *h,
    uint64_t size, uint64_t *got, bool *absent, struct tf_error *err);

#endif
