/* Text for people: what came from elsewhere, made safe to look at. */
#ifndef TRAILCTL_TEXT_H
#define TRAILCTL_TEXT_H

#include <stdio.h>

#include "core/json.h"

/*
 * Append n bytes such that a terminal shows them and obeys none: a control
 * character, a character that turns the direction of writing, a byte that is
 * not UTF-8 and the backslash become \xHH, a pair of digits a byte.
 */
void text_add(struct tf_buf *out, const char *s, size_t n);
/* The same, of text that core has made ready to show: its \xHH stay. */
void text_add_shown(struct tf_buf *out, const char *s, size_t n);
/* The first, to a stream. */
void text_put(FILE *f, const char *p, size_t n);
/* The same, of a JSON string's value, or of another value as it stands. */
void text_add_token(struct tf_buf *out, const struct tf_json_doc *d, int token);

/* Who an actor object is: "alice (cp)", or "uid 1000" without a name. */
void text_add_actor(struct tf_buf *out, const struct tf_json_doc *d, int actor);

#define TEXT_TIME_LEN 30 /* "2026-11-23T07:50:00.123456789Z" */
/*
 * When entry d happened, as a string of TEXT_TIME_LEN bytes or "": the reading
 * of the clock, which an entry has where it is not the time that orders the
 * ledger.  True: the two differ by more than a second, or nobody can tell.
 */
bool text_when(const struct tf_json_doc *d, char out[TEXT_TIME_LEN + 1]);
/*
 * "2026-11-23", "2026-11-23 07:50", "2026-11-23T07:50:00.5Z" (UTC all) as the
 * text of ledger times, which sorts as time does.  False when it is none.
 */
bool text_time(const char *s, char out[TEXT_TIME_LEN + 1]);

/* End b as a string; b.p, or "" when memory ran out. */
const char *text_of(struct tf_buf *b);

#endif
