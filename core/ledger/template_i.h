/* What the files of templates share. */
#ifndef TF_LEDGER_TEMPLATE_I_H
#define TF_LEDGER_TEMPLATE_I_H

#include "template.h"
#include "yaml.h"

/* All memory that a template owns; tf_template_free() frees it. */
struct tf_template_memory {
	struct tf_yaml yaml; /* of the texts */
	struct tf_template_block *blocks;
	struct tf_slot *slots;
	struct tf_str *artifacts;
	struct tf_template_warning *warnings;
};

/* Allocate n zeroed items that tf_template_free frees.  Not NULL for n 0; NULL
 * if memory ran out. */
void *tf_template_alloc(struct tf_template *t, size_t n, size_t size);

#endif
