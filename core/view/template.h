/* The templates by which the workflows of a view are judged. */
#ifndef TF_VIEW_TEMPLATE_H
#define TF_VIEW_TEMPLATE_H

#include "../buffer.h"
#include "../ledger/template.h"

struct tf_view;

/* A version of a trail's template.  It belongs to the view. */
struct tf_view_template {
	struct tf_view_template *next;
	uint64_t trail, version;
	struct tf_template t;
	struct tf_hash sha256; /* of text */
	struct tf_buf text;
	bool timed; /* a slot has a deadline or an `after` */
};

/*
 * Find a version of the template of a trail, parsed once per view.  *out is
 * valid until the view is closed.  *entry becomes the entry of the version, or
 * TF_NO_SEQ if no row names one; entry may be NULL.  Errors: TF_TAMPER the
 * store does not have it, or has other bytes than the entry says; TF_NOMEM;
 * those of the database.
 */
TF_MUST_USE enum tf_code tf_view_template(struct tf_view *w, uint64_t trail,
    uint64_t version, const struct tf_view_template **out, uint64_t *entry,
    struct tf_error *err);

void tf_view_templates_free(struct tf_view_template *list);

#endif
