/*
 * Definitions, claims and overrides: what people say about trails, workflows
 * and attestations, in words that the vault judges by.
 *
 * A definition is a text of a trail that people write, with versions: its
 * template, its recipients, or an attestation type.  The recipients are those
 * that its evidence is encrypted to, from the first version on.  A claim is
 * what a writer says about an attestation before its seal, or about an open
 * trail or workflow.  An override replaces the verdict of a sealed attestation.
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
#include "evaluation.h"
#include "json.h"
#include "types.h"

struct tf_vault;

/* These numbers are in the store: never change one. */
enum tf_definition_kind {
	TF_DEFINITION_TEMPLATE = 1, /* its name is "" */
	TF_DEFINITION_TYPE = 2,
	TF_DEFINITION_RECIPIENTS = 3, /* its name is "" */
};
#define TF_DEFINITION_MAX 65536	  /* bytes of a definition */
#define TF_DEFINITION_NAME_MAX 64 /* bytes of the name of a type */
#define TF_USER_DATA_MAX 1048576  /* bytes */

/*
 * Check the text of a definition, and append to warnings (unless NULL) a line
 * for each reason why it can never be satisfied.  Errors: those of
 * tf_vault_define that are about the text and the name.
 */
TF_MUST_USE enum tf_code tf_definition_check(enum tf_definition_kind kind,
    const char *name, const void *bytes, size_t n, struct tf_buf *warnings,
    struct tf_error *err);

/*
 * May who report an attestation of this name in a workflow that is judged by
 * the template bytes (n 0: by none)?  This is the rule of mkdir and of the
 * publication of a draft, apart from what is there already.
 * Errors: TF_DENIED the template is strict and has no such name, or names others
 * who may; TF_BADNAME, TF_NAMETOOLONG; TF_INVALID no template.
 */
TF_MUST_USE enum tf_code tf_definition_permits(const void *bytes, size_t n,
    const char *name, const struct tf_actor *who, struct tf_error *err);

/*
 * By what will an attestation of this name be judged when it is sealed, in a
 * workflow that is judged by the template bytes (n 0: by none)?  claimed: its
 * claimed type; NULL: none, then that of its slot counts.  For TF_RULE_TYPE,
 * type becomes the name of the definition, whose newest version counts; without
 * one the attestation is not compliant.  Errors: TF_INVALID no template.
 */
TF_MUST_USE enum tf_code tf_definition_rule(const void *bytes, size_t n,
    const char *name, const char *claimed, enum tf_rule *rule,
    struct tf_buf *type, struct tf_error *err);

/*
 * Make the n bytes the newest version of a definition of the trail.  On TF_OK
 * its entry is in the ledger and *version is its version; if the bytes are
 * those of the newest version, that one is *version and nothing is recorded.
 * Of two callers at once, each gets a version of its own, in the order of their
 * entries.  For a mount the kernel has checked that who may write the trail;
 * without one, and for recipients, who must be the owner of the trail or root.
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

/* The same for all versions whose entry is `from` or later, in the order of the
 * entries. */
TF_MUST_USE enum tf_code tf_vault_definition_versions(struct tf_vault *v,
    uint64_t trail, enum tf_definition_kind kind, uint64_t from,
    struct tf_definition *out, size_t max, size_t *n, struct tf_error *err);

/* Set *trail, *kind and *found to the version that entry seq made.  TF_NOTFOUND
 * if it made none. */
TF_MUST_USE enum tf_code tf_vault_definition_of(struct tf_vault *v,
    uint64_t seq, uint64_t *trail, enum tf_definition_kind *kind,
    struct tf_definition *found, struct tf_error *err);

/*
 * Set or remove (value NULL) one claim about node id, as setxattr(2) of
 * "user.trailfs.KEY" does; flags are those of setxattr(2).  Keys:
 *   type, compliant (true or false), description, origin-url, control,
 *   annotation.NAME, external-url.LABEL, external-fingerprint.LABEL (64 hex
 *   digits, of a label that has a URL), user-data
 * A trail or workflow has description, origin-url, annotation.NAME,
 * external-url.LABEL, external-fingerprint.LABEL and user-data.  On TF_OK the
 * claim survives power loss.
 * A claim about a trail or workflow is an entry at once.  That about an
 * attestation can change until its seal, and is in the entry of the seal.
 * Errors: TF_UNSUPPORTED no such claim; TF_INVALID an empty or malformed value;
 * TF_TOOBIG the value is too long; TF_NOSPACE the claims together would be too
 * long or too many; TF_SEALED; TF_DENIED; TF_NODATA; TF_EXISTS.
 */
TF_MUST_USE enum tf_code tf_vault_claim(struct tf_vault *v, uint64_t id,
    const char *key, const void *value, size_t n, int flags,
    const struct tf_actor *who, struct tf_error *err);
/* Add a claim, not user-data, to claims, the JSON object that the entry would
 * have (empty: none).  This is the rule of tf_vault_claim about a node of this
 * kind, and its errors. */
TF_MUST_USE enum tf_code tf_definition_claim(enum tf_kind kind,
    struct tf_buf *claims, const char *key, const void *value, size_t n,
    struct tf_error *err);
/* Append the value of one claim to out.  TF_NODATA if there is none. */
TF_MUST_USE enum tf_code tf_vault_claimed(struct tf_vault *v, uint64_t id,
    const char *key, struct tf_buf *out, struct tf_error *err);
/* Append all claims about node id to out, as the JSON object that entries have;
 * nothing if there are none. */
TF_MUST_USE enum tf_code tf_vault_claims(struct tf_vault *v, uint64_t id,
    struct tf_buf *out, struct tf_error *err);

/* Set the user data of an attestation, trail or workflow: any bytes, up to
 * TF_USER_DATA_MAX; n 0 removes them.  Otherwise as tf_vault_claim with
 * "user-data". */
TF_MUST_USE enum tf_code tf_vault_user_data(struct tf_vault *v, uint64_t id,
    const void *bytes, size_t n, const struct tf_actor *who,
    struct tf_error *err);
/* Append the evaluation report of a sealed attestation to out: canonical JSON.
 * TF_NODATA if it was not evaluated. */
TF_MUST_USE enum tf_code tf_vault_evaluation(struct tf_vault *v, uint64_t id,
    struct tf_buf *out, struct tf_error *err);

/*
 * Record that the verdict of a sealed attestation is replaced.  reason: n bytes
 * of text.  Errors: TF_INVALID the reason is empty or malformed; TF_TOOBIG it
 * is too long; TF_UNSUPPORTED id is no attestation; TF_BUSY it is not sealed;
 * TF_DENIED who is neither the owner of its workflow nor root.
 */
TF_MUST_USE enum tf_code tf_vault_override(struct tf_vault *v, uint64_t id,
    bool compliant, const char *reason, size_t n, const struct tf_actor *who,
    struct tf_error *err);

#endif
