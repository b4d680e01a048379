/* Objects that entries name by digest and size, for control files. */
#ifndef TF_VIEW_OBJECT_H
#define TF_VIEW_OBJECT_H

#include <stdint.h>

#include "../error.h"

struct tf_buf;
struct tf_content;
struct tf_view;

/* Append the bytes of a sealed object to out, and compare them with their
 * digest.  what names the object in errors: "a statement".  On failure the
 * bytes in out must not be used.  Errors: TF_TAMPER the object is missing or
 * differs; TF_NOMEM; TF_IO; those of the database. */
TF_MUST_USE enum tf_code tf_view_object(struct tf_view *w,
    const struct tf_content *c, const char *what, struct tf_buf *out,
    struct tf_error *err);

/* The same for object row id, which no entry may name yet; 0: the sealed
 * object of that digest. */
TF_MUST_USE enum tf_code tf_view_object_row(struct tf_view *w, uint64_t id,
    const struct tf_content *c, const char *what, struct tf_buf *out,
    struct tf_error *err);

#endif
