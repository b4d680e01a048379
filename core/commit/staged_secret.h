/* The key of a pending file whose content is secret.  io is held. */
#ifndef TF_COMMIT_STAGED_SECRET_H
#define TF_COMMIT_STAGED_SECRET_H

#include <stddef.h>

#include "../error.h"

struct tf_buf;
struct tf_pending;

/* l->to becomes the newest recipients of its trail, or NULL. */
TF_MUST_USE enum tf_code tf_secret_address(struct tf_pending *l,
    struct tf_error *err);
/* The same before the first byte, so that the file is charged for what it will
 * need; nothing after that. */
TF_MUST_USE enum tf_code tf_secret_expect(struct tf_pending *l,
    struct tf_error *err);
/* Before the first byte: l becomes secret if its trail has recipients. */
TF_MUST_USE enum tf_code tf_secret_start(struct tf_pending *l,
    struct tf_error *err);
/* Make sure that l->key is there; fd is the staged file of l. */
TF_MUST_USE enum tf_code tf_secret_need(struct tf_pending *l, int fd,
    struct tf_error *err);
/* Append the content of the n stored bytes of the database, at p, to out. */
TF_MUST_USE enum tf_code tf_secret_of_row(struct tf_pending *l, const char *p,
    size_t n, struct tf_buf *out, struct tf_error *err);

#endif
