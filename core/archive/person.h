/*
 * What an entry says of persons and controls, by which the workflows of a package
 * are selected.  All functions are pure.
 */
#ifndef TF_ARCHIVE_PERSON_H
#define TF_ARCHIVE_PERSON_H

#include <stdbool.h>

#include "../error.h"
#include "../types.h"

struct tf_entry;

/* True if it can name a person in package.json: 1 to 256 bytes of UTF-8 without
 * control characters, '"' and '\\'. */
bool tf_package_person_ok(struct tf_str person);

/*
 * Set *yes if the person made the entry, or if a service made it for the person:
 * person is the user name or, in decimal, the uid or the login uid of the actor,
 * or the claim onBehalfOf or the annotation on_behalf_of has that text.  The
 * reading and packaging of evidence do not count.  Errors: TF_NOMEM, TF_INVALID
 * the entry is malformed.
 */
TF_MUST_USE enum tf_code tf_package_acted(const struct tf_entry *e,
    struct tf_str person, bool *yes, struct tf_error *err);

/* Set *yes if the claims in the entry name the control.  Errors: as above. */
TF_MUST_USE enum tf_code tf_package_claims(const struct tf_entry *e,
    struct tf_str control, bool *yes, struct tf_error *err);

#endif
