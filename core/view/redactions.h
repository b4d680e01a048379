/* The redactions of a directory, for control files and pages. */
#ifndef TF_VIEW_REDACTIONS_H
#define TF_VIEW_REDACTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"
#include "../json.h"

struct tf_db;
struct tf_view;

/*
 * Write the member "redactions" of the evidence at or below id as far as the
 * asker may read it: an array, or nothing if there is none.  done: only what was
 * redacted.  Errors: those of the database.
 */
TF_MUST_USE enum tf_code tf_put_redactions(struct tf_view *w, struct tf_json *j,
    uint64_t id, bool done, struct tf_error *err);

/* Receives the path of redacted evidence, and what tf_redaction_words() says. */
typedef enum tf_code (*tf_redaction_fn)(void *arg, struct tf_str path,
    struct tf_str words, struct tf_error *err);
/* Call fn for the redacted evidence at or below id that the asker of the view
 * may read.  The first error of fn ends the walk. */
TF_MUST_USE enum tf_code tf_each_redaction(struct tf_view *w, uint64_t id,
    tf_redaction_fn fn, void *arg, struct tf_error *err);

/* Set *n to the number of redacted files of the vault. */
TF_MUST_USE enum tf_code tf_count_redactions(struct tf_db *db, uint64_t *n,
    struct tf_error *err);

/* Append "redacted 2026-11-29 by ... " about evidence id to out, for people:
 * reason, both people and times.  Nothing if it was not redacted. */
TF_MUST_USE enum tf_code tf_redaction_words(struct tf_view *w, uint64_t id,
    struct tf_buf *out, struct tf_error *err);

#endif
