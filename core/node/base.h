/*
 * Basic services for every room above core/store: reading connections, the
 * check that the vault accepts changes, messages to the operator, and waiting.
 */
#ifndef TF_NODE_BASE_H
#define TF_NODE_BASE_H

#include <stdbool.h>

#include "../error.h"

struct tf_db;
struct tf_vault;

/* Decides whether a waiting caller must stop waiting.  Waits poll is_over. */
struct tf_patience {
	bool (*is_over)(void *arg);
	void *arg;
	bool waits; /* a program waits for it, in close(2) or fsync(2) */
};

/* Borrow a reading connection from the vault's pool, and return it.  A
 * connection belongs to one thread at a time. */
TF_MUST_USE enum tf_code tf_reader_db(struct tf_vault *v, struct tf_db **out,
    struct tf_error *err);

void tf_reader_done(struct tf_vault *v, struct tf_db *db);

/* TF_READONLY, with the reason in err, if the vault accepts no changes. */
TF_MUST_USE enum tf_code tf_vault_writable(struct tf_vault *v,
    struct tf_error *err);

/* The same with mu held. */
TF_MUST_USE enum tf_code tf_vault_writable_locked(struct tf_vault *v,
    struct tf_error *err);

/* Report one line to the operator.  Any lock may be held. */
void tf_vault_say(struct tf_vault *v, enum tf_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same about a key. */
void tf_vault_say_key(struct tf_vault *v, enum tf_code code, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* tf_vault_must_stop as a tf_patience. */
struct tf_patience tf_vault_patience(struct tf_vault *v);

/* Wait as tf_vault_wait does, but fail with TF_INTERRUPTED once the caller has
 * cancelled its call or the vault is stopping.  mu is held. */
TF_MUST_USE enum tf_code tf_vault_wait_long(struct tf_vault *v,
    struct tf_error *err);

#endif
