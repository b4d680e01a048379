/*
 * Definitions: texts of a trail that people write, with versions, and that the
 * vault judges by: its template, and its attestation types.
 *
 * The functions are safe from many threads at once.  Arguments stay the
 * caller's; err may be NULL.  vault.h has the errors that any call may give.
 */
#ifndef TF_DEFINITION_H
#define TF_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "json.h"
#include "types.h"

struct tf_vault;

/* These numbers are in the store: never change one. */
enum tf_definition_kind {
	TF_DEFINITION_TEMPLATE = 1, /* its name is "" */
	TF_DEFINITION_TYPE = 2,
};
#define TF_DEFINITION_MAX 65536	  /* bytes of a definition */
#define TF_DEFINITION_NAME_MAX 64 /* bytes of the name of a type */

/*
 * Check the text of a definition, and append to warnings (unless NULL) a line
 * for each reason why it can never be satisfied.  Errors: those of
 * tf_vault_define that are about the text and the name.
 */
TF_MUST_USE enum tf_code tf_definition_check(enum tf_definition_kind kind,
    const char *name, const void *bytes, size_t n, struct tf_buf *warnings,
    struct tf_error *err);

/*
 * Make the n bytes the newest version of a definition of the trail.  On TF_OK
 * its entry is in the ledger and *version is its version; if the bytes are
 * those of the newest version, that one is *version and nothing is recorded.
 * Of two callers at once, each gets a version of its own, in the order of their
 * entries.  For a mount the kernel has checked that who may write the trail;
 * without one, who must be the owner of the trail or root.
 * Errors: TF_INVALID the text is malformed, err says in which line and column;
 * TF_TOOBIG; TF_BADNAME the name is no name of a type; TF_UNSUPPORTED id is no
 * trail; TF_SEALED the trail is sealed; TF_DENIED.
 */
TF_MUST_USE enum tf_code tf_vault_define(struct tf_vault *v, uint64_t trail,
    enum tf_definition_kind kind, const char *name, const void *bytes, size_t n,
    const struct tf_actor *who, uint64_t *version, struct tf_error *err);

/*
 * Append the bytes of a version (0: the newest) of a definition to out, unless
 * out is NULL.  *found becomes its facts.  TF_NOTFOUND if there is none.
 */
struct tf_definition {
	char name[TF_DEFINITION_NAME_MAX + 1];
	uint64_t version;
	uint64_t size; /* bytes */
	struct tf_hash sha256;
	uint64_t entry; /* seq of its entry */
};
TF_MUST_USE enum tf_code tf_vault_definition(struct tf_vault *v, uint64_t trail,
    enum tf_definition_kind kind, const char *name, uint64_t version,
    struct tf_buf *out, struct tf_definition *found, struct tf_error *err);

/*
 * Write the newest versions of up to max definitions of the trail, with a name
 * after the name `after` (NULL: all), to out, sorted by name; *n becomes their
 * number.
 */
TF_MUST_USE enum tf_code tf_vault_definitions(struct tf_vault *v,
    uint64_t trail, enum tf_definition_kind kind, const char *after,
    struct tf_definition *out, size_t max, size_t *n, struct tf_error *err);

#endif
