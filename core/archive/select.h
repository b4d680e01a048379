/* Select the entries of a package, by path, time, control, status and person. */
#ifndef TF_ARCHIVE_SELECT_H
#define TF_ARCHIVE_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_db;
struct tf_entry;
struct tf_package_request;

/* What a package is about, the vault, a trail, a workflow or an attestation, and its
 * time range. */
struct tf_package_place {
	enum tf_kind kind;	  /* TF_KIND_ROOT: the whole vault */
	struct tf_str path, name; /* the whole path; its last name */
	struct tf_str base;	  /* root of the names in the package */
	struct tf_str part[3];	  /* trail, workflow, attestation */
	bool has_since, has_until;
	struct tf_time since, until;
	struct tf_str control, status, person; /* or absent */
};

/* True if a request took a part of the vault or of a trail: other workflows may be
 * left out. */
bool tf_package_is_cut(const struct tf_package_place *p);

/*
 * Receive one entry of a package; body and e are valid only during the call.  A
 * code other than TF_OK stops the walk and is returned.
 */
typedef enum tf_code (*tf_selected)(void *arg, uint64_t seq, struct tf_str body,
    const struct tf_entry *e, struct tf_error *err);

/*
 * Parse the request r into *p, whose strings point into r->path; "." is the vault.
 * Errors: TF_UNSUPPORTED (the path is no trail, workflow or attestation), TF_USAGE
 * (a time, control, status or person is malformed, or is given for a workflow or
 * an attestation).
 */
TF_MUST_USE enum tf_code tf_package_place(const struct tf_package_request *r,
    struct tf_package_place *p, struct tf_error *err);

/*
 * True if e is in the period of the package: from since, or from the entry that
 * created what the package is about, until before until.  Call it for each entry
 * in order; *begun is false before the first.
 */
bool tf_package_in_period(const struct tf_package_place *p, bool *begun,
    const struct tf_entry *e);

/* Return the part of path below the base; p NULL if path is not below it, as "." is
 * below nothing. */
struct tf_str tf_package_below(const struct tf_package_place *p,
    struct tf_str path);

/*
 * Decide about a workflow, by its path below the base, what its entries alone do not
 * say: does it have the status and the control of the request?  claimed: an
 * attestation claims the control.  A code other than TF_OK stops the walk and is returned.
 */
typedef enum tf_code (*tf_package_fits)(void *arg, struct tf_str workflow,
    bool claimed, bool *fits, struct tf_error *err);

/*
 * Call fn for each entry of the package, in order, among the first size entries
 * of the ledger in db.  fits may be NULL if the request has neither control nor
 * status.  Errors: TF_NODATA (no workflow has control, status and person of the
 * request; fn was not called), TF_TAMPER (an entry is damaged, or is missing),
 * TF_NOMEM, those of the database, of fn and of fits.
 */
TF_MUST_USE enum tf_code tf_package_select(struct tf_db *db, uint64_t size,
    const struct tf_package_place *p, tf_selected fn, tf_package_fits fits,
    void *arg, struct tf_error *err);

#endif
