/* The timeline of a workflow: a picture, and the same as a table. */
#ifndef TF_VIEW_PAGE_TIMELINE_H
#define TF_VIEW_PAGE_TIMELINE_H

#include <stddef.h>

#include "../error.h"

struct tf_judgement;
struct tf_page;

/* The attestations in a picture at most; of more, the last ones. */
#define TF_TIMELINE_MAX 1000

/* The word of the badge of attestation i. */
const char *tf_page_attestation_word(const struct tf_judgement *f, size_t i);

/* Write a section with the attestations of f that the asker may read, from their
 * beginning to their seal; nothing if there are none.  The picture has a limit
 * in height and in bytes.  Errors: those of the database and of the sink;
 * TF_NOMEM. */
TF_MUST_USE enum tf_code tf_page_timeline(struct tf_page *p,
    const struct tf_judgement *f, struct tf_error *err);

#endif
