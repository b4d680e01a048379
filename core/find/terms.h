/*
 * Which facts an entry states.  The index is filled by these functions, and
 * each answer is checked with them, so both have one opinion.
 */
#ifndef TF_FIND_TERMS_H
#define TF_FIND_TERMS_H

#include <stdbool.h>

#include "query.h"

struct tf_entry;
struct tf_judgement;

/* Does an entry of this type create a name?  Or does it state facts about a
 * name that exists? */
bool tf_find_creates(unsigned type);
bool tf_find_adds(unsigned type);

typedef enum tf_code (*tf_find_fact_fn)(void *arg, enum tf_find_kind kind,
    struct tf_str value, struct tf_error *err);
/* Call fn for each fact that the entry states, until it fails. */
TF_MUST_USE enum tf_code tf_find_facts(const struct tf_entry *e,
    tf_find_fact_fn fn, void *arg, struct tf_error *err);

/* The status of attestation i of a judgement. */
const char *tf_find_attestation_word(const struct tf_judgement *f, size_t i);

/* *out becomes the user whom the claims name in the annotation on_behalf_of;
 * unchanged if they name none. */
TF_MUST_USE enum tf_code tf_find_behalf(struct tf_str claims,
    struct tf_buf *out, struct tf_error *err);

#endif
