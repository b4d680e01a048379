/*
 * Texts that stand apart from the entry that they belong to: the entry has
 * {"withheld":DIGEST} in the place of the text, and an object with this digest
 * has TF_WITHHELD_SALT random bytes and the text, not escaped.  Without the
 * object nobody finds the text, not even by guessing.  All functions are pure
 * and safe from many threads at once.
 */
#ifndef TF_LEDGER_WITHHELD_H
#define TF_LEDGER_WITHHELD_H

#include "../json.h"

struct tf_entry;

#define TF_WITHHELD_SALT 16			  /* bytes */
#define TF_WITHHELD_MAX (TF_WITHHELD_SALT + 2048) /* bytes of an object */

#define TF_WITHHELD_NAME 96

/* One text of an entry or of a value of one. */
struct tf_withheld {
	struct tf_str field;	     /* of the entry: "claims", "reason" */
	char name[TF_WITHHELD_NAME]; /* what people call it: "annotation.KEY" */
	struct tf_str json; /* as it stands there: a string or the object */
	size_t max;	    /* bytes between the quotes */
	bool is;	    /* the text stands apart, and this is its digest: */
	struct tf_hash sha256;
};

/* Append the JSON that comes in the place of x to out; nothing: x stays. */
typedef enum tf_code (*tf_withheld_fn)(void *arg, const struct tf_withheld *x,
    struct tf_buf *out, struct tf_error *err);

/*
 * Append n bytes of an entry to out, with each text as fn wants it.  Bytes that
 * are not canonical are TF_INVALID; a field that is not of its form has no
 * texts.  *changed (may be NULL) is set if fn replaced something.
 */
TF_MUST_USE enum tf_code tf_withheld_entry(const char *bytes, size_t n,
    tf_withheld_fn fn, void *arg, struct tf_buf *out, bool *changed,
    struct tf_error *err);
/* The same for a value of the field `claims` or `imported`. */
TF_MUST_USE enum tf_code tf_withheld_value(const char *field,
    struct tf_str json, tf_withheld_fn fn, void *arg, struct tf_buf *out,
    bool *changed, struct tf_error *err);

/*
 * Call fn for each text of e that stands apart, until it fails.  json of x is
 * absent.  TF_NOMEM.
 */
typedef enum tf_code (*tf_withheld_named_fn)(void *arg,
    const struct tf_withheld *x, struct tf_error *err);
TF_MUST_USE enum tf_code tf_withheld_named(const struct tf_entry *e,
    tf_withheld_named_fn fn, void *arg, struct tf_error *err);

/* Might these bytes have such an object?  False is certain. */
bool tf_withheld_maybe(const char *bytes, size_t n);

/* Append {"withheld":DIGEST}. */
void tf_withheld_put(const struct tf_hash *h, struct tf_buf *out);
/* Append the object of a text as it stands in JSON, quotes included. */
void tf_withheld_object(const uint8_t salt[TF_WITHHELD_SALT],
    struct tf_str json, struct tf_buf *out);
/*
 * Append the text of an object as JSON.  False, and nothing appended: these
 * bytes hold no text that fits into max bytes between the quotes.
 */
bool tf_withheld_text(const char *bytes, size_t n, size_t max,
    struct tf_buf *out);

#endif
