/*
 * Table definition: the versions of the texts that people write for a trail.
 * Rows follow from the entries (I5) and never change.  The kinds are those of
 * definition.h.
 */
#ifndef TF_STORE_DEFINITIONS_H
#define TF_STORE_DEFINITIONS_H

#include <stdint.h>

#include "../error.h"
#include "../types.h"

struct tf_db;

/*
 * Rows of these kinds count the entries that protect a node, and have no
 * object.  Hold: the entries about the hold `name`, which stands while their
 * number is odd.  Retention: those of retention.set, with the name "".
 */
#define TF_ROW_HOLD 16
#define TF_ROW_RETENTION 17
/*
 * Of evidence, with the name "".  Proposal: the entries redaction.proposed.
 * Redacted: its redaction.done; object is 1 if the bytes go, and 0 if other
 * evidence has the same bytes, which stay.  An attestation has the row if its
 * report goes, which quotes the evidence.  The triggers of schema.c know this
 * number.
 */
#define TF_ROW_PROPOSAL 18
#define TF_ROW_REDACTED 19
/*
 * Of a text that stands apart from its entry, with node TF_ROOT_ID and its digest
 * (32 bytes) as name.  Redacted: its redaction.done; object is the row of the
 * bytes that go, and 0 if an object that must stay has the same bytes.  The
 * triggers of schema.c know this number.  Proposal: as above.
 */
#define TF_ROW_TEXT_REDACTED 20
#define TF_ROW_TEXT_PROPOSAL 21

struct tf_definition_row {
	uint64_t node; /* of the trail; of the protected node */
	int kind;
	struct tf_str name; /* "" for a template */
	uint64_t version;
	uint64_t entry;	 /* seq */
	uint64_t object; /* row id of its bytes */
};

/* Insert a version, in the transaction of its entry.  TF_TAMPER if the row is
 * there already.  Errors of all functions: those of sql.h, TF_NOMEM. */
TF_MUST_USE enum tf_code tf_definitions_put(struct tf_db *db,
    const struct tf_definition_row *r, struct tf_error *err);
/*
 * Set version, entry and object of r, whose other fields name a definition:
 * those of version r->version, or of the newest one if that is 0.  TF_NOTFOUND
 * (err unchanged) if there is none; a store of an earlier version has none.
 */
TF_MUST_USE enum tf_code tf_definitions_get(struct tf_db *db,
    struct tf_definition_row *r, struct tf_error *err);
/* The same for the newest version whose entry is before entry `before`. */
TF_MUST_USE enum tf_code tf_definitions_before(struct tf_db *db,
    struct tf_definition_row *r, uint64_t before, struct tf_error *err);
/* Call fn with the newest version of each definition of that kind whose name is
 * after `after` (p NULL: all), sorted by name, until it fails. */
typedef enum tf_code (*tf_definition_fn)(void *arg,
    const struct tf_definition_row *r, struct tf_error *err);
TF_MUST_USE enum tf_code tf_definitions_names(struct tf_db *db, uint64_t node,
    int kind, struct tf_str after, tf_definition_fn fn, void *arg,
    struct tf_error *err);
/* Was the text with this digest redacted? */
TF_MUST_USE enum tf_code tf_text_redacted(struct tf_db *db,
    const struct tf_hash *h, bool *yes, struct tf_error *err);
/* Call fn with every version of every definition of that kind whose entry is
 * `from` or later, in the order of the entries, until it fails. */
TF_MUST_USE enum tf_code tf_definitions_since(struct tf_db *db, uint64_t node,
    int kind, uint64_t from, tf_definition_fn fn, void *arg,
    struct tf_error *err);
/* Call fn with the newest version of each definition of that kind, of all
 * nodes, until it fails. */
TF_MUST_USE enum tf_code tf_definitions_of_kind(struct tf_db *db, int kind,
    tf_definition_fn fn, void *arg, struct tf_error *err);
/* Call fn for every row, until it fails. */
TF_MUST_USE enum tf_code tf_definitions_each(struct tf_db *db,
    tf_definition_fn fn, void *arg, struct tf_error *err);

#endif
