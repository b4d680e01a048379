/* The table of events of a page. */
#ifndef TF_VIEW_PAGE_EVENTS_H
#define TF_VIEW_PAGE_EVENTS_H

#include <stddef.h>

#include "../error.h"

struct tf_page;
struct tf_seqs;

/* Write a section with the last `rows` of the entries seqs that are about the
 * directory and that the asker may read; of parts of a file only the first one.  note is the sentence before a link to
 * all entries; NULL: the link is shown only if some are omitted.  Errors:
 * TF_TAMPER an entry is missing or malformed; TF_NOMEM; those of the sink. */
TF_MUST_USE enum tf_code tf_page_events(struct tf_page *p, const char *title,
    const char *note, const struct tf_seqs *seqs, size_t rows,
    struct tf_error *err);

#endif
