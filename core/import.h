/*
 * Importing records of another system: the only functions that make entries
 * with the field `imported`.
 *
 * The actor of these entries is the user who imports, and their times are those
 * of the import.  What the other system says of author, time and id is in
 * `imported`: claims, which trailfs never uses as time or identity.  An
 * imported attestation is not judged by its evidence; its claim `compliant` is
 * the verdict of the system that it came from.
 *
 * An attestation is imported as a draft that is filled and then published: a
 * crash leaves a draft, which is no attestation, or the whole attestation.
 * The functions are safe from many threads at once.  Arguments stay the
 * caller's; err may be NULL.  vault.h has the errors that any call may give.
 */
#ifndef TF_IMPORT_H
#define TF_IMPORT_H

#include <stdint.h>

#include "error.h"
#include "json.h"
#include "types.h"

struct tf_vault;

/* What the other system says.  At least one of the three is not NULL. */
struct tf_imported {
	const char *at; /* when: as entries write times */
	const char *by; /* who: at most 512 bytes, as JSON between the quotes */
	const char *id; /* its name for the record: the same limit */
};

/* Could entries hold these claims?  TF_INVALID, TF_TOOBIG: err says which not. */
TF_MUST_USE enum tf_code tf_imported_check(const struct tf_imported *from,
    struct tf_error *err);

/*
 * Make a trail or a workflow, as tf_vault_mkdir.  Errors also: TF_INVALID,
 * TF_TOOBIG a claim of *from is no time or text of an entry; TF_UNSUPPORTED
 * parent is neither the root nor a trail.
 */
TF_MUST_USE enum tf_code tf_vault_import_mkdir(struct tf_vault *v,
    uint64_t parent, const char *name, uint32_t mode,
    const struct tf_imported *from, const struct tf_actor *who,
    struct tf_attr *out, struct tf_error *err);

/*
 * Publish and seal the draft attestation `draft` of a workflow as attestation
 * `name`, as tf_vault_rename without replacing.  All entries are one
 * transaction.  Errors also: TF_INVALID, TF_TOOBIG as above; TF_UNSUPPORTED
 * draft is no name of a draft attestation.
 */
TF_MUST_USE enum tf_code tf_vault_import_publish(struct tf_vault *v,
    uint64_t workflow, const char *draft, const char *name,
    const struct tf_imported *from, const struct tf_actor *who,
    struct tf_error *err);

/* Append to out the field `imported` of the entry that created node id: a JSON
 * object.  TF_NODATA: it was not imported. */
TF_MUST_USE enum tf_code tf_vault_imported(struct tf_vault *v, uint64_t id,
    struct tf_buf *out, struct tf_error *err);

/* A file that was imported. */
struct tf_import_source {
	const char *format; /* "kosli" */
	struct tf_hash sha256;
	uint64_t size; /* bytes */
};

/*
 * Record that all records of a file are in the trail now: count entries with
 * `imported`.  The bytes of the file are not read.  If the trail has such an
 * entry for this file already, nothing is recorded and *already is true.
 * Errors: TF_UNSUPPORTED trail is no trail; TF_DENIED who is neither its owner
 * nor root.
 */
TF_MUST_USE enum tf_code tf_vault_import_done(struct tf_vault *v,
    uint64_t trail, const struct tf_import_source *from, uint64_t count,
    const struct tf_actor *who, bool *already, struct tf_error *err);

/* Check that a node of this kind may have the name, which may have slashes if
 * it is evidence: the errors of mkdir(2) and open(2) about names. */
TF_MUST_USE enum tf_code tf_import_name(enum tf_kind kind, const char *name,
    struct tf_error *err);

#endif
