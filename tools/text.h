/* Text for people, safe to print on a terminal. */
#ifndef TRAILCTL_TEXT_H
#define TRAILCTL_TEXT_H

#include <stdio.h>

#include "core/base/bytes.h"
#include "core/base/time_text.h"
#include "core/json.h"

/*
 * Append n bytes so that they cannot control a terminal.  Control characters,
 * characters that change the direction of writing, bytes that are not UTF-8,
 * and the backslash become \xHH, one per byte.
 */
void text_add(struct tf_buf *out, const char *s, size_t n);
/* The same for text from core that has \xHH already: they stay. */
void text_add_shown(struct tf_buf *out, const char *s, size_t n);
/* Append n bytes escaped for XML. They must have no characters that XML forbids
 * (text_add() removes them), except perhaps U+FFFE and U+FFFF. */
void text_add_xml(struct tf_buf *out, const char *p, size_t n);
/* text_add() to a stream. Without memory nothing is written; errors of the
 * stream are found by report_end(). */
void text_put(FILE *f, const char *p, size_t n);
/* text_add() of a JSON string; other values are appended as they are. */
void text_add_token(struct tf_buf *out, const struct tf_json_doc *d, int token);

/* Append the actor of an entry: "alice (cp)", or "uid 1000" without a name, or
 * "root, login uid 1000 (cp)" of somebody who became another user. */
void text_add_actor(struct tf_buf *out, const struct tf_json_doc *d, int actor);

/*
 * The time of the entry in the object at token object of d (0: all of d), as TF_TIME_LEN characters or "".  An entry whose time
 * in the ledger is not that of the clock has both; this is the one of the
 * clock.  True: the two differ by more than a second, or that is not known.
 */
bool text_when(const struct tf_json_doc *d, int object,
    char out[TF_TIME_LEN + 1]);
/* Append it in whole seconds, and '!' if text_when() is true, else a blank:
 * "2026-11-29T10:00:00Z!". */
void text_add_when(struct tf_buf *out, const struct tf_json_doc *d, int object);
/*
 * Parse "2026-11-23", "2026-11-23 07:50" or "2026-11-23T07:50:00.5Z", all UTC,
 * to the form of times in the ledger, which sorts by time.  False: s is no
 * such time, or no such day exists.
 */
bool text_time(const char *s, char out[TF_TIME_LEN + 1]);

/* Terminate b with a NUL, which b->n counts. Returns its bytes as a string that
 * lives until b changes, or "" without memory. */
const char *text_of(struct tf_buf *b);

#endif
