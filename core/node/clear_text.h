/*
 * Reading texts that stand apart from their entries (withheld.h).  This is the
 * one place that says what a reader sees: the text, if its object is there and
 * has the digest of the entry; TF_TEXT_REDACTED, if two people have removed it;
 * else TF_TEXT_WITHHELD.
 */
#ifndef TF_NODE_CLEAR_TEXT_H
#define TF_NODE_CLEAR_TEXT_H

#include <stddef.h>

#include "../json.h"

struct tf_db;
struct tf_entry_decoded;

#define TF_TEXT_REDACTED "redacted"
#define TF_TEXT_WITHHELD "withheld"

enum tf_clear_mode {
	TF_CLEAR_SHOW, /* a text that is not there becomes one of the words */
	TF_CLEAR_KEEP, /* it stays as it is, for those who write it again */
};

/*
 * Append n bytes of an entry to out as if its texts stood in it.  *changed: out
 * has other bytes.  TF_INVALID: they are not canonical.  Other errors: those of
 * the database, TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_clear_entry(struct tf_db *db, const char *bytes,
    size_t n, struct tf_buf *out, bool *changed, struct tf_error *err);
/* The same for a value of the field `claims` or `imported`; n 0: nothing. */
TF_MUST_USE enum tf_code tf_clear_value(struct tf_db *db, const char *field,
    struct tf_str json, enum tf_clear_mode mode, struct tf_buf *out,
    struct tf_error *err);
/*
 * Decode again the entry in d, whose bytes are these, with its texts.  They stay
 * in *clear, which is empty and must outlive d.  An entry without such texts
 * stays as it is.
 */
TF_MUST_USE enum tf_code tf_clear_decoded(struct tf_db *db, const char *bytes,
    size_t n, struct tf_entry_decoded *d, struct tf_buf *clear,
    struct tf_error *err);

#endif
