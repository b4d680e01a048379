/*
 * Which facts an entry states.  The index is filled by these functions, and
 * each answer is checked with them, so both have one opinion.
 */
#ifndef TF_FIND_TERMS_H
#define TF_FIND_TERMS_H

#include <stdbool.h>

#include "query.h"

struct tf_entry;
struct tf_view;

/* Does an entry of this type create a name?  Or does it state facts about a
 * name that exists? */
bool tf_find_creates(unsigned type);
bool tf_find_adds(unsigned type);

typedef enum tf_code (*tf_find_fact_fn)(void *arg, enum tf_find_kind kind,
    struct tf_str value, struct tf_error *err);
/* Call fn for each fact that the entry states, until it fails. */
TF_MUST_USE enum tf_code tf_find_facts(const struct tf_entry *e,
    tf_find_fact_fn fn, void *arg, struct tf_error *err);

/* *word becomes the status that the entry gives its attestation, or NULL. */
TF_MUST_USE enum tf_code tf_find_word(const struct tf_entry *e,
    const char **word, struct tf_error *err);

#define TF_FIND_WORD 16 /* bytes */
/* The status of workflow id. */
TF_MUST_USE enum tf_code tf_find_workflow_word(struct tf_view *w, uint64_t id,
    char out[TF_FIND_WORD], struct tf_error *err);

#endif
