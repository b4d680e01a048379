/* Hashing the contents of a store: the work of the pool, see pool.h. */
#ifndef TF_AUDIT_STORE_CONTENTS_H
#define TF_AUDIT_STORE_CONTENTS_H

#include <stdint.h>

#include "../error.h"

struct tf_audit;
struct tf_content;
struct tf_entry;
struct tf_hash;
struct tf_task;

/* The functions of struct tf_pool_work; arg is the tf_audit_store.  Each thread
 * has its own connection to the database. */
TF_MUST_USE enum tf_code tf_audit_store_begin_thread(void *arg, void **self,
    struct tf_error *err);
void tf_audit_store_end_thread(void *self);
/* Hash the content of a task, with the connection self.  TF_NOTFOUND: the
 * object is missing. */
TF_MUST_USE enum tf_code tf_audit_store_hash(void *arg, void *self,
    const struct tf_task *t, struct tf_hash *h, uint64_t *size,
    struct tf_error *err);

/* Compare the row of this object with the content that entry e names, and queue
 * its bytes for the pool.  An object is queued once. */
TF_MUST_USE enum tf_code tf_audit_store_content(struct tf_audit *a,
    const struct tf_entry *e, const struct tf_content *want, uint64_t object,
    struct tf_error *err);

#endif
