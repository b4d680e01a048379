/*
 * A reader of JSON that other programs wrote: any text of RFC 8259, in UTF-8.
 *
 * json.h is for trailfs' own texts and accepts one form only.  This reader
 * accepts white space, null, fractions, exponents, all escapes, empty values,
 * keys in any order and a byte order mark.  It refuses what two readers could
 * understand differently: a key that an object has twice, invalid UTF-8, and
 * an escaped half of a surrogate pair.  It needs no more memory than the
 * limits below allow.  Numbers keep their text: no value is ever rounded.
 */
#ifndef TF_BASE_JSON_ANY_H
#define TF_BASE_JSON_ANY_H

#include "../json.h"

#define TF_ANY_BYTES ((size_t)16 << 20) /* of a text */
#define TF_ANY_VALUES ((uint32_t)1 << 20)
#define TF_ANY_DEPTH 64	       /* the outermost value is level 1 */
#define TF_ANY_NONE UINT32_MAX /* no value */

enum tf_any_type {
	TF_ANY_NULL,
	TF_ANY_FALSE,
	TF_ANY_TRUE,
	TF_ANY_NUMBER_TEXT,
	TF_ANY_STRING,
	TF_ANY_ARRAY,
	TF_ANY_OBJECT
};

/* One value.  The values of a text stand in the order of the text, so the first
 * value inside container i has the index i + 1. */
struct tf_any {
	enum tf_any_type type;
	uint32_t next;	    /* index of the first value after this one */
	uint32_t count;	    /* members or elements */
	uint32_t off, len;  /* the string without escapes, or the number */
	uint32_t key, keyn; /* the member's key without escapes */
};

struct tf_any_doc {
	char *text;	  /* strings, keys and numbers; owned */
	struct tf_any *v; /* v[0] is the outermost value; owned */
	uint32_t n;
};

/*
 * Parse n bytes at p, which *d does not need afterwards.  On TF_OK free *d with
 * tf_any_free.  On failure *d is {0}: TF_INVALID, with "line L, column C: ..."
 * in err, for a text that is refused (columns count bytes); TF_TOOBIG for one
 * with more than TF_ANY_BYTES bytes or TF_ANY_VALUES values; TF_NOMEM.
 */
TF_MUST_USE enum tf_code tf_any_parse(struct tf_any_doc *d, const char *p,
    size_t n, struct tf_error *err);
void tf_any_free(struct tf_any_doc *d);

/* The text of string or number i. */
struct tf_str tf_any_text(const struct tf_any_doc *d, uint32_t i);
struct tf_str tf_any_key(const struct tf_any_doc *d, uint32_t i);
/* The member of value obj with this key; TF_ANY_NONE if there is none or if obj
 * is not an object.  Compares up to v[obj].count keys. */
uint32_t tf_any_member(const struct tf_any_doc *d, uint32_t obj,
    struct tf_str key);

#endif
