/*
 * What every room above store shares: read connections, whether the vault takes
 * changes, messages to the operator, and waiting.
 */
#ifndef TF_NODE_BASE_H
#define TF_NODE_BASE_H

#include <stdbool.h>

#include "../error.h"

struct tf_db;
struct tf_vault;

/* Should a caller who waits give up?  Asked every now and then. */
struct tf_patience {
	bool (*is_over)(void *arg);
	void *arg;
};

/* A read connection, and back. */
TF_MUST_USE enum tf_code tf_reader_db(struct tf_vault *v, struct tf_db **out,
    struct tf_error *err);

void tf_reader_done(struct tf_vault *v, struct tf_db *db);

/* TF_READONLY with the reason when the vault takes no changes. */
TF_MUST_USE enum tf_code tf_vault_writable(struct tf_vault *v,
    struct tf_error *err);

/* The same with mu held. */
TF_MUST_USE enum tf_code tf_vault_writable_locked(struct tf_vault *v,
    struct tf_error *err);

void tf_vault_say(struct tf_vault *v, enum tf_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* tf_vault_must_stop, for the hasher. */
struct tf_patience tf_vault_patience(struct tf_vault *v);

/* Wait as tf_vault_wait, for what may take long: TF_INTERRUPTED. */
TF_MUST_USE enum tf_code tf_vault_wait_long(struct tf_vault *v,
    struct tf_error *err);

#endif
