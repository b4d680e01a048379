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
struct tf_template;
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

/* *out becomes the template by which workflow id is judged: NULL if it has none,
 * or if the store's is damaged.  It belongs to the view. */
TF_MUST_USE enum tf_code tf_find_template(struct tf_view *w, uint64_t workflow,
    const struct tf_template **out, struct tf_error *err);
/* The same for the facts that the template (or NULL) states about an
 * attestation of this name: type and control of its slot. */
TF_MUST_USE enum tf_code tf_find_slot_facts(const struct tf_template *t,
    struct tf_str name, tf_find_fact_fn fn, void *arg, struct tf_error *err);

/* The form in which types are compared: "custom:NAME" and NAME are the same
 * type unless NAME is built in.  It is a part of type. */
struct tf_str tf_find_type(struct tf_str type);

/* The status of attestation i of a judgement; that of one without a seal. */
#define TF_FIND_OPEN "open"
const char *tf_find_attestation_word(const struct tf_judgement *f, size_t i);

/* *out becomes the one for whom it was recorded, as the claims say: the claim
 * onBehalfOf, or else the annotation on_behalf_of.  Unchanged if they say
 * nothing, or if that text was withheld. */
TF_MUST_USE enum tf_code tf_find_behalf(struct tf_str claims,
    struct tf_buf *out, struct tf_error *err);

#endif
