/*
 * Parsed templates, kept by trail and version: every mkdir and every seal asks
 * for one.  A version never changes, so what is kept is never wrong.  No lock
 * is held by the caller.
 */
#ifndef TF_NODE_TEMPLATES_H
#define TF_NODE_TEMPLATES_H

#include <stdint.h>

#include "../error.h"
#include "../ledger/template.h"

struct tf_db;
struct tf_definition_row;
struct tf_vault;

#define TF_TEMPLATES_KEPT 16

struct tf_kept_template {
	struct tf_template t;
	uint64_t trail, version;
	uint64_t used; /* when it was used last, as a count of uses */
	unsigned refs; /* with one of the list */
};

/* The template of the row.  On TF_OK end the use with tf_template_let_go.
 * TF_TAMPER: the store's bytes are not those of the entry. */
TF_MUST_USE enum tf_code tf_template_hold(struct tf_vault *v, struct tf_db *db,
    const struct tf_definition_row *row, struct tf_kept_template **out,
    struct tf_error *err);
/* NULL: does nothing. */
void tf_template_let_go(struct tf_vault *v, struct tf_kept_template *k);
/* At the end of the vault: nobody holds one. */
void tf_templates_free(struct tf_vault *v);

#endif
