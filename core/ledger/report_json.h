/*
 * Members of JSON objects in reports about evidence.  json.h cannot write these
 * reports, as they have values of the evidence: fractions, null and the like.
 * The caller passes keys in sorted order.  A lack of memory sets b->failed.
 */
#ifndef TF_LEDGER_REPORT_JSON_H
#define TF_LEDGER_REPORT_JSON_H

#include "../buffer.h"
#include "../types.h"

/* Append a comma unless the object at the end of b is empty, then the key and a
 * colon.  The caller appends the value. */
void tf_report_key(struct tf_buf *b, const char *key);
/* Append a member.  A text with p NULL appends nothing. */
void tf_report_text(struct tf_buf *b, const char *key, struct tf_str s);
void tf_report_word(struct tf_buf *b, const char *key, const char *word);
void tf_report_flag(struct tf_buf *b, const char *key, bool v);
void tf_report_number(struct tf_buf *b, const char *key, uint64_t v);

#endif
