/* Sealing directories, and claiming what is below one. */
#ifndef TF_SEAL_SEAL_DIR_H
#define TF_SEAL_SEAL_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_db;
struct tf_pending;
struct tf_seal_request;
struct tf_vault;

/* The pending nodes below a directory that is sealed or closed. */
struct tf_below {
	struct tf_attr dir;
	struct tf_pending **l;
	size_t n, cap;
	enum tf_code refused;
	bool wait;	     /* somebody is at work below */
	uint64_t in_the_way; /* the node that refused is about, or 0 */
};

/* Find them all.  Fails when one may not be sealed: TF_BUSY when it is open for
 * writing.  b->wait: wait on v->changed and look again.  mu is held. */
TF_MUST_USE enum tf_code tf_below_look(struct tf_vault *v, struct tf_below *b,
    struct tf_error *err);

/* Complete the message of that failure with the path of the node in the way.
 * mu is not held. */
void tf_below_name(struct tf_vault *v, const struct tf_below *b,
    struct tf_db *db, struct tf_error *err);

/* Set job on all of them, with references, and sort them; and the end of that.
 * mu is held. */
void tf_below_claim(struct tf_below *b);

void tf_below_unclaim(struct tf_vault *v, struct tf_below *b);

/* One directory is being closed, opened again or sealed at a time: wait for the
 * turn of id, and end it.  mu is held. */
void tf_closing_begin(struct tf_vault *v, uint64_t id);

void tf_closing_end(struct tf_vault *v);

/* Somebody is at work below id, and that may take long: let others have their
 * turn meanwhile.  What was true before need not be so any more.  Fails as
 * tf_vault_wait_long does; it is the turn of id in either case. */
TF_MUST_USE enum tf_code tf_closing_wait(struct tf_vault *v, uint64_t id,
    struct tf_error *err);

TF_MUST_USE enum tf_code tf_seal_dir(struct tf_vault *v,
    const struct tf_seal_request *r, struct tf_error *err);

#endif
