/* The redactions of a directory, for control files and pages. */
#ifndef TF_VIEW_REDACTIONS_H
#define TF_VIEW_REDACTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "../error.h"
#include "../json.h"

struct tf_view;

/*
 * Write the member "redactions" of the evidence at or below id as far as the
 * asker may read it: an array, or nothing if there is none.  done: only what was
 * redacted.  Errors: those of the database.
 */
TF_MUST_USE enum tf_code tf_put_redactions(struct tf_view *w, struct tf_json *j,
    uint64_t id, bool done, struct tf_error *err);

/* Append "redacted 2026-11-29 by ... " about evidence id to out, for people:
 * reason, both people and times.  Nothing if it was not redacted. */
TF_MUST_USE enum tf_code tf_redaction_words(struct tf_view *w, uint64_t id,
    struct tf_buf *out, struct tf_error *err);

#endif
