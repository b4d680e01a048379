/*
 * The recipients that a trail's evidence is encrypted to: parsed, and kept by
 * workflow, because every file that is created asks for them.  A store in which
 * no trail has recipients asks the database once.
 */
#ifndef TF_NODE_RECIPIENTS_H
#define TF_NODE_RECIPIENTS_H

#include <stdatomic.h>
#include <stdint.h>

#include "../crypt/recipient.h"
#include "../error.h"

struct tf_db;
struct tf_vault;

#define TF_RECIPIENTS_KEPT 16

struct tf_kept_recipients {
	struct tf_recipients list;
	uint64_t workflow, version;
	uint64_t used; /* when it was used last, as a count of uses */
	unsigned refs; /* with one of the list */
};

/* The kept ones, in the vault.  changes counts the versions that were set;
 * whoever prepared something without a lock compares it in the transaction. */
struct tf_recipients_cache {
	struct tf_kept_recipients *kept[TF_RECIPIENTS_KEPT]; /* or NULL; mu */
	uint64_t uses;					     /* mu */
	_Atomic uint64_t changes;
	atomic_bool any; /* some trail of the store has recipients */
};

/* Set v->recipients.any, when the vault opens. */
TF_MUST_USE enum tf_code tf_recipients_start(struct tf_vault *v,
    struct tf_db *db, struct tf_error *err);
void tf_recipients_end(struct tf_vault *v);

/*
 * The newest recipients of the trail of a workflow; *out is NULL if it has
 * none.  End the use with tf_recipients_let_go.  No lock is held.
 * Errors: TF_TAMPER the store's bytes are not those of the entry; those of the
 * database; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_recipients_hold(struct tf_vault *v,
    uint64_t workflow, struct tf_kept_recipients **out, struct tf_error *err);
/* Does the content of a file have another form in workflow `to` than in `from`,
 * because their trails have other recipients?  mu is held. */
TF_MUST_USE enum tf_code tf_recipients_differ(struct tf_vault *v,
    struct tf_db *db, uint64_t from, uint64_t to, bool *yes,
    struct tf_error *err);
/* Has the trail of that workflow recipients, by this connection? */
TF_MUST_USE enum tf_code tf_recipients_any_of(struct tf_db *db,
    uint64_t workflow, bool *yes, struct tf_error *err);
/* NULL: does nothing.  The second form: mu is held. */
void tf_recipients_let_go(struct tf_vault *v, struct tf_kept_recipients *k);
void tf_recipients_unref(struct tf_kept_recipients *k);

/* In the transaction that sets recipients, and once more after its commit:
 * forget what is kept. */
void tf_recipients_changed(struct tf_vault *v);

#endif
