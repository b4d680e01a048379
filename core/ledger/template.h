/*
 * Templates: which attestations a workflow needs.  template_parse.h has the
 * form of their text, and slot.h the rules of one slot.  The meaning of each
 * field is that of status.h.
 */
#ifndef TF_LEDGER_TEMPLATE_H
#define TF_LEDGER_TEMPLATE_H

#include "../json.h"
#include "slot.h"

/* Why the workflows of a template can never be COMPLIANT. */
struct tf_template_warning {
	unsigned line;
	char text[160];
};

struct tf_template {
	const struct tf_slot *slots; /* of the trail, then of artifacts */
	size_t n;
	bool strict; /* mkdir of a name without a slot is refused */
	/* How long workflows are kept: a period as in retention.set, or absent;
	 * or never disposed of.  The rule that demands it, or absent. */
	struct tf_str retain, retain_rule;
	bool retain_never;
	bool logs_reads; /* openings of evidence of the trail are recorded */
	bool redactable_texts; /* texts of entries about the trail can go */
	struct tf_strs artifacts;
	const struct tf_template_warning *warnings; /* in the order of slots */
	size_t n_warnings;
	struct tf_template_memory *memory; /* of everything above */
};

/* Free what t points to and make t empty. */
void tf_template_free(struct tf_template *t);

/* The slot of an attestation of this name (NAME or NAME@N), or NULL. */
const struct tf_slot *tf_template_slot(const struct tf_template *t,
    const char *name, size_t n);

#endif
